/**
 * Checks a receipt in the browser, without asking the server: the same checks as `wangge verify receipt`.
 * Format: docs/operations/ledger.md. Examples shared with the Rust side: vectors.json.
 * Needs WebCrypto (a page over https or on localhost); must not send the receipt or the text anywhere.
 */

/** The receipt file, as far as it is checked. Hashes are hexadecimal. */
export interface Receipt {
  version: number;
  jurisdiction: string;
  number: string;
  report_id: string;
  received_at: string;
  body_sha256: string;
  salt: string;
  record: LedgerRecord;
  payload: { salt: string; body: string };
  leaf_index: number;
  tree_size: number;
  root_hash: string;
  inclusion: string[];
  tree_head: TreeHead;
  public_key: string;
  text_zh: string;
}

export interface LedgerRecord {
  strand: number;
  seq: number;
  at: number;
  actor: string;
  action: string;
  subject: string;
  purpose: string;
  rule_version: string;
  payload_hash: string;
  prev_hash: string;
}

export interface TreeHead {
  origin: string;
  epoch: number;
  size: number;
  root: string;
  at: number;
  signature: string;
}

export type CheckName = "version" | "payload" | "contents" | "inclusion" | "signature" | "key" | "text";

export interface Check {
  name: CheckName;
  ok: boolean;
}

/** What cannot be checked here: no WebCrypto, or a browser without Ed25519. */
export class CannotCheck extends Error {}

const encoder = new TextEncoder();

/**
 * Checks everything that can be checked. `publishedKey`: the place's key from another source; `text`: what the resident sent.
 * Without them those two checks are left out.
 */
export async function verifyReceipt(receipt: Receipt, publishedKey?: string, text?: string): Promise<Check[]> {
  const checks: Check[] = [
    { name: "version", ok: receipt.version === 1 },
    { name: "payload", ok: await payloadIsTheRecordedOne(receipt) },
    { name: "contents", ok: saysWhatWasRecorded(receipt) },
    { name: "inclusion", ok: await isInTheTree(receipt) },
    { name: "signature", ok: await isSigned(receipt.tree_head, receipt.public_key) },
  ];
  if (publishedKey !== undefined) {
    checks.push({ name: "key", ok: receipt.public_key.toLowerCase() === publishedKey.trim().toLowerCase() });
  }
  if (text !== undefined) {
    const hash = await sha256(fromHex(receipt.salt), encoder.encode(text));
    checks.push({ name: "text", ok: toHex(hash) === receipt.body_sha256 });
  }
  return checks;
}

/** Reads a receipt file; null if it is none. */
export function readReceipt(json: string): Receipt | null {
  try {
    const value: unknown = JSON.parse(json);
    return isReceipt(value) ? value : null;
  } catch {
    return null;
  }
}

function isReceipt(value: unknown): value is Receipt {
  if (typeof value !== "object" || value === null) return false;
  const it = value as Partial<Receipt>;
  return (
    typeof it.version === "number" &&
    typeof it.number === "string" &&
    typeof it.public_key === "string" &&
    Array.isArray(it.inclusion) &&
    typeof it.record === "object" &&
    typeof it.payload === "object" &&
    typeof it.tree_head === "object"
  );
}

async function payloadIsTheRecordedOne(receipt: Receipt): Promise<boolean> {
  const hash = await sha256(fromHex(receipt.payload.salt), encoder.encode(receipt.payload.body));
  return toHex(hash) === receipt.record.payload_hash;
}

function saysWhatWasRecorded(receipt: Receipt): boolean {
  try {
    const facts = JSON.parse(receipt.payload.body);
    return (
      facts.number === receipt.number &&
      facts.report_id === receipt.report_id &&
      facts.received_at === receipt.received_at &&
      facts.text.sha256 === receipt.body_sha256 &&
      facts.text.salt === receipt.salt
    );
  } catch {
    return false;
  }
}

/** The text whose SHA-256 is the record's hash. */
function canonical(record: LedgerRecord): string {
  return JSON.stringify([
    "wangge-record-v1",
    record.strand,
    record.seq,
    record.at,
    record.actor,
    record.action,
    record.subject,
    record.purpose,
    record.rule_version,
    record.payload_hash,
    record.prev_hash,
  ]);
}

async function isInTheTree(receipt: Receipt): Promise<boolean> {
  const { tree_head: head, leaf_index: index, tree_size: size } = receipt;
  if (size !== head.size || receipt.root_hash !== head.root || !(index >= 0 && index < size)) return false;
  const record = await sha256(encoder.encode(canonical(receipt.record)));
  let hash = await sha256(Uint8Array.of(0), record);
  // RFC 9162, 2.1.3.2. Indexes stay below 2^53: division, not bit operations, which JavaScript cuts to 32 bits.
  let first = index;
  let last = size - 1;
  for (const step of receipt.inclusion) {
    const sibling = fromHex(step);
    if (sibling.length !== 32 || last === 0) return false;
    if (first % 2 === 1 || first === last) {
      hash = await sha256(Uint8Array.of(1), sibling, hash);
      while (first % 2 === 0 && first !== 0) {
        first /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      hash = await sha256(Uint8Array.of(1), hash, sibling);
    }
    first = Math.floor(first / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && toHex(hash) === receipt.root_hash;
}

async function isSigned(head: TreeHead, publicKey: string): Promise<boolean> {
  const root = btoa(String.fromCharCode(...fromHex(head.root)));
  const text = `${head.origin}\n${head.size}\n${root}\nepoch ${head.epoch}\ntime ${head.at}\n`;
  const key = fromHex(publicKey);
  const signature = fromHex(head.signature);
  if (key.length !== 32 || signature.length !== 64) return false;
  let imported: CryptoKey;
  try {
    imported = await subtle().importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
  } catch (error) {
    if (error instanceof DOMException && error.name === "NotSupportedError") throw new CannotCheck("Ed25519");
    return false;
  }
  return subtle().verify({ name: "Ed25519" }, imported, signature, encoder.encode(text));
}

function subtle(): SubtleCrypto {
  if (!globalThis.crypto?.subtle) throw new CannotCheck("WebCrypto");
  return globalThis.crypto.subtle;
}

async function sha256(...parts: Uint8Array[]): Promise<Uint8Array<ArrayBuffer>> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return new Uint8Array(await subtle().digest("SHA-256", whole));
}

/** Empty for what is not hexadecimal: it then equals nothing. */
function fromHex(text: string): Uint8Array<ArrayBuffer> {
  if (typeof text !== "string" || text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(text)) return new Uint8Array(0);
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => parseInt(text.slice(2 * i, 2 * i + 2), 16));
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

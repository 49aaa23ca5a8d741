// @vitest-environment node
import { describe, expect, it } from "vitest";
import vectors from "./vectors.json";
import { readReceipt, verifyReceipt } from "./verify";

describe("receipts made and changed by the Rust side", () => {
  it.each(vectors)("$name", async ({ receipt, key, text, failed }) => {
    const read = readReceipt(JSON.stringify(receipt));
    expect(read).not.toBeNull();
    const checks = await verifyReceipt(read!, key, text);
    expect(checks.filter((check) => !check.ok).map((check) => check.name)).toEqual(failed);
    expect(checks).toHaveLength(7);
  });

  it("what is no receipt is said to be none", () => {
    for (const text of ["", "{", "[]", "null", '{"version":1}', "回执"]) expect(readReceipt(text)).toBeNull();
  });
});

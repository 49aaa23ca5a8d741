//! Kannel: its smsbox hands a message in by `post-url`, takes one at `sendsms`, and calls back with what became of it.
//!
//! smsbox cannot sign. It can show a name and a password (they stand in `post-url`, it sends them as HTTP basic authentication), so the secret is in
//! no address and no log; besides, only the operator's addresses may call. Numbers and texts travel in headers and bodies.

use crate::platform::config::{Config, Sms};
use crate::platform::outbox::{Report, Sending};
use crate::platform::*;
use axum::http::{HeaderMap, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::message::{self, Part};

/// The name smsbox calls with.
const USER: &str = "kannel";
/// Which reports are asked for: delivered, not delivered, refused by the network.
const DLR_MASK: u8 = 1 | 2 | 16;

/// Whether the caller shows the secret.
pub fn check(sms: &Sms, headers: &HeaderMap) -> Result<(), Fault> {
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let pair = shown
        .and_then(|shown| shown.strip_prefix("Basic "))
        .and_then(|coded| STANDARD.decode(coded.trim()).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_default();
    let expected = config::Secret(format!("{USER}:{}", sms.secret.0));
    match !sms.secret.0.is_empty() && expected.is(&pair) {
        true => Ok(()),
        false => Err(Fault::new(StatusCode::FORBIDDEN, "message_not_signed")),
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// The sender, the text and the part of a message.
pub fn read(headers: &HeaderMap, body: &[u8]) -> (String, String, Option<Part>) {
    let kind = text(headers, "content-type").to_ascii_lowercase();
    let words: String = if kind.contains("utf-16") || text(headers, "x-kannel-coding") == "2" {
        let units = body.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
        char::decode_utf16(units)
            .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect()
    } else {
        String::from_utf8_lossy(body).into_owned()
    };
    let from = text(headers, "x-kannel-from").to_owned();
    // What PostgreSQL keeps in no text.
    let words = words.replace('\0', " ");
    (from, words, message::udh_part(&udh(text(headers, "x-kannel-udh"))))
}

/// A user data header as smsbox writes it: `%` and two digits are a byte, `+` a blank, anything else is itself.
fn udh(coded: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = coded.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        let escaped = (*first == b'%')
            .then(|| more.get(..2).and_then(|two| hex::decode(two).ok()))
            .flatten();
        rest = if escaped.is_some() { &more[2..] } else { more };
        match escaped {
            Some(byte) => bytes.extend(byte),
            None => bytes.push(if *first == b'+' { b' ' } else { *first }),
        }
    }
    bytes
}

/// What the number of a report means; none while it is on its way.
pub fn told(state: u8) -> Option<Report> {
    match state {
        1 => Some(Report::Arrived),
        2 | 16 => Some(Report::Failed),
        _ => None,
    }
}

/// The request that hands a message over.
pub fn request(config: &Config, client: &reqwest::Client, sms: &Sms, one: &Sending) -> reqwest::RequestBuilder {
    // UCS-2 whenever there is anything the basic alphabet may lack: always right for Chinese, and plain ASCII stays short.
    let coding = if one.text.reveal().is_ascii() { "0" } else { "2" };
    client
        .post(&sms.url)
        .header("content-type", "text/plain; charset=UTF-8")
        .header("x-kannel-username", &sms.user)
        .header("x-kannel-password", &sms.password.0)
        .header("x-kannel-from", &sms.sender)
        .header("x-kannel-to", one.to.reveal().as_str())
        .header("x-kannel-coding", coding)
        .header("x-kannel-dlr-mask", DLR_MASK.to_string())
        .header("x-kannel-dlr-url", report_url(config, sms, one.id))
        .body(one.text.reveal().clone())
}

/// Where Kannel calls with what became of a message; `%d` is the state.
fn report_url(config: &Config, sms: &Sms, id: MessageId) -> String {
    let base = if sms.callback.is_empty() {
        &config.public_url
    } else {
        &sms.callback
    };
    let base = base.trim_end_matches('/');
    let (scheme, rest) = base.split_once("://").unwrap_or(("http", base));
    format!(
        "{scheme}://{USER}:{}@{rest}/sms/kannel/report?id={id}&state=%d",
        sms.secret.0
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| ((*name).try_into().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn a_message_is_read_in_the_character_set_it_comes_in() {
        let ucs2 = headers(&[
            ("content-type", "text/plain; charset=\"UTF-16BE\""),
            ("x-kannel-from", "138"),
            ("x-kannel-udh", "%05%00%03%07%02%01"),
        ]);
        let part = Part {
            reference: 7,
            total: 2,
            seq: 1,
        };
        assert_eq!(
            read(&ucs2, &[0x8f, 0xdb, 0x5e, 0xa6]),
            ("138".into(), "进度".into(), Some(part))
        );
        let utf8 = headers(&[("content-type", "text/plain; charset=\"UTF-8\"")]);
        assert_eq!(read(&utf8, "进度".as_bytes()), (String::new(), "进度".into(), None));
        // Half a character, half a pair: marked, never a failure.
        assert_eq!(read(&ucs2, &[0xd8, 0x3d, 0x8f]).1, "\u{fffd}");
        assert_eq!(read(&utf8, &[0xe8]).1, "\u{fffd}");
    }

    #[test]
    fn only_the_whole_secret_opens() {
        let sms = Sms {
            secret: config::Secret("0123456789abcdef".into()),
            ..Sms::default()
        };
        let shown = |pair: &str| headers(&[("authorization", &format!("Basic {}", STANDARD.encode(pair)))]);
        assert!(check(&sms, &shown("kannel:0123456789abcdef")).is_ok());
        for bad in ["kannel:0123456789abcde", "kannel:", "other:0123456789abcdef", ""] {
            assert!(check(&sms, &shown(bad)).is_err(), "{bad}");
        }
        assert!(check(&Sms::default(), &shown("kannel:")).is_err());
        assert!(check(&sms, &HeaderMap::new()).is_err());
    }
}

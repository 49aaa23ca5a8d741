//! What a caller sends: the parameters of the address and of the form, and files; an empty one is an absent one.
//!
//! Entry points: [`Params`], [`read_body`]. Everything is bounded before it is kept.

use crate::platform::{App, Fault};
use axum::body::Bytes;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::header;
use domain::time::Timestamp;

/// Bytes of a form without files.
const FORM_BYTES: usize = 512 << 10;
/// Bytes of a form with files.
pub const MULTIPART_BYTES: usize = 48 << 20;
/// Fields of a form.
const MAX_FIELDS: usize = 300;
/// Items of a comma list.
pub const MAX_LIST: usize = 1_000;

/// A file of a form.
#[derive(Debug, Clone)]
pub struct File {
    pub name: String,
    pub bytes: Bytes,
}

/// Names and values in the order they came.
#[derive(Debug, Clone, Default)]
pub struct Params {
    pairs: Vec<(String, String)>,
    pub files: Vec<File>,
}

impl Params {
    /// Of `a=1&b=2`.
    pub fn of(text: &str) -> Params {
        let mut params = Params::default();
        for (name, value) in form_urlencoded::parse(text.as_bytes()).take(MAX_FIELDS) {
            params.add(&name, &value);
        }
        params
    }

    fn add(&mut self, name: &str, value: &str) {
        let value = tidy(value);
        if !value.is_empty() && self.pairs.len() < MAX_FIELDS {
            self.pairs.push((name.to_owned(), value));
        }
    }

    /// What stands in the body after what stands in the address.
    pub fn and(mut self, more: Params) -> Params {
        self.pairs.extend(more.pairs);
        self.files.extend(more.files);
        self
    }

    /// The value; the last one when it was given again.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .rev()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Every value of a name, also written with `[]`.
    pub fn all<'p>(&'p self, name: &'p str) -> impl Iterator<Item = &'p str> {
        let same = move |known: &str| known == name || known.strip_suffix("[]") == Some(name);
        self.pairs
            .iter()
            .filter(move |(known, _)| same(known))
            .map(|(_, value)| value.as_str())
    }

    /// `attribute[CODE]=v` and `attribute[CODE][]=v`.
    pub fn attribute<'p>(&'p self, code: &'p str) -> impl Iterator<Item = &'p str> {
        let same = move |known: &str| {
            let inside = known.strip_prefix("attribute[").and_then(|rest| rest.strip_suffix(']'));
            inside.is_some_and(|inside| inside == code || inside.strip_suffix("][") == Some(code))
        };
        self.pairs
            .iter()
            .filter(move |(known, _)| same(known))
            .map(|(_, value)| value.as_str())
    }

    /// The items of a comma list; none when the parameter is absent.
    pub fn list(&self, name: &str) -> Result<Option<Vec<String>>, Fault> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let items: Vec<String> = text
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(str::to_owned)
            .collect();
        if items.len() > MAX_LIST {
            return Err(Fault::refused("open311_list_too_long")
                .with("name", name)
                .with("most", MAX_LIST));
        }
        Ok(Some(items))
    }

    /// A time with its offset. A `+` that was not encoded has become a blank.
    pub fn time(&self, name: &'static str) -> Result<Option<Timestamp>, Fault> {
        let Some(text) = self.get(name) else { return Ok(None) };
        time(text)
            .map(Some)
            .ok_or_else(|| Fault::invalid(name, "open311_bad_time").with("name", name))
    }

    /// Latitude and longitude in degrees, as (longitude, latitude).
    pub fn position(&self) -> Result<Option<(f64, f64)>, Fault> {
        let number = |name: &'static str| -> Result<Option<f64>, Fault> {
            let Some(text) = self.get(name) else { return Ok(None) };
            let bound = if name == "lat" { 90.0 } else { 180.0 };
            text.parse()
                .ok()
                .filter(|value: &f64| value.is_finite() && value.abs() <= bound)
                .map(Some)
                .ok_or_else(|| Fault::invalid(name, "open311_bad_number").with("name", name))
        };
        match (number("lat")?, number("long")?) {
            (Some(lat), Some(lon)) => Ok(Some((lon, lat))),
            (None, None) => Ok(None),
            _ => Err(Fault::refused("open311_half_position")),
        }
    }

    /// A whole number.
    pub fn whole(&self, name: &'static str) -> Result<Option<i64>, Fault> {
        let Some(text) = self.get(name) else { return Ok(None) };
        text.parse()
            .map(Some)
            .map_err(|_| Fault::invalid(name, "open311_bad_number").with("name", name))
    }

    /// The same question for another page, as a query; the key is not repeated.
    pub fn paged(&self, page: i64, size: i64) -> String {
        let same = self
            .pairs
            .iter()
            .filter(|(name, _)| !["api_key", "page", "page_size"].contains(&name.as_str()));
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(same)
            .append_pair("page", &page.to_string())
            .append_pair("page_size", &size.to_string())
            .finish()
    }

    /// What makes two sendings the same: every name and value but the key, and the files.
    pub fn content(&self) -> String {
        use sha2::Digest;
        let mut hash = sha2::Sha256::new();
        let mut put = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        for (name, value) in self.pairs.iter().filter(|(name, _)| name != "api_key") {
            put(name.as_bytes());
            put(value.as_bytes());
        }
        for file in &self.files {
            put(b"file");
            put(&file.bytes);
        }
        hex::encode(hash.finalize())
    }
}

/// An instant in the subset of ISO 8601 the standard names: with seconds and an obligatory offset.
pub fn time(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text)
        .or_else(|_| Timestamp::parse(&text.replace(' ', "+")))
        .ok()
}

/// Line ends made one, no control characters but them and tabs, no blanks around.
fn tidy(text: &str) -> String {
    let one = text.replace("\r\n", "\n").replace('\r', "\n");
    let kept: String = one
        .chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect();
    kept.trim().to_owned()
}

/// Reads the form of a request, plain or with files.
pub async fn read_body(app: &App, request: Request) -> Result<Params, Fault> {
    let kind = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default()
        .to_ascii_lowercase();
    if kind.starts_with("multipart/form-data") {
        return multipart(app, request).await;
    }
    if !kind.is_empty() && !kind.starts_with("application/x-www-form-urlencoded") {
        return Err(Fault::refused("open311_form_expected"));
    }
    let bytes = axum::body::to_bytes(request.into_body(), FORM_BYTES)
        .await
        .map_err(|_| Fault::refused("open311_too_large"))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Fault::refused("open311_not_utf8"))?;
    Ok(Params::of(text))
}

async fn multipart(app: &App, request: Request) -> Result<Params, Fault> {
    let broken = |error: &dyn std::fmt::Display| Fault::refused("open311_form_broken").because(error);
    let mut form = Multipart::from_request(request, app)
        .await
        .map_err(|error| broken(&error))?;
    let (mut params, mut room) = (Params::default(), MULTIPART_BYTES);
    while let Some(mut field) = form.next_field().await.map_err(|error| broken(&error))? {
        let name = field.name().unwrap_or_default().to_owned();
        let file = field.file_name().map(str::to_owned);
        let most = if file.is_some() { room } else { room.min(FORM_BYTES) };
        let mut bytes = Vec::new();
        while let Some(piece) = field.chunk().await.map_err(|error| broken(&error))? {
            if bytes.len() + piece.len() > most {
                return Err(Fault::refused("open311_too_large"));
            }
            bytes.extend_from_slice(&piece);
        }
        room -= bytes.len();
        match file {
            Some(name) if !bytes.is_empty() => params.files.push(File {
                name,
                bytes: bytes.into(),
            }),
            Some(_) => {}
            None => {
                let text = String::from_utf8(bytes).map_err(|_| Fault::refused("open311_not_utf8"))?;
                params.add(&name, &text);
            }
        }
        if params.files.len() > crate::cases::intake::MAX_PHOTOS {
            return Err(Fault::refused("too_many_photos").with("most", crate::cases::intake::MAX_PHOTOS));
        }
    }
    Ok(params)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn empty_is_absent_and_both_spellings_of_a_list_are_read() {
        let params =
            Params::of("a=&b=+&attribute%5BX%5D=1&attribute[X][]=2&attribute%5BX%5D%5B%5D=3&attribute[XY]=4&c=1&c=2");
        assert_eq!(
            (params.get("a"), params.get("b"), params.get("c")),
            (None, None, Some("2"))
        );
        assert_eq!(params.attribute("X").collect::<Vec<_>>(), ["1", "2", "3"]);
        assert_eq!(params.content(), Params::of(&params_text(&params)).content());
    }

    fn params_text(params: &Params) -> String {
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&params.pairs)
            .append_pair("api_key", "secret")
            .finish()
    }

    #[test]
    fn line_ends_are_one_and_blanks_of_an_offset_come_back() {
        assert_eq!(tidy(" a\r\nb\rc\u{7}\0 "), "a\nb\nc");
        assert_eq!(time("2026-02-14T10:00:00 08:00"), time("2026-02-14T02:00:00Z"));
        assert_eq!(time("2026-02-14T10:00:00"), None);
        assert_eq!(time("2026-02-14"), None);
    }
}

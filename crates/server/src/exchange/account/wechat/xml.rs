//! WeChat's XML: one flat list of elements. Nothing is fetched, no document type is read, no entity but XML's own five is known.

use crate::platform::Fault;
use axum::http::StatusCode;
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;
use std::collections::HashMap;

/// Elements of a message; WeChat's have about ten.
const MAX_ELEMENTS: usize = 64;

/// Texts by the name of their element.
pub type Elements = HashMap<String, String>;

fn unreadable() -> Fault {
    Fault::new(StatusCode::BAD_REQUEST, "message_xml_unreadable")
}

/// The texts of the elements directly below the root.
pub fn elements(xml: &str) -> Result<Elements, Fault> {
    let mut reader = Reader::from_str(xml);
    let mut found = Elements::new();
    let mut path: Vec<String> = Vec::new();
    loop {
        let text = match reader.read_event().map_err(|_| unreadable())? {
            Event::Start(start) => {
                path.push(start.name().as_ref().to_owned());
                String::new()
            }
            Event::End(_) => {
                path.pop();
                continue;
            }
            Event::Text(text) => text.to_string(),
            Event::CData(text) => text.to_string(),
            Event::GeneralRef(reference) => match reference.resolve_char_ref().map_err(|_| unreadable())? {
                Some(known) => known.to_string(),
                None => resolve_predefined_entity(&reference).ok_or_else(unreadable)?.to_owned(),
            },
            Event::DocType(_) => return Err(unreadable()),
            Event::Eof => break,
            _ => continue,
        };
        if let [_, name] = path.as_slice() {
            found.entry(name.clone()).or_default().push_str(&text);
        }
        if found.len() > MAX_ELEMENTS || path.len() > MAX_ELEMENTS {
            return Err(unreadable());
        }
    }
    match path.is_empty() && !found.is_empty() {
        true => Ok(found),
        false => Err(unreadable()),
    }
}

/// A document of texts, each as CDATA; the mark that ends it is cut in two where a text holds it.
pub fn document(elements: &[(&str, &str)]) -> String {
    let element = |(name, text): &(&str, &str)| {
        let safe = text.replace("]]>", "]]]]><![CDATA[>");
        format!("<{name}><![CDATA[{safe}]]></{name}>")
    };
    format!("<xml>{}</xml>", elements.iter().map(element).collect::<String>())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn xml_is_read_or_refused() {
        let read = elements("<xml><A><![CDATA[a<b]]></A><B>x &amp; &#x7f51;</B><C><D>deep</D></C></xml>").unwrap();
        assert_eq!(
            (read["A"].as_str(), read["B"].as_str(), read["C"].as_str()),
            ("a<b", "x & 网", "")
        );
        for bad in [
            "",
            "text",
            "<xml><A>",
            "<xml><A></B></xml>",
            "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><xml><A>&e;</A></xml>",
            "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]><xml><A>&b;</A></xml>",
            "<xml><A>&e;</A></xml>",
            "<xml></xml>",
        ] {
            assert!(elements(bad).is_err(), "{bad}");
        }
        let many: String = (0..100).map(|n| format!("<E{n}>x</E{n}>")).collect();
        assert!(elements(&format!("<xml>{many}</xml>")).is_err());
        assert!(elements(&"<a>".repeat(1_000)).is_err());
    }

    #[test]
    fn what_is_answered_cannot_leave_its_place() {
        let inside = "a]]></Content><Content>b & <c>";
        let back = elements(&document(&[("Content", inside)])).unwrap();
        assert_eq!(back["Content"], inside);
    }
}

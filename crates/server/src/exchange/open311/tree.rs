//! One plain tree for both formats, so that XML and JSON carry equal data (GeoReport v2, the "Spark" mapping: the root element is dropped,
//! a container of equal children is an array, an empty element is null).

use quick_xml::escape::partial_escape;
use serde_json::{Map, Value};

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Xml,
    Json,
}

impl Format {
    /// From the ending of the address.
    pub fn of(ending: &str) -> Option<Format> {
        match ending {
            "xml" => Some(Format::Xml),
            "json" => Some(Format::Json),
            _ => None,
        }
    }

    /// The `Content-Type`.
    pub fn mime(self) -> &'static str {
        match self {
            Format::Xml => "text/xml; charset=utf-8",
            Format::Json => "application/json; charset=utf-8",
        }
    }
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// `<x/>`, null.
    Empty,
    Text(String),
    Whole(i64),
    Number(f64),
    Flag(bool),
    /// Elements in order.
    Fields(Vec<(&'static str, Node)>),
    /// Children that all have the first name.
    List(&'static str, Vec<Node>),
}

impl Node {
    /// A text; an empty one is [`Node::Empty`].
    pub fn text(text: impl Into<String>) -> Node {
        let text = text.into();
        if text.is_empty() { Node::Empty } else { Node::Text(text) }
    }

    /// A text that may be absent.
    pub fn maybe(text: Option<impl Into<String>>) -> Node {
        text.map_or(Node::Empty, Node::text)
    }

    /// A number that may be absent.
    pub fn number(number: Option<f64>) -> Node {
        number.map_or(Node::Empty, Node::Number)
    }
}

/// The whole answer in a format; `root` is the root element of the XML.
pub fn write(root: &str, node: &Node, format: Format) -> String {
    match format {
        Format::Json => json(node).to_string(),
        Format::Xml => {
            let mut out = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
            element(&mut out, root, node);
            out
        }
    }
}

fn json(node: &Node) -> Value {
    match node {
        Node::Empty => Value::Null,
        Node::Text(text) => Value::from(in_xml(text)),
        Node::Whole(number) => Value::from(*number),
        Node::Number(number) => Value::from(*number),
        Node::Flag(flag) => Value::from(*flag),
        Node::Fields(fields) => Value::Object(
            fields
                .iter()
                .map(|(name, node)| ((*name).to_owned(), json(node)))
                .collect::<Map<_, _>>(),
        ),
        Node::List(_, items) => Value::Array(items.iter().map(json).collect()),
    }
}

fn element(out: &mut String, name: &str, node: &Node) {
    let mut wrap = |inner: &dyn Fn(&mut String)| {
        out.push_str(&format!("<{name}>"));
        inner(out);
        out.push_str(&format!("</{name}>"));
    };
    match node {
        Node::Empty => out.push_str(&format!("<{name}/>")),
        Node::Text(text) => wrap(&|out| out.push_str(&partial_escape(in_xml(text)))),
        Node::Whole(number) => wrap(&|out| out.push_str(&number.to_string())),
        Node::Number(number) => wrap(&|out| out.push_str(&number.to_string())),
        Node::Flag(flag) => wrap(&|out| out.push_str(if *flag { "true" } else { "false" })),
        Node::Fields(fields) => wrap(&|out| fields.iter().for_each(|(name, node)| element(out, name, node))),
        Node::List(item, items) => wrap(&|out| items.iter().for_each(|node| element(out, item, node))),
    }
}

/// Without the characters XML cannot hold at all; left out of JSON too, so that both say the same.
fn in_xml(text: &str) -> String {
    let fits = |c: &char| matches!(c, '\t' | '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    text.chars().filter(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_from_one_tree() {
        let one = Node::Fields(vec![
            ("id", Node::text("001")),
            ("note", Node::text("<b>井盖\u{0} & 🕳️")),
            ("zip", Node::text("")),
            ("lat", Node::Number(30.5)),
            ("known", Node::Flag(true)),
        ]);
        let all = Node::List("request", vec![one]);
        assert_eq!(
            write("service_requests", &all, Format::Xml),
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<service_requests><request><id>001</id><note>&lt;b&gt;井盖 &amp; 🕳️</note><zip/>\
             <lat>30.5</lat><known>true</known></request></service_requests>"
        );
        let said: Value = serde_json::from_str(&write("service_requests", &all, Format::Json)).unwrap_or_default();
        assert_eq!(
            said,
            serde_json::json!([{ "id": "001", "note": "<b>井盖 & 🕳️", "zip": null, "lat": 30.5, "known": true }])
        );
        assert_eq!(write("x", &Node::List("y", vec![]), Format::Json), "[]");
    }
}

//! XML with namespaces, as WebDAV uses it: one small tree for what is asked and for what is answered. Start with [`Element`].
//! Reading refuses DTDs, unknown entities and deep nesting, so nothing expands and nothing overflows.

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::{NsReader, XmlVersion};
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// WebDAV (RFC 4918).
pub(super) const DAV: &str = "DAV:";
/// CalDAV (RFC 4791).
pub(super) const CALDAV: &str = "urn:ietf:params:xml:ns:caldav";
/// `getctag`, which clients poll.
pub(super) const CALENDARSERVER: &str = "http://calendarserver.org/ns/";
/// A calendar's color and order.
pub(super) const APPLE: &str = "http://apple.com/ns/ical/";

const PREFIXES: [(&str, &str); 4] = [(DAV, "D"), (CALDAV, "C"), (CALENDARSERVER, "CS"), (APPLE, "A")];
const MAX_DEPTH: usize = 32;
const MAX_ELEMENTS: usize = 100_000;

/// The name of an element: its namespace and its local part.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Name {
    pub(super) namespace: String,
    pub(super) local: String,
}

impl Name {
    pub(super) fn new(namespace: &str, local: &str) -> Name {
        Name { namespace: namespace.to_owned(), local: local.to_owned() }
    }

    pub(super) fn is(&self, namespace: &str, local: &str) -> bool {
        self.local == local && self.namespace == namespace
    }
}

/// What an element holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Node {
    Element(Element),
    Text(String),
}

/// An element with its attributes (those without a namespace) and content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Element {
    pub(super) name: Name,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    attributes: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    content: Vec<Node>,
}

impl Element {
    pub(super) fn new(namespace: &str, local: &str) -> Element {
        Element::named(Name::new(namespace, local))
    }

    pub(super) fn named(name: Name) -> Element {
        Element { name, attributes: Vec::new(), content: Vec::new() }
    }

    pub(super) fn with_text(mut self, text: impl Into<String>) -> Element {
        self.content.push(Node::Text(text.into()));
        self
    }

    pub(super) fn with(mut self, child: Element) -> Element {
        self.content.push(Node::Element(child));
        self
    }

    pub(super) fn with_all(mut self, children: impl IntoIterator<Item = Element>) -> Element {
        self.content.extend(children.into_iter().map(Node::Element));
        self
    }

    pub(super) fn with_attribute(mut self, name: &str, value: &str) -> Element {
        self.attributes.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn children(&self) -> impl Iterator<Item = &Element> {
        self.content.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    pub(super) fn child(&self, namespace: &str, local: &str) -> Option<&Element> {
        self.children().find(|child| child.name.is(namespace, local))
    }

    /// The text directly inside, without blanks around it.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for node in &self.content {
            if let Node::Text(part) = node {
                text.push_str(part);
            }
        }
        text.trim().to_owned()
    }

    /// The document with this root, as UTF-8.
    pub(super) fn to_document(&self) -> String {
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
        self.write(&mut out, Root::Yes);
        out
    }

    fn write(&self, out: &mut String, root: Root) {
        let prefix =
            PREFIXES.iter().find(|(namespace, _)| *namespace == self.name.namespace).map(|(_, prefix)| *prefix);
        let name = match prefix {
            Some(prefix) => format!("{prefix}:{}", self.name.local),
            None => self.name.local.clone(),
        };
        out.push('<');
        out.push_str(&name);
        if root == Root::Yes {
            for (namespace, prefix) in PREFIXES {
                let _ = write!(out, " xmlns:{prefix}=\"{namespace}\"");
            }
        }
        if prefix.is_none() {
            out.push_str(" xmlns=\"");
            escape(&self.name.namespace, out);
            out.push('"');
        }
        for (key, value) in &self.attributes {
            let _ = write!(out, " {key}=\"");
            escape(value, out);
            out.push('"');
        }
        if self.content.is_empty() {
            out.push_str("/>");
            return;
        }
        out.push('>');
        for node in &self.content {
            match node {
                Node::Element(element) => element.write(out, Root::No),
                Node::Text(text) => escape(text, out),
            }
        }
        let _ = write!(out, "</{name}>");
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Root {
    Yes,
    No,
}

/// Writes text so that a reader gets it back to the byte: a bare CR would be read as LF, and characters that XML 1.0 cannot
/// hold become U+FFFD.
fn escape(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#13;"),
            '\t' | '\n' => out.push(character),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ => out.push(character),
        }
    }
}

/// Why a request's body is no XML that this server reads.
#[derive(Debug, thiserror::Error)]
pub(super) enum XmlError {
    #[error("the body is not UTF-8")]
    NotUtf8,
    #[error("the body is not well-formed XML: {0}")]
    Syntax(String),
    #[error("the body has a document type or an entity of its own, or is nested too deeply or too large")]
    Refused,
}

/// Reads a document into its root element; `None` for a body that is blank.
pub(super) fn parse(body: &[u8]) -> Result<Option<Element>, XmlError> {
    let text = std::str::from_utf8(body).map_err(|_| XmlError::NotUtf8)?.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Ok(None);
    }
    let syntax = |error: &dyn std::fmt::Display| XmlError::Syntax(error.to_string());
    let mut reader = NsReader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    let mut count = 0;
    loop {
        let (namespace, event) = reader.read_resolved_event().map_err(|e| syntax(&e))?;
        let closed = match event {
            Event::Start(start) => {
                count += 1;
                if open.len() >= MAX_DEPTH || count > MAX_ELEMENTS {
                    return Err(XmlError::Refused);
                }
                open.push(element(&namespace, &start)?);
                None
            }
            Event::Empty(start) => {
                count += 1;
                if count > MAX_ELEMENTS {
                    return Err(XmlError::Refused);
                }
                Some(element(&namespace, &start)?)
            }
            Event::End(_) => open.pop(),
            Event::Text(text) => {
                push_text(&mut open, &text.xml10_content());
                None
            }
            Event::CData(text) => {
                push_text(&mut open, &text.xml10_content());
                None
            }
            Event::GeneralRef(reference) => {
                match reference.resolve_char_ref().map_err(|e| syntax(&e))? {
                    Some(character) => push_text(&mut open, character.encode_utf8(&mut [0; 4])),
                    None => {
                        let name = reference.xml10_content();
                        push_text(&mut open, resolve_predefined_entity(&name).ok_or(XmlError::Refused)?);
                    }
                }
                None
            }
            Event::DocType(_) => return Err(XmlError::Refused),
            Event::Comment(_) | Event::PI(_) | Event::Decl(_) => None,
            Event::Eof => break,
        };
        if let Some(element) = closed {
            match open.last_mut() {
                Some(parent) => parent.content.push(Node::Element(element)),
                None if root.is_none() => root = Some(element),
                None => return Err(XmlError::Syntax("there is a second root element".to_owned())),
            }
        }
    }
    match root {
        Some(root) if open.is_empty() => Ok(Some(root)),
        _ => Err(XmlError::Syntax("it ends inside an element".to_owned())),
    }
}

fn element(namespace: &ResolveResult<'_>, start: &BytesStart<'_>) -> Result<Element, XmlError> {
    let namespace = match namespace {
        ResolveResult::Bound(namespace) => namespace.as_ref(),
        ResolveResult::Unbound => "",
        ResolveResult::Unknown(prefix) => {
            return Err(XmlError::Syntax(format!("the prefix {prefix:?} is not declared")));
        }
    };
    let mut element = Element::new(namespace, start.local_name().as_ref());
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|e| XmlError::Syntax(e.to_string()))?;
        let key = attribute.key.as_ref();
        if key == "xmlns" || key.contains(':') {
            continue;
        }
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|e| XmlError::Syntax(e.to_string()))?;
        element.attributes.push((key.to_owned(), value.into_owned()));
    }
    Ok(element)
}

fn push_text(open: &mut [Element], text: &str) {
    let Some(parent) = open.last_mut() else { return };
    match parent.content.last_mut() {
        Some(Node::Text(before)) => before.push_str(text),
        _ => parent.content.push(Node::Text(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_by_namespace_and_never_by_prefix() {
        let body = br#"<?xml version="1.0"?><x:propfind xmlns:x="DAV:"><x:prop><getetag xmlns="DAV:"/>
            <y:z xmlns:y="urn:y" a="1 &lt; 2">t&amp;u&#233;<![CDATA[<v>]]></y:z></x:prop></x:propfind>"#;
        let root = parse(body).unwrap().unwrap();
        assert!(root.name.is(DAV, "propfind"));
        let prop = root.child(DAV, "prop").unwrap();
        assert!(prop.child(DAV, "getetag").is_some());
        let other = prop.child("urn:y", "z").unwrap();
        assert_eq!((other.text().as_str(), other.attribute("a")), ("t&ué<v>", Some("1 < 2")));
    }

    #[test]
    fn what_is_written_reads_back_to_the_byte() {
        let element = Element::new(DAV, "prop")
            .with(Element::new(CALDAV, "calendar-data").with_text("A:1\r\n <&>\"'\u{e9}"))
            .with(Element::new("urn:other", "x").with_attribute("k", "a\"b").with(Element::new("", "none")));
        assert_eq!(parse(element.to_document().as_bytes()).unwrap().unwrap(), element);
    }

    #[test]
    fn dangerous_or_broken_documents_are_refused() {
        let deep = "<a>".repeat(5000);
        for body in [
            "<!DOCTYPE a [<!ENTITY b \"c\">]><a xmlns=\"DAV:\">&b;</a>",
            "<a>&b;</a>",
            "<a>&#x110000;</a>",
            "<p:a/>",
            "<a><b></a>",
            "<a>",
            "<a/><b/>",
            "</a>",
            "nothing",
            "<a b='1' b='2'/>",
            &deep,
        ] {
            assert!(parse(body.as_bytes()).is_err(), "{:.40}", body);
        }
        assert!(matches!(parse(b"<a>\xff</a>"), Err(XmlError::NotUtf8)));
        assert!(parse(b" \n").unwrap().is_none());
    }
}

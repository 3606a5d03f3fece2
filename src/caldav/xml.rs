//! XML by namespace, streamed: each child of the root becomes an [`Element`] and is handed on before the next is read.
//! No DTD, no entities but the five predefined ones; depth and size are capped.

use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;

const MAX_DEPTH: usize = 32;
const MAX_ELEMENTS_PER_CHILD: usize = 100_000;

/// The namespaces that calendar servers speak. Prefixes mean nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Namespace {
    /// `DAV:`
    Dav,
    /// `urn:ietf:params:xml:ns:caldav`
    CalDav,
    /// `http://calendarserver.org/ns/`
    CalendarServer,
    /// `http://apple.com/ns/ical/`
    Apple,
    Other,
}

impl Namespace {
    fn of(result: &ResolveResult<'_>) -> Namespace {
        let ResolveResult::Bound(namespace) = result else { return Namespace::Other };
        match namespace.0 {
            "DAV:" => Namespace::Dav,
            "urn:ietf:params:xml:ns:caldav" => Namespace::CalDav,
            "http://calendarserver.org/ns/" => Namespace::CalendarServer,
            "http://apple.com/ns/ical/" => Namespace::Apple,
            _ => Namespace::Other,
        }
    }
}

/// An element with what is in it. Of the attributes only `name` is kept (that of `CALDAV:comp`).
#[derive(Clone, Debug)]
pub(crate) struct Element {
    pub(crate) namespace: Namespace,
    pub(crate) name: String,
    pub(crate) name_attribute: Option<String>,
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
}

impl Element {
    fn start(namespace: Namespace, start: &BytesStart<'_>) -> Element {
        let name_attribute = start
            .attributes()
            .with_checks(false)
            .flatten()
            .find(|attribute| attribute.key.as_ref() == "name")
            .map(|attribute| attribute.value.trim().to_owned());
        let name = start.local_name().into_inner().to_owned();
        Element { namespace, name, name_attribute, text: String::new(), children: Vec::new() }
    }

    pub(crate) fn is(&self, namespace: Namespace, name: &str) -> bool {
        self.namespace == namespace && self.name == name
    }

    pub(crate) fn child(&self, namespace: Namespace, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.is(namespace, name))
    }

    pub(crate) fn has(&self, namespace: Namespace, name: &str) -> bool {
        self.child(namespace, name).is_some()
    }

    /// The trimmed text; None when there is none.
    pub(crate) fn text(&self) -> Option<&str> {
        Some(self.text.trim()).filter(|text| !text.is_empty())
    }

    /// The texts of the `DAV:href` children.
    pub(crate) fn hrefs(&self) -> impl Iterator<Item = &str> {
        self.children.iter().filter(|child| child.is(Namespace::Dav, "href")).filter_map(Element::text)
    }

    /// This element and all in it, outermost first.
    pub(crate) fn descendants(&self) -> Vec<&Element> {
        let mut all = vec![self];
        let mut next = 0;
        while let Some(element) = all.get(next).copied() {
            all.extend(element.children.iter());
            next += 1;
        }
        all
    }
}

/// Why a text is not XML that we read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum XmlError {
    #[error("it is not XML: {0}")]
    Syntax(#[from] quick_xml::Error),
    #[error("it contains a document type declaration")]
    DocumentType,
    #[error("it is nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    #[error("one element contains more than {MAX_ELEMENTS_PER_CHILD} others")]
    TooMany,
    #[error("it ends in the middle of an element")]
    Truncated,
    #[error("it contains no element")]
    Empty,
}

/// Reads a document: `each` gets every child of the root, in order; the root itself comes back, childless.
pub(crate) fn read(xml: &[u8], mut each: impl FnMut(Element)) -> Result<Element, XmlError> {
    // Bytes that are no UTF-8 come from single events; they must not hide the others.
    let text = String::from_utf8_lossy(xml);
    let mut reader = NsReader::from_str(text.trim_start_matches('\u{feff}').trim_start());
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    let mut elements = 0_usize;
    loop {
        let (namespace, event) = reader.read_resolved_event()?;
        let namespace = Namespace::of(&namespace);
        match event {
            Event::Start(start) => {
                elements += 1;
                if open.len() >= MAX_DEPTH {
                    return Err(XmlError::TooDeep);
                }
                if elements > MAX_ELEMENTS_PER_CHILD {
                    return Err(XmlError::TooMany);
                }
                open.push(Element::start(namespace, &start));
            }
            Event::Empty(start) => {
                elements += 1;
                if elements > MAX_ELEMENTS_PER_CHILD {
                    return Err(XmlError::TooMany);
                }
                close(Element::start(namespace, &start), &mut open, &mut root, &mut each);
            }
            Event::End(_) => {
                if let Some(element) = open.pop() {
                    close(element, &mut open, &mut root, &mut each);
                }
            }
            Event::Text(content) => append(&mut open, &content),
            Event::CData(content) => append(&mut open, &content),
            Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                Ok(Some(character)) => append(&mut open, character.encode_utf8(&mut [0; 4])),
                Ok(None) => match quick_xml::escape::resolve_predefined_entity(&reference) {
                    Some(character) => append(&mut open, character),
                    None => append(&mut open, "\u{fffd}"),
                },
                Err(_) => append(&mut open, "\u{fffd}"),
            },
            Event::DocType(_) => return Err(XmlError::DocumentType),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
        if open.len() <= 1 {
            elements = 0;
        }
    }
    if !open.is_empty() {
        return Err(XmlError::Truncated);
    }
    root.ok_or(XmlError::Empty)
}

fn close(element: Element, open: &mut [Element], root: &mut Option<Element>, each: &mut impl FnMut(Element)) {
    match open {
        [] => *root = Some(element),
        [_] => each(element),
        [.., parent] => parent.children.push(element),
    }
}

fn append(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

/// Text as it may stand in an element that we write.
pub(crate) fn escape(text: &str) -> std::borrow::Cow<'_, str> {
    quick_xml::escape::escape(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn children(xml: &str) -> Result<Vec<Element>, XmlError> {
        let mut all = Vec::new();
        read(xml.as_bytes(), |element| all.push(element)).map(|_| all)
    }

    #[test]
    fn a_prefix_means_nothing_and_a_namespace_everything() {
        for xml in [
            "<multistatus xmlns='DAV:'><response><href>/a</href></response></multistatus>",
            "<D:multistatus xmlns:D='DAV:'><D:response><D:href>/a</D:href></D:response></D:multistatus>",
            "<ns0:multistatus xmlns:ns0='DAV:'><x:response xmlns:x='DAV:'><ns0:href>/a</ns0:href></x:response></ns0:multistatus>",
        ] {
            let all = children(xml).unwrap();
            assert!(all[0].is(Namespace::Dav, "response"));
            assert_eq!(all[0].hrefs().collect::<Vec<_>>(), ["/a"]);
        }
        let other = children("<a xmlns='urn:x'><response/></a>").unwrap();
        assert!(!other[0].is(Namespace::Dav, "response"));
    }

    #[test]
    fn text_is_joined_from_references_and_cdata_and_keeps_its_line_ends() {
        let all = children("<a><b>x &amp; &#252;&lt;<![CDATA[<y>]]>&#13;\r\nz</b></a>").unwrap();
        assert_eq!(all[0].text, "x & ü<<y>\r\r\nz");
    }

    #[test]
    fn an_unknown_entity_or_a_broken_byte_spoils_one_text_only() {
        assert_eq!(children("<a><b>x&nbsp;y</b></a>").unwrap()[0].text, "x\u{fffd}y");
        let mut all = Vec::new();
        read(b"<a><b>caf\xe9</b><b>ok</b></a>", |element| all.push(element.text)).unwrap();
        assert_eq!(all, ["caf\u{fffd}", "ok"]);
    }

    #[test]
    fn what_could_hurt_is_refused() {
        assert!(matches!(children("<!DOCTYPE a [<!ENTITY b 'c'>]><a/>"), Err(XmlError::DocumentType)));
        assert!(matches!(children(&"<a>".repeat(100_000)), Err(XmlError::TooDeep)));
        assert!(matches!(children(&format!("<r><a>{}</a></r>", "<b/>".repeat(100_001))), Err(XmlError::TooMany)));
        assert!(matches!(children("<a><b>"), Err(XmlError::Truncated | XmlError::Syntax(_))));
        assert!(matches!(children(""), Err(XmlError::Empty)));
        assert!(matches!(children("<html><body><p>Log in<br></body></html>"), Err(XmlError::Syntax(_))));
        assert_eq!(children(&format!("<r>{}</r>", "<b/>".repeat(150_000))).unwrap().len(), 150_000);
    }
}

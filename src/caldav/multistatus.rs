//! The 207 answer (RFC 4918 13 and 14.16), with the sync token that RFC 6578 6.4 adds. Read [`Multistatus`] first.

use super::etag::{ETag, SyncToken};
use super::xml::{self, Element, Namespace, XmlError};

/// What a server says about each of several resources.
#[derive(Clone, Debug, Default)]
pub(crate) struct Multistatus {
    pub(crate) responses: Vec<Response>,
    pub(crate) sync_token: Option<SyncToken>,
}

/// What it says about one resource. Properties are those that were found; a 404 in a `propstat` is a missing property,
/// only a 404 in `status` is a missing resource.
#[derive(Clone, Debug, Default)]
pub(crate) struct Response {
    /// As the server wrote it.
    pub(crate) href: String,
    /// The status of the resource, where it is not told by property.
    pub(crate) status: Option<u16>,
    /// The status of properties that are there and were not given, where there are such.
    pub(crate) refused: Option<u16>,
    pub(crate) properties: Vec<Element>,
}

impl Multistatus {
    pub(crate) fn parse(body: &[u8]) -> Result<Multistatus, XmlError> {
        let mut all = Multistatus::default();
        let root = xml::read(body, |child| {
            if child.is(Namespace::Dav, "response") {
                all.responses.extend(responses(child));
            } else if child.is(Namespace::Dav, "sync-token") {
                all.sync_token = SyncToken::new(&child.text);
            }
        })?;
        if root.is(Namespace::Dav, "multistatus") { Ok(all) } else { Err(XmlError::Empty) }
    }
}

impl Response {
    pub(crate) fn property(&self, namespace: Namespace, name: &str) -> Option<&Element> {
        self.properties.iter().find(|property| property.is(namespace, name))
    }

    /// Whether the resource itself is gone.
    pub(crate) fn is_gone(&self) -> bool {
        matches!(self.status, Some(404 | 410))
    }

    pub(crate) fn etag(&self) -> Option<ETag> {
        ETag::new(&self.property(Namespace::Dav, "getetag")?.text)
    }

    /// Whether `resourcetype` has this type.
    pub(crate) fn has_type(&self, namespace: Namespace, name: &str) -> bool {
        self.property(Namespace::Dav, "resourcetype").is_some_and(|types| types.has(namespace, name))
    }
}

/// One `DAV:response` is one resource, or several that share a status.
fn responses(element: Element) -> Vec<Response> {
    let mut hrefs = Vec::new();
    let mut shared = Response::default();
    for child in element.children {
        if child.is(Namespace::Dav, "href") {
            hrefs.push(child.text.trim().to_owned());
        } else if child.is(Namespace::Dav, "status") {
            shared.status = status(&child.text);
        } else if child.is(Namespace::Dav, "propstat") {
            let found = child.child(Namespace::Dav, "status").and_then(|line| status(&line.text));
            if found.is_none_or(|status| (200..300).contains(&status)) {
                let props = child.children.into_iter().filter(|child| child.is(Namespace::Dav, "prop"));
                shared.properties.extend(props.flat_map(|prop| prop.children));
            } else {
                shared.refused = shared.refused.or(found.filter(|status| *status != 404));
            }
        }
    }
    match hrefs.len() {
        1 => hrefs.into_iter().map(|href| Response { href, ..std::mem::take(&mut shared) }).collect(),
        _ => hrefs.into_iter().map(|href| Response { href, ..shared.clone() }).collect(),
    }
}

/// The number in `HTTP/1.1 404 Not Found`.
fn status(line: &str) -> Option<u16> {
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_property_is_not_a_missing_resource() {
        let body = br#"<D:multistatus xmlns:D="DAV:">
          <D:response><D:href>/a.ics</D:href>
            <D:propstat><D:prop><D:getetag>"1"</D:getetag></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>
            <D:propstat><D:prop><D:displayname/></D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat></D:response>
          <D:response><D:href>/b.ics</D:href><D:status>HTTP/1.1 404 Not Found</D:status></D:response>
          <D:sync-token>data:,71</D:sync-token></D:multistatus>"#;
        let all = Multistatus::parse(body).unwrap();
        assert!(!all.responses[0].is_gone());
        assert!(all.responses[0].property(Namespace::Dav, "displayname").is_none());
        assert_eq!(all.responses[0].etag(), ETag::new("1"));
        assert!(all.responses[1].is_gone());
        assert_eq!(all.sync_token, SyncToken::new("data:,71"));
    }

    #[test]
    fn several_hrefs_may_share_a_status() {
        let body = br#"<multistatus xmlns="DAV:"><response><href>/a</href><href>/b</href><status>HTTP/1.1 410 Gone</status></response></multistatus>"#;
        let all = Multistatus::parse(body).unwrap();
        assert_eq!(all.responses.iter().filter(|response| response.is_gone()).count(), 2);
    }

    #[test]
    fn another_document_is_no_multistatus() {
        assert!(Multistatus::parse(b"<html><body/></html>").is_err());
        assert!(Multistatus::parse(b"<error xmlns='DAV:'/>").is_err());
    }
}

//! Answers: a status, a WebDAV multi-status, or a refusal that names the precondition (RFC 4918 section 16). Start with [`Refusal`].

use super::xml::{DAV, Element, XmlError};
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};

/// What goes back over the connection.
pub(super) type Answer = Response<Full<Bytes>>;

/// An answer without a body.
pub(super) fn empty(status: StatusCode) -> Answer {
    with_body(status, Bytes::new())
}

fn with_body(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    answer
}

/// An answer of a given media type.
pub(super) fn typed(status: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = with_body(status, body);
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    answer
}

/// The same answer with a header more; one whose value cannot be sent is left out.
pub(super) fn with_header(mut answer: Answer, name: HeaderName, value: &str) -> Answer {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
    answer
}

/// An answer with an XML document.
pub(super) fn xml(status: StatusCode, root: &Element) -> Answer {
    typed(status, "application/xml; charset=utf-8", root.to_document())
}

/// 207 with these responses; a sync-collection adds its token.
pub(super) fn multistatus(responses: impl IntoIterator<Item = Element>) -> Answer {
    xml(StatusCode::MULTI_STATUS, &Element::new(DAV, "multistatus").with_all(responses))
}

/// `<D:status>` of RFC 4918 section 14.28.
pub(super) fn status_element(status: StatusCode) -> Element {
    let reason = status.canonical_reason().unwrap_or("Unknown");
    Element::new(DAV, "status").with_text(format!("HTTP/1.1 {} {reason}", status.as_u16()))
}

/// `<D:propstat>`: properties of one status.
pub(super) fn propstat(status: StatusCode, properties: impl IntoIterator<Item = Element>) -> Element {
    Element::new(DAV, "propstat").with(Element::new(DAV, "prop").with_all(properties)).with(status_element(status))
}

/// `<D:href>`.
pub(super) fn href(path: impl Into<String>) -> Element {
    Element::new(DAV, "href").with_text(path)
}

/// `<D:response>` for one resource.
pub(super) fn response(path: impl Into<String>) -> Element {
    Element::new(DAV, "response").with(href(path))
}

/// Why a request is not done: the status, and the precondition that failed if a standard names it.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    condition: Option<Box<Element>>,
}

impl Refusal {
    /// A precondition of a standard.
    pub(super) fn condition(status: StatusCode, namespace: &str, local: &str) -> Refusal {
        Refusal::because(status, Element::new(namespace, local))
    }

    /// A precondition with something inside.
    pub(super) fn because(status: StatusCode, condition: Element) -> Refusal {
        Refusal { status, condition: Some(Box::new(condition)) }
    }

    /// The answer that says it.
    pub(super) fn into_answer(self) -> Answer {
        match self.condition {
            Some(condition) => xml(self.status, &Element::new(DAV, "error").with(*condition)),
            None => empty(self.status),
        }
    }
}

impl From<StatusCode> for Refusal {
    fn from(status: StatusCode) -> Refusal {
        Refusal { status, condition: None }
    }
}

impl From<XmlError> for Refusal {
    fn from(error: XmlError) -> Refusal {
        tracing::debug!(%error, "The demo's calendar server refused a request whose body it cannot read.");
        Refusal::from(StatusCode::BAD_REQUEST)
    }
}

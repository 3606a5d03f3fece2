//! What clients send: bodies with a cap and a time-out, forms and queries (URL standard, "urlencoded parsing").
//! Start with [`body`] and [`Fields`].

use super::fault::{Fault, Problem};
use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use percent_encoding::percent_decode_str;
use std::time::Duration;
use subtle::ConstantTimeEq;

/// Bodies may be this long, in bytes.
const MAX_BODY: usize = 64 * 1024;
/// A body must be here after this.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// The media type of forms.
const FORM: &str = "application/x-www-form-urlencoded";

/// Reads a body of the media type. A longer one is refused before it is read.
pub(super) async fn body(headers: &HeaderMap, body: Body, media_type: &str) -> Result<Bytes, Fault> {
    not_longer(headers, MAX_BODY)?;
    if !is_media_type(headers, media_type) {
        return Err(Fault::new(Problem::UnsupportedMediaType));
    }
    read(body, MAX_BODY, BODY_TIMEOUT).await
}

/// Reads a body of any media type with a cap, in bytes, and a time-out of its own.
pub(super) async fn read_at_most(
    headers: &HeaderMap,
    body: Body,
    most: usize,
    within: Duration,
) -> Result<Bytes, Fault> {
    not_longer(headers, most)?;
    read(body, most, within).await
}

fn not_longer(headers: &HeaderMap, most: usize) -> Result<(), Fault> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| usize::try_from(length).map_or(true, |length| length > most)) {
        return Err(Fault::new(Problem::TooLarge));
    }
    Ok(())
}

async fn read(body: Body, most: usize, within: Duration) -> Result<Bytes, Fault> {
    match tokio::time::timeout(within, Limited::new(body, most).collect()).await {
        Err(_) => Err(Fault::new(Problem::Timeout)),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Fault::new(Problem::TooLarge)),
        Ok(Err(_)) => Err(Fault::because(Problem::Malformed, "The body ended early.")),
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
    }
}

fn is_media_type(headers: &HeaderMap, wanted: &str) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(wanted)
}

/// Reads a posted form.
pub(super) async fn form(headers: &HeaderMap, posted: Body) -> Result<(Fields, Bytes), Fault> {
    let bytes = body(headers, posted, FORM).await?;
    let text = std::str::from_utf8(&bytes).map_err(|_| not_utf8())?;
    Ok((Fields::parse(text)?, bytes))
}

/// Reads a posted form that has no field: its body may be empty, and then it needs no type.
pub(super) async fn form_without_fields(headers: &HeaderMap, posted: Body) -> Result<(), Fault> {
    not_longer(headers, MAX_BODY)?;
    let bytes = read(posted, MAX_BODY, BODY_TIMEOUT).await?;
    if !bytes.is_empty() && !is_media_type(headers, FORM) {
        return Err(Fault::new(Problem::UnsupportedMediaType));
    }
    Ok(())
}

/// Random bytes for keys that are used once.
pub(super) fn random<const N: usize>() -> Result<[u8; N], Fault> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        tracing::error!(%error, "The system gives no random bytes");
        Fault::new(Problem::Internal)
    })?;
    Ok(bytes)
}

fn not_utf8() -> Fault {
    Fault::because(Problem::Malformed, "The text is not UTF-8.")
}

/// The fields of a form or a query, in order. Unlike the URL standard, broken UTF-8 is refused, not replaced.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    pairs: Vec<(String, String)>,
}

impl Fields {
    pub(super) fn parse(text: &str) -> Result<Fields, Fault> {
        let decode = |part: &str| -> Result<String, Fault> {
            let spaced = part.replace('+', " ");
            percent_decode_str(&spaced).decode_utf8().map(|text| text.into_owned()).map_err(|_| not_utf8())
        };
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        });
        Ok(Fields { pairs: pairs.collect::<Result<_, Fault>>()? })
    }

    /// Of a request's query.
    pub(super) fn query(query: Option<&str>) -> Result<Fields, Fault> {
        Fields::parse(query.unwrap_or_default())
    }

    /// The first value of that name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Whether it is a form of the page that carries this token.
    pub(super) fn is_of(&self, form_token: &str) -> bool {
        bool::from(self.text("form").as_bytes().ct_eq(form_token.as_bytes()))
    }

    /// Names and values, in order.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The first value of that name, else the empty text.
    pub(super) fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded_and_broken_utf8_is_refused() {
        let fields = Fields::parse("name=Emmy+N%C3%B6ther&&note=a%26b%3Dc&empty&name=second").unwrap();
        assert_eq!(fields.get("name"), Some("Emmy Nöther"));
        assert_eq!(fields.get("note"), Some("a&b=c"));
        assert_eq!(fields.get("empty"), Some(""));
        assert_eq!(fields.get("absent"), None);
        assert_eq!(Fields::parse("name=%ff%fe").unwrap_err().problem, Problem::Malformed);
        assert_eq!(Fields::parse("100%=%zz").unwrap().get("100%"), Some("%zz"));
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (header::HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[tokio::test]
    async fn a_long_body_is_refused_by_its_length_or_as_it_comes() {
        let announced = headers(&[("content-type", FORM), ("content-length", "10485760")]);
        // The stream would never end: it must not be read.
        let endless = Body::new(Endless);
        assert_eq!(body(&announced, endless, FORM).await.unwrap_err().problem, Problem::TooLarge);
        let unannounced = headers(&[("content-type", "application/x-www-form-urlencoded; charset=utf-8")]);
        assert_eq!(
            body(&unannounced, Body::from(vec![b'x'; MAX_BODY + 1]), FORM).await.unwrap_err().problem,
            Problem::TooLarge
        );
        assert_eq!(body(&unannounced, Body::from(vec![b'x'; MAX_BODY]), FORM).await.unwrap().len(), MAX_BODY);
        let json = headers(&[("content-type", "application/json")]);
        assert_eq!(body(&json, Body::empty(), FORM).await.unwrap_err().problem, Problem::UnsupportedMediaType);
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_times_out() {
        let late = read(Body::new(Endless), MAX_BODY, Duration::from_millis(20)).await;
        assert_eq!(late.unwrap_err().problem, Problem::Timeout);
    }

    struct Endless;

    impl hyper::body::Body for Endless {
        type Data = Bytes;
        type Error = std::io::Error;

        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, std::io::Error>>> {
            std::task::Poll::Pending
        }
    }
}

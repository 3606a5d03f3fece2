//! Forms with a file (multipart/form-data, RFC 7578), read in memory with a cap and a time-out. Start with [`upload`].

use super::fault::{Fault, Problem};
use super::input::read_at_most;
use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use futures_util::stream;
use multer::{Constraints, Multipart, SizeLimit};
use std::convert::Infallible;
use std::time::Duration;

/// A file may have this many bytes.
pub(super) const MAX_FILE: usize = 2 * 1024 * 1024;
/// What is around it, and the other fields.
const MAX_REST: usize = 16 * 1024;
/// Other fields may have this many bytes.
const MAX_FIELD: u64 = 4 * 1024;
/// All must be here after this: a telephone may be slow.
const TIMEOUT: Duration = Duration::from_secs(40);

/// What was sent. Debug would print it: there is none.
#[derive(Default)]
pub(super) struct Upload {
    /// The file; empty when none was chosen.
    pub(super) file: Bytes,
    pub(super) url: String,
    pub(super) tz: String,
}

/// Reads the form of the fields `file`, `url` and `tz`; of one that is there twice, the last. `TooLarge` when the file is larger than it may be.
pub(super) async fn upload(headers: &HeaderMap, body: Body) -> Result<Upload, Fault> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let boundary = multer::parse_boundary(kind).map_err(|_| Fault::new(Problem::UnsupportedMediaType))?;
    let bytes = read_at_most(headers, body, MAX_FILE + MAX_REST, TIMEOUT).await?;
    let limits = SizeLimit::new().per_field(MAX_FIELD).for_field("file", MAX_FILE as u64);
    let constraints = Constraints::new().allowed_fields(vec!["file", "url", "tz"]).size_limit(limits);
    let chunks = stream::iter([Ok::<Bytes, Infallible>(bytes)]);
    let mut form = Multipart::with_constraints(chunks, boundary, constraints);
    let mut upload = Upload::default();
    while let Some(field) = form.next_field().await.map_err(|error| of_form(&error))? {
        let name = field.name().unwrap_or_default().to_owned();
        let value = field.bytes().await.map_err(|error| of_form(&error))?;
        match name.as_str() {
            "file" => upload.file = value,
            "url" => upload.url = text(&value)?,
            _ => upload.tz = text(&value)?,
        }
    }
    Ok(upload)
}

fn text(value: &[u8]) -> Result<String, Fault> {
    let text = std::str::from_utf8(value).map_err(|_| Fault::because(Problem::Malformed, "The text is not UTF-8."))?;
    Ok(text.trim().to_owned())
}

fn of_form(error: &multer::Error) -> Fault {
    match error {
        multer::Error::FieldSizeExceeded { .. } | multer::Error::StreamSizeExceeded { .. } => {
            Fault::new(Problem::TooLarge)
        }
        _ => Fault::because(Problem::Malformed, "The form is not well-formed."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(fields: &[(&str, &[u8])]) -> Vec<u8> {
        let mut body = Vec::new();
        for (name, value) in fields {
            let filename = if *name == "file" { "; filename=\"a.ics\"\r\nContent-Type: text/calendar" } else { "" };
            body.extend(format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"{filename}\r\n\r\n").bytes());
            body.extend(*value);
            body.extend(b"\r\n");
        }
        body.extend(b"--B--\r\n");
        body
    }

    async fn sent(body: Vec<u8>) -> Result<Upload, Problem> {
        let kind = "multipart/form-data; boundary=B".parse().unwrap();
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, kind)]);
        upload(&headers, Body::from(body)).await.map_err(|fault| fault.problem)
    }

    #[tokio::test]
    async fn a_file_and_texts_are_read_as_they_are() {
        let all = sent(form(&[("file", b"BEGIN:\r\n--X\r\n\xff"), ("url", b" https://x "), ("tz", b"UTC")])).await;
        let Upload { file, url, tz } = all.ok().unwrap();
        assert_eq!((file.as_ref(), url.as_str(), tz.as_str()), (&b"BEGIN:\r\n--X\r\n\xff"[..], "https://x", "UTC"));
        let none = sent(form(&[("file", b"")])).await.ok().unwrap();
        assert!(none.file.is_empty() && none.url.is_empty());
    }

    #[tokio::test]
    async fn what_is_too_large_unknown_or_broken_is_refused() {
        let problem = async |body: Vec<u8>| sent(body).await.err();
        assert_eq!(problem(form(&[("file", &vec![b'x'; MAX_FILE])])).await, None);
        assert_eq!(problem(form(&[("file", &vec![b'x'; MAX_FILE + 1])])).await, Some(Problem::TooLarge));
        assert_eq!(problem(vec![b'x'; MAX_FILE + MAX_REST + 1]).await, Some(Problem::TooLarge));
        assert_eq!(problem(form(&[("url", &[b'x'; 5000])])).await, Some(Problem::TooLarge));
        assert_eq!(problem(form(&[("other", b"x")])).await, Some(Problem::Malformed));
        assert_eq!(problem(form(&[("tz", b"\xff")])).await, Some(Problem::Malformed));
        for broken in
            [&b""[..], b"--B", b"--B\r\n\r\n", b"--B\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nx"]
        {
            assert_eq!(problem(broken.to_vec()).await, Some(Problem::Malformed), "{broken:?}");
        }
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, "text/calendar".parse().unwrap())]);
        let refused = upload(&headers, Body::from("BEGIN:VCALENDAR")).await.err().map(|fault| fault.problem);
        assert_eq!(refused, Some(Problem::UnsupportedMediaType));
    }
}

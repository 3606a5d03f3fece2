//! Style, script and icon, embedded: served under a name with the hash of their bytes, so that they can be cached for
//! ever. Start with [`Assets`].

use super::fault::Fault;
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// The names of the assets, as pages link to them.
pub(super) struct Assets {
    pub(super) style: String,
    pub(super) script: String,
    pub(super) icon: String,
}

const STYLE: &str = include_str!("pages/assets/style.css");
const SCRIPT: &str = include_str!("pages/assets/page.js");
const ICON: &str = include_str!("pages/assets/icon.svg");

/// The names, made once.
pub(super) static ASSETS: LazyLock<Assets> = LazyLock::new(|| Assets {
    style: hashed("style", STYLE, "css"),
    script: hashed("page", SCRIPT, "js"),
    icon: hashed("icon", ICON, "svg"),
});

fn hashed(name: &str, text: &str, extension: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let hash: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!("{name}.{hash}.{extension}")
}

/// `GET /-/{name}`.
pub(super) async fn asset(Path(name): Path<String>) -> Result<Response, Fault> {
    let (text, kind) = match name {
        name if name == ASSETS.style => (STYLE, "text/css; charset=utf-8"),
        name if name == ASSETS.script => (SCRIPT, "text/javascript; charset=utf-8"),
        name if name == ASSETS.icon => (ICON, "image/svg+xml"),
        _ => return Err(Fault::not_found()),
    };
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    Ok((headers, text).into_response())
}

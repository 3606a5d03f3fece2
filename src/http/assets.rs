//! Style, script and icon, embedded: served under a name with the hash of their bytes, so that they can be cached for
//! ever. The files of a host's or the department's own look likewise. Start with [`Assets`].

use super::fault::Fault;
use super::state::AppState;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// The names of the assets, as pages link to them.
pub(super) struct Assets {
    pub(super) style: String,
    pub(super) desk: String,
    pub(super) script: String,
    pub(super) icon: String,
    pub(super) proof: String,
}

const STYLE: &str = include_str!("pages/assets/style.css");
const DESK: &str = include_str!("pages/assets/desk.css");
const SCRIPT: &str = include_str!("pages/assets/page.js");
const PROOF: &str = include_str!("pages/assets/proof.js");
const ICON: &str = include_str!("pages/assets/icon.svg");
const EMBED: &str = include_str!("pages/assets/embed.js");

/// The names, made once.
pub(super) static ASSETS: LazyLock<Assets> = LazyLock::new(|| Assets {
    style: hashed("style", STYLE.as_bytes(), "css"),
    desk: hashed("desk", DESK.as_bytes(), "css"),
    script: hashed("page", SCRIPT.as_bytes(), "js"),
    icon: hashed("icon", ICON.as_bytes(), "svg"),
    proof: hashed("proof", PROOF.as_bytes(), "js"),
});

/// `name.hash.extension`.
pub(super) fn hashed(name: &str, bytes: &[u8], extension: &str) -> String {
    let digest = Sha256::digest(bytes);
    let hash: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!("{name}.{hash}.{extension}")
}

/// `GET /-/{name}`.
pub(super) async fn asset(State(state): State<AppState>, Path(name): Path<String>) -> Result<Response, Fault> {
    let (bytes, kind) = match name {
        name if name == ASSETS.style => (Bytes::from_static(STYLE.as_bytes()), "text/css; charset=utf-8"),
        name if name == ASSETS.desk => (Bytes::from_static(DESK.as_bytes()), "text/css; charset=utf-8"),
        name if name == ASSETS.script => (Bytes::from_static(SCRIPT.as_bytes()), "text/javascript; charset=utf-8"),
        name if name == ASSETS.icon => (Bytes::from_static(ICON.as_bytes()), "image/svg+xml"),
        name if name == ASSETS.proof => (Bytes::from_static(PROOF.as_bytes()), "text/javascript; charset=utf-8"),
        name => state.settings().look_file(&name).ok_or_else(Fault::not_found)?,
    };
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    Ok((headers, bytes).into_response())
}

/// `GET /embed.js`: what a page elsewhere loads to show ours in a frame of the right height.
pub(super) async fn embed() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=3600"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ];
    (headers, EMBED).into_response()
}

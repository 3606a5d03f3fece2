//! Style, script and icon, embedded: served under a name with the hash of their bytes, so that they can be cached for
//! ever. The files of a host's or the department's own look likewise. Start with [`Assets`].

use super::fault::Fault;
use super::state::AppState;
use crate::language::Language;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The names of the assets, as pages link to them.
pub(super) struct Assets {
    pub(super) style: String,
    pub(super) desk: String,
    pub(super) script: String,
    pub(super) icon: String,
    pub(super) proof: String,
    pub(super) guest_style: String,
    pub(super) overlay: String,
}

const STYLE: &str = include_str!("pages/assets/style.css");
const DESK: &str = include_str!("pages/assets/desk.css");
const SCRIPT: &str = include_str!("pages/assets/page.js");
const OVERLAY: &str = include_str!("pages/assets/overlay.js");
/// Of pages beside booking, which alone load it.
const GUEST_STYLE: &str = include_str!("pages/assets/guest.css");
const PROOF: &str = include_str!("pages/assets/proof.js");
const ICON: &str = include_str!("pages/assets/icon.svg");
const EMBED_SCRIPT: &str = include_str!("pages/assets/embed.js");

/// The names, made once.
pub(super) static ASSETS: LazyLock<Assets> = LazyLock::new(|| Assets {
    style: hashed("style", STYLE.as_bytes(), "css"),
    desk: hashed("desk", DESK.as_bytes(), "css"),
    script: hashed("page", SCRIPT.as_bytes(), "js"),
    icon: hashed("icon", ICON.as_bytes(), "svg"),
    proof: hashed("proof", PROOF.as_bytes(), "js"),
    overlay: hashed("overlay", OVERLAY.as_bytes(), "js"),
    guest_style: hashed("guest", GUEST_STYLE.as_bytes(), "css"),
});

/// The script of a page elsewhere, which has to name its frame before the page in it has said what language it speaks.
static EMBED: LazyLock<String> = LazyLock::new(|| {
    let titles = Language::ALL.iter().map(|language| (language.tag(), language.phrases().page.frame));
    let titles: BTreeMap<&str, &str> = titles.chain([("default", Language::default().phrases().page.frame)]).collect();
    EMBED_SCRIPT.replace("\"TITLES\"", &serde_json::json!(titles).to_string())
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
        name if name == ASSETS.overlay => (Bytes::from_static(OVERLAY.as_bytes()), "text/javascript; charset=utf-8"),
        name if name == ASSETS.guest_style => (Bytes::from_static(GUEST_STYLE.as_bytes()), "text/css; charset=utf-8"),
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
    (headers, EMBED.as_str()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_has_a_name_in_every_language() {
        let titles = EMBED.split_once("const titles = ").unwrap().1.split_once(';').unwrap().0;
        let titles: BTreeMap<String, String> = serde_json::from_str(titles).unwrap();
        assert_eq!(titles["de"], "Termin buchen");
        assert!(Language::ALL.iter().all(|language| titles[language.tag()] == language.phrases().page.frame));
        assert!(titles.contains_key("default") && !EMBED.contains("TITLES"));
    }

    #[test]
    fn the_style_is_the_same_from_right_to_left() {
        let sided = ["left:", "right:", "-left", "-right", "float:", "text-align: left", "text-align: right"];
        for side in sided {
            assert!(!STYLE.contains(side), "{side}");
        }
        // Of four values the second and the fourth are sides of the screen.
        let declared = STYLE.split([';', '{']).filter_map(|part| part.trim().split_once(": "));
        for (name, value) in declared.filter(|(name, _)| matches!(*name, "padding" | "margin" | "inset")) {
            let values: Vec<&str> = value.split(' ').collect();
            if let [_, right, _, left] = values.as_slice() {
                assert_eq!(right, left, "{name}: {value}");
            }
        }
    }
}

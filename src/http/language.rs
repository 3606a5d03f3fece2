//! The language of a request: what it names (`lang` of a form or query, `language` in the API), else what the browser asks for.

use crate::language::Language;
use axum::http::{HeaderMap, header};

/// `None`: it asks for none of ours. A name that we do not know is as good as none.
pub(super) fn wanted(named: Option<&str>, headers: &HeaderMap) -> Option<Language> {
    let accepted = || Language::accepted(headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?);
    named.and_then(Language::parse).or_else(accepted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_counts_more_than_the_browser() {
        let headers = HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, "fr-CH, de;q=0.5".parse().unwrap())]);
        assert_eq!(wanted(Some("es"), &headers), Some(Language::Spanish));
        assert_eq!(wanted(Some("xx"), &headers), Some(Language::French));
        assert_eq!(wanted(None, &headers), Some(Language::French));
        assert_eq!(wanted(None, &HeaderMap::new()), None);
    }
}

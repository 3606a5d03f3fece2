//! Who looks, and what goes along with them from page to page: their zone, their language, and whether the page stands in a frame.
//! Start with [`Visit`].

use super::InLanguage;
use super::subscribe::encoded;
use crate::booking::Links;
use crate::http::fault::Fault;
use crate::http::guest;
use crate::http::input::Fields;
use crate::http::language;
use crate::http::state::{AppState, Settings};
use crate::ical::Zone;
use crate::language::{Language, PagePhrases};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use std::sync::Arc;

/// One request for a page.
#[derive(Clone, Debug)]
pub(in super::super) struct Visit {
    pub(super) settings: Arc<Settings>,
    pub(super) query: Fields,
    /// Of `?tz=`, when it is one.
    pub(super) zone: Option<Zone>,
    /// Of `?lang=`, else as the browser asks, else the server's.
    pub(super) language: Language,
    /// `?embed=1`: the page stands in a frame of another site.
    pub(in super::super) embedded: bool,
    /// Asked for with GET, so that a link leads here.
    pub(super) got: bool,
}

impl FromRequestParts<AppState> for Visit {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Visit, Fault> {
        Ok(Visit::new(state.settings(), Fields::query(parts.uri.query())?, &parts.headers, &parts.method))
    }
}

impl Visit {
    pub(super) fn new(settings: Arc<Settings>, query: Fields, headers: &HeaderMap, method: &Method) -> Visit {
        let language = language::wanted(query.get("lang"), headers).unwrap_or(settings.language);
        let got = matches!(*method, Method::GET | Method::HEAD);
        Visit { zone: zone_of(&query), language, got, embedded: query.get("embed") == Some("1"), settings, query }
    }

    /// Of any request, also one that is refused for its very query.
    pub(in super::super) fn or_bare(
        settings: Arc<Settings>,
        query: Option<&str>,
        headers: &HeaderMap,
        method: &Method,
    ) -> Visit {
        Visit::new(settings, Fields::query(query).unwrap_or_default(), headers, method)
    }

    /// What is said in the visitor's language.
    pub(super) fn phrases(&self) -> &'static PagePhrases {
        &self.language.phrases().page
    }

    /// Links to this page in every language; none from the answer to a form, which no link leads to.
    pub(super) fn in_languages(&self) -> Vec<InLanguage> {
        let rest = self.query.pairs().filter(|(name, _)| *name != "lang");
        let rest: String = rest.map(|(name, value)| format!("&{}={}", encoded(name), encoded(value))).collect();
        let all = Language::ALL.iter().filter(|_| self.got).map(|language| InLanguage {
            language: *language,
            name: language.phrases().name,
            url: format!("?lang={language}{rest}"),
            current: *language == self.language,
        });
        all.collect()
    }

    pub(in super::super) fn links(&self) -> &Links {
        &self.settings.links
    }

    /// A public URL as a path of ours, with what goes along. Links work under whatever name the page was reached.
    pub(super) fn path(&self, url: &str) -> String {
        self.path_with(url, &[])
    }

    /// As [`Visit::path`], with more in the query.
    pub(super) fn path_with(&self, url: &str, more: &[(&str, &str)]) -> String {
        let origin = self.links().base().len() - self.links().base_path().len();
        let path = url.get(origin..).filter(|path| path.starts_with('/')).unwrap_or("/");
        // The pages of a booking know the zone that it was made in.
        let knows_zone = self.links().is_of_booking(url);
        let query: Vec<String> = more
            .iter()
            .map(|(name, value)| (*name, *value))
            .chain(self.along().filter(|(name, _)| !(knows_zone && *name == "tz")))
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
    }

    /// What goes along, as fields of a form that is sent with GET, but for `tz`, which such a form asks for.
    pub(super) fn hidden(&self) -> Vec<(String, String)> {
        self.along()
            .filter(|(name, _)| *name != "tz")
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    fn along(&self) -> impl Iterator<Item = (&str, &str)> {
        let zone = self.zone.as_ref().map(|zone| ("tz", zone.name()));
        let language = language_of(&self.query).map(|language| ("lang", language.tag()));
        zone.into_iter().chain(language).chain(self.embedded.then_some(("embed", "1")))
    }
}

/// The language of `lang`, when it is one of ours.
fn language_of(fields: &Fields) -> Option<Language> {
    fields.get("lang").and_then(Language::parse)
}

/// The zone of `tz`, when it is one.
pub(super) fn zone_of(fields: &Fields) -> Option<Zone> {
    fields.get("tz").and_then(guest::zone)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::http::state::SettingsSource;

    /// A visit to `https://example.edu/meet`.
    pub(in super::super) fn visit(query: &str) -> Visit {
        let settings = Settings::new(SettingsSource {
            public_url: "https://example.edu/meet".into(),
            ..SettingsSource::default()
        });
        Visit::new(Arc::new(settings), Fields::parse(query).unwrap(), &HeaderMap::new(), &Method::GET)
    }

    #[test]
    fn zone_and_frame_go_along_and_nothing_else_does() {
        let url = "https://example.edu/meet/noether";
        assert_eq!(visit("").path(url), "/meet/noether");
        assert_eq!(visit("day=x&x=y").path(url), "/meet/noether");
        assert_eq!(visit("tz=Europe/Paris&embed=1").path(url), "/meet/noether?tz=Europe%2FParis&embed=1");
        assert_eq!(visit("tz=Europe/Paris").path("https://example.edu/meet/b/token"), "/meet/b/token");
        assert_eq!(visit("tz=Nowhere&embed=2").path_with(url, &[("month", "2026-12")]), "/meet/noether?month=2026-12");
        assert_eq!(visit("tz=Europe/Paris&embed=1").hidden(), [("embed".to_owned(), "1".to_owned())]);
    }
}

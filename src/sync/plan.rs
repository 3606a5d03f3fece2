//! What to fetch and what to forget, from what we hold and what the server lists. Pure.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

/// What a listing asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Hrefs to fetch, in the order of the listing.
    pub fetch: Vec<String>,
    /// Hrefs that the server no longer has, sorted.
    pub forget: Vec<String>,
}

/// Compares a complete listing with what we hold. Fetches what is new, what has another ETag, and what has none on either
/// side; a href listed twice is fetched once. `alias` gives the key by which two spellings of a href are the same.
pub fn plan<'a, K: Eq + Hash>(
    held: &'a [(String, Option<String>)],
    listed: &'a [(String, Option<String>)],
    alias: impl Fn(&'a str) -> K,
) -> Plan {
    let held: HashMap<K, &(String, Option<String>)> = held.iter().map(|entry| (alias(&entry.0), entry)).collect();
    let mut seen = HashSet::new();
    let mut fetch = Vec::new();
    for (href, etag) in listed {
        let key = alias(href);
        let same = etag.is_some() && held.get(&key).is_some_and(|(_, old)| old == etag);
        if seen.insert(key) && !same {
            fetch.push(href.clone());
        }
    }
    let mut forget: Vec<String> =
        held.iter().filter(|(key, _)| !seen.contains(*key)).map(|(_, (href, _))| href.clone()).collect();
    forget.sort_unstable();
    Plan { fetch, forget }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(entries: &[(&str, Option<&str>)]) -> Vec<(String, Option<String>)> {
        entries.iter().map(|(href, etag)| ((*href).to_owned(), etag.map(str::to_owned))).collect()
    }

    #[test]
    fn only_what_changed_is_fetched_and_only_what_is_gone_is_forgotten() {
        let held = list(&[("/a", Some("1")), ("/b", Some("1")), ("/c", None), ("/d", Some("1"))]);
        let listed = list(&[("/b", Some("2")), ("/a", Some("1")), ("/c", None), ("/e", Some("1")), ("/e", Some("1"))]);
        let plan = plan(&held, &listed, str::to_owned);
        assert_eq!(plan, Plan { fetch: vec!["/b".into(), "/c".into(), "/e".into()], forget: vec!["/d".into()] });
    }

    #[test]
    fn two_spellings_of_a_href_are_one_object() {
        let held = list(&[("/x%40y", Some("1"))]);
        let listed = list(&[("/x@y", Some("1"))]);
        assert_eq!(plan(&held, &listed, |href| href.replace("%40", "@")), Plan::default());
    }
}

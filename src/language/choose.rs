//! Which language a reader wants: the tag that a form, the API or the config names, or the header of a browser (RFC 9110 12.5.4,
//! matched by the lookup of RFC 4647 3.4).

use super::Language;

/// A header that is longer was not written by a browser.
const LONGEST_HEADER: usize = 1024;

impl Language {
    /// The language of a tag, by lookup: `de-CH` is German, `en-AU` is English. `None`: none of ours.
    pub fn parse(tag: &str) -> Option<Language> {
        let mut range = tag.trim();
        loop {
            let found = Language::ALL.iter().copied().find(|language| language.tag().eq_ignore_ascii_case(range));
            if found.is_some() {
                return found;
            }
            // From the end, and a single letter (x-, u-) with what it introduces.
            let (mut shorter, _) = range.rsplit_once('-')?;
            while let Some((rest, _)) = shorter.rsplit_once('-').filter(|(_, last)| last.len() == 1) {
                shorter = rest;
            }
            range = shorter;
        }
    }

    /// The language that an `Accept-Language` header asks for; `None` where it asks for none of ours, or for any.
    pub fn accepted(header: &str) -> Option<Language> {
        if header.len() > LONGEST_HEADER {
            return None;
        }
        let mut wanted: Vec<(u16, &str)> = header.split(',').filter_map(range).collect();
        let refused: Vec<Language> =
            wanted.iter().filter(|(weight, _)| *weight == 0).filter_map(|(_, range)| exactly(range)).collect();
        // A stable sort: among equals, the first counts.
        wanted.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
        for (_, range) in wanted.iter().filter(|(weight, _)| *weight > 0) {
            if *range == "*" {
                return None;
            }
            if let Some(language) = Language::parse(range).filter(|language| !refused.contains(language)) {
                return Some(language);
            }
        }
        None
    }
}

fn exactly(tag: &str) -> Option<Language> {
    Language::ALL.iter().copied().find(|language| language.tag().eq_ignore_ascii_case(tag))
}

/// `de;q=0.8` as thousandths and the range. `None` where it is not written so.
fn range(element: &str) -> Option<(u16, &str)> {
    let (range, parameter) = match element.split_once(';') {
        Some((range, parameter)) => (range.trim(), Some(parameter.trim())),
        None => (element.trim(), None),
    };
    if range.is_empty() {
        return None;
    }
    let weight = match parameter {
        None => 1000,
        Some(parameter) => thousandths(parameter.strip_prefix(['q', 'Q'])?.trim_start().strip_prefix('=')?.trim())?,
    };
    Some((weight, range))
}

/// A qvalue: 0 to 1 with at most three decimals.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let decimals: u16 = format!("{decimals:0<3}").parse().ok()?;
    match (whole, decimals) {
        ("0", decimals) => Some(decimals),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Language;
    use super::Language::*;

    #[test]
    fn a_tag_is_looked_up_from_the_whole_to_the_language() {
        let cases = [
            ("de", Some(German)),
            ("DE-at", Some(German)),
            ("de-Latn-CH-1996", Some(German)),
            ("en-us", Some(AmericanEnglish)),
            ("en-US-u-hc-h23", Some(AmericanEnglish)),
            ("en-GB", Some(English)),
            ("fr-CA", Some(French)),
            ("es-419", Some(Spanish)),
            ("it", None),
            ("deu", None),
            ("", None),
            ("-", None),
            ("*", None),
        ];
        for (tag, expected) in cases {
            assert_eq!(Language::parse(tag), expected, "{tag}");
        }
    }

    #[test]
    fn the_weightiest_range_that_we_speak_counts() {
        let cases = [
            ("fr", Some(French)),
            ("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", Some(French)),
            ("en;q=0.5, de", Some(German)),
            ("it, es;q=0.2", Some(Spanish)),
            ("it;q=1.0, de;q=0.1, fr;q=0.1", Some(German)),
            ("de ; q = 0.3 , es;Q=0.301", Some(Spanish)),
            ("de;q=0, fr;q=0.1", Some(French)),
            ("de;q=0", None),
            ("en-US;q=0, en-US;q=0.5, en;q=0.3", Some(English)),
            ("*, de;q=0.5", None),
            ("it, pl", None),
            ("", None),
            (",,;q=1,", None),
            ("de;q=2, fr;q=0.1", Some(French)),
            ("de;q=0.1234, fr;q=x, es;level=1, en;q=0.001", Some(English)),
        ];
        for (header, expected) in cases {
            assert_eq!(Language::accepted(header), expected, "{header:?}");
        }
        assert_eq!(Language::accepted(&"de,".repeat(1000)), None, "longer than any browser's");
    }
}

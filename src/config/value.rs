//! Single values: TOML to a type, or what to write instead.

use super::duration::{format_duration, parse_duration};
use crate::language::Language;
use jiff::SignedDuration;
use jiff::civil::Time;
use std::ops::RangeInclusive;
use toml::de::DeValue;

/// What a value is, in words.
pub(super) fn article(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or a time without quotes",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn string<'a>(value: &'a DeValue<'_>, wanted: &str) -> Result<&'a str, String> {
    value.as_str().ok_or_else(|| format!("expected {wanted} in quotes, found {}", article(value)))
}

/// One line that says something.
pub(super) fn text(value: &DeValue<'_>) -> Result<String, String> {
    let text = prose(value)?;
    if text.trim().is_empty() {
        return Err("must not be empty".to_owned());
    }
    if text.contains(['\n', '\r', '\t']) {
        return Err("must be one line, without tabs".to_owned());
    }
    Ok(text.trim().to_owned())
}

/// Any text; line breaks may be in it.
pub(super) fn prose(value: &DeValue<'_>) -> Result<String, String> {
    let text = string(value, "text")?;
    let control = |c: &char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    match text.chars().find(control) {
        Some(control) => Err(format!("must not contain the control character U+{:04X}", u32::from(control))),
        None => Ok(text.to_owned()),
    }
}

/// `true` or `false`.
pub(super) fn flag(value: &DeValue<'_>) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| format!("expected true or false without quotes, found {}", article(value)))
}

/// A whole number in a range.
pub(super) fn count(range: RangeInclusive<u32>) -> impl Fn(&DeValue<'_>) -> Result<u32, String> {
    move |value| {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        let integer = value.as_integer().ok_or_else(|| format!("expected {expected}, found {}", article(value)))?;
        let number =
            u32::from_str_radix(integer.as_str(), integer.radix()).ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("{integer} is not {expected}"))
    }
}

/// A duration in a range.
pub(super) fn duration(
    range: RangeInclusive<SignedDuration>,
) -> impl Fn(&DeValue<'_>) -> Result<SignedDuration, String> {
    move |value| {
        if let Some(number) = value.as_integer() {
            return Err(format!("a duration needs its unit, in quotes; write \"{number}m\" or \"{number}s\""));
        }
        let duration = parse_duration(string(value, "a duration such as \"30m\"")?)?;
        let written = || value.as_str().unwrap_or_default();
        if duration < *range.start() {
            return Err(format!("\"{}\" is too short; at least {}", written(), format_duration(*range.start())));
        }
        if duration > *range.end() {
            return Err(format!("\"{}\" is too long; at most {}", written(), format_duration(*range.end())));
        }
        Ok(duration)
    }
}

/// One of some words.
pub(super) fn one_of<T: Copy>(words: &[(&'static str, T)]) -> impl Fn(&DeValue<'_>) -> Result<T, String> {
    move |value| {
        let quoted: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        let expected = quoted.join(" or ");
        let text = value.as_str().ok_or_else(|| format!("expected {expected}, found {}", article(value)))?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
        found.ok_or_else(|| format!("\"{}\" is not {expected}", text.escape_debug()))
    }
}

/// A language that we speak.
pub(super) fn language(value: &DeValue<'_>) -> Result<Language, String> {
    let text = text(value)?;
    Language::parse(&text).ok_or_else(|| {
        let tags: Vec<String> = Language::ALL.iter().map(|language| format!("\"{language}\"")).collect();
        format!("\"{}\" is none of {}", text.escape_debug(), tags.join(", "))
    })
}

/// A wall-clock time.
pub(super) fn time_of_day(value: &DeValue<'_>) -> Result<Time, String> {
    let text = text(value)?;
    let clock = text.split_once(':').filter(|(hour, minute)| hour.len() == 2 && minute.len() == 2);
    let parsed = clock.and_then(|(hour, minute)| Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok());
    parsed.ok_or_else(|| format!("\"{}\" is no time of day; write \"07:00\"", text.escape_debug()))
}

/// A mail address.
pub(super) fn email(value: &DeValue<'_>) -> Result<String, String> {
    let text = text(value)?;
    if let Some(address) = text.strip_prefix("mailto:") {
        return Err(format!("leave out mailto: and write \"{address}\""));
    }
    is_email(&text).then_some(text).ok_or_else(|| "expected a mail address such as \"noether@example.edu\"".to_owned())
}

/// Enough of RFC 5321 4.1.2 to tell an address from a slip: one @, no blanks, brackets or quotes.
pub(super) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let odd =
        |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '(' | ')' | ',' | ';' | '"' | '@');
    !local.is_empty()
        && text.len() <= 254
        && !local.contains(odd)
        && !domain.contains(odd)
        && domain.split('.').all(|label| !label.is_empty())
}

/// A shape of `id`, from what was written.
pub(super) fn slug(text: &str) -> String {
    let dashed: String = text.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let words: Vec<&str> = dashed.split('-').filter(|word| !word.is_empty()).collect();
    words.join("-").chars().take(64).collect::<String>().trim_matches('-').to_owned()
}

/// All of them, if none is missing. Each is read, also after one that is wrong.
pub(super) fn all<T>(items: impl Iterator<Item = Option<T>>) -> Option<Vec<T>> {
    let items: Vec<Option<T>> = items.collect();
    items.into_iter().collect()
}

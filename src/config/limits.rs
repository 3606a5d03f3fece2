//! `[limits]`: what one address or one guest may do.

use super::duration::{format_duration, parse_duration};
use super::file::Section;
use super::value::{article, count};
use crate::availability::PerGuest;
use jiff::SignedDuration;
use std::fmt;
use toml::de::DeValue;

/// At most so many in a time, or no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// No limit.
    Off,
    /// A rate.
    Rate {
        /// At most this many; at least 1.
        count: u32,
        /// In this much elapsed time; longer than nothing.
        per: SignedDuration,
    },
}

/// What one address or one guest may do. The default is what holds when `[limits]` is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bookings from one address; an IPv6 /64 counts as one.
    pub bookings_per_ip: Limit,
    /// Bookings of one guest's address.
    pub bookings_per_guest: Limit,
    /// Requests of pages and of the API from one address.
    pub requests_per_ip: Limit,
    /// Bookings ahead of one guest with one host; `None`: no limit.
    pub open_per_guest: Option<u32>,
}

impl Default for Limits {
    fn default() -> Limits {
        let rate = |count, minutes| Limit::Rate { count, per: SignedDuration::from_mins(minutes) };
        Limits {
            bookings_per_ip: rate(10, 10),
            bookings_per_guest: rate(5, 24 * 60),
            requests_per_ip: rate(600, 1),
            open_per_guest: Some(3),
        }
    }
}

impl Limits {
    /// No limits at all.
    pub fn off() -> Limits {
        Limits {
            bookings_per_ip: Limit::Off,
            bookings_per_guest: Limit::Off,
            requests_per_ip: Limit::Off,
            open_per_guest: None,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Limit::Off => f.write_str("off"),
            Limit::Rate { count, per } => write!(f, "{count}/{}", format_duration(*per)),
        }
    }
}

pub(super) fn limits(root: &Section<'_>) -> Limits {
    let default = Limits::default();
    let Some(section) = root.section("limits") else { return default };
    let open = |value: &DeValue<'_>| match value.as_str() {
        Some("off") => Ok(None),
        Some(text) => Err(format!("\"{}\" is neither a whole number without quotes nor \"off\"", text.escape_debug())),
        None => count(1..=10_000)(value).map(Some).map_err(|message| format!("{message}; or write \"off\"")),
    };
    Limits {
        bookings_per_ip: section.read_or("bookings_per_ip", default.bookings_per_ip, limit),
        bookings_per_guest: section.read_or("bookings_per_guest", default.bookings_per_guest, limit),
        requests_per_ip: section.read_or("requests_per_ip", default.requests_per_ip, limit),
        open_per_guest: section.read_or("open_per_guest", default.open_per_guest, open),
    }
}

/// Reads `"10/10m"` or `"off"`.
fn limit(value: &DeValue<'_>) -> Result<Limit, String> {
    let advice = "write how many in what time, as \"10/10m\", or \"off\"";
    match value {
        DeValue::String(text) if text == "off" => Ok(Limit::Off),
        DeValue::String(text) => parse_rate(text, advice).map(|(count, per)| Limit::Rate { count, per }),
        DeValue::Boolean(false) => Err("write \"off\" to switch it off".to_owned()),
        other => Err(format!("expected a string, found {}; {advice}", article(other))),
    }
}

/// Reads `"1/7d"`.
pub(super) fn per_guest(value: &DeValue<'_>) -> Result<PerGuest, String> {
    let advice = "write how many bookings in what time, as \"1/7d\"";
    let text = value.as_str().ok_or_else(|| format!("expected a string, found {}; {advice}", article(value)))?;
    if text == "off" {
        return Err("leave it out to have no limit".to_owned());
    }
    parse_rate(text, advice).map(|(count, span)| PerGuest { count, span })
}

fn parse_rate(text: &str, advice: &str) -> Result<(u32, SignedDuration), String> {
    let wrong = || format!("\"{}\" is no rate; {advice}", text.escape_debug());
    let (count, per) = text.split_once('/').ok_or_else(wrong)?;
    if per.len() == 1 && "smhdw".contains(per) {
        return Err(format!("say how long; write \"{count}/1{per}\""));
    }
    let digits = count.bytes().all(|b| b.is_ascii_digit());
    let count = digits.then(|| count.parse::<u32>().ok()).flatten().filter(|count| *count > 0).ok_or_else(wrong)?;
    let per = parse_duration(per)?;
    if per.is_zero() {
        return Err(wrong());
    }
    Ok((count, per))
}

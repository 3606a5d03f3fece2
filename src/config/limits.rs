//! `[limits]`: what one address or one guest may do.

use super::duration::{format_duration, parse_duration};
use super::file::Section;
use super::network::Network;
use super::value::{article, count, text};
use crate::availability::PerGuest;
use jiff::SignedDuration;
use std::fmt;
use std::net::IpAddr;
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
    /// Calendars that guests at one address compare with the free times.
    pub overlays_per_ip: Limit,
    /// Bookings of everybody together.
    pub bookings_in_all: Limit,
    /// Bookings ahead of one guest with one host; `None`: no limit.
    pub open_per_guest: Option<u32>,
    /// How much a guest's computer works for a booking, in bits; `None`: not at all.
    pub proof_of_work: Option<u8>,
    /// Who cannot book, without being told.
    pub block: Vec<Blocked>,
}

/// Guests who cannot book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blocked {
    /// By their mail address, in lower case; `*` stands for any text.
    Guest(String),
    /// By the network that they come from.
    Network(Network),
}

impl Blocked {
    fn parse(text: &str) -> Result<Blocked, String> {
        if text.contains('@') {
            return Ok(Blocked::Guest(text.trim().to_lowercase()));
        }
        let network = Network::parse(text.trim());
        network.map(Blocked::Network).map_err(|advice| format!("{advice}, or a guest as \"*@spam.example\""))
    }

    /// Whether it means this guest.
    pub fn means(&self, email: &str, from: Option<IpAddr>) -> bool {
        match self {
            Blocked::Guest(pattern) => matches_pattern(pattern, &email.trim().to_lowercase()),
            Blocked::Network(network) => from.is_some_and(|address| network.contains(address)),
        }
    }
}

/// Whether the text is as the pattern has it, where `*` stands for any text.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        // The earliest place leaves the most room for what follows.
        match text.find(part).and_then(|at| text.get(at + part.len()..)) {
            Some(after) => text = after,
            None => return false,
        }
    }
    text.ends_with(last)
}

impl Default for Limits {
    fn default() -> Limits {
        let rate = |count, minutes| Limit::Rate { count, per: SignedDuration::from_mins(minutes) };
        Limits {
            bookings_per_ip: rate(10, 10),
            bookings_per_guest: rate(5, 24 * 60),
            requests_per_ip: rate(600, 1),
            overlays_per_ip: rate(30, 10),
            bookings_in_all: Limit::Off,
            open_per_guest: Some(3),
            proof_of_work: None,
            block: Vec::new(),
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
            overlays_per_ip: Limit::Off,
            bookings_in_all: Limit::Off,
            open_per_guest: None,
            proof_of_work: None,
            block: Vec::new(),
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
        overlays_per_ip: section.read_or("overlays_per_ip", default.overlays_per_ip, limit),
        bookings_in_all: section.read_or("bookings_in_all", default.bookings_in_all, limit),
        open_per_guest: section.read_or("open_per_guest", default.open_per_guest, open),
        proof_of_work: section.read_or("proof_of_work", default.proof_of_work, bits),
        block: section.one_or_list("block", |value| Blocked::parse(&text(value)?)).unwrap_or_default(),
    }
}

/// Reads a number of bits, or `"off"`. Beyond 24 a telephone needs minutes.
fn bits(value: &DeValue<'_>) -> Result<Option<u8>, String> {
    if value.as_str() == Some("off") {
        return Ok(None);
    }
    let bits = count(8..=24)(value).map_err(|message| format!("{message}; or write \"off\""))?;
    Ok(u8::try_from(bits).ok())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        let means = |pattern: &str, email: &str| Blocked::parse(pattern).unwrap().means(email, None);
        assert!(means("*@spam.example", "Ada@Spam.Example") && !means("*@spam.example", "ada@spam.example.org"));
        assert!(means("eve@example.org", "eve@example.org") && !means("eve@example.org", "steve@example.org"));
        assert!(means("*+*@*.example", "a+b@c.example") && !means("*+*@*.example", "ab@c.example"));
        assert!(means("*@*", "a@b") && means("a*a@x", "aa@x") && !means("a*a@x", "a@x"));
    }

    #[test]
    fn a_network_is_blocked_by_where_a_guest_comes_from() {
        let blocked = Blocked::parse("203.0.113.0/24").unwrap();
        assert!(blocked.means("a@b", "203.0.113.9".parse().ok()) && !blocked.means("a@b", "203.0.114.9".parse().ok()));
        assert!(!blocked.means("a@b", None));
        assert!(Blocked::parse("spam").unwrap_err().contains("*@spam.example"));
    }
}

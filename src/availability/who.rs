//! Whose a calendar user address is (RFC 5545 3.3.3): servers name a person by mail, by a path or by a UUID. Start with [`names`].

use crate::ical::Property;
use percent_encoding::percent_decode_str;

/// What an ATTENDEE or ORGANIZER is called: its value and its EMAIL parameter, each [`plain`].
pub(super) fn names(person: &Property<'_>) -> impl Iterator<Item = String> {
    [Some(plain(&person.value)), person.param("EMAIL").map(|email| plain(&email))].into_iter().flatten()
}

/// Whether a person is the one with these addresses.
pub(super) fn is_one_of(person: &Property<'_>, owner: &[String]) -> bool {
    names(person).any(|name| owner.iter().any(|own| plain(own) == name))
}

/// An address to compare: lower case, decoded, a mail address without its scheme, a path without its last slash.
pub(super) fn plain(address: &str) -> String {
    let address = address.trim();
    let bare = address.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("mailto:")).and_then(|_| address.get(7..));
    // RFC 6068 2: `%40` stands for what it encodes.
    percent_decode_str(bare.unwrap_or(address).trim().trim_end_matches('/')).decode_utf8_lossy().to_lowercase()
}

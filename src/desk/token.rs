//! The links that open a booking: one token for its guest, one for its host, one that confirms the guest's address, 132 bits each. The store holds their SHA-256;
//! the tokens themselves are made again from the key when a link has to be written.

use crate::booking::BookingId;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::fmt;
use std::sync::Arc;
use uuid::Uuid;

/// 132 bits in base64.
const LENGTH: usize = 22;

/// Makes ids and tokens. Cheap to clone.
#[derive(Clone)]
pub struct TokenSource {
    key: Arc<[u8; 32]>,
    random: Arc<dyn Fn() -> [u8; 16] + Send + Sync>,
}

impl TokenSource {
    /// Tokens by `key`, ids by `random`.
    pub fn new(key: [u8; 32], random: impl Fn() -> [u8; 16] + Send + Sync + 'static) -> TokenSource {
        TokenSource { key: Arc::new(key), random: Arc::new(random) }
    }

    /// A new id; ids of later instants sort later.
    pub fn booking_id(&self, now: Timestamp) -> BookingId {
        let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
        let random = (self.random)();
        let mut ten = [0; 10];
        ten.iter_mut().zip(random).for_each(|(to, from)| *to = from);
        BookingId(uuid::Builder::from_unix_timestamp_millis(millis, &ten).into_uuid())
    }

    /// The guest's token.
    pub fn guest(&self, id: BookingId) -> String {
        self.token(b"guest", id.0)
    }

    /// The token that only the mail to the guest's address carries: who has it reads mail there.
    pub fn confirm(&self, id: BookingId) -> String {
        self.token(b"confirm", id.0)
    }

    /// The host's token.
    pub fn host(&self, id: BookingId) -> String {
        self.token(b"host", id.0)
    }

    /// What the store knows of a booking's tokens: digests of the guest's, the confirming and the host's.
    pub fn digests(&self, id: BookingId) -> [[u8; 32]; 3] {
        [self.guest(id), self.confirm(id), self.host(id)].map(|token| digest(&token))
    }

    /// What the forms of the guest's page carry.
    pub(super) fn guest_form(&self, id: BookingId) -> String {
        self.token(b"guest form", id.0)
    }

    /// What the forms of the host's page carry.
    pub(super) fn host_form(&self, id: BookingId) -> String {
        self.token(b"host form", id.0)
    }

    /// The token of a link that opens the desk.
    pub(super) fn desk_link(&self, id: [u8; 16]) -> String {
        self.mac(b"desk link", &id)
    }

    /// What the form carries that uses such a link up.
    pub(super) fn desk_link_form(&self, link_token: &str) -> String {
        self.mac(b"desk link form", link_token.as_bytes())
    }

    /// What the forms at the desk carry, in this session.
    pub(super) fn desk_form(&self, session_token: &str) -> String {
        self.mac(b"desk form", session_token.as_bytes())
    }

    /// What proves that a challenge is ours.
    pub(super) fn challenge(&self, head: &str) -> String {
        self.mac(b"challenge", head.as_bytes())
    }

    /// Bytes as text that a URL and a form can carry.
    pub(super) fn text(&self, bytes: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn token(&self, purpose: &[u8], id: Uuid) -> String {
        self.mac(purpose, id.as_bytes())
    }

    fn mac(&self, purpose: &[u8], of: &[u8]) -> String {
        // HMAC takes keys of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.key.as_slice()) else { return String::new() };
        mac.update(purpose);
        mac.update(of);
        let mut text = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        text.truncate(LENGTH);
        text
    }
}

/// What the store knows of a token. Looking up a digest tells nothing of the token by its time.
pub(super) fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// True when the text can be a token at all.
pub(super) fn is_token(text: &str) -> bool {
    is_text(text, LENGTH)
}

/// True when the text can be the token of a session: 32 bytes in base64.
pub(super) fn is_session(text: &str) -> bool {
    is_text(text, 43)
}

fn is_text(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSource")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tokens_of_guest_host_and_other_bookings_all_differ() {
        let source = TokenSource::new([7; 32], || [3; 16]);
        let (a, b) = (source.booking_id(Timestamp::UNIX_EPOCH), BookingId(Uuid::from_u128(9)));
        let guests = [source.guest(a), source.host(a), source.confirm(a), source.guest(b), source.host(b)];
        let link = source.desk_link(*a.0.as_bytes());
        let forms = [source.desk_link_form(&link), source.desk_form(&link), source.guest_form(a), source.host_form(a)];
        let tokens = [&guests[..], &[link], &forms].concat();
        for (i, token) in tokens.iter().enumerate() {
            assert!(is_token(token), "{token}");
            assert!(!tokens[..i].contains(token));
        }
        assert_eq!(source.guest(a), TokenSource::new([7; 32], || [0; 16]).guest(a));
        assert_ne!(source.guest(a), TokenSource::new([8; 32], || [0; 16]).guest(a));
    }
}

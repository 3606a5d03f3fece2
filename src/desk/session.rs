//! Who may sit at a host's desk: a link that opens it once, and the session that it begins. The store holds the SHA-256 of either.

use super::{Desk, ReserveError, TokenError, network, token};
use crate::availability::{Host, HostId};
use crate::store::{Hit, HitOutcome, NewDeskLink, SessionSpan, StoreError};
use jiff::{SignedDuration, Timestamp};
use std::net::IpAddr;
use std::sync::Arc;

/// How long a link opens the desk that was made on this machine.
const LINK: SignedDuration = SignedDuration::from_mins(15);
/// How long one does that was mailed.
const MAILED_LINK: SignedDuration = SignedDuration::from_hours(1);
/// How long a session lasts.
pub const SESSION: SessionSpan =
    SessionSpan { idle: SignedDuration::from_hours(12), whole: SignedDuration::from_hours(7 * 24) };
/// Asking for links by mail: from one network, and for one host.
const ASKED_BY: (u32, SignedDuration) = (10, SignedDuration::from_hours(1));
const ASKED_OF: (u32, SignedDuration) = (5, SignedDuration::from_hours(1));

/// A host in a session of theirs.
#[derive(Clone, Debug)]
pub struct AtDesk {
    /// Who.
    pub host: Arc<Host>,
    /// What every form carries, and nothing but a page of this session knows.
    pub form_token: String,
}

impl Desk {
    /// A link that opens the host's desk once, and until when. `random` is 16 random bytes.
    pub async fn new_desk_link(&self, host: &HostId, random: [u8; 16]) -> Result<(String, Timestamp), StoreError> {
        let link = self.link(random, LINK);
        let expires_at = link.expires_at;
        self.store.add_desk_link(link, host).await?;
        Ok((self.desk_link_url(random), expires_at))
    }

    /// Where the link of that id opens the desk.
    pub fn desk_link_url(&self, id: [u8; 16]) -> String {
        self.links().desk_link(&self.tokens.desk_link(id))
    }

    fn link(&self, id: [u8; 16], span: SignedDuration) -> NewDeskLink {
        let now = self.clock.now();
        let expires_at = now.checked_add(span).unwrap_or(Timestamp::MAX);
        NewDeskLink { id, hash: token::digest(&self.tokens.desk_link(id)), expires_at, now }
    }

    /// Mails a link to the host whose address this is. Whose it is, and whether it is anybody's, the answer does not tell, nor how long
    /// it takes; only who asks too often learns that they do. Who asks from nowhere known counts as one.
    pub async fn mail_desk_link(
        &self,
        address: &str,
        from: Option<IpAddr>,
        random: [u8; 16],
    ) -> Result<(), ReserveError> {
        let (world, address) = (self.world(), address.trim().to_lowercase());
        let mut host = None;
        for desk in world.hosts.iter().filter(|_| world.mailed()) {
            let known = desk.host();
            let mut addresses = std::iter::once(&known.email).chain(&known.aliases);
            if addresses.any(|known| known.to_lowercase() == address) && host.is_none() {
                host = Some(known.id.clone());
            }
        }
        let at = self.clock.now();
        let hit =
            |kind: &'static str, key: String, (count, span): (u32, SignedDuration)| Hit { kind, key, at, count, span };
        let by = hit("desk-link-ip", from.map_or_else(String::new, network), ASKED_BY);
        let of = hit("desk-link", host.as_ref().map(HostId::to_string).unwrap_or_default(), ASKED_OF);
        match self.store.ask_for_desk_link(self.link(random, MAILED_LINK), host, by, of).await? {
            HitOutcome::Allowed => {
                self.outbox.wake();
                Ok(())
            }
            HitOutcome::Limited { retry_after } => Err(ReserveError::Limited { retry_after }),
        }
    }

    /// Whose desk a link opens, and what its form carries. Looking at it uses nothing up.
    pub async fn desk_link(&self, link: &str) -> Result<AtDesk, TokenError> {
        if !token::is_token(link) {
            return Err(TokenError::Unknown);
        }
        let host = self.store.desk_link(token::digest(link), self.clock.now()).await?;
        let host = host.and_then(|id| self.host(id.as_str())).ok_or(TokenError::Unknown)?;
        Ok(AtDesk { host, form_token: self.tokens.desk_link_form(link) })
    }

    /// Uses a link up and begins a session: its token, which is for the host's browser alone. `random` is 32 random bytes; `before`
    /// the token of a session that ends by this, if there is one.
    pub async fn open_desk(&self, link: &str, random: [u8; 32], before: Option<&str>) -> Result<String, TokenError> {
        // A host who is no longer configured has no desk.
        self.desk_link(link).await?;
        let session = self.tokens.text(&random);
        let before = before.filter(|before| token::is_session(before)).map(token::digest);
        let opened = self.store.use_desk_link(token::digest(link), token::digest(&session), before, self.clock.now());
        let host = opened.await?.ok_or(TokenError::Unknown)?;
        tracing::info!(%host, "The host's desk was opened by a link.");
        Ok(session)
    }

    /// Who sits at the desk in the session of that token; `None`: nobody.
    pub async fn at_desk(&self, session: &str) -> Result<Option<AtDesk>, StoreError> {
        if !token::is_session(session) {
            return Ok(None);
        }
        let host = self.store.desk_session(token::digest(session), SESSION, self.clock.now()).await?;
        let host = host.and_then(|id| self.host(id.as_str()));
        Ok(host.map(|host| AtDesk { host, form_token: self.tokens.desk_form(session) }))
    }

    /// Ends the session of that token.
    pub async fn leave_desk(&self, session: &str) -> Result<(), StoreError> {
        self.store.end_desk_session(token::digest(session)).await
    }

    /// Ends every session of a host, and every link that was not used; how many sessions.
    pub async fn close_desk(&self, host: &HostId) -> Result<usize, StoreError> {
        self.store.close_desk(host).await
    }

    /// Removes links and sessions that open nothing any more.
    pub async fn forget_old_sessions(&self) -> Result<usize, StoreError> {
        self.store.purge_desk(SESSION, self.clock.now()).await
    }
}

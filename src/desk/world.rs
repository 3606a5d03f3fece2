//! What the config makes of the desk: the hosts with their published state, and the settings that decide. Replaced as a whole
//! when the config changes.

use crate::availability::{Host, HostId};
use crate::booking::{Links, Organizer, organizer};
use crate::ical::write::Person;
use crate::sync::{HostBoard, SyncHandle};
use jiff::SignedDuration;
use jiff::civil::Time;
use std::net::IpAddr;
use std::sync::Arc;

/// Everything that a config decides for the desk.
#[derive(Debug)]
pub struct World {
    /// In the order of the config.
    pub hosts: Vec<HostDesk>,
    /// Prints URLs.
    pub links: Links,
    /// Against abuse.
    pub limits: Limits,
    /// The address that mail comes from; `None`: mail is not set up.
    pub mailbox: Option<String>,
    /// How long past bookings are kept.
    pub keep: Keep,
    /// Who cannot book.
    pub block: BlockList,
    /// Whom invitations come from.
    pub organizer: Organizer,
    /// How the mailbox of answers does; `None`: there is none.
    pub inbox: Option<SyncHandle>,
}

/// Whether a guest, by mail address and IP address, cannot book.
type Blocks = dyn Fn(&str, Option<IpAddr>) -> bool + Send + Sync;

/// Who cannot book, by mail address and IP address; nobody by default. They are not told. Cheap to clone.
#[derive(Clone, Default)]
pub struct BlockList(Option<Arc<Blocks>>);

impl BlockList {
    /// Those of whom `blocks` says so.
    pub fn new(blocks: impl Fn(&str, Option<IpAddr>) -> bool + Send + Sync + 'static) -> BlockList {
        BlockList(Some(Arc::new(blocks)))
    }

    pub(super) fn has(&self, email: &str, from: Option<IpAddr>) -> bool {
        self.0.as_ref().is_some_and(|blocks| blocks(email, from))
    }
}

impl std::fmt::Debug for BlockList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BlockList")
    }
}

/// A host at the desk.
#[derive(Clone, Debug)]
pub struct HostDesk {
    /// The host and their published state.
    pub board: Arc<HostBoard>,
    /// Reads an account anew, one for each.
    pub accounts: Vec<SyncHandle>,
    /// True when the host gets a mail for each booking, move and cancel.
    pub notify: bool,
    /// True when alerts are mailed to the host, and not only logged.
    pub alerts: bool,
    /// How long what may pass by itself is not worth an alert; `None`: nothing can be booked, and nothing is.
    pub alert_after: Option<SignedDuration>,
    /// What is done when the guest's calendar declines the invitation.
    pub declined: WhenDeclined,
    /// When the host is sent the list of the day's bookings, by the clock where they are; `None`: never.
    pub digest: Option<Time>,
}

/// What is done when the guest's calendar declines the invitation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenDeclined {
    /// The guest is asked by mail whether the booking is to be cancelled.
    #[default]
    Ask,
    /// It is cancelled.
    Cancel,
    /// Nothing.
    Ignore,
}

/// At most `count` in any span of `per`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// At most this many.
    pub count: u32,
    /// In any span of this length.
    pub per: SignedDuration,
}

/// Limits against abuse; `None` is off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Bookings made from one IPv4 address or IPv6 /64.
    pub bookings_per_ip: Option<Rate>,
    /// Bookings made for one guest's address.
    pub bookings_per_guest: Option<Rate>,
    /// Bookings made by all together.
    pub bookings_in_all: Option<Rate>,
    /// Bookings ahead of one guest with one host.
    pub open_per_guest: Option<u32>,
    /// Bits of a proof of work.
    pub proof_of_work: Option<u8>,
}

/// How long past bookings are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// After their end; `None`: for ever.
    pub past: Option<SignedDuration>,
    /// Whether their events stay on the calendar.
    pub events: bool,
}

impl Default for Keep {
    fn default() -> Keep {
        Keep { past: None, events: true }
    }
}

impl World {
    /// Of no host: before a config was taken.
    pub fn of_nobody() -> World {
        World {
            hosts: Vec::new(),
            links: Links::new(""),
            limits: Limits::default(),
            mailbox: None,
            keep: Keep::default(),
            block: BlockList::default(),
            organizer: Organizer::default(),
            inbox: None,
        }
    }

    /// True when mail is set up.
    pub fn mailed(&self) -> bool {
        self.mailbox.is_some()
    }

    /// ORGANIZER of the invitations to bookings of a host's that are made now.
    pub fn organizer_of(&self, host: &Host) -> Person {
        organizer(&host.name, Some(&host.email), self.mailbox.as_deref(), self.organizer)
    }

    /// The host of that id.
    pub fn host(&self, id: &str) -> Option<&HostDesk> {
        self.hosts.iter().find(|desk| desk.board.host.id.as_str() == id)
    }

    /// The host of that id.
    pub fn host_by_id(&self, id: &HostId) -> Option<&HostDesk> {
        self.host(id.as_str())
    }
}

impl HostDesk {
    /// The host.
    pub fn host(&self) -> &Arc<Host> {
        &self.board.host
    }
}

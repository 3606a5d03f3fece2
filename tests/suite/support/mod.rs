//! What the stories share: the real binary ([`Daemon`]), real calendar servers ([`Server`], [`Calendar`]), and waiting
//! with a deadline ([`eventually`]).

mod browser;
mod calendar;
mod config;
mod daemon;
mod desk;
mod disk;
mod dovecot;
mod event;
mod guests;
mod http;
mod mailbox;
mod network;
mod oauth;
mod proxy;
mod random;
mod recorder;
mod server;
mod smtp;
mod tool;

pub(crate) use browser::{Browser, Scripts};
pub(crate) use calendar::Calendar;
pub(crate) use config::{Config, Meeting};
pub(crate) use daemon::{Daemon, binary, officehours, token};
pub(crate) use desk::{Seat, desk_link};
pub(crate) use disk::{Disk, DiskFault};
pub(crate) use dovecot::Dovecot;
pub(crate) use event::{Day, event, now, stamp};
pub(crate) use guests::{Edit, Guests, times};
pub(crate) use http::{Answer, client, raw, raw_status};
pub(crate) use mailbox::Mailbox;
pub(crate) use network::Network;
pub(crate) use oauth::{Gate, OAuthServer, Person};
pub(crate) use proxy::{Exchange, Fault, Proxy};
pub(crate) use random::Random;
pub(crate) use recorder::Recorder;
pub(crate) use server::{OwnServer, Server};
pub(crate) use smtp::Smtp;
pub(crate) use tool::{check, evolution, need, node, python, root};

use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Asks again and again until there is an answer; fails when `within` has passed.
pub(crate) async fn eventually<T>(what: &str, within: Duration, mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = attempt().await {
            return answer;
        }
        assert!(began.elapsed() < within, "after {within:?}, still not: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Within one poll of a second, on a machine that does much else.
pub(crate) const ONE_POLL: Duration = Duration::from_secs(12);
/// What INTERFACE promises for an event to appear after *reserved* or to go after *cancelled*.
pub(crate) const ON_THE_SERVER: Duration = Duration::from_secs(30);

/// A port on loopback that nobody listens on, below the range that the kernel hands out to clients. Each call of each
/// test process tries another one first.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    for _ in 0..1000 {
        let step = u32::from(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = 20_000 + (std::process::id().wrapping_mul(37) + step * 13) % 12_000;
        let port = u16::try_from(port).unwrap();
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port");
}

/// A name that no other test of this run uses.
pub(crate) fn unique(prefix: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{prefix}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

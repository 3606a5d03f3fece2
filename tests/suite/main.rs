//! officehours as its users meet it: the real binary, real calendar servers, independent clients and parsers. One file
//! a story; `support` holds what they share. `tests/run` brings what they need.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test ends by panicking, and helpers outside of #[test] functions do so too"
)]

mod support;

mod alerts;
mod architecture;
mod attack;
mod browser;
mod browser_desk;
mod browser_guest;
mod chaos;
mod cli;
mod contract;
mod demo;
mod desk;
mod discovery;
mod disk;
mod docs;
mod economy;
mod faults;
mod feed;
mod fuzz;
mod gone;
mod guest;
mod hostile;
mod hygiene;
mod lifecycle;
mod login;
mod mail;
mod mail_clock;
mod outage;
mod peers;
mod race;
mod replies;
mod servers;
mod slow;
mod sources;
mod story;
mod why;
mod words;
mod writes;

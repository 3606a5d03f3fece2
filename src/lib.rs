//! officehours: a host's CalDAV calendars in, bookable free time out.
//!
//! The map, in four bands; a band imports only the bands above it (ARCHITECTURE.md, enforced by a test).

// 1. Values and rules: pure. No I/O, no async, no "now", no randomness.
pub mod alert; // what hosts have to be told, once
pub mod availability; // intervals, hours, meeting types, busy time -> slots, and why
pub mod booking; // a booking, its states, and its one transition function
pub mod ical; // RFC 5545 text <-> values; the one place that knows time zones
pub mod language; // what people read, in each language; dates and clocks
pub mod recurrence; // RRULE, RDATE, EXDATE, overrides -> occurrences in a window

// 2. Adapters: one protocol each, strangers to each other.
pub mod caldav; // RFC 4791 and 6578: requests, answers, discovery
pub mod mail; // invitations and SMTP
pub mod store; // the only SQL

// 3. Operations: what can happen.
pub mod desk; // what a guest or a host can do; the only writer of bookings
pub mod outbox; // effects on their way out
pub mod sync; // calendars in, snapshots out

// 4. Process.
pub mod cli; // one file a command
pub mod config; // the file as written -> checked config
pub mod daemon; // wiring, tasks, lifecycle
pub mod demo; // an embedded calendar server and a sample professor
pub mod http; // feed, pages, API

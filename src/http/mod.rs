//! Feed, pages and JSON API over HTTP (RFC 9110, 9112): every request reads snapshots or goes through the desk.
//! Start with [`app`], which is the router, and [`serve`], which is the server around it.

mod accent;
mod api;
mod assets;
mod conditional;
mod connections;
mod fault;
mod feed;
mod guest;
mod input;
mod language;
mod limiter;
mod look;
mod metrics;
mod ops;
mod pages;
mod proxy;
mod route;
mod server;
mod shell;
mod state;
mod upload;

pub use accent::Accent;
pub use api::slots_document;
pub use limiter::{Rate, Requests};
pub use look::{LookSource, PICTURES, Picture};
pub use metrics::Metrics;
pub use proxy::TrustedProxies;
pub use route::{Guard, Resource, app, ops};
pub use server::{ServerLimits, serve};
pub use state::{AppState, Clock, Settings, SettingsSource};

//! RFC 5545 text to values and back. Start with [`Zone`].

mod zone;

pub use zone::Zone;

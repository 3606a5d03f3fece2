//! Folders of `.ics` files, watched: a change in one asks for a pass over it. See [`watch`].

use crate::sync::SyncHandle;
use notify_debouncer_full::notify::{self, RecommendedWatcher, RecursiveMode};
use notify_debouncer_full::{DebounceEventResult, Debouncer, NoCache, new_debouncer_opt};
use std::path::Path;
use std::time::Duration;

/// Long enough for a program to replace a few files, short enough for its user.
const QUIET: Duration = Duration::from_millis(300);

/// Watches until it is dropped.
pub(super) struct Watch {
    _debouncer: Debouncer<RecommendedWatcher, NoCache>,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watch")
    }
}

/// Asks `handle` for a pass whenever something in the folder changes. Network file systems tell nothing: there, the poll
/// finds it.
pub(super) fn watch(folder: &Path, handle: SyncHandle) -> notify::Result<Watch> {
    let on_events = move |result: DebounceEventResult| match result {
        // Our own reading is an event too.
        Ok(events) if events.iter().all(|event| event.kind.is_access()) => {}
        // What went wrong may have hidden a change.
        Ok(_) | Err(_) => handle.nudge(),
    };
    let mut debouncer = new_debouncer_opt(QUIET, None, on_events, NoCache, notify::Config::default())?;
    debouncer.watch(folder, RecursiveMode::NonRecursive)?;
    Ok(Watch { _debouncer: debouncer })
}

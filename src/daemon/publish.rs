//! From what is stored to what is published of a host.

use crate::store::StoredObject;
use crate::sync::{HostBoard, Source, SyncError};
use jiff::Timestamp;

/// Puts everything that is stored of a host's sources on the board.
pub async fn load_board(board: &HostBoard, sources: &[Source], now: Timestamp) -> Result<(), SyncError> {
    let mut calendars = Vec::new();
    // Before the rest is read: what is changed meanwhile is taken once more.
    let others = match sources.first() {
        Some(source) => Some(source.store().changes_of_others().await?),
        None => None,
    };
    for source in sources {
        for (settings, read_at) in source.sources().await? {
            let objects: Vec<StoredObject> = match read_at {
                Some(_) => source.store().objects(&settings.key).await?,
                None => Vec::new(),
            };
            calendars.push((settings, read_at, objects));
        }
    }
    board.replace(now, calendars);
    if let Some(others) = others {
        board.takes_changes_of_others(others);
    }
    Ok(())
}

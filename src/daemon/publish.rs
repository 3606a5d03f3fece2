//! From what is stored to what is published of a host.

use crate::store::StoredObject;
use crate::sync::{HostBoard, Source, SyncError};
use jiff::Timestamp;

/// Puts everything that is stored of a host's sources on the board.
pub async fn load_board(board: &HostBoard, sources: &[Source], now: Timestamp) -> Result<(), SyncError> {
    let mut calendars = Vec::new();
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
    Ok(())
}

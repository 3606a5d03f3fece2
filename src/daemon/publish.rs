//! From what is stored to what is published of a host.

use crate::store::StoredObject;
use crate::sync::{AccountSync, HostBoard, SyncError};
use jiff::Timestamp;

/// Puts everything that is stored of a host's accounts on the board.
pub async fn load_board(board: &HostBoard, accounts: &[AccountSync], now: Timestamp) -> Result<(), SyncError> {
    let mut calendars = Vec::new();
    for account in accounts {
        for (settings, read_at) in account.sources().await? {
            let objects: Vec<StoredObject> = match read_at {
                Some(_) => account.store.objects(&settings.key).await?,
                None => Vec::new(),
            };
            calendars.push((settings, read_at, objects));
        }
    }
    board.replace(now, calendars);
    Ok(())
}

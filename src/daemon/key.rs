//! The key that the tokens of all links are made from: in a file of its own beside the store, so that a copy of the store opens no
//! booking. The store holds a mark by which the right key is known. Start with [`token_key`].

use crate::store::{Store, StoreError};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Under which the store has the mark of its key.
const MARK: &str = "token-key-mark";
/// Under which stores before schema 2 have the key itself.
const IN_THE_STORE: &str = "tokens";

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The store had one.
    #[error("the key {} is gone, without which no link can be written: put it back from a backup. If it is lost, `officehours new-key` makes another; the links of all bookings change", path.display())]
    Lost {
        /// Where it was.
        path: PathBuf,
    },
    /// It is another store's.
    #[error("the key {} is not the one of this store: put the right one there. If it is lost, `officehours new-key` makes another; the links of all bookings change", path.display())]
    Wrong {
        /// Where it is.
        path: PathBuf,
    },
    /// It is no key.
    #[error("{} is no key of officehours, which is 64 hexadecimal digits: put it back from a backup", path.display())]
    Malformed {
        /// Where it is.
        path: PathBuf,
    },
    /// It cannot be read or written.
    #[error("cannot {what} the key {}: {source}", path.display())]
    File {
        /// Where it is.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where the key of a store is: `officehours.db.key` beside `officehours.db`.
pub fn key_path(store: &Path) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(".key");
    name.into()
}

/// The key of the store. `fresh` (random) becomes the key of a store that never had one; a key that is in the store itself moves to
/// its file.
pub(super) async fn token_key(store: &Store, path: &Path, fresh: [u8; 32]) -> Result<[u8; 32], KeyError> {
    let (mark, within) = (store.secret(MARK).await?, store.secret(IN_THE_STORE).await?);
    let key = match (read(path)?, within, mark) {
        (Some(key), ..) => key,
        (None, Some(key), _) => write(path, key)?,
        (None, None, None) => write(path, fresh)?,
        (None, None, Some(_)) => return Err(KeyError::Lost { path: path.to_owned() }),
    };
    if mark.is_some_and(|mark| mark != mark_of(key)) || within.is_some_and(|within| within != key) {
        return Err(KeyError::Wrong { path: path.to_owned() });
    }
    if mark.is_none() || within.is_some() {
        store.replace_secret(IN_THE_STORE, MARK, mark_of(key)).await?;
        store.shed().await?;
    }
    Ok(key)
}

/// Makes another key in place of one that is lost or disclosed. `renew` gives the bookings their new tokens; until that is done, the
/// key counts as the wrong one, and this can be done again.
pub(super) async fn new_key<T>(
    store: &Store,
    path: &Path,
    fresh: [u8; 32],
    renew: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, KeyError> {
    let failed = |source| KeyError::File { path: path.to_owned(), what: "write", source };
    fs::rename(draft(path, fresh)?, path).and_then(|()| sync_folder(path)).map_err(failed)?;
    let renewed = renew.await?;
    store.replace_secret(IN_THE_STORE, MARK, mark_of(fresh)).await?;
    Ok(renewed)
}

fn mark_of(key: [u8; 32]) -> [u8; 32] {
    Sha256::new().chain_update(b"officehours token key").chain_update(key).finalize().into()
}

fn read(path: &Path) -> Result<Option<[u8; 32]>, KeyError> {
    let malformed = || KeyError::Malformed { path: path.to_owned() };
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(KeyError::File { path: path.to_owned(), what: "read", source }),
    };
    let digits = text.trim();
    let mut key = [0; 32];
    if digits.len() != 64 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(malformed());
    }
    for (byte, pair) in key.iter_mut().zip(digits.as_bytes().chunks(2)) {
        let pair = std::str::from_utf8(pair).map_err(|_| malformed())?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| malformed())?;
    }
    Ok(Some(key))
}

/// Writes a key beside where it is to be.
fn draft(path: &Path, key: [u8; 32]) -> Result<PathBuf, KeyError> {
    let failed = |source| KeyError::File { path: path.to_owned(), what: "write", source };
    let mut digits = String::new();
    for byte in key {
        let _ = write!(digits, "{byte:02x}");
    }
    let draft = path.with_extension(format!("key-{}", std::process::id()));
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft).map_err(failed)?;
    writeln!(file, "{digits}").and_then(|()| file.sync_all()).map_err(failed)?;
    Ok(draft)
}

/// Writes a key where there is none, whole or not at all. When another process was quicker, its key counts.
fn write(path: &Path, key: [u8; 32]) -> Result<[u8; 32], KeyError> {
    let failed = |source| KeyError::File { path: path.to_owned(), what: "write", source };
    let draft = draft(path, key)?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft).map_err(failed)?;
    match linked {
        Ok(()) => {
            sync_folder(path).map_err(failed)?;
            Ok(key)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            read(path)?.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))
        }
        Err(error) => Err(failed(error)),
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[tokio::test]
    async fn a_new_store_gets_a_key_that_only_its_owner_can_read_and_keeps_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = key_path(&folder.path().join("officehours.db"));
        let store = Store::memory().unwrap();
        assert_eq!(token_key(&store, &path, [7; 32]).await.unwrap(), [7; 32]);
        assert_eq!(token_key(&store, &path, [8; 32]).await.unwrap(), [7; 32]);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(path.file_name().unwrap(), "officehours.db.key");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left lying about");
        assert_eq!(store.secret(IN_THE_STORE).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_key_in_the_store_moves_to_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let store = Store::memory().unwrap();
        store.replace_secret("none", IN_THE_STORE, [5; 32]).await.unwrap();
        assert_eq!(token_key(&store, &path, [7; 32]).await.unwrap(), [5; 32]);
        assert_eq!(store.secret(IN_THE_STORE).await.unwrap(), None);
        assert_eq!(token_key(&store, &path, [8; 32]).await.unwrap(), [5; 32]);
    }

    #[tokio::test]
    async fn a_lost_or_wrong_key_is_refused_and_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let store = Store::memory().unwrap();
        token_key(&store, &path, [7; 32]).await.unwrap();
        fs::remove_file(&path).unwrap();
        let lost = token_key(&store, &path, [8; 32]).await.unwrap_err();
        assert!(matches!(lost, KeyError::Lost { .. }) && lost.to_string().contains("backup"), "{lost}");
        assert!(!path.exists(), "no other key takes its place");
        fs::write(&path, "0".repeat(64)).unwrap();
        assert!(matches!(token_key(&store, &path, [8; 32]).await, Err(KeyError::Wrong { .. })));
        fs::write(&path, "hello").unwrap();
        assert!(matches!(token_key(&store, &path, [8; 32]).await, Err(KeyError::Malformed { .. })));
        let interrupted = new_key(&store, &path, [9; 32], async { Err::<(), _>(StoreError::Closed) });
        assert!(matches!(interrupted.await, Err(KeyError::Store(_))));
        assert!(matches!(token_key(&store, &path, [8; 32]).await, Err(KeyError::Wrong { .. })), "to be done again");
        new_key(&store, &path, [9; 32], async { Ok(()) }).await.unwrap();
        assert_eq!(token_key(&store, &path, [8; 32]).await.unwrap(), [9; 32]);
    }
}

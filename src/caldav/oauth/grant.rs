//! What is kept of a grant between two runs: one file an account, for its owner alone (mode 0600), replaced as a whole. Several
//! processes share it: a refresh happens under its lock. Start with [`GrantFile`].

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The file of an account's grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantFile {
    path: PathBuf,
}

/// A grant: what asks for access tokens, and the last one.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub(super) refresh: SecretString,
    pub(super) access: Option<AccessToken>,
}

/// An access token, and how long it is good for.
#[derive(Clone, Debug)]
pub(super) struct AccessToken {
    pub(super) token: SecretString,
    /// From here on it is replaced where that can be done.
    pub(super) renew_at: Timestamp,
    /// From here on it is of no use.
    pub(super) expires_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Written {
    refresh_token: String,
    #[serde(default)]
    access: Option<WrittenAccess>,
}

#[derive(Serialize, Deserialize)]
struct WrittenAccess {
    token: String,
    renew_at: Timestamp,
    expires_at: Timestamp,
}

impl GrantFile {
    /// The file at this path.
    pub fn new(path: PathBuf) -> GrantFile {
        GrantFile { path }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is in it; `None` when there is no file.
    pub(super) fn read(&self) -> io::Result<Option<Grant>> {
        let text = match std::fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        // The message of the parser could show what is in it.
        let written: Written = serde_json::from_slice(&text)
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not what a login writes"))?;
        let access = written.access.map(|access| AccessToken {
            token: access.token.into(),
            renew_at: access.renew_at,
            expires_at: access.expires_at,
        });
        Ok(Some(Grant { refresh: written.refresh_token.into(), access }))
    }

    /// Replaces what is in it, at once and for good.
    pub(super) fn write(&self, grant: &Grant) -> io::Result<()> {
        let written = Written {
            refresh_token: grant.refresh.expose_secret().to_owned(),
            access: grant.access.as_ref().map(|access| WrittenAccess {
                token: access.token.expose_secret().to_owned(),
                renew_at: access.renew_at,
                expires_at: access.expires_at,
            }),
        };
        self.make_folder()?;
        let beside = self.with_ending("new");
        // One that is left of a crash may have another mode.
        match std::fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        file.write_all(&serde_json::to_vec(&written)?)?;
        file.sync_all()?;
        std::fs::rename(&beside, &self.path)
    }

    /// Waits until nobody else, of any process, changes it. Blocks.
    pub(super) fn lock(&self) -> io::Result<File> {
        self.make_folder()?;
        let path = self.with_ending("lock");
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
        file.lock()?;
        Ok(file)
    }

    fn make_folder(&self) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        DirBuilder::new().recursive(true).mode(0o700).create(folder)
    }

    fn with_ending(&self, ending: &str) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(".");
        name.push(ending);
        PathBuf::from(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_grant_is_kept_for_its_owner_alone_and_replaced_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let file = GrantFile::new(folder.path().join("logins/noether.work.json"));
        assert!(file.read().unwrap().is_none());
        let access = AccessToken {
            token: "short".into(),
            renew_at: Timestamp::UNIX_EPOCH,
            expires_at: Timestamp::from_second(60).unwrap(),
        };
        file.write(&Grant { refresh: "long".into(), access: None }).unwrap();
        file.write(&Grant { refresh: "longer".into(), access: Some(access) }).unwrap();
        let kept = file.read().unwrap().unwrap();
        assert_eq!(kept.refresh.expose_secret(), "longer");
        assert_eq!(kept.access.unwrap().expires_at, Timestamp::from_second(60).unwrap());
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(file.path()), mode(file.path().parent().unwrap())), (0o600, 0o700));
        assert!(!format!("{:?}", file.read().unwrap()).contains("longer"));
    }

    #[test]
    fn a_file_that_is_none_of_ours_is_an_error_that_shows_nothing_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.json");
        std::fs::write(&path, "{\"refresh_token\": s3cret").unwrap();
        let error = GrantFile::new(path).read().unwrap_err();
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
}

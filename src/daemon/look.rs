//! The files of a look, read. Start with [`read`].

use crate::availability::HostId;
use crate::config::{self, Config};
use crate::http::{Accent, LookSource, PICTURES, Picture};
use std::path::{Path, PathBuf};

/// A picture may be this long, in bytes: every page loads it.
const MAX_PICTURE: usize = 512 * 1024;
/// A style sheet may be this long, in bytes.
const MAX_STYLESHEET: usize = 128 * 1024;

/// Why a file of `[server.look]` or `[host.look]` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    /// It cannot be opened or read.
    #[error("look: {path}: {source}", path = .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is too long.
    #[error("look: {path} has {length} bytes; at most {most} are served", path = .path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// Its length in bytes.
        length: usize,
        /// The limit in bytes.
        most: usize,
    },
    /// Its name does not end like that of a picture.
    #[error("look: {path} is no picture that browsers show; take one that ends in {kinds}", path = .path.display(), kinds = PICTURES.join(", "))]
    NoPicture {
        /// The file.
        path: PathBuf,
    },
    /// A style sheet that is not UTF-8.
    #[error("look: {path} is not UTF-8", path = .path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
    },
}

/// The looks of a config: of all pages, and of each host's.
pub fn looks(config: &Config) -> Result<(LookSource, Vec<(HostId, LookSource)>), LookError> {
    let hosts = config.hosts.iter().map(|host| Ok((host.host.id.clone(), read(&host.look)?)));
    Ok((read(&config.server.look)?, hosts.collect::<Result<_, LookError>>()?))
}

fn read(look: &config::Look) -> Result<LookSource, LookError> {
    let stylesheet = look.stylesheet.as_deref().map(|path| {
        let bytes = bytes(path, MAX_STYLESHEET)?;
        String::from_utf8(bytes).map_err(|_| LookError::NotUtf8 { path: path.to_owned() })
    });
    Ok(LookSource {
        accent: look.accent.map(Accent),
        logo: look.logo.as_deref().map(picture).transpose()?,
        photo: look.photo.as_deref().map(picture).transpose()?,
        stylesheet: stylesheet.transpose()?,
        footer: look.footer.clone(),
    })
}

fn picture(path: &Path) -> Result<Picture, LookError> {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
    let extension = PICTURES.into_iter().find(|known| *known == ending);
    let extension = extension.ok_or_else(|| LookError::NoPicture { path: path.to_owned() })?;
    Ok(Picture { extension, bytes: bytes(path, MAX_PICTURE)?.into() })
}

fn bytes(path: &Path, most: usize) -> Result<Vec<u8>, LookError> {
    let bytes = std::fs::read(path).map_err(|source| LookError::Unreadable { path: path.to_owned(), source })?;
    match bytes.len() {
        length if length > most => Err(LookError::TooLong { path: path.to_owned(), length, most }),
        _ => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_shown_is_named_with_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            Some(path)
        };
        let refused = |look: config::Look| read(&look).unwrap_err().to_string();
        let none = config::Look::default;
        assert!(refused(config::Look { logo: file("logo.tiff", b"II"), ..none() }).contains("logo.tiff is no picture"));
        assert!(refused(config::Look { photo: Some("/nowhere/x.png".into()), ..none() }).contains("/nowhere/x.png"));
        assert!(refused(config::Look { stylesheet: file("x.css", b"\xff"), ..none() }).contains("not UTF-8"));
        let long = file("long.png", &vec![0; MAX_PICTURE + 1]);
        assert!(refused(config::Look { logo: long, ..none() }).contains("has 524289 bytes"));
        let good = read(&config::Look { logo: file("Logo.PNG", b"png"), ..none() }).unwrap();
        assert_eq!(good.logo.map(|picture| picture.extension), Some("png"));
    }
}

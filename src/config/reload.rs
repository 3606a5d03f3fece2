//! The config file, watched: each time its content changes, the new content is handed over. See [`watch`].
//!
//! Editors replace the file and Kubernetes swaps a symbolic link beside it, so the folder is watched and not the file,
//! and what counts is the content, not which event came.

use super::mistake::ConfigErrors;
use super::{Config, Environment};
use notify_debouncer_full::notify::{self, RecommendedWatcher, RecursiveMode};
use notify_debouncer_full::{DebounceEventResult, Debouncer, NoCache, new_debouncer_opt};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::mpsc;

/// Long enough for an editor to finish writing, short enough for its user.
const QUIET: Duration = Duration::from_millis(300);

/// Watches until it is dropped.
pub struct Watcher {
    _debouncer: Debouncer<RecommendedWatcher, NoCache>,
}

/// The config file has new content.
#[derive(Clone)]
pub struct Changed {
    path: PathBuf,
    content: Vec<u8>,
}

impl Changed {
    /// The new config, or every mistake in it: then the last good one stays.
    pub fn check(&self, environment: &Environment) -> Result<Config, ConfigErrors> {
        Config::from_bytes(&self.content, &self.path, environment)
    }
}

/// The content may hold passwords.
impl std::fmt::Debug for Changed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Changed({})", self.path.display())
    }
}

/// Watches the config file from its present content on. A file that is gone or cannot be read is no change: the last
/// good config stays until there is one again. Network file systems tell nothing: there, SIGHUP reloads.
pub fn watch(path: &Path) -> notify::Result<(Watcher, mpsc::Receiver<Changed>)> {
    let (sender, receiver) = mpsc::channel(4);
    let file = path.to_owned();
    let mut last = std::fs::read(path).ok().map(|content| hash(&content));
    let on_events = move |result: DebounceEventResult| {
        match result {
            // Our own reading is an event too.
            Ok(events) if events.iter().all(|event| event.kind.is_access()) => return,
            Ok(_) => {}
            Err(errors) => {
                for error in errors {
                    tracing::warn!(%error, "The folder of the config file cannot be watched well; SIGHUP reloads it.");
                }
            }
        }
        match std::fs::read(&file) {
            Ok(content) => {
                let now = Some(hash(&content));
                if now != last && sender.blocking_send(Changed { path: file.clone(), content }).is_ok() {
                    last = now;
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(%error, "The config file has changed and cannot be read; the last one stays."),
        }
    };
    let mut debouncer = new_debouncer_opt(QUIET, None, on_events, NoCache, notify::Config::default())?;
    for folder in folders(path) {
        debouncer.watch(&folder, RecursiveMode::NonRecursive)?;
    }
    Ok((Watcher { _debouncer: debouncer }, receiver))
}

/// The folder of the file, and where a symbolic link leads, the folder of what is there.
fn folders(path: &Path) -> Vec<PathBuf> {
    let parent = |path: &Path| match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let own = parent(path);
    let target = std::fs::canonicalize(path).ok().map(|target| parent(&target));
    let target = target.filter(|target| std::fs::canonicalize(&own).is_ok_and(|own| own != *target));
    std::iter::once(own).chain(target).collect()
}

fn hash(content: &[u8]) -> [u8; 32] {
    Sha256::digest(content).into()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{SHORT, home};
    use super::*;

    async fn next(receiver: &mut tokio::sync::mpsc::Receiver<Changed>) -> Changed {
        tokio::time::timeout(Duration::from_secs(10), receiver.recv()).await.expect("in time").expect("a change")
    }

    fn named(name: &str) -> String {
        SHORT.replace("Emmy Noether", name)
    }

    fn name(changed: &Changed) -> String {
        changed.check(&home()).unwrap().hosts[0].host.name.clone()
    }

    #[tokio::test]
    async fn a_file_written_replaced_broken_and_mended_is_seen_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("oh.toml");
        std::fs::write(&path, named("one")).unwrap();
        let (_watcher, mut changes) = watch(&path).unwrap();
        std::fs::write(&path, named("two")).unwrap();
        assert_eq!(name(&next(&mut changes).await), "two");
        for round in ["three", "four"] {
            // As editors do.
            let beside = folder.path().join(".oh.toml.swp");
            std::fs::write(&beside, named(round)).unwrap();
            std::fs::rename(&beside, &path).unwrap();
            assert_eq!(name(&next(&mut changes).await), round);
        }
        std::fs::write(&path, "[server").unwrap();
        assert!(next(&mut changes).await.check(&home()).is_err());
        std::fs::remove_file(&path).unwrap();
        tokio::time::sleep(Duration::from_millis(700)).await;
        std::fs::write(&path, named("five")).unwrap();
        assert_eq!(name(&next(&mut changes).await), "five");
        // Read, or written with the same content: no change.
        std::fs::read(&path).unwrap();
        std::fs::write(&path, named("five")).unwrap();
        std::fs::write(folder.path().join("other"), "x").unwrap();
        tokio::time::sleep(Duration::from_millis(900)).await;
        assert!(changes.try_recv().is_err());
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn swapped_links_and_the_file_behind_a_link_are_followed() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for (version, text) in [("..v1", "one"), ("..v2", "two")] {
            std::fs::create_dir(at(version)).unwrap();
            std::fs::write(at(version).join("oh.toml"), named(text)).unwrap();
        }
        symlink("..v1", at("..data")).unwrap();
        symlink("..data/oh.toml", at("oh.toml")).unwrap();
        let (_watcher, mut changes) = watch(&at("oh.toml")).unwrap();
        // As Kubernetes does with a ConfigMap.
        symlink("..v2", at("..data_tmp")).unwrap();
        std::fs::rename(at("..data_tmp"), at("..data")).unwrap();
        assert_eq!(name(&next(&mut changes).await), "two");

        let (_watcher, mut changes) = watch(&at("oh.toml")).unwrap();
        std::fs::write(at("..v2").join("oh.toml"), named("three")).unwrap();
        assert_eq!(name(&next(&mut changes).await), "three");
    }
}

//! A disk under the daemon's store that fails when the story says so: `tests/disk/failing.c`, preloaded.

use super::{need, root};
use std::os::unix::fs::FileExt;
use std::process::Command;

/// The disk; sound at first.
pub(crate) struct Disk {
    told: std::fs::File,
    folder: tempfile::TempDir,
}

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DiskFault {
    None,
    Full,
    Sync,
    Write,
}

impl Disk {
    pub(crate) fn new() -> Option<Disk> {
        let folder = tempfile::tempdir().unwrap();
        let built = Command::new("cc")
            .args(["-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o"])
            .arg(folder.path().join("failing.so"))
            .arg(root().join("tests/disk/failing.c"))
            .arg("-ldl")
            .status();
        need("a C compiler", built.ok().filter(std::process::ExitStatus::success))?;
        let told = folder.path().join("told");
        std::fs::write(&told, "-").unwrap();
        Some(Disk { told: std::fs::File::options().write(true).open(told).unwrap(), folder })
    }

    /// What the daemon's environment must have. `store` is the beginning of its path.
    pub(crate) fn environment(&self, store: &str) -> Vec<(&'static str, &'static str)> {
        let kept = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
        let path = |name: &str| kept(self.folder.path().join(name).to_str().unwrap().to_owned());
        vec![
            ("LD_PRELOAD", path("failing.so")),
            ("OFFICEHOURS_TEST_DISK", path("told")),
            ("OFFICEHOURS_TEST_STORE", kept(store.to_owned())),
        ]
    }

    /// From now on, this is wrong.
    pub(crate) fn fault(&self, fault: DiskFault) {
        let told = match fault {
            DiskFault::None => b"-",
            DiskFault::Full => b"f",
            DiskFault::Sync => b"s",
            DiskFault::Write => b"e",
        };
        self.told.write_all_at(told, 0).unwrap();
    }
}

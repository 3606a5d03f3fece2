//! libical, a C library, by a small program that is compiled when there are a C compiler and libical's headers.

use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// The compiled program, in a folder of its own.
pub(crate) struct Libical {
    folder: PathBuf,
}

/// What it is asked.
#[derive(Clone, Copy)]
pub(crate) enum Ask {
    Objects,
    Rules,
}

impl Libical {
    /// `None`, with a word, when it cannot be compiled here.
    pub(crate) fn compile() -> Option<Libical> {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("libical");
        std::fs::create_dir_all(&folder).unwrap();
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/busy/libical.c");
        let done = Command::new("cc").args(["-O2", "-o"]).arg(folder.join("libical")).args([source, "-lical"]).output();
        match done {
            Ok(output) if output.status.success() => Some(Libical { folder }),
            _ => {
                eprintln!("libical is skipped: it needs cc and libical's headers (Debian: libical-dev)");
                None
            }
        }
    }

    /// Writes what it is to work on.
    pub(crate) fn write<'a>(&self, ask: Ask, parts: impl IntoIterator<Item = &'a str>) -> PathBuf {
        let (name, end) = match ask {
            Ask::Objects => ("objects", b'\0'),
            Ask::Rules => ("rules", b'\n'),
        };
        let mut bytes = Vec::new();
        for part in parts {
            bytes.extend_from_slice(part.as_bytes());
            bytes.push(end);
        }
        let path = self.folder.join(format!("{name}-{}", bytes.len()));
        std::fs::File::create(&path).unwrap().write_all(&bytes).unwrap();
        path
    }

    /// How many intervals it finds, and how long so many rounds take.
    pub(crate) fn rounds(&self, ask: Ask, file: &PathBuf, rounds: u64) -> (usize, Duration) {
        let word = match ask {
            Ask::Objects => "objects",
            Ask::Rules => "rules",
        };
        let program = self.folder.join("libical");
        let output = Command::new(program).arg(word).arg(file).arg(rounds.to_string()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let (found, nanos) = text.trim().split_once(' ').unwrap();
        (found.parse().unwrap(), Duration::from_nanos(nanos.parse().unwrap()))
    }
}

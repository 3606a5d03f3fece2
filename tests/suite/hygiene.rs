//! The tree is fit to be shared: no paths of anybody's machine, no package mirrors, nothing that should be ignored.

use crate::support::root;
use std::process::Command;

/// What git tracks, or would if it were added.
fn files() -> Vec<String> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(root())
        .output()
        .unwrap();
    if !output.status.success() {
        // A source archive has no history to ask.
        return Vec::new();
    }
    let text = String::from_utf8(output.stdout).unwrap();
    text.split('\0').filter(|path| root().join(path).is_file()).map(str::to_owned).collect()
}

#[test]
fn no_file_has_a_path_of_somebodys_machine() {
    // Wherever this checkout is, and where people and tools keep theirs.
    let checkout = root();
    let checkout = checkout.to_str().unwrap();
    let machine = [checkout, "/work/main", "/work/shared", "/work/.", "/root/", "/Users/", ".cargo/registry/"];
    let mut wrong = Vec::new();
    for file in files() {
        let Ok(text) = std::fs::read_to_string(root().join(&file)) else { continue };
        for (number, line) in text.lines().enumerate() {
            if machine.iter().any(|path| line.contains(path)) && !file.ends_with("hygiene.rs") {
                wrong.push(format!("{file}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn dependencies_come_from_the_public_registries() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    for line in lock.lines().filter(|line| line.starts_with("source = ")) {
        assert_eq!(line, "source = \"registry+https://github.com/rust-lang/crates.io-index\"");
    }
    let lock = std::fs::read_to_string(root().join("tests/package-lock.json")).unwrap();
    for line in lock.lines().filter(|line| line.contains("\"resolved\"")) {
        assert!(line.contains("https://registry.npmjs.org/"), "{line}");
    }
}

#[test]
fn nothing_large_and_nothing_secret_is_tracked() {
    for file in files() {
        let size = std::fs::metadata(root().join(&file)).unwrap().len();
        assert!(size < 2 << 20, "{file} has {size} bytes");
        assert!(!file.ends_with(".db") && !file.ends_with(".pem") && !file.ends_with(".key"), "{file}");
    }
}

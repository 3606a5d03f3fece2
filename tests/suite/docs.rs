//! What is written about officehours agrees with what it is.

use crate::support::{officehours, root};
use std::collections::BTreeSet;

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The commands that `--help` lists.
fn commands() -> BTreeSet<String> {
    let output = officehours(&["--help"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let listed = text.split_once("Commands:").expect("a list of commands").1;
    let rows = listed.lines().skip(1).take_while(|line| !line.trim().is_empty());
    // A row starts two blanks in; what is deeper continues the one above.
    let names = rows.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn every_command_is_in_the_readme_and_the_readme_names_no_other() {
    let readme = read("README.md");
    let commands = commands();
    assert!(commands.contains("run") && commands.contains("demo"), "{commands:?}");
    for command in &commands {
        assert!(
            readme.contains(&format!("`{command}")) || readme.contains(&format!("officehours {command}")),
            "{command}"
        );
    }
    // Only where code is meant: a command line in a block, or in back quotes.
    for start in ["`officehours ", "\nofficehours ", "$ officehours "] {
        for rest in readme.split(start).skip(1) {
            let word: String = rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
            assert!(
                word.is_empty() || word.starts_with('-') || commands.contains(&word),
                "the README has a command {word:?}"
            );
        }
    }
}

#[test]
fn every_command_explains_itself() {
    for command in commands() {
        let output = officehours(&[&command, "--help"]);
        assert!(output.status.success(), "{command} --help");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.lines().next().is_some_and(|line| line.len() > 10), "{command}: {text}");
        assert!(text.contains("--config") || command == "demo" || command == "completions", "{command} takes --config");
    }
}

#[test]
fn the_architecture_names_every_module_and_only_files_that_exist() {
    let text = read("ARCHITECTURE.md");
    for entry in std::fs::read_dir(root().join("src")).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_dir() {
            let name = entry.file_name().into_string().unwrap();
            assert!(text.contains(&name), "ARCHITECTURE.md does not speak of src/{name}");
        }
    }
    for part in text.split('`').skip(1).step_by(2) {
        let is_path = ["src/", "tests/", "config/", "systemd/", "fixtures/"].iter().any(|top| part.starts_with(top));
        if is_path && !part.contains(['*', '{', '<', ' ', '(']) {
            assert!(root().join(part).exists(), "ARCHITECTURE.md speaks of {part}, which is not there");
        }
    }
}

#[test]
fn the_example_config_is_one_that_the_program_takes() {
    let folder = tempfile::tempdir().unwrap();
    let example = read("config/officehours.toml");
    let path = folder.path().join("officehours.toml");
    std::fs::write(&path, &example).unwrap();
    let path = path.to_str().unwrap();
    // Its secrets and server are not here, so it may fail; but never as a wrong config.
    let output = officehours(&["--config", path, "bookings", "list"]);
    let complaint = String::from_utf8_lossy(&output.stderr);
    let place = "officehours.toml:";
    let wrong = complaint.lines().filter(|line| line.contains(place) && !line.contains("password"));
    assert_eq!(wrong.collect::<Vec<_>>(), Vec::<&str>::new(), "{complaint}");
}

#[test]
fn the_change_log_and_the_licences_are_there() {
    let version = env!("CARGO_PKG_VERSION");
    assert!(read("CHANGELOG.md").contains(version), "CHANGELOG.md speaks of {version}");
    assert!(read("LICENSE").contains("MIT License") && read("LICENSE").contains("Apache License"));
    let unit = read("systemd/officehours.service");
    assert!(unit.contains("officehours run"), "the unit starts the daemon");
    assert!(unit.contains("Type=notify"));
}

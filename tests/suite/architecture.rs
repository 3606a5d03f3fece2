//! The table of ARCHITECTURE.md, enforced: which part may know which, and what each must not do.

use crate::support::root;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const VALUES: [&str; 6] = ["alert", "availability", "booking", "ical", "language", "recurrence"];
const ADAPTERS: [&str; 3] = ["caldav", "mail", "store"];
const OPERATIONS: [&str; 3] = ["desk", "outbox", "sync"];

/// What a module may import, beside itself. `None`: everything.
fn may_import(module: &str) -> Option<Vec<&'static str>> {
    let values = VALUES.to_vec();
    Some(match module {
        "alert" | "availability" | "booking" | "ical" | "language" | "recurrence" | "caldav" | "mail" | "store"
        | "config" => values,
        "desk" | "outbox" | "sync" => [values, ADAPTERS.to_vec(), OPERATIONS.to_vec()].concat(),
        "http" => [values, vec!["desk"]].concat(),
        "demo" => [values, vec!["config", "daemon"]].concat(),
        "daemon" => [values, ADAPTERS.to_vec(), OPERATIONS.to_vec(), vec!["http", "config"]].concat(),
        "cli" | "main" => return None,
        _ => panic!("src/{module} is in no band: add it to ARCHITECTURE.md and here"),
    })
}

/// A source file without its tests and comments.
struct Source {
    path: PathBuf,
    /// The first folder or file name under `src`.
    module: String,
    code: String,
}

fn sources() -> Vec<Source> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.extension().and_then(|extension| extension.to_str()) {
                None if path.is_dir() => walk(&path, found),
                Some("rs") => found.push(path),
                _ => {}
            }
        }
    }
    let src = root().join("src");
    let mut paths = Vec::new();
    walk(&src, &mut paths);
    paths.sort();
    let tests = test_files(&paths);
    // A module of tests may be a folder.
    paths.retain(|path| !tests.iter().any(|test| path == test || path.starts_with(test.with_extension(""))));
    let source = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let own = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let code = own.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n");
        let first = path.strip_prefix(&src).unwrap().iter().next().unwrap();
        let module = first.to_str().unwrap().trim_end_matches(".rs").to_owned();
        Source { path, module, code }
    };
    paths.into_iter().filter(|path| !is_test_module(path)).map(source).filter(|source| source.module != "lib").collect()
}

/// Files that hold nothing but tests: whoever declares them says `#[cfg(test)] mod name;`.
fn test_files(paths: &[PathBuf]) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for path in paths {
        let text = std::fs::read_to_string(path).unwrap();
        let folder = match path.file_name().unwrap().to_str().unwrap() {
            "mod.rs" | "lib.rs" => path.parent().unwrap().to_owned(),
            _ => path.with_extension(""),
        };
        for rest in text.split("#[cfg(test)]").skip(1) {
            let declared = rest.trim_start().trim_start_matches("pub(super) ").trim_start_matches("pub(crate) ");
            if let Some((name, _)) = declared.strip_prefix("mod ").and_then(|rest| rest.split_once(';')) {
                found.insert(folder.join(name.trim()).with_extension("rs"));
            }
        }
    }
    found
}

/// Whether the file is a module of tests: `#[cfg(test)] mod NAME;` in the file that declares it.
fn is_test_module(path: &Path) -> bool {
    let name = path.file_stem().unwrap().to_str().unwrap();
    let parent = std::fs::read_to_string(path.with_file_name("mod.rs")).unwrap_or_default();
    parent.contains(&format!("#[cfg(test)]\nmod {name};"))
}

/// The first path segments after each `crate::` and, in `main`, after each `officehours::`.
fn imports(source: &Source) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let root = if source.module == "main" { "officehours::" } else { "crate::" };
    for rest in source.code.split(root).skip(1) {
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut start = true;
            for (at, letter) in group.char_indices() {
                match letter {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => start = true,
                    letter if start && letter.is_alphabetic() => {
                        found.insert(word(&group[at..]));
                        start = false;
                    }
                    _ => {}
                }
            }
        } else {
            found.insert(word(rest));
        }
    }
    found.remove("");
    found
}

fn word(text: &str) -> String {
    text.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}

#[test]
fn imports_go_upwards_only() {
    let mut wrong = Vec::new();
    for source in sources() {
        let Some(allowed) = may_import(&source.module) else { continue };
        for import in imports(&source) {
            if import != source.module && !allowed.contains(&import.as_str()) {
                wrong.push(format!("{} imports {import}", source.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nobody_imports_the_command_line_and_only_it_and_the_demo_the_daemon() {
    for source in sources() {
        let imports = imports(&source);
        let path = source.path.display();
        assert!(!imports.contains("cli") || ["cli", "main"].contains(&source.module.as_str()), "{path}");
        let wires = ["cli", "main", "daemon", "demo"].contains(&source.module.as_str());
        assert!(!imports.contains("daemon") || wires, "{path}");
    }
}

#[test]
fn no_two_modules_import_each_other() {
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources() {
        let mut all = imports(&source);
        all.remove(&source.module);
        graph.entry(source.module).or_default().extend(all);
    }
    let band_1 = |name: &str| VALUES.contains(&name);
    for (from, to) in graph.iter().flat_map(|(from, all)| all.iter().map(move |to| (from, to))) {
        let back = graph.get(to).is_some_and(|all| all.contains(from));
        assert!(!back || (band_1(from) && band_1(to)), "{from} and {to} import each other");
    }
}

#[test]
fn values_and_rules_do_no_io_and_never_ask_the_time() {
    let banned = [
        "tokio",
        "std::fs",
        "std::net",
        "std::process",
        "std::env",
        "std::thread",
        "reqwest",
        "hyper",
        "rusqlite",
        "Timestamp::now",
        "Zoned::now",
        "SystemTime",
        "Instant::now",
        "async fn",
        ".await",
        "getrandom",
        "now_v7",
    ];
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| VALUES.contains(&source.module.as_str())) {
        for word in banned.iter().filter(|word| source.code.contains(**word)) {
            wrong.push(format!("{} has {word}", source.path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn sql_is_in_the_store_alone() {
    let sql = ["rusqlite", "SELECT ", "INSERT INTO", "DELETE FROM", "CREATE TABLE", "PRAGMA "];
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| source.module != "store") {
        for word in sql.iter().filter(|word| source.code.contains(**word)) {
            wrong.push(format!("{} has {word}", source.path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_failed_read_is_never_turned_into_nothing() {
    // "What cannot be read is busy": these files decide what is free, and a default would be an empty list.
    let mut wrong = Vec::new();
    let decides = ["store", "sync", "desk", "caldav"];
    for source in sources().iter().filter(|source| decides.contains(&source.module.as_str())) {
        for (number, line) in source.code.lines().enumerate() {
            if line.contains(".await.unwrap_or_default()") || line.contains(".await.ok().unwrap_or_default()") {
                wrong.push(format!("{}:{}", source.path.display(), number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_says_what_it_is_and_stays_readable() {
    let mut wrong = Vec::new();
    for source in sources() {
        let text = std::fs::read_to_string(&source.path).unwrap();
        if !text.starts_with("//! ") {
            wrong.push(format!("{} does not open with a sentence", source.path.display()));
        }
        if text.lines().count() > 700 {
            wrong.push(format!("{} has more than 700 lines: two ideas?", source.path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

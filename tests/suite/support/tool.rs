//! Programs beside the daemon: the Python and Node checkers, and what to do when one is missing.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The top of the source tree.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// `found`, or `None` with a word on standard error; under `tests/run`, where nothing may be missing, a failure.
pub(crate) fn need<T>(what: &str, found: Option<T>) -> Option<T> {
    if found.is_none() {
        assert!(std::env::var_os("OFFICEHOURS_TEST_REQUIRED").is_none(), "{what} is missing");
        eprintln!("SKIPPED: {what} is missing; run tests/run, which brings it");
    }
    found
}

/// A script of `tests/python`, ready to run.
pub(crate) fn python(script: &str) -> Option<Command> {
    let interpreter = root().join("tests/.venv/bin/python");
    let interpreter = need("tests/.venv", interpreter.exists().then_some(interpreter))?;
    let mut command = Command::new(interpreter);
    command.arg(root().join("tests/python").join(script)).env("PYTHONDONTWRITEBYTECODE", "1");
    Some(command)
}

/// A script of `tests/js`, ready to run.
pub(crate) fn node(script: &str) -> Option<Command> {
    let modules = root().join("tests/node_modules/oidc-provider");
    need("tests/node_modules", modules.exists().then_some(()))?;
    let mut command = Command::new("node");
    command.arg(root().join("tests/js").join(script));
    Some(command)
}

/// What is in Evolution's calendar after each of these messages: a list of events a message.
pub(crate) fn evolution(messages: &[PathBuf]) -> Option<Vec<serde_json::Value>> {
    // The distribution's interpreter: it has the distribution's bindings.
    let system = Command::new("/usr/bin/python3").args(["-c", "import gi; gi.require_version('ECal', '2.0')"]).output();
    need("evolution-data-server", system.is_ok_and(|ran| ran.status.success()).then_some(()))?;
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("dbus-run-session");
    command.args(["--", "/usr/bin/python3"]).arg(root().join("tests/python/evolution.py")).arg(folder.path());
    for name in ["HOME", "XDG_RUNTIME_DIR", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"] {
        command.env(name, folder.path());
    }
    let Output { status, stdout, stderr } = command.args(messages).env("GSETTINGS_BACKEND", "memory").output().unwrap();
    assert!(status.success(), "Evolution complains: {}", String::from_utf8_lossy(&stderr));
    Some(serde_json::from_slice(&stdout).unwrap())
}

/// Runs a checker on a file and returns what it printed; a complaint fails the test.
pub(crate) fn check(mut command: Command, file: &Path) -> String {
    let Output { status, stdout, stderr } = command.arg(file).output().unwrap();
    let complaint = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{command:?} complains: {complaint}");
    String::from_utf8(stdout).unwrap()
}

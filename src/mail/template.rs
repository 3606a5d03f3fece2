//! Templates of an administrator's, in place of our texts: files in a folder, in the language of Jinja, read anew for each message.
//! One that fails is reported, and our own text goes out. Start with [`Templates::render`].

use super::letter::Letter;
use super::{Occasion, sample};
use crate::language::Language;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{Environment, UndefinedBehavior, context};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Steps that a template may take: a loop without end fails.
const FUEL: u64 = 200_000;
/// A template may be this long, in bytes.
const LONGEST: u64 = 256 * 1024;

/// A folder of templates, or none.
#[derive(Clone, Debug, Default)]
pub struct Templates {
    folder: Option<PathBuf>,
}

/// The two bodies of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Html,
    Text,
}

impl Templates {
    /// The templates of a folder; `None`: ours.
    pub fn new(folder: Option<PathBuf>) -> Templates {
        Templates { folder }
    }

    /// What the administrator's template makes of a letter; `None`: there is none, or it fails, which is logged.
    pub(super) fn render(&self, letter: &Letter, occasion: Option<&Occasion<'_>>, form: Form) -> Option<String> {
        let folder = self.folder.as_deref()?;
        let name = candidate(folder, letter.kind, letter.language, form)?;
        match fill(folder, &name, letter, occasion) {
            Ok(text) => Some(text),
            Err(error) => {
                tracing::error!(template = %name, %error, "A mail template fails; the built-in text is sent instead.");
                None
            }
        }
    }

    /// Fills every template with a sample, in every language: what fails, a sentence each, with file and line. A file that is
    /// never used is a mistake too, unless its name begins with `_`.
    pub fn check(&self) -> Vec<String> {
        let Some(folder) = self.folder.as_deref() else { return Vec::new() };
        let files = match files(folder) {
            Ok(files) => files,
            Err(error) => return vec![format!("{} cannot be read: {error}", folder.display())],
        };
        let (mut used, mut mistakes) = (BTreeSet::new(), BTreeSet::new());
        for language in Language::ALL {
            sample::letters(*language, |letter, occasion| {
                for form in [Form::Html, Form::Text] {
                    let Some(name) = candidate(folder, letter.kind, letter.language, form) else { continue };
                    if let Err(error) = fill(folder, &name, letter, occasion) {
                        mistakes.insert(error);
                    }
                    used.insert(name);
                }
            });
        }
        let letters: Vec<String> = ["html", "txt"].iter().map(|ending| format!("letter.{ending}")).collect();
        for file in files {
            let name = file.rsplit('/').next().unwrap_or(&file);
            if !used.contains(&file) && !name.starts_with('_') && !letters.iter().any(|letter| *letter == name) {
                mistakes.insert(format!("{file} is never used: no message and no language of ours is called so"));
            }
        }
        mistakes.into_iter().collect()
    }
}

/// The file that is used, as its name in the folder.
fn candidate(folder: &Path, kind: &str, language: &str, form: Form) -> Option<String> {
    let ending = match form {
        Form::Html => "html",
        Form::Text => "txt",
    };
    let names = [
        format!("{language}/{kind}.{ending}"),
        format!("{kind}.{ending}"),
        format!("{language}/letter.{ending}"),
        format!("letter.{ending}"),
    ];
    names.into_iter().find(|name| folder.join(name).is_file())
}

/// The templates in a folder and in the folders of languages in it.
fn files(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if path.is_dir() {
            for inner in std::fs::read_dir(&path)? {
                found.push(format!("{name}/{}", inner?.file_name().to_string_lossy()));
            }
        } else {
            found.push(name);
        }
    }
    found.retain(|name| name.ends_with(".html") || name.ends_with(".txt"));
    Ok(found)
}

/// A mistake names the file and the line.
fn fill(folder: &Path, name: &str, letter: &Letter, occasion: Option<&Occasion<'_>>) -> Result<String, String> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
        environment.set_syntax(syntax);
    }
    let folder = folder.to_owned();
    environment.set_loader(move |name| load(&folder, name));
    let say = |error: minijinja::Error| {
        let at = error.name().map(|name| format!("{name}:{}: ", error.line().unwrap_or(1))).unwrap_or_default();
        let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
        format!("{at}{}{detail}", error.kind())
    };
    let template = environment.get_template(name).map_err(say)?;
    let letter = Value::from(Serde(letter));
    let all = match occasion {
        Some(occasion) => context! { ..letter, ..Value::from(Serde(occasion.variables())) },
        None => letter,
    };
    template.render(all).map_err(say)
}

/// A file of the folder, and of no other.
fn load(folder: &Path, name: &str) -> Result<Option<String>, minijinja::Error> {
    let fail = |what: String| minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, what);
    if name.split('/').any(|part| part.is_empty() || part.starts_with('.')) || name.contains('\\') {
        return Ok(None);
    }
    let path = folder.join(name);
    match std::fs::metadata(&path) {
        Ok(metadata) if metadata.len() > LONGEST => {
            return Err(fail(format!("{name} is longer than {LONGEST} bytes")));
        }
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fail(format!("{name} cannot be read: {error}"))),
    }
    std::fs::read_to_string(&path).map(Some).map_err(|error| fail(format!("{name} cannot be read: {error}")))
}

//! Mistakes in the config file, and how they are printed: file, line, column, what to write instead, and the line itself.

use super::keys;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What is wrong and what to write instead. Never holds a secret.
    pub message: String,
    /// The line as written, without what may be secret; empty when there is none to show.
    pub source_line: String,
    /// How many characters from `column` on are meant.
    pub width: usize,
}

impl Mistake {
    pub(super) fn at_the_top(message: String) -> Mistake {
        Mistake { line: 1, column: 1, message, source_line: String::new(), width: 0 }
    }

    /// A mistake at the bytes `span` of `text`.
    pub(super) fn at(text: &str, span: Range<usize>, message: String) -> Mistake {
        let start = floor(text, span.start);
        let end = floor(text, span.end.max(start));
        let line_start = text.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
        let rest = text.get(line_start..).unwrap_or_default();
        let source_line = rest.lines().next().unwrap_or_default();
        let count = |range: Range<usize>| text.get(range).unwrap_or_default().chars().count();
        let line_end = line_start + source_line.len();
        let mut mistake = Mistake {
            line: text.get(..line_start).unwrap_or_default().matches('\n').count() + 1,
            column: count(line_start..start) + 1,
            message,
            source_line: plain(source_line),
            width: count(start..end.min(line_end.max(start))).max(1),
        };
        if in_multi_line_string(text, line_start) {
            mistake.source_line = "…".to_owned();
            mistake.width = 1;
        } else if !shows(text, line_start, start) {
            mistake.hide_value();
        }
        mistake
    }

    /// Keeps of the line what stands before the value.
    fn hide_value(&mut self) {
        let key_end = self.source_line.find('=').filter(|at| self.source_line.get(..*at).is_some_and(is_key));
        let key_end = key_end.map_or(0, |at| at + 1);
        self.source_line.truncate(key_end);
        self.source_line.push_str(if key_end == 0 { "…" } else { " …" });
        let shown = self.source_line.chars().count();
        self.width = self.width.min((shown + 1).saturating_sub(self.column)).max(1);
    }

    /// The mistake as it is printed for a file: one line that editors can jump to, then the line meant, marked.
    pub fn display<'a>(&'a self, file: &'a Path) -> impl fmt::Display + 'a {
        Shown { mistake: self, file }
    }
}

/// True when what the line at `line_start` says may be printed: it belongs to a header or to keys that hold no secret.
/// When in doubt it may not.
fn shows(text: &str, line_start: usize, at: usize) -> bool {
    // The line may be the middle of a value that began further up: look for the line that began the statement.
    let before = text.get(..line_start).unwrap_or_default();
    let line = text.get(line_start..).unwrap_or_default().lines().next().unwrap_or_default();
    let starts = std::iter::once((line_start, line)).chain(lines_backwards(before));
    for (start, line) in starts {
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            if start == line_start {
                return true;
            }
            continue;
        }
        if is_header(line) {
            // A header, or after one a line that has no key: nothing says what that is.
            return start == line_start;
        }
        if let Some((key, _)) = line.split_once('=')
            && is_key(key)
        {
            let end = text.get(at..).and_then(|rest| rest.find('\n')).map_or(text.len(), |length| at + length);
            let statement = text.get(start..end).unwrap_or_default().to_lowercase();
            let public = key.split('.').all(|part| keys::is_public(part.trim()));
            return public && !statement.contains("pass");
        }
    }
    false
}

/// What may stand before an equals sign, without quotes: with them it may as well be a word of a list.
fn is_key(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' '))
}

/// True when a string of several lines is open at a byte. Quotes in comments may make it true by mistake.
fn in_multi_line_string(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    ["\"\"\"", "'''"].iter().any(|quotes| before.matches(quotes).count() % 2 == 1)
}

fn lines_backwards(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut end = text.len();
    text.split_inclusive('\n').rev().map(move |line| {
        end -= line.len();
        (end, line)
    })
}

/// `[host.account]` and the like, also when it is not finished; not the elements of an array, which are quoted.
fn is_header(line: &str) -> bool {
    let line = line.trim();
    line.starts_with('[')
        && line.chars().all(|c| c.is_alphanumeric() || matches!(c, '[' | ']' | '_' | '-' | '.' | ' '))
        && line
            .trim_matches(['[', ']'])
            .split('.')
            .all(|part| keys::KEYS.iter().any(|(_, keys)| keys.contains(&part.trim())))
}

/// Without control characters, which a terminal would obey, and not endless.
fn plain(line: &str) -> String {
    line.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
}

/// The start of the character that the byte `at` belongs to.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

struct Shown<'a> {
    mistake: &'a Mistake,
    file: &'a Path,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mistake { line, column, message, source_line, width } = self.mistake;
        write!(f, "{}:{line}:{column}: {message}", self.file.display())?;
        if source_line.is_empty() {
            return Ok(());
        }
        let margin = " ".repeat(line.to_string().len());
        let before = " ".repeat((column - 1).min(source_line.chars().count()));
        write!(f, "\n{margin} |\n{line} | {source_line}\n{margin} | {before}{}", "^".repeat(*width))
    }
}

/// Every mistake of a file, in the order of the file. Printed, each is as [`Mistake::display`] has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors {
    /// The file.
    pub file: PathBuf,
    /// At least one.
    pub errors: Vec<Mistake>,
}

impl ConfigErrors {
    pub(super) fn unreadable(file: &Path, error: &std::io::Error) -> ConfigErrors {
        let message = format!("the config file cannot be read: {error}");
        ConfigErrors { file: file.to_owned(), errors: vec![Mistake::at_the_top(message)] }
    }

    pub(super) fn not_utf8(file: &Path, bytes: &[u8], valid: usize) -> ConfigErrors {
        let text = String::from_utf8_lossy(bytes);
        let message = "this is not UTF-8; save the file in UTF-8".to_owned();
        ConfigErrors { file: file.to_owned(), errors: vec![Mistake::at(&text, valid..valid, message)] }
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.errors.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            write!(f, "{}", mistake.display(&self.file))?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

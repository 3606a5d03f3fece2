//! The file as written: sections and values that know where they stand, and every mistake found on the way.
//! A wrong value is reported and then missing to its reader, who goes on to the next: see [`Section`].

use super::keys::{self, header};
use super::mistake::Mistake;
use super::value::{article, text};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// The text of the file and what is wrong with it.
pub(super) struct File<'a> {
    text: &'a str,
    found: RefCell<Vec<Found>>,
}

struct Found {
    kind: Kind,
    span: Range<usize>,
    message: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// TOML itself.
    Syntax,
    /// Something that is not there; not to be believed when something could not be read.
    Missing,
    /// Something that is there.
    Written,
    /// Allowed.
    Warning,
}

impl<'a> File<'a> {
    pub(super) fn new(text: &'a str, syntax: Vec<toml::de::Error>) -> File<'a> {
        let found = syntax.into_iter().map(|error| Found {
            kind: Kind::Syntax,
            span: error.span().unwrap_or(0..0),
            message: format!("this is not TOML: {}", error.message()),
        });
        File { text, found: RefCell::new(found.collect()) }
    }

    /// The whole file as a section.
    pub(super) fn root(&'a self, table: &'a DeTable<'a>) -> Section<'a> {
        Section::new(self, String::new(), 0..0, table)
    }

    pub(super) fn mistake(&self, span: Range<usize>, message: String) {
        self.add(Kind::Written, span, message);
    }

    pub(super) fn missing(&self, span: Range<usize>, message: String) {
        self.add(Kind::Missing, span, message);
    }

    pub(super) fn warn(&self, span: Range<usize>, message: String) {
        self.add(Kind::Warning, span, message);
    }

    fn add(&self, kind: Kind, span: Range<usize>, message: String) {
        self.found.borrow_mut().push(Found { kind, span, message });
    }

    pub(super) fn line_of(&self, at: usize) -> usize {
        self.text.get(..at).unwrap_or_default().matches('\n').count() + 1
    }

    /// Mistakes and warnings, in the order of the file.
    pub(super) fn finish(&self) -> (Vec<Mistake>, Vec<Mistake>) {
        let mut found = std::mem::take(&mut *self.found.borrow_mut());
        found.sort_by_key(|found| (found.span.start, found.kind != Kind::Syntax));
        self.drop_what_follows_from_syntax(&mut found);
        let (warnings, mistakes): (Vec<Found>, Vec<Found>) = found.into_iter().partition(|f| f.kind == Kind::Warning);
        let print = |found: Vec<Found>| -> Vec<Mistake> {
            found.into_iter().map(|found| Mistake::at(self.text, found.span, found.message)).collect()
        };
        (print(mistakes), print(warnings))
    }

    /// Where TOML is broken, the rest was read by guess. What would be wrong only by that guess is not reported.
    fn drop_what_follows_from_syntax(&self, found: &mut Vec<Found>) {
        let syntax = || found.iter().filter(|found| found.kind == Kind::Syntax);
        if syntax().next().is_none() {
            return;
        }
        let broken: Vec<usize> = syntax().map(|found| self.line_of(found.span.start)).collect();
        let is_header =
            |line: &usize| self.text.lines().nth(line - 1).is_some_and(|text| text.trim_start().starts_with('['));
        // An array, a table or a string that is not closed swallows what comes after it.
        let open = |found: &&Found| {
            ["unclosed", "in array", "between array", "in inline table", "multi-line"]
                .iter()
                .any(|part| found.message.contains(part))
        };
        let swallowed = syntax().find(open).map(|found| found.span.start);
        // From a broken header on, keys are taken for those of the section before it.
        let broken_header =
            syntax().map(|found| found.span.start).find(|start| is_header(&self.line_of(*start))).unwrap_or(usize::MAX);
        if let Some(first) =
            found.iter_mut().find(|found| found.kind == Kind::Syntax && Some(found.span.start) == swallowed)
        {
            first.message.push_str("; perhaps a bracket or a quote before it is not closed");
        }
        let certain_until = broken_header.min(swallowed.unwrap_or(usize::MAX));
        let mut seen = Vec::new();
        found.retain(|found| {
            let line = self.line_of(found.span.start);
            match found.kind {
                Kind::Syntax => {
                    let first = !seen.contains(&line) && swallowed.is_none_or(|at| found.span.start <= at);
                    seen.push(line);
                    first && (found.span.start <= broken_header || !found.message.contains("duplicate key"))
                }
                Kind::Missing => false,
                Kind::Written | Kind::Warning => found.span.start < certain_until && !broken.contains(&line),
            }
        });
    }
}

/// A table of the file. Reading a key that is absent gives `None`; reading one that is wrong reports it and gives `None`.
pub(super) struct Section<'a> {
    file: &'a File<'a>,
    path: String,
    /// Its header, or the inline table.
    pub(super) span: Range<usize>,
    table: &'a DeTable<'a>,
}

impl<'a> Section<'a> {
    fn new(file: &'a File<'a>, path: String, span: Range<usize>, table: &'a DeTable<'a>) -> Section<'a> {
        let section = Section { file, path, span, table };
        section.refuse_unknown_keys();
        section
    }

    fn refuse_unknown_keys(&self) {
        let known = keys::keys_of(&self.path);
        for (key, _) in self.table.iter() {
            let (name, span) = (key.get_ref().as_ref(), key.span());
            if !known.contains(&name) {
                let advice = keys::advice(&self.path, name);
                self.file
                    .mistake(span, format!("unknown key `{}` {}; {advice}", name.escape_debug(), header(&self.path)));
            }
        }
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn get(&self, key: &str) -> Option<(Range<usize>, &'a DeValue<'a>)> {
        self.table.get(key).map(|value| (value.span(), value.get_ref()))
    }

    /// True when the key is written, right or wrong.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Where the value of a key stands, or else the section.
    pub(super) fn span_of(&self, key: &str) -> Range<usize> {
        self.get(key).map_or(self.span.clone(), |(span, _)| span)
    }

    pub(super) fn mistake(&self, key: &str, message: String) {
        self.file.mistake(self.span_of(key), message);
    }

    pub(super) fn warn(&self, key: &str, message: String) {
        self.file.warn(self.span_of(key), message);
    }

    /// Reports that a key must be written. `example` is a whole line.
    pub(super) fn missing(&self, key: &str, example: &str) {
        self.file.missing(self.span.clone(), format!("`{key}` is missing {}; write {example}", header(&self.path)));
    }

    /// The value of a key. The error of `parse` is what to write instead.
    pub(super) fn read<T>(&self, key: &str, parse: impl Fn(&DeValue<'_>) -> Result<T, String>) -> Option<T> {
        let (span, value) = self.get(key)?;
        parse(value).map_err(|message| self.file.mistake(span, format!("{key}: {message}"))).ok()
    }

    /// The value of a key, or what it is when it is left out.
    pub(super) fn read_or<T>(&self, key: &str, default: T, parse: impl Fn(&DeValue<'_>) -> Result<T, String>) -> T {
        self.read(key, parse).unwrap_or(default)
    }

    /// The value of a key that must be written.
    pub(super) fn require<T>(
        &self,
        key: &str,
        example: &str,
        parse: impl Fn(&DeValue<'_>) -> Result<T, String>,
    ) -> Option<T> {
        if !self.has(key) {
            self.missing(key, example);
        }
        self.read(key, parse)
    }

    /// The right values of an array.
    pub(super) fn list<T>(&self, key: &str, parse: impl Fn(&DeValue<'_>) -> Result<T, String>) -> Option<Vec<T>> {
        let (span, value) = self.get(key)?;
        let DeValue::Array(array) = value else {
            self.file.mistake(span, format!("{key}: expected a list in brackets [ ], found {}", article(value)));
            return None;
        };
        let items = array.iter().filter_map(|item| {
            let wrong = |message| self.file.mistake(item.span(), format!("{key}: {message}"));
            parse(item.get_ref()).map_err(wrong).ok()
        });
        Some(items.collect())
    }

    /// The right values of an array, or of a single value that is written without brackets.
    pub(super) fn one_or_list<T>(
        &self,
        key: &str,
        parse: impl Fn(&DeValue<'_>) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        match self.get(key)? {
            (_, DeValue::Array(_)) => self.list(key, parse),
            _ => self.read(key, parse).map(|one| vec![one]),
        }
    }

    pub(super) fn is_empty_list(&self, key: &str) -> bool {
        self.get(key).and_then(|(_, value)| value.as_array()).is_some_and(|array| array.is_empty())
    }

    /// True when the key is written as a string.
    pub(super) fn is_string(&self, key: &str) -> bool {
        self.get(key).is_some_and(|(_, value)| value.is_str())
    }

    /// The keys of `candidates` that are written.
    pub(super) fn written<'k>(&self, candidates: &[&'k str]) -> Vec<&'k str> {
        candidates.iter().copied().filter(|key| self.has(key)).collect()
    }

    /// The table of a key.
    pub(super) fn section(&self, key: &str) -> Option<Section<'a>> {
        let (span, value) = self.get(key)?;
        let DeValue::Table(table) = value else {
            let wanted = match value {
                DeValue::Array(_) => {
                    format!("with one pair of brackets, as {}", header(&self.path_of(key)).trim_start_matches("in "))
                }
                _ => "as a table".to_owned(),
            };
            self.file.mistake(span, format!("{key}: must be written {wanted}, found {}", article(value)));
            return None;
        };
        Some(Section::new(self.file, self.path_of(key), span, table))
    }

    /// The tables of a key that may be repeated.
    pub(super) fn sections(&self, key: &str) -> Vec<Section<'a>> {
        let Some((span, value)) = self.get(key) else { return Vec::new() };
        let path = self.path_of(key);
        let wrong = |span: Range<usize>, value: &DeValue<'_>| {
            let wanted = match header(&path) {
                repeated if repeated.contains("[[") => format!("as {}", repeated.trim_start_matches("in ")),
                _ => "as a list of tables [{ … }]".to_owned(),
            };
            self.file.mistake(span, format!("{key}: must be written {wanted}, found {}", article(value)));
        };
        let DeValue::Array(array) = value else {
            wrong(span, value);
            return Vec::new();
        };
        let tables = array.iter().filter_map(|item| match item.get_ref() {
            DeValue::Table(table) => Some(Section::new(self.file, path.clone(), item.span(), table)),
            other => {
                wrong(item.span(), other);
                None
            }
        });
        tables.collect()
    }

    /// Reports an `id` that a section before it has already.
    pub(super) fn refuse_duplicate(&self, key: &str, seen: &mut BTreeMap<String, usize>) {
        let Some(id) = self.get(key).and_then(|(_, value)| text(value).ok()) else { return };
        let line = self.file.line_of(self.span_of(key).start);
        match seen.get(&id) {
            Some(first) => self.mistake(key, format!("{key}: \"{id}\" is taken in line {first}; each needs its own")),
            None => {
                seen.insert(id, line);
            }
        }
    }
}

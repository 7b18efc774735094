//! Reads TOML tables key by key, so that all problems of a file come at once and each with its place.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Diagnostic, Located, Position, SourceText, nearest};
use crate::reference::Key;

/// One file that is being read, and the problems found in it so far.
pub(crate) struct File {
    pub(crate) source: SourceText,
    problems: RefCell<Vec<Diagnostic>>,
    /// Where each line starts; found when the first place is asked for.
    lines: OnceCell<Vec<usize>>,
}

impl File {
    pub(crate) fn new(source: SourceText) -> File {
        File { source, problems: RefCell::default(), lines: OnceCell::new() }
    }

    pub(crate) fn report(&self, span: Range<usize>, problem: Diagnostic) {
        self.problems.borrow_mut().push(problem.at_span(&self.source, span));
    }

    /// Where the byte `offset` stands. A file has thousands of values: lines are looked up, not counted.
    pub(crate) fn position(&self, offset: usize) -> Position {
        let text: &str = &self.source.text;
        let lines = self
            .lines
            .get_or_init(|| [0].into_iter().chain(text.match_indices('\n').map(|(newline, _)| newline + 1)).collect());
        let line = lines.partition_point(|start| *start <= offset);
        let start = lines[line - 1];
        let column = text.get(start..offset).map_or(0, |before| before.chars().count()) + 1;
        Position { file: self.source.path.clone(), line, column }
    }

    pub(crate) fn into_problems(self) -> Vec<Diagnostic> {
        self.problems.into_inner()
    }

    /// Parses the whole file; syntax errors are reported, and what could be understood is returned.
    pub(crate) fn parse<'f>(&'f self) -> Spanned<DeTable<'f>> {
        let (table, errors) = DeTable::parse_recoverable(&self.source.text);
        for error in errors {
            let span = error.span().unwrap_or(0..0);
            self.report(span, Diagnostic::new(format!("not valid TOML: {}", error.message())));
        }
        table
    }
}

/// A table of a file: each key is taken once, and what nobody took is reported when the table is dropped.
pub(crate) struct Table<'f> {
    file: &'f File,
    table: &'f DeTable<'f>,
    /// As people write it, as in `components.zlib.build`; empty for the top of a file.
    name: String,
    pub(crate) span: Range<usize>,
    keys: &'static [Key],
    taken: BTreeSet<&'static str>,
}

impl<'f> Table<'f> {
    pub(crate) fn top(file: &'f File, table: &'f Spanned<DeTable<'f>>, keys: &'static [Key]) -> Table<'f> {
        let whole = 0..file.source.text.find('\n').unwrap_or(file.source.text.len());
        Table { file, table: table.get_ref(), name: String::new(), span: whole, keys, taken: BTreeSet::new() }
    }

    pub(crate) fn at(&self) -> Position {
        self.file.position(self.span.start)
    }

    pub(crate) fn report(&self, span: Range<usize>, problem: Diagnostic) {
        self.file.report(span, problem);
    }

    pub(crate) fn position(&self, offset: usize) -> Position {
        self.file.position(offset)
    }

    pub(crate) fn report_at(&self, at: &Position, problem: Diagnostic) {
        let line_start: usize = self.file.source.text.split_inclusive('\n').take(at.line - 1).map(str::len).sum();
        let line = self.file.source.text[line_start..].lines().next().unwrap_or("");
        let offset: usize = line.chars().take(at.column - 1).map(char::len_utf8).sum();
        let start = line_start + offset;
        self.file.report(start..start + 1, problem);
    }

    fn take(&mut self, key: &'static str) -> Option<&'f Spanned<DeValue<'f>>> {
        debug_assert!(self.keys.iter().any(|known| known.name == key), "`{key}` is not in the reference of its table");
        self.taken.insert(key);
        self.table.get(key)
    }

    fn wrong_type(&self, key: &str, value: &Spanned<DeValue<'_>>, wanted: &str) {
        let message = format!("`{}` should be {wanted}, and is {}", self.path(key), type_name(value.get_ref()));
        self.report(value.span(), Diagnostic::new(message));
    }

    fn path(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    fn located<T>(&self, value: T, span: Range<usize>) -> Located<T> {
        Located { value, at: self.file.position(span.start) }
    }

    /// Reports `key` if it was not written at all; a wrong type is reported where the key is read.
    pub(crate) fn require(&self, key: &str) {
        if !self.table.contains_key(key) {
            self.missing(key);
        }
    }

    /// Whether `key` is written, whatever its value.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Where the value of `key` stands, or this table where it is not written.
    pub(crate) fn value_span(&self, key: &str) -> Range<usize> {
        self.table.get(key).map_or(self.span.clone(), Spanned::span)
    }

    /// The keys that are known here and were not asked for, and where they stand.
    pub(crate) fn untaken(&self) -> Vec<(String, Range<usize>)> {
        let is_known = |name: &str| self.keys.iter().any(|known| known.name == name);
        self.table
            .iter()
            .map(|(key, _)| (key.get_ref().to_string(), key.span()))
            .filter(|(name, _)| is_known(name) && !self.taken.contains(name.as_str()))
            .collect()
    }

    pub(crate) fn missing(&self, key: &str) {
        let problem = Diagnostic::new(format!("`{}` is missing", self.path(key)));
        let meaning = self.keys.iter().find(|known| known.name == key).map_or("", |known| known.doc);
        self.report(self.span.clone(), problem.hint(format!("`{key}`: {meaning}")));
    }

    pub(crate) fn string(&mut self, key: &'static str) -> Option<Located<String>> {
        let value = self.take(key)?;
        match value.get_ref().as_str() {
            Some(text) => Some(self.located(text.to_owned(), value.span())),
            None => {
                self.wrong_type(key, value, "a string");
                None
            }
        }
    }

    pub(crate) fn text(&mut self, key: &'static str) -> Option<String> {
        self.string(key).map(|located| located.value)
    }

    pub(crate) fn required(&mut self, key: &'static str) -> Option<Located<String>> {
        self.require(key);
        self.string(key)
    }

    /// One of a few words; another one is reported together with those that are known.
    pub(crate) fn word<T: Copy>(&mut self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        let span = self.table.get(key)?.span();
        let text = self.string(key)?;
        match words.iter().find(|(word, _)| *word == text.value) {
            Some((_, meaning)) => Some(*meaning),
            None => {
                let known: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
                let message = format!("`{}` cannot be `{}`", self.path(key), text.value);
                self.report(span, Diagnostic::new(message).hint(format!("it is one of {}", known.join(", "))));
                None
            }
        }
    }

    pub(crate) fn boolean(&mut self, key: &'static str) -> Option<bool> {
        let value = self.take(key)?;
        let found = value.get_ref().as_bool();
        if found.is_none() {
            self.wrong_type(key, value, "true or false");
        }
        found
    }

    /// True or false, and where that is written.
    pub(crate) fn flag(&mut self, key: &'static str) -> Option<Located<bool>> {
        let value = self.boolean(key)?;
        Some(self.located(value, self.value_span(key)))
    }

    /// A day, as a date of TOML or as a string.
    pub(crate) fn date(&mut self, key: &'static str) -> Option<String> {
        let value = self.take(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            DeValue::Datetime(date) => Some(date.to_string()),
            _ => {
                self.wrong_type(key, value, "a day, as in `2027-03-31`");
                None
            }
        }
    }

    pub(crate) fn integer(&mut self, key: &'static str) -> Option<u64> {
        let value = self.take(key)?;
        let found =
            value.get_ref().as_integer().and_then(|number| u64::from_str_radix(number.as_str(), number.radix()).ok());
        if found.is_none() {
            self.wrong_type(key, value, "a whole number, zero or more");
        }
        found
    }

    pub(crate) fn strings(&mut self, key: &'static str) -> Vec<Located<String>> {
        let Some(value) = self.take(key) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(key, value, "a list of strings");
            return Vec::new();
        };
        let mut strings = Vec::new();
        for item in array.iter() {
            match item.get_ref().as_str() {
                Some(text) => strings.push(self.located(text.to_owned(), item.span())),
                None => self.wrong_type(key, item, "a list of strings"),
            }
        }
        strings
    }

    pub(crate) fn texts(&mut self, key: &'static str) -> Vec<String> {
        self.strings(key).into_iter().map(|located| located.value).collect()
    }

    pub(crate) fn table(&mut self, key: &'static str, keys: &'static [Key]) -> Option<Table<'f>> {
        let value = self.take(key)?;
        match value.get_ref().as_table() {
            Some(table) => Some(Table {
                file: self.file,
                table,
                name: self.path(key),
                span: self.key_span(key),
                keys,
                taken: BTreeSet::new(),
            }),
            None => {
                self.wrong_type(key, value, "a table");
                None
            }
        }
    }

    fn key_span(&self, key: &str) -> Range<usize> {
        self.table.get_key_value(key).map_or(self.span.clone(), |(key, _)| key.span())
    }

    /// A table of tables, as in `[components.NAME]`.
    pub(crate) fn named_tables(
        &mut self,
        key: &'static str,
        keys: &'static [Key],
    ) -> Vec<(Located<String>, Table<'f>)> {
        let path = self.path(key);
        let mut tables = Vec::new();
        for (name, value) in self.entries(key) {
            let name_text = name.get_ref().to_string();
            match value.get_ref().as_table() {
                Some(table) => {
                    let inner = Table {
                        file: self.file,
                        table,
                        name: format!("{path}.{name_text}"),
                        span: name.span(),
                        keys,
                        taken: BTreeSet::new(),
                    };
                    tables.push((self.located(name_text, name.span()), inner));
                }
                None => self.wrong_type(&format!("{key}.{name_text}"), value, "a table"),
            }
        }
        tables
    }

    /// An array of tables, as in `[[source-files]]`.
    pub(crate) fn tables(&mut self, key: &'static str, keys: &'static [Key]) -> Vec<Table<'f>> {
        let Some(value) = self.take(key) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(key, value, "a list of tables");
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in array.iter() {
            match item.get_ref().as_table() {
                Some(table) => tables.push(Table {
                    file: self.file,
                    table,
                    name: self.path(key),
                    span: item.span(),
                    keys,
                    taken: BTreeSet::new(),
                }),
                None => self.wrong_type(key, item, "a list of tables"),
            }
        }
        tables
    }

    /// A table whose keys are free and whose values are strings.
    pub(crate) fn string_map(&mut self, key: &'static str) -> Vec<(String, Located<String>)> {
        let mut map = Vec::new();
        for (name, value) in self.entries(key) {
            match value.get_ref().as_str() {
                Some(text) => map.push((name.get_ref().to_string(), self.located(text.to_owned(), value.span()))),
                None => self.wrong_type(&format!("{key}.{}", name.get_ref()), value, "a string"),
            }
        }
        map
    }

    /// A table whose keys are free and whose values are lists of strings.
    pub(crate) fn list_map(&mut self, key: &'static str) -> Vec<(String, Vec<String>)> {
        let mut map = Vec::new();
        for (name, value) in self.entries(key) {
            let texts: Option<Vec<String>> = value
                .get_ref()
                .as_array()
                .and_then(|array| array.iter().map(|item| item.get_ref().as_str().map(str::to_owned)).collect());
            match texts {
                Some(texts) => map.push((name.get_ref().to_string(), texts)),
                None => self.wrong_type(&format!("{key}.{}", name.get_ref()), value, "a list of strings"),
            }
        }
        map
    }

    fn entries(
        &mut self,
        key: &'static str,
    ) -> Vec<(&'f Spanned<std::borrow::Cow<'f, str>>, &'f Spanned<DeValue<'f>>)> {
        let Some(value) = self.take(key) else { return Vec::new() };
        match value.get_ref().as_table() {
            Some(table) => table.iter().collect(),
            None => {
                self.wrong_type(key, value, "a table");
                Vec::new()
            }
        }
    }
}

impl Drop for Table<'_> {
    fn drop(&mut self) {
        for (key, _) in self.table.iter() {
            let name: &str = key.get_ref();
            if self.taken.contains(name) {
                continue;
            }
            if self.keys.iter().any(|known| known.name == name) {
                // Known, but not together with what else was said: its reader reports that.
                continue;
            }
            let place =
                if self.name.is_empty() { "at the top of a file".to_owned() } else { format!("in `{}`", self.name) };
            let mut problem = Diagnostic::new(format!("there is no key `{name}` {place}"));
            problem = match nearest(name, self.keys.iter().map(|known| known.name)) {
                Some(like) => problem.hint(format!("did you mean `{like}`?")),
                None => {
                    let known: Vec<&str> = self.keys.iter().map(|known| known.name).collect();
                    problem.hint(format!("the keys here are {}", known.join(", ")))
                }
            };
            self.file.report(key.span(), problem);
        }
    }
}

fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::Files;

/// What commands may know beside their text.
pub(super) struct Machine<'m> {
    pub(super) clock: pkg::SourceDateEpoch,
    /// The files that there are; without any, looking at one is refused.
    pub(super) files: Option<&'m dyn Files>,
    /// There are no programs but the known ones, no variables, and no installed packages.
    pub(super) is_bare: bool,
    /// What single commands print, as they were told.
    pub(super) answers: &'m BTreeMap<String, String>,
    /// The first thing that was taken for granted.
    pub(super) supposed: RefCell<Option<String>>,
}

impl<'m> Machine<'m> {
    pub(super) fn new(
        clock: pkg::SourceDateEpoch,
        files: Option<&'m dyn Files>,
        answers: &'m BTreeMap<String, String>,
    ) -> Machine<'m> {
        Machine { clock, files, is_bare: files.is_some(), answers, supposed: RefCell::default() }
    }

    /// Notes what an answer supposes of the machine.
    pub(super) fn suppose(&self, what: impl FnOnce() -> String) {
        self.supposed.borrow_mut().get_or_insert_with(what);
    }

    /// The text of a file that a command or redirection names, or nothing where there is none, which is noted.
    pub(super) fn read_named(&self, path: &str) -> Result<Option<Arc<str>>, String> {
        let found = self.read(path)?;
        if found.is_none() {
            self.suppose(|| format!("there is no file `{path}`"));
        }
        Ok(found)
    }

    /// The text of a file, or nothing where there is none.
    pub(super) fn read(&self, path: &str) -> Result<Option<Arc<str>>, String> {
        self.files.map(|files| files.read(path)).ok_or_else(|| format!("it reads the file `{path}`"))
    }

    /// Answers `test -f path` and its like.
    pub(super) fn test(&self, option: &str, path: &str) -> Result<bool, String> {
        let files = self.files.ok_or_else(|| format!("`test {option}` asks the machine"))?;
        if !files.exists(path) {
            self.suppose(|| format!("there is no file `{path}`"));
        }
        match option {
            "-e" | "-r" | "-x" => Ok(files.exists(path)),
            "-f" => Ok(files.read(path).is_some()),
            "-s" => Ok(files.read(path).is_some_and(|text| !text.is_empty())),
            "-d" => Ok(files.exists(path) && files.read(path).is_none()),
            _ => Err(format!("`test {option}` asks the machine")),
        }
    }
}

/// What `rpm -q` says where no package is installed.
pub(super) fn query(words: &[&str]) -> String {
    let mut output = String::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if matches!(*word, "--qf" | "--queryformat") {
            words.next();
        } else if !word.starts_with('-') {
            output.push_str(&format!("package {word} is not installed\n"));
        }
    }
    output
}

/// Arguments, and the text that a command reads.
pub(super) type Read<'w, 'i> = (&'w [String], Cow<'i, str>);

/// Arguments without the file at their end, if one stands behind `count` words that are no options; and that file's text.
/// Nothing if there is no such file.
pub(super) fn file_behind<'w, 'i>(
    words: &'w [String],
    count: usize,
    input: &'i str,
    machine: &Machine<'_>,
) -> Result<Option<Read<'w, 'i>>, String> {
    let is_script = |word: &str| matches!(word, "-e" | "--expression" | "-ne" | "-re" | "-Ee");
    let takes_script = words.iter().any(|word| is_script(word));
    let mut plain = 0;
    let mut is_value = false;
    for word in words {
        plain += usize::from(!is_value && !word.starts_with('-'));
        is_value = is_script(word);
    }
    let scripts = if takes_script { 0 } else { count };
    match words.split_last() {
        Some((path, rest)) if plain == scripts + 1 && machine.files.is_some() => {
            Ok(machine.read_named(path)?.map(|text| (rest, Cow::Owned(text.to_string()))))
        }
        _ => Ok(Some((words, Cow::Borrowed(input)))),
    }
}

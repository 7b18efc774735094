use crate::{Header, Tag};

/// One entry of a changelog, newest first in a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangelogEntry {
    /// Seconds since 1970, noon UTC of the entry's day.
    pub time: u64,
    /// Who, and usually for which version: `A B <a@b> - 1.0-1`.
    pub name: String,
    /// The lines.
    pub text: String,
}

impl Header {
    /// The changelog, in the package's order.
    pub fn changelog(&self) -> Vec<ChangelogEntry> {
        let texts = self.strs(Tag::CHANGELOGNAME).zip(self.strs(Tag::CHANGELOGTEXT));
        self.numbers(Tag::CHANGELOGTIME)
            .into_iter()
            .zip(texts)
            .map(|(time, (name, text))| ChangelogEntry { time, name: name.to_owned(), text: text.to_owned() })
            .collect()
    }
}

//! other: the changelogs, in the order of primary.

use std::fmt::Write as _;
use std::io::BufRead;

use crate::filelists::{open_next, open_package};
use crate::primary::{check_length, read_version};
use crate::xml::{DECLARATION, Document, Step, push_attribute, push_text};
use crate::{Change, Package, PackageId, ReadError};

/// The document's start, up to the first package.
pub(crate) fn head(count: usize) -> String {
    format!("{DECLARATION}<otherdata xmlns=\"http://linux.duke.edu/metadata/other\" packages=\"{count}\">\n")
}

/// The document's end.
pub(crate) const TAIL: &str = "</otherdata>";

/// Appends one package's element to `out`.
pub fn write_package(package: &Package, out: &mut String) {
    open_package(package, out);
    for change in &package.changelog {
        out.push_str("  <changelog author=\"");
        push_attribute(out, &change.author);
        let _ = write!(out, "\" date=\"{}\">", change.time);
        push_text(out, &change.text);
        out.push_str("</changelog>\n");
    }
    out.push_str("</package>\n");
}

/// Reads the changelogs one by one.
pub struct Reader<R> {
    document: Document<R>,
}

impl<R: BufRead> Reader<R> {
    /// Reads decompressed XML: see [`crate::decompress`].
    pub fn new(reader: R) -> Reader<R> {
        Reader { document: Document::new("other", reader) }
    }

    fn next_changelog(&mut self) -> Result<Option<(PackageId, Vec<Change>)>, ReadError> {
        let Some(mut id) = open_next(&mut self.document, "otherdata")? else { return Ok(None) };
        let mut changelog = Vec::new();
        let (mut author, mut time) = (String::new(), 0);
        loop {
            match self.document.step()? {
                Step::Open => match self.document.name() {
                    "version" => id.nevra.evr = read_version(&self.document)?,
                    "changelog" => {
                        author = self.document.expect_attribute("author")?;
                        time = self.document.number_attribute("date")?;
                    }
                    _ => {}
                },
                Step::Close => match self.document.name() {
                    "changelog" => {
                        let text = self.document.text().to_owned();
                        changelog.push(Change { author: std::mem::take(&mut author), time, text });
                        check_length(&self.document, changelog.len())?;
                    }
                    "package" => return Ok(Some((id, changelog))),
                    _ => {}
                },
                Step::End => return Err(self.document.fact("an end inside a package".to_owned())),
            }
        }
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<(PackageId, Vec<Change>), ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_changelog().transpose()
    }
}

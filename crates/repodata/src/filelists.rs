//! filelists: all paths of each package, in the order of primary.

use std::io::BufRead;

use pkg::{Arch, Nevra};

use crate::primary::{check_length, read_kind, read_version, write_file, write_version};
use crate::xml::{DECLARATION, Document, Step, push_attribute};
use crate::{File, FileKind, Package, PackageId, ReadError};

/// The document's start, up to the first package.
pub(crate) fn head(count: usize) -> String {
    format!("{DECLARATION}<filelists xmlns=\"http://linux.duke.edu/metadata/filelists\" packages=\"{count}\">\n")
}

/// The document's end.
pub(crate) const TAIL: &str = "</filelists>";

/// Appends one package's element to `out`.
pub fn write_package(package: &Package, out: &mut String) {
    open_package(package, out);
    for file in &package.files {
        write_file(out, "  ", file);
    }
    out.push_str("</package>\n");
}

/// The opening tag and version, which filelists and other share.
pub(crate) fn open_package(package: &Package, out: &mut String) {
    for (before, value) in [
        ("<package pkgid=\"", package.checksum.hex.as_str()),
        ("\" name=\"", &package.nevra.name),
        ("\" arch=\"", package.nevra.arch.as_str()),
    ] {
        out.push_str(before);
        push_attribute(out, value);
    }
    out.push_str("\">\n");
    write_version(out, &package.nevra.evr);
}

/// Reads the file lists one by one.
pub struct Reader<R> {
    document: Document<R>,
}

impl<R: BufRead> Reader<R> {
    /// Reads decompressed XML: see [`crate::decompress`].
    pub fn new(reader: R) -> Reader<R> {
        Reader { document: Document::new("filelists", reader) }
    }

    fn next_list(&mut self) -> Result<Option<(PackageId, Vec<File>)>, ReadError> {
        let Some(mut id) = open_next(&mut self.document, "filelists")? else { return Ok(None) };
        let mut files = Vec::new();
        let mut kind = FileKind::File;
        loop {
            match self.document.step()? {
                Step::Open => match self.document.name() {
                    "version" => id.nevra.evr = read_version(&self.document)?,
                    "file" => kind = read_kind(&self.document)?,
                    _ => {}
                },
                Step::Close => match self.document.name() {
                    "file" => {
                        files.push(File { path: self.document.text().to_owned(), kind });
                        check_length(&self.document, files.len())?;
                    }
                    "package" => return Ok(Some((id, files))),
                    _ => {}
                },
                Step::End => return Err(self.document.fact("an end inside a package".to_owned())),
            }
        }
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<(PackageId, Vec<File>), ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_list().transpose()
    }
}

/// Goes on to the next `package` element and returns whose it is; the version is still to come.
pub(crate) fn open_next<R: BufRead>(document: &mut Document<R>, root: &str) -> Result<Option<PackageId>, ReadError> {
    loop {
        match document.step()? {
            Step::Open if document.depth() == 1 && document.name() != root => {
                return Err(document.fact(format!("`{}` as its root", document.name())));
            }
            Step::Open if document.depth() == 2 && document.name() == "package" => {
                let checksum = document.expect_attribute("pkgid")?;
                let name = document.expect_attribute("name")?;
                let arch = Arch::new(document.expect_attribute("arch")?);
                return Ok(Some(PackageId { checksum, nevra: Nevra { name, evr: pkg::Evr::default(), arch } }));
            }
            Step::Open | Step::Close => {}
            Step::End => return Ok(None),
        }
    }
}

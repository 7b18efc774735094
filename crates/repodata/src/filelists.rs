//! filelists: all paths of each package, in the order of primary.

use std::collections::HashSet;
use std::io::{BufRead, Read};

use pkg::{Arch, Nevra};

use crate::primary::{check_length, read_kind, read_version, write_file, write_version};
use crate::scan::{Attributes, Resolved, Stop, Token, Window, token};
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

/// Finds who has which of `paths`: the packages' ids with the path, in the document's order.
///
/// For the few paths that requirements name and primary does not list: the document is looked through, not kept.
///
/// # Errors
/// [`ReadError`] when it is cut off or damaged.
pub fn owners(reader: impl Read, paths: &HashSet<&str>) -> Result<Vec<(String, String)>, ReadError> {
    let mut window = Window::new("filelists", reader);
    let mut owners = Vec::new();
    let (mut at, mut package, mut depth) = (0, String::new(), 0_usize);
    // The last opening tag, if it is one of a path, and where its text begins.
    let mut text = None;
    loop {
        let (start, token, end) = match token(window.bytes(), at) {
            Ok(found) => found,
            Err(Stop::Wrong(at, cause)) => return Err(window.syntax(at, cause)),
            Err(Stop::Short) => {
                // The text of an open element stays in the window.
                let keep = text.unwrap_or(at);
                if window.slide(keep)? {
                    at -= keep;
                    text = text.map(|_| 0);
                    continue;
                }
                return match depth {
                    0 => Ok(owners),
                    _ => Err(window.syntax(window.bytes().len(), "it ends inside an element".to_owned())),
                };
            }
        };
        at = end;
        match token {
            Token::Open { name, attributes, is_empty } => {
                depth += usize::from(!is_empty);
                if name == b"package" {
                    let mut ids = Attributes(attributes).filter(|(name, _)| *name == b"pkgid");
                    let id = ids.next().and_then(|(_, id)| std::str::from_utf8(id).ok());
                    package = id.ok_or_else(|| window.fact(start, "`package` without `pkgid`".to_owned()))?.to_owned();
                }
                text = (name == b"file" && !is_empty).then_some(end);
            }
            Token::Close => {
                depth = depth.saturating_sub(1);
                if let Some(from) = text.take() {
                    let value = &window.bytes()[from..start];
                    let mut resolved = Resolved::default();
                    let span = resolved.span(window.bytes(), value).map_err(|cause| window.syntax(from, cause))?;
                    let path = resolved.lossy(window.bytes(), span);
                    if paths.contains(path) {
                        owners.push((package.clone(), path.to_owned()));
                    }
                }
            }
            Token::Characters | Token::Nothing => {}
        }
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

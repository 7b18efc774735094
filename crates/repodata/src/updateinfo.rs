//! updateinfo: which packages fix what.
//!
//! ```text
//! <updates> <update from= status= type= version=>
//!   id, title, issued date=, updated date=, rights, release, pushcount, severity, summary, description, solution
//!   <references> <reference href= id= type= title=/>..
//!   <pkglist> <collection short=> name, <module name= stream= version= context= arch=/>,
//!     <package name= version= release= epoch= arch= src=> filename, sum type=, reboot_suggested..
//! ```
//!
//! Source: what createrepo_c writes and dnf and libsolv read. Written epochs are never left out: without one a reader
//! takes it for 0, and the advisory disappears.

use std::fmt::Write as _;
use std::io::BufRead;

use pkg::{Arch, Evr, Nevra};

use crate::ReadError;
use crate::xml::{DECLARATION, Document, Step, push_attribute, push_text};

/// Advisories, packages and references that one list may have.
const MAX_LIST: usize = 1 << 20;

/// One advisory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Advisory {
    /// Its name, as in `SKSA-2026-0001`.
    pub id: String,
    /// Who issued it: an address.
    pub from: String,
    /// `stable`, `final`, `testing` ..
    pub status: String,
    /// `security`, `bugfix`, `enhancement` or `newpackage`.
    pub kind: String,
    /// Counts issues of the same advisory.
    pub version: String,
    /// One line.
    pub title: String,
    /// When it was issued: seconds since 1970 or a date, as written.
    pub issued: String,
    /// When it was changed last; empty if never.
    pub updated: String,
    /// Whose text it is.
    pub rights: String,
    /// The distribution's release.
    pub release: String,
    /// `Critical`, `Important`, `Moderate`, `Low`, `None`, or empty.
    pub severity: String,
    /// One paragraph.
    pub summary: String,
    /// Some paragraphs.
    pub description: String,
    /// What to do.
    pub solution: String,
    /// Where more is said.
    pub references: Vec<Reference>,
    /// What fixes it.
    pub collections: Vec<Collection>,
}

/// Where more is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reference {
    /// The address.
    pub href: String,
    /// A CVE's or a bug's number.
    pub id: String,
    /// `cve`, `bugzilla`, `self` or `other`.
    pub kind: String,
    /// One line.
    pub title: String,
}

/// Packages of one product.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collection {
    /// A short name.
    pub short: String,
    /// The product's name.
    pub name: String,
    /// The module that the packages are of: name, stream, version, context and architecture.
    pub module: Option<[String; 5]>,
    /// The packages.
    pub packages: Vec<FixedPackage>,
}

/// A package that fixes something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FixedPackage {
    /// Name, epoch, version, release, architecture.
    pub nevra: Nevra,
    /// The file name of its source package.
    pub source: String,
    /// Its file's name.
    pub file_name: String,
    /// Its file's digest: the algorithm and the digits.
    pub checksum: Option<(String, String)>,
    /// Whether it takes effect only after the machine is booted again.
    pub reboot: bool,
    /// Whether it takes effect only after its programs are started again.
    pub restart: bool,
    /// Whether it takes effect only after people log in again.
    pub relogin: bool,
}

/// The document.
pub fn to_xml(advisories: &[Advisory]) -> String {
    let mut out = format!("{DECLARATION}<updates>\n");
    advisories.iter().for_each(|advisory| write(advisory, &mut out));
    out.push_str("</updates>\n");
    out
}

fn open(out: &mut String, indent: &str, name: &str, attributes: &[(&str, &str)]) {
    let _ = write!(out, "{indent}<{name}");
    for (attribute, value) in attributes {
        let _ = write!(out, " {attribute}=\"");
        push_attribute(out, value);
        out.push('"');
    }
}

fn element(out: &mut String, indent: &str, name: &str, text: &str) {
    let _ = write!(out, "{indent}<{name}>");
    push_text(out, text);
    let _ = writeln!(out, "</{name}>");
}

fn write(advisory: &Advisory, out: &mut String) {
    let attributes = [
        ("from", advisory.from.as_str()),
        ("status", &advisory.status),
        ("type", &advisory.kind),
        ("version", &advisory.version),
    ];
    open(out, "  ", "update", &attributes);
    out.push_str(">\n");
    element(out, "    ", "id", &advisory.id);
    element(out, "    ", "title", &advisory.title);
    for (name, date) in [("issued", &advisory.issued), ("updated", &advisory.updated)] {
        if !date.is_empty() {
            open(out, "    ", name, &[("date", date)]);
            out.push_str("/>\n");
        }
    }
    for (name, text) in [
        ("rights", &advisory.rights),
        ("release", &advisory.release),
        ("severity", &advisory.severity),
        ("summary", &advisory.summary),
        ("description", &advisory.description),
        ("solution", &advisory.solution),
    ] {
        if !text.is_empty() {
            element(out, "    ", name, text);
        }
    }
    out.push_str("    <references>\n");
    for reference in &advisory.references {
        let attributes = [
            ("href", reference.href.as_str()),
            ("id", &reference.id),
            ("type", &reference.kind),
            ("title", &reference.title),
        ];
        open(out, "      ", "reference", &attributes);
        out.push_str("/>\n");
    }
    out.push_str("    </references>\n    <pkglist>\n");
    advisory.collections.iter().for_each(|collection| write_collection(collection, out));
    out.push_str("    </pkglist>\n  </update>\n");
}

fn write_collection(collection: &Collection, out: &mut String) {
    open(out, "      ", "collection", &[("short", &collection.short)]);
    out.push_str(">\n");
    element(out, "        ", "name", &collection.name);
    if let Some([name, stream, version, context, arch]) = &collection.module {
        let attributes =
            [("name", name.as_str()), ("stream", stream), ("version", version), ("context", context), ("arch", arch)];
        open(out, "        ", "module", &attributes);
        out.push_str("/>\n");
    }
    for package in &collection.packages {
        let Nevra { name, evr, arch } = &package.nevra;
        let epoch = evr.epoch.to_string();
        let attributes = [
            ("name", name.as_str()),
            ("version", &evr.version),
            ("release", &evr.release),
            ("epoch", &epoch),
            ("arch", arch.as_str()),
            ("src", &package.source),
        ];
        open(out, "        ", "package", &attributes);
        out.push_str(">\n");
        element(out, "          ", "filename", &package.file_name);
        if let Some((kind, digits)) = &package.checksum {
            open(out, "          ", "sum", &[("type", kind)]);
            let _ = writeln!(out, ">{digits}</sum>");
        }
        for (name, suggested) in [
            ("reboot_suggested", package.reboot),
            ("restart_suggested", package.restart),
            ("relogin_suggested", package.relogin),
        ] {
            if suggested {
                element(out, "          ", name, "True");
            }
        }
        out.push_str("        </package>\n");
    }
    out.push_str("      </collection>\n");
}

/// Reads a document, decompressed. Unknown elements are passed over.
///
/// # Errors
/// [`ReadError`] when it is no XML, or a package has no name, version or architecture.
pub fn read(reader: impl BufRead) -> Result<Vec<Advisory>, ReadError> {
    let mut document = Document::new("updateinfo", reader);
    let mut advisories = Vec::new();
    loop {
        match document.step()? {
            Step::Open if document.depth() == 1 && document.name() != "updates" => {
                return Err(document.fact(format!("`{}` as its root", document.name())));
            }
            Step::Open if document.depth() == 2 && document.name() == "update" => {
                let advisory = read_advisory(&mut document)?;
                advisories.push(advisory);
                if advisories.len() > MAX_LIST {
                    return Err(document.fact(format!("more than {MAX_LIST} advisories")));
                }
            }
            Step::Open | Step::Close => {}
            Step::End => return Ok(advisories),
        }
    }
}

fn read_advisory<R: BufRead>(document: &mut Document<R>) -> Result<Advisory, ReadError> {
    let attribute = |document: &Document<R>, name: &str| Ok(document.attribute(name)?.unwrap_or_default());
    let mut advisory = Advisory {
        from: attribute(document, "from")?,
        status: attribute(document, "status")?,
        kind: attribute(document, "type")?,
        version: attribute(document, "version")?,
        ..Advisory::default()
    };
    loop {
        match document.step()? {
            Step::Open => match document.name() {
                "issued" => advisory.issued = attribute(document, "date")?,
                "updated" => advisory.updated = attribute(document, "date")?,
                "reference" => {
                    let reference = Reference {
                        href: attribute(document, "href")?,
                        id: attribute(document, "id")?,
                        kind: attribute(document, "type")?,
                        title: attribute(document, "title")?,
                    };
                    advisory.references.push(reference);
                }
                "collection" => {
                    let short = attribute(document, "short")?;
                    let collection = read_collection(document, short)?;
                    advisory.collections.push(collection);
                }
                _ => {}
            },
            // Depth counts what is still open: the advisory's own elements close at 2.
            Step::Close if document.depth() == 2 => {
                let text = document.text();
                match document.name() {
                    "id" => advisory.id = text.to_owned(),
                    "title" => advisory.title = text.to_owned(),
                    // Some writers give dates as text.
                    "issued" if advisory.issued.is_empty() => advisory.issued = text.trim().to_owned(),
                    "updated" if advisory.updated.is_empty() => advisory.updated = text.trim().to_owned(),
                    "rights" => advisory.rights = text.to_owned(),
                    "release" => advisory.release = text.to_owned(),
                    "severity" => advisory.severity = text.to_owned(),
                    "summary" => advisory.summary = text.to_owned(),
                    "description" => advisory.description = text.to_owned(),
                    "solution" => advisory.solution = text.to_owned(),
                    _ => {}
                }
            }
            Step::Close if document.depth() == 1 => return Ok(advisory),
            Step::Close => {}
            Step::End => return Err(document.fact("an end inside an advisory".to_owned())),
        }
        if advisory.references.len().max(advisory.collections.len()) > MAX_LIST {
            return Err(document.fact(format!("a list of more than {MAX_LIST} entries")));
        }
    }
}

fn read_collection<R: BufRead>(document: &mut Document<R>, short: String) -> Result<Collection, ReadError> {
    let mut collection = Collection { short, ..Collection::default() };
    let mut sum = String::new();
    loop {
        match document.step()? {
            Step::Open => match document.name() {
                "module" => {
                    let part = |name: &str| Ok(document.attribute(name)?.unwrap_or_default());
                    collection.module =
                        Some([part("name")?, part("stream")?, part("version")?, part("context")?, part("arch")?]);
                }
                "package" => {
                    let package = read_package(document)?;
                    collection.packages.push(package);
                    if collection.packages.len() > MAX_LIST {
                        return Err(document.fact(format!("a list of more than {MAX_LIST} entries")));
                    }
                }
                "sum" => sum = document.attribute("type")?.unwrap_or_default(),
                _ => {}
            },
            Step::Close => {
                let text = document.text();
                // Nobody writes "0" to suggest something.
                let suggested = !matches!(text.trim(), "" | "0" | "False" | "false");
                match (document.name(), collection.packages.last_mut()) {
                    ("collection", _) => return Ok(collection),
                    ("name", None) => collection.name = text.to_owned(),
                    ("filename", Some(package)) => package.file_name = text.to_owned(),
                    ("sum", Some(package)) => {
                        package.checksum = Some((std::mem::take(&mut sum), text.trim().to_owned()));
                    }
                    ("reboot_suggested", Some(package)) => package.reboot = suggested,
                    ("restart_suggested", Some(package)) => package.restart = suggested,
                    ("relogin_suggested", Some(package)) => package.relogin = suggested,
                    _ => {}
                }
            }
            Step::End => return Err(document.fact("an end inside a collection".to_owned())),
        }
    }
}

fn read_package<R: BufRead>(document: &Document<R>) -> Result<FixedPackage, ReadError> {
    let epoch = u32::try_from(document.number_attribute("epoch")?);
    let epoch = epoch.map_err(|_| document.fact("an epoch above 4294967295".to_owned()))?;
    let evr = Evr::new(epoch, document.expect_attribute("version")?, document.expect_attribute("release")?);
    let arch = Arch::new(document.expect_attribute("arch")?);
    Ok(FixedPackage {
        nevra: Nevra { name: document.expect_attribute("name")?, evr, arch },
        source: document.attribute("src")?.unwrap_or_default(),
        file_name: String::new(),
        checksum: None,
        reboot: false,
        restart: false,
        relogin: false,
    })
}

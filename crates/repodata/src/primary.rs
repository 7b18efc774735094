//! primary: the document that dependency solving reads.
//!
//! ```text
//! <metadata packages="N"> <package type="rpm">
//!   name, arch, version, checksum, summary, description, packager, url, time, size, location
//!   <format> license .. header-range, <rpm:provides><rpm:entry name= flags= epoch= ver= rel= pre=/>.., file..
//! ```

use std::fmt::Write as _;
use std::io::BufRead;

use pkg::{Arch, Condition, Evr, Nevra, Relation};

use crate::package::is_primary_path;
use crate::xml::{DECLARATION, Document, Step, push_attribute, push_text};
use crate::{Algorithm, Checksum, File, FileKind, Package, ReadError, Requirement};

/// Relations and files that one package may have; the largest real packages have some ten thousand.
pub(crate) const MAX_LIST: usize = 1 << 20;

/// The document's start, up to the first package.
pub(crate) fn head(count: usize) -> String {
    format!(
        "{DECLARATION}<metadata xmlns=\"http://linux.duke.edu/metadata/common\" \
         xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\" packages=\"{count}\">\n"
    )
}

/// The document's end.
pub(crate) const TAIL: &str = "</metadata>";

/// Appends one package's element to `out`.
pub fn write_package(package: &Package, out: &mut String) {
    out.push_str("<package type=\"rpm\">\n");
    element(out, "  ", "name", &package.nevra.name);
    element(out, "  ", "arch", package.nevra.arch.as_str());
    write_version(out, &package.nevra.evr);
    let Checksum { algorithm, hex } = &package.checksum;
    let _ = writeln!(out, "  <checksum type=\"{}\" pkgid=\"YES\">{hex}</checksum>", algorithm.as_str());
    element(out, "  ", "summary", &package.summary);
    element(out, "  ", "description", &package.description);
    element(out, "  ", "packager", &package.packager);
    element(out, "  ", "url", &package.url);
    let _ = writeln!(out, "  <time file=\"{}\" build=\"{}\"/>", package.file_time, package.build_time);
    let sizes = package.sizes;
    let _ = writeln!(
        out,
        "  <size package=\"{}\" installed=\"{}\" archive=\"{}\"/>",
        sizes.package, sizes.installed, sizes.archive
    );
    out.push_str("  <location");
    if let Some(base) = &package.location_base {
        attribute(out, "xml:base", base);
    }
    attribute(out, "href", &package.location);
    out.push_str("/>\n  <format>\n");
    element(out, "    ", "rpm:license", &package.license);
    element(out, "    ", "rpm:vendor", &package.vendor);
    element(out, "    ", "rpm:group", &package.group);
    element(out, "    ", "rpm:buildhost", &package.build_host);
    element(out, "    ", "rpm:sourcerpm", &package.source_rpm);
    let range = package.header_range;
    let _ = writeln!(out, "    <rpm:header-range start=\"{}\" end=\"{}\"/>", range.start, range.end);
    write_relations(out, "provides", &package.provides);
    write_entries(out, "requires", package.requires.iter().map(|required| (&required.relation, required.pre)));
    write_relations(out, "conflicts", &package.conflicts);
    write_relations(out, "obsoletes", &package.obsoletes);
    write_relations(out, "suggests", &package.suggests);
    write_relations(out, "enhances", &package.enhances);
    write_relations(out, "recommends", &package.recommends);
    write_relations(out, "supplements", &package.supplements);
    for file in package.files.iter().filter(|file| is_primary_path(&file.path)) {
        write_file(out, "    ", file);
    }
    out.push_str("  </format>\n</package>\n");
}

fn element(out: &mut String, indent: &str, name: &str, text: &str) {
    let _ = write!(out, "{indent}<{name}>");
    push_text(out, text);
    let _ = writeln!(out, "</{name}>");
}

fn attribute(out: &mut String, name: &str, value: &str) {
    let _ = write!(out, " {name}=\"");
    push_attribute(out, value);
    out.push('"');
}

pub(crate) fn write_version(out: &mut String, evr: &Evr) {
    let _ = write!(out, "  <version epoch=\"{}\"", evr.epoch);
    attribute(out, "ver", &evr.version);
    attribute(out, "rel", &evr.release);
    out.push_str("/>\n");
}

pub(crate) fn write_file(out: &mut String, indent: &str, file: &File) {
    let _ = match file.kind {
        FileKind::File => write!(out, "{indent}<file>"),
        FileKind::Directory => write!(out, "{indent}<file type=\"dir\">"),
        FileKind::Ghost => write!(out, "{indent}<file type=\"ghost\">"),
    };
    push_text(out, &file.path);
    out.push_str("</file>\n");
}

fn write_relations(out: &mut String, kind: &str, relations: &[Relation]) {
    write_entries(out, kind, relations.iter().map(|relation| (relation, false)));
}

fn write_entries<'a>(out: &mut String, kind: &str, entries: impl Iterator<Item = (&'a Relation, bool)>) {
    let mut empty = true;
    for (relation, pre) in entries {
        if std::mem::take(&mut empty) {
            let _ = writeln!(out, "    <rpm:{kind}>");
        }
        out.push_str("      <rpm:entry");
        attribute(out, "name", &relation.name);
        if let Some((condition, evr)) = &relation.bound {
            let _ = write!(out, " flags=\"{}\" epoch=\"{}\"", flags(*condition), evr.epoch);
            attribute(out, "ver", &evr.version);
            if !evr.release.is_empty() {
                attribute(out, "rel", &evr.release);
            }
        }
        out.push_str(if pre { " pre=\"1\"/>\n" } else { "/>\n" });
    }
    if !empty {
        let _ = writeln!(out, "    </rpm:{kind}>");
    }
}

fn flags(condition: Condition) -> &'static str {
    match condition {
        Condition::Less => "LT",
        Condition::LessOrEqual => "LE",
        Condition::Equal => "EQ",
        Condition::GreaterOrEqual => "GE",
        Condition::Greater => "GT",
    }
}

pub(crate) fn parse_flags(text: &str) -> Option<Condition> {
    Some(match text {
        "LT" => Condition::Less,
        "LE" => Condition::LessOrEqual,
        "EQ" => Condition::Equal,
        "GE" => Condition::GreaterOrEqual,
        "GT" => Condition::Greater,
        _ => return None,
    })
}

/// Reads the packages of a primary document one by one. Their files are those that primary lists; there is no changelog.
pub struct Reader<R> {
    document: Document<R>,
}

impl<R: BufRead> Reader<R> {
    /// Reads decompressed XML: see [`crate::decompress`].
    pub fn new(reader: R) -> Reader<R> {
        Reader { document: Document::new("primary", reader) }
    }

    fn next_package(&mut self) -> Result<Option<Package>, ReadError> {
        loop {
            match self.document.step()? {
                Step::Open if self.document.depth() == 1 && self.document.name() != "metadata" => {
                    return Err(self.document.fact(format!("`{}` as its root", self.document.name())));
                }
                Step::Open if self.document.depth() == 2 && self.document.name() == "package" => {
                    return read_package(&mut self.document).map(Some);
                }
                Step::Open | Step::Close => {}
                Step::End => return Ok(None),
            }
        }
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Package, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_package().transpose()
    }
}

pub(crate) fn read_version<R: BufRead>(document: &Document<R>) -> Result<Evr, ReadError> {
    let epoch = u32::try_from(document.number_attribute("epoch")?)
        .map_err(|_| document.fact("an epoch above 4294967295".to_owned()))?;
    let version = document.expect_attribute("ver")?;
    Ok(Evr::new(epoch, version, document.attribute("rel")?.unwrap_or_default()))
}

pub(crate) fn read_kind<R: BufRead>(document: &Document<R>) -> Result<FileKind, ReadError> {
    Ok(match document.attribute("type")?.as_deref() {
        Some("dir") => FileKind::Directory,
        Some("ghost") => FileKind::Ghost,
        _ => FileKind::File,
    })
}

/// Refuses locations that lead out of the repository.
/// Whether a path stays below the repository.
pub(crate) fn is_location(location: &str) -> bool {
    let outside = location.starts_with('/') || location.contains('\0') || location.split('/').any(|part| part == "..");
    !location.is_empty() && !outside
}

pub(crate) fn check_location<R: BufRead>(document: &Document<R>, location: &str) -> Result<(), ReadError> {
    if !is_location(location) {
        return Err(document.fact(format!("`{location}` as a location, which is not below the repository")));
    }
    Ok(())
}

/// Reads up to the end of the `package` element that is open.
fn read_package<R: BufRead>(document: &mut Document<R>) -> Result<Package, ReadError> {
    // The checksum is a placeholder until its element comes; `finish` sees to it that it came.
    let nevra = Nevra { name: String::new(), evr: Evr::default(), arch: Arch::new("") };
    let mut package = Package::new(nevra, Checksum { algorithm: Algorithm::Sha256, hex: String::new() });
    let mut kind = FileKind::File;
    let mut algorithm = String::new();
    let mut list = String::new();
    loop {
        match document.step()? {
            Step::Open => match document.name() {
                "version" => package.nevra.evr = read_version(document)?,
                "checksum" => algorithm = document.expect_attribute("type")?,
                "time" => {
                    package.file_time = document.number_attribute("file")?;
                    package.build_time = document.number_attribute("build")?;
                }
                "size" => {
                    package.sizes.package = document.number_attribute("package")?;
                    package.sizes.installed = document.number_attribute("installed")?;
                    package.sizes.archive = document.number_attribute("archive")?;
                }
                "location" => {
                    package.location = document.expect_attribute("href")?;
                    package.location_base = document.attribute("base")?;
                    check_location(document, &package.location)?;
                }
                "header-range" => {
                    package.header_range.start = document.number_attribute("start")?;
                    package.header_range.end = document.number_attribute("end")?;
                }
                "file" => kind = read_kind(document)?,
                "entry" => read_entry(document, &list, &mut package)?,
                "provides" | "requires" | "conflicts" | "obsoletes" | "recommends" | "suggests" | "supplements"
                | "enhances" => {
                    list.clear();
                    list.push_str(document.name());
                }
                _ => {}
            },
            Step::Close => {
                let text = document.text();
                match document.name() {
                    "name" => package.nevra.name = text.to_owned(),
                    "arch" => package.nevra.arch = Arch::new(text),
                    "checksum" => {
                        let checksum = Algorithm::parse(&algorithm).and_then(|kind| Checksum::new(kind, text.trim()));
                        package.checksum = checksum
                            .ok_or_else(|| document.fact(format!("`{text}`, which is no {algorithm} checksum")))?;
                    }
                    "summary" => package.summary = text.to_owned(),
                    "description" => package.description = text.to_owned(),
                    "packager" => package.packager = text.to_owned(),
                    "url" => package.url = text.to_owned(),
                    "license" => package.license = text.to_owned(),
                    "vendor" => package.vendor = text.to_owned(),
                    "group" => package.group = text.to_owned(),
                    "buildhost" => package.build_host = text.to_owned(),
                    "sourcerpm" => package.source_rpm = text.to_owned(),
                    "file" => {
                        package.files.push(File { path: text.to_owned(), kind });
                        check_length(document, package.files.len())?;
                    }
                    "package" => return finish(document, package),
                    _ => {}
                }
            }
            Step::End => return Err(document.fact("an end inside a package".to_owned())),
        }
    }
}

pub(crate) fn check_length<R: BufRead>(document: &Document<R>, length: usize) -> Result<(), ReadError> {
    if length > MAX_LIST {
        return Err(document.fact(format!("a list of more than {MAX_LIST} entries")));
    }
    Ok(())
}

fn finish<R: BufRead>(document: &Document<R>, package: Package) -> Result<Package, ReadError> {
    for (missing, what) in [
        (package.nevra.name.is_empty(), "name"),
        (package.nevra.arch.as_str().is_empty(), "arch"),
        (package.nevra.evr.version.is_empty(), "version"),
        (package.checksum.hex.is_empty(), "checksum"),
        (package.location.is_empty(), "location"),
    ] {
        if missing {
            return Err(document.fact(format!("a package `{}` without `{what}`", package.nevra.name)));
        }
    }
    Ok(package)
}

fn read_entry<R: BufRead>(document: &Document<R>, list: &str, package: &mut Package) -> Result<(), ReadError> {
    let name = document.expect_attribute("name")?;
    let bound = match document.attribute("flags")? {
        Some(text) => {
            let condition =
                parse_flags(&text).ok_or_else(|| document.fact(format!("`{text}` as the flags of `{name}`")))?;
            Some((condition, read_version(document)?))
        }
        None => None,
    };
    let relation = Relation { name, bound };
    let relations = match list {
        "requires" => {
            let pre = matches!(document.attribute("pre")?.as_deref(), Some("1" | "true"));
            package.requires.push(Requirement { relation, pre });
            return check_length(document, package.requires.len());
        }
        "provides" => &mut package.provides,
        "conflicts" => &mut package.conflicts,
        "obsoletes" => &mut package.obsoletes,
        "recommends" => &mut package.recommends,
        "suggests" => &mut package.suggests,
        "supplements" => &mut package.supplements,
        "enhances" => &mut package.enhances,
        _ => return Err(document.fact(format!("`{relation}` in no list of relations"))),
    };
    relations.push(relation);
    check_length(document, relations.len())
}

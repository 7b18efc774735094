use std::fmt::Write as _;
use std::io::BufRead;

use crate::primary::check_location;
use crate::xml::{DECLARATION, Document, Step, push_attribute, push_text};
use crate::{Algorithm, Checksum, ReadError};

/// The index of a repository's documents: `repodata/repomd.xml`.
///
/// It is the one file that is signed; everything else is trusted through the checksums in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repomd {
    /// Tells versions of one repository apart; by habit seconds since 1970.
    pub revision: String,
    /// The documents.
    pub data: Vec<Data>,
}

/// What the index says of one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data {
    /// `primary`, `filelists`, `other`, `group`, `updateinfo`, `modules` ..
    pub kind: String,
    /// Of the file.
    pub checksum: Checksum,
    /// Of the decompressed text; missing where it is not compressed.
    pub open_checksum: Option<Checksum>,
    /// The file's path below the repository's base.
    pub location: String,
    /// Modification time, in seconds since 1970.
    pub timestamp: u64,
    /// Bytes of the file.
    pub size: Option<u64>,
    /// Bytes of the decompressed text.
    pub open_size: Option<u64>,
}

impl Repomd {
    /// The document of one kind.
    pub fn document(&self, kind: &str) -> Option<&Data> {
        self.data.iter().find(|data| data.kind == kind)
    }

    /// The index as XML.
    pub fn to_xml(&self) -> String {
        let mut out = String::from(DECLARATION);
        out.push_str(
            "<repomd xmlns=\"http://linux.duke.edu/metadata/repo\" xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\">\n",
        );
        out.push_str("  <revision>");
        push_text(&mut out, &self.revision);
        out.push_str("</revision>\n");
        for data in &self.data {
            out.push_str("  <data type=\"");
            push_attribute(&mut out, &data.kind);
            out.push_str("\">\n");
            for (name, checksum) in [("checksum", Some(&data.checksum)), ("open-checksum", data.open_checksum.as_ref())]
            {
                if let Some(Checksum { algorithm, hex }) = checksum {
                    let _ = writeln!(out, "    <{name} type=\"{}\">{hex}</{name}>", algorithm.as_str());
                }
            }
            out.push_str("    <location href=\"");
            push_attribute(&mut out, &data.location);
            out.push_str("\"/>\n");
            let _ = writeln!(out, "    <timestamp>{}</timestamp>", data.timestamp);
            for (name, size) in [("size", data.size), ("open-size", data.open_size)] {
                if let Some(size) = size {
                    let _ = writeln!(out, "    <{name}>{size}</{name}>");
                }
            }
            out.push_str("  </data>\n");
        }
        out.push_str("</repomd>\n");
        out
    }

    /// Reads an index. Unknown elements are passed over.
    ///
    /// # Errors
    /// [`ReadError`] when it is no XML, a checksum is none, or a location leads out of the repository.
    pub fn read(reader: impl BufRead) -> Result<Repomd, ReadError> {
        let mut document = Document::new("repomd", reader);
        let mut repomd = Repomd { revision: String::new(), data: Vec::new() };
        loop {
            match document.step()? {
                Step::Open if document.depth() == 1 && document.name() != "repomd" => {
                    return Err(document.fact(format!("`{}` as its root", document.name())));
                }
                Step::Open if document.depth() == 2 && document.name() == "data" => {
                    let data = read_data(&mut document)?;
                    repomd.data.push(data);
                }
                Step::Close if document.depth() == 1 && document.name() == "revision" => {
                    repomd.revision = document.text().to_owned();
                }
                Step::Open | Step::Close => {}
                Step::End => return Ok(repomd),
            }
        }
    }
}

/// Reads up to the end of the `data` element that is open.
fn read_data<R: BufRead>(document: &mut Document<R>) -> Result<Data, ReadError> {
    let kind = document.expect_attribute("type")?;
    let (mut checksum, mut open_checksum, mut location) = (None, None, None);
    let (mut timestamp, mut size, mut open_size) = (0, None, None);
    let mut algorithm = String::new();
    loop {
        match document.step()? {
            Step::Open => match document.name() {
                "checksum" | "open-checksum" => algorithm = document.expect_attribute("type")?,
                "location" => {
                    let href = document.expect_attribute("href")?;
                    check_location(document, &href)?;
                    location = Some(href);
                }
                _ => {}
            },
            Step::Close => {
                let text = document.text();
                let read_checksum = || {
                    let checksum = Algorithm::parse(&algorithm).and_then(|kind| Checksum::new(kind, text.trim()));
                    checksum.ok_or_else(|| document.fact(format!("`{text}`, which is no {algorithm} checksum")))
                };
                match document.name() {
                    "checksum" => checksum = Some(read_checksum()?),
                    "open-checksum" => open_checksum = Some(read_checksum()?),
                    "timestamp" => timestamp = document.number(text)?,
                    "size" => size = Some(document.number(text)?),
                    "open-size" => open_size = Some(document.number(text)?),
                    "data" => break,
                    _ => {}
                }
            }
            Step::End => return Err(document.fact("an end inside `data`".to_owned())),
        }
    }
    let checksum = checksum.ok_or_else(|| document.fact(format!("`{kind}` without `checksum`")))?;
    let location = location.ok_or_else(|| document.fact(format!("`{kind}` without `location`")))?;
    Ok(Data { kind, checksum, open_checksum, location, timestamp, size, open_size })
}

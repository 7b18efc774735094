use std::io::{self, Read};
use std::ops::Range;

use pkg::{Arch, Evr, Nevra};

use crate::{FileEntry, FilesError, Header, HeaderError, Lead, Payload, PayloadError, Tag};

/// All of a package but its payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// The first 96 bytes.
    pub lead: Lead,
    /// Digests and signatures over what follows.
    pub signature: Header,
    /// What is known of the package.
    pub header: Header,
    /// Bytes of the main header in the file, magic included. The payload starts at its end.
    pub header_range: Range<u64>,
}

/// Why a file is no package that can be read.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// Does not start with a lead.
    #[error("it does not start like an rpm package (edabeedb and 92 more bytes)")]
    Lead,
    /// One of its two headers is wrong.
    #[error("{which} header: {cause}")]
    Header {
        /// `signature` or `main`.
        which: &'static str,
        /// What is wrong with it.
        cause: HeaderError,
    },
    /// The main header lacks what every package has.
    #[error("the header has no {0}")]
    Missing(Tag),
    /// Reading failed.
    #[error(transparent)]
    Read(#[from] io::Error),
}

impl Package {
    /// Reads lead, signature and main header; the reader then stands at the payload.
    ///
    /// Checks structure, not digests: see [`Package::verify_header`]. Reads v4 and v6 packages.
    pub fn read(reader: &mut impl Read) -> Result<Package, PackageError> {
        let lead = Lead::read(reader)?.ok_or(PackageError::Lead)?;
        let signature = Header::read(reader, Tag::HEADERSIGNATURES)
            .map_err(|cause| PackageError::Header { which: "signature", cause })?;
        let signature_bytes = signature.blob().len() as u64 + 8;
        let padding = signature_bytes.next_multiple_of(8) - signature_bytes;
        io::copy(&mut reader.take(padding), &mut io::sink())?;
        let header = Header::read(reader, Tag::HEADERIMMUTABLE)
            .map_err(|cause| PackageError::Header { which: "main", cause })?;
        let start = Lead::BYTES as u64 + signature_bytes + padding;
        let header_range = start..start + header.blob().len() as u64 + 8;
        for tag in [Tag::NAME, Tag::VERSION, Tag::RELEASE] {
            if header.str(tag).is_none_or(str::is_empty) {
                return Err(PackageError::Missing(tag));
            }
        }
        Ok(Package { lead, signature, header, header_range })
    }

    /// The files with their bytes, from a reader that stands at the payload.
    pub fn payload<R: Read>(&self, reader: R) -> Result<Payload<R>, PayloadError> {
        Payload::new(&self.header, reader, true)
    }

    /// Like [`Package::payload`], from a file whose digest as a whole was compared: the payload's own is not computed again.
    pub fn payload_of_known<R: Read>(&self, reader: R) -> Result<Payload<R>, PayloadError> {
        Payload::new(&self.header, reader, false)
    }

    /// The table of files.
    pub fn files(&self) -> Result<Vec<FileEntry>, FilesError> {
        self.header.files()
    }

    /// Name, epoch, version, release and architecture; `src` or `nosrc` for source packages.
    pub fn nevra(&self) -> Nevra {
        self.header.nevra()
    }
}

/// What every package says of itself. Texts are empty when missing, which only the optional ones are in practice.
impl Header {
    /// The package's name.
    pub fn name(&self) -> &str {
        self.str(Tag::NAME).unwrap_or_default()
    }

    /// Epoch, version, release.
    pub fn evr(&self) -> Evr {
        let text = |tag| self.str(tag).unwrap_or_default();
        Evr::new(self.number(Tag::EPOCH).unwrap_or_default() as u32, text(Tag::VERSION), text(Tag::RELEASE))
    }

    /// The machine that it is for; `src` or `nosrc` for source packages, whose header names the machine that made them.
    pub fn arch(&self) -> Arch {
        if self.is_source() {
            let nosrc = self.contains(Tag::NOSOURCE) || self.contains(Tag::NOPATCH);
            return if nosrc { Arch::new("nosrc") } else { Arch::src() };
        }
        Arch::new(self.str(Tag::ARCH).unwrap_or_default())
    }

    /// Name, EVR and architecture.
    pub fn nevra(&self) -> Nevra {
        Nevra { name: self.name().to_owned(), evr: self.evr(), arch: self.arch() }
    }

    /// Whether it is a source package: it has no `SOURCERPM`, or says so itself.
    pub fn is_source(&self) -> bool {
        self.contains(Tag::SOURCEPACKAGE) || !self.contains(Tag::SOURCERPM)
    }

    /// One line.
    pub fn summary(&self) -> &str {
        self.str(Tag::SUMMARY).unwrap_or_default()
    }

    /// Paragraphs.
    pub fn description(&self) -> &str {
        self.str(Tag::DESCRIPTION).unwrap_or_default()
    }

    /// The licence as the spec wrote it.
    pub fn license(&self) -> &str {
        self.str(Tag::LICENSE).unwrap_or_default()
    }

    /// The file name of the source package that it was built from.
    pub fn source_rpm(&self) -> Option<&str> {
        self.str(Tag::SOURCERPM)
    }

    /// When it was built, seconds since 1970.
    pub fn build_time(&self) -> u64 {
        self.number(Tag::BUILDTIME).unwrap_or_default()
    }

    /// Bytes of all its files together, hard links once.
    pub fn installed_size(&self) -> u64 {
        self.number(Tag::LONGSIZE).or_else(|| self.number(Tag::SIZE)).unwrap_or_default()
    }

    /// The version of the package format: 4 or 6.
    pub fn format(&self) -> u32 {
        self.number(Tag::RPMFORMAT).map_or(4, |number| number as u32)
    }
}

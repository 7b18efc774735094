//! Unified kernel images: kernel, initrd, command line and more as sections behind systemd's stub, one program for firmware.
//!
//! ```text
//! DOS header, PE header, section table     the stub's, with rows added
//! .text .rodata .data .sbat .sdmagic ..    the stub's sections, untouched
//! .osrel .cmdline .uname .linux .initrd    added: aligned to FileAlignment in the file, to SectionAlignment in memory
//! ```
//!
//! Sources: Microsoft PE Format; UAPI.5 Unified Kernel Image; systemd's `ukify` for what is where.

mod checksum;
mod image;

pub use checksum::checksum;

use image::Image;

/// A section of an image: a name of up to eight ASCII characters, and bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Section<'a> {
    /// The name, with its dot: `.osrel`.
    pub name: &'a str,
    /// What is in it.
    pub bytes: &'a [u8],
}

/// What goes into a unified kernel image. Only the kernel has to be there; empty parts are left out.
///
/// ```
/// # fn example(stub: &[u8], kernel: &[u8], initrd: &[u8]) -> Result<Vec<u8>, disk::uki::UkiError> {
/// let uki = disk::uki::Uki { linux: kernel, initrd, command_line: "console=ttyS0", ..Default::default() };
/// uki.build(stub)
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Uki<'a> {
    /// `.osrel`: the text of os-release; boot menus show its `PRETTY_NAME`.
    pub os_release: &'a str,
    /// `.cmdline`: the kernel's command line.
    pub command_line: &'a str,
    /// `.uname`: the kernel's release, as in `uname -r`.
    pub uname: &'a str,
    /// `.sbat`: CSV for shim's revocations; takes the place of the stub's own.
    pub sbat: &'a [u8],
    /// `.splash`: a picture in BMP.
    pub splash: &'a [u8],
    /// `.dtb`: a device tree.
    pub device_tree: &'a [u8],
    /// `.ucode`: microcode for the processor, an uncompressed cpio.
    pub microcode: &'a [u8],
    /// `.pcrsig`: signatures of expected PCR values, JSON.
    pub pcr_signatures: &'a [u8],
    /// `.pcrpkey`: the public key of those, PEM.
    pub pcr_public_key: &'a [u8],
    /// `.linux`: the kernel, itself a PE program.
    pub linux: &'a [u8],
    /// `.initrd`: the initial file system, a cpio.
    pub initrd: &'a [u8],
}

impl<'a> Uki<'a> {
    /// The sections in the order in which they are added.
    pub fn sections(&self) -> Vec<Section<'a>> {
        let all = [
            (".osrel", self.os_release.as_bytes()),
            (".cmdline", self.command_line.as_bytes()),
            (".uname", self.uname.as_bytes()),
            (".sbat", self.sbat),
            (".splash", self.splash),
            (".dtb", self.device_tree),
            (".ucode", self.microcode),
            (".pcrpkey", self.pcr_public_key),
            (".pcrsig", self.pcr_signatures),
            (".linux", self.linux),
            (".initrd", self.initrd),
        ];
        let given = all.into_iter().filter(|(_, bytes)| !bytes.is_empty());
        given.map(|(name, bytes)| Section { name, bytes }).collect()
    }

    /// The image: systemd's `linuxx64.efi.stub` (or that of another machine) with the sections behind it.
    pub fn build(&self, stub: &[u8]) -> Result<Vec<u8>, UkiError> {
        build(stub, &self.sections())
    }
}

/// Why no image can be made, or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UkiError {
    /// Not a PE32+ program.
    #[error("not a PE32+ program: {0}")]
    NotPe(&'static str),
    /// A signed stub: sections would break the signature.
    #[error("the stub is signed; sections can be added only to one without a signature")]
    Signed,
    /// There are bytes behind the last section that nothing describes.
    #[error("the stub has {0} bytes behind its last section")]
    Trailing(usize),
    /// No place for more rows in the section table.
    #[error("the stub's headers have place for {place} more sections, {needed} are to be added")]
    Headers {
        /// Rows that fit before the first section.
        place: usize,
        /// Rows that are to be added.
        needed: usize,
    },
    /// A section's name that does not fit its eight bytes.
    #[error("`{0}` is no section name: a dot and up to seven ASCII letters, digits, `_` or `-`")]
    Name(String),
    /// A section twice.
    #[error("section `{0}` is there twice")]
    Duplicate(String),
    /// A section that takes the place of one in the stub has to fit there.
    #[error("section `{name}` has {size} bytes, the stub's own has place for {place}")]
    Replace {
        /// The section.
        name: String,
        /// Its bytes.
        size: usize,
        /// Bytes that fit into the stub's.
        place: usize,
    },
    /// Addresses and sizes have 32 bits in a PE program.
    #[error("section `{0}` ends beyond 4 GiB")]
    TooLarge(String),
}

/// Adds sections to a stub. One that the stub has already (`.sbat`) takes that one's place.
///
/// Equal input gives equal bytes: the stub's time stamp stays as it is, the header's checksum is made anew.
pub fn build(stub: &[u8], sections: &[Section<'_>]) -> Result<Vec<u8>, UkiError> {
    let mut image = Image::read(stub)?;
    image.check_stub(stub)?;
    for (index, section) in sections.iter().enumerate() {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        let rest = section.name.strip_prefix('.').unwrap_or("");
        if rest.is_empty() || rest.len() > 7 || !rest.bytes().all(allowed) {
            return Err(UkiError::Name(section.name.to_owned()));
        }
        if sections[..index].iter().any(|other| other.name == section.name) {
            return Err(UkiError::Duplicate(section.name.to_owned()));
        }
    }
    let (replaced, added): (Vec<_>, Vec<_>) =
        sections.iter().partition(|section| image.sections.iter().any(|row| row.is_named(section.name)));
    let place = image.free_rows();
    if added.len() > place {
        return Err(UkiError::Headers { place, needed: added.len() });
    }
    let mut bytes = stub[..image.end_of_sections()].to_vec();
    for section in replaced {
        image.replace(&mut bytes, section)?;
    }
    for section in added {
        image.append(&mut bytes, section)?;
    }
    image.finish(&mut bytes);
    Ok(bytes)
}

/// The sections of a PE program in the order of its table, each without the padding behind it.
pub fn read(image: &[u8]) -> Result<Vec<(String, &[u8])>, UkiError> {
    let rows = Image::read(image)?.sections;
    rows.into_iter().map(|row| Ok((row.name(), row.content(image)?))).collect()
}

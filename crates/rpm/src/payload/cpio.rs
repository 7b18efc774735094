use std::io::{self, Read};

use super::PayloadError;
use crate::{Algorithm, Checksum, Checksummer};

/// Bytes of a `070701` member's fields behind the magic: 13 numbers of eight hexadecimal digits.
const FIELDS: usize = 104;
/// Longest name of a member, its NUL included.
const NAME_MAX: usize = 4096 + 2;
const TRAILER: &[u8] = b"TRAILER!!!";

/// What stands at the start of a member.
pub(super) enum Member {
    /// cpio's own form.
    Named { name: Vec<u8>, size: u64 },
    /// rpm's form: a row of the table of files, which also has the size.
    Row(u32),
}

/// What went wrong while reading an archive.
pub(super) enum ArchiveError {
    Form { what: &'static str, at: u64 },
    Read(io::Error),
}

impl ArchiveError {
    pub(super) fn at(self, compression: &'static str) -> PayloadError {
        match self {
            ArchiveError::Form { what, at } => PayloadError::Archive { what, at },
            ArchiveError::Read(cause) => PayloadError::Read { compression, cause },
        }
    }
}

impl From<io::Error> for ArchiveError {
    fn from(error: io::Error) -> ArchiveError {
        ArchiveError::Read(error)
    }
}

/// A cpio archive as a stream.
pub(super) struct Archive<R> {
    reader: R,
    hash: Option<Checksummer>,
    /// Bytes read.
    offset: u64,
    /// Bytes of the current member that are still to be read.
    left: u64,
    ended: bool,
}

impl<R: Read> Archive<R> {
    pub(super) fn new(reader: R, hash: Option<Algorithm>) -> Archive<R> {
        Archive { reader, hash: hash.map(Checksummer::new), offset: 0, left: 0, ended: false }
    }

    /// Reads the start of the next member; `None` at the trailer, and ever after.
    pub(super) fn next_member(&mut self) -> Result<Option<Member>, ArchiveError> {
        if self.ended {
            return Ok(None);
        }
        let mut waste = [0; 16 << 10];
        while self.left > 0 {
            if self.read_member(&mut waste)? == 0 {
                return Err(self.wrong("a file ends early"));
            }
        }
        self.pad()?;
        let mut magic = [0; 6];
        self.fill(&mut magic)?;
        let member = match &magic {
            b"07070X" => Member::Row(self.row()?),
            b"070701" | b"070702" => self.named()?,
            _ => return Err(self.wrong("there is no cpio member")),
        };
        self.pad()?;
        if matches!(&member, Member::Named { name, .. } if name == TRAILER) {
            self.ended = true;
            return Ok(None);
        }
        Ok(Some(member))
    }

    fn row(&mut self) -> Result<u32, ArchiveError> {
        let mut digits = [0; 8];
        self.fill(&mut digits)?;
        self.number(&digits)
    }

    fn named(&mut self) -> Result<Member, ArchiveError> {
        let mut fields = [0; FIELDS];
        self.fill(&mut fields)?;
        let size = self.number(&fields[48..56])?;
        let name_size = self.number(&fields[88..96])? as usize;
        if name_size == 0 || name_size > NAME_MAX {
            return Err(self.wrong("a cpio member has no name, or one longer than 4096 bytes"));
        }
        let mut name = vec![0; name_size];
        self.fill(&mut name)?;
        if name.pop() != Some(0) || name.contains(&0) {
            return Err(self.wrong("the name of a cpio member does not end with its NUL"));
        }
        Ok(Member::Named { name, size: u64::from(size) })
    }

    /// Sets how many bytes the current member has.
    pub(super) fn expect(&mut self, size: u64) {
        self.left = size;
    }

    /// Bytes of the current member that are still to be read.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// Reads a symlink's target; `size` is bounded by the longest path that there can be.
    pub(super) fn read_text(&mut self, size: u64) -> Result<Vec<u8>, ArchiveError> {
        if size > 4096 {
            return Err(self.wrong("a symlink's target is longer than 4096 bytes"));
        }
        let mut text = vec![0; size as usize];
        self.fill(&mut text)?;
        self.left = 0;
        Ok(text)
    }

    /// Reads bytes of the current member; 0 when it has no more.
    pub(super) fn read_member(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let count = self.take(most, buffer)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= count as u64;
        Ok(count)
    }

    /// Reads what follows the trailer; `false` when that is more than `most` bytes.
    pub(super) fn skip_trailing(&mut self, most: u64) -> io::Result<bool> {
        let mut waste = [0; 4096];
        let mut skipped = 0;
        loop {
            match self.take(waste.len(), &mut waste)? {
                0 => return Ok(true),
                count => skipped += count as u64,
            }
            if skipped > most {
                return Ok(false);
            }
        }
    }

    /// The reader and the digest of all that was read.
    pub(super) fn into_parts(self) -> (R, Option<Checksum>) {
        (self.reader, self.hash.map(Checksummer::finish))
    }

    fn take(&mut self, most: usize, buffer: &mut [u8]) -> io::Result<usize> {
        let count = loop {
            match self.reader.read(&mut buffer[..most]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.offset += count as u64;
        if let Some(hash) = &mut self.hash {
            hash.update(&buffer[..count]);
        }
        Ok(count)
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), ArchiveError> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.take(buffer.len() - filled, &mut buffer[filled..])? {
                0 => return Err(self.wrong("the archive ends early")),
                count => filled += count,
            }
        }
        Ok(())
    }

    fn pad(&mut self) -> Result<(), ArchiveError> {
        let padding = (self.offset.next_multiple_of(4) - self.offset) as usize;
        self.fill(&mut [0; 4][..padding])
    }

    fn number(&self, digits: &[u8]) -> Result<u32, ArchiveError> {
        let text = std::str::from_utf8(digits).ok().filter(|text| !text.starts_with('+'));
        text.and_then(|text| u32::from_str_radix(text, 16).ok())
            .ok_or_else(|| self.wrong("a number of a cpio member is not hexadecimal"))
    }

    fn wrong(&self, what: &'static str) -> ArchiveError {
        ArchiveError::Form { what, at: self.offset }
    }
}

//! The payload: a compressed cpio archive whose members are rows of the header's table of files.
//!
//! Two forms of members occur. `070701` is cpio's newc, 110 bytes with the name behind them; `07070X` is rpm's own, a row
//! number and nothing else, used when a size does not fit 32 bits and in v6. Members are padded to 4 bytes; of a set of
//! hard links only the last has bytes. Source: rpm, `lib/cpio.cc` and `lib/rpmfi.cc`.

mod cpio;
mod decompress;

use std::collections::{BTreeSet, HashMap};
use std::io::{self, Read};

use crate::{Algorithm, Checksum, FileEntry, FileKind, FilesError, Header, Tag};
use cpio::{Archive, Member};
pub use decompress::Compression;
use decompress::Decompressor;

/// Why a payload cannot be read, or is not what the header says.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum PayloadError {
    #[error(transparent)]
    Files(#[from] FilesError),
    #[error("the payload is `{0}`; only `cpio` is known")]
    Format(String),
    #[error("the payload is compressed by `{0}`; known are gzip, xz, lzma, zstd and bzip2")]
    Compressor(String),
    #[error("the payload does not read as {compression}: {cause}")]
    Read { compression: &'static str, cause: io::Error },
    #[error("{what} at byte {at} of the unpacked payload")]
    Archive { what: &'static str, at: u64 },
    #[error("the payload has `{0}`, which the header does not list")]
    Unlisted(String),
    #[error("the payload has `{0}` twice")]
    Twice(String),
    #[error("`{path}` has {found} bytes in the payload; the header says {expected}")]
    FileSize { path: String, expected: u64, found: u64 },
    #[error("`{path}` leads to `{found}` in the payload; the header says `{expected}`")]
    LinkTarget { path: String, expected: String, found: String },
    #[error("the payload lacks `{path}` and {more} more of the header's files")]
    MissingFiles { path: String, more: usize },
    #[error("the payload goes on for more than {0} bytes behind its end")]
    Trailing(u64),
    #[error("{what} is {found}; the header says {expected}")]
    Digest { what: &'static str, expected: Checksum, found: Checksum },
}

/// Bytes that may follow the archive's last member: cpio pads, nothing else belongs there.
const TRAILING_MAX: u64 = 64 << 10;

/// A payload that is read member by member.
///
/// Members come in the archive's order. Call [`Payload::next`] until it gives `None`, then [`Payload::finish`]: only then is
/// it known that the payload is the one that the header's digest names.
pub struct Payload<R: Read> {
    archive: Archive<Decompressor<R>>,
    compression: &'static str,
    files: Vec<FileEntry>,
    by_path: HashMap<String, usize>,
    /// By set of hard links, the row of its last name.
    last_link: HashMap<usize, usize>,
    seen: Vec<bool>,
    /// Sets of hard links whose bytes have come.
    filled: BTreeSet<usize>,
    expected: Vec<(&'static str, bool, Checksum)>,
}

/// One member: a row of the table of files, and a reader of its bytes.
pub struct Item<'a, R: Read> {
    /// Row in the table of files.
    pub index: usize,
    /// The row.
    pub file: &'a FileEntry,
    /// Bytes that reading gives: 0 for all but regular files, and for all but one of a set of hard links.
    pub size: u64,
    archive: &'a mut Archive<Decompressor<R>>,
}

impl<R: Read> Payload<R> {
    pub(crate) fn new(header: &Header, reader: R, is_checked: bool) -> Result<Payload<R>, PayloadError> {
        let format = header.str(Tag::PAYLOADFORMAT).unwrap_or("cpio");
        if format != "cpio" {
            return Err(PayloadError::Format(format.to_owned()));
        }
        let compression = header.str(Tag::PAYLOADCOMPRESSOR).unwrap_or("gzip");
        let compression =
            Compression::parse(compression).ok_or_else(|| PayloadError::Compressor(compression.to_owned()))?;
        let files = header.files()?;
        let by_path = files.iter().enumerate().map(|(index, file)| (file.path.clone(), index)).collect();
        let digest = |tag, what, compressed, algorithm: Algorithm| {
            let hex = header.str(tag)?.to_ascii_lowercase();
            (hex.len() == algorithm.digits()).then_some((what, compressed, Checksum { algorithm, hex }))
        };
        let expected: Vec<_> = [
            digest(Tag::PAYLOADSHA256, "the payload's digest", true, Algorithm::Sha256),
            digest(Tag::PAYLOADSHA512, "the payload's digest", true, Algorithm::Sha512),
            digest(Tag::PAYLOADSHA256ALT, "the unpacked payload's digest", false, Algorithm::Sha256),
        ]
        .into_iter()
        .flatten()
        // One digest is enough, and hashing costs: the first of the compressed bytes, else the other.
        .take(usize::from(is_checked))
        .collect();
        let hash = |compressed: bool| expected.iter().find(|row| row.1 == compressed).map(|row| row.2.algorithm);
        let name = compression.name();
        let decompressor = Decompressor::new(compression, reader, hash(true))
            .map_err(|cause| PayloadError::Read { compression: name, cause })?;
        let archive = Archive::new(decompressor, hash(false));
        let seen = vec![false; files.len()];
        let linked = files.iter().enumerate().filter_map(|(index, file)| Some((file.hard_link?, index)));
        let last_link = linked.collect();
        Ok(Payload { archive, compression: name, files, by_path, last_link, seen, filled: BTreeSet::new(), expected })
    }

    /// The table of files.
    pub fn files(&self) -> &[FileEntry] {
        &self.files
    }

    /// The next member, or `None` after the last; what was left unread of the one before is skipped.
    #[expect(clippy::should_implement_trait, reason = "a member borrows the payload, which Iterator cannot say")]
    pub fn next(&mut self) -> Result<Option<Item<'_, R>>, PayloadError> {
        let compression = self.compression;
        let member = self.archive.next_member().map_err(|error| error.at(compression))?;
        let (index, stated) = match member {
            None => {
                self.check_complete()?;
                return Ok(None);
            }
            Some(Member::Named { name, size }) => (self.row_of(&name)?, Some(size)),
            Some(Member::Row(row)) if (row as usize) < self.files.len() => (row as usize, None),
            Some(Member::Row(row)) => return Err(PayloadError::Unlisted(format!("file number {row}"))),
        };
        let file = &self.files[index];
        if std::mem::replace(&mut self.seen[index], true) {
            return Err(PayloadError::Twice(file.path.clone()));
        }
        let has_bytes = matches!(file.kind, FileKind::Regular | FileKind::Symlink);
        let empty_link = match file.hard_link {
            // Where the size is not stated, rpm's rule is that the last of the set has the bytes.
            Some(first) => match stated {
                Some(size) => size == 0,
                None => self.last_link.get(&first) != Some(&index),
            },
            None => false,
        };
        let expected = if has_bytes && !empty_link { file.size } else { 0 };
        let found = stated.unwrap_or(expected);
        if found != expected {
            return Err(PayloadError::FileSize { path: file.path.clone(), expected, found });
        }
        if let Some(set) = file.hard_link.filter(|_| expected > 0) {
            self.filled.insert(set);
        }
        self.archive.expect(expected);
        if file.kind == FileKind::Symlink {
            let found = self.archive.read_text(expected).map_err(|error| error.at(compression))?;
            if found != file.link_target.as_bytes() {
                let found = String::from_utf8_lossy(&found).into_owned();
                let expected = file.link_target.clone();
                return Err(PayloadError::LinkTarget { path: file.path.clone(), expected, found });
            }
        }
        let size = self.archive.left();
        Ok(Some(Item { index, file, size, archive: &mut self.archive }))
    }

    /// Reads to the end and compares the payload's digest with the header's, if it has one.
    pub fn finish(mut self) -> Result<(), PayloadError> {
        while self.next()?.is_some() {}
        let compression = self.compression;
        let read = |cause| PayloadError::Read { compression, cause };
        if !self.archive.skip_trailing(TRAILING_MAX).map_err(read)? {
            return Err(PayloadError::Trailing(TRAILING_MAX));
        }
        let (decompressor, unpacked) = self.archive.into_parts();
        let packed = decompressor.finish().map_err(read)?;
        for (what, compressed, expected) in self.expected {
            let found = if compressed { packed.clone() } else { unpacked.clone() };
            match found {
                Some(found) if found != expected => return Err(PayloadError::Digest { what, expected, found }),
                _ => {}
            }
        }
        Ok(())
    }

    fn row_of(&self, name: &[u8]) -> Result<usize, PayloadError> {
        let unlisted = || PayloadError::Unlisted(String::from_utf8_lossy(name).into_owned());
        let name = std::str::from_utf8(name).map_err(|_| unlisted())?;
        // rpm writes `./usr/bin/x` for `/usr/bin/x`, and bare names in source packages.
        let path = name.strip_prefix('.').filter(|rest| rest.starts_with('/')).unwrap_or(name);
        let row = self.by_path.get(path).or_else(|| self.by_path.get(&format!("/{path}")));
        row.copied().ok_or_else(unlisted)
    }

    fn check_complete(&self) -> Result<(), PayloadError> {
        // A set of hard links is there when all its names are, and one came with the bytes.
        let filled = |file: &FileEntry| match file.hard_link {
            Some(set) => file.size == 0 || self.filled.contains(&set),
            None => true,
        };
        let there = |file: &FileEntry, seen: bool| file.is_ghost() || (seen && filled(file));
        let mut missing = self.files.iter().zip(&self.seen).filter(|(file, seen)| !there(file, **seen));
        match missing.next() {
            Some((first, _)) => Err(PayloadError::MissingFiles { path: first.path.clone(), more: missing.count() }),
            None => Ok(()),
        }
    }
}

impl<R: Read> Read for Item<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.archive.read_member(buffer)
    }
}

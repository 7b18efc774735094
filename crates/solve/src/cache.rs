//! A table as bytes, so that a repository's metadata is parsed once in its life.
//!
//! ```text
//! "SLVTABLE"  version u32  crc32 u32 of all behind it  key 32 bytes
//! 20 columns, each: length in bytes u64, then the bytes; numbers are little endian, texts UTF-8
//! ```
//!
//! The key is the caller's: the digest of the repository's index, so that another index never finds this table. Bytes are
//! not trusted: lengths, bounds, order and UTF-8 are checked before anything is used, and damage is an error, never a
//! panic. The checksum finds what a disk did, it is no signature.

use pkg::Digest;

use crate::Table;
use crate::strings::{Numbers, Strings, Text};
use crate::table::{StoredRelation, StoredVersion, VersionId};

const MAGIC: &[u8; 8] = b"SLVTABLE";

/// Another number when a column, its meaning, or the hash of the strings changes.
const VERSION: u32 = 1;

/// Magic, version, checksum, key.
const HEAD: usize = 8 + 4 + 4 + 32;

/// Why bytes are not the table that was asked for. The caller reads the repository's documents instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CacheError {
    /// They are something else, or of another version.
    #[error("the bytes are no table of this version")]
    Version,
    /// They are the table of another repository, or of an older state.
    #[error("the table is that of another index")]
    Key,
    /// They changed since they were written.
    #[error("the table is damaged: {0}")]
    Damaged(&'static str),
}

impl Table {
    /// The table as bytes; equal tables give equal bytes.
    pub fn to_bytes(&self, key: &Digest) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.strings.bytes.len() + self.lists.len() * 8 + self.len() * 100);
        let versions = &self.versions.values;
        let relations = &self.relations.values;
        put(&mut body, self.strings.bytes.as_bytes());
        put_numbers(&mut body, self.strings.ends.iter().copied());
        put_numbers(&mut body, self.strings.slots.iter().copied());
        put_numbers(&mut body, versions.iter().map(|version| version.epoch));
        put_numbers(&mut body, versions.iter().map(|version| version.version.0));
        put_numbers(&mut body, versions.iter().map(|version| version.release.0));
        put_numbers(&mut body, relations.iter().map(|relation| relation.name.0));
        put_numbers(&mut body, relations.iter().map(|relation| relation.condition));
        put_numbers(&mut body, relations.iter().map(|relation| relation.version.0));
        for column in [&self.name, &self.version, &self.arch, &self.vendor] {
            put_numbers(&mut body, column.iter().copied());
        }
        for column in [&self.size, &self.installed_size] {
            put_numbers(&mut body, column.iter().flat_map(|number| [*number as u32, (*number >> 32) as u32]));
        }
        put(&mut body, self.details.as_bytes());
        for column in [&self.key_ends, &self.checksum_ends, &self.list_ends, &self.lists, &self.path_ends, &self.paths]
        {
            put_numbers(&mut body, column.iter().copied());
        }
        let mut bytes = Vec::with_capacity(HEAD + body.len());
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        let mut checksum = crc32fast::Hasher::new();
        checksum.update(key.as_bytes());
        checksum.update(&body);
        bytes.extend(checksum.finalize().to_le_bytes());
        bytes.extend(key.as_bytes());
        bytes.append(&mut body);
        bytes
    }

    /// Reads what [`Table::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`CacheError`]; whatever the bytes are, nothing worse.
    pub fn from_bytes(bytes: &[u8], key: &Digest) -> Result<Table, CacheError> {
        let (head, body) = bytes.split_at_checked(HEAD).ok_or(CacheError::Version)?;
        if head[..8] != *MAGIC || head[8..12] != VERSION.to_le_bytes() {
            return Err(CacheError::Version);
        }
        if head[16..] != *key.as_bytes() {
            return Err(CacheError::Key);
        }
        if head[12..16] != crc32fast::hash(&bytes[16..]).to_le_bytes() {
            return Err(CacheError::Damaged("its checksum differs"));
        }
        Columns { rest: body }.table()
    }
}

fn put(body: &mut Vec<u8>, bytes: &[u8]) {
    body.extend((bytes.len() as u64).to_le_bytes());
    body.extend(bytes);
}

fn put_numbers(body: &mut Vec<u8>, numbers: impl Iterator<Item = u32>) {
    let start = body.len();
    body.extend([0; 8]);
    numbers.for_each(|number| body.extend(number.to_le_bytes()));
    let length = (body.len() - start - 8) as u64;
    body[start..start + 8].copy_from_slice(&length.to_le_bytes());
}

struct Columns<'a> {
    rest: &'a [u8],
}

impl<'a> Columns<'a> {
    fn next(&mut self) -> Result<&'a [u8], CacheError> {
        let short = CacheError::Damaged("a column is cut off");
        let (length, rest) = self.rest.split_first_chunk::<8>().ok_or(short.clone())?;
        let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| short.clone())?;
        let (column, rest) = rest.split_at_checked(length).ok_or(short)?;
        self.rest = rest;
        Ok(column)
    }

    fn text(&mut self) -> Result<String, CacheError> {
        let text = std::str::from_utf8(self.next()?).map_err(|_| CacheError::Damaged("a text is not UTF-8"))?;
        Ok(text.to_owned())
    }

    fn numbers(&mut self) -> Result<Vec<u32>, CacheError> {
        let (numbers, rest) = self.next()?.as_chunks::<4>();
        if !rest.is_empty() {
            return Err(CacheError::Damaged("a column has an odd length"));
        }
        Ok(numbers.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect())
    }

    /// Numbers that are all below `bound`.
    fn below(&mut self, bound: usize) -> Result<Vec<u32>, CacheError> {
        let numbers = self.numbers()?;
        // Without an early end, so that it is done many at a time.
        let highest = numbers.iter().fold(0, |highest, number| highest.max(*number));
        if !numbers.is_empty() && highest as usize >= bound {
            return Err(CacheError::Damaged("a number is out of bounds"));
        }
        Ok(numbers)
    }

    /// Rising numbers, `count` of them, the last one `total`.
    fn ends(&mut self, count: usize) -> Result<Vec<u32>, CacheError> {
        let ends = self.numbers()?;
        let falls = ends.iter().zip(ends.iter().skip(1)).fold(false, |falls, (left, right)| falls | (left > right));
        if ends.len() != count || falls {
            return Err(CacheError::Damaged("an index is out of order"));
        }
        Ok(ends)
    }

    fn wide(&mut self) -> Result<Vec<u64>, CacheError> {
        let (numbers, rest) = self.next()?.as_chunks::<8>();
        if !rest.is_empty() {
            return Err(CacheError::Damaged("a column has an odd length"));
        }
        Ok(numbers.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect())
    }

    fn table(mut self) -> Result<Table, CacheError> {
        let differ = || CacheError::Damaged("columns differ in length");
        let total = |ends: &[u32], length: usize| match ends.last().map_or(0, |end| *end as usize) == length {
            true => Ok(()),
            false => Err(CacheError::Damaged("an index does not cover its column")),
        };
        let (bytes, ends, slots) = (self.text()?, self.numbers()?, self.numbers()?);
        let strings = Strings::from_parts(bytes, ends, slots).ok_or(CacheError::Damaged("its texts do not fit"))?;
        let texts = strings.len();

        let (epochs, upstream, releases) = (self.numbers()?, self.below(texts)?, self.below(texts)?);
        if epochs.len() != upstream.len() || epochs.len() != releases.len() {
            return Err(differ());
        }
        let parts = epochs.into_iter().zip(upstream).zip(releases);
        let versions: Vec<StoredVersion> = parts
            .map(|((epoch, version), release)| StoredVersion { epoch, version: Text(version), release: Text(release) })
            .collect();

        let (names, conditions, bounds) = (self.below(texts)?, self.below(7)?, self.below(versions.len())?);
        if names.len() != conditions.len() || names.len() != bounds.len() {
            return Err(differ());
        }
        let parts = names.into_iter().zip(conditions).zip(bounds);
        let relations: Vec<StoredRelation> = parts
            .map(|((name, condition), version)| StoredRelation {
                name: Text(name),
                condition,
                version: VersionId(version),
            })
            .collect();

        let (name, version) = (self.below(texts)?, self.below(versions.len())?);
        let (arch, vendor) = (self.below(texts)?, self.below(texts)?);
        let (size, installed_size) = (self.wide()?, self.wide()?);
        let count = name.len();
        if [version.len(), arch.len(), vendor.len(), size.len(), installed_size.len()].iter().any(|len| *len != count) {
            return Err(differ());
        }
        let (details, key_ends, checksum_ends) = (self.text()?, self.ends(count)?, self.ends(count)?);
        total(&checksum_ends, details.len())?;
        let mut start = 0;
        for (key, checksum) in key_ends.iter().zip(&checksum_ends) {
            let inside = start <= *key && key <= checksum;
            if !inside || !details.is_char_boundary(*key as usize) || !details.is_char_boundary(*checksum as usize) {
                return Err(CacheError::Damaged("a key does not fit"));
            }
            start = *checksum;
        }
        let list_ends = self.ends(count.checked_mul(8).ok_or_else(differ)?)?;
        let lists = self.below(relations.len())?;
        total(&list_ends, lists.len())?;
        let path_ends = self.ends(count)?;
        let paths = self.below(texts)?;
        total(&path_ends, paths.len())?;
        if !self.rest.is_empty() {
            return Err(CacheError::Damaged("something is left over"));
        }
        Ok(Table {
            strings,
            versions: Numbers::from_values(versions),
            relations: Numbers::from_values(relations),
            name,
            version,
            arch,
            vendor,
            size,
            installed_size,
            details,
            key_ends,
            checksum_ends,
            list_ends,
            lists,
            path_ends,
            paths,
        })
    }
}

//! A table as bytes, so that a repository's metadata is parsed once in its life.
//!
//! ```text
//! 104 characters   "SLVTABLE", then in hexadecimal: version 8, crc32 of all behind it 8, length of the text 16, key 64
//! text             all strings, then keys and checksums: UTF-8, and used where it lies
//! 20 columns       each: length in bytes u64, then numbers, little endian
//! ```
//!
//! The key is the caller's: the digest of the repository's index, so that another index never finds this table. Bytes are
//! not trusted: lengths, bounds, order and UTF-8 are checked before anything is used, and damage is an error, never a
//! panic. The checksum finds what a disk did, it is no signature.

use pkg::Digest;

use crate::Table;
use crate::strings::{Numbers, Strings, Text};
use crate::table::{StoredRelation, StoredVersion, VersionId};

const MAGIC: &str = "SLVTABLE";

/// Another number when a column, its meaning, or the hash of the strings changes.
const VERSION: u32 = 1;

/// Magic, version, checksum, length, key. It is text, so that the text behind it can stay in the same memory.
const HEAD: usize = 8 + 8 + 8 + 16 + 64;

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
        let versions = &self.versions.values;
        let relations = &self.relations.values;
        let (first, details) = (self.strings.ends.first().copied().unwrap_or_default(), self.details());
        // What holds the details in this table is the last text of all, and is so again in the next.
        let texts = self.details_in.map_or(self.strings.len(), Text::index);
        let ends = &self.strings.ends[..texts];
        let last = ends.last().copied().unwrap_or_default();
        let mut text = String::with_capacity((last - first) as usize + details.len());
        text.push_str(&self.strings.bytes[first as usize..last as usize]);
        text.push_str(details);

        let mut body = Vec::with_capacity(text.len() + self.lists.len() * 8 + self.len() * 100);
        body.extend(text.as_bytes());
        let ends = ends.iter().map(|end| end - first + HEAD as u32);
        put_numbers(&mut body, ends.chain(std::iter::once((HEAD + text.len()) as u32)));
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
        for column in [&self.key_ends, &self.checksum_ends, &self.list_ends, &self.lists, &self.path_ends, &self.paths]
        {
            put_numbers(&mut body, column.iter().copied());
        }
        let key = key.hex();
        let behind = format!("{:016x}{key}", text.len());
        let mut checksum = crc32fast::Hasher::new();
        checksum.update(behind.as_bytes());
        checksum.update(&body);
        let mut bytes = format!("{MAGIC}{VERSION:08x}{:08x}{behind}", checksum.finalize()).into_bytes();
        bytes.append(&mut body);
        bytes
    }

    /// Reads what [`Table::to_bytes`] wrote, and keeps its text where it is.
    ///
    /// # Errors
    /// [`CacheError`]; whatever the bytes are, nothing worse.
    pub fn from_bytes(mut bytes: Vec<u8>, key: &Digest) -> Result<Table, CacheError> {
        let head = bytes.get(..HEAD).and_then(|head| std::str::from_utf8(head).ok()).ok_or(CacheError::Version)?;
        if !head.is_ascii() || head[..8] != *MAGIC || head[8..16] != format!("{VERSION:08x}") {
            return Err(CacheError::Version);
        }
        if head[40..] != key.hex() {
            return Err(CacheError::Key);
        }
        if head[16..24] != format!("{:08x}", crc32fast::hash(&bytes[24..])) {
            return Err(CacheError::Damaged("its checksum differs"));
        }
        let length = usize::from_str_radix(&head[24..40], 16).ok();
        let end = length.and_then(|length| length.checked_add(HEAD)).filter(|end| *end <= bytes.len());
        let end = end.ok_or(CacheError::Damaged("its text is cut off"))?;
        let table = Columns { rest: &bytes[end..] }.table()?;
        bytes.truncate(end);
        let text = String::from_utf8(bytes).map_err(|_| CacheError::Damaged("its text is not UTF-8"))?;
        table.with(text)
    }

    /// The table with the text that its columns speak of.
    fn with(mut self, text: String) -> Result<Table, CacheError> {
        let Strings { ends, slots, .. } = std::mem::take(&mut self.strings);
        self.strings = Strings::from_parts(text, ends, slots).ok_or(CacheError::Damaged("its texts do not fit"))?;
        let details = u32::try_from(self.strings.len() - 1).map_err(|_| CacheError::Damaged("too many texts"))?;
        self.details_in = Some(Text(details));
        let details = self.details();
        let mut start = 0;
        for (key, checksum) in self.key_ends.iter().zip(&self.checksum_ends) {
            let inside = start <= *key && key <= checksum;
            if !inside || !details.is_char_boundary(*key as usize) || !details.is_char_boundary(*checksum as usize) {
                return Err(CacheError::Damaged("a key does not fit"));
            }
            start = *checksum;
        }
        match start as usize == details.len() {
            true => Ok(self),
            false => Err(CacheError::Damaged("an index does not cover its column")),
        }
    }
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
        // Compared with the text once that is there.
        let (ends, slots) = (self.numbers()?, self.numbers()?);
        let texts = ends.len();
        let strings = Strings { ends, slots, ..Strings::default() };

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
        let (key_ends, checksum_ends) = (self.ends(count)?, self.ends(count)?);
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
            details: String::new(),
            details_in: None,
            key_ends,
            checksum_ends,
            list_ends,
            lists,
            path_ends,
            paths,
        })
    }
}

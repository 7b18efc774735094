//! A table as bytes, so that a repository's metadata is parsed once in its life.
//!
//! ```text
//! 88 characters    "SLVTABLE", then in hexadecimal: version 8, crc32 of all behind it 8, key 64
//! 25 columns       each: length in bytes u64, then UTF-8 or numbers, little endian
//! ```
//!
//! A [`Table`] uses all of them where they lie, so that the bytes may be a mapped file. What each text is provided and
//! obsoleted by, and where texts, versions and relations are found, is in them too.
//!
//! The key is the caller's: the digest of the repository's index, so that another index never finds this table. Bytes are
//! not trusted: lengths, bounds and UTF-8 are checked before anything is used, and damage is an error, never a panic. The
//! checksum finds what a disk did, it is no signature.

use pkg::Digest;

use crate::column::{Characters, Column, Record};
use crate::index::Index;
use crate::strings::{Numbers, Strings};
use crate::table::{StoredRelation, StoredVersion};
use crate::{PackageId, Table};

const MAGIC: &str = "SLVTABLE";

/// Another number when a column, its meaning, or a hash changes.
const VERSION: u32 = 2;

/// Magic, version, checksum, key.
const HEAD: usize = 8 + 8 + 8 + 64;

/// Where the bytes begin that the checksum is of.
const CHECKED: usize = 8 + 8 + 8;

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

impl Table<'_> {
    /// The table as bytes; equal tables give equal bytes.
    pub fn to_bytes(&self, key: &Digest) -> Vec<u8> {
        let all: Vec<PackageId> = (0..self.len()).map(|place| PackageId(place as u32)).collect();
        let texts = &self.strings.characters;
        let estimate =
            texts.len() + self.details.len() + self.lists.len() * 12 + self.strings.len() * 20 + self.len() * 90;
        let mut bytes = Vec::with_capacity(HEAD + estimate);
        bytes.extend(MAGIC.bytes().chain(format!("{VERSION:08x}{:08x}{}", 0, key.hex()).into_bytes()));
        put(&mut bytes, texts.parts().into_iter().flat_map(str::bytes), |byte, bytes| bytes.push(byte));
        put_column(&mut bytes, &self.strings.ends);
        put_column(&mut bytes, &self.strings.all_slots().into());
        put_column(&mut bytes, &self.versions.values);
        put_column(&mut bytes, &self.versions.all_slots().into());
        put_column(&mut bytes, &self.relations.values);
        put_column(&mut bytes, &self.relations.all_slots().into());
        for column in [&self.name, &self.version, &self.arch, &self.vendor] {
            put_column(&mut bytes, column);
        }
        for column in [&self.size, &self.installed_size] {
            put_column(&mut bytes, column);
        }
        put(&mut bytes, self.details.parts().into_iter().flat_map(str::bytes), |byte, bytes| bytes.push(byte));
        for column in [&self.key_ends, &self.checksum_ends, &self.list_ends, &self.lists, &self.path_ends, &self.paths]
        {
            put_column(&mut bytes, column);
        }
        for index in [self.index_providers(&all), self.index_obsoleters(&all)] {
            put_column(&mut bytes, &index.starts);
            put_column(&mut bytes, &index.entries);
        }
        let checksum = format!("{:08x}", crc32fast::hash(&bytes[CHECKED..]));
        bytes[CHECKED - 8..CHECKED].copy_from_slice(checksum.as_bytes());
        bytes
    }
}

impl<'a> Table<'a> {
    /// Reads what [`Table::to_bytes`] wrote, and leaves it where it is.
    ///
    /// # Errors
    /// [`CacheError`]; whatever the bytes are, nothing worse.
    pub fn from_bytes(bytes: &'a [u8], key: &Digest) -> Result<Table<'a>, CacheError> {
        let (head, columns) = bytes.split_at_checked(HEAD).ok_or(CacheError::Version)?;
        if head[..8] != *MAGIC.as_bytes() || head[8..16] != *format!("{VERSION:08x}").as_bytes() {
            return Err(CacheError::Version);
        }
        if head[CHECKED..] != *key.hex().as_bytes() {
            return Err(CacheError::Key);
        }
        if head[16..CHECKED] != *format!("{:08x}", crc32fast::hash(&bytes[CHECKED..])).as_bytes() {
            return Err(CacheError::Damaged("its checksum differs"));
        }
        Columns { rest: columns }.table()
    }
}

fn put<T>(bytes: &mut Vec<u8>, values: impl Iterator<Item = T>, write: impl Fn(T, &mut Vec<u8>)) {
    let start = bytes.len();
    bytes.extend([0; 8]);
    values.for_each(|value| write(value, bytes));
    let length = (bytes.len() - start - 8) as u64;
    bytes[start..start + 8].copy_from_slice(&length.to_le_bytes());
}

fn put_column<T: Record>(bytes: &mut Vec<u8>, column: &Column<'_, T>) {
    put(bytes, column.iter(), T::write);
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

    fn text(&mut self) -> Result<&'a str, CacheError> {
        std::str::from_utf8(self.next()?).map_err(|_| CacheError::Damaged("its text is not UTF-8"))
    }

    fn column<T: Record>(&mut self) -> Result<Column<'a, T>, CacheError> {
        Column::from_bytes(self.next()?).ok_or(CacheError::Damaged("a column has an odd length"))
    }

    /// Records of which all numbers are below their bounds.
    fn below<T: Record + Into<[u32; N]>, const N: usize>(
        &mut self,
        bounds: [usize; N],
    ) -> Result<Column<'a, T>, CacheError> {
        let column = self.column()?;
        // Without an early end, so that it is done many at a time.
        let highest = column.iter_mapped().fold([0_u32; N], |mut highest, record: T| {
            highest.iter_mut().zip(record.into()).for_each(|(highest, number)| *highest = number.max(*highest));
            highest
        });
        let fits = highest.iter().zip(bounds).all(|(highest, bound)| (*highest as usize) < bound);
        match fits || column.len() == 0 {
            true => Ok(column),
            false => Err(CacheError::Damaged("a number is out of bounds")),
        }
    }

    fn numbers(&mut self, bound: usize) -> Result<Column<'a, u32>, CacheError> {
        let column: Column<'a, u32> = self.column()?;
        let highest = column.iter_mapped().fold(0, u32::max);
        match (highest as usize) < bound || column.len() == 0 {
            true => Ok(column),
            false => Err(CacheError::Damaged("a number is out of bounds")),
        }
    }

    /// Rising numbers, `count` of them.
    fn ends(&mut self, count: usize) -> Result<Column<'a, u32>, CacheError> {
        let ends: Column<'a, u32> = self.column()?;
        let numbers = ends.iter_mapped();
        let falls = numbers.clone().zip(numbers.skip(1)).fold(false, |falls, (left, right)| falls | (left > right));
        match ends.len() != count || falls {
            true => Err(CacheError::Damaged("an index is out of order")),
            false => Ok(ends),
        }
    }

    fn table(mut self) -> Result<Table<'a>, CacheError> {
        let differ = || CacheError::Damaged("columns differ in length");
        let uncovered = || CacheError::Damaged("an index does not cover its column");
        let covers = |ends: &Column<'_, u32>, length: usize| match ends.len().checked_sub(1) {
            None => length == 0,
            Some(last) => ends.get(last) as usize == length,
        };
        let text = self.text()?;
        let strings = Strings::from_parts(text, self.next()?, self.next()?);
        let strings = strings.ok_or(CacheError::Damaged("its texts do not fit"))?;
        let texts = strings.len();
        let unfound = || CacheError::Damaged("its slots do not fit");
        let versions = self.below::<StoredVersion, 3>([usize::MAX, texts, texts])?;
        let versions = Numbers::from_parts(versions, self.next()?).ok_or_else(unfound)?;
        let relations = self.below::<StoredRelation, 3>([texts, 7, versions.values.len()])?;
        let relations = Numbers::from_parts(relations, self.next()?).ok_or_else(unfound)?;

        let (name, version) = (self.numbers(texts)?, self.numbers(versions.values.len())?);
        let (arch, vendor) = (self.numbers(texts)?, self.numbers(texts)?);
        let (size, installed_size) = (self.column::<u64>()?, self.column::<u64>()?);
        let count = name.len();
        if [version.len(), arch.len(), vendor.len(), size.len(), installed_size.len()].iter().any(|len| *len != count) {
            return Err(differ());
        }
        let details = Characters::mapped(self.text()?);
        let (key_ends, checksum_ends) = (self.ends(count)?, self.ends(count)?);
        let mut start = 0;
        for (key, checksum) in key_ends.iter_mapped().zip(checksum_ends.iter_mapped()) {
            let inside = start <= key && key <= checksum && checksum as usize <= details.len();
            if !inside || !details.is_boundary(key as usize) || !details.is_boundary(checksum as usize) {
                return Err(CacheError::Damaged("a key does not fit"));
            }
            start = checksum;
        }
        let list_ends = self.ends(count.checked_mul(8).ok_or_else(differ)?)?;
        let lists = self.numbers(relations.values.len())?;
        let path_ends = self.ends(count)?;
        let paths = self.numbers(texts)?;
        let all = covers(&list_ends, lists.len()) && covers(&path_ends, paths.len());
        if !all || !covers(&checksum_ends, details.len()) {
            return Err(uncovered());
        }
        let bounds = [texts, count, relations.values.len()];
        let mut index = || Index::from_parts(self.column()?, self.column()?, bounds).ok_or_else(uncovered);
        let (providers, obsoleters) = (index()?, index()?);
        if obsoleters.is_by_path() {
            return Err(CacheError::Damaged("a path obsoletes something"));
        }
        if !self.rest.is_empty() {
            return Err(CacheError::Damaged("something is left over"));
        }
        Ok(Table {
            strings,
            versions,
            relations,
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
            providers,
            obsoleters,
        })
    }
}

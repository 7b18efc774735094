//! The header: a table of tagged values, used three times (signature, main header, database record).
//!
//! ```text
//! in a package only   8e ad e8 01  00 00 00 00          magic
//!                     il: u32, dl: u32                  entries, bytes of data
//!                     il x { tag, type, offset, count } the index, 16 bytes an entry, offsets into the data
//!                     dl bytes                          the data; all numbers are big endian
//! ```
//!
//! The first entry is a *region*: its 16 bytes of data (the trailer) say how many of the following entries, and how many
//! bytes up to the trailer's end, were there when the header was made. Digests and signatures cover the region. Entries
//! behind it were added later (by installing) and take the place of entries of the same tag inside it.
//! Source: rpm, `lib/header.cc`.

mod build;
mod parse;
mod value;

pub use build::HeaderBuilder;
pub use parse::HeaderError;
pub(crate) use parse::read_up_to;
pub use value::{Value, ValueKind};

use crate::Tag;

/// What a header in a package starts with.
pub(crate) const MAGIC: [u8; 8] = [0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0];
/// Bytes of one entry in the index, and of a region's trailer.
pub(crate) const ENTRY_BYTES: usize = 16;

/// A header that was checked as a whole: every entry lies inside the data, none overlaps another.
///
/// Values are read in place. Text that is not UTF-8 (rpm before 4.x allowed any) is shown with U+FFFD in its stead;
/// [`Header::raw`] has the bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    /// `il`, `dl`, index, data.
    blob: Vec<u8>,
    /// By tag; one entry a tag.
    entries: Vec<Entry>,
    region: Region,
    /// Replacements for text entries that are not UTF-8, by tag, NUL-separated like the data.
    repaired: Vec<(Tag, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    tag: Tag,
    kind: ValueKind,
    /// Into the blob.
    start: usize,
    length: usize,
    count: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Region {
    tag: Tag,
    /// The region's own entry included.
    entries: usize,
    /// Bytes of data, the trailer included.
    data: usize,
}

impl Header {
    fn entry(&self, tag: Tag) -> Option<&Entry> {
        self.entries.binary_search_by_key(&tag, |entry| entry.tag).ok().map(|index| &self.entries[index])
    }

    /// Whether there is a value for `tag`.
    pub fn contains(&self, tag: Tag) -> bool {
        self.entry(tag).is_some()
    }

    /// The tags that have a value, by rising number; the region itself is not among them.
    pub fn tags(&self) -> impl Iterator<Item = Tag> + '_ {
        self.entries.iter().map(|entry| entry.tag)
    }

    /// How many values `tag` has: 0 when it is missing, bytes for a blob, otherwise array elements.
    pub fn count(&self, tag: Tag) -> usize {
        self.entry(tag).map_or(0, |entry| entry.count)
    }

    /// The stored bytes of `tag` and their kind.
    pub fn raw(&self, tag: Tag) -> Option<(ValueKind, &[u8])> {
        let entry = self.entry(tag)?;
        Some((entry.kind, &self.blob[entry.start..entry.start + entry.length]))
    }

    /// The text of `tag`; of an array or a translated text the first. `None` when missing or not text.
    pub fn str(&self, tag: Tag) -> Option<&str> {
        self.strs(tag).next()
    }

    /// The texts of `tag`; none when it is missing or not text.
    pub fn strs(&self, tag: Tag) -> impl Iterator<Item = &str> + '_ {
        let (text, count) = match self.entry(tag) {
            Some(entry) if entry.kind.is_text() => (self.text(entry), entry.count),
            _ => ("", 0),
        };
        text.split('\0').take(count)
    }

    fn text(&self, entry: &Entry) -> &str {
        match std::str::from_utf8(&self.blob[entry.start..entry.start + entry.length]) {
            Ok(text) => text,
            Err(_) => self.repaired.iter().find(|(tag, _)| *tag == entry.tag).map_or("", |(_, text)| text.as_str()),
        }
    }

    /// The whole numbers of `tag`, whatever their stored width; empty when missing or not numbers.
    pub fn numbers(&self, tag: Tag) -> Vec<u64> {
        let Some((kind, bytes)) = self.raw(tag) else { return Vec::new() };
        let wide = |chunk: &[u8]| chunk.iter().fold(0, |number, byte| (number << 8) | u64::from(*byte));
        match kind.number_width() {
            Some(width) => bytes.chunks_exact(width).map(wide).collect(),
            None => Vec::new(),
        }
    }

    /// The first number of `tag`.
    pub fn number(&self, tag: Tag) -> Option<u64> {
        self.numbers(tag).first().copied()
    }

    /// The numbers of `tag` as 32 bits; wider values are cut off.
    pub fn u32s(&self, tag: Tag) -> Vec<u32> {
        self.numbers(tag).into_iter().map(|number| number as u32).collect()
    }

    /// The bytes of `tag`, when it holds a blob.
    pub fn bytes(&self, tag: Tag) -> Option<&[u8]> {
        match self.raw(tag) {
            Some((ValueKind::Binary, bytes)) => Some(bytes),
            _ => None,
        }
    }

    /// The value of `tag`, owned.
    pub fn value(&self, tag: Tag) -> Option<Value> {
        let (kind, bytes) = self.raw(tag)?;
        let strings = || self.strs(tag).map(str::to_owned).collect();
        let numbers = || self.numbers(tag).into_iter();
        Some(match kind {
            ValueKind::Null => return None,
            ValueKind::Char => Value::Chars(bytes.to_vec()),
            ValueKind::Int8 => Value::Int8s(bytes.to_vec()),
            ValueKind::Int16 => Value::Int16s(numbers().map(|number| number as u16).collect()),
            ValueKind::Int32 => Value::Int32s(numbers().map(|number| number as u32).collect()),
            ValueKind::Int64 => Value::Int64s(numbers().collect()),
            ValueKind::String => Value::String(self.str(tag)?.to_owned()),
            ValueKind::Binary => Value::Binary(bytes.to_vec()),
            ValueKind::StringArray => Value::Strings(strings()),
            ValueKind::Translated => Value::Translated(strings()),
        })
    }

    /// The form that the database stores: counts, index and data, without the magic.
    pub fn blob(&self) -> &[u8] {
        &self.blob
    }

    /// The form that stands in a package: magic and [`Header::blob`].
    pub fn to_bytes(&self) -> Vec<u8> {
        [&MAGIC[..], &self.blob].concat()
    }

    /// What digests and signatures of the header cover: magic, counts, index and data of the region alone.
    ///
    /// In a package that is [`Header::to_bytes`]; in a database record, what installing added is left out.
    pub fn region_bytes(&self) -> Vec<u8> {
        let all = parse::number(&self.blob, 0) as usize;
        let index = 8..8 + self.region.entries * ENTRY_BYTES;
        let data = 8 + all * ENTRY_BYTES;
        let mut bytes = Vec::with_capacity(16 + index.len() + self.region.data);
        bytes.extend(MAGIC);
        bytes.extend((self.region.entries as u32).to_be_bytes());
        bytes.extend((self.region.data as u32).to_be_bytes());
        bytes.extend(&self.blob[index]);
        bytes.extend(&self.blob[data..data + self.region.data]);
        bytes
    }

    /// The region's tag: [`Tag::HEADERSIGNATURES`] or [`Tag::HEADERIMMUTABLE`].
    pub fn region(&self) -> Tag {
        self.region.tag
    }
}

impl std::fmt::Debug for Header {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.tags().map(|tag| (tag, self.value(tag)))).finish()
    }
}

use std::io::{self, Read};

use super::{ENTRY_BYTES, Entry, Header, MAGIC, Region, ValueKind};
use crate::Tag;

/// Entries in one header, as rpm limits them.
const ENTRIES_MAX: usize = 0xffff;
/// Bytes of data in one header, as rpm limits them.
const DATA_MAX: usize = 256 << 20;
/// Elements of one array (files, mostly), as rpm limits them.
const ARRAY_MAX: usize = 0xf_ffff;

/// Why some bytes are no header.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum HeaderError {
    #[error("a header starts with {found:02x?} instead of 8eade801 and four zeros")]
    Magic { found: [u8; 8] },
    #[error("a header claims {entries} entries and {data} bytes of data; the most are 65535 and 268435455")]
    Size { entries: usize, data: usize },
    #[error("a header of {expected} bytes ends after {found}")]
    Short { expected: usize, found: usize },
    #[error("a header does not start with region {expected}, as since rpm 4.0, but with {found:?}")]
    NoRegion { expected: Tag, found: Option<Tag> },
    #[error("the trailer of region {tag} does not fit its {entries} entries and {data} bytes")]
    Trailer { tag: Tag, entries: usize, data: usize },
    #[error("entry {index} of a header (tag {tag}) {what}")]
    Entry { index: usize, tag: Tag, what: &'static str },
    #[error(transparent)]
    Read(#[from] io::Error),
}

/// The big-endian number at `at`; the caller has checked the length.
pub(super) fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

impl Header {
    /// Reads the form that stands in a package: magic, counts, index, data. `region` is the tag that its first entry must have.
    ///
    /// Reads exactly the header's bytes. Memory grows with the bytes that arrive, not with what the counts claim.
    pub fn read(reader: &mut impl Read, region: Tag) -> Result<Header, HeaderError> {
        let mut start = [0; 16];
        let found = read_up_to(reader, &mut start)?;
        if found < start.len() {
            return Err(HeaderError::Short { expected: start.len(), found });
        }
        if start[..8] != MAGIC {
            let mut found = [0; 8];
            found.copy_from_slice(&start[..8]);
            return Err(HeaderError::Magic { found });
        }
        let length = blob_length(&start[8..])?;
        let mut blob = start[8..].to_vec();
        reader.take(length as u64 - 8).read_to_end(&mut blob)?;
        let header = Header::parse(blob)?;
        if header.region.tag != region {
            return Err(HeaderError::NoRegion { expected: region, found: Some(header.region.tag) });
        }
        Ok(header)
    }

    /// Checks the form that the database stores: counts, index, data, without the magic.
    pub fn parse(blob: Vec<u8>) -> Result<Header, HeaderError> {
        if blob.len() < 8 {
            return Err(HeaderError::Short { expected: 8, found: blob.len() });
        }
        let length = blob_length(&blob)?;
        if blob.len() != length {
            return Err(HeaderError::Short { expected: length, found: blob.len() });
        }
        let count = number(&blob, 0) as usize;
        let data_start = 8 + count * ENTRY_BYTES;
        let (index, data) = (&blob[8..data_start], &blob[data_start..]);
        let region = parse_region(index, data)?;

        let mut entries = Vec::with_capacity(count - 1);
        let mut repaired = Vec::new();
        let mut end = 0;
        for position in 1..count {
            let entry = parse_entry(index, data, position)?;
            let tag = entry.tag;
            let wrong = |what| HeaderError::Entry { index: position, tag, what };
            if entry.start < end {
                return Err(wrong("overlaps the one before it"));
            }
            end = entry.start + entry.length;
            if entry.start < region.data && end > region.data - ENTRY_BYTES {
                return Err(wrong("overlaps the region's trailer"));
            }
            // Entries of the region lie in its data, later ones behind it.
            if (position < region.entries) != (entry.start < region.data) {
                return Err(wrong("lies on the wrong side of the region's end"));
            }
            if entry.kind.is_text() {
                let bytes = &data[entry.start..end];
                if std::str::from_utf8(bytes).is_err() {
                    repaired.push((tag, String::from_utf8_lossy(bytes).into_owned()));
                }
            }
            entries.push((position >= region.entries, Entry { start: entry.start + data_start, ..entry }));
        }
        // Of equal tags, those added behind the region win. Inside the region a tag stands once.
        entries.sort_by_key(|(added, entry)| (entry.tag, !*added));
        let mut unique: Vec<(bool, Entry)> = Vec::with_capacity(entries.len());
        for (added, entry) in entries {
            match unique.last() {
                Some((previous_added, previous)) if previous.tag == entry.tag => {
                    if *previous_added == added {
                        return Err(HeaderError::Entry { index: 0, tag: entry.tag, what: "is there twice" });
                    }
                }
                _ => unique.push((added, entry)),
            }
        }
        let entries = unique.into_iter().map(|(_, entry)| entry).collect();
        Ok(Header { blob, entries, region, repaired })
    }
}

/// Bytes of counts, index and data, from the two counts; refuses what rpm refuses.
fn blob_length(counts: &[u8]) -> Result<usize, HeaderError> {
    let (entries, data) = (number(counts, 0) as usize, number(counts, 4) as usize);
    if entries > ENTRIES_MAX || data >= DATA_MAX {
        return Err(HeaderError::Size { entries, data });
    }
    Ok(8 + entries * ENTRY_BYTES + data)
}

fn parse_region(index: &[u8], data: &[u8]) -> Result<Region, HeaderError> {
    let tag = (!index.is_empty()).then(|| Tag(number(index, 0)));
    let Some(tag @ (Tag::HEADERIMMUTABLE | Tag::HEADERSIGNATURES)) = tag else {
        return Err(HeaderError::NoRegion { expected: Tag::HEADERIMMUTABLE, found: tag });
    };
    let (kind, offset, count) = (number(index, 4), number(index, 8) as usize, number(index, 12) as usize);
    let wrong = |what| HeaderError::Entry { index: 0, tag, what };
    if kind != ValueKind::Binary as u32 || count != ENTRY_BYTES {
        return Err(wrong("is not a region of 16 bytes"));
    }
    if offset + ENTRY_BYTES > data.len() {
        return Err(wrong("has its trailer outside the data"));
    }
    let trailer = &data[offset..offset + ENTRY_BYTES];
    // The trailer repeats the entry; its offset is minus the bytes of the region's index.
    let entries_bytes = (number(trailer, 8) as i32).unsigned_abs() as usize;
    let entries = entries_bytes / ENTRY_BYTES;
    let region = Region { tag, entries, data: offset + ENTRY_BYTES };
    let same = number(trailer, 0) == tag.0 && number(trailer, 4) == kind && number(trailer, 12) as usize == count;
    if !same
        || (number(trailer, 8) as i32) >= 0
        || !entries_bytes.is_multiple_of(ENTRY_BYTES)
        || entries == 0
        || entries > index.len() / ENTRY_BYTES
    {
        return Err(HeaderError::Trailer { tag, entries, data: region.data });
    }
    Ok(region)
}

/// Checks the entry at `position`; its start is relative to the data.
fn parse_entry(index: &[u8], data: &[u8], position: usize) -> Result<Entry, HeaderError> {
    let at = position * ENTRY_BYTES;
    let tag = Tag(number(index, at));
    let wrong = |what| HeaderError::Entry { index: position, tag, what };
    let kind =
        ValueKind::from_number(number(index, at + 4)).ok_or_else(|| wrong("is of a type that rpm does not have"))?;
    let (start, count) = (number(index, at + 8) as usize, number(index, at + 12) as usize);
    if tag < Tag::HEADERI18NTABLE {
        return Err(wrong("is a second region"));
    }
    if start > data.len() {
        return Err(wrong("starts outside the data"));
    }
    if count == 0 || count > data.len() || (kind != ValueKind::Binary && count > ARRAY_MAX) {
        return Err(wrong("has no elements, or more than there can be"));
    }
    if !start.is_multiple_of(kind.alignment()) {
        return Err(wrong("is not aligned"));
    }
    let rest = &data[start..];
    let length = match kind.number_width() {
        Some(width) => count * width,
        None if kind == ValueKind::Binary => count,
        None if kind == ValueKind::String && count != 1 => return Err(wrong("is one text but counts several")),
        None => texts_length(rest, count).ok_or_else(|| wrong("has a text that does not end"))?,
    };
    if length > rest.len() {
        return Err(wrong("ends outside the data"));
    }
    Ok(Entry { tag, kind, start, length, count })
}

/// Bytes of `count` texts at the start of `bytes`, their NULs included.
fn texts_length(bytes: &[u8], count: usize) -> Option<usize> {
    let mut length = 0;
    for _ in 0..count {
        length += bytes[length..].iter().position(|byte| *byte == 0)? + 1;
    }
    Some(length)
}

/// Fills `buffer` as far as the reader gives bytes.
pub(crate) fn read_up_to(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

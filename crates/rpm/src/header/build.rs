use std::collections::BTreeMap;

use super::{ENTRY_BYTES, Header, HeaderError, Value, ValueKind};
use crate::Tag;

/// Collects values and lays a header out as rpm does: by tag, data in the same order, trailer last.
#[derive(Clone, Debug, Default)]
pub struct HeaderBuilder {
    values: BTreeMap<Tag, Value>,
}

impl HeaderBuilder {
    /// No values.
    pub fn new() -> HeaderBuilder {
        HeaderBuilder::default()
    }

    /// Starts with all values of `header`.
    pub fn from_header(header: &Header) -> HeaderBuilder {
        HeaderBuilder { values: header.tags().filter_map(|tag| Some((tag, header.value(tag)?))).collect() }
    }

    /// Sets `tag`, in place of what it had. An empty array removes it: a header has none.
    pub fn set(&mut self, tag: Tag, value: impl Into<Value>) -> &mut HeaderBuilder {
        let value = value.into();
        if value.count() == 0 {
            self.values.remove(&tag);
        } else {
            self.values.insert(tag, value);
        }
        self
    }

    /// Removes `tag` and gives what it had.
    pub fn remove(&mut self, tag: Tag) -> Option<Value> {
        self.values.remove(&tag)
    }

    /// The header, all of it in a region of `region`.
    ///
    /// Fails when the values are more than a header may hold.
    pub fn build(&self, region: Tag) -> Result<Header, HeaderError> {
        let count = self.values.len() + 1;
        let mut index = vec![0; ENTRY_BYTES];
        let mut data = Vec::new();
        append(&mut index, &mut data, self.values.iter());
        let trailer = entry(region, ValueKind::Binary, (count * ENTRY_BYTES).wrapping_neg() as u32, ENTRY_BYTES);
        index[..ENTRY_BYTES].copy_from_slice(&entry(region, ValueKind::Binary, data.len() as u32, ENTRY_BYTES));
        data.extend(trailer);
        Header::parse(join(&index, &data))
    }

    /// `header` with these values added behind its region, as installing does: what digests cover stays as it is.
    ///
    /// Values that an earlier such step added are kept unless they have the same tag.
    pub fn add_to(&self, header: &Header) -> Result<Header, HeaderError> {
        let all = super::parse::number(&header.blob, 0) as usize;
        let data_start = 8 + all * ENTRY_BYTES;
        let mut index = header.blob[8..8 + header.region.entries * ENTRY_BYTES].to_vec();
        let mut data = header.blob[data_start..data_start + header.region.data].to_vec();
        let mut values: BTreeMap<Tag, Value> = BTreeMap::new();
        for kept in header.entries.iter().filter(|entry| entry.start >= data_start + header.region.data) {
            values.extend(header.value(kept.tag).map(|value| (kept.tag, value)));
        }
        values.extend(self.values.iter().map(|(tag, value)| (*tag, value.clone())));
        append(&mut index, &mut data, values.iter());
        Header::parse(join(&index, &data))
    }
}

fn append<'a>(index: &mut Vec<u8>, data: &mut Vec<u8>, values: impl Iterator<Item = (&'a Tag, &'a Value)>) {
    for (tag, value) in values {
        while !data.len().is_multiple_of(value.kind().alignment()) {
            data.push(0);
        }
        index.extend(entry(*tag, value.kind(), data.len() as u32, value.count()));
        value.store(data);
    }
}

fn entry(tag: Tag, kind: ValueKind, offset: u32, count: usize) -> [u8; ENTRY_BYTES] {
    let mut bytes = [0; ENTRY_BYTES];
    for (place, number) in [tag.0, kind as u32, offset, count as u32].into_iter().enumerate() {
        bytes[place * 4..place * 4 + 4].copy_from_slice(&number.to_be_bytes());
    }
    bytes
}

fn join(index: &[u8], data: &[u8]) -> Vec<u8> {
    let mut blob = Vec::with_capacity(8 + index.len() + data.len());
    blob.extend(((index.len() / ENTRY_BYTES) as u32).to_be_bytes());
    blob.extend((data.len() as u32).to_be_bytes());
    blob.extend(index);
    blob.extend(data);
    blob
}

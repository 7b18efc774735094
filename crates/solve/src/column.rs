//! Columns and texts of which the first part lies in a cache's bytes, and the rest came later.
//!
//! The bytes may be a mapped file: nothing is copied, and only what is looked at costs time.

use std::ops::Range;

/// A value of fixed length, little endian where it is bytes.
pub(crate) trait Record: Copy + std::fmt::Debug {
    /// An array of bytes.
    type Bytes: Copy + std::fmt::Debug;

    fn from_bytes(bytes: Self::Bytes) -> Self;
    fn to_bytes(self) -> Self::Bytes;
    fn write(self, bytes: &mut Vec<u8>);
    /// Whole records, and what is left over.
    fn split(bytes: &[u8]) -> (&[Self::Bytes], &[u8]);
}

impl Record for u32 {
    type Bytes = [u8; 4];

    fn from_bytes(bytes: [u8; 4]) -> u32 {
        u32::from_le_bytes(bytes)
    }

    fn to_bytes(self) -> [u8; 4] {
        self.to_le_bytes()
    }

    fn write(self, bytes: &mut Vec<u8>) {
        bytes.extend(self.to_le_bytes());
    }

    fn split(bytes: &[u8]) -> (&[[u8; 4]], &[u8]) {
        bytes.as_chunks()
    }
}

impl Record for u64 {
    type Bytes = [u8; 8];

    fn from_bytes(bytes: [u8; 8]) -> u64 {
        u64::from_le_bytes(bytes)
    }

    fn to_bytes(self) -> [u8; 8] {
        self.to_le_bytes()
    }

    fn write(self, bytes: &mut Vec<u8>) {
        bytes.extend(self.to_le_bytes());
    }

    fn split(bytes: &[u8]) -> (&[[u8; 8]], &[u8]) {
        bytes.as_chunks()
    }
}

/// Several numbers: as many bytes as they need, one after the other.
macro_rules! record {
    ($type:ty, $count:literal) => {
        impl $crate::column::Record for $type {
            type Bytes = [u8; $count * 4];

            fn from_bytes(bytes: [u8; $count * 4]) -> $type {
                let (numbers, _) = bytes.as_chunks::<4>();
                let mut values = [0; $count];
                values.iter_mut().zip(numbers).for_each(|(value, bytes)| *value = u32::from_le_bytes(*bytes));
                values.into()
            }

            fn to_bytes(self) -> [u8; $count * 4] {
                let mut bytes = [0; $count * 4];
                let values: [u32; $count] = self.into();
                let (numbers, _) = bytes.as_chunks_mut::<4>();
                numbers.iter_mut().zip(values).for_each(|(bytes, value)| *bytes = value.to_le_bytes());
                bytes
            }

            fn write(self, bytes: &mut Vec<u8>) {
                bytes.extend(self.to_bytes());
            }

            fn split(bytes: &[u8]) -> (&[[u8; $count * 4]], &[u8]) {
                bytes.as_chunks()
            }
        }
    };
}
pub(crate) use record;

/// Values of which the first are a cache's.
#[derive(Clone, Debug)]
pub(crate) struct Column<'a, T: Record> {
    mapped: &'a [T::Bytes],
    own: Vec<T>,
}

impl<T: Record> Default for Column<'_, T> {
    fn default() -> Self {
        Column { mapped: &[], own: Vec::new() }
    }
}

impl<'a, T: Record> Column<'a, T> {
    /// `None` where the bytes are not whole records.
    pub(crate) fn from_bytes(bytes: &'a [u8]) -> Option<Column<'a, T>> {
        let (mapped, rest) = T::split(bytes);
        rest.is_empty().then_some(Column { mapped, own: Vec::new() })
    }

    pub(crate) fn len(&self) -> usize {
        self.mapped.len() + self.own.len()
    }

    /// How many are a cache's.
    pub(crate) fn mapped(&self) -> usize {
        self.mapped.len()
    }

    /// The value at a place.
    ///
    /// # Panics
    /// Where there is none, as an index would.
    #[inline]
    pub(crate) fn get(&self, index: usize) -> T {
        match self.mapped.get(index) {
            Some(bytes) => T::from_bytes(*bytes),
            None => self.own[index - self.mapped.len()],
        }
    }

    pub(crate) fn push(&mut self, value: T) {
        self.own.push(value);
    }

    pub(crate) fn extend(&mut self, values: impl IntoIterator<Item = T>) {
        self.own.extend(values);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = T> + Clone + '_ {
        self.mapped.iter().map(|bytes| T::from_bytes(*bytes)).chain(self.own.iter().copied())
    }

    /// Those of the cache alone, which is quicker where they are all there is.
    pub(crate) fn iter_mapped(&self) -> impl Iterator<Item = T> + Clone + 'a {
        self.mapped.iter().map(|bytes| T::from_bytes(*bytes))
    }
}

impl<T: Record> From<Vec<T>> for Column<'_, T> {
    fn from(own: Vec<T>) -> Self {
        Column { mapped: &[], own }
    }
}

/// Characters of which the first are a cache's. What is one text lies on one side.
#[derive(Clone, Debug, Default)]
pub(crate) struct Characters<'a> {
    mapped: &'a str,
    own: String,
}

impl<'a> Characters<'a> {
    pub(crate) fn mapped(mapped: &'a str) -> Characters<'a> {
        Characters { mapped, own: String::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.mapped.len() + self.own.len()
    }

    pub(crate) fn push_str(&mut self, text: &str) {
        self.own.push_str(text);
    }

    #[inline]
    pub(crate) fn get(&self, range: Range<usize>) -> &str {
        let begin = self.mapped.len();
        match range.end <= begin {
            true => &self.mapped[range],
            false => &self.own[range.start - begin..range.end - begin],
        }
    }

    /// Both parts.
    pub(crate) fn parts(&self) -> [&str; 2] {
        [self.mapped, &self.own]
    }

    /// Whether a text may begin or end there.
    pub(crate) fn is_boundary(&self, place: usize) -> bool {
        let begin = self.mapped.len();
        match place <= begin {
            true => self.mapped.is_char_boundary(place),
            false => self.own.is_char_boundary(place - begin),
        }
    }
}

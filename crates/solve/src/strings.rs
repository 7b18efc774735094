//! Every text of a universe, once: names, versions, paths. Equal texts have equal numbers.

use crate::column::{Characters, Column, Record};

/// A text's number. The empty text is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Text(pub(crate) u32);

impl Text {
    pub(crate) const EMPTY: Text = Text(0);

    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// The texts one after the other, and tables to find them by.
#[derive(Clone, Debug)]
pub(crate) struct Strings<'a> {
    pub(crate) characters: Characters<'a>,
    /// Where each text ends in `characters`; the first is empty.
    pub(crate) ends: Column<'a, u32>,
    /// A cache's slots, for the texts of the cache.
    mapped_slots: &'a [[u8; 4]],
    slots: Slots,
    /// More text than 32 bits count: whatever came after is missing.
    pub(crate) full: bool,
}

/// An unused place.
const FREE: u32 = u32::MAX;

impl Default for Strings<'_> {
    fn default() -> Self {
        let mut strings = Strings {
            characters: Characters::default(),
            ends: Column::default(),
            mapped_slots: &[],
            slots: Slots::default(),
            full: false,
        };
        strings.intern("");
        strings
    }
}

/// Spreads `text` over 64 bits. Part of the cache's format: another function is another version.
pub(crate) fn hash(text: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |state: u64, word: u64| {
        let product = u128::from(state ^ word) * u128::from(FACTOR);
        (product as u64) ^ ((product >> 64) as u64)
    };
    let mut state = FACTOR ^ (text.len() as u64).rotate_left(32);
    let mut words = text.chunks_exact(8);
    for word in &mut words {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(word);
        state = mix(state, u64::from_le_bytes(bytes)).wrapping_add(FACTOR);
    }
    let mut bytes = [0; 8];
    bytes[..words.remainder().len()].copy_from_slice(words.remainder());
    mix(state, u64::from_le_bytes(bytes))
}

/// Numbers of values at the places that their hashes say, or after them; [`FREE`] elsewhere. As many as a power of two.
#[derive(Clone, Debug, Default)]
struct Slots {
    slots: Vec<u32>,
    used: usize,
}

impl Slots {
    /// How many slots there are for so many values: at most three of four are used.
    fn size(count: usize) -> usize {
        (count * 4 / 3 + 1).next_power_of_two().max(16)
    }

    /// Looks for the value with `hash` that `is` says it is.
    fn find(slots: &[u32], hash: u64, is: impl Fn(u32) -> bool) -> Option<u32> {
        let mask = slots.len().checked_sub(1)?;
        let mut place = hash as usize & mask;
        loop {
            match slots[place] {
                FREE => return None,
                number if is(number) => return Some(number),
                _ => place = (place + 1) & mask,
            }
        }
    }

    /// [`Slots::find`] among those of a cache.
    fn find_mapped(slots: &[[u8; 4]], hash: u64, is: impl Fn(u32) -> bool) -> Option<u32> {
        let mask = slots.len().checked_sub(1)?;
        let mut place = hash as usize & mask;
        loop {
            match u32::from_le_bytes(slots[place]) {
                FREE => return None,
                number if is(number) => return Some(number),
                _ => place = (place + 1) & mask,
            }
        }
    }

    fn add(&mut self, hash: u64, number: u32) {
        let mask = self.slots.len() - 1;
        let mut place = hash as usize & mask;
        while self.slots[place] != FREE {
            place = (place + 1) & mask;
        }
        self.slots[place] = number;
        self.used += 1;
    }

    /// Makes room for one more, where there is none; `hash` tells that of any value that is there.
    fn reserve(&mut self, hash: impl Fn(u32) -> u64) {
        let size = Slots::size(self.used + 1);
        if size > self.slots.len() {
            let mut numbers = std::mem::replace(self, Slots { slots: vec![FREE; size], used: 0 }).slots;
            // In order of numbers, so that the slots do not depend on how they grew.
            numbers.retain(|number| *number != FREE);
            numbers.sort_unstable();
            numbers.into_iter().for_each(|number| self.add(hash(number), number));
        }
    }

    /// Slots of the values 0, 1, 2.. with these hashes.
    fn of(hashes: impl ExactSizeIterator<Item = u64>) -> Vec<u32> {
        let mut slots = Slots { slots: vec![FREE; Slots::size(hashes.len())], used: 0 };
        hashes.zip(0..).for_each(|(hash, number)| slots.add(hash, number));
        slots.slots
    }

    /// Slots of a cache, if every search among them ends, at a value that there is.
    fn mapped(slots: &Column<'_, u32>, count: usize) -> bool {
        let numbers = slots.iter_mapped();
        slots.len().is_power_of_two()
            && numbers.clone().fold(true, |known, slot| known & ((slot as usize) < count || slot == FREE))
            && numbers.filter(|slot| *slot == FREE).count() > slots.len() / 8
    }
}

impl<'a> Strings<'a> {
    /// From a cache: `None` when the parts do not go together. Wrong slots only make texts hard to find.
    pub(crate) fn from_parts(characters: &'a str, ends: &'a [u8], slots: &'a [u8]) -> Option<Strings<'a>> {
        let (ends, columns): (Column<'a, u32>, Column<'a, u32>) =
            (Column::from_bytes(ends)?, Column::from_bytes(slots)?);
        let count = ends.len();
        let numbers = ends.iter_mapped();
        let rising =
            numbers.clone().zip(numbers.clone().skip(1)).fold(true, |rising, (left, right)| rising & (left <= right));
        let fits = rising
            && u32::try_from(count).is_ok()
            && count > 0
            && ends.get(0) == 0
            && ends.get(count - 1) as usize == characters.len()
            && numbers.fold(true, |fits, end| fits & characters.is_char_boundary(end as usize))
            && Slots::mapped(&columns, count);
        let (mapped_slots, _) = slots.as_chunks();
        let characters = Characters::mapped(characters);
        fits.then_some(Strings { characters, ends, mapped_slots, slots: Slots::default(), full: false })
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether all texts found room.
    pub(crate) fn is_whole(&self) -> bool {
        !self.full
    }

    #[inline]
    pub(crate) fn get(&self, text: Text) -> &str {
        let index = text.index();
        let start = self.ends.get(index.saturating_sub(1)) as usize;
        self.characters.get(start..self.ends.get(index) as usize)
    }

    /// The number of a text that is there.
    pub(crate) fn find(&self, text: &str) -> Option<Text> {
        self.find_hashed(text, hash(text.as_bytes()))
    }

    fn find_hashed(&self, text: &str, hash: u64) -> Option<Text> {
        let is = |number: u32| self.get(Text(number)) == text;
        let found = Slots::find_mapped(self.mapped_slots, hash, is);
        found.or_else(|| Slots::find(&self.slots.slots, hash, is)).map(Text)
    }

    /// The number of a text, new or not.
    pub(crate) fn intern(&mut self, text: &str) -> Text {
        let hashed = hash(text.as_bytes());
        if let Some(found) = self.find_hashed(text, hashed) {
            return found;
        }
        let end = u32::try_from(self.characters.len() + text.len());
        let (Ok(number), Ok(end)) = (u32::try_from(self.ends.len()), end) else {
            self.full = true;
            return Text::EMPTY;
        };
        let mut slots = std::mem::take(&mut self.slots);
        slots.reserve(|number| hash(self.get(Text(number)).as_bytes()));
        slots.add(hashed, number);
        self.slots = slots;
        self.characters.push_str(text);
        self.ends.push(end);
        Text(number)
    }

    /// Slots for all texts, as a cache has them.
    pub(crate) fn all_slots(&self) -> Vec<u32> {
        Slots::of((0..self.len()).map(|number| hash(self.get(Text(number as u32)).as_bytes())))
    }
}

/// Numbers for values that are made of numbers, such as versions and relations.
#[derive(Clone, Debug)]
pub(crate) struct Numbers<'a, T: Record> {
    pub(crate) values: Column<'a, T>,
    mapped_slots: &'a [[u8; 4]],
    slots: Slots,
}

impl<T: Record> Default for Numbers<'_, T> {
    fn default() -> Self {
        Numbers { values: Column::default(), mapped_slots: &[], slots: Slots::default() }
    }
}

impl<'a, T: Record + PartialEq + Into<[u32; 3]>> Numbers<'a, T> {
    /// From a cache: `None` when the parts do not go together.
    pub(crate) fn from_parts(values: Column<'a, T>, slots: &'a [u8]) -> Option<Numbers<'a, T>> {
        let column = Column::from_bytes(slots)?;
        let (mapped_slots, _) = slots.as_chunks();
        Slots::mapped(&column, values.len()).then_some(Numbers { values, mapped_slots, slots: Slots::default() })
    }

    fn hash(value: T) -> u64 {
        let [a, b, c] = value.into();
        let word = (u64::from(a) << 32 | u64::from(b)) ^ u64::from(c).rotate_left(17);
        let product = u128::from(word ^ 0x9e37_79b9_7f4a_7c15) * 0xd6e8_feb8_6659_fd93;
        (product as u64) ^ ((product >> 64) as u64)
    }

    /// The number of a value, new or not.
    pub(crate) fn intern(&mut self, value: T) -> u32 {
        let hash = Self::hash(value);
        let values = &self.values;
        let is = |number: u32| values.get(number as usize) == value;
        let found = Slots::find_mapped(self.mapped_slots, hash, is);
        if let Some(found) = found.or_else(|| Slots::find(&self.slots.slots, hash, is)) {
            return found;
        }
        let number = values.len() as u32;
        self.slots.reserve(|number| Self::hash(values.get(number as usize)));
        self.slots.add(hash, number);
        self.values.push(value);
        number
    }

    /// Slots for all values, as a cache has them.
    pub(crate) fn all_slots(&self) -> Vec<u32> {
        Slots::of((0..self.values.len()).map(|number| Self::hash(self.values.get(number))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_have_equal_numbers() {
        let mut strings = Strings::default();
        let texts: Vec<String> = (0..5000).map(|number| format!("text-{}", number % 2500)).collect();
        let numbers: Vec<Text> = texts.iter().map(|text| strings.intern(text)).collect();
        assert_eq!(strings.len(), 2501);
        for (text, number) in texts.iter().zip(&numbers) {
            assert_eq!(strings.get(*number), text);
            assert_eq!(strings.find(text), Some(*number));
        }
        assert_eq!((strings.find(""), strings.find("text")), (Some(Text::EMPTY), None));
    }

    fn bytes(numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
    }

    #[test]
    fn texts_of_a_cache_and_later_ones_are_one_set() {
        let mut first = Strings::default();
        let numbers: Vec<Text> = ["a", "é", "b"].into_iter().map(|text| first.intern(text)).collect();
        let (ends, slots) = (bytes(&first.ends.iter().collect::<Vec<u32>>()), bytes(&first.all_slots()));
        let mut strings = Strings::from_parts("aéb", &ends, &slots).unwrap();
        assert_eq!(["a", "é", "b"].map(|text| strings.intern(text)).to_vec(), numbers);
        let more: Vec<Text> = (0..100).map(|number| strings.intern(&format!("later-{number}"))).collect();
        assert_eq!((more[0], more[99], strings.len()), (Text(4), Text(103), 104));
        assert_eq!((strings.get(Text(2)), strings.get(Text(4)), strings.get(Text(103))), ("é", "later-0", "later-99"));
        assert_eq!(
            (strings.find("later-7"), strings.find("b"), strings.find("")),
            (Some(Text(11)), Some(Text(3)), Some(Text::EMPTY))
        );
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let mut strings = Strings::default();
        ["a", "é", "b"].into_iter().for_each(|text| {
            strings.intern(text);
        });
        let parts =
            |text: &str, ends: &[u32], slots: &[u32]| Strings::from_parts(text, &bytes(ends), &bytes(slots)).is_some();
        let (ends, slots) = (strings.ends.iter().collect::<Vec<u32>>(), strings.all_slots());
        assert!(parts("aéb", &ends, &slots));
        assert!(!parts("aéb", &[0, 1, 2, 4], &slots), "inside a character");
        assert!(!parts("aéb", &[0, 3, 1, 4], &slots), "backwards");
        assert!(!parts("aéb", &[1, 1, 3, 4], &slots), "text before the first");
        assert!(!parts("aébc", &ends, &slots), "left over");
        assert!(!parts("aéb", &ends, &[0; 16]), "no free slot would be an endless search");
        assert!(!parts("aéb", &ends, &slots[..8].iter().map(|_| 9).collect::<Vec<u32>>()), "no such text");
    }
}

//! Every text of a universe, once: names, versions, paths. Equal texts have equal numbers.

/// A text's number. The empty text is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Text(pub(crate) u32);

impl Text {
    pub(crate) const EMPTY: Text = Text(0);

    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// The texts one after the other, and a table to find them by.
#[derive(Clone, Debug)]
pub(crate) struct Strings {
    pub(crate) bytes: String,
    /// Where each text ends in `bytes`; the first, which is empty, where the texts begin.
    pub(crate) ends: Vec<u32>,
    /// Numbers of texts at the places that their hashes say, or after them; [`FREE`] elsewhere. As many as a power of two.
    pub(crate) slots: Vec<u32>,
    /// More text than 32 bits count: whatever came after is missing.
    pub(crate) full: bool,
}

/// An unused place.
const FREE: u32 = u32::MAX;

impl Default for Strings {
    fn default() -> Strings {
        let mut strings = Strings { bytes: String::new(), ends: Vec::new(), slots: vec![FREE; 16], full: false };
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

impl Strings {
    /// From a cache: `None` when the parts do not go together. Wrong slots only make texts hard to find.
    pub(crate) fn from_parts(bytes: String, ends: Vec<u32>, slots: Vec<u32>) -> Option<Strings> {
        let count = u32::try_from(ends.len()).ok()?;
        let rising = ends.iter().zip(ends.iter().skip(1)).fold(true, |rising, (left, right)| rising & (left <= right));
        let fits = rising
            && ends.last().is_some_and(|last| *last as usize == bytes.len())
            && ends.iter().all(|end| bytes.is_char_boundary(*end as usize))
            && slots.len().is_power_of_two()
            && slots.iter().fold(true, |known, slot| known & (*slot < count || *slot == FREE))
            && slots.iter().filter(|slot| **slot == FREE).count() > slots.len() / 8;
        fits.then_some(Strings { bytes, ends, slots, full: false })
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether all texts found room.
    pub(crate) fn is_whole(&self) -> bool {
        !self.full
    }

    pub(crate) fn get(&self, text: Text) -> &str {
        let index = text.index();
        let start = self.ends[index.saturating_sub(1)] as usize;
        &self.bytes[start..self.ends[index] as usize]
    }

    /// The number of a text that is there.
    pub(crate) fn find(&self, text: &str) -> Option<Text> {
        let found = self.slots[self.place(text)];
        (found != FREE).then_some(Text(found))
    }

    /// Where `text` is among the slots, or where it would be.
    fn place(&self, text: &str) -> usize {
        let mask = self.slots.len() - 1;
        let mut place = hash(text.as_bytes()) as usize & mask;
        loop {
            match self.slots[place] {
                FREE => return place,
                number if self.get(Text(number)) == text => return place,
                _ => place = (place + 1) & mask,
            }
        }
    }

    /// The number of a text, new or not.
    pub(crate) fn intern(&mut self, text: &str) -> Text {
        let place = self.place(text);
        if self.slots[place] != FREE {
            return Text(self.slots[place]);
        }
        let (Ok(number), Ok(end)) = (u32::try_from(self.ends.len()), u32::try_from(self.bytes.len() + text.len()))
        else {
            self.full = true;
            return Text::EMPTY;
        };
        self.bytes.push_str(text);
        self.ends.push(end);
        self.slots[place] = number;
        if self.ends.len() * 4 > self.slots.len() * 3 {
            self.grow();
        }
        Text(number)
    }

    fn grow(&mut self) {
        let size = self.slots.len() * 2;
        self.slots = vec![FREE; size];
        for number in 0..self.ends.len() {
            let hash = hash(self.get(Text(number as u32)).as_bytes()) as usize;
            let mut place = hash & (size - 1);
            while self.slots[place] != FREE {
                place = (place + 1) & (size - 1);
            }
            self.slots[place] = number as u32;
        }
    }
}

/// Numbers for values that are made of numbers, such as versions and relations.
#[derive(Clone, Debug)]
pub(crate) struct Numbers<T> {
    pub(crate) values: Vec<T>,
    /// As [`Strings::slots`]; empty after a cache was read, and made again when something is added.
    slots: Vec<u32>,
}

impl<T> Default for Numbers<T> {
    fn default() -> Numbers<T> {
        Numbers { values: Vec::new(), slots: Vec::new() }
    }
}

impl<T: Copy + PartialEq + Into<[u32; 3]>> Numbers<T> {
    pub(crate) fn from_values(values: Vec<T>) -> Numbers<T> {
        Numbers { values, slots: Vec::new() }
    }

    fn start(value: T, mask: usize) -> usize {
        let [a, b, c] = value.into();
        let word = (u64::from(a) << 32 | u64::from(b)) ^ u64::from(c).rotate_left(17);
        let product = u128::from(word ^ 0x9e37_79b9_7f4a_7c15) * 0xd6e8_feb8_6659_fd93;
        ((product as u64) ^ ((product >> 64) as u64)) as usize & mask
    }

    pub(crate) fn intern(&mut self, value: T) -> u32 {
        if (self.values.len() + 1) * 4 > self.slots.len() * 3 {
            self.grow();
        }
        let mask = self.slots.len() - 1;
        let mut place = Self::start(value, mask);
        loop {
            match self.slots[place] {
                FREE => {
                    let number = self.values.len() as u32;
                    self.slots[place] = number;
                    self.values.push(value);
                    return number;
                }
                number if self.values[number as usize] == value => return number,
                _ => place = (place + 1) & mask,
            }
        }
    }

    fn grow(&mut self) {
        let size = ((self.values.len() + 1) * 2).next_power_of_two().max(16);
        self.slots = vec![FREE; size];
        for (number, value) in self.values.iter().enumerate() {
            let mut place = Self::start(*value, size - 1);
            while self.slots[place] != FREE {
                place = (place + 1) & (size - 1);
            }
            self.slots[place] = number as u32;
        }
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

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let mut strings = Strings::default();
        ["a", "é", "b"].into_iter().for_each(|text| {
            strings.intern(text);
        });
        let parts = |bytes: &str, ends: &[u32], slots: &[u32]| {
            Strings::from_parts(bytes.to_owned(), ends.to_vec(), slots.to_vec()).is_some()
        };
        let (ends, slots) = (strings.ends.clone(), strings.slots.clone());
        assert!(parts("aéb", &ends, &slots));
        assert!(!parts("aéb", &[0, 1, 2, 4], &slots), "inside a character");
        assert!(!parts("aéb", &[0, 3, 1, 4], &slots), "backwards");
        assert!(!parts("aébc", &ends, &slots), "left over");
        assert!(!parts("aéb", &ends, &[0; 16]), "no free slot would be an endless search");
        assert!(!parts("aéb", &ends, &slots[..8].iter().map(|_| 9).collect::<Vec<u32>>()), "no such text");
    }
}

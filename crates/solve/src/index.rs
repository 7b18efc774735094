//! Which packages a text is provided, or obsoleted, by.

use crate::PackageId;
use crate::column::{Column, record};
use crate::strings::Text;

/// A package, and the relation by which; [`BY_PATH`] for paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) package: PackageId,
    pub(crate) by: u32,
}

/// In place of a relation: the package has the path.
pub(crate) const BY_PATH: u32 = u32::MAX;

impl From<[u32; 2]> for Entry {
    fn from([package, by]: [u32; 2]) -> Entry {
        Entry { package: PackageId(package), by }
    }
}

impl From<Entry> for [u32; 2] {
    fn from(entry: Entry) -> [u32; 2] {
        [entry.package.0, entry.by]
    }
}

record!(Entry, 2);

/// Lists by text, all in one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index<'a> {
    /// Where each text's list begins, and where the last one ends. Later texts have none.
    pub(crate) starts: Column<'a, u32>,
    pub(crate) entries: Column<'a, Entry>,
}

impl<'a> Index<'a> {
    /// `entries` gives each entry with its text; called twice, and has to say the same both times.
    pub(crate) fn new<I: Iterator<Item = (Text, Entry)>>(texts: usize, entries: impl Fn() -> I) -> Index<'static> {
        // Counted one place further, so that filling in moves each start to where its own list begins.
        let mut starts = vec![0_u32; texts + 2];
        entries().for_each(|(text, _)| starts[text.index() + 2] += 1);
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut filled = vec![Entry { package: PackageId(0), by: 0 }; sum as usize];
        for (text, entry) in entries() {
            let place = &mut starts[text.index() + 1];
            filled[*place as usize] = entry;
            *place += 1;
        }
        starts.pop();
        Index { starts: starts.into(), entries: filled.into() }
    }

    /// From a cache with so many texts, packages and relations: `None` when the parts do not go together.
    pub(crate) fn from_parts(
        starts: Column<'a, u32>,
        entries: Column<'a, Entry>,
        [texts, packages, relations]: [usize; 3],
    ) -> Option<Index<'a>> {
        let numbers = starts.iter_mapped();
        let rising = numbers.clone().zip(numbers.skip(1)).fold(true, |rising, (left, right)| rising & (left <= right));
        let known = |entry: Entry| {
            (entry.package.index() < packages) & (((entry.by as usize) < relations) | (entry.by == BY_PATH))
        };
        let fits = rising
            && starts.len() == texts + 1
            && starts.get(texts) as usize == entries.len()
            && entries.iter_mapped().fold(true, |fits, entry| fits & known(entry));
        fits.then_some(Index { starts, entries })
    }

    /// Whether an entry is by a path rather than by a relation.
    pub(crate) fn is_by_path(&self) -> bool {
        self.entries.iter_mapped().any(|entry| entry.by == BY_PATH)
    }

    /// The entries of a text, in the order in which they were given.
    pub(crate) fn of(&self, text: Text) -> impl Iterator<Item = Entry> + Clone + '_ {
        let range = match text.index() + 1 < self.starts.len() {
            true => self.starts.get(text.index()) as usize..self.starts.get(text.index() + 1) as usize,
            false => 0..0,
        };
        range.map(|place| self.entries.get(place))
    }
}

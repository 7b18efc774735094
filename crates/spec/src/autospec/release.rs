use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::changelog::{Entry, Magic};
use super::{Commit, Flags};

/// A walk through a history: from the head as far as it matters, and back.
pub(super) struct Walk<'h> {
    history: &'h [Commit],
    index: &'h BTreeMap<&'h str, usize>,
    flags: &'h dyn Fn(&str) -> Option<Flags>,
    /// Many commits have the same spec.
    known: RefCell<BTreeMap<Arc<str>, Option<Flags>>>,
}

/// What follows for a commit.
pub(super) struct Reached {
    pub(super) flags: Option<Flags>,
    pub(super) number: u32,
    pub(super) changelog: Vec<Entry>,
}

/// What the children of a commit ask of it.
#[derive(Clone, Copy, Default)]
struct Asked {
    is_seen: bool,
    goes_on: bool,
    changelog_goes_on: bool,
    changelog_removed: bool,
}

impl<'h> Walk<'h> {
    pub(super) fn new(
        history: &'h [Commit],
        index: &'h BTreeMap<&'h str, usize>,
        flags: &'h dyn Fn(&str) -> Option<Flags>,
    ) -> Walk<'h> {
        Walk { history, index, flags, known: RefCell::default() }
    }

    fn flags_of(&self, commit: usize) -> Option<Flags> {
        let spec = self.history[commit].spec.as_ref()?;
        if let Some(known) = self.known.borrow().get(spec) {
            return known.clone();
        }
        let flags = (self.flags)(spec);
        self.known.borrow_mut().insert(Arc::clone(spec), flags.clone());
        flags
    }

    fn parents(&self, commit: usize) -> Vec<usize> {
        self.history[commit].parents.iter().filter_map(|id| self.index.get(id.as_str()).copied()).collect()
    }

    pub(super) fn run(&self, with_changelog: bool) -> Vec<Option<Reached>> {
        let count = self.history.len();
        let mut asked = vec![Asked::default(); count];
        asked[0] = Asked { is_seen: true, goes_on: true, changelog_goes_on: true, changelog_removed: false };
        let mut changes = Vec::with_capacity(count);
        // Children come before their parents.
        for commit in 0..count {
            let parents = self.parents(commit);
            let change = self.changelog_change(commit, &parents);
            if asked[commit].is_seen && asked[commit].goes_on {
                let number_goes_on = self.number_goes_on(commit, &parents);
                let changelog_goes_on = with_changelog
                    && asked[commit].changelog_goes_on
                    && !(change.is_changed && self.history[commit].changelog.is_some() || change.is_unresolvable);
                let removed = !(self.history[commit].changelog.is_some() && change.is_changed)
                    && (asked[commit].changelog_removed || change.is_removed);
                for parent in &parents {
                    let parent = &mut asked[*parent];
                    parent.changelog_removed =
                        if parent.is_seen { parent.changelog_removed && removed } else { removed };
                    parent.is_seen = true;
                    parent.goes_on |= number_goes_on || changelog_goes_on;
                    parent.changelog_goes_on |= number_goes_on || changelog_goes_on;
                }
            }
            changes.push(change);
        }
        let mut reached: Vec<Option<Reached>> = (0..count).map(|_| None).collect();
        for commit in (0..count).rev().filter(|commit| asked[*commit].goes_on) {
            let found = self.reach(commit, &reached, with_changelog.then_some((&changes[commit], asked[commit])));
            reached[commit] = Some(found);
        }
        reached
    }

    /// Whether a parent has the same version, or one that cannot be told.
    fn number_goes_on(&self, commit: usize, parents: &[usize]) -> bool {
        let Some(flags) = self.flags_of(commit) else { return true };
        parents.iter().any(|parent| match self.flags_of(*parent) {
            None => true,
            Some(other) => other.epoch_version == flags.epoch_version,
        })
    }

    fn reach(
        &self,
        commit: usize,
        reached: &[Option<Reached>],
        changelog: Option<(&ChangelogChange, Asked)>,
    ) -> Reached {
        let this = &self.history[commit];
        let flags = self.flags_of(commit);
        let magic = Magic::of(&this.message);
        let parents = self.parents(commit);
        let of_parents =
            parents.iter().filter_map(|parent| reached[*parent].as_ref()).map(|parent| match (&flags, &parent.flags) {
                (Some(own), Some(theirs)) if own.epoch_version != theirs.epoch_version => 0,
                _ => parent.number,
            });
        let number = of_parents.max().unwrap_or(0) + u32::from(this.spec.is_some());
        let number = number.max(magic.bump);
        let mut entries = Vec::new();
        if let Some((change, asked)) = changelog {
            let own = |error: Option<&'static str>, data: bool| Entry { commit, error, is_data: data };
            if change.is_unresolvable {
                entries.push(own(Some("unresolvable merge"), false));
            } else if change.is_changed && this.changelog.is_some() {
                if !asked.changelog_removed {
                    entries.push(own(None, true));
                }
            } else {
                let mut is_skipped = magic.skips_changelog || this.spec.is_none();
                let mut before: &[Entry] = &[];
                if let [parent] = parents.as_slice() {
                    before = reached[*parent].as_ref().map_or(&[], |parent| &parent.changelog);
                } else if let Some(parent) = change.follows
                    && let Some(parent) = reached[parent].as_ref()
                {
                    before = &parent.changelog;
                    is_skipped = true;
                }
                if !is_skipped {
                    entries.push(own(None, false));
                }
                entries.extend_from_slice(before);
            }
        }
        Reached { flags, number, changelog: entries }
    }

    fn changelog_change(&self, commit: usize, parents: &[usize]) -> ChangelogChange {
        let this = &self.history[commit];
        let mut change = ChangelogChange { is_changed: true, is_removed: false, is_unresolvable: false, follows: None };
        if this.parents.is_empty() {
            change.is_changed = this.changelog.is_some();
        }
        for parent in parents {
            let theirs = &self.history[*parent].changelog;
            change.is_removed |= theirs.is_some() && this.changelog.is_none();
            change.is_changed &= *theirs != this.changelog;
        }
        if parents.is_empty() && !this.parents.is_empty() {
            // The history ends here although the repository's does not.
            change.is_changed = this.changelog.is_some();
        }
        if this.parents.len() >= 2 {
            change.follows = parents.iter().copied().find(|parent| self.history[*parent].tree == this.tree);
            change.is_unresolvable = change.follows.is_none() && !change.is_changed;
        }
        change
    }
}

/// What a commit does to the file `changelog`.
struct ChangelogChange {
    is_changed: bool,
    is_removed: bool,
    /// It merges different trees and says nothing of the changelog.
    is_unresolvable: bool,
    /// The parent whose files a merge took.
    follows: Option<usize>,
}

use repodata::comps::{self, Comps};

use crate::query::glob::Glob;
use crate::sack::SackError;
use crate::{Machine, Synced};

/// All groups and environments of some repositories, with the id of each one's repository; of one that several have the
/// packages and groups are joined, as dnf5 does it.
///
/// # Errors
/// A document that cannot be read.
pub fn load(repositories: &[Synced], machine: &Machine<'_>) -> Result<Available, SackError> {
    let mut all = Available::default();
    for synced in repositories {
        let id = &synced.repository.id;
        let text = match synced.document("group", machine)? {
            Some(text) => text,
            None => match synced.document("group_gz", machine)? {
                Some(text) => text,
                None => continue,
            },
        };
        let wrong = |cause| SackError::Document { id: id.clone(), kind: "group", cause };
        all.add(id, Comps::read(text.as_slice()).map_err(wrong)?);
    }
    all.sort();
    Ok(all)
}

/// What repositories have of groups and environments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Available {
    /// Groups, and where from; in the order in which they are shown.
    pub groups: Vec<(comps::Group, Vec<String>)>,
    /// Environments, and where from.
    pub environments: Vec<(comps::Environment, Vec<String>)>,
}

impl Available {
    /// Adds what one repository has.
    pub fn add(&mut self, repository: &str, comps: Comps) {
        for group in comps.groups {
            match self.groups.iter_mut().find(|(known, _)| known.label.id == group.label.id) {
                None => self.groups.push((group, vec![repository.to_owned()])),
                Some((known, from)) => {
                    let new =
                        group.packages.into_iter().filter(|new| !known.packages.iter().any(|one| one.name == new.name));
                    let new: Vec<_> = new.collect();
                    known.packages.extend(new);
                    from.push(repository.to_owned());
                }
            }
        }
        for environment in comps.environments {
            match self.environments.iter_mut().find(|(known, _)| known.label.id == environment.label.id) {
                None => self.environments.push((environment, vec![repository.to_owned()])),
                Some((known, from)) => {
                    let new: Vec<_> = environment.groups.into_iter().filter(|id| !known.groups.contains(id)).collect();
                    known.groups.extend(new);
                    let has = |id: &String| known.options.iter().any(|(one, _)| one == id);
                    let new: Vec<_> = environment.options.into_iter().filter(|(id, _)| !has(id)).collect();
                    known.options.extend(new);
                    from.push(repository.to_owned());
                }
            }
        }
    }

    fn sort(&mut self) {
        self.groups.sort_by(|(one, _), (other, _)| order(&one.label).cmp(&order(&other.label)));
        self.environments.sort_by(|(one, _), (other, _)| order(&one.label).cmp(&order(&other.label)));
    }

    /// The group of an id.
    pub fn group(&self, id: &str) -> Option<&comps::Group> {
        self.groups.iter().map(|(group, _)| group).find(|group| group.label.id == id)
    }

    /// The environment of an id.
    pub fn environment(&self, id: &str) -> Option<&comps::Environment> {
        self.environments.iter().map(|(one, _)| one).find(|one| one.label.id == id)
    }
}

/// How labels are ordered where they are shown: by their number, those without one last.
pub fn order(label: &comps::Label) -> (u32, &str) {
    (label.display_order.unwrap_or(u32::MAX), &label.id)
}

/// Whether a word means what is labelled so: by id or name, with patterns, in any case.
pub fn means(word: &str, label: &comps::Label) -> bool {
    let glob = Glob::new(word).ignoring_case();
    glob.matches(&label.id) || glob.matches(&label.name) || label.names.iter().any(|(_, name)| glob.matches(name))
}

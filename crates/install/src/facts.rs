use std::sync::{Arc, OnceLock};

use pkg::{Condition, Relation};
use rpm::db::FileState;
use rpm::{DependencyKind, FileEntry, Header, Trigger, TriggerCondition, TriggerScope};

use crate::InstallError;

/// What a transaction needs to know of a package, each part read when it is first asked for.
pub(crate) struct Facts {
    pub(crate) header: Header,
    /// Name, EVR and architecture.
    pub(crate) nevra: String,
    pub(crate) name: String,
    files: OnceLock<Arc<Vec<FileEntry>>>,
    triggers: OnceLock<Vec<Vec<(usize, Trigger)>>>,
    /// Whether it has a trigger of each scope.
    has_triggers: [bool; 3],
}

impl Facts {
    pub(crate) fn new(header: Header) -> Facts {
        let nevra = header.nevra().to_string();
        let has_triggers = TriggerScope::ALL.map(|scope| header.contains(scope.tags()[0]));
        Facts {
            name: header.name().to_owned(),
            header,
            nevra,
            files: OnceLock::new(),
            triggers: OnceLock::new(),
            has_triggers,
        }
    }

    /// Whether `relation` means this package by name and EVR, as obsoletes and triggers do.
    pub(crate) fn is_meant_by(&self, relation: &Relation) -> bool {
        relation.name == self.name
            && relation.satisfied_by(&Relation::new(self.name.as_str(), Condition::Equal, self.header.evr()))
    }

    /// Whether it provides `wanted` by name.
    pub(crate) fn provides(&self, wanted: &Relation) -> bool {
        let provided = self.header.dependencies(DependencyKind::Provides);
        provided.iter().any(|provided| wanted.satisfied_by(&provided.relation))
    }

    pub(crate) fn files(&self) -> Result<Arc<Vec<FileEntry>>, InstallError> {
        if let Some(files) = self.files.get() {
            return Ok(files.clone());
        }
        let wrong = |cause: rpm::FilesError| InstallError::Place { package: self.nevra.clone(), cause: cause.into() };
        let files = Arc::new(self.header.files().map_err(wrong)?);
        Ok(self.files.get_or_init(|| files).clone())
    }

    pub(crate) fn has_triggers(&self, scope: TriggerScope) -> bool {
        self.has_triggers[scope as usize]
    }

    /// The triggers of a scope, each with its number.
    pub(crate) fn triggers(&self, scope: TriggerScope) -> &[(usize, Trigger)] {
        if !self.has_triggers(scope) {
            return &[];
        }
        let all = self
            .triggers
            .get_or_init(|| TriggerScope::ALL.into_iter().map(|scope| self.header.triggers_of(scope)).collect());
        &all[scope as usize]
    }

    pub(crate) fn trigger(&self, scope: TriggerScope, number: usize) -> Option<&Trigger> {
        self.triggers(scope).iter().find(|(own, _)| *own == number).map(|(_, trigger)| trigger)
    }

    /// The conditions of its package triggers, in the order in which rpm looks at them.
    pub(crate) fn package_conditions(&self) -> Vec<TriggerCondition> {
        if !self.has_triggers(TriggerScope::Package) {
            return Vec::new();
        }
        self.header.trigger_conditions(TriggerScope::Package)
    }
}

/// A package in the root.
#[derive(Clone)]
pub(crate) struct Record {
    /// Its number in the database.
    pub(crate) number: u32,
    pub(crate) facts: Arc<Facts>,
    pub(crate) states: Vec<FileState>,
}

impl Record {
    /// Whether a file is there: neither left out nor replaced.
    pub(crate) fn is_there(&self, index: usize) -> bool {
        matches!(self.states.get(index), Some(FileState::Normal | FileState::NetShared) | None)
    }
}

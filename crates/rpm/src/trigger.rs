use pkg::Relation;

use crate::dependency::relations;
use crate::{Dependency, Header, ScriptletFlags, Sense, Tag};

/// What sets a trigger off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TriggerScope {
    /// A package of a name (`%triggerin`).
    Package,
    /// Files below a path, once for each package (`%filetriggerin`).
    File,
    /// Files below a path, once for the whole transaction (`%transfiletriggerin`).
    TransactionFile,
}

impl TriggerScope {
    /// All scopes.
    pub const ALL: [TriggerScope; 3] = [TriggerScope::Package, TriggerScope::File, TriggerScope::TransactionFile];

    /// The tags of scripts, programs, script flags, names, versions, flags and indexes, in this order.
    pub fn tags(self) -> [Tag; 7] {
        match self {
            TriggerScope::Package => [
                Tag::TRIGGERSCRIPTS,
                Tag::TRIGGERSCRIPTPROG,
                Tag::TRIGGERSCRIPTFLAGS,
                Tag::TRIGGERNAME,
                Tag::TRIGGERVERSION,
                Tag::TRIGGERFLAGS,
                Tag::TRIGGERINDEX,
            ],
            TriggerScope::File => [
                Tag::FILETRIGGERSCRIPTS,
                Tag::FILETRIGGERSCRIPTPROG,
                Tag::FILETRIGGERSCRIPTFLAGS,
                Tag::FILETRIGGERNAME,
                Tag::FILETRIGGERVERSION,
                Tag::FILETRIGGERFLAGS,
                Tag::FILETRIGGERINDEX,
            ],
            TriggerScope::TransactionFile => [
                Tag::TRANSFILETRIGGERSCRIPTS,
                Tag::TRANSFILETRIGGERSCRIPTPROG,
                Tag::TRANSFILETRIGGERSCRIPTFLAGS,
                Tag::TRANSFILETRIGGERNAME,
                Tag::TRANSFILETRIGGERVERSION,
                Tag::TRANSFILETRIGGERFLAGS,
                Tag::TRANSFILETRIGGERINDEX,
            ],
        }
    }

    /// The tag of priorities; package triggers have none.
    pub fn priorities(self) -> Option<Tag> {
        match self {
            TriggerScope::Package => None,
            TriggerScope::File => Some(Tag::FILETRIGGERPRIORITIES),
            TriggerScope::TransactionFile => Some(Tag::TRANSFILETRIGGERPRIORITIES),
        }
    }
}

/// When a trigger runs, seen from what sets it off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TriggerWhen {
    /// Before it is installed.
    PreIn,
    /// After it was installed.
    In,
    /// Before it is removed.
    Un,
    /// After it was removed.
    PostUn,
}

impl TriggerWhen {
    /// The flag that marks a condition of this kind.
    pub fn sense(self) -> Sense {
        match self {
            TriggerWhen::PreIn => Sense::TRIGGERPREIN,
            TriggerWhen::In => Sense::TRIGGERIN,
            TriggerWhen::Un => Sense::TRIGGERUN,
            TriggerWhen::PostUn => Sense::TRIGGERPOSTUN,
        }
    }

    fn of(sense: Sense) -> Option<TriggerWhen> {
        [TriggerWhen::PreIn, TriggerWhen::In, TriggerWhen::Un, TriggerWhen::PostUn]
            .into_iter()
            .find(|when| sense.has(when.sense()))
    }
}

/// A script that runs when another package, or files below a path, come or go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// What sets it off.
    pub scope: TriggerScope,
    /// When it runs.
    pub when: TriggerWhen,
    /// Packages (with ranges) or path prefixes, any of which sets it off.
    pub conditions: Vec<Relation>,
    /// The script.
    pub body: String,
    /// Its interpreter; `<lua>` is rpm's own.
    pub program: String,
    /// Preparation.
    pub flags: ScriptletFlags,
    /// Higher runs earlier; [`Trigger::DEFAULT_PRIORITY`] when not written. Only file triggers have one.
    pub priority: u32,
}

/// One condition of one trigger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriggerCondition {
    /// When the trigger runs; `None` for flags that mean nothing.
    pub when: Option<TriggerWhen>,
    /// A package with a range, or a path prefix.
    pub relation: Relation,
    /// The trigger's number within its scope, as [`Header::triggers_of`] gives it.
    pub trigger: usize,
}

impl Trigger {
    /// The priority of a file trigger that names none. Source: rpm, `build/parseScript.cc`.
    pub const DEFAULT_PRIORITY: u32 = 1_000_000;
}

impl Header {
    /// The package's triggers of all scopes, in the package's order.
    pub fn triggers(&self) -> Vec<Trigger> {
        TriggerScope::ALL.into_iter().flat_map(|scope| self.triggers_of(scope)).map(|(_, trigger)| trigger).collect()
    }

    /// The conditions of a scope's triggers in the header's order, in which rpm looks at them; it need not be the triggers'.
    pub fn trigger_conditions(&self, scope: TriggerScope) -> Vec<TriggerCondition> {
        let [_, _, _, names, versions, senses, indexes] = scope.tags();
        let conditions = relations(self, names, versions, senses);
        let indexes = self.u32s(indexes).into_iter().map(|index| index as usize);
        let condition = |(dependency, trigger): (Dependency, usize)| TriggerCondition {
            when: TriggerWhen::of(dependency.sense),
            relation: dependency.relation,
            trigger,
        };
        conditions.into_iter().zip(indexes).map(condition).collect()
    }

    /// The triggers of one scope, each with its number.
    pub fn triggers_of(&self, scope: TriggerScope) -> Vec<(usize, Trigger)> {
        let [scripts, programs, flags, names, versions, senses, indexes] = scope.tags();
        let (flags, indexes) = (self.u32s(flags), self.u32s(indexes));
        let priorities = scope.priorities().map(|tag| self.u32s(tag)).unwrap_or_default();
        let conditions: Vec<Dependency> = relations(self, names, versions, senses);
        let mut programs = self.strs(programs);
        let mut triggers = Vec::new();
        for (index, body) in self.strs(scripts).enumerate() {
            let program = programs.next().unwrap_or("/bin/sh");
            let own = || {
                let numbered = conditions.iter().zip(&indexes);
                numbered.filter(|(_, of)| **of as usize == index).map(|(condition, _)| condition)
            };
            let Some(when) = own().find_map(|condition| TriggerWhen::of(condition.sense)) else { continue };
            let trigger = Trigger {
                scope,
                when,
                conditions: own().map(|condition| condition.relation.clone()).collect(),
                body: body.to_owned(),
                program: program.to_owned(),
                flags: ScriptletFlags(flags.get(index).copied().unwrap_or_default()),
                priority: priorities.get(index).copied().unwrap_or(Trigger::DEFAULT_PRIORITY),
            };
            triggers.push((index, trigger));
        }
        triggers
    }
}

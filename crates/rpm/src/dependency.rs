use pkg::{Condition, Evr, Relation};

use crate::{Header, Tag};

/// One of the lists of relations that a package has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are rpm's")]
pub enum DependencyKind {
    Provides,
    Requires,
    Conflicts,
    Obsoletes,
    Recommends,
    Suggests,
    Supplements,
    Enhances,
    /// `OrderWithRequires`: before it, if it is in the same transaction.
    Order,
}

impl DependencyKind {
    /// All lists.
    pub const ALL: [DependencyKind; 9] = [
        DependencyKind::Provides,
        DependencyKind::Requires,
        DependencyKind::Conflicts,
        DependencyKind::Obsoletes,
        DependencyKind::Recommends,
        DependencyKind::Suggests,
        DependencyKind::Supplements,
        DependencyKind::Enhances,
        DependencyKind::Order,
    ];

    /// The tags of names, versions and flags.
    pub fn tags(self) -> [Tag; 3] {
        match self {
            DependencyKind::Provides => [Tag::PROVIDENAME, Tag::PROVIDEVERSION, Tag::PROVIDEFLAGS],
            DependencyKind::Requires => [Tag::REQUIRENAME, Tag::REQUIREVERSION, Tag::REQUIREFLAGS],
            DependencyKind::Conflicts => [Tag::CONFLICTNAME, Tag::CONFLICTVERSION, Tag::CONFLICTFLAGS],
            DependencyKind::Obsoletes => [Tag::OBSOLETENAME, Tag::OBSOLETEVERSION, Tag::OBSOLETEFLAGS],
            DependencyKind::Recommends => [Tag::RECOMMENDNAME, Tag::RECOMMENDVERSION, Tag::RECOMMENDFLAGS],
            DependencyKind::Suggests => [Tag::SUGGESTNAME, Tag::SUGGESTVERSION, Tag::SUGGESTFLAGS],
            DependencyKind::Supplements => [Tag::SUPPLEMENTNAME, Tag::SUPPLEMENTVERSION, Tag::SUPPLEMENTFLAGS],
            DependencyKind::Enhances => [Tag::ENHANCENAME, Tag::ENHANCEVERSION, Tag::ENHANCEFLAGS],
            DependencyKind::Order => [Tag::ORDERNAME, Tag::ORDERVERSION, Tag::ORDERFLAGS],
        }
    }
}

/// What a relation is for: the bits of rpm's `rpmsenseFlags` (`include/rpm/rpmds.h`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sense(pub u32);

#[expect(missing_docs, reason = "the names are rpm's")]
impl Sense {
    pub const LESS: Sense = Sense(1 << 1);
    pub const GREATER: Sense = Sense(1 << 2);
    pub const EQUAL: Sense = Sense(1 << 3);
    pub const POSTTRANS: Sense = Sense(1 << 5);
    pub const PREREQ: Sense = Sense(1 << 6);
    pub const PRETRANS: Sense = Sense(1 << 7);
    pub const INTERP: Sense = Sense(1 << 8);
    pub const SCRIPT_PRE: Sense = Sense(1 << 9);
    pub const SCRIPT_POST: Sense = Sense(1 << 10);
    pub const SCRIPT_PREUN: Sense = Sense(1 << 11);
    pub const SCRIPT_POSTUN: Sense = Sense(1 << 12);
    pub const SCRIPT_VERIFY: Sense = Sense(1 << 13);
    pub const FIND_REQUIRES: Sense = Sense(1 << 14);
    pub const FIND_PROVIDES: Sense = Sense(1 << 15);
    pub const TRIGGERIN: Sense = Sense(1 << 16);
    pub const TRIGGERUN: Sense = Sense(1 << 17);
    pub const TRIGGERPOSTUN: Sense = Sense(1 << 18);
    pub const MISSINGOK: Sense = Sense(1 << 19);
    pub const PREUNTRANS: Sense = Sense(1 << 20);
    pub const POSTUNTRANS: Sense = Sense(1 << 21);
    pub const RPMLIB: Sense = Sense(1 << 24);
    pub const TRIGGERPREIN: Sense = Sense(1 << 25);
    pub const KEYRING: Sense = Sense(1 << 26);
    pub const CONFIG: Sense = Sense(1 << 28);
    pub const META: Sense = Sense(1 << 29);

    /// Whether all bits of `other` are set.
    pub const fn has(self, other: Sense) -> bool {
        self.0 & other.0 == other.0
    }

    /// The bits of both.
    #[must_use]
    pub const fn and(self, other: Sense) -> Sense {
        Sense(self.0 | other.0)
    }

    /// Whether the requirement must be there before the package's own scriptlets of installation run: what rpm-md marks
    /// `pre="1"`. Source: createrepo_c, `src/parsehdr.c` (PREREQ, SCRIPT_PRE and SCRIPT_POST).
    pub const fn is_pre(self) -> bool {
        self.0 & (Sense::PREREQ.0 | Sense::SCRIPT_PRE.0 | Sense::SCRIPT_POST.0) != 0
    }

    /// The comparison in the bits, if there is one.
    pub fn condition(self) -> Option<Condition> {
        Some(match (self.has(Sense::LESS), self.has(Sense::EQUAL), self.has(Sense::GREATER)) {
            (true, false, false) => Condition::Less,
            (true, true, false) => Condition::LessOrEqual,
            (false, true, false) => Condition::Equal,
            (false, true, true) => Condition::GreaterOrEqual,
            (false, false, true) => Condition::Greater,
            _ => return None,
        })
    }

    /// The bits of a comparison.
    pub fn of_condition(condition: Condition) -> Sense {
        match condition {
            Condition::Less => Sense::LESS,
            Condition::LessOrEqual => Sense::LESS.and(Sense::EQUAL),
            Condition::Equal => Sense::EQUAL,
            Condition::GreaterOrEqual => Sense::GREATER.and(Sense::EQUAL),
            Condition::Greater => Sense::GREATER,
        }
    }
}

/// A relation of a package and what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// What is provided, required ..; a rich dependency stands whole in the name.
    pub relation: Relation,
    /// Comparison, and which scriptlet or generator it comes from.
    pub sense: Sense,
}

impl Dependency {
    /// A relation with no other flags than those of its comparison.
    pub fn new(relation: Relation) -> Dependency {
        let sense = relation.bound.as_ref().map_or(Sense::default(), |(condition, _)| Sense::of_condition(*condition));
        Dependency { relation, sense }
    }

    /// Whether it asks for a feature of rpm itself: `rpmlib(...)`, which no package provides.
    pub fn is_rpmlib(&self) -> bool {
        self.sense.has(Sense::RPMLIB) || self.relation.name.starts_with("rpmlib(")
    }
}

impl Header {
    /// One list of relations, in the package's order.
    pub fn dependencies(&self, kind: DependencyKind) -> Vec<Dependency> {
        let [names, versions, flags] = kind.tags();
        relations(self, names, versions, flags)
    }
}

/// Joins three parallel arrays; missing versions or flags count as none.
pub(crate) fn relations(header: &Header, names: Tag, versions: Tag, flags: Tag) -> Vec<Dependency> {
    let flags = header.u32s(flags);
    let mut versions = header.strs(versions);
    let mut list = Vec::with_capacity(header.count(names));
    for (index, name) in header.strs(names).enumerate() {
        let sense = Sense(flags.get(index).copied().unwrap_or_default());
        let version = versions.next().unwrap_or_default();
        let bound = sense.condition().filter(|_| !version.is_empty()).map(|condition| (condition, evr(version)));
        list.push(Dependency { relation: Relation { name: name.to_owned(), bound }, sense });
    }
    list
}

/// An EVR as packages have it; what does not parse (an epoch that is no number) is a version as a whole, as in rpm.
pub(crate) fn evr(text: &str) -> Evr {
    Evr::parse(text).unwrap_or_else(|_| Evr::new(0, text, ""))
}

use crate::{Header, Tag};

/// When a scriptlet runs; the names are those of a spec's sections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are rpm's")]
pub enum ScriptletKind {
    Pretrans,
    Pre,
    Post,
    Posttrans,
    Preuntrans,
    Preun,
    Postun,
    Postuntrans,
    Verify,
}

impl ScriptletKind {
    /// All kinds.
    pub const ALL: [ScriptletKind; 9] = [
        ScriptletKind::Pretrans,
        ScriptletKind::Pre,
        ScriptletKind::Post,
        ScriptletKind::Posttrans,
        ScriptletKind::Preuntrans,
        ScriptletKind::Preun,
        ScriptletKind::Postun,
        ScriptletKind::Postuntrans,
        ScriptletKind::Verify,
    ];

    /// The section's name, without the `%`.
    pub fn name(self) -> &'static str {
        match self {
            ScriptletKind::Pretrans => "pretrans",
            ScriptletKind::Pre => "pre",
            ScriptletKind::Post => "post",
            ScriptletKind::Posttrans => "posttrans",
            ScriptletKind::Preuntrans => "preuntrans",
            ScriptletKind::Preun => "preun",
            ScriptletKind::Postun => "postun",
            ScriptletKind::Postuntrans => "postuntrans",
            ScriptletKind::Verify => "verify",
        }
    }

    /// The tags of body, program and flags.
    pub fn tags(self) -> [Tag; 3] {
        match self {
            ScriptletKind::Pretrans => [Tag::PRETRANS, Tag::PRETRANSPROG, Tag::PRETRANSFLAGS],
            ScriptletKind::Pre => [Tag::PREIN, Tag::PREINPROG, Tag::PREINFLAGS],
            ScriptletKind::Post => [Tag::POSTIN, Tag::POSTINPROG, Tag::POSTINFLAGS],
            ScriptletKind::Posttrans => [Tag::POSTTRANS, Tag::POSTTRANSPROG, Tag::POSTTRANSFLAGS],
            ScriptletKind::Preuntrans => [Tag::PREUNTRANS, Tag::PREUNTRANSPROG, Tag::PREUNTRANSFLAGS],
            ScriptletKind::Preun => [Tag::PREUN, Tag::PREUNPROG, Tag::PREUNFLAGS],
            ScriptletKind::Postun => [Tag::POSTUN, Tag::POSTUNPROG, Tag::POSTUNFLAGS],
            ScriptletKind::Postuntrans => [Tag::POSTUNTRANS, Tag::POSTUNTRANSPROG, Tag::POSTUNTRANSFLAGS],
            ScriptletKind::Verify => [Tag::VERIFYSCRIPT, Tag::VERIFYSCRIPTPROG, Tag::VERIFYSCRIPTFLAGS],
        }
    }
}

/// How a scriptlet's body is prepared: the bits of rpm's `rpmscriptFlags`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScriptletFlags(pub u32);

impl ScriptletFlags {
    /// `-e`: macros in the body are expanded when it runs.
    pub const EXPAND: ScriptletFlags = ScriptletFlags(1 << 0);
    /// `-q`: the body is a query format over the package's header.
    pub const QUERY_FORMAT: ScriptletFlags = ScriptletFlags(1 << 1);
    /// `-c`: its failure fails the package, whatever its kind.
    pub const CRITICAL: ScriptletFlags = ScriptletFlags(1 << 2);

    /// Whether all bits of `other` are set.
    pub const fn has(self, other: ScriptletFlags) -> bool {
        self.0 & other.0 == other.0
    }
}

/// A program that runs when the package is installed or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scriptlet {
    /// When.
    pub kind: ScriptletKind,
    /// The script, which the program gets as a file; `None` when only the program runs (`-p /sbin/ldconfig`).
    pub body: Option<String>,
    /// Interpreter and its arguments; `<lua>` is rpm's own. Never empty: `/bin/sh` when the package names none.
    pub program: Vec<String>,
    /// Preparation.
    pub flags: ScriptletFlags,
}

impl Header {
    /// The package's scriptlets, in the order of [`ScriptletKind::ALL`].
    pub fn scriptlets(&self) -> Vec<Scriptlet> {
        ScriptletKind::ALL.into_iter().filter_map(|kind| self.scriptlet(kind)).collect()
    }

    /// The scriptlet of one kind.
    pub fn scriptlet(&self, kind: ScriptletKind) -> Option<Scriptlet> {
        let [body, program, flags] = kind.tags();
        if !self.contains(body) && !self.contains(program) {
            return None;
        }
        let mut program: Vec<String> = self.strs(program).map(str::to_owned).collect();
        if program.is_empty() {
            program.push("/bin/sh".to_owned());
        }
        let flags = ScriptletFlags(self.number(flags).unwrap_or_default() as u32);
        Some(Scriptlet { kind, body: self.str(body).map(str::to_owned), program, flags })
    }
}

use serde::Serialize;

macro_rules! codes {
    ($($variant:ident $name:literal $meaning:literal,)+) => {
        /// The kinds of findings. The names are stable: they are what `--allow` takes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "each variant is named after its name")]
        pub enum Code { $($variant,)+ }

        impl Code {
            /// Every code, sorted by name.
            pub const ALL: &[Code] = &[$(Code::$variant,)+];

            /// The name, as in `unused-patch`.
            pub fn name(self) -> &'static str {
                match self { $(Code::$variant => $name,)+ }
            }

            /// Why that is wrong, and what to do.
            pub fn explanation(self) -> &'static str {
                match self { $(Code::$variant => $meaning,)+ }
            }
        }
    };
}

codes! {
    ChangelogDate "changelog-date"
        "rpm cannot read the date, or there is no such day: weekday and date disagree. After an entry that it cannot read, rpm drops all older ones.",
    ChangelogOrder "changelog-order"
        "entries go from new to old. At the first that is newer than the one above it, rpm drops it and all below.",
    CommentExpands "comment-expands"
        "rpm expands macros in comments, too. This one becomes several lines, and only the first is a comment: the others count. Write `%%` for `%`.",
    ConstantCondition "constant-condition"
        "the condition is a constant: the lines never count. Remove them, or give the choice a name with `%bcond`.",
    DeadBcond "dead-bcond"
        "the spec offers `--with` or `--without` for this name, but nothing asks for it: the option does nothing.",
    DuplicateDependency "duplicate-dependency"
        "the same dependency stands twice in the same package. One of them says nothing.",
    DuplicateTag "duplicate-tag"
        "a package has a tag of one value twice. rpm refuses the spec, or takes one of the values.",
    ImpossibleCondition "impossible-condition"
        "no build can take this branch: the conditions around or before it, or the architectures of the spec, exclude it.",
    PackageWithoutFiles "package-without-files"
        "a package without `%files` is not built, whatever its tags and scripts say.",
    UncheckedSignature "unchecked-signature"
        "the signature or checksum of a source is there, but `%prep` does not check it.",
    UndeclaredBcond "undeclared-bcond"
        "`%{with ..}` asks for a name that no `%bcond` declares and nothing defines: the answer is always no, even with `--with`.",
    UndefinedMacro "undefined-macro"
        "no macro file and no line of the spec defines this macro: its text stays as it is written.",
    UnknownArchitecture "unknown-architecture"
        "rpm knows no architecture of that name, so that the word never matches.",
    UnusedPatch "unused-patch"
        "nothing applies the patch. Either a fix is missing from the package, or the file is no longer needed.",
    UnusedSource "unused-source"
        "nothing in the spec uses the source. It is downloaded, kept and published for nothing.",
}

impl Code {
    /// The code of that name.
    pub fn named(name: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.name() == name)
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_found() {
        assert!(Code::ALL.is_sorted_by_key(|code| code.name()));
        for code in Code::ALL {
            assert_eq!(Code::named(code.name()), Some(*code));
        }
        assert_eq!(Code::named("nothing"), None);
    }
}

use std::borrow::Cow;

use rusqlite::types::{ToSqlOutput, ValueRef};

use super::rich;
use crate::{Header, Sense, Tag, ValueKind};

/// An index of the database: which packages have which value of a tag.
pub(super) struct Table {
    pub(super) name: &'static str,
    tag: Tag,
    /// Whether the key is text, and so looked up; numbers and digests are not.
    text: bool,
    /// Whether a package has several, and so rows are also found by package.
    array: bool,
}

const fn list(name: &'static str, tag: Tag) -> Table {
    Table { name, tag, text: true, array: true }
}

/// In the order in which rpm makes them.
pub(super) const TABLES: &[Table] = &[
    Table { name: "Name", tag: Tag::NAME, text: true, array: false },
    list("Basenames", Tag::BASENAMES),
    Table { name: "Group", tag: Tag::GROUP, text: true, array: false },
    list("Requirename", Tag::REQUIRENAME),
    list("Providename", Tag::PROVIDENAME),
    list("Conflictname", Tag::CONFLICTNAME),
    list("Obsoletename", Tag::OBSOLETENAME),
    list("Triggername", Tag::TRIGGERNAME),
    list("Dirnames", Tag::DIRNAMES),
    Table { name: "Installtid", tag: Tag::INSTALLTID, text: false, array: false },
    Table { name: "Sigmd5", tag: Tag::SIGMD5, text: false, array: false },
    Table { name: "Sha1header", tag: Tag::SHA1HEADER, text: true, array: false },
    list("Filetriggername", Tag::FILETRIGGERNAME),
    list("Transfiletriggername", Tag::TRANSFILETRIGGERNAME),
    list("Recommendname", Tag::RECOMMENDNAME),
    list("Suggestname", Tag::SUGGESTNAME),
    list("Supplementname", Tag::SUPPLEMENTNAME),
    list("Enhancename", Tag::ENHANCENAME),
];

/// A key of an index.
pub(super) enum Key<'a> {
    Text(Cow<'a, str>),
    Bytes(Cow<'a, [u8]>),
}

impl rusqlite::ToSql for Key<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Key::Text(text) => ValueRef::Text(text.as_bytes()),
            Key::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl Table {
    /// The text is rpm's to the letter, so that both databases have one schema.
    pub(super) fn schema(&self) -> String {
        let (name, kind) = (self.name, if self.text { "TEXT" } else { "BLOB" });
        format!(
            "CREATE TABLE IF NOT EXISTS '{name}' (key '{kind}' NOT NULL, hnum INTEGER NOT NULL, idx INTEGER NOT NULL, \
             FOREIGN KEY (hnum) REFERENCES 'Packages'(hnum))"
        )
    }

    pub(super) fn indexes(&self) -> String {
        let name = self.name;
        let index = |column| format!("CREATE INDEX IF NOT EXISTS '{name}_{column}_idx' ON '{name}'({column} ASC);");
        let key = if self.text { index("key") } else { String::new() };
        let hnum = if self.array { index("hnum") } else { String::new() };
        key + &hnum
    }

    /// Keys of one package, with their place in the tag's array.
    pub(super) fn keys<'a>(&self, header: &'a Header) -> Vec<(Key<'a>, u32)> {
        match self.tag {
            // rpm keeps the number in the machine's byte order, which is little endian wherever we run.
            Tag::INSTALLTID => header
                .u32s(self.tag)
                .first()
                .map(|id| (Key::Bytes(id.to_le_bytes().to_vec().into()), 0))
                .into_iter()
                .collect(),
            Tag::SIGMD5 => header.bytes(self.tag).map(|digest| (Key::Bytes(digest.into()), 0)).into_iter().collect(),
            Tag::GROUP => vec![(Key::Text(header.str(self.tag).unwrap_or("Unknown").into()), 0)],
            _ => self.text_keys(header),
        }
    }

    fn text_keys<'a>(&self, header: &'a Header) -> Vec<(Key<'a>, u32)> {
        let senses = if self.tag == Tag::REQUIRENAME { header.u32s(Tag::REQUIREFLAGS) } else { Vec::new() };
        let triggers = match self.tag {
            Tag::FILETRIGGERNAME => header.u32s(Tag::FILETRIGGERINDEX),
            Tag::TRANSFILETRIGGERNAME => header.u32s(Tag::TRANSFILETRIGGERINDEX),
            _ => Vec::new(),
        };
        let array = header.raw(self.tag).is_some_and(|(kind, _)| kind == ValueKind::StringArray);
        let mut keys: Vec<(Key<'a>, u32)> = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        for (text, place) in header.strs(self.tag).zip(0u32..) {
            if senses.get(place as usize).is_some_and(|sense| is_transient(Sense(*sense))) {
                continue;
            }
            if self.tag == Tag::TRIGGERNAME && !seen.insert(text) {
                continue;
            }
            // File triggers are found by the trigger, all else by the place in the array.
            let number = triggers.get(place as usize).copied().unwrap_or(place);
            keys.push((Key::Text(text.into()), number));
            if array && text.starts_with('(') && self.tag != Tag::PROVIDENAME && self.tag != Tag::OBSOLETENAME {
                keys.extend(rich::names(text).into_iter().map(|name| (Key::Text(name.into()), number)));
            }
        }
        keys
    }
}

/// Whether a requirement only matters while installing, and so cannot be broken by erasing.
/// Source: rpm, `include/rpm/rpmds.h`, `isTransientReq`.
fn is_transient(sense: Sense) -> bool {
    let install =
        [Sense::SCRIPT_PRE, Sense::SCRIPT_POST, Sense::RPMLIB, Sense::KEYRING, Sense::PRETRANS, Sense::POSTTRANS];
    let erase = [Sense::SCRIPT_PREUN, Sense::SCRIPT_POSTUN, Sense::PREUNTRANS, Sense::POSTUNTRANS];
    let any = |bits: &[Sense]| bits.iter().any(|bit| sense.has(*bit));
    any(&install) && !any(&erase) && !sense.has(Sense::META)
}

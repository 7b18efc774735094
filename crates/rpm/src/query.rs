//! Values of a package by rpm's tag names, those included that rpm computes from others.

use pkg::Evr;

use crate::{DependencyKind, Header, Package, Tag, Value, signature};

/// Tags of the signature header that rpm shows among the package's, and under which name.
/// Source: rpm, `lib/package.cc`, `xlateTags`.
pub(crate) const OF_SIGNATURE: [(Tag, Tag); 17] = [
    (signature::SIZE, Tag::SIGSIZE),
    (signature::PGP, Tag::SIGPGP),
    (signature::MD5, Tag::SIGMD5),
    (signature::GPG, Tag::SIGGPG),
    (signature::PAYLOADSIZE, Tag::ARCHIVESIZE),
    (signature::FILESIGNATURES, Tag::FILESIGNATURES),
    (signature::FILESIGNATURELENGTH, Tag::FILESIGNATURELENGTH),
    (Tag::SHA1HEADER, Tag::SHA1HEADER),
    (Tag::SHA256HEADER, Tag::SHA256HEADER),
    (Tag::DSAHEADER, Tag::DSAHEADER),
    (Tag::RSAHEADER, Tag::RSAHEADER),
    (Tag::LONGSIGSIZE, Tag::LONGSIGSIZE),
    (Tag::LONGARCHIVESIZE, Tag::LONGARCHIVESIZE),
    (Tag::OPENPGP, Tag::OPENPGP),
    (Tag::SHA3_256HEADER, Tag::SHA3_256HEADER),
    (Tag::VERITYSIGNATURES, Tag::VERITYSIGNATURES),
    (Tag::VERITYSIGNATUREALGO, Tag::VERITYSIGNATUREALGO),
];

/// Tags that rpm computes, and that no header holds.
const COMPUTED: [&str; 24] = [
    "archsuffix",
    "changelog",
    "conflictnevrs",
    "enhancenevrs",
    "epochnum",
    "evr",
    "filenames",
    "filenlinks",
    "headercolor",
    "longfilesizes",
    "longsigsize",
    "longsize",
    "nevr",
    "nevra",
    "nvr",
    "nvra",
    "obsoletenevrs",
    "providenevrs",
    "recommendnevrs",
    "requirenevrs",
    "suggestnevrs",
    "supplementnevrs",
    "verbose",
    "ordernevrs",
];

/// Other names of tags that rpm has. Source: rpm, `include/rpm/rpmtag.h`.
const SYNONYMS: [(&str, &str); 18] = [
    ("n", "name"),
    ("v", "version"),
    ("r", "release"),
    ("e", "epoch"),
    ("c", "conflictname"),
    ("o", "obsoletename"),
    ("p", "providename"),
    ("provides", "providename"),
    ("requires", "requirename"),
    ("conflicts", "conflictname"),
    ("obsoletes", "obsoletename"),
    ("recommends", "recommendname"),
    ("suggests", "suggestname"),
    ("supplements", "supplementname"),
    ("enhances", "enhancename"),
    ("filemd5s", "filedigests"),
    ("payloaddigest", "payloadsha256"),
    ("payloaddigestalgo", "payloadsha256algo"),
];

/// Whether there is a tag of this name, held or computed.
pub fn is_tag_name(name: &str) -> bool {
    let name = canonical(name);
    COMPUTED.contains(&name.as_str()) || Tag::named(&name).is_some()
}

fn canonical(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    let name = name.strip_prefix("rpmtag_").unwrap_or(&name);
    SYNONYMS.iter().find(|(synonym, _)| *synonym == name).map_or_else(|| name.to_owned(), |(_, tag)| (*tag).to_owned())
}

impl Package {
    /// The value of a tag by name, as rpm shows it: from the header, from the signature header, or computed.
    pub fn query(&self, name: &str) -> Option<Value> {
        let name = canonical(name);
        if let Some(value) = self.header.computed(&name, Some(&self.signature)) {
            return Some(value);
        }
        let tag = Tag::named(&name)?;
        self.header.value(tag).or_else(|| {
            let (from, _) =
                OF_SIGNATURE.iter().find(|(from, to)| *to == tag && (self.header.format() < 6 || *from < Tag::NAME))?;
            self.signature.value(*from)
        })
    }

    /// The names of all tags that have a value, those of the signature header included, sorted.
    pub fn tag_names(&self) -> Vec<String> {
        let of_signature = OF_SIGNATURE.iter().filter(|(from, _)| self.signature.contains(*from)).map(|(_, to)| *to);
        let mut names: Vec<String> = self.header.tags().chain(of_signature).map(|tag| tag.to_string()).collect();
        names.sort();
        names.dedup();
        names
    }
}

impl Header {
    fn computed(&self, name: &str, signatures: Option<&Header>) -> Option<Value> {
        let text = |text: String| Some(Value::String(text));
        let evr = || plain_evr(&self.evr(), self.contains(Tag::EPOCH));
        let label = |with_epoch: bool| {
            let evr = self.evr();
            let epoch = if with_epoch && self.contains(Tag::EPOCH) { format!("{}:", evr.epoch) } else { String::new() };
            format!("{}-{epoch}{}-{}", self.name(), evr.version, evr.release)
        };
        let arch = || self.str(Tag::ARCH).unwrap_or_default().to_owned();
        match name {
            "evr" => text(evr()),
            "nvr" => text(label(false)),
            "nevr" => text(label(true)),
            "nvra" => text(format!("{}.{}", label(false), self.arch())),
            "nevra" => text(format!("{}.{}", label(true), self.arch())),
            "archsuffix" => text(format!(".{}", if self.is_source() { "src".to_owned() } else { arch() })),
            "epochnum" => Some(Value::Int32s(vec![self.evr().epoch])),
            "filenames" => some_texts(self.file_paths().collect()),
            "headercolor" => {
                let color = self.u32s(Tag::FILECOLORS).into_iter().fold(0, |all, color| all | color) & 15;
                Some(Value::Int32s(vec![color]))
            }
            "longsize" => self.number(Tag::LONGSIZE).or_else(|| self.number(Tag::SIZE)).map(wide),
            "longsigsize" => {
                let both = signatures?;
                both.number(Tag::LONGSIGSIZE).or_else(|| both.number(signature::SIZE)).map(wide)
            }
            "longfilesizes" => {
                let sizes =
                    self.numbers(if self.contains(Tag::LONGFILESIZES) { Tag::LONGFILESIZES } else { Tag::FILESIZES });
                (!sizes.is_empty()).then_some(Value::Int64s(sizes))
            }
            "fileclass" => {
                let names: Vec<&str> = self.strs(Tag::CLASSDICT).collect();
                let mut targets = self.strs(Tag::FILELINKTOS);
                let name = |class: u32| {
                    let target = targets.next().filter(|target| !target.is_empty());
                    let named = || names.get(class as usize).copied().unwrap_or_default().to_owned();
                    target.map_or_else(named, |target| format!("symbolic link to `{target}'"))
                };
                some_texts(self.u32s(Tag::FILECLASS).into_iter().map(name).collect())
            }
            "longarchivesize" => {
                let both = signatures?;
                both.number(Tag::LONGARCHIVESIZE).or_else(|| both.number(signature::PAYLOADSIZE)).map(wide)
            }
            "filenlinks" => self.link_counts(),
            "ordernevrs" => self.nevrs(DependencyKind::Order),
            "requirenevrs" => self.nevrs(DependencyKind::Requires),
            "providenevrs" => self.nevrs(DependencyKind::Provides),
            "conflictnevrs" => self.nevrs(DependencyKind::Conflicts),
            "obsoletenevrs" => self.nevrs(DependencyKind::Obsoletes),
            "recommendnevrs" => self.nevrs(DependencyKind::Recommends),
            "suggestnevrs" => self.nevrs(DependencyKind::Suggests),
            "supplementnevrs" => self.nevrs(DependencyKind::Supplements),
            "enhancenevrs" => self.nevrs(DependencyKind::Enhances),
            _ => None,
        }
    }

    /// How many names each file has.
    fn link_counts(&self) -> Option<Value> {
        let files = self.files().ok().filter(|files| !files.is_empty())?;
        let names = |set: usize| files.iter().filter(|other| other.hard_link == Some(set)).count() as u32;
        Some(Value::Int32s(files.iter().map(|file| file.hard_link.map_or(1, names)).collect()))
    }

    /// Relations as text, as rpm writes them, versions verbatim.
    fn nevrs(&self, kind: DependencyKind) -> Option<Value> {
        let [names, versions, flags] = kind.tags();
        let senses = self.u32s(flags);
        let mut versions = self.strs(versions);
        let relation = |(index, name): (usize, &str)| {
            let version = versions.next().unwrap_or_default();
            let sense = crate::Sense(senses.get(index).copied().unwrap_or_default());
            match sense.condition().filter(|_| !version.is_empty()) {
                Some(condition) => format!("{name} {} {version}", condition.as_str()),
                None => name.to_owned(),
            }
        };
        some_texts(self.strs(names).enumerate().map(relation).collect())
    }
}

fn some_texts(texts: Vec<String>) -> Option<Value> {
    (!texts.is_empty()).then_some(Value::Strings(texts))
}

fn wide(number: u64) -> Value {
    Value::Int64s(vec![number])
}

fn plain_evr(evr: &Evr, has_epoch: bool) -> String {
    let epoch = if has_epoch { format!("{}:", evr.epoch) } else { String::new() };
    format!("{epoch}{}-{}", evr.version, evr.release)
}

use pkg::{Digest, Nevra, SourceDateEpoch};

use crate::repomd::{Data, Repomd};
use crate::{Compression, Package, ReadError, filelists, other, primary};

/// One package's part of the three documents, as text.
///
/// It depends on the package alone, so it can be kept by the package's digest: a package that was published before is
/// not opened again. [`Entry::to_bytes`] is the form for keeping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// `<package>` of primary.
    pub primary: String,
    /// `<package>` of filelists.
    pub filelists: String,
    /// `<package>` of other.
    pub other: String,
}

impl Entry {
    /// Writes one package's parts.
    pub fn new(package: &Package) -> Entry {
        let mut entry = Entry { primary: String::new(), filelists: String::new(), other: String::new() };
        primary::write_package(package, &mut entry.primary);
        filelists::write_package(package, &mut entry.filelists);
        other::write_package(package, &mut entry.other);
        entry
    }

    /// The parts one after the other, in front of them their lengths: three numbers of 8 bytes, little endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        let parts = [&self.primary, &self.filelists, &self.other];
        let mut bytes = Vec::with_capacity(24 + parts.iter().map(|part| part.len()).sum::<usize>());
        parts.iter().for_each(|part| bytes.extend((part.len() as u64).to_le_bytes()));
        parts.iter().for_each(|part| bytes.extend(part.as_bytes()));
        bytes
    }

    /// Reads what [`Entry::to_bytes`] wrote; `None` when `bytes` are something else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Entry> {
        let mut rest = bytes.get(24..)?;
        let mut part = |index: usize| {
            let length = u64::from_le_bytes(bytes[index * 8..index * 8 + 8].try_into().ok()?);
            let (part, behind) = rest.split_at_checked(usize::try_from(length).ok()?)?;
            rest = behind;
            String::from_utf8(part.to_vec()).ok()
        };
        let entry = Entry { primary: part(0)?, filelists: part(1)?, other: part(2)? };
        rest.is_empty().then_some(entry)
    }

    /// The package as primary has it: without the files that primary does not list, and without changelog.
    pub fn read_primary(&self) -> Result<Package, ReadError> {
        let text = format!("{}{}{}", primary::head(1), self.primary, primary::TAIL);
        let first = primary::Reader::new(text.as_bytes()).next();
        first
            .unwrap_or_else(|| Err(ReadError::Fact { document: "primary", position: 0, fact: "no package".to_owned() }))
    }
}

/// Packages that stand together in the documents and are compressed apart from the others.
///
/// A document of several gzip members or zstd frames is one document to every reader. Where most groups are known already,
/// one package more costs one group.
#[derive(Clone, Debug)]
pub struct Group<'a> {
    /// Each package's part of primary, filelists and other.
    pub entries: Vec<[&'a str; 3]>,
    /// What [`Documents::of_groups`] made of these entries before.
    pub packed: Option<[&'a [u8]; 3]>,
}

/// A document's kind, how it begins for a number of packages, and how it ends.
type Part = (&'static str, fn(usize) -> String, &'static str);

/// The three documents, in order.
const PARTS: [Part; 3] = [
    ("primary", primary::head, primary::TAIL),
    ("filelists", filelists::head, filelists::TAIL),
    ("other", other::head, other::TAIL),
];

/// The documents of a whole repository, compressed, and their index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Documents {
    /// File name below the repository's base, as in `repodata/DIGEST-primary.xml.gz`, and bytes.
    pub files: Vec<(String, Vec<u8>)>,
    /// What names them.
    pub repomd: Repomd,
}

impl Documents {
    /// Joins `entries`, in their order, to primary, filelists and other.
    ///
    /// `at` stands for the time in the index, and is its revision. Sort the entries by [`Documents::order`], so that equal
    /// sets of packages give equal bytes.
    ///
    /// # Errors
    /// Those of [`Compression::compress`].
    pub fn new(entries: &[Entry], compression: Compression, at: SourceDateEpoch) -> std::io::Result<Documents> {
        let count = entries.len();
        let join = |head: String, tail: &str, part: fn(&Entry) -> &str| {
            let length = entries.iter().map(|entry| part(entry).len()).sum::<usize>();
            let mut text = String::with_capacity(head.len() + length + tail.len());
            text.push_str(&head);
            entries.iter().for_each(|entry| text.push_str(part(entry)));
            text.push_str(tail);
            text
        };
        let texts = [
            ("primary", join(primary::head(count), primary::TAIL, |entry| &entry.primary)),
            ("filelists", join(filelists::head(count), filelists::TAIL, |entry| &entry.filelists)),
            ("other", join(other::head(count), other::TAIL, |entry| &entry.other)),
        ];
        let compressed: Vec<std::io::Result<(String, Data, Vec<u8>)>> = std::thread::scope(|scope| {
            let tasks: Vec<_> = texts
                .iter()
                .map(|(kind, text)| {
                    scope.spawn(move || compress((kind, &format!("{kind}.xml")), text.as_bytes(), compression, at))
                })
                .collect();
            let lost = || std::io::Error::other("a compressing thread died");
            tasks.into_iter().map(|task| task.join().unwrap_or_else(|_| Err(lost()))).collect()
        });
        let mut documents =
            Documents { files: Vec::new(), repomd: Repomd { revision: at.to_string(), data: Vec::new() } };
        for result in compressed {
            let (name, data, bytes) = result?;
            documents.files.push((name, bytes));
            documents.repomd.data.push(data);
        }
        Ok(documents)
    }

    /// Joins groups of entries, in their order, to primary, filelists and other; also returns what each group became, for
    /// [`Group::packed`] the next time, where it was not known.
    ///
    /// # Errors
    /// Those of [`Compression::compress`].
    #[expect(clippy::type_complexity, reason = "the three parts of each group that was not known")]
    pub fn of_groups(
        groups: &[Group<'_>],
        compression: Compression,
        at: SourceDateEpoch,
    ) -> std::io::Result<(Documents, Vec<Option<[Vec<u8>; 3]>>)> {
        let count = groups.iter().map(|group| group.entries.len()).sum::<usize>();
        let results: Vec<std::io::Result<Joined>> = std::thread::scope(|scope| {
            let part = |part: usize| join_groups(groups, part, count, compression, at);
            let tasks: Vec<_> = (0..PARTS.len()).map(|number| scope.spawn(move || part(number))).collect();
            let lost = || std::io::Error::other("a compressing thread died");
            tasks.into_iter().map(|task| task.join().unwrap_or_else(|_| Err(lost()))).collect()
        });
        let mut documents =
            Documents { files: Vec::new(), repomd: Repomd { revision: at.to_string(), data: Vec::new() } };
        let mut packed: Vec<Vec<Vec<u8>>> = Vec::new();
        for result in results {
            let (name, data, bytes, parts) = result?;
            documents.files.push((name, bytes));
            documents.repomd.data.push(data);
            packed.push(parts);
        }
        let mut packed: Vec<_> = packed.into_iter().map(Vec::into_iter).collect();
        let made = groups.iter().map(|group| match group.packed {
            Some(_) => None,
            None => {
                let mut next = |part: usize| packed[part].next().unwrap_or_default();
                Some([next(0), next(1), next(2)])
            }
        });
        let made = made.collect();
        Ok((documents, made))
    }

    /// Adds another document as it is: `updateinfo`, `group` (comps), `modules` ..
    ///
    /// `name` is the file's name behind its digest, as in `updateinfo.xml`. Documents of one kind replace one another.
    ///
    /// # Errors
    /// Those of [`Compression::compress`].
    pub fn attach(
        &mut self,
        (kind, name): (&str, &str),
        bytes: &[u8],
        compression: Compression,
        at: SourceDateEpoch,
    ) -> std::io::Result<()> {
        let (path, data, packed) = compress((kind, name), bytes, compression, at)?;
        let replaced: Vec<String> =
            self.repomd.data.iter().filter(|data| data.kind == kind).map(|data| data.location.clone()).collect();
        self.files.retain(|(path, _)| !replaced.contains(path));
        self.repomd.data.retain(|data| data.kind != kind);
        self.files.push((path, packed));
        self.repomd.data.push(data);
        Ok(())
    }

    /// The order of packages in documents: name, then architecture, then oldest first, then digest.
    pub fn order(left: (&Nevra, &Digest), right: (&Nevra, &Digest)) -> std::cmp::Ordering {
        let key = |nevra: &'_ Nevra| (nevra.name.clone(), nevra.arch.clone());
        key(left.0)
            .cmp(&key(right.0))
            .then_with(|| left.0.evr.cmp(&right.0.evr))
            .then_with(|| left.0.to_string().cmp(&right.0.to_string()))
            .then_with(|| left.1.cmp(right.1))
    }
}

/// A document's path, what the index says of it, its bytes, and its groups that are new.
type Joined = (String, Data, Vec<u8>, Vec<Vec<u8>>);

/// One of the documents, and its new groups.
fn join_groups(
    groups: &[Group<'_>],
    part: usize,
    count: usize,
    compression: Compression,
    at: SourceDateEpoch,
) -> std::io::Result<Joined> {
    let (kind, head, tail) = PARTS[part];
    let head = head(count);
    let (mut digest, mut size) = (pkg::Hasher::new(), head.len() + tail.len());
    digest.update(head.as_bytes());
    let mut bytes = compression.compress(head.as_bytes())?;
    let mut made = Vec::new();
    for group in groups {
        let texts = group.entries.iter().map(|entry| entry[part]);
        for text in texts.clone() {
            digest.update(text.as_bytes());
            size += text.len();
        }
        match group.packed {
            Some(packed) => bytes.extend(packed[part]),
            None => {
                let packed = compression.compress(texts.collect::<String>().as_bytes())?;
                bytes.extend(&packed);
                made.push(packed);
            }
        }
    }
    digest.update(tail.as_bytes());
    bytes.extend(compression.compress(tail.as_bytes())?);
    let checksum = Digest::of(&bytes);
    let location = format!("repodata/{}-{kind}.xml{}", checksum.hex(), compression.extension());
    let data = Data {
        kind: kind.to_owned(),
        checksum: checksum.into(),
        open_checksum: Some(digest.finish().into()),
        location: location.clone(),
        timestamp: at.0,
        size: Some(bytes.len() as u64),
        open_size: Some(size as u64),
    };
    Ok((location, data, bytes, made))
}

fn compress(
    (kind, name): (&str, &str),
    text: &[u8],
    compression: Compression,
    at: SourceDateEpoch,
) -> std::io::Result<(String, Data, Vec<u8>)> {
    let bytes = compression.compress(text)?;
    let digest = Digest::of(&bytes);
    let name = format!("repodata/{}-{name}{}", digest.hex(), compression.extension());
    let data = Data {
        kind: kind.to_owned(),
        checksum: digest.into(),
        open_checksum: Some(Digest::of(text).into()),
        location: name.clone(),
        timestamp: at.0,
        size: Some(bytes.len() as u64),
        open_size: Some(text.len() as u64),
    };
    Ok((name, data, bytes))
}

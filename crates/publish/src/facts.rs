use std::collections::{BTreeSet, HashSet};

use pkg::{Digest, Relation, vercmp};
use repodata::{Change, File, FileKind, HeaderRange, Package, Requirement, Sizes, is_primary_path};
use rpm::{DependencyKind, FilesError, Tag};

/// Entries of the changelog that are told, as many as createrepo_c tells.
const CHANGES: usize = 10;

/// What rpm-md tells of a package's file of `size` bytes with the digest `digest` at `location`.
///
/// The file's time is the package's build time, so that the facts depend on its bytes alone. Everything else is as
/// createrepo_c(8) has it (`src/parsehdr.c`): requirements that the package itself satisfies are left out where others
/// can see that from primary, and of all versions of the C library's symbols only the highest is told.
///
/// # Errors
/// [`FilesError`] when the package's table of files contradicts itself.
pub fn facts(package: &rpm::Package, digest: Digest, size: u64, location: &str) -> Result<Package, FilesError> {
    let header = &package.header;
    let text = |tag| header.str(tag).unwrap_or_default().to_owned();
    let relations = |kind| -> Vec<Relation> {
        header.dependencies(kind).into_iter().map(|dependency| dependency.relation).collect()
    };
    let files: Vec<File> = package
        .files()?
        .into_iter()
        .map(|file| {
            let kind = match file.kind {
                rpm::FileKind::Directory => FileKind::Directory,
                _ if file.is_ghost() => FileKind::Ghost,
                _ => FileKind::File,
            };
            File { path: file.path, kind }
        })
        .collect();
    let provides = relations(DependencyKind::Provides);
    let mut facts = Package::new(package.nevra(), digest.into());
    facts.summary = text(Tag::SUMMARY);
    facts.description = text(Tag::DESCRIPTION);
    facts.packager = text(Tag::PACKAGER);
    facts.url = text(Tag::URL);
    facts.file_time = header.build_time();
    facts.build_time = header.build_time();
    facts.sizes = Sizes { package: size, installed: header.installed_size(), archive: archive_size(package) };
    facts.location = location.to_owned();
    facts.license = text(Tag::LICENSE);
    facts.vendor = text(Tag::VENDOR);
    facts.group = text(Tag::GROUP);
    facts.build_host = text(Tag::BUILDHOST);
    facts.source_rpm = if header.is_source() { String::new() } else { text(Tag::SOURCERPM) };
    facts.header_range = HeaderRange { start: package.header_range.start, end: package.header_range.end };
    facts.requires = requires(header, &provides, &files);
    facts.provides = provides;
    facts.conflicts = relations(DependencyKind::Conflicts);
    facts.obsoletes = relations(DependencyKind::Obsoletes);
    facts.recommends = relations(DependencyKind::Recommends);
    facts.suggests = relations(DependencyKind::Suggests);
    facts.supplements = relations(DependencyKind::Supplements);
    facts.enhances = relations(DependencyKind::Enhances);
    facts.files = files;
    facts.changelog = changelog(header);
    Ok(facts)
}

/// Bytes of the decompressed payload, from whichever tag says them.
fn archive_size(package: &rpm::Package) -> u64 {
    let signature = &package.signature;
    let from_signature =
        signature.number(Tag::LONGARCHIVESIZE).or_else(|| signature.number(rpm::signature::PAYLOADSIZE));
    let header = &package.header;
    from_signature
        .or_else(|| header.number(Tag::PAYLOADSIZEALT))
        .or_else(|| header.number(Tag::ARCHIVESIZE))
        .unwrap_or_default()
}

fn requires(header: &rpm::Header, provides: &[Relation], files: &[File]) -> Vec<Requirement> {
    let own: HashSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let provides: BTreeSet<&Relation> = provides.iter().collect();
    let mut told: BTreeSet<Requirement> = BTreeSet::new();
    let mut requires = Vec::new();
    let mut c_library: Option<Requirement> = None;
    for dependency in header.dependencies(DependencyKind::Requires) {
        let name = dependency.relation.name.as_str();
        let own_file = name.starts_with('/') && own.contains(name) && is_primary_path(name);
        if dependency.is_rpmlib() || own_file || provides.contains(&dependency.relation) {
            continue;
        }
        let pre = dependency.sense.is_pre();
        let requirement = Requirement { relation: dependency.relation, pre };
        if requirement.relation.name.starts_with("libc.so.6") {
            let higher = |known: &Requirement| {
                vercmp(symbol_version(&requirement.relation.name), symbol_version(&known.relation.name)).is_gt()
            };
            if c_library.as_ref().is_none_or(higher) {
                c_library = Some(requirement);
            }
        } else if told.insert(requirement.clone()) {
            requires.push(requirement);
        }
    }
    requires.extend(c_library);
    requires
}

/// `GLIBC_2.34` of `libc.so.6(GLIBC_2.34)(64bit)`.
fn symbol_version(name: &str) -> &str {
    name.split(['(', ')']).nth(1).unwrap_or_default()
}

/// The newest entries, oldest first; entries of one day get rising times, so that their order can be told.
fn changelog(header: &rpm::Header) -> Vec<Change> {
    let newest = header.changelog().into_iter().take(CHANGES);
    let mut changes: Vec<Change> =
        newest.map(|entry| Change { author: entry.name, time: entry.time, text: entry.text }).collect();
    changes.reverse();
    let mut last = None;
    for change in &mut changes {
        if last == Some(change.time) {
            change.time += 1;
        }
        last = Some(change.time);
    }
    changes
}

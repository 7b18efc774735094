use std::collections::BTreeMap;

use md5::Digest as _;

use super::archive::Archive;
use super::{Content, Format, NewFile, PackageBuilder, WriteError};
use crate::{
    Algorithm, Checksum, DependencyKind, FileFlags, Header, HeaderBuilder, Lead, Sense, Tag, TriggerScope, Value,
    signature,
};

/// Zeros kept for a signature, as rpm does: 4096 for the signature and 32 for its entry.
const RESERVED: usize = 4096 + 32;

/// The whole package around a payload.
pub(super) fn write(builder: &PackageBuilder, archive: &Archive) -> Result<Vec<u8>, WriteError> {
    let mut tags = HeaderBuilder::new();
    identity(builder, &mut tags);
    dependencies(builder, &mut tags);
    scripts(builder, &mut tags);
    files(builder, archive, &mut tags);
    payload(builder, archive, &mut tags);
    for (tag, value) in &builder.texts {
        tags.set(*tag, value.clone());
    }
    let header = tags.build(Tag::HEADERIMMUTABLE)?;
    // What cannot be read back should not be written: paths, above all.
    header.files()?;

    let label = format!("{}-{}-{}", builder.nevra.name, builder.nevra.evr.version, builder.nevra.evr.release);
    let mut bytes = Lead::new(&label, source(builder)).as_bytes().to_vec();
    let header = header.to_bytes();
    bytes.extend(signature_header(builder, archive, &header)?.to_bytes());
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes.extend(header);
    bytes.extend(&archive.compressed);
    Ok(bytes)
}

fn source(builder: &PackageBuilder) -> bool {
    builder.nevra.arch.as_str() == "src"
}

fn identity(builder: &PackageBuilder, tags: &mut HeaderBuilder) {
    let nevra = &builder.nevra;
    let translated = |text: &str| Value::Translated(vec![text.to_owned()]);
    tags.set(Tag::HEADERI18NTABLE, vec!["C".to_owned()]);
    tags.set(Tag::NAME, nevra.name.as_str());
    tags.set(Tag::VERSION, nevra.evr.version.as_str());
    tags.set(Tag::RELEASE, nevra.evr.release.as_str());
    if nevra.evr.epoch != 0 {
        tags.set(Tag::EPOCH, nevra.evr.epoch);
    }
    let summary = builder.texts.iter().rev().find(|(tag, _)| *tag == Tag::SUMMARY).map(|(_, value)| value.clone());
    let summary = summary.unwrap_or_else(|| translated(&nevra.name));
    tags.set(Tag::DESCRIPTION, summary.clone());
    tags.set(Tag::SUMMARY, summary);
    tags.set(Tag::BUILDTIME, builder.at.as_u32());
    tags.set(Tag::BUILDHOST, "localhost");
    tags.set(Tag::LICENSE, "MIT");
    tags.set(Tag::GROUP, translated("Unspecified"));
    tags.set(Tag::OS, "linux");
    tags.set(Tag::ENCODING, "utf-8");
    tags.set(Tag::RPMVERSION, "4.20.1");
    if source(builder) {
        tags.set(Tag::ARCH, "x86_64");
        tags.set(Tag::SOURCEPACKAGE, 1);
    } else {
        tags.set(Tag::ARCH, nevra.arch.as_str());
        tags.set(Tag::PLATFORM, format!("{}-skiff-linux", nevra.arch));
        tags.set(Tag::SOURCERPM, builder.source_rpm.as_str());
    }
    tags.set(Tag::CHANGELOGTIME, builder.changelog.iter().map(|entry| entry.time as u32).collect::<Vec<u32>>());
    let column =
        |text: fn(&crate::ChangelogEntry) -> &String| builder.changelog.iter().map(text).cloned().collect::<Vec<_>>();
    tags.set(Tag::CHANGELOGNAME, column(|entry| &entry.name));
    tags.set(Tag::CHANGELOGTEXT, column(|entry| &entry.text));
    if builder.format == Format::V6 {
        tags.set(Tag::RPMFORMAT, 6);
    }
}

fn dependencies(builder: &PackageBuilder, tags: &mut HeaderBuilder) {
    for kind in DependencyKind::ALL {
        let mut list: Vec<_> =
            builder.dependencies.iter().filter(|(other, _)| *other == kind).map(|(_, one)| one).collect();
        // rpm sorts by name, then version, then flags.
        let version =
            |one: &crate::Dependency| one.relation.bound.as_ref().map(|(_, evr)| evr.to_string()).unwrap_or_default();
        list.sort_by_key(|one| (one.relation.name.clone(), version(one), one.sense));
        let [names, versions, flags] = kind.tags();
        tags.set(names, list.iter().map(|one| one.relation.name.clone()).collect::<Vec<_>>());
        tags.set(versions, list.iter().map(|one| version(one)).collect::<Vec<_>>());
        tags.set(flags, list.iter().map(|one| one.sense.0).collect::<Vec<u32>>());
    }
}

fn scripts(builder: &PackageBuilder, tags: &mut HeaderBuilder) {
    for scriptlet in &builder.scriptlets {
        let [body, program, flags] = scriptlet.kind.tags();
        if let Some(text) = &scriptlet.body {
            tags.set(body, text.as_str());
        }
        match &scriptlet.program[..] {
            [one] => tags.set(program, one.as_str()),
            several => tags.set(program, several.to_vec()),
        };
        if scriptlet.flags.0 != 0 {
            tags.set(flags, scriptlet.flags.0);
        }
    }
    for scope in TriggerScope::ALL {
        let triggers: Vec<_> = builder.triggers.iter().filter(|trigger| trigger.scope == scope).collect();
        let [scripts, programs, script_flags, names, versions, flags, indexes] = scope.tags();
        tags.set(scripts, triggers.iter().map(|trigger| trigger.body.clone()).collect::<Vec<_>>());
        tags.set(programs, triggers.iter().map(|trigger| trigger.program.clone()).collect::<Vec<_>>());
        tags.set(script_flags, triggers.iter().map(|trigger| trigger.flags.0).collect::<Vec<u32>>());
        if let Some(priorities) = scope.priorities() {
            tags.set(priorities, triggers.iter().map(|trigger| trigger.priority).collect::<Vec<u32>>());
        }
        let conditions = || {
            let numbered = triggers.iter().zip(0u32..);
            numbered.flat_map(|(trigger, index)| {
                trigger.conditions.iter().map(move |condition| (trigger.when, condition, index))
            })
        };
        tags.set(names, conditions().map(|(_, condition, _)| condition.name.clone()).collect::<Vec<_>>());
        let version =
            |condition: &pkg::Relation| condition.bound.as_ref().map(|(_, evr)| evr.to_string()).unwrap_or_default();
        tags.set(versions, conditions().map(|(_, condition, _)| version(condition)).collect::<Vec<_>>());
        let bits = |condition: &pkg::Relation| {
            condition.bound.as_ref().map_or(Sense::default(), |(condition, _)| Sense::of_condition(*condition))
        };
        tags.set(
            flags,
            conditions().map(|(when, condition, _)| bits(condition).and(when.sense()).0).collect::<Vec<u32>>(),
        );
        tags.set(indexes, conditions().map(|(.., index)| index).collect::<Vec<u32>>());
    }
}

fn files(builder: &PackageBuilder, archive: &Archive, tags: &mut HeaderBuilder) {
    // A hard link is its target under another name.
    let targets: Vec<&NewFile> = archive.rows.iter().map(|row| &builder.files[row.target].1).collect();
    let mut directories: BTreeMap<&str, u32> = BTreeMap::new();
    let mut names = Vec::new();
    for (path, _) in &builder.files {
        let (directory, name) = path.split_at(path.rfind('/').map_or(0, |at| at + 1));
        directories.insert(directory, 0);
        names.push((directory, name.to_owned()));
    }
    directories.values_mut().zip(0u32..).for_each(|(number, index)| *number = index);
    tags.set(Tag::DIRNAMES, directories.keys().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    tags.set(Tag::DIRINDEXES, names.iter().map(|(directory, _)| directories[directory]).collect::<Vec<u32>>());
    tags.set(Tag::BASENAMES, names.into_iter().map(|(_, name)| name).collect::<Vec<_>>());

    let numbers = |value: &dyn Fn(&NewFile) -> u32| targets.iter().map(|file| value(file)).collect::<Vec<u32>>();
    let texts =
        |value: &dyn Fn(&NewFile) -> &str| targets.iter().map(|file| value(file).to_owned()).collect::<Vec<_>>();
    // Ghosts have no size in packages that rpmbuild writes from nothing.
    let sizes: Vec<u64> = targets.iter().map(|file| file.size()).collect();
    let total: u64 = archive
        .rows
        .iter()
        .enumerate()
        .filter(|(index, row)| row.target == *index)
        .map(|(index, _)| sizes[index])
        .sum();
    if builder.wide() {
        tags.set(Tag::LONGFILESIZES, Value::Int64s(sizes));
        tags.set(Tag::LONGSIZE, Value::Int64s(vec![total]));
    } else {
        tags.set(Tag::FILESIZES, sizes.iter().map(|size| *size as u32).collect::<Vec<u32>>());
        tags.set(Tag::SIZE, total as u32);
    }
    if targets.is_empty() {
        return;
    }
    tags.set(Tag::FILEMODES, Value::Int16s(targets.iter().map(|file| file.full_mode() as u16).collect()));
    let rdev = |file: &NewFile| match file.content {
        Content::CharDevice(major, minor) => u16::from_be_bytes([major, minor]),
        _ => 0,
    };
    tags.set(Tag::FILERDEVS, Value::Int16s(targets.iter().map(|file| rdev(file)).collect()));
    tags.set(Tag::FILEMTIMES, numbers(&|file| file.mtime.unwrap_or(builder.at.0) as u32));
    let digest = |file: &NewFile| match &file.content {
        Content::Regular(bytes) if !file.flags.has(FileFlags::GHOST) => Checksum::of(Algorithm::Sha256, bytes).hex,
        _ => String::new(),
    };
    tags.set(Tag::FILEDIGESTS, targets.iter().map(|file| digest(file)).collect::<Vec<_>>());
    tags.set(Tag::FILEDIGESTALGO, Algorithm::Sha256 as u32);
    tags.set(Tag::FILELINKTOS, texts(&|file| if let Content::Symlink(target) = &file.content { target } else { "" }));
    tags.set(Tag::FILEFLAGS, numbers(&|file| file.flags.0));
    tags.set(Tag::FILEUSERNAME, texts(&|file| &file.user));
    tags.set(Tag::FILEGROUPNAME, texts(&|file| &file.group));
    tags.set(Tag::FILEVERIFYFLAGS, numbers(&|file| file.verify));
    tags.set(Tag::FILEDEVICES, numbers(&|_| 1));
    tags.set(Tag::FILEINODES, archive.rows.iter().map(|row| row.inode).collect::<Vec<u32>>());
    tags.set(Tag::FILELANGS, texts(&|file| &file.languages));
    tags.set(Tag::FILECOLORS, numbers(&|file| file.color));
    if targets.iter().any(|file| !file.capabilities.is_empty()) {
        tags.set(Tag::FILECAPS, texts(&|file| &file.capabilities));
    }
    let mut classes: BTreeMap<&str, u32> = targets.iter().map(|file| (file.class.as_str(), 0)).collect();
    classes.values_mut().zip(0u32..).for_each(|(number, index)| *number = index);
    tags.set(Tag::CLASSDICT, classes.keys().map(|class| (*class).to_owned()).collect::<Vec<_>>());
    tags.set(Tag::FILECLASS, numbers(&|file| classes[file.class.as_str()]));
}

fn payload(builder: &PackageBuilder, archive: &Archive, tags: &mut HeaderBuilder) {
    tags.set(Tag::PAYLOADFORMAT, "cpio");
    tags.set(Tag::PAYLOADCOMPRESSOR, builder.compression.name());
    tags.set(Tag::PAYLOADFLAGS, "9");
    let digest = |bytes| Checksum::of(Algorithm::Sha256, bytes).hex;
    tags.set(Tag::PAYLOADSHA256, vec![digest(&archive.compressed)]);
    tags.set(Tag::PAYLOADSHA256ALT, vec![digest(&archive.plain)]);
    if builder.format == Format::V4 {
        tags.set(Tag::PAYLOADSHA256ALGO, Algorithm::Sha256 as u32);
        return;
    }
    let wide = |bytes: &[u8]| Value::Int64s(vec![bytes.len() as u64]);
    tags.set(Tag::PAYLOADSIZE, wide(&archive.compressed));
    tags.set(Tag::PAYLOADSIZEALT, wide(&archive.plain));
    tags.set(Tag::PAYLOADSHA512, Checksum::of(Algorithm::Sha512, &archive.compressed).hex);
    tags.set(Tag::PAYLOADSHA512ALT, Checksum::of(Algorithm::Sha512, &archive.plain).hex);
}

fn signature_header(builder: &PackageBuilder, archive: &Archive, header: &[u8]) -> Result<Header, WriteError> {
    let mut tags = HeaderBuilder::new();
    tags.set(Tag::SHA256HEADER, Checksum::of(Algorithm::Sha256, header).hex);
    if builder.format == Format::V6 {
        tags.set(signature::RESERVED, Value::Binary(vec![0; RESERVED]));
        return Ok(tags.build(Tag::HEADERSIGNATURES)?);
    }
    tags.set(Tag::SHA1HEADER, Checksum::of(Algorithm::Sha1, header).hex);
    let mut md5 = md5::Md5::new();
    md5.update(header);
    md5.update(&archive.compressed);
    tags.set(signature::MD5, Value::Binary(md5.finalize().to_vec()));
    let (all, plain) = (header.len() as u64 + archive.compressed.len() as u64, archive.plain.len() as u64);
    if all.max(plain) < u64::from(u32::MAX) {
        tags.set(signature::SIZE, all as u32);
        tags.set(signature::PAYLOADSIZE, plain as u32);
    } else {
        tags.set(Tag::LONGSIGSIZE, Value::Int64s(vec![all]));
        tags.set(Tag::LONGARCHIVESIZE, Value::Int64s(vec![plain]));
    }
    tags.set(signature::RESERVEDSPACE, Value::Binary(vec![0; RESERVED]));
    Ok(tags.build(Tag::HEADERSIGNATURES)?)
}

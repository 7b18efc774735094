//! `--queryformat`: a text with `%{tag}` in it, for each package.
//!
//! `%-30{name}` fills up to 30 characters at the right, `%30{name}` at the left; `%%` is a percent sign; `\n` and `\t` are
//! what they are in C. The tags are dnf5's, and those of dnf 4 that it dropped.

use crate::query::matching::List;
use crate::sack::Origin;
use crate::{Place, Sack};

/// The format that prints a package as `repoquery` does when nobody says another: always with its epoch.
pub const DEFAULT: &str = "%{full_nevra}\n";

/// All tags.
pub const TAGS: &[&str] = &[
    "arch",
    "buildtime",
    "changelogs",
    "conflicts",
    "description",
    "downloadsize",
    "enhances",
    "epoch",
    "evr",
    "files",
    "from_repo",
    "full_nevra",
    "group",
    "installsize",
    "installtime",
    "license",
    "location",
    "name",
    "nevra",
    "obsoletes",
    "packager",
    "provides",
    "reason",
    "recommends",
    "release",
    "reponame",
    "repoid",
    "requires",
    "size",
    "source_name",
    "sourcerpm",
    "suggests",
    "summary",
    "supplements",
    "url",
    "vendor",
    "version",
];

/// A format, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Tag { name: String, width: usize, left: bool },
}

/// Columns that a value may be filled up to.
const WIDTH_MAX: usize = 10_000;

impl Format {
    /// Reads a format. What is no tag stays as it is, and a name that is none is the error.
    pub fn parse(text: &str) -> Result<Format, String> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['%', '\\']) {
            plain.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some(escape) = rest.strip_prefix('\\') {
                let (c, length) = match escape.chars().next() {
                    Some('n') => ('\n', 2),
                    Some('t') => ('\t', 2),
                    Some('\\') => ('\\', 2),
                    _ => ('\\', 1),
                };
                plain.push(c);
                rest = &rest[length..];
                continue;
            }
            if let Some(after) = rest.strip_prefix("%%") {
                plain.push('%');
                rest = after;
                continue;
            }
            let after = &rest[1..];
            let (left, digits) = after.strip_prefix('-').map_or((false, after), |after| (true, after));
            let count = digits.bytes().take_while(u8::is_ascii_digit).count();
            let tag = digits[count..].strip_prefix('{').and_then(|inner| inner.split_once('}'));
            let Some((name, after)) = tag else {
                plain.push('%');
                rest = after;
                continue;
            };
            let lower = name.to_ascii_lowercase();
            if !TAGS.contains(&lower.as_str()) {
                return Err(name.to_owned());
            }
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            let width = digits[..count].parse().unwrap_or(0).min(WIDTH_MAX);
            parts.push(Part::Tag { name: lower, width, left });
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Format { parts })
    }

    /// Whether a tag needs the changelogs, or all files.
    pub fn needs(&self, document: &str) -> bool {
        let tag = match document {
            "other" => "changelogs",
            "filelists" => "files",
            _ => return false,
        };
        self.parts.iter().any(|part| matches!(part, Part::Tag { name, .. } if name == tag))
    }

    /// The text for a package.
    pub fn of(&self, sack: &Sack, place: Place) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Tag { name, width, left } => {
                    let value = value(name, sack, place);
                    let padded = if *left { format!("{value:<width$}") } else { format!("{value:>width$}") };
                    text.push_str(&padded);
                }
            }
        }
        text
    }
}

/// A package as `name-epoch:version-release.arch`.
pub fn full_nevra(nevra: &pkg::Nevra) -> String {
    let evr = &nevra.evr;
    format!("{}-{}:{}-{}.{}", nevra.name, evr.epoch, evr.version, evr.release, nevra.arch)
}

fn value(tag: &str, sack: &Sack, place: Place) -> String {
    let candidate = sack.get(place);
    let package = &candidate.package;
    let nevra = &package.nevra;
    let lines = |list: List| {
        let mut lines: Vec<String> = list.of(package).into_iter().map(ToString::to_string).collect();
        lines.sort();
        lines.dedup();
        lines.join("\n")
    };
    match tag {
        "name" => nevra.name.clone(),
        "epoch" => nevra.evr.epoch.to_string(),
        "version" => nevra.evr.version.clone(),
        "release" => nevra.evr.release.clone(),
        "arch" => nevra.arch.to_string(),
        "evr" => nevra.evr.to_string(),
        "nevra" => nevra.to_string(),
        "full_nevra" => full_nevra(nevra),
        "repoid" | "reponame" => sack.repository_id(place).to_owned(),
        "from_repo" => match &candidate.origin {
            Origin::Installed { from, .. } => from.clone(),
            _ => String::new(),
        },
        "reason" => match &candidate.origin {
            Origin::Installed { reason, .. } => reason.as_str().to_owned(),
            _ => "None".to_owned(),
        },
        "installtime" => match &candidate.origin {
            Origin::Installed { time, .. } => time.to_string(),
            _ => "0".to_owned(),
        },
        "buildtime" => package.build_time.to_string(),
        "downloadsize" => package.sizes.package.to_string(),
        "size" => match candidate.origin {
            Origin::Installed { .. } => package.sizes.installed.to_string(),
            _ => package.sizes.package.to_string(),
        },
        "installsize" => package.sizes.installed.to_string(),
        "summary" => package.summary.clone(),
        "description" => package.description.clone(),
        "url" => package.url.clone(),
        "license" => package.license.clone(),
        "vendor" => package.vendor.clone(),
        "packager" => package.packager.clone(),
        "group" => package.group.clone(),
        "sourcerpm" => package.source_rpm.clone(),
        "source_name" => package.source_rpm.rsplitn(3, '-').last().unwrap_or_default().to_owned(),
        "location" => match &candidate.origin {
            Origin::Available { repository } => {
                let bases = sack.repositories()[*repository].repository.list(crate::config::Key::BaseUrl);
                let base = bases.first().map(|base| crate::config::redacted(base.trim_end_matches('/')));
                base.map_or_else(|| package.location.clone(), |base| format!("{base}/{}", package.location))
            }
            _ => package.location.clone(),
        },
        "files" => {
            let mut paths: Vec<&str> = package.files.iter().map(|file| file.path.as_str()).collect();
            paths.sort_unstable();
            paths.join("\n")
        }
        "changelogs" => changelog(package),
        list => List::parse(list).map(lines).unwrap_or_default(),
    }
}

/// The changelog as `rpm -q --changelog` prints it, the newest first.
pub fn changelog(package: &repodata::Package) -> String {
    let entries = package.changelog.iter().rev();
    let texts =
        entries.map(|change| format!("* {} {}\n{}\n", crate::history::day(change.time), change.author, change.text));
    texts.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sack::Candidate;

    #[test]
    fn tags_are_replaced_and_filled_up() {
        let nevra = pkg::Nevra::parse("bash-5.2-1.x86_64").unwrap();
        let package = repodata::Package::new(nevra, pkg::Digest::of(b"").into());
        let origin = Origin::File { path: "a.rpm".into() };
        let sack = Sack::new(vec![Candidate { package, origin }], Vec::new());
        let place = sack.all().next().unwrap();
        for (format, text) in [
            ("%{name} %{EVR}\\n", "bash 5.2-1\n"),
            ("[%-6{name}|%6{name}] 100%% %x", "[bash  |  bash] 100% %x"),
            ("%{full_nevra}", "bash-0:5.2-1.x86_64"),
            ("%{repoid}", "@commandline"),
        ] {
            assert_eq!(Format::parse(format).unwrap().of(&sack, place), text, "{format}");
        }
        assert_eq!(Format::parse("%{nothing}"), Err("nothing".to_owned()));
        for tag in TAGS {
            assert!(Format::parse(&format!("%{{{tag}}}")).is_ok());
        }
    }
}

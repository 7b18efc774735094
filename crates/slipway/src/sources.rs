//! What the sources of a component are: those that its file `sources` lists, and those that the definition names.

use std::path::PathBuf;

use build::sources::{Algorithm, Checksum, Origin, Signature, SignedBy, Source};
use distro::lookaside::{self, Entry};
use distro::{Component, Diagnostic, Distribution, Distro, FileOrigin, Hash, Position, SourceFile, SpecSource};
use host::transfer::Manner;

use crate::explain::Failure;

/// Files that are fetched at once unless told otherwise: servers of distributions take that well.
pub(crate) const PARALLEL: usize = 6;

/// A source of a component.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) source: Source,
    /// The suite of Debian that has it, where that is not stage0's.
    pub(crate) suite: Option<String>,
    /// Why it cannot be fetched as it is; `None`: it can.
    pub(crate) problem: Option<Problem>,
    /// Its place.
    pub(crate) at: Position,
    /// The lock file that can pin it, where it is named by the definition.
    pub(crate) lock: Option<PathBuf>,
}

/// Why a source cannot be fetched as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// Nothing says its digest.
    Unpinned,
    /// Nothing but an MD5 is known, and that is not waived.
    Md5,
    /// Two places say different digests.
    Differs(String),
    /// It cannot be had: why, and what to do.
    Refused(String, String),
}

/// The sources of a component, and the lines of its file `sources` that cannot be understood.
pub(crate) fn of(component: &Component, distro: &Distro) -> Result<(Vec<Wanted>, Vec<Diagnostic>), Failure> {
    let (listed, problems) = listed(component)?;
    let (distribution, package) = match &component.spec {
        SpecSource::Upstream(upstream) => (upstream.distro.as_str(), upstream.name.as_str()),
        SpecSource::Local { .. } => (distro.project.distro.as_str(), component.name.as_str()),
    };
    let places = Places { name: distribution, distribution: distro.distributions.get(distribution), package, distro };
    let mut wanted = Vec::with_capacity(listed.len() + component.source_files.len());
    // An archive that overlays change is made of the one that is fetched, and the running program is at hand.
    let is_fetched = |file: &&SourceFile| !matches!(file.origin, FileOrigin::Overlay | FileOrigin::Program);
    let named: Vec<&SourceFile> = component.source_files.iter().filter(is_fetched).collect();
    for entry in &listed {
        if named.iter().all(|file| file.file_name != entry.file_name) {
            wanted.push(places.listed(component, entry));
        }
    }
    for file in &named {
        let entry = listed.iter().find(|entry| entry.file_name == file.file_name);
        wanted.push(places.named(component, file, entry));
    }
    let names: Vec<String> = wanted.iter().map(|wanted| wanted.source.file_name.clone()).collect();
    for (wanted, file) in wanted.iter_mut().rev().zip(named.iter().rev()) {
        wanted.source.signature = file.signature.as_ref().map(|signature| Signature {
            by: match names.contains(&signature.file) {
                true => SignedBy::Source(signature.file.clone()),
                false => SignedBy::File(component.spec.folder().join(&signature.file)),
            },
            key: signature.key.clone(),
            uncompressed: signature.uncompressed,
            at: signature.at.to_string(),
        });
    }
    Ok((wanted, problems))
}

/// What the file `sources` beside the spec lists.
fn listed(component: &Component) -> Result<(Vec<Entry>, Vec<Diagnostic>), Failure> {
    let path = component.spec.folder().join(lookaside::FILE);
    match fs_err::read_to_string(&path) {
        Ok(text) => Ok(lookaside::parse(&text, &path)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok((Vec::new(), Vec::new())),
        // A folder of that name is one of the spec's own.
        Err(_) if path.is_dir() => Ok((Vec::new(), Vec::new())),
        Err(error) => Err(error.into()),
    }
}

/// Where the sources of one component are looked for.
struct Places<'d> {
    name: &'d str,
    distribution: Option<&'d Distribution>,
    package: &'d str,
    distro: &'d Distro,
}

impl Places<'_> {
    /// The addresses of a source on mirrors and in lookaside caches.
    fn addresses(&self, file_name: &str, hash: &Hash) -> Vec<String> {
        let caches = self.distribution.iter().flat_map(|found| found.lookaside.iter().chain(&found.lookaside_mirrors));
        let templates = self.distro.project.source_mirrors.iter().chain(caches);
        templates.map(|template| lookaside::address(&template.value, self.package, file_name, hash)).collect()
    }

    fn listed(&self, component: &Component, entry: &Entry) -> Wanted {
        let addresses = self.addresses(&entry.file_name, &entry.hash);
        let problem = match addresses.is_empty() {
            true => Some(self.nowhere()),
            false => self.trust(component, &entry.file_name, Some(&entry.hash)),
        };
        let source = Source {
            component: component.name.clone(),
            file_name: entry.file_name.clone(),
            origin: Origin::Remote(addresses),
            checksum: Some(checksum(&entry.hash)),
            size: None,
            signature: None,
            at: entry.at.to_string(),
        };
        Wanted { source, suite: None, problem, at: entry.at.clone(), lock: None }
    }

    fn named(&self, component: &Component, file: &SourceFile, entry: Option<&Entry>) -> Wanted {
        let hash = file.hash.as_ref().or(entry.map(|entry| &entry.hash));
        let mut refused = None;
        let origin = match &file.origin {
            FileOrigin::DebianSource { source, .. } => Origin::DebianSource(source.clone()),
            FileOrigin::DebianBinary { binary, .. } => Origin::DebianBinary(binary.clone()),
            FileOrigin::Local { path } => Origin::Local(path.clone()),
            FileOrigin::Git { uri, commit } => Origin::Git { uri: uri.clone(), commit: commit.clone() },
            FileOrigin::Download { uri } => {
                let mut addresses = hash.map_or_else(Vec::new, |hash| self.addresses(&file.file_name, hash));
                if self.distribution.is_none_or(|found| !found.disable_origins) {
                    addresses.push(uri.clone());
                } else if addresses.is_empty() {
                    refused = Some(self.nowhere());
                }
                Origin::Remote(addresses)
            }
            FileOrigin::Custom { script, .. } => {
                let why = format!("the script `{script}` makes it, and Slipway runs no such scripts yet");
                let hint = "run the script, and pin what it makes with an origin of type `local` or `download`";
                refused = Some(Problem::Refused(why, hint.to_owned()));
                Origin::Remote(Vec::new())
            }
            // Not asked for: see `of`.
            FileOrigin::Overlay | FileOrigin::Program => Origin::Remote(Vec::new()),
        };
        let disagreement = match (&file.hash, entry) {
            (Some(pinned), Some(entry))
                if file.replaces_upstream.is_none() && pinned.kind() == entry.hash.kind() && *pinned != entry.hash =>
            {
                let (ours, theirs) = (checksum(pinned), checksum(&entry.hash));
                Some(Problem::Differs(format!("{ours} here, {theirs} in {}", entry.at)))
            }
            _ => None,
        };
        let problem = refused.or(disagreement).or_else(|| self.trust(component, &file.file_name, hash));
        let source = Source {
            component: component.name.clone(),
            file_name: file.file_name.clone(),
            origin,
            checksum: hash.map(checksum),
            size: file.size,
            signature: None,
            at: file.at.to_string(),
        };
        let (suite, lock) = (file.origin.suite().map(str::to_owned), Some(file.lock.clone()));
        Wanted { source, suite, problem, at: file.at.clone(), lock }
    }

    fn nowhere(&self) -> Problem {
        let why = format!("nothing says where it is: `{}` has no `lookaside-base-uri`", self.name);
        Problem::Refused(why, format!("set it in `[distros.{}]`, or `source-mirrors` in `[project]`", self.name))
    }

    fn trust(&self, component: &Component, file_name: &str, hash: Option<&Hash>) -> Option<Problem> {
        match hash {
            None => Some(Problem::Unpinned),
            Some(Hash::Md5(_)) => {
                let name = format!("{}/{file_name}", component.name);
                let is_waived = self.distro.project.md5_waived.iter().any(|waived| waived.value == name);
                (!is_waived).then_some(Problem::Md5)
            }
            Some(_) => None,
        }
    }
}

fn checksum(hash: &Hash) -> Checksum {
    let algorithm = match hash {
        Hash::Sha512(_) => Algorithm::Sha512,
        Hash::Sha256(_) => Algorithm::Sha256,
        Hash::Md5(_) => Algorithm::Md5,
    };
    Checksum::new(algorithm, hash.hex())
}

impl Wanted {
    /// What is not so, and what to do.
    pub(crate) fn explain(&self) -> Option<(String, String)> {
        let (component, file) = (&self.source.component, &self.source.file_name);
        let name = format!("the source `{file}` of `{component}`");
        Some(match self.problem.as_ref()? {
            Problem::Unpinned => {
                let lock = self.lock.as_ref().map(|lock| lock.display().to_string()).unwrap_or_default();
                (format!("{name} has no digest"), format!("`slipway lock {component}` writes `{lock}`"))
            }
            Problem::Md5 => (
                format!("of {name} nothing but an MD5 is known, which no attacker minds"),
                format!(
                    "name its SHA512, or take it all the same: `md5-waived = [\"{component}/{file}\"]` in `[project]`"
                ),
            ),
            Problem::Differs(how) => (
                format!("{name} has two digests: {how}"),
                "make them equal, or say `replace-upstream = true` and why".to_owned(),
            ),
            Problem::Refused(why, hint) => (format!("{name} cannot be fetched: {why}"), hint.clone()),
        })
    }
}

/// The sources of components that a build reads; all that are not sound are told together.
pub(crate) fn sound<'d>(
    components: impl IntoIterator<Item = &'d Component>,
    distro: &Distro,
) -> Result<Vec<Wanted>, Failure> {
    let (mut all, mut problems, mut hints) = (Vec::new(), Vec::new(), Vec::new());
    for component in components {
        let (wanted, unclear) = of(component, distro)?;
        problems.extend(unclear.iter().map(ToString::to_string));
        for wanted in wanted {
            if let Some((problem, hint)) = wanted.explain() {
                problems.push(format!("{problem}\n  --> {}", wanted.at));
                hints.push(hint);
            } else {
                all.push(wanted);
            }
        }
    }
    if problems.is_empty() {
        return Ok(all);
    }
    let failure = Failure::definition(problems.join("\n\nerror: "));
    Err(match hints.into_iter().next() {
        Some(hint) => failure.hint(hint),
        None => failure,
    })
}

/// How sources are asked for: politely, and by our name.
pub(crate) fn manner() -> Manner {
    Manner { agent: concat!("slipway/", env!("CARGO_PKG_VERSION")).to_owned(), ..Manner::default() }
}

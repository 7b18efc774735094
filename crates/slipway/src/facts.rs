//! What the specs of a definition say, evaluated and remembered: for thousands of components at once.
//!
//! A spec is evaluated again only when its text, a file that it read, the macros or this program changed: answers are kept
//! in the store, all those of one environment in one record, and once more as a whole. Where a definition names no macros, as Azure Linux's own
//! does not, the macro files that its rendered components would install are read, over rpm's own where this machine has
//! rpm, and a base of Slipway's. Commands of specs are answered as on a machine with a shell and nothing else.

mod whole;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use distro::{Component, Distro};
use pkg::Digest;
use serde::{Deserialize, Serialize};
use spec::{Environment, Evaluator, Gaps, Macros, NativeShell, Origin, Target, Undefined};
use store::Store;

use crate::commands::spec::{Shared, collect_from};
use crate::context::Context;
use crate::explain::Failure;
use crate::{defaults, pipeline};

/// What a spec says, as far as questions about many components need it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// Name, version, release of the source package.
    pub(crate) source: String,
    /// Epoch, version and release.
    pub(crate) evr: String,
    pub(crate) summary: String,
    pub(crate) license: String,
    pub(crate) url: Option<String>,
    pub(crate) packages: Vec<Package>,
    /// What the build root must hold, as written.
    pub(crate) build_requires: Vec<String>,
    /// Whether the build finds out about more.
    pub(crate) dynamic_build_requires: bool,
    pub(crate) sources: Vec<String>,
    pub(crate) patches: Vec<String>,
    pub(crate) exclusive_arch: Vec<String>,
    pub(crate) exclude_arch: Vec<String>,
    /// What the answer lacks or supposes; empty where it is whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) incomplete: Vec<Gap>,
}

/// One thing that an answer lacks or supposes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Gap {
    /// `machine`, `macro` or `refused`.
    pub(crate) kind: String,
    /// The place in the spec.
    pub(crate) at: String,
    pub(crate) what: String,
}

/// A binary package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) arch: String,
    /// Whether a build makes it: it has a list of files.
    pub(crate) is_made: bool,
    pub(crate) provides: Vec<String>,
    pub(crate) requires: Vec<String>,
}

/// What came of evaluating a spec.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::large_enum_variant, reason = "nearly all answers are facts")]
pub(crate) enum Answer {
    Facts(Facts),
    /// Why there are none.
    Failed(String),
}

/// Answers for components, by name.
pub(crate) struct Book {
    pub(crate) answers: BTreeMap<String, Answer>,
    /// Components without a spec that could be evaluated: they were never rendered.
    pub(crate) without_spec: Vec<String>,
    /// How many answers were evaluated now; the others were remembered.
    pub(crate) evaluated: usize,
}

impl Book {
    pub(crate) fn facts(&self, name: &str) -> Option<&Facts> {
        match self.answers.get(name) {
            Some(Answer::Facts(facts)) => Some(facts),
            _ => None,
        }
    }
}

/// An answer with what it was made from, beside the environment.
#[derive(Serialize, Deserialize)]
struct Remembered {
    /// Digest of the spec's text, name and own definitions.
    key: String,
    /// Files that were read, each with its digest; none where there was no file.
    reads: Vec<(String, Option<String>)>,
    answer: Answer,
}

/// The kind under which the store records answers.
const RECORD: &str = "spec-facts";

/// Lua and nested macros go deeper than a thread's usual stack.
const STACK: usize = 16 << 20;

/// rpm's own macro files, where this machine has rpm.
const RPM_MACROS: &str = "/usr/lib/rpm/macros";

/// How sources are unpacked is no fact; rpm before 4.20 does not know all the options.
const UNPACKING: &str = "%autosetup(a:b:cDn:TvNS:p:C) %{nil}\n";

/// What systemd's macros stand for in tags: whole lines, so that a comment may follow. Its macro file is made when it is built.
const SYSTEMD: &str = "%systemd_requires() %{expand:\nRequires(post): systemd\nRequires(preun): systemd\n\
    Requires(postun): systemd\n%{nil}}\n\
    %systemd_ordering() %{expand:\nOrderWithRequires(post): systemd\nOrderWithRequires(preun): systemd\n\
    OrderWithRequires(postun): systemd\n%{nil}}\n";

/// Macros divide by it; only a build has a shell that could say how many.
const PROCESSORS: &str = "%_smp_build_ncpus 2\n";

/// Files that an evaluation reads are smaller than this.
const LARGEST_FILE: u64 = 8 << 20;

/// Gathers what the specs of `names` say, or of all components; remembered answers are used unless `fresh`.
pub(crate) fn gather(
    distro: &Distro,
    names: Option<&BTreeSet<String>>,
    remember: Remember,
    context: &Context,
) -> Result<Book, Failure> {
    let store = context.store()?;
    let ground = Ground::of(distro)?;
    let is_whole = names.is_none_or(|names| names.len() == distro.components.len());
    let state = is_whole.then(|| whole::State::of(distro, &ground, context.host.cores())).flatten();
    if let Some(state) = state.as_ref().filter(|_| remember == Remember::Use)
        && let Some(book) = whole::load(&store, distro, state)
    {
        return Ok(book);
    }
    let surroundings = Surroundings::of(distro, ground, context)?;
    let record = surroundings.record();
    let before = match remember {
        Remember::Use => load(&store, &record),
        Remember::Renew => BTreeMap::new(),
    };
    let wanted: Vec<&Component> = distro
        .components
        .values()
        .filter(|component| names.is_none_or(|names| names.contains(&component.name)))
        .collect();
    let next = AtomicUsize::new(0);
    let (surroundings, before, wanted) = (&surroundings, &before, &wanted);
    let work = || {
        let mut done = Vec::new();
        let mut evaluator = Evaluator::default();
        while let Some(component) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.push((
                component.name.clone(),
                surroundings.answer(component, before.get(&component.name), &mut evaluator),
            ));
        }
        done
    };
    let results: Vec<(String, Option<Found>)> = std::thread::scope(|scope| {
        let worker = || std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        let workers = (0..context.host.cores().max(1)).map(|_| worker()).collect::<std::io::Result<Vec<_>>>()?;
        Ok::<_, std::io::Error>(workers.into_iter().filter_map(|worker| worker.join().ok()).flatten().collect())
    })?;
    if results.len() < wanted.len() {
        let message = format!("only {} of {} specs were looked at: a thread ended early", results.len(), wanted.len());
        return Err(Failure::work(message));
    }
    let mut book = Book { answers: BTreeMap::new(), without_spec: Vec::new(), evaluated: 0 };
    let mut kept = BTreeMap::new();
    for (name, found) in results {
        match found {
            None => book.without_spec.push(name),
            Some(Found::Same) => {
                if let Some(remembered) = before.get(&name) {
                    book.answers.insert(name, remembered.answer.clone());
                }
            }
            Some(Found::New(remembered)) => {
                book.evaluated += 1;
                book.answers.insert(name.clone(), remembered.answer.clone());
                kept.insert(name, remembered);
            }
        }
    }
    book.without_spec.sort();
    if book.evaluated > 0 {
        save(&store, &record, before, &kept)?;
    }
    if let Some(state) = &state {
        // It only spares work: what cannot be kept is found out again.
        let _ = whole::save(&store, distro, state, &book);
    }
    Ok(book)
}

/// Whether answers that the store has are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remember {
    /// They are.
    Use,
    /// They are made anew, and recorded in place of the old.
    Renew,
}

fn load(store: &Store, record: &Digest) -> BTreeMap<String, Remembered> {
    // A record that cannot be read, as after a change of its format, counts as none.
    store.record(RECORD, record).and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

fn save(
    store: &Store,
    record: &Digest,
    before: &BTreeMap<String, Remembered>,
    new: &BTreeMap<String, Remembered>,
) -> Result<(), Failure> {
    let mut all: BTreeMap<&str, &Remembered> = before.iter().map(|(name, found)| (name.as_str(), found)).collect();
    all.extend(new.iter().map(|(name, found)| (name.as_str(), found)));
    let bytes = serde_json::to_vec(&all).map_err(|error| Failure::work(error.to_string()))?;
    Ok(store.set_record(RECORD, record, &bytes)?)
}

#[expect(clippy::large_enum_variant, reason = "lives for one step of a loop")]
enum Found {
    /// What was remembered still holds.
    Same,
    New(Remembered),
}

/// What specs are evaluated in, as far as it is known without looking at them.
struct Ground {
    macros: Macros,
    /// Definitions of the tool that would build them.
    definitions: Vec<(String, String)>,
    /// Whether macro files of the tree itself are to be added.
    is_open: bool,
    id: Digest,
}

impl Ground {
    fn of(distro: &Distro) -> Result<Ground, Failure> {
        let mut id = pkg::Hasher::new();
        let mut macros = Macros::builtin();
        let mut load = |text: &str, origin: &Origin| {
            id.field("macros", text);
            macros.load(text, origin);
        };
        let is_open = distro.project.macros.is_empty();
        let mut definitions = Vec::new();
        if is_open {
            if let Ok(text) = fs_err::read_to_string(RPM_MACROS) {
                load(&text, &Origin::new(RPM_MACROS));
            }
            for text in [&defaults::base_macros(), UNPACKING, PROCESSORS, SYSTEMD] {
                load(text, &Origin::new("slipway's base macros"));
            }
            definitions = mock_definitions(distro);
            // Python is not there to be asked: the version that the tree's macros take for the usual one counts.
            definitions.push(("python3_version".to_owned(), "%{?__default_python3_pkgversion}".to_owned()));
        }
        for path in &distro.project.macros {
            load(&fs_err::read_to_string(path)?, &Origin::file(path));
        }
        for (name, body) in &definitions {
            id.field("definition", format!("{name} {body}"));
        }
        id.field("arch", pipeline::arch().as_str());
        id.field("clock", distro.project.epoch.0.to_string());
        // Another program may answer otherwise; its size and time tell it apart sooner than its bytes do.
        if let Ok(program) = std::env::current_exe().and_then(fs_err::metadata) {
            id.field("program", format!("{} {:?}", program.len(), program.modified().ok()));
        }
        Ok(Ground { macros, definitions, is_open, id: id.finish() })
    }

    /// Definitions of one spec: its folder, and its build options where no rendering wrote them into a file of macros.
    fn definitions_for(&self, component: &Component, spec: &Path) -> Vec<(String, String)> {
        let mut definitions = self.definitions.clone();
        let folder = spec.parent().unwrap_or(Path::new("."));
        definitions.push(("_sourcedir".to_owned(), folder.to_string_lossy().into_owned()));
        if component.rendered.as_deref() != Some(folder) {
            definitions.extend(pipeline::option_definitions(component));
        }
        definitions
    }
}

/// What all specs of a definition are evaluated in.
struct Surroundings<'a> {
    distro: &'a Distro,
    ground: Ground,
    macros: Arc<Macros>,
    /// Files that all specs see: macro files and Lua modules of the tree, and what a bare root has.
    shared: Arc<Shared>,
    id: Digest,
}

impl<'a> Surroundings<'a> {
    fn of(distro: &'a Distro, ground: Ground, context: &Context) -> Result<Surroundings<'a>, Failure> {
        let mut id = pkg::Hasher::new();
        id.field("ground", ground.id.as_bytes());
        let mut shared = Shared::default();
        shared.add_bare_root();
        let mut macros = Arc::new(ground.macros.clone());
        if ground.is_open {
            let mut base = Environment::new(macros, Target::linux(pipeline::arch().as_str()));
            base.clock = distro.project.epoch;
            base.definitions = ground.definitions.clone();
            base.gaps = Gaps::Note;
            let collected = collect_from(rendered_files(distro)?, &base, &mut shared, context)?;
            for text in &collected.texts {
                id.field("macros", text);
            }
            macros = collected.macros;
        }
        Ok(Surroundings { distro, ground, macros, shared: Arc::new(shared), id: id.finish() })
    }

    fn record(&self) -> Digest {
        let mut hasher = pkg::Hasher::new();
        let root = std::path::absolute(&self.distro.file).unwrap_or_default();
        hasher.field("environment", self.id.as_bytes()).field("definition", root.to_string_lossy().as_bytes());
        hasher.finish()
    }

    /// The answer for a component; `None` where it has no spec.
    fn answer(&self, component: &Component, before: Option<&Remembered>, evaluator: &mut Evaluator) -> Option<Found> {
        let path = component.effective_spec()?;
        let bytes = match fs_err::read(&path) {
            Ok(bytes) => bytes,
            Err(error) => {
                let answer = Answer::Failed(error.to_string());
                return Some(Found::New(Remembered { key: String::new(), reads: Vec::new(), answer }));
            }
        };
        let definitions = self.ground.definitions_for(component, &path);
        let mut key = pkg::Hasher::new();
        key.field("spec", &bytes);
        for (name, body) in &definitions {
            key.field("definition", format!("{name} {body}"));
        }
        let key = key.finish().hex();
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let files = SpecFiles { folder, shared: self.shared.clone(), reads: Mutex::default() };
        if let Some(before) = before
            && before.key == key
            && before.reads.iter().all(|(path, digest)| files.digest(path) == *digest)
        {
            return Some(Found::Same);
        }
        let files = Arc::new(files);
        let mut environment = Environment::new(self.macros.clone(), Target::linux(pipeline::arch().as_str()));
        environment.clock = self.distro.project.epoch;
        environment.definitions = definitions;
        environment.files = files.clone();
        environment.shell = Arc::new(NativeShell::of_bare_root(files.clone()));
        // As rpm does it: what nobody defined stays as it is written.
        environment.undefined = Undefined::Warn;
        environment.gaps = Gaps::Note;
        let text = String::from_utf8_lossy(&bytes);
        let answer = match evaluator.evaluate(&text, &Origin::file(&path), &environment) {
            Ok(evaluated) => Answer::Facts(facts(&evaluated)),
            Err(error) => Answer::Failed(error.to_string()),
        };
        let reads = files.reads.lock().unwrap_or_else(PoisonError::into_inner).clone().into_iter().collect();
        Some(Found::New(Remembered { key, reads, answer }))
    }
}

fn facts(evaluated: &spec::Evaluated) -> Facts {
    let texts = |list: &[spec::Dependency]| -> Vec<String> {
        let set: BTreeSet<String> = list.iter().map(|dependency| dependency.relation.to_string()).collect();
        set.into_iter().collect()
    };
    let packages = evaluated.packages.iter().map(|package| Package {
        name: package.name.clone(),
        arch: package.arch.to_string(),
        is_made: package.files.is_some(),
        provides: texts(&package.provides),
        requires: texts(&package.requires),
    });
    let main = evaluated.packages.first();
    let build_requires: BTreeSet<String> = evaluated.build_requires.iter().map(|need| need.value.to_string()).collect();
    let names = |sources: &[spec::Source]| sources.iter().map(|source| source.file_name.clone()).collect();
    Facts {
        source: evaluated.source.to_string(),
        evr: evaluated.evr.to_string(),
        summary: main.map(|package| package.summary.clone()).unwrap_or_default(),
        license: main.map(|package| package.license.clone()).unwrap_or_default(),
        url: main.and_then(|package| package.url.clone()),
        packages: packages.collect(),
        build_requires: build_requires.into_iter().collect(),
        dynamic_build_requires: evaluated.dynamic_build_requires,
        sources: names(&evaluated.sources),
        patches: names(&evaluated.patches),
        exclusive_arch: evaluated.exclusive_arch.clone(),
        exclude_arch: evaluated.exclude_arch.clone(),
        incomplete: evaluated.gaps.iter().map(gap).collect(),
    }
}

fn gap(gap: &spec::Gap) -> Gap {
    let through = if gap.chain.is_empty() { String::new() } else { format!(" (in {})", gap.chain.join(", in ")) };
    Gap { kind: gap.kind.as_str().to_owned(), at: gap.position.to_string(), what: format!("{}{through}", gap.text) }
}

/// The files of one spec's folder, and those that all specs see. Notes what was asked for.
struct SpecFiles {
    folder: PathBuf,
    shared: Arc<Shared>,
    reads: Mutex<BTreeMap<String, Option<String>>>,
}

impl SpecFiles {
    /// The file that is meant, if it is below the spec's folder. No other file of the machine is seen.
    fn locate(&self, path: &str) -> Option<PathBuf> {
        let path = Path::new(path);
        if path.components().any(|part| part == std::path::Component::ParentDir) {
            return None;
        }
        if !path.starts_with(&self.folder) {
            return None;
        }
        let resolved = path.canonicalize().ok()?;
        resolved.starts_with(self.folder.canonicalize().ok()?).then_some(resolved)
    }

    fn bytes(&self, path: &str) -> Option<Vec<u8>> {
        if let Some(text) = self.shared.text(path) {
            return Some(text.as_bytes().to_vec());
        }
        let found = self.locate(path)?;
        let size = fs_err::metadata(&found).ok().filter(std::fs::Metadata::is_file)?.len();
        (size <= LARGEST_FILE).then(|| fs_err::read(found).ok()).flatten()
    }

    fn digest(&self, path: &str) -> Option<String> {
        self.bytes(path).map(|bytes| Digest::of(&bytes).hex())
    }
}

impl spec::Files for SpecFiles {
    fn read(&self, path: &str) -> Option<Arc<str>> {
        let bytes = self.bytes(path);
        let digest = bytes.as_ref().map(|bytes| Digest::of(bytes).hex());
        self.reads.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), digest);
        bytes.map(|bytes| Arc::from(String::from_utf8_lossy(&bytes)))
    }
}

/// The files in the folders of rendered specs, of which some are what the packages of those specs install.
fn rendered_files(distro: &Distro) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for folder in distro.components.values().filter_map(|component| component.rendered.as_deref()) {
        let Ok(entries) = fs_err::read_dir(folder) else { continue };
        for entry in entries {
            found.push(entry?.path());
        }
    }
    Ok(found)
}

/// The macros that the configuration of mock defines, where the version names one: `config_opts['macros']['%dist'] = '.x'`.
fn mock_definitions(distro: &Distro) -> Vec<(String, String)> {
    let version = distro
        .distributions
        .get(&distro.project.distro)
        .and_then(|distribution| distribution.versions.get(&distro.project.version));
    let Some(config) = version.and_then(|version| version.mock_configs.first()) else { return Vec::new() };
    let mut definitions = Vec::new();
    let mut pending = vec![config.clone()];
    let mut seen = BTreeSet::new();
    while let Some(path) = pending.pop() {
        let Ok(text) = fs_err::read_to_string(&path) else { continue };
        if !seen.insert(path.clone()) || seen.len() > 16 {
            continue;
        }
        for line in text.lines().map(str::trim) {
            let quoted: Vec<&str> = line.split(['\'', '"']).skip(1).step_by(2).collect();
            match quoted.as_slice() {
                [included] if line.starts_with("include(") => pending.push(path.with_file_name(included)),
                ["macros", name, body] if line.starts_with("config_opts[") && name.starts_with('%') => {
                    definitions.push((name[1..].to_owned(), (*body).to_owned()));
                }
                _ => {}
            }
        }
    }
    definitions.sort();
    definitions
}

#[cfg(test)]
mod tests {
    use spec::Files;

    use super::*;

    #[test]
    fn files_a_spec_sees_its_own_folder_only() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("own");
        fs_err::create_dir_all(&own).unwrap();
        fs_err::write(own.join("a"), "inside").unwrap();
        fs_err::write(folder.path().join("b"), "outside").unwrap();
        std::os::unix::fs::symlink(folder.path().join("b"), own.join("link")).unwrap();
        let files = SpecFiles { folder: own.clone(), shared: Arc::default(), reads: Mutex::default() };
        let read = |path: &str| files.read(&format!("{}/{path}", own.display()));
        assert_eq!(read("a").as_deref(), Some("inside"));
        for path in ["link", "../b", "none", "."] {
            assert_eq!(read(path), None, "{path}");
        }
        assert_eq!(files.read("/etc/passwd"), None);
        assert_eq!(files.reads.lock().unwrap().len(), 6, "what was asked for is noted, found or not");
    }
}

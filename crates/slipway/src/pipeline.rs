//! The whole factory on one page:
//!
//! ```text
//! distro/*.toml --load--> Distro --evaluate--> specs --plan--> Plan --build--> packages --publish--> Snapshot --image--> disk
//! ```
//!
//! Who may touch the machine is visible in the signatures: what gets no `Context` and no `Store` has no effect.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use build::sources::Access;
use build::stage0::{Request, Stage0, Stage0Definition};
use build::{BuildError, Built, Check, File, Job, Options, Progress};
use distro::{Component, Distro, FileOrigin, SpecSource};
use pkg::{Arch, Digest};
use plan::{BuiltPackage, Candidate, CandidatePackage, Plan, Provider, Requirement};
use spec::{Environment, Evaluated, Macros, Origin, Target};
use store::Store;

use crate::archives;
use crate::context::Context;
use crate::explain::Failure;
use crate::machine::Accelerator;
use crate::rendering;
use crate::sources;

/// The machine that packages are made for. Others come with their own stage0.
pub(crate) fn arch() -> Arch {
    Arch::new("x86_64")
}

/// What every spec of the definition says.
pub(crate) struct Specs {
    pub(crate) evaluated: BTreeMap<String, Evaluated>,
    texts: BTreeMap<String, String>,
    /// Of components whose overlays change a spec of the definition's own: the files beside it, overlays applied.
    overlaid: BTreeMap<String, BTreeMap<String, Vec<u8>>>,
    macro_files: Vec<File>,
}

/// Reads and evaluates all specs, several at once; all that are wrong are reported together.
pub(crate) fn evaluate(distro: &Distro, threads: usize) -> Result<Specs, Failure> {
    let mut macro_files = Vec::new();
    let mut macros = Macros::builtin();
    for path in &distro.project.macros {
        let text = fs_err::read_to_string(path)?;
        macros.load(&text, &Origin::file(path));
        let name = path.file_name().map_or_else(|| "macros".to_owned(), |name| name.to_string_lossy().into_owned());
        macro_files.push(File { name, bytes: text.into_bytes() });
    }
    let macros = Arc::new(macros);
    let (mut texts, mut overlaid) = (BTreeMap::new(), BTreeMap::new());
    for (name, component) in &distro.components {
        let is_local = matches!(component.spec, SpecSource::Local { .. });
        if !is_local && !component.spec.path().is_file() {
            let message = format!("`{name}` was never rendered: there is no `{}`", component.spec.path().display());
            return Err(Failure::definition(format!("{message}\n  --> {}", component.at))
                .hint(format!("`slipway component render {name}` writes it")));
        }
        // Another distribution's spec is read as it was rendered, with all overlays applied.
        if is_local && !component.overlays.is_empty() {
            let folder = rendering::overlaid(component)?;
            texts.insert(name.clone(), folder.spec);
            overlaid.insert(name.clone(), folder.files);
        } else {
            texts.insert(name.clone(), fs_err::read_to_string(component.spec.path())?);
        }
    }
    let names: Vec<&String> = texts.keys().collect();
    let results: Vec<(String, Result<Evaluated, spec::SpecError>)> = std::thread::scope(|scope| {
        let chunk = names.len().div_ceil(threads.max(1)).max(1);
        let workers: Vec<_> = names
            .chunks(chunk)
            .map(|names| {
                let (texts, macros) = (&texts, &macros);
                scope.spawn(move || {
                    let mut evaluator = spec::Evaluator::default();
                    let one = |name: &&String| {
                        let component = &distro.components[*name];
                        let mut environment = environment(component, macros, distro);
                        see_rendered(component, &mut environment);
                        let origin = Origin::file(component.spec.path());
                        ((*name).clone(), evaluator.evaluate(&texts[*name], &origin, &environment))
                    };
                    names.iter().map(one).collect::<Vec<_>>()
                })
            })
            .collect();
        workers.into_iter().filter_map(|worker| worker.join().ok()).flatten().collect()
    });
    let mut evaluated = BTreeMap::new();
    let mut problems = Vec::new();
    for (name, result) in results {
        match result {
            Ok(found) => {
                evaluated.insert(name, found);
            }
            Err(error) => problems.push(error.to_string()),
        }
    }
    if !problems.is_empty() {
        return Err(Failure::definition(problems.join("\n\nerror: ")));
    }
    Ok(Specs { evaluated, texts, overlaid, macro_files })
}

/// What a component's spec is evaluated with.
pub(crate) fn environment(component: &Component, macros: &Arc<Macros>, distro: &Distro) -> Environment {
    let mut environment = Environment::new(macros.clone(), Target::linux(arch().as_str()));
    environment.clock = distro.project.epoch;
    environment.definitions.extend(option_definitions(component));
    environment
}

/// Lets a rendered spec load the macro file beside it. What cannot be read is missing then, and the spec's error says so.
fn see_rendered(component: &Component, environment: &mut Environment) {
    if matches!(component.spec, SpecSource::Local { .. }) {
        return;
    }
    let files = rendering::read_folder(component.spec.folder()).unwrap_or_default();
    let text = |content: Vec<u8>| Arc::from(String::from_utf8_lossy(&content).as_ref());
    let files: BTreeMap<String, Arc<str>> =
        files.into_iter().map(|(name, content)| (format!("/sources/{name}"), text(content))).collect();
    environment.definitions.push(("_sourcedir".to_owned(), "/sources".to_owned()));
    environment.files = Arc::new(files);
}

/// The build options of a component as definitions of macros.
pub(crate) fn option_definitions(component: &Component) -> Vec<(String, String)> {
    let build = &component.build;
    let defines = build.defines.iter().map(|(name, body)| (name.clone(), body.clone()));
    let with = build.with.iter().map(|name| (format!("_with_{name}"), format!("--with-{name}")));
    let without = build.without.iter().map(|name| (format!("_without_{name}"), format!("--without-{name}")));
    defines.chain(with).chain(without).collect()
}

/// Finds out in which order the components can be built.
pub(crate) fn plan(distro: &Distro, specs: &Specs) -> Result<Plan, Failure> {
    let candidates: Vec<Candidate> =
        specs.evaluated.iter().map(|(name, spec)| candidate(name, &distro.components[name], spec)).collect();
    Ok(plan::make(&candidates, &distro.stage0)?)
}

fn candidate(name: &str, component: &Component, spec: &Evaluated) -> Candidate {
    let relations = |all: &[spec::Dependency]| all.iter().map(|dependency| dependency.relation.clone()).collect();
    let made = spec.packages.iter().filter(|package| package.files.is_some());
    let packages = made.map(|package| CandidatePackage {
        name: package.name.clone(),
        provides: relations(&package.provides),
        requires: relations(&package.requires),
    });
    let build_requires = spec.build_requires.iter().map(|located| Requirement {
        relation: located.value.clone(),
        at: distro::Position {
            file: component.spec.path().to_owned(),
            line: located.position.line as usize,
            column: (located.position.column as usize).max(1),
        },
    });
    Candidate { component: name.to_owned(), packages: packages.collect(), build_requires: build_requires.collect() }
}

/// Everything that building needs, at hand: stage0 prepared, sources fetched and verified.
pub(crate) struct Yard<'a> {
    pub(crate) distro: &'a Distro,
    specs: &'a Specs,
    plan: &'a Plan,
    stage0: Arc<Stage0>,
    sources: BTreeMap<String, BTreeMap<String, Digest>>,
    store: &'a Store,
}

/// Whether what may have moved in Debian's archive is looked up again.
pub(crate) use build::debian::Refresh;

/// Prepares stage0 and fetches the sources of all that is planned.
pub(crate) fn prepare<'a>(
    distro: &'a Distro,
    specs: &'a Specs,
    plan: &'a Plan,
    refresh: Refresh,
    context: &Context,
    store: &'a Store,
    progress: &dyn Progress,
) -> Result<Yard<'a>, Failure> {
    if distro.stage0.suite.is_empty() {
        let message =
            format!("`{}` has no `[stage0]`: nothing says what the first builds run in", distro.file.display());
        return Err(Failure::definition(message).hint("`slipway new DIR` makes a definition with one"));
    }
    let definition = stage0_definition(distro);
    let mut extras = BTreeSet::new();
    for need in plan.steps.iter().flat_map(|step| &step.needs) {
        if let Provider::Debian { packages } = &need.provider {
            extras.extend(packages.iter().cloned());
        }
    }
    let arch = arch();
    let request = Request { definition: &definition, extras: &extras, arch: &arch, pinned: None, refresh };
    let stage0 = build::stage0::prepare(&request, &context.host, store, progress)?;
    let components = plan.steps.iter().map(|step| &distro.components[&step.component]);
    let mut wanted: BTreeMap<String, Vec<build::sources::Source>> = BTreeMap::new();
    for found in sources::sound(components, distro)? {
        wanted.entry(found.suite.unwrap_or_else(|| distro.stage0.suite.clone())).or_default().push(found.source);
    }
    let manner = sources::manner();
    let mut fetched: BTreeMap<String, BTreeMap<String, Digest>> = BTreeMap::new();
    for (suite, wanted) in wanted {
        let access = Access { suite: &suite, arch: &arch, parallel: sources::PARALLEL, manner: &manner };
        let digests = build::sources::fetch(&wanted, &access, &context.host, store, progress)?;
        for (source, digest) in wanted.into_iter().zip(digests) {
            fetched.entry(source.component).or_default().insert(source.file_name, digest);
        }
    }
    for step in &plan.steps {
        let component = &distro.components[&step.component];
        if component.overlays.iter().any(|overlay| overlay.archive().is_some()) {
            archives::change(component, fetched.entry(step.component.clone()).or_default(), store)?;
        }
    }
    let mut program = None;
    for step in &plan.steps {
        for file in &distro.components[&step.component].source_files {
            if file.origin == FileOrigin::Program {
                let digest = match program {
                    Some(digest) => digest,
                    None => *program.insert(running_program(store)?),
                };
                fetched.entry(step.component.clone()).or_default().insert(file.file_name.clone(), digest);
            }
        }
    }
    Ok(Yard { distro, specs, plan, stage0: Arc::new(stage0), sources: fetched, store })
}

/// The program that runs, as an object of the store. It is hashed first: mostly it is there already.
fn running_program(store: &Store) -> Result<Digest, Failure> {
    let mut program = fs_err::File::open(std::env::current_exe()?)?;
    let mut hasher = pkg::Hasher::new();
    std::io::copy(&mut program, &mut hasher)?;
    let digest = hasher.finish();
    if store.contains(&digest) {
        return Ok(digest);
    }
    std::io::Seek::rewind(&mut program)?;
    Ok(store.put_reader(program)?)
}

fn stage0_definition(distro: &Distro) -> Stage0Definition {
    let stage0 = &distro.stage0;
    Stage0Definition {
        suite: stage0.suite.clone(),
        packages: stage0.packages.clone(),
        provides: stage0.provides.clone(),
        links: stage0.links.clone(),
        files: stage0.files.clone(),
        commands: stage0.commands.iter().map(|command| build::stage0::Command { run: command.run.clone() }).collect(),
        mapping: stage0.mapping.clone(),
    }
}

impl Yard<'_> {
    /// The job of a component, once all that it comes after is built.
    pub(crate) fn job(&self, name: &str, built: &BTreeMap<String, Built>) -> Result<Job, BuildError> {
        let (component, step) = (&self.distro.components[name], self.plan.step(name));
        let needs = step.map(|step| step.needs.as_slice()).unwrap_or_default();
        let mut debian = BTreeSet::new();
        let mut wanted = Vec::new();
        for need in needs {
            match &need.provider {
                Provider::Stage0 => {}
                Provider::Debian { packages } => debian.extend(packages.iter().cloned()),
                Provider::Component { .. } => wanted.push(need.relation.clone()),
            }
        }
        let spec = &self.specs.evaluated[name];
        let sources = self.sources.get(name).cloned().unwrap_or_default();
        let mut files = Vec::new();
        for file in spec.sources.iter().chain(&spec.patches).map(|source| &source.file_name) {
            let is_new = !sources.contains_key(file) && files.iter().all(|known: &File| known.name != *file);
            if is_new {
                let overlaid = self.specs.overlaid.get(name).and_then(|files| files.get(file));
                let bytes = match overlaid {
                    Some(bytes) => bytes.clone(),
                    None => fs_err::read(component.spec.folder().join(file))?,
                };
                files.push(File { name: file.clone(), bytes });
            }
        }
        let options = Options {
            with: component.build.with.iter().cloned().collect(),
            without: component.build.without.iter().cloned().collect(),
            defines: component.build.defines.clone(),
            check: if component.build.check.skip { Check::Skip } else { Check::Run },
        };
        Ok(Job {
            name: name.to_owned(),
            spec: File { name: format!("{name}.spec"), bytes: self.specs.texts[name].clone().into_bytes() },
            files,
            sources,
            macros: self.specs.macro_files.clone(),
            stage0: self.stage0.clone(),
            packages: debian,
            rpms: self.root_packages(name, &wanted, built)?,
            options,
            epoch: self.distro.project.epoch,
            build_host: self.distro.project.distro.clone(),
        })
    }

    /// The packages of our own that a root holds: those wanted, and what these require.
    fn root_packages(
        &self,
        name: &str,
        wanted: &[pkg::Relation],
        built: &BTreeMap<String, Built>,
    ) -> Result<BTreeSet<Digest>, BuildError> {
        let mut packages = Vec::new();
        let mut digests = Vec::new();
        for file in built.values().flat_map(|built| &built.packages).filter(|file| file.nevra.arch != Arch::src()) {
            packages.push(read_package(&self.store.object_path(&file.digest))?);
            digests.push(file.digest);
        }
        let chosen = plan::closure(name, wanted, &packages, &self.distro.stage0)
            .map_err(|error| BuildError::Rpm { package: name.to_owned(), message: error.to_string() })?;
        Ok(chosen.into_iter().map(|index| digests[index]).collect())
    }
}

fn read_package(path: &Path) -> Result<BuiltPackage, BuildError> {
    let mut reader = std::io::BufReader::new(fs_err::File::open(path)?);
    let package = rpm::Package::read(&mut reader)
        .map_err(|error| BuildError::Rpm { package: path.display().to_string(), message: error.to_string() })?;
    let relations = |kind| {
        let all = package.header.dependencies(kind).into_iter();
        all.filter(|dependency| !dependency.is_rpmlib()).map(|dependency| dependency.relation).collect()
    };
    Ok(BuiltPackage {
        name: package.header.name().to_owned(),
        provides: relations(rpm::DependencyKind::Provides),
        requires: relations(rpm::DependencyKind::Requires),
        files: package.header.file_paths().collect(),
    })
}

/// Builds all that is planned, `parallel` at once.
pub(crate) fn build(
    yard: &Yard<'_>,
    parallel: usize,
    context: &Context,
    progress: &dyn Progress,
) -> build::schedule::Outcome {
    let after = yard.plan.steps.iter().map(|step| (step.component.clone(), step.after.clone())).collect();
    let graph = build::schedule::Graph { after };
    let make = |name: &str, built: &BTreeMap<String, Built>| yard.job(name, built);
    build::schedule::all(&graph, parallel, &make, &context.host, yard.store, progress)
}

/// Where the published repository is.
pub(crate) fn repository(context: &Context) -> Result<PathBuf, Failure> {
    Ok(context.output()?.join("repository"))
}

/// Publishes what was built: one signed snapshot, made visible in one step.
pub(crate) fn publish(
    built: &[Built],
    distro: &Distro,
    key: &sign::Key,
    context: &Context,
    store: &Store,
) -> Result<publish::Snapshot, Failure> {
    publish_to(&repository(context)?, built, distro, key, store)
}

/// Publishes into a folder that is not the distribution's own repository.
pub(crate) fn publish_to(
    folder: &Path,
    built: &[Built],
    distro: &Distro,
    key: &sign::Key,
    store: &Store,
) -> Result<publish::Snapshot, Failure> {
    let files = built.iter().flat_map(|built| &built.packages);
    let packages: Vec<publish::Package> =
        files.map(|file| publish::Package { file_name: file.file_name.clone(), digest: file.digest }).collect();
    Ok(publish::compose(&packages, key, distro.project.epoch, store, folder)?)
}

/// The key that signs: the file named, or one of the user's own that is made when first needed.
pub(crate) fn signing_key(file: Option<&Path>, distro: &Distro, context: &Context) -> Result<sign::Key, Failure> {
    let path = match file {
        Some(file) => file.to_owned(),
        None => {
            let home = host::environment::config_home().ok_or_else(|| {
                Failure::environment("there is no home folder to keep a signing key in").hint("name a key with `--key`")
            })?;
            home.join("slipway").join("keys").join(format!("{}.asc", distro.project.distro))
        }
    };
    if file.is_none() && !path.exists() {
        if let Some(folder) = path.parent() {
            fs_err::create_dir_all(folder)?;
        }
        let user = format!("{} development key", distro.project.description);
        let key = sign::Key::generate(&user, sign::KeyAlgorithm::Rsa3072, distro.project.epoch)?;
        key.save(&path)?;
        context.ui.note(&format!("made a signing key for development: `{}`", path.display()));
    }
    Ok(sign::Key::load(&path)?)
}

/// The published repository, which has to be there.
pub(crate) fn published(context: &Context) -> Result<PathBuf, Failure> {
    let folder = repository(context)?;
    if !folder.join(publish::CURRENT).join("repodata").is_dir() {
        return Err(Failure::work(format!(
            "no repository is published in `{}`",
            folder.join(publish::CURRENT).display()
        ))
        .hint("`slipway repo publish` publishes what was built"));
    }
    Ok(folder)
}

/// Opens the published repository, trusting the key that it was published with.
pub(crate) fn open_repository(context: &Context) -> Result<install::Repository, Failure> {
    let folder = published(context)?.join(publish::CURRENT);
    let mut keys = sign::KeyRing::new();
    keys.add(&fs_err::read(folder.join(publish::KEY_FILE))?)
        .map_err(|error| Failure::work(format!("the repository's key cannot be used: {error}")))?;
    Ok(install::Repository::open(&folder, &keys)?)
}

/// Makes an image from the published repository.
pub(crate) fn image(
    name: &str,
    distro: &Distro,
    context: &Context,
    store: &Store,
    progress: &dyn Fn(&str),
) -> Result<image::Built, Failure> {
    let Some(wanted) = distro.images.get(name) else {
        let failure = Failure::usage(format!("there is no image `{name}`"));
        return Err(match distro::nearest(name, distro.images.keys().map(String::as_str)) {
            Some(nearest) => failure.hint(format!("did you mean `{nearest}`?")),
            None => failure.hint("`slipway image list` shows all"),
        });
    };
    progress("choosing packages");
    let repository = open_repository(context)?;
    let relations = |texts: &[String]| -> Result<Vec<pkg::Relation>, Failure> {
        let parse = |text: &String| {
            pkg::Relation::parse(text).map_err(|error| Failure::definition(format!("image `{name}`: {error}")))
        };
        texts.iter().map(parse).collect()
    };
    let definition = &wanted.definition;
    let choose = |packages: &[String], exclude: &[String]| -> Result<_, Failure> {
        Ok(repository.resolve(relations(packages)?, relations(exclude)?, &arch())?)
    };
    let recipe = image::Recipe {
        image: wanted,
        packages: choose(&definition.packages, &definition.exclude_packages)?,
        initrd_packages: match &definition.initrd {
            Some(initrd) => choose(&initrd.packages, &initrd.exclude_packages)?,
            None => Vec::new(),
        },
        repository_key: fs_err::read(self::repository(context)?.join(publish::CURRENT).join(publish::KEY_FILE))?,
        at: distro.project.epoch,
    };
    Ok(image::assemble(&recipe, &context.host, store, progress)?)
}

/// The folder of results that an image's files are linked into.
fn images(context: &Context) -> Result<PathBuf, Failure> {
    Ok(context.output()?.join("images"))
}

/// Makes `out/images/NAME.FORMAT` lead to the files of an image in the store, each in one step.
pub(crate) fn link_image(built: &image::Built, context: &Context) -> Result<Vec<PathBuf>, Failure> {
    let folder = images(context)?;
    fs_err::create_dir_all(&folder)?;
    let manifest = (format!("{}.manifest.json", built.manifest.name), built.folder.join("manifest.json"));
    let files = built.manifest.files.iter().map(|(name, _)| (name.clone(), built.folder.join(name)));
    let mut links = Vec::new();
    for (name, target) in files.chain([manifest]) {
        let link = folder.join(&name);
        let temporary = folder.join(format!(".{name}.new"));
        if temporary.is_symlink() {
            fs_err::remove_file(&temporary)?;
        }
        fs_err::os::unix::fs::symlink(std::path::absolute(target)?, &temporary)?;
        fs_err::rename(&temporary, &link)?;
        links.push(link);
    }
    Ok(links)
}

/// The file of an image to boot, and its format: the raw one where there are several.
pub(crate) fn image_file(name: &str, context: &Context) -> Result<(PathBuf, &'static str), Failure> {
    let folder = images(context)?;
    let found = ["raw", "qcow2"].into_iter().map(|format| (folder.join(format!("{name}.{format}")), format));
    found.into_iter().find(|(path, _)| path.is_file()).ok_or_else(|| {
        Failure::work(format!("the image `{name}` was not made yet"))
            .hint(format!("`slipway image build {name}` makes it"))
    })
}

/// The names of the store's prepared directories of `kind` that the images linked into the results need.
pub(crate) fn directories_in_use(kind: &str, context: &Context, store: &Store) -> Result<BTreeSet<Digest>, Failure> {
    let mut used = BTreeSet::new();
    if kind == "files" {
        let repository = repository(context)?.join(publish::CURRENT);
        if repository.exists() {
            for package in open_repository(context)?.packages() {
                used.extend(Digest::parse(&package.checksum.hex));
            }
        }
        return Ok(used);
    }
    let folder = images(context)?;
    let directories = store.root().join("directories").join(kind);
    let links = if folder.is_dir() { fs_err::read_dir(&folder)?.collect::<Result<Vec<_>, _>>()? } else { Vec::new() };
    for link in links.iter().filter(|link| link.path().is_symlink()) {
        let target = fs_err::read_link(link.path())?;
        if let Some(name) =
            target.parent().filter(|parent| parent.parent() == Some(&directories)).and_then(Path::file_name)
        {
            used.extend(Digest::parse(&name.to_string_lossy()));
        }
    }
    Ok(used)
}

/// What accelerators to try: the one that is named, or what worked last on this kernel, or KVM before emulation.
pub(crate) fn accelerators(named: &str, store: &Store) -> Vec<Accelerator> {
    match named {
        "kvm" => return vec![Accelerator::Kvm],
        "tcg" => return vec![Accelerator::Tcg],
        _ => {}
    }
    match store.record("machine", &machine_key()).as_deref() {
        Some(b"tcg") => vec![Accelerator::Tcg],
        _ if Path::new("/dev/kvm").exists() => vec![Accelerator::Kvm, Accelerator::Tcg],
        _ => vec![Accelerator::Tcg],
    }
}

/// Notes which accelerator worked, so that the next boot need not try.
pub(crate) fn remember_accelerator(accelerator: Accelerator, store: &Store) -> Result<(), Failure> {
    let name = if accelerator == Accelerator::Tcg { "tcg" } else { "kvm" };
    Ok(store.set_record("machine", &machine_key(), name.as_bytes())?)
}

fn machine_key() -> Digest {
    Digest::of(&fs_err::read("/proc/sys/kernel/osrelease").unwrap_or_default())
}

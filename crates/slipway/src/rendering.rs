//! Rendering as an act: upstream's files from where they are, the rendered folder to where it belongs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use distro::render::{History, RenderError, Rendered, Style, needs_history, render};
use distro::{Component, Distro, LockedMacros, LockedStage0, OverlayKind, SharedLock, SpecSource};
use host::Host;
use pkg::Hasher;
use spec::autospec::Commit;
use spec::overlay::Folder;
use spec::{Environment, Macros, NativeShell, Origin, Target};

use crate::distgit::{self, DistGit, Mirror};
use crate::explain::Failure;
use crate::local_commits::{Local, LocalCommits};
use crate::pipeline;

/// Changes whenever rendering writes other bytes for the same inputs.
const RENDERING: &str = "1";

/// What all components of a definition are rendered with.
pub(crate) struct Renderer<'d> {
    pub(crate) distro: &'d Distro,
    host: &'d Host,
    mirrors: PathBuf,
    macros: Arc<Macros>,
    style: Style,
    local: LocalCommits<'d>,
    /// What all components share, as it is locked.
    pub(crate) shared: Option<SharedLock>,
    /// Hosts that could not be reached: thousands of components are mostly from one, and it is not asked for each of them.
    unreachable: Mutex<BTreeSet<String>>,
}

/// A component's upstream: its files, and where they are from.
pub(crate) struct Upstream {
    pub(crate) folder: Folder,
    /// The commit; nothing where the definition has the files itself.
    pub(crate) commit: Option<String>,
    history: Vec<Commit>,
}

impl<'d> Renderer<'d> {
    pub(crate) fn new(distro: &'d Distro, host: &'d Host, mirrors: PathBuf) -> Result<Renderer<'d>, Failure> {
        let mut macros = Macros::builtin();
        for path in &distro.project.macros {
            macros.load(&fs_err::read_to_string(path)?, &Origin::file(path));
        }
        let style = Style::of(&distro.file);
        let local = LocalCommits::of(distro, host)?;
        let shared = SharedLock::read(&SharedLock::path(distro))?;
        Ok(Renderer {
            distro,
            host,
            mirrors,
            macros: macros.into(),
            style,
            local,
            shared,
            unreachable: Mutex::default(),
        })
    }

    /// The definition's own commits that changed a component; none where nothing of it is counted.
    pub(crate) fn local(&self, component: &Component) -> Result<Local, Failure> {
        if component.ignores_own_commits {
            return Ok(Local::default());
        }
        self.local.changes(component)
    }

    /// What a component's spec is evaluated in, as far as its version goes.
    fn environment(&self) -> Environment {
        Environment::new(Arc::clone(&self.macros), Target::linux(pipeline::arch().as_str()))
    }

    /// The version that a spec says; nothing where it cannot be told.
    pub(crate) fn version(&self, spec: &str) -> Option<String> {
        spec::autospec::flags(spec, &self.environment()).map(|flags| flags.epoch_version)
    }

    /// Where a component's rendered folder is, or is to be.
    pub(crate) fn target(&self, component: &Component) -> Result<PathBuf, Failure> {
        component.rendered.clone().ok_or_else(|| {
            let name = &component.name;
            if component.spec.kind() == "local" && self.distro.project.rendered_specs_dir.is_some() {
                let message = format!(
                    "`{name}` is not rendered: its spec is the definition's own, and is built from where it lies"
                );
                return Failure::definition(message)
                    .hint(format!("`slipway component diff {name}` shows what overlays change"));
            }
            Failure::definition(format!("nothing says where the rendered spec of `{name}` is to be"))
                .hint("set `rendered-specs-dir` in `[project]`")
        })
    }

    /// Fetches what a component is rendered from.
    pub(crate) fn upstream(&self, component: &Component) -> Result<Upstream, Failure> {
        let own_spec = format!("{}.spec", component.name);
        let (mut files, commit, repository, upstream_spec) = match &component.spec {
            SpecSource::Local { path } => {
                let folder = path.parent().unwrap_or(Path::new("."));
                let mut files = read_folder(folder)?;
                // What defines the component is no part of it.
                files.retain(|name, _| !name.ends_with(".toml"));
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                (files, None, None, name)
            }
            SpecSource::Upstream(upstream) => {
                let repository = self.repository(component, Mirror::AsItIs)?;
                let commit = self.commit(component, &repository)?;
                (repository.files(&commit)?, Some(commit), Some(repository), format!("{}.spec", upstream.name))
            }
        };
        let Some(text) = files.remove(&upstream_spec) else {
            return Err(Failure::environment(format!("upstream of `{}` has no `{upstream_spec}`", component.name)));
        };
        let spec = String::from_utf8(text)
            .map_err(|_| Failure::definition(format!("`{upstream_spec}` of `{}` is not UTF-8", component.name)))?;
        let history = match (&commit, repository) {
            (Some(commit), Some(repository)) if needs_history(&spec) => repository.history(commit, &upstream_spec)?,
            _ => Vec::new(),
        };
        Ok(Upstream { folder: Folder { spec_name: own_spec, spec, files }, commit, history })
    }

    /// Opens a component's dist-git.
    pub(crate) fn repository(&self, component: &Component, mirror: Mirror) -> Result<DistGit<'d>, Failure> {
        let SpecSource::Upstream(upstream) = &component.spec else {
            return Err(Failure::definition(format!("`{}` has no upstream", component.name)));
        };
        let address = self.distro.distributions.get(&upstream.distro).and_then(|found| found.dist_git.as_ref());
        let Some(address) = address else {
            return Err(Failure::definition(format!("nothing says where the dist-git of `{}` is", upstream.distro))
                .hint(format!("set `dist-git-base-uri` in `[distros.{}]`", upstream.distro)));
        };
        let server = distgit::server(&address.value);
        let is_unreachable = |server: &String| self.unreachable.lock().is_ok_and(|known| known.contains(server));
        if let Some(server) = server.filter(is_unreachable) {
            let message = format!("`{server}` cannot be reached, and has the dist-git of `{}`", component.name);
            return Err(Failure::environment(message));
        }
        let opened = DistGit::open(&address.value, &upstream.name, &self.mirrors, mirror, self.host);
        if let Err(failure) = &opened
            && let Some(server) = distgit::server(&address.value)
            && distgit::is_unreachable(&failure.to_string())
            && let Ok(mut known) = self.unreachable.lock()
        {
            known.insert(server);
        }
        opened
    }

    /// The commit that a component is rendered from: the one that is pinned, or locked, or the one that its rule finds.
    fn commit(&self, component: &Component, repository: &DistGit<'_>) -> Result<String, Failure> {
        let is_pinned = matches!(&component.spec, SpecSource::Upstream(upstream) if upstream.commit.is_some());
        match component.lock.upstream_commit.as_deref().filter(|_| !is_pinned) {
            Some(locked) => repository.resolve(Some(locked), None, None),
            None => self.newest(component, repository),
        }
    }

    /// The commit that the definition's rule finds: the one that is pinned, or the branch's last one up to the snapshot. What is locked
    /// does not count.
    pub(crate) fn newest(&self, component: &Component, repository: &DistGit<'_>) -> Result<String, Failure> {
        let SpecSource::Upstream(upstream) = &component.spec else {
            return Err(Failure::definition(format!("`{}` has no upstream", component.name)));
        };
        let found = self.distro.distributions.get(&upstream.distro);
        let version = upstream
            .version
            .as_ref()
            .or_else(|| found.and_then(|found| found.default_version.as_ref()).map(|version| &version.value));
        let branch = version
            .and_then(|version| found?.versions.get(version))
            .and_then(|version| version.dist_git_branch.as_deref());
        let before = match &upstream.snapshot {
            None => None,
            Some(text) => match distro::moment::parse(text) {
                Some(moment) => Some(moment),
                None => {
                    return Err(Failure::definition(format!("`{text}` is not a moment such as 2026-02-24T00:00:00Z")));
                }
            },
        };
        repository.resolve(upstream.commit.as_deref(), branch, before)
    }

    /// Renders a component; nothing is written. `local` are the definition's own commits that count.
    pub(crate) fn render(
        &self,
        component: &Component,
        upstream: &Upstream,
        local: &Local,
    ) -> Result<Rendered, Failure> {
        self.try_render(component, upstream, local)?.map_err(|error| explain(component, &error))
    }

    /// The same, with the reason where a change does not fit.
    pub(crate) fn try_render(
        &self,
        component: &Component,
        upstream: &Upstream,
        local: &Local,
    ) -> Result<Result<Rendered, RenderError>, Failure> {
        let environment = self.environment();
        let flags = |text: &str| spec::autospec::flags(text, &environment);
        let history = (!upstream.history.is_empty() || !local.changes.is_empty()).then_some(History {
            upstream: &upstream.history,
            local: &local.changes,
            import: local.import.as_deref(),
            flags: &flags,
        });
        let mut rendered = match render(component, &upstream.folder, self.style, history) {
            Ok(rendered) => rendered,
            Err(error) => return Ok(Err(error)),
        };
        if !component.keep_all_files && upstream.commit.is_some() {
            self.filter(component, &mut rendered.folder, environment.clone());
        }
        Ok(Ok(rendered))
    }

    /// A spec with the release and changelog that follow from a repository's history, where it asks for them.
    pub(crate) fn released(
        &self,
        text: String,
        repository: &DistGit<'_>,
        commit: &str,
        file: &str,
    ) -> Result<String, Failure> {
        if !needs_history(&text) {
            return Ok(text);
        }
        let environment = Environment::new(Arc::clone(&self.macros), Target::linux(pipeline::arch().as_str()));
        let flags = |text: &str| spec::autospec::flags(text, &environment);
        let written = spec::autospec::process(&text, &repository.history(commit, file)?, &flags)
            .map_err(|error| Failure::definition(format!("the release of `{file}` cannot be told: {error}")))?;
        Ok(written.unwrap_or(text))
    }

    /// Leaves out what the spec does not name, as the original does. Where the spec does not say what it names, all stays.
    fn filter(&self, component: &Component, folder: &mut Folder, mut environment: Environment) {
        let text = |content: &Vec<u8>| -> Arc<str> { String::from_utf8_lossy(content).as_ref().into() };
        let sources: BTreeMap<String, Arc<str>> =
            folder.files.iter().map(|(name, content)| (format!("/sources/{name}"), text(content))).collect();
        environment.definitions.push(("_sourcedir".to_owned(), "/sources".to_owned()));
        environment.definitions.extend(pipeline::option_definitions(component));
        environment.files = Arc::new(sources);
        environment.shell = Arc::new(NativeShell::default());
        let Ok(found) = spec::evaluate(&folder.spec, &Origin::new(&folder.spec_name), &environment) else { return };
        let named: BTreeSet<&str> =
            found.sources.iter().chain(&found.patches).map(|source| source.file_name.as_str()).collect();
        if named.iter().any(|name| name.contains("%{")) {
            return;
        }
        folder.files.retain(|name, _| named.contains(name.as_str()) || name == "sources" || name.ends_with(".macros"));
    }

    /// What the rendered folder depends on: equal keys give equal bytes. Nothing is rendered for it.
    pub(crate) fn key(&self, component: &Component, local: &Local) -> Result<String, Failure> {
        let mut hasher = Hasher::new();
        for (name, value) in self.inputs(component)? {
            hasher.field(&name, value);
        }
        for change in &local.changes {
            let commit = &change.commit;
            hasher.field("local commit", &commit.id).field("behind", change.upstream.as_deref().unwrap_or_default());
        }
        hasher.field("import", local.import.as_deref().unwrap_or_default());
        Ok(hasher.finish().hex())
    }

    /// A digest of everything that can change what a build makes of a component.
    pub(crate) fn fingerprint(&self, component: &Component) -> Result<String, Failure> {
        let mut hasher = Hasher::new();
        for (name, value) in self.inputs(component)? {
            hasher.field(&name, value);
        }
        Ok(format!("sha256:{}", hasher.finish().hex()))
    }

    /// What all components share, as it is now. `packages` is the digest of stage0's packages, where it is known.
    pub(crate) fn shared_now(&self, packages: Option<String>) -> Result<SharedLock, Failure> {
        let mut macros = Vec::new();
        for path in &self.distro.project.macros {
            let file_name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            macros.push(LockedMacros { file_name, sha256: pkg::Digest::of(&fs_err::read(path)?).hex() });
        }
        let mut hasher = Hasher::new();
        let stage0 = self.stage0_inputs();
        for (name, value) in &stage0 {
            hasher.field(name, value);
        }
        let definition = format!("sha256:{}", hasher.finish().hex());
        // What nobody has looked up again is as it was, as long as the definition is.
        let kept = self.shared.as_ref().and_then(|shared| shared.stage0.as_ref());
        let kept = kept.filter(|kept| kept.definition == definition).and_then(|kept| kept.packages.clone());
        let stage0 = (!stage0.is_empty()).then(|| LockedStage0 {
            suite: self.distro.stage0.suite.clone(),
            definition,
            packages: packages.or(kept),
        });
        Ok(SharedLock { format: format!("rendering {RENDERING}, building {}", build::BUILDER_VERSION), macros, stage0 })
    }

    /// Everything that the definition says of the build root; nothing where it has none.
    fn stage0_inputs(&self) -> Vec<(String, String)> {
        let stage0 = &self.distro.stage0;
        if stage0.suite.is_empty() {
            return Vec::new();
        }
        let mut inputs = vec![
            ("stage0 suite".to_owned(), stage0.suite.clone()),
            ("stage0 packages".to_owned(), stage0.packages.join(" ")),
            ("stage0 provides".to_owned(), stage0.provides.join(" ")),
        ];
        let links = stage0.links.iter().map(|(path, target)| (format!("stage0 link {path}"), target.clone()));
        inputs.extend(links);
        let digest = |text: &String| format!("sha256:{}", pkg::Digest::of(text.as_bytes()).hex());
        inputs.extend(stage0.files.iter().map(|(path, text)| (format!("stage0 file {path}"), digest(text))));
        inputs.extend(
            stage0.mapping.iter().map(|(need, packages)| (format!("stage0 mapping {need}"), packages.join(" "))),
        );
        for (index, command) in stage0.commands.iter().enumerate() {
            inputs.push((format!("stage0 command {}", index + 1), command.run.join(" ")));
        }
        inputs
    }

    /// Everything that rendering or building a component depends on, each under a name of its own: short values as they are, contents as
    /// digests. The folder that the definition happens to be in is no part of it, nor are other components.
    pub(crate) fn inputs(&self, component: &Component) -> Result<Vec<(String, String)>, Failure> {
        let digest = |content: &[u8]| format!("sha256:{}", pkg::Digest::of(content).hex());
        let mut inputs = vec![
            ("rendering".to_owned(), RENDERING.to_owned()),
            ("building".to_owned(), build::BUILDER_VERSION.to_owned()),
            ("release version".to_owned(), self.distro.release_version.clone()),
            ("source-date-epoch".to_owned(), self.distro.project.epoch.0.to_string()),
            ("origin".to_owned(), component.origin.as_str().to_owned()),
            ("provenance".to_owned(), component.build.emit_upstream_provenance.to_string()),
            ("manual bump".to_owned(), component.lock.manual_bump.to_string()),
            ("style".to_owned(), digest(format!("{:?}", self.style).as_bytes())),
            ("name".to_owned(), component.name.clone()),
            ("release calculation".to_owned(), component.release.as_str().to_owned()),
            ("file filter".to_owned(), if component.keep_all_files { "off" } else { "on" }.to_owned()),
        ];
        if component.ignores_own_commits {
            inputs.push(("own commits".to_owned(), "ignored".to_owned()));
        }
        inputs.extend(self.stage0_inputs());
        let locked = self.shared.as_ref().and_then(|shared| shared.stage0.as_ref());
        if let Some(packages) = locked.and_then(|stage0| stage0.packages.clone()) {
            inputs.push(("stage0 packages as locked".to_owned(), packages));
        }
        let mut add = |name: String, value: String| inputs.push((name, value));
        for path in &self.distro.project.macros {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            add(format!("macro file {name}"), digest(&fs_err::read(path)?));
        }
        for (index, overlay) in component.overlays.iter().enumerate() {
            let what = match overlay.source() {
                Some(source) => {
                    let name = overlay.source_name().unwrap_or_default();
                    let fixes = match &overlay.kind {
                        OverlayKind::AddPatch { fixes, .. } => fixes.join(" "),
                        _ => String::new(),
                    };
                    format!("{name} {} {fixes}", digest(&fs_err::read(source)?))
                }
                None => format!("{:?}", overlay.kind),
            };
            let optional = if overlay.optional { ", optional" } else { "" };
            add(format!("overlay {} {}", index + 1, overlay.kind.as_str()), format!("{what}{optional}"));
        }
        let build = &component.build;
        add("build.with".to_owned(), build.with.join(" "));
        add("build.without".to_owned(), build.without.join(" "));
        for (name, body) in &build.defines {
            add(format!("build.defines.{name}"), body.clone());
        }
        add("build.check.skip".to_owned(), build.check.skip_reason.clone().unwrap_or_default());
        for file in &component.source_files {
            add(format!("source file {}", file.file_name), format!("{:?}", file.hash));
        }
        match &component.spec {
            SpecSource::Local { path } => {
                for (name, content) in read_folder(path.parent().unwrap_or(Path::new(".")))? {
                    if !name.ends_with(".toml") {
                        add(format!("file {name}"), digest(&content));
                    }
                }
            }
            SpecSource::Upstream(upstream) => {
                add("upstream".to_owned(), format!("{} {}", upstream.distro, upstream.name));
                // A commit that is pinned or locked needs no repository to be known.
                let commit = match upstream.commit.as_ref().or(component.lock.upstream_commit.as_ref()) {
                    Some(commit) => commit.clone(),
                    None => self.newest(component, &self.repository(component, Mirror::AsItIs)?)?,
                };
                add("upstream commit".to_owned(), commit);
            }
        }
        Ok(inputs)
    }
}

/// The folder of a component whose spec is the definition's own, with its overlays applied.
pub(crate) fn overlaid(component: &Component) -> Result<Folder, Failure> {
    let mut files = read_folder(component.spec.folder())?;
    let spec_name =
        component.spec.path().file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    files.remove(&spec_name);
    let mut folder = Folder::new(spec_name, fs_err::read_to_string(component.spec.path())?);
    folder.files = files;
    let (mut overlays, mut indexes) = (Vec::new(), Vec::new());
    for (overlay, loaded) in component.overlays.iter().enumerate().filter(|(_, loaded)| loaded.archive().is_none()) {
        indexes.push(overlay);
        let failed = |error| explain(component, &RenderError::Operation { overlay, error });
        overlays.push(loaded.operation().map_err(failed)?);
    }
    let applied = spec::overlay::apply(&folder, &overlays).map_err(|error| {
        let author = distro::render::Author::Overlay(indexes.get(error.overlay).copied().unwrap_or_default());
        explain(component, &RenderError::Overlay { author, error: Box::new(error) })
    })?;
    Ok(applied.folder)
}

/// Where something was seen, and what.
pub(crate) fn place(component: &Component, seen: &spec::overlay::Seen) -> String {
    match (seen.file.as_str(), seen.line) {
        ("", 0) => String::new(),
        ("", line) => format!("{}.spec:{line}  `{}`", component.name, seen.text),
        (file, 0) => format!("`{file}`"),
        (file, line) => format!("{file}:{line}  `{}`", seen.text),
    }
}

/// A render error as people see it: which overlay, what it looked for, what comes nearest.
pub(crate) fn explain(component: &Component, error: &RenderError) -> Failure {
    use distro::render::Author;
    match error {
        RenderError::Overlay { author: Author::Overlay(index), error } => {
            let overlay = &component.overlays[*index];
            let failure = &error.failure;
            let mut message = format!("an overlay of `{}` does not fit: {}", component.name, failure.problem);
            message.push_str(&format!("\n  --> {}  ({})", overlay.at, error.kind));
            if let Some(description) = &overlay.description {
                message.push_str(&format!("\n  is for   {description}"));
            }
            let place = |seen: &spec::overlay::Seen| place(component, seen);
            if let Some(seen) = failure.nearest.as_ref().filter(|seen| !seen.text.is_empty()) {
                message.push_str(&format!("\n  nearest  {}", place(seen)));
            }
            let Some(seen) = &failure.already else {
                message.push_str("\n  nothing of the component was changed");
                return Failure::definition(message);
            };
            if !seen.text.is_empty() {
                message.push_str(&format!("\n  already  {}", place(seen)));
            }
            message.push_str("\n  nothing of the component was changed");
            Failure::definition(message).hint("upstream has it already: remove the overlay, or set `optional = true`")
        }
        RenderError::Operation { overlay, error } => {
            let at = &component.overlays[*overlay].at;
            Failure::definition(format!("an overlay of `{}` cannot be made: {error}\n  --> {at}", component.name))
        }
        RenderError::Release(_) => Failure::definition(format!("`{}`: {error}", component.name))
            .hint("set `release = { calculation = \"manual\" }`, and an overlay for the tag where it is needed"),
        error => Failure::definition(format!("`{}` cannot be rendered: {error}", component.name)),
    }
}

/// The files below a folder by their path in it. Links are not followed, git's own files left out.
pub(crate) fn read_folder(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let mut files = BTreeMap::new();
    let mut open = vec![(folder.to_owned(), String::new())];
    while let Some((path, prefix)) = open.pop() {
        for entry in fs_err::read_dir(&path)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let kind = entry.file_type()?;
            if kind.is_dir() && name != ".git" {
                open.push((entry.path(), format!("{prefix}{name}/")));
            } else if kind.is_file() {
                files.insert(format!("{prefix}{name}"), fs_err::read(entry.path())?);
            }
        }
    }
    Ok(files)
}

/// All files of a rendered folder, the spec among them.
pub(crate) fn all_files(folder: &Folder) -> BTreeMap<String, Vec<u8>> {
    let mut files = folder.files.clone();
    files.insert(folder.spec_name.clone(), folder.spec.clone().into_bytes());
    files
}

/// A digest of files and their names.
pub(crate) fn digest(files: &BTreeMap<String, Vec<u8>>) -> String {
    let mut hasher = Hasher::new();
    for (name, content) in files {
        hasher.field("name", name);
        hasher.field("content", content);
    }
    hasher.finish().hex()
}

/// Writes a folder beside where it belongs and moves it there: it is there whole, or as it was.
pub(crate) fn write_folder(target: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<(), Failure> {
    let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let parent = target.parent().unwrap_or(Path::new("."));
    let (fresh, old) = (parent.join(format!(".{name}.new")), parent.join(format!(".{name}.old")));
    for left_over in [&fresh, &old] {
        if left_over.exists() {
            fs_err::remove_dir_all(left_over)?;
        }
    }
    fs_err::create_dir_all(&fresh)?;
    for (name, content) in files {
        let path = fresh.join(name);
        if let Some(folder) = path.parent() {
            fs_err::create_dir_all(folder)?;
        }
        fs_err::write(path, content)?;
    }
    if target.exists() {
        fs_err::rename(target, &old)?;
    }
    fs_err::rename(&fresh, target)?;
    if old.exists() {
        fs_err::remove_dir_all(&old)?;
    }
    Ok(())
}

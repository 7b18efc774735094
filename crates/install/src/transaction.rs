use std::collections::BTreeSet;
use std::io::BufReader;
use std::path::PathBuf;

use host::Host;
use pkg::{Digest, Nevra, SourceDateEpoch};
use rpm::db::{FileState, Installation, InstalledPackage};
use rpm::{FileEntry, Header, Package, ScriptletKind, Trigger, TriggerScope, TriggerWhen};
use store::Store;
use tree::{Kind, Node, Tree, TreePath};

use crate::accounts::Accounts;
use crate::merge::{Owners, Root, merge};
use crate::scriptlets::{Script, matching};
use crate::workspace::Workspace;
use crate::{Contents, InstallError, order};

/// A package file, by where it is and the digest of its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageFile {
    /// The `.rpm` file.
    pub path: PathBuf,
    /// SHA-256 of its bytes.
    pub digest: Digest,
}

/// How a root is filled.
pub struct Options<'a> {
    /// What stands for "now".
    pub at: SourceDateEpoch,
    /// Says of a path, as packages write it, whether it is left out.
    pub is_excluded: &'a dyn Fn(&str) -> bool,
    /// Told of each package as its turn comes: how many are done, of how many, and its name.
    pub progress: &'a dyn Fn(usize, usize, &str),
}

/// A root that was filled.
pub struct Installed<'a> {
    /// The root.
    pub tree: Tree,
    /// Where its bytes are.
    pub contents: Contents<'a>,
    /// The packages in the order in which they were installed.
    pub packages: Vec<Nevra>,
    /// Every scriptlet and trigger that ran.
    pub scriptlets: Vec<ScriptletRun>,
}

/// A scriptlet or trigger that ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptletRun {
    /// The package that it is of.
    pub package: String,
    /// As in `%post`.
    pub scriptlet: String,
    /// How it failed, if it did; only some must succeed.
    pub failure: Option<String>,
    /// What it printed.
    pub output: Vec<String>,
}

/// Where the database of installed packages is: `%_dbpath` of Skiff, as of Fedora and Azure Linux.
const DATABASE: &str = "usr/lib/sysimage/rpm/rpmdb.sqlite";

struct Unpacked {
    package: Package,
    directory: PathBuf,
}

/// Fills an empty root with `packages`.
pub fn fill<'a>(
    packages: &[PackageFile],
    options: &Options<'_>,
    host: &Host,
    store: &'a Store,
) -> Result<Installed<'a>, InstallError> {
    let unpacked = unpack_all(packages, host, store)?;
    let headers: Vec<&Header> = unpacked.iter().map(|unpacked| &unpacked.package.header).collect();
    let order = order(&headers);
    let mut transaction = Transaction {
        options,
        host,
        store,
        tree: Tree::new(),
        owners: Owners::new(),
        contents: Contents::new(store),
        changed: BTreeSet::from([TreePath::root()]),
        accounts: Accounts::default(),
        workspace: None,
        runs: Vec::new(),
        file_triggers: Vec::new(),
        installed: Vec::new(),
    };
    for (done, index) in order.iter().enumerate() {
        if host.interrupted() {
            return Err(InstallError::Interrupted);
        }
        (options.progress)(done, order.len(), unpacked[*index].package.header.name());
        transaction.install(&unpacked[*index])?;
    }
    transaction.finish()
}

/// Unpacks each package into the store, several at once; one that is there already costs nothing.
fn unpack_all(packages: &[PackageFile], host: &Host, store: &Store) -> Result<Vec<Unpacked>, InstallError> {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let Some(file) = packages.get(index) else { return Ok(done) };
            if host.interrupted() {
                return Err(InstallError::Interrupted);
            }
            done.push((index, unpack(file, store)?));
        }
    };
    let mut all: Vec<(usize, Unpacked)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..host.cores().max(1)).map(|_| scope.spawn(work)).collect();
        let mut all = Vec::new();
        for worker in workers {
            match worker.join() {
                Ok(done) => all.extend(done?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok::<_, InstallError>(all)
    })?;
    all.sort_by_key(|(index, _)| *index);
    Ok(all.into_iter().map(|(_, unpacked)| unpacked).collect())
}

fn unpack(file: &PackageFile, store: &Store) -> Result<Unpacked, InstallError> {
    let wrong = |cause| InstallError::Package { file: file.path.clone(), cause };
    let directory = store.make_directory("payload", &file.digest, |to| {
        let found = tree::directory::digest_only(&file.path)?;
        if found != file.digest {
            return Err(InstallError::Differs { file: file.path.clone(), expected: file.digest, found });
        }
        let mut reader = BufReader::with_capacity(1 << 16, fs_err::File::open(&file.path)?);
        rpm::unpack(&mut reader, to).map(|_| ()).map_err(wrong)
    })?;
    let mut reader = BufReader::new(fs_err::File::open(&file.path)?);
    let package = Package::read(&mut reader).map_err(|cause| wrong(cause.into()))?;
    Ok(Unpacked { package, directory })
}

struct Transaction<'t, 'a> {
    options: &'t Options<'t>,
    host: &'t Host,
    store: &'a Store,
    tree: Tree,
    owners: Owners,
    contents: Contents<'a>,
    changed: BTreeSet<TreePath>,
    accounts: Accounts,
    workspace: Option<Workspace>,
    runs: Vec<ScriptletRun>,
    file_triggers: Vec<(Header, Trigger)>,
    installed: Vec<(Package, Vec<FileState>)>,
}

impl<'a> Transaction<'_, 'a> {
    fn install(&mut self, unpacked: &Unpacked) -> Result<(), InstallError> {
        let header = &unpacked.package.header;
        let name = header.nevra().to_string();
        let files = unpacked
            .package
            .files()
            .map_err(|cause| InstallError::Place { package: name.clone(), cause: cause.into() })?;
        self.read_accounts()?;
        self.apply_sysusers(&files, unpacked)?;
        self.run_scriptlet(header, ScriptletKind::Pretrans)?;
        self.run_scriptlet(header, ScriptletKind::Pre)?;
        let mut root = Root {
            tree: &mut self.tree,
            owners: &mut self.owners,
            contents: &mut self.contents,
            changed: &mut self.changed,
        };
        let states = merge(&name, &files, &unpacked.directory, &self.accounts, self.options.is_excluded, &mut root)?;
        if files.iter().any(|file| is_sysusers(&file.path)) {
            // `%pre` or the package's own `/etc/passwd` may have brought others meanwhile.
            self.read_accounts()?;
            self.apply_sysusers(&files, unpacked)?;
            self.write_accounts()?;
        }
        let paths = paths(&files, &states);
        self.run_file_triggers(header, &paths)?;
        self.run_scriptlet(header, ScriptletKind::Post)?;
        self.installed.push((unpacked.package.clone(), states));
        Ok(())
    }

    fn apply_sysusers(&mut self, files: &[FileEntry], unpacked: &Unpacked) -> Result<(), InstallError> {
        for file in files.iter().filter(|file| is_sysusers(&file.path)) {
            let text = fs_err::read_to_string(unpacked.directory.join(file.path.trim_start_matches('/')))?;
            self.accounts.apply_sysusers(&file.path, &text)?;
        }
        Ok(())
    }

    /// The accounts of the root as they are now; scriptlets may have changed them.
    fn read_accounts(&mut self) -> Result<(), InstallError> {
        let (passwd, group) = (self.read_text("etc/passwd")?, self.read_text("etc/group")?);
        self.accounts = Accounts::parse(&passwd, &group)?;
        Ok(())
    }

    fn read_text(&self, path: &str) -> Result<String, InstallError> {
        let place = InstallError::Place { package: String::new(), cause: format!("`/{path}` is not text").into() };
        let Some(Node { kind: Kind::File { digest, .. }, .. }) = self.tree.get(&fixed(path)) else {
            return Ok(String::new());
        };
        String::from_utf8(pkg::Blobs::read(&self.contents, digest)?).map_err(|_| place)
    }

    fn write_accounts(&mut self) -> Result<(), InstallError> {
        let files =
            self.accounts.files(&self.read_text("etc/shadow")?, &self.read_text("etc/gshadow")?, self.options.at);
        for (path, text, mode) in [
            ("etc/passwd", &files.passwd, 0o644),
            ("etc/group", &files.group, 0o644),
            ("etc/shadow", &files.shadow, 0o000),
            ("etc/gshadow", &files.gshadow, 0o000),
        ] {
            let path = fixed(path);
            if self.tree.get(&fixed("etc")).is_none() || self.read_text(path.as_str())? == *text {
                continue;
            }
            let (digest, size) = self.contents.put(text.as_bytes())?;
            let mut node = Node::file(mode, i64::try_from(self.options.at.0).unwrap_or(i64::MAX), digest, size);
            if let Some(before) = self.tree.get(&path) {
                node.meta.mode = before.meta.mode;
                (node.meta.uid, node.meta.gid) = (before.meta.uid, before.meta.gid);
            }
            let place =
                |cause: tree::InsertError| InstallError::Place { package: "sysusers".to_owned(), cause: cause.into() };
            self.tree.insert(path.clone(), node).map_err(place)?;
            self.changed.insert(path);
        }
        Ok(())
    }

    fn run_scriptlet(&mut self, header: &Header, kind: ScriptletKind) -> Result<(), InstallError> {
        match Script::scriptlet(header, kind)? {
            Some(script) => self.run(&script),
            None => Ok(()),
        }
    }

    /// What the packages installed so far brought, under the names that they use: rpm compares these with file triggers,
    /// not what links make of them.
    fn packaged_paths(&self) -> Result<Vec<String>, InstallError> {
        let mut all = Vec::new();
        for (package, states) in &self.installed {
            let wrong = |cause: rpm::FilesError| InstallError::Place {
                package: package.header.nevra().to_string(),
                cause: cause.into(),
            };
            all.extend(paths(&package.files().map_err(wrong)?, states));
        }
        Ok(all)
    }

    /// Runs file triggers: those of earlier packages for this one's files, and this one's own for all files.
    fn run_file_triggers(&mut self, header: &Header, paths: &[String]) -> Result<(), InstallError> {
        let mut due = Vec::new();
        for (owner, trigger) in &self.file_triggers {
            if trigger.scope == TriggerScope::File {
                due.push((owner.clone(), trigger.clone(), matching(trigger, paths)));
            }
        }
        for trigger in header.triggers().into_iter().filter(|trigger| trigger.when == TriggerWhen::In) {
            if trigger.scope == TriggerScope::File {
                let mut all = self.packaged_paths()?;
                all.extend_from_slice(paths);
                due.push((header.clone(), trigger.clone(), matching(&trigger, &all)));
            }
            if trigger.scope == TriggerScope::Package {
                let installed = self.installed.iter().map(|(package, _)| &package.header).chain([header]);
                let is_set_off = installed.into_iter().any(|other| sets_off(other, &trigger));
                if is_set_off {
                    due.push((header.clone(), trigger.clone(), vec![String::new()]));
                }
            }
            self.file_triggers.push((header.clone(), trigger));
        }
        let earlier: Vec<_> = self
            .file_triggers
            .iter()
            .filter(|(owner, trigger)| {
                trigger.scope == TriggerScope::Package && owner.nevra() != header.nevra() && sets_off(header, trigger)
            })
            .cloned()
            .collect();
        due.extend(earlier.into_iter().map(|(owner, trigger)| (owner, trigger, vec![String::new()])));
        self.run_due(due)
    }

    fn run_due(&mut self, mut due: Vec<(Header, Trigger, Vec<String>)>) -> Result<(), InstallError> {
        due.retain(|(_, _, paths)| !paths.is_empty());
        due.sort_by_key(|(_, trigger, _)| std::cmp::Reverse(trigger.priority));
        for (owner, trigger, paths) in due {
            let paths = if trigger.scope == TriggerScope::Package { Vec::new() } else { paths };
            self.run(&Script::trigger(&owner, &trigger, &paths)?)?;
        }
        Ok(())
    }

    fn run(&mut self, script: &Script) -> Result<(), InstallError> {
        let workspace = match self.workspace.take() {
            Some(workspace) => workspace,
            None => Workspace::new(self.store)?,
        };
        workspace.sync(&self.tree, &self.contents, &self.changed)?;
        let run = script.run(&workspace, self.host)?;
        // Taken back at once: the next package's files and accounts build on what this one left.
        self.changed = workspace.take_back(&mut self.tree, &mut self.contents, self.store, self.options.at)?;
        self.workspace = Some(workspace);
        self.runs.push(run);
        Ok(())
    }

    fn finish(mut self) -> Result<Installed<'a>, InstallError> {
        let headers: Vec<Header> = self.installed.iter().map(|(package, _)| package.header.clone()).collect();
        for header in &headers {
            self.run_scriptlet(header, ScriptletKind::Posttrans)?;
        }
        let all = self.packaged_paths()?;
        let due = self
            .file_triggers
            .iter()
            .filter(|(_, trigger)| trigger.scope == TriggerScope::TransactionFile)
            .map(|(owner, trigger)| (owner.clone(), trigger.clone(), matching(trigger, &all)))
            .collect();
        self.run_due(due)?;
        self.write_database()?;
        Ok(Installed {
            tree: self.tree,
            contents: self.contents,
            packages: headers.iter().map(Header::nevra).collect(),
            scriptlets: self.runs,
        })
    }

    fn write_database(&mut self) -> Result<(), InstallError> {
        let at = self.options.at;
        let installation = Installation { time: at.as_u32(), transaction: at.as_u32(), color: 0 };
        let mut records = Vec::with_capacity(self.installed.len());
        for (package, states) in &self.installed {
            records.push(InstalledPackage::new(package, states, installation)?);
        }
        let bytes = rpm::db::write(&records)?;
        let (digest, size) = self.contents.put(&bytes)?;
        let mtime = i64::try_from(at.0).unwrap_or(i64::MAX);
        let path = fixed(DATABASE);
        let place = |cause: tree::InsertError| InstallError::Place { package: "rpmdb".to_owned(), cause: cause.into() };
        if let Some(parent) = path.parent() {
            self.tree.make_directories(&parent, mtime).map_err(place)?;
        }
        self.tree.insert(path, Node::file(0o644, mtime, digest, size)).map_err(place)?;
        Ok(())
    }
}

/// The paths of a package that file triggers see: all but those left out. rpm counts ghosts too.
fn paths(files: &[FileEntry], states: &[FileState]) -> Vec<String> {
    let brought = files.iter().zip(states).filter(|(_, state)| **state == FileState::Normal);
    brought.map(|(file, _)| file.path.clone()).collect()
}

fn sets_off(header: &Header, trigger: &Trigger) -> bool {
    let provided = header.dependencies(rpm::DependencyKind::Provides);
    trigger.conditions.iter().any(|wanted| provided.iter().any(|provided| wanted.satisfied_by(&provided.relation)))
}

fn is_sysusers(path: &str) -> bool {
    path.strip_prefix("/usr/lib/sysusers.d/").is_some_and(|name| name.ends_with(".conf") && !name.contains('/'))
}

/// A path that this file spells out, and which is therefore right.
fn fixed(path: &str) -> TreePath {
    TreePath::new(path).unwrap_or_default()
}

/// Runs a command as root inside `tree`, and takes back what it changed.
pub fn run_in(
    tree: &mut Tree,
    contents: &mut Contents<'_>,
    argv: &[String],
    at: SourceDateEpoch,
    host: &Host,
    store: &Store,
) -> Result<ScriptletRun, InstallError> {
    let workspace = Workspace::new(store)?;
    let all: BTreeSet<TreePath> = tree.iter().map(|(path, _)| path.clone()).collect();
    workspace.sync(tree, contents, &all)?;
    let mut output = Vec::new();
    let failure = workspace.run(host, argv, None, "", &mut |line| output.push(line.to_owned()))?;
    workspace.take_back(tree, contents, store, at)?;
    Ok(ScriptletRun { package: String::new(), scriptlet: argv.join(" "), failure, output })
}

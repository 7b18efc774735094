use std::collections::BTreeSet;
use std::io::BufReader;
use std::path::PathBuf;
use std::sync::Arc;

use host::Host;
use pkg::{Digest, Nevra, SourceDateEpoch};
use rpm::db::Installation;
use rpm::{FileEntry, FileKind, Header, Package, ScriptletKind, TriggerScope, TriggerWhen};
use store::Store;
use tree::{Kind, Node, Tree, TreePath};

use crate::accounts::Accounts;
use crate::change::Change;
use crate::element::{Asked, Element, Elements, Side, Unpacked};
use crate::facts::Facts;
use crate::files::{Files, Root, bytes_of};
use crate::installed::InstalledSet;
use crate::order::{Member, order_members};
use crate::scriptlets::Script;
use crate::site::Site;
use crate::triggers::{self, Due, Half, Noted};
use crate::workspace::Workspace;
use crate::{Contents, InstallError, checks, fate, history};

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

/// A root that was filled or changed.
pub struct Installed<'a> {
    /// The root.
    pub tree: Tree,
    /// Where its bytes are.
    pub contents: Contents<'a>,
    /// The packages that came, in the order in which they were installed.
    pub packages: Vec<Nevra>,
    /// The packages that went, in the order in which they were erased.
    pub erased: Vec<Nevra>,
    /// Every scriptlet and trigger that ran.
    pub scriptlets: Vec<ScriptletRun>,
    /// What people should know: configuration that was kept or put beside, above all.
    pub notes: Vec<String>,
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

/// Users and groups.
const ACCOUNT_FILES: [&str; 4] = ["etc/passwd", "etc/group", "etc/shadow", "etc/gshadow"];

/// Where the database of installed packages is: `%_dbpath` of Skiff, as of Fedora and Azure Linux.
pub const DATABASE: &str = "usr/lib/sysimage/rpm/rpmdb.sqlite";

/// Fills an empty root with `packages`, whose dependencies whoever chose them has seen to.
pub fn fill<'a>(
    packages: &[PackageFile],
    options: &Options<'_>,
    host: &Host,
    store: &'a Store,
) -> Result<Installed<'a>, InstallError> {
    let mut change = Change { upgrade: packages.to_vec(), ..Change::default() };
    change.allow.dependencies = true;
    self::change(Tree::new(), Contents::new(store), &change, options, host, store)
}

/// Changes a root: installs, upgrades, erases, in rpm's order and with rpm's decisions about files.
///
/// `contents` must know the bytes of all files of `tree`. It is all or nothing: where rpm would go on after a package
/// whose `%pre` or `%preun` failed, this ends with an error, and the root stays the value that it was.
pub fn change<'a>(
    tree: Tree,
    contents: Contents<'a>,
    change: &Change,
    options: &Options<'_>,
    host: &Host,
    store: &'a Store,
) -> Result<Installed<'a>, InstallError> {
    let installed = InstalledSet::read(read_blob(&tree, &contents, DATABASE)?)?;
    let elements = choose(change, &installed, host, store)?;
    let root = Root {
        tree,
        contents,
        changed: BTreeSet::from([TreePath::root()]),
        moved: Vec::new(),
        next_link: None,
        notes: Vec::new(),
    };
    let site = Site { root, host, store, at: options.at, workspace: None, live: None };
    let mut transaction = Transaction::new(site, options, installed);
    let elements = transaction.run_all(elements, change)?;
    for script in transaction.at_end(&elements)? {
        transaction.run(&script)?;
    }
    transaction.write(&elements, change)?;
    Ok(transaction.into_installed(&elements))
}

/// The elements in their final order, unless something forbids them.
pub(crate) fn choose(
    change: &Change,
    installed: &InstalledSet,
    host: &Host,
    store: &Store,
) -> Result<Vec<Element>, InstallError> {
    let mut elements = Elements::new();
    for (packages, asked) in
        [(&change.install, Asked::Beside), (&change.upgrade, Asked::Upgrade), (&change.reinstall, Asked::Reinstall)]
    {
        let mut unpacked = unpack_all(packages, host, store)?;
        // What the order of asking decides goes by name, so that equal requests give equal roots.
        unpacked.sort_by_cached_key(|unpacked| unpacked.facts.nevra.clone());
        for unpacked in unpacked {
            elements.add(unpacked, asked, installed, &change.allow);
        }
    }
    elements.drop_obsoleted();
    for relation in &change.erase {
        let meant: Vec<_> =
            installed.named(&relation.name).filter(|record| record.facts.is_meant_by(relation)).cloned().collect();
        if meant.is_empty() {
            elements.problems.push(crate::Problem::NotInstalled { package: relation.to_string() });
        }
        for record in meant {
            elements.erase(record, None);
        }
    }
    let mut problems = elements.problems;
    if !change.allow.dependencies {
        problems.extend(checks::dependencies(&elements.all, installed)?);
    }
    if !problems.is_empty() {
        return Err(InstallError::Refused(problems));
    }
    let members: Vec<Member<'_>> = elements
        .all
        .iter()
        .map(|element| Member { header: &element.facts.header, is_erased: !element.comes() })
        .collect();
    let order = order_members(&members);
    let mut place = vec![0; order.len()];
    order.iter().enumerate().for_each(|(new, old)| place[*old] = new);
    let mut all: Vec<(usize, Element)> = place.into_iter().zip(elements.all).collect();
    all.sort_by_key(|(place, _)| *place);
    Ok(all.into_iter().map(|(_, element)| element).collect())
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
    let directory = store.make_directory("files", &file.digest, |to| {
        let found = tree::directory::digest_only(&file.path)?;
        if found != file.digest {
            return Err(InstallError::Differs { file: file.path.clone(), expected: file.digest, found });
        }
        let mut reader = BufReader::with_capacity(1 << 16, fs_err::File::open(&file.path)?);
        rpm::unpack_rows(&mut reader, to).map(|_| ()).map_err(wrong)
    })?;
    let mut reader = BufReader::new(fs_err::File::open(&file.path)?);
    let package = Package::read(&mut reader).map_err(|cause| wrong(cause.into()))?;
    let facts = Facts::new(package.header);
    // Read here, where several are read at once.
    facts.files()?;
    Ok(Unpacked { facts: Arc::new(facts), signature: package.signature, directory })
}

pub(crate) struct Transaction<'t, 'a> {
    pub(crate) site: Site<'t, 'a>,
    options: &'t Options<'t>,
    pub(crate) installed: InstalledSet,
    accounts: Accounts,
    pub(crate) runs: Vec<ScriptletRun>,
    /// Numbers of the packages that came.
    came: BTreeSet<u32>,
    noted: BTreeSet<Noted>,
    /// What stays as it was in a live root, since a scriptlet that had to succeed did not; by name, EVR and architecture.
    pub(crate) failed: BTreeSet<String>,
}

impl<'t, 'a> Transaction<'t, 'a> {
    pub(crate) fn new(site: Site<'t, 'a>, options: &'t Options<'t>, installed: InstalledSet) -> Transaction<'t, 'a> {
        Transaction {
            site,
            options,
            installed,
            accounts: Accounts::default(),
            runs: Vec::new(),
            came: BTreeSet::new(),
            noted: BTreeSet::new(),
            failed: BTreeSet::new(),
        }
    }

    /// What whoever asked for the transaction gets.
    pub(crate) fn into_installed(self, elements: &[Element]) -> Installed<'a> {
        let named = |comes| {
            let all = elements.iter().filter(move |element| element.comes() == comes);
            all.map(|element| element.facts.header.nevra()).collect()
        };
        let (packages, erased) = (named(true), named(false));
        let Root { tree, contents, notes, .. } = self.site.root;
        Installed { tree, contents, packages, erased, scriptlets: self.runs, notes }
    }

    /// In a live root a failure of a scriptlet that had to succeed concerns its package, and those that were to make room
    /// for it; anything else ends the transaction. Source: rpm, `lib/rpmte.cc`, `rpmteMarkFailed`.
    fn confine(
        &mut self,
        done: Result<(), InstallError>,
        nevra: &str,
        elements: &[Element],
    ) -> Result<(), InstallError> {
        match done {
            Err(error @ InstallError::Scriptlet { .. }) if self.site.live.is_some() => {
                self.site.root.notes.push(format!("{error}\n`{nevra}` stays as it was"));
                self.failed.insert(nevra.to_owned());
                for element in elements {
                    if let Side::Goes { successor: Some(successor), .. } = &element.side
                        && successor == nevra
                    {
                        self.failed.insert(element.facts.nevra.clone());
                    }
                }
                Ok(())
            }
            done => done,
        }
    }

    fn is_failed(&self, element: &Element) -> bool {
        // Of a reinstallation both sides have one name; both fail.
        self.failed.contains(&element.facts.nevra)
    }

    /// Up to the last package; gives the elements that were not left out.
    pub(crate) fn run_all(
        &mut self,
        mut elements: Vec<Element>,
        change: &Change,
    ) -> Result<Vec<Element>, InstallError> {
        for element in elements.iter().filter(|element| element.comes()) {
            let count = self.installed.count(&element.facts.name) + 1;
            let done = self.run_scriptlet(&element.facts, ScriptletKind::Pretrans, count);
            self.confine(done, &element.facts.nevra, &elements)?;
        }
        elements.retain(|element| !self.is_failed(element));
        if let Some(live) = &mut self.site.live {
            live.see_all(&elements, &self.installed, &mut self.site.root)?;
        }
        let root = &self.site.root;
        let problems =
            fate::decide(&mut elements, &self.installed, change, self.options.is_excluded, &root.tree, &root.contents)?;
        if !problems.is_empty() {
            return Err(InstallError::Refused(problems));
        }
        for element in elements.iter() {
            let Side::Goes { successor, .. } = &element.side else { continue };
            let count = self.installed.count(&element.facts.name).saturating_sub(u32::from(successor.is_none()));
            let done = self.run_scriptlet(&element.facts, ScriptletKind::Preuntrans, count);
            self.confine(done, &element.facts.nevra, &elements)?;
        }
        let going: BTreeSet<u32> = elements.iter().filter_map(Element::number).collect();
        self.run_due(triggers::transaction_files(&self.installed, &going, &going, TriggerWhen::Un)?)?;
        for element in elements.iter().filter(|element| !element.comes()) {
            let due = triggers::own_files(
                &self.installed,
                &element.facts,
                (TriggerScope::TransactionFile, TriggerWhen::Un),
                Half::Both,
                None,
            )?;
            self.run_due(due)?;
        }
        for (done, element) in elements.iter().enumerate() {
            if self.site.host.interrupted() {
                return Err(InstallError::Interrupted);
            }
            if self.is_failed(element) {
                continue;
            }
            (self.options.progress)(done, elements.len(), &element.facts.name);
            let done = match &element.side {
                Side::Comes { signature, unpacked, replaced } => self.install(element, signature, unpacked, replaced),
                Side::Goes { record, .. } => self.erase(element, record.number),
            };
            self.confine(done, &element.facts.nevra, &elements)?;
        }
        elements.retain(|element| !self.is_failed(element));
        Ok(elements)
    }

    fn install(
        &mut self,
        element: &Element,
        signature: &Header,
        unpacked: &std::path::Path,
        replaced: &[(u32, usize, rpm::db::FileState)],
    ) -> Result<(), InstallError> {
        let facts = &element.facts;
        let files = facts.files()?;
        let count = self.installed.count(&facts.name) + 1;
        self.read_accounts()?;
        self.apply_sysusers(&files, unpacked)?;
        self.run_due(triggers::of_others(&self.installed, facts, TriggerWhen::PreIn, 0))?;
        self.run_due(triggers::own(&self.installed, facts, TriggerWhen::PreIn, 0))?;
        self.run_scriptlet(facts, ScriptletKind::Pre, count)?;
        if facts.header.contains(rpm::Tag::PREIN) {
            // `%pre` may have made accounts.
            self.read_accounts()?;
            self.apply_sysusers(&files, unpacked)?;
        }
        if let Some(live) = &mut self.site.live {
            live.see_files(&files, &element.fates, &mut self.site.root)?;
        }
        let work = Files { package: &facts.nevra, files: &files, fates: &element.fates };
        let states = work.install(unpacked, &self.accounts, &mut self.site.root)?;
        self.site.phase(&facts.nevra)?;
        if files.iter().any(|file| is_sysusers(&file.path)) {
            // The package's own `/etc/passwd` may have brought others meanwhile.
            self.read_accounts()?;
            self.apply_sysusers(&files, unpacked)?;
            self.write_accounts()?;
        }
        let at = self.options.at.as_u32();
        let installation = Installation { time: at, transaction: at, color: 0 };
        let number = self.installed.add(signature, facts.clone(), states, installation)?;
        self.came.insert(number);
        let of_files = |this: &mut Self, half| {
            let others = triggers::files_of_others(&this.installed, facts, &element.fates, TriggerWhen::In, half)?;
            this.run_due(others)?;
            let own =
                triggers::own_files(&this.installed, facts, (TriggerScope::File, TriggerWhen::In), half, Some(number))?;
            this.run_due(own)
        };
        of_files(self, Half::Upper)?;
        self.run_scriptlet(facts, ScriptletKind::Post, count)?;
        self.run_due(triggers::of_others(&self.installed, facts, TriggerWhen::In, 0))?;
        self.run_due(triggers::own(&self.installed, facts, TriggerWhen::In, 0))?;
        of_files(self, Half::Lower)?;
        for (other, row, state) in replaced {
            self.installed.set_states(*other, &[(*row, *state)])?;
        }
        Ok(())
    }

    fn erase(&mut self, element: &Element, number: u32) -> Result<(), InstallError> {
        let facts = &element.facts;
        let count = self.installed.count(&facts.name).saturating_sub(1);
        let of_files = |this: &mut Self, half| {
            let own = triggers::own_files(&this.installed, facts, (TriggerScope::File, TriggerWhen::Un), half, None)?;
            this.run_due(own)?;
            let others = triggers::files_of_others(&this.installed, facts, &element.fates, TriggerWhen::Un, half)?;
            this.run_due(others)
        };
        of_files(self, Half::Upper)?;
        self.run_due(triggers::own(&self.installed, facts, TriggerWhen::Un, -1))?;
        self.run_due(triggers::of_others(&self.installed, facts, TriggerWhen::Un, -1))?;
        self.run_scriptlet(facts, ScriptletKind::Preun, count)?;
        of_files(self, Half::Lower)?;
        let files = facts.files()?;
        if let Some(live) = &mut self.site.live {
            live.see_files(&files, &element.fates, &mut self.site.root)?;
        }
        Files { package: &facts.nevra, files: &files, fates: &element.fates }.erase(&mut self.site.root)?;
        self.site.phase(&facts.nevra)?;
        let after = |this: &Self, half| {
            triggers::files_of_others(&this.installed, facts, &element.fates, TriggerWhen::PostUn, half)
        };
        self.run_due(after(self, Half::Upper)?)?;
        self.run_scriptlet(facts, ScriptletKind::Postun, count)?;
        self.run_due(triggers::of_others(&self.installed, facts, TriggerWhen::PostUn, -1))?;
        self.run_due(after(self, Half::Lower)?)?;
        if let Some(record) = self.installed.get(number).cloned() {
            triggers::note_gone(&self.installed, &record, &mut self.noted)?;
        }
        self.installed.remove(number);
        Ok(())
    }

    /// What runs once, behind all packages.
    pub(crate) fn at_end(&self, elements: &[Element]) -> Result<Vec<Script>, InstallError> {
        let mut scripts = Vec::new();
        for element in elements.iter().filter(|element| element.comes()) {
            let is_successor = |other: &Element| match &other.side {
                Side::Goes { successor, .. } => successor.as_deref() == Some(element.facts.nevra.as_str()),
                Side::Comes { .. } => false,
            };
            let count = self.installed.count(&element.facts.name) + u32::from(elements.iter().any(is_successor));
            scripts.extend(Script::scriptlet(&element.facts.header, ScriptletKind::Posttrans, count)?);
        }
        for element in elements.iter().filter(|element| !element.comes()) {
            let count = self.installed.count(&element.facts.name);
            scripts.extend(Script::scriptlet(&element.facts.header, ScriptletKind::Postuntrans, count)?);
        }
        let mut all = triggers::transaction_files(&self.installed, &self.came, &self.came, TriggerWhen::In)?;
        all.extend(triggers::noted(&self.installed, &self.noted));
        for element in elements.iter().filter(|element| element.comes()) {
            let due = triggers::own_files(
                &self.installed,
                &element.facts,
                (TriggerScope::TransactionFile, TriggerWhen::In),
                Half::Both,
                None,
            )?;
            all.extend(due);
        }
        for due in all {
            scripts.push(Script::trigger(due)?);
        }
        Ok(scripts)
    }

    fn run_scriptlet(&mut self, facts: &Arc<Facts>, kind: ScriptletKind, count: u32) -> Result<(), InstallError> {
        match Script::scriptlet(&facts.header, kind, count)? {
            Some(script) => self.run(&script),
            None => Ok(()),
        }
    }

    fn run_due(&mut self, due: Vec<Due>) -> Result<(), InstallError> {
        due.into_iter().try_for_each(|due| self.run(&Script::trigger(due)?))
    }

    pub(crate) fn run(&mut self, script: &Script) -> Result<(), InstallError> {
        let run = script.run(&mut self.site)?;
        self.runs.push(run);
        Ok(())
    }

    fn apply_sysusers(&mut self, files: &[FileEntry], unpacked: &std::path::Path) -> Result<(), InstallError> {
        let is_text = |file: &FileEntry| file.kind == FileKind::Regular && !file.is_ghost() && is_sysusers(&file.path);
        for (row, file) in files.iter().enumerate().filter(|(_, file)| is_text(file)) {
            let text = fs_err::read_to_string(bytes_of(file, row, unpacked))?;
            self.accounts.apply_sysusers(&file.path, &text)?;
        }
        Ok(())
    }

    /// The accounts of the root as they are now; scriptlets may have changed them.
    fn read_accounts(&mut self) -> Result<(), InstallError> {
        self.site.see(&ACCOUNT_FILES)?;
        let (passwd, group) = (self.read_text("etc/passwd")?, self.read_text("etc/group")?);
        self.accounts = Accounts::parse(&passwd, &group)?;
        Ok(())
    }

    fn read_text(&self, path: &str) -> Result<String, InstallError> {
        let place = InstallError::Place { package: String::new(), cause: format!("`/{path}` is not text").into() };
        let bytes = read_blob(&self.site.root.tree, &self.site.root.contents, path)?.unwrap_or_default();
        String::from_utf8(bytes).map_err(|_| place)
    }

    fn write_accounts(&mut self) -> Result<(), InstallError> {
        self.site.see(&ACCOUNT_FILES)?;
        let files =
            self.accounts.files(&self.read_text("etc/shadow")?, &self.read_text("etc/gshadow")?, self.options.at);
        for (path, text, mode) in [
            ("etc/passwd", &files.passwd, 0o644),
            ("etc/group", &files.group, 0o644),
            ("etc/shadow", &files.shadow, 0o000),
            ("etc/gshadow", &files.gshadow, 0o000),
        ] {
            if self.site.root.tree.get(&fixed("etc")).is_some() && self.read_text(path)? != *text {
                self.write_file(path, text.as_bytes(), mode, "sysusers")?;
            }
        }
        self.site.flush()
    }

    /// Writes a file of our own; one that is there keeps its owner and mode.
    fn write_file(&mut self, path: &str, bytes: &[u8], mode: u32, whose: &str) -> Result<(), InstallError> {
        let place = |cause: tree::InsertError| InstallError::Place { package: whose.to_owned(), cause: cause.into() };
        let mtime = i64::try_from(self.options.at.0).unwrap_or(i64::MAX);
        let root = &mut self.site.root;
        let (digest, size) = root.contents.put(bytes)?;
        let mut node = Node::file(mode, mtime, digest, size);
        let path = fixed(path);
        if let Some(before) = root.tree.get(&path) {
            node.meta.mode = before.meta.mode;
            (node.meta.uid, node.meta.gid) = (before.meta.uid, before.meta.gid);
        }
        if let Some(parent) = path.parent() {
            root.tree.make_directories(&parent, mtime).map_err(place)?;
        }
        root.tree.insert(path.clone(), node).map_err(place)?;
        root.changed.insert(path);
        Ok(())
    }

    /// Writes the database, and the history where one is kept.
    fn write(&mut self, elements: &[Element], change: &Change) -> Result<(), InstallError> {
        let bytes = self.installed.bytes()?;
        self.write_file(DATABASE, &bytes, 0o644, "rpmdb")?;
        self.write_history(elements, change)
    }

    /// Writes the history where one is kept.
    pub(crate) fn write_history(&mut self, elements: &[Element], change: &Change) -> Result<(), InstallError> {
        if let Some(cause) = &change.history {
            let before = read_blob(&self.site.root.tree, &self.site.root.contents, history::PATH)?.unwrap_or_default();
            let entry = history::entry(&before, cause, elements, &self.runs, &self.site.root.notes, self.options.at)?;
            let bytes = [before, entry].concat();
            self.write_file(history::PATH, &bytes, 0o644, "history")?;
        }
        Ok(())
    }
}

/// The bytes of a file of the root; `None` when there is none.
pub(crate) fn read_blob(tree: &Tree, contents: &Contents<'_>, path: &str) -> Result<Option<Vec<u8>>, InstallError> {
    match tree.get(&fixed(path)) {
        Some(Node { kind: Kind::File { digest, .. }, .. }) => Ok(Some(pkg::Blobs::read(contents, digest)?)),
        _ => Ok(None),
    }
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

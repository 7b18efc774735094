use std::collections::{BTreeSet, HashSet};
use std::io;
use std::time::Duration;

use host::{Cmd, Host, RunError, Status, Stdin, Stream, Tool};
use rpm::{FileFlags, FileKind};
use tree::{Tree, TreePath};

use super::disk::{Bytes, Disk, FOLDER};
use super::holds::Holds;
use super::journal::{self, Record};
use super::look::Look;
use super::step::{Step, steps};
use crate::InstallError;
use crate::element::{Element, Fate};
use crate::files::Root;
use crate::installed::InstalledSet;

/// A live root under a transaction.
pub(crate) struct Ground<'a> {
    pub(super) holds: Holds<'a>,
    /// All that was done to files, in its order.
    pub(super) done: Vec<Step>,
    /// The part of the root that was looked at, as it was then.
    seen: Tree,
    next: u64,
}

/// Where the kernel shows itself as files, which are nobody's to be replaced.
const KERNEL: [&str; 3] = ["dev", "proc", "sys"];
/// Seconds after which a scriptlet is taken to hang: an initrd is made within them.
const LONGEST_RUN_S: u64 = 3600;
/// What scriptlets find programs along: rpm's `%_install_script_path`.
const SEARCH_PATH: &str = "/sbin:/bin:/usr/sbin:/usr/bin:/usr/X11R6/bin";

impl<'a> Ground<'a> {
    pub(super) fn new(holds: Holds<'a>) -> Ground<'a> {
        Ground { holds, done: Vec::new(), seen: Tree::new(), next: 0 }
    }

    fn disk(&self) -> Disk<'a> {
        self.holds.disk
    }

    /// Looks at everything that the fates of files depend on.
    pub(crate) fn see_all(
        &mut self,
        elements: &[Element],
        installed: &InstalledSet,
        root: &mut Root<'_>,
    ) -> Result<(), InstallError> {
        let mut look = Look::new(self.disk(), &mut root.tree, &mut root.contents)?;
        let mut names: HashSet<String> = HashSet::new();
        let mut configs: HashSet<String> = HashSet::new();
        let name = |path: &str| path.rsplit('/').next().unwrap_or("").to_owned();
        for element in elements {
            for file in element.facts.files()?.iter() {
                names.insert(name(&file.path));
                if file.flags.has(FileFlags::CONFIG) {
                    configs.insert(name(&file.path));
                }
            }
        }
        for record in installed.iter() {
            if !record.facts.header.strs(rpm::Tag::BASENAMES).any(|name| names.contains(name)) {
                continue;
            }
            for file in record.facts.files()?.iter() {
                let name = name(&file.path);
                if names.contains(&name) {
                    if file.flags.has(FileFlags::CONFIG) {
                        configs.insert(name);
                    }
                    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
                    look.folder(folder)?;
                }
            }
        }
        for element in elements {
            for file in element.facts.files()?.iter() {
                let bytes = if configs.contains(&name(&file.path)) { Bytes::Digest } else { Bytes::Unread };
                look.path(&file.path, bytes)?;
            }
        }
        Ok(())
    }

    /// Looks at the files of one package.
    pub(crate) fn see_files(
        &mut self,
        files: &[rpm::FileEntry],
        fates: &[Fate],
        root: &mut Root<'_>,
    ) -> Result<(), InstallError> {
        let mut look = Look::new(self.disk(), &mut root.tree, &mut root.contents)?;
        for (file, fate) in files.iter().zip(fates) {
            look.path(&file.path, Bytes::Unread)?;
            for (suffix, wanted) in [(".rpmsave", Fate::Save), (".rpmorig", Fate::Backup), (".rpmnew", Fate::Beside)] {
                if *fate == wanted {
                    look.path(&format!("{}{suffix}", file.path), Bytes::Unread)?;
                }
            }
            // What is in a directory matters where something else comes in its place, or it is moved.
            if let Some(at) = look.resolved(&file.path)
                && (file.kind != FileKind::Directory || matches!(fate, Fate::Save | Fate::Backup))
                && !fate.is_skipped()
                && look.get(&at).is_some_and(tree::Node::is_directory)
            {
                look.below(&at)?;
            }
        }
        self.begin(root);
        Ok(())
    }

    /// Looks at some paths, and nothing else of the root.
    pub(crate) fn see(&mut self, paths: &[&str], root: &mut Root<'_>) -> Result<(), InstallError> {
        let mut look = Look::new(self.disk(), &mut root.tree, &mut root.contents)?;
        for path in paths {
            look.path(path, Bytes::Unread)?;
        }
        self.begin(root);
        Ok(())
    }

    /// Looks at what a scriptlet in Lua is about to touch; at all that is in it where `deep`.
    pub(crate) fn see_below(&mut self, paths: &[String], deep: bool, root: &mut Root<'_>) -> Result<(), InstallError> {
        let mut look = Look::new(self.disk(), &mut root.tree, &mut root.contents)?;
        for path in paths {
            look.path(path, Bytes::Unread)?;
            let Some(at) = look.resolved(path) else { continue };
            if deep { look.below(&at)? } else { look.children(&at).map(drop)? }
        }
        self.begin(root);
        Ok(())
    }

    fn begin(&mut self, root: &mut Root<'_>) {
        self.seen = root.tree.clone();
        root.changed.clear();
        root.moved.clear();
        root.next_link = None;
    }

    /// Brings what was done to the tree of the paths that were looked at to the root itself, so that it can be undone.
    pub(crate) fn phase(&mut self, package: &str, root: &mut Root<'_>) -> Result<(), InstallError> {
        let steps = self.steps(root)?;
        if steps.is_empty() {
            return Ok(());
        }
        journal::append(&Record::Phase { package: package.to_owned(), steps: steps.clone() }, &self.disk())?;
        self.done.extend(steps.iter().cloned());
        self.perform(&steps)
    }

    /// The same for what scriptlets do, which nobody can undo: it goes to its place at once.
    pub(crate) fn flush(&mut self, root: &mut Root<'_>) -> Result<(), InstallError> {
        let steps = self.steps(root)?;
        if steps.is_empty() {
            return Ok(());
        }
        self.perform(&steps)
    }

    fn steps(&mut self, root: &mut Root<'_>) -> Result<Vec<Step>, InstallError> {
        let moved = std::mem::take(&mut root.moved);
        root.changed.clear();
        self.leave_kernel_alone(root)?;
        let steps = steps(&self.seen, &root.tree, &moved, &root.contents, &mut self.next)?;
        self.seen = root.tree.clone();
        Ok(steps)
    }

    fn perform(&mut self, steps: &[Step]) -> Result<(), InstallError> {
        for step in steps {
            step.prepare(&mut self.holds)?;
        }
        self.holds.sync()?;
        for step in steps {
            step.perform(&mut self.holds)?;
        }
        Ok(())
    }

    /// What is the kernel's stays as it is, whatever a package has there.
    fn leave_kernel_alone(&mut self, root: &mut Root<'_>) -> Result<(), InstallError> {
        let own = self.disk().mount(self.disk().root)?;
        for name in KERNEL {
            let top = TreePath::new(name).map_err(io::Error::other)?;
            let place = self.disk().place(&top);
            if !super::disk::is_directory(&place) || self.disk().mount(&place)? == own {
                continue;
            }
            let before: BTreeSet<TreePath> = self.seen.below(&top).map(|(path, _)| path.clone()).collect();
            let after: BTreeSet<TreePath> = root.tree.below(&top).map(|(path, _)| path.clone()).collect();
            for path in before.union(&after) {
                let (old, new) = (self.seen.get(path), root.tree.get(path));
                if old != new
                    && !(old.is_some_and(tree::Node::is_directory) && new.is_some_and(tree::Node::is_directory))
                {
                    root.notes.push(format!("`/{}` is the kernel's and stays as it is", path.as_str()));
                }
            }
            root.tree.remove(&top);
            let wrong = |error: tree::InsertError| io::Error::other(error.to_string());
            for (path, node) in self.seen.below(&top) {
                root.tree.insert(path.clone(), node.clone()).map_err(wrong)?;
            }
        }
        Ok(())
    }

    /// Runs a program in the root, as rpm runs scriptlets. Gives how it failed, if it did.
    pub(crate) fn run_program(
        &self,
        argv: &[String],
        script: Option<&str>,
        stdin: &str,
        host: &Host,
        lines: &mut dyn FnMut(&str),
    ) -> Result<Option<String>, InstallError> {
        let disk = self.disk();
        let is_own = disk.root == std::path::Path::new("/");
        disk.elsewhere()?;
        if let Some(script) = script {
            fs_err::write(disk.root.join(FOLDER).join("script"), script)?;
        }
        let inside = format!("/{FOLDER}/script");
        // One shell more, which sets what a program can only set for itself.
        let mut words = ["/bin/sh", "-c", "umask 022; cd /; exec \"$0\" \"$@\""].map(str::to_owned).to_vec();
        words.extend(argv.iter().map(|word| word.replace("{script}", &inside)));
        let mut cmd = match is_own {
            true => Cmd::new(Tool::Shell).args(&words[1..]),
            false => Cmd::new(Tool::Chroot).arg(disk.root).args(&words),
        };
        cmd.env.remove("TZ");
        let stdin = if stdin.is_empty() { Stdin::Empty } else { Stdin::Bytes(stdin.as_bytes().to_vec()) };
        let cmd = cmd
            .env("PATH", SEARCH_PATH)
            .env("HOME", "/root")
            .cwd("/")
            .stdin(stdin)
            .time_limit(Duration::from_secs(LONGEST_RUN_S));
        let ended = host.run_lines(&cmd, &mut |_: Stream, line: &str| lines(line));
        // Were the process to end here, the scriptlet would have run.
        disk.elsewhere()?;
        match ended {
            Ok(Status::Code(0)) => Ok(None),
            Ok(status) => Ok(Some(status.to_string())),
            Err(RunError::TimedOut { .. }) => Ok(Some(format!("stopped after {LONGEST_RUN_S} s"))),
            Err(RunError::Interrupted { .. }) => Err(InstallError::Interrupted),
            Err(error) => Ok(Some(error.to_string())),
        }
    }

    /// Takes all back, the last first.
    pub(super) fn undo(&mut self) -> io::Result<()> {
        undo(&self.done, &mut self.holds)
    }
}

/// Takes steps back, the last first.
pub(super) fn undo(steps: &[Step], holds: &mut Holds<'_>) -> io::Result<()> {
    for step in steps.iter().rev() {
        step.undo(holds)?;
    }
    holds.sync()
}

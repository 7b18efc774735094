use host::Host;
use pkg::SourceDateEpoch;
use store::Store;

use crate::InstallError;
use crate::files::Root;
use crate::live::Ground;
use crate::workspace::Workspace;

/// The root that is being changed, and the means to run programs in it.
pub(crate) struct Site<'t, 'a> {
    pub(crate) root: Root<'a>,
    pub(crate) host: &'t Host,
    pub(crate) store: &'a Store,
    pub(crate) at: SourceDateEpoch,
    pub(crate) workspace: Option<Workspace>,
    /// The root itself, where it is the one of a running system; the tree then is the part of it that was looked at.
    pub(crate) live: Option<Ground<'t>>,
}

impl Site<'_, '_> {
    /// Looks at paths of a live root; a tree knows them.
    pub(crate) fn see(&mut self, paths: &[&str]) -> Result<(), InstallError> {
        match &mut self.live {
            Some(live) => live.see(paths, &mut self.root),
            None => Ok(()),
        }
    }

    /// The same with what is in directories, all of it where `deep`.
    pub(crate) fn see_below(&mut self, paths: &[String], deep: bool) -> Result<(), InstallError> {
        match &mut self.live {
            Some(live) => live.see_below(paths, deep, &mut self.root),
            None => Ok(()),
        }
    }

    /// Brings what was done to the tree to a live root, without a way back.
    pub(crate) fn flush(&mut self) -> Result<(), InstallError> {
        match &mut self.live {
            Some(live) => live.flush(&mut self.root),
            None => Ok(()),
        }
    }

    /// Brings what was done to the tree to a live root, so that it is undone when the transaction is not finished.
    pub(crate) fn phase(&mut self, package: &str) -> Result<(), InstallError> {
        match &mut self.live {
            Some(live) => live.phase(package, &mut self.root),
            None => Ok(()),
        }
    }

    /// Runs a program as root inside the root; what it changed is in the tree afterwards. Gives how it failed, if it did.
    pub(crate) fn run_program(
        &mut self,
        argv: &[String],
        script: Option<&str>,
        stdin: &str,
        lines: &mut dyn FnMut(&str),
    ) -> Result<Option<String>, InstallError> {
        if let Some(live) = &self.live {
            return live.run_program(argv, script, stdin, self.host, lines);
        }
        let workspace = match self.workspace.take() {
            Some(workspace) => workspace,
            None => {
                // The root may have been filled before: all of it is new to the workspace.
                self.root.changed = self.root.tree.iter().map(|(path, _)| path.clone()).collect();
                Workspace::new(self.store)?
            }
        };
        let root = &mut self.root;
        workspace.sync(&root.tree, &root.contents, &root.changed)?;
        let failure = workspace.run(self.host, argv, script, stdin, lines)?;
        // Taken back at once: the next package's files and accounts build on what this one left.
        root.changed = workspace.take_back(&mut root.tree, &mut root.contents, self.store, self.at)?;
        root.next_link = None;
        self.workspace = Some(workspace);
        Ok(failure)
    }
}

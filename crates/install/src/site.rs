use host::Host;
use pkg::SourceDateEpoch;
use store::Store;

use crate::InstallError;
use crate::files::Root;
use crate::workspace::Workspace;

/// The root that is being changed, and the means to run programs in it.
pub(crate) struct Site<'t, 'a> {
    pub(crate) root: Root<'a>,
    pub(crate) host: &'t Host,
    pub(crate) store: &'a Store,
    pub(crate) at: SourceDateEpoch,
    pub(crate) workspace: Option<Workspace>,
}

impl Site<'_, '_> {
    /// Runs a program as root inside the root; what it changed is in the tree afterwards. Gives how it failed, if it did.
    pub(crate) fn run_program(
        &mut self,
        argv: &[String],
        script: Option<&str>,
        stdin: &str,
        lines: &mut dyn FnMut(&str),
    ) -> Result<Option<String>, InstallError> {
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

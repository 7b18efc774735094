//! What makes a set of packages a system: names, units, mounts.

use distro::System;
use host::Host;
use install::Contents;
use pkg::SourceDateEpoch;
use store::Store;
use tree::{Kind, Node, Tree, TreePath};

use crate::ImageError;

/// A root that is being finished.
pub(crate) struct Finish<'a, 'store> {
    pub(crate) image: &'a str,
    pub(crate) tree: &'a mut Tree,
    pub(crate) contents: &'a mut Contents<'store>,
    pub(crate) at: SourceDateEpoch,
}

impl Finish<'_, '_> {
    /// Applies the settings of the definition.
    pub(crate) fn system(&mut self, system: &System, host: &Host, store: &Store) -> Result<(), ImageError> {
        // Empty: systemd gives each machine its own at the first boot (machine-id(5)).
        self.write("etc/machine-id", "", 0o444)?;
        if let Some(hostname) = &system.hostname {
            self.write("etc/hostname", format!("{hostname}\n"), 0o644)?;
        }
        let locale = system.locale.as_deref().unwrap_or("C.UTF-8");
        self.write("etc/locale.conf", format!("LANG={locale}\n"), 0o644)?;
        let zone = system.timezone.as_deref().unwrap_or("UTC");
        self.link("etc/localtime", &format!("../usr/share/zoneinfo/{zone}"))?;
        self.link("etc/systemd/system/default.target", &format!("/usr/lib/systemd/system/{}", system.default_target))?;
        if !self.has("usr/bin/systemctl") {
            return Ok(());
        }
        // Units of packages that were installed before systemd got no preset from their scriptlets.
        self.run(&["/usr/bin/systemctl", "preset-all"], host, store)?;
        for (verb, units) in [("enable", &system.enable), ("disable", &system.disable)] {
            if !units.is_empty() {
                let mut argv = vec!["/usr/bin/systemctl", verb];
                argv.extend(units.iter().map(String::as_str));
                self.run(&argv, host, store)?;
            }
        }
        Ok(())
    }

    /// Writes `/etc/fstab` (fstab(5)): what, where, type, options, and the pass of fsck.
    pub(crate) fn mounts(&mut self, mounts: &[(String, &str, &str, &str, u8)]) -> Result<(), ImageError> {
        let mut text = String::new();
        for (what, place, kind, options, pass) in mounts {
            text.push_str(&format!("{what}\t{place}\t{kind}\t{options}\t0 {pass}\n"));
        }
        self.write("etc/fstab", &text, 0o644)
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        TreePath::new(path).is_ok_and(|path| self.tree.get(&path).is_some())
    }

    /// Runs a command as root inside the root, and takes back what it changed.
    fn run(&mut self, argv: &[&str], host: &Host, store: &Store) -> Result<(), ImageError> {
        let argv: Vec<String> = argv.iter().map(|word| (*word).to_owned()).collect();
        let run = install::run_in(self.tree, self.contents, &argv, self.at, host, store)?;
        match run.failure {
            None => Ok(()),
            Some(outcome) => Err(ImageError::Command {
                image: self.image.to_owned(),
                command: argv.join(" "),
                outcome,
                output: run.output.join("\n"),
            }),
        }
    }

    /// Writes a file of root's, through links of its directories.
    pub(crate) fn write(&mut self, path: &str, text: impl AsRef<[u8]>, mode: u32) -> Result<(), ImageError> {
        let (digest, size) = self.contents.put(text.as_ref())?;
        self.put(path, Node::file(mode, self.mtime(), digest, size))
    }

    /// Makes a symbolic link.
    pub(crate) fn link(&mut self, path: &str, target: &str) -> Result<(), ImageError> {
        self.put(path, Node::symlink(target, self.mtime()))
    }

    fn put(&mut self, path: &str, node: Node) -> Result<(), ImageError> {
        let wrong = |problem: String| ImageError::Setting { path: format!("/{path}"), problem };
        let written = TreePath::new(path).map_err(|error| wrong(error.to_string()))?;
        let place = self.tree.resolve_parent(&written).map_err(|error| wrong(error.to_string()))?;
        if let Some(parent) = place.parent() {
            self.tree.make_directories(&parent, self.mtime()).map_err(|error| wrong(error.to_string()))?;
        }
        self.tree.insert(place, node).map_err(|error| wrong(error.to_string()))?;
        Ok(())
    }

    pub(crate) fn mtime(&self) -> i64 {
        i64::try_from(self.at.0).unwrap_or(i64::MAX)
    }
}

/// The bytes of the file at `path`, links followed; `None` if there is none.
pub(crate) fn read(tree: &Tree, contents: &Contents<'_>, path: &str) -> Result<Option<Vec<u8>>, ImageError> {
    let found = TreePath::new(path).ok().and_then(|path| tree.resolve(&path).ok());
    match found.and_then(|path| tree.get(&path)).map(|node| &node.kind) {
        Some(Kind::File { digest, .. }) => Ok(Some(pkg::Blobs::read(contents, digest)?)),
        _ => Ok(None),
    }
}

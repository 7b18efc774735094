use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use host::Status;
use host::sandbox::{self, Outcome, Sandbox, User};
use pkg::SourceDateEpoch;
use store::{Store, TempDir};
use tree::{Kind, Meta, Node, Tree, TreePath};

use crate::{Contents, InstallError};

/// The root as scriptlets see it: what is installed so far as a read-only layer, and their own changes over it.
///
/// Made only when a first scriptlet is due. Bytes come by hard links from the packages unpacked in the store; the
/// overlay keeps scriptlets from writing to them.
pub(crate) struct Workspace {
    /// Removed when dropped, the layers with it.
    _folder: TempDir,
    lower: PathBuf,
    upper: PathBuf,
    work: PathBuf,
    caller: u32,
}

/// The script, as it is named inside the root while it runs.
const SCRIPT: &str = ".rpm-scriptlet";
/// What the script reads from its standard input, likewise.
const INPUT: &str = ".rpm-scriptlet-input";
/// Seconds after which a scriptlet is taken to hang.
const LONGEST_RUN_S: u64 = 600;

impl Workspace {
    pub(crate) fn new(store: &Store) -> Result<Workspace, InstallError> {
        let folder = store.temp_dir()?;
        let [lower, upper, work] = ["lower", "upper", "work"].map(|name| folder.path().join(name));
        for layer in [&lower, &upper, &work] {
            fs_err::create_dir(layer)?;
        }
        let caller = rustix::process::geteuid().as_raw();
        Ok(Workspace { _folder: folder, lower, upper, work, caller })
    }

    /// Brings the lower layer up to date with `changed` paths of `tree`.
    pub(crate) fn sync(
        &self,
        tree: &Tree,
        contents: &Contents<'_>,
        changed: &BTreeSet<TreePath>,
    ) -> Result<(), InstallError> {
        let mut links: BTreeMap<u32, PathBuf> = BTreeMap::new();
        for path in changed {
            let place = self.lower.join(path.as_str());
            let Some(node) = tree.get(path) else {
                remove(&place)?;
                continue;
            };
            match &node.kind {
                Kind::Directory => {
                    if !place.is_dir() || place.is_symlink() {
                        remove(&place)?;
                        fs_err::create_dir_all(&place)?;
                    }
                    continue;
                }
                _ => remove(&place)?,
            }
            if let Some(parent) = place.parent() {
                fs_err::create_dir_all(parent)?;
            }
            match &node.kind {
                Kind::File { digest, hard_link, .. } => match hard_link.and_then(|number| links.get(&number)) {
                    Some(first) => fs_err::hard_link(first, &place)?,
                    None => {
                        contents.place_file(digest, node.meta.mode, node.meta.mtime, &place)?;
                        if let Some(number) = hard_link {
                            links.insert(*number, place);
                        }
                    }
                },
                Kind::Symlink { target } => fs_err::os::unix::fs::symlink(target, &place)?,
                // Devices need privilege, and the sandbox has its own.
                _ => {}
            }
        }
        Ok(())
    }

    /// Runs `argv` as root inside the root, `{script}` among its words being the place of `script`.
    pub(crate) fn run(
        &self,
        host: &host::Host,
        argv: &[String],
        script: Option<&str>,
        stdin: &str,
        lines: &mut dyn FnMut(&str),
    ) -> Result<Option<String>, InstallError> {
        for (name, text) in [(SCRIPT, script), (INPUT, Some(stdin).filter(|text| !text.is_empty()))] {
            if let Some(text) = text {
                fs_err::write(self.upper.join(name), text)?;
            }
        }
        let mut words: Vec<String> = argv.iter().map(|word| word.replace("{script}", &format!("/{SCRIPT}"))).collect();
        if !stdin.is_empty() {
            // The sandbox gives no input of its own.
            let wrapper = ["/bin/sh".to_owned(), "-c".to_owned(), format!("exec \"$0\" \"$@\" < /{INPUT}")];
            words.splice(0..0, wrapper);
        }
        let layers = (vec![self.lower.clone()], self.upper.clone(), self.work.clone());
        let mut sandbox = Sandbox::new(layers.0, layers.1, layers.2, words);
        sandbox.user = User::Root;
        sandbox.env.push(("HOME".to_owned(), "/root".to_owned()));
        sandbox.limits.wall_time_s = Some(LONGEST_RUN_S);
        let exit = sandbox::run_with_lines(host, &sandbox, lines);
        for name in [SCRIPT, INPUT] {
            remove(&self.upper.join(name))?;
        }
        Ok(match exit?.outcome {
            Outcome::Ended(Status::Code(0)) => None,
            Outcome::Ended(status) => Some(status.to_string()),
            Outcome::TimedOut => Some(format!("stopped after {LONGEST_RUN_S} s")),
            Outcome::OutOfMemory => Some("out of memory".to_owned()),
        })
    }

    /// Takes what scriptlets changed back into `tree`, dated `at`; returns the paths for the next [`Workspace::sync`].
    ///
    /// The upper layer is empty afterwards. Were its marks of removed things (whiteouts, opaque directories) to stay, they
    /// would also hide what later packages bring to the same places.
    pub(crate) fn take_back(
        &self,
        tree: &mut Tree,
        contents: &mut Contents<'_>,
        store: &Store,
        at: SourceDateEpoch,
    ) -> Result<BTreeSet<TreePath>, InstallError> {
        let mut touched = BTreeSet::new();
        let mtime = i64::try_from(at.0).unwrap_or(i64::MAX);
        let mut links: BTreeMap<u64, u32> = BTreeMap::new();
        let mut waiting = vec![TreePath::root()];
        while let Some(directory) = waiting.pop() {
            let mut names = Vec::new();
            for entry in fs_err::read_dir(self.upper.join(directory.as_str()))? {
                names.push(entry?.file_name());
            }
            names.sort();
            for name in names {
                let leftover = |problem: String| InstallError::Leftover {
                    path: format!("{directory}/{}", name.to_string_lossy()),
                    problem,
                };
                let text = name.to_str().ok_or_else(|| leftover("its name is not UTF-8".to_owned()))?;
                let path = directory.join(text).map_err(|error| leftover(error.to_string()))?;
                if is_volatile(&path) {
                    continue;
                }
                let place = self.upper.join(path.as_str());
                let found = fs_err::symlink_metadata(&place)?;
                if found.file_type().is_char_device() && found.rdev() == 0 {
                    tree.remove(&path);
                    touched.insert(path);
                    continue;
                }
                let before = tree.get(&path).cloned();
                let kind = match kind(&place, &found, &mut links, tree, contents, store)? {
                    Some(kind) => kind,
                    None => continue,
                };
                let same_kind =
                    before.as_ref().filter(|node| std::mem::discriminant(&node.kind) == std::mem::discriminant(&kind));
                let meta = self.meta(&found, same_kind, mtime);
                if kind == Kind::Directory {
                    touched.extend(self.check_directory(&place, &path, tree)?);
                    waiting.push(path.clone());
                } else if before.as_ref().is_some_and(Node::is_directory) {
                    tree.remove(&path);
                }
                let unchanged = before.as_ref().is_some_and(|node| {
                    node.kind == kind
                        && (node.meta.mode, node.meta.uid, node.meta.gid) == (meta.mode, meta.uid, meta.gid)
                });
                if !unchanged {
                    touched.insert(path.clone());
                    tree.insert(path, Node { meta, kind }).map_err(|error| leftover(error.to_string()))?;
                }
            }
        }
        host::remove_tree(&self.upper)?;
        fs_err::create_dir(&self.upper)?;
        Ok(touched)
    }

    /// Owner and mode of something that scriptlets left. The layer below shows neither owners nor set-id bits, so what
    /// looks untouched there keeps what the tree says.
    fn meta(&self, found: &std::fs::Metadata, before: Option<&Node>, mtime: i64) -> Meta {
        let shown = |id: u32, kept: Option<u32>| if id == self.caller || id == 0 { kept.unwrap_or(0) } else { id };
        let mode = match before {
            Some(node) if node.meta.mode & 0o777 == found.mode() & 0o777 => node.meta.mode | found.mode() & 0o7000,
            // A link to a directory that was restricted: the layer gives the owner full access to directories.
            Some(node) if node.is_directory() && found.mode() & 0o777 == 0o755 => node.meta.mode,
            _ => found.mode() & 0o7777,
        };
        Meta {
            mode,
            uid: shown(found.uid(), before.map(|node| node.meta.uid)),
            gid: shown(found.gid(), before.map(|node| node.meta.gid)),
            mtime,
            xattrs: before.map(|node| node.meta.xattrs.clone()).unwrap_or_default(),
        }
    }

    /// A directory that replaces one of the layer below hides what that one held; returns what went.
    fn check_directory(&self, place: &Path, path: &TreePath, tree: &mut Tree) -> Result<Vec<TreePath>, InstallError> {
        let mut gone = Vec::new();
        let attribute = |name: &str| {
            let mut value = [0; 16];
            rustix::fs::lgetxattr(place, name, &mut value).ok().map(|length| value[..length].to_vec())
        };
        for space in ["user", "trusted"] {
            if attribute(&format!("{space}.overlay.redirect")).is_some() {
                let problem = "a directory was renamed".to_owned();
                return Err(InstallError::Leftover { path: path.to_string(), problem });
            }
            if attribute(&format!("{space}.overlay.opaque")).as_deref() == Some(b"y") {
                let below: Vec<TreePath> = tree.children(path).map(|(child, _)| child.clone()).collect();
                for child in &below {
                    tree.remove(child);
                }
                gone.extend(below);
            }
        }
        Ok(gone)
    }
}

/// What the sandbox mounts over and what no installed system keeps.
fn is_volatile(path: &TreePath) -> bool {
    let top = path.names().next().unwrap_or("");
    matches!(top, "dev" | "proc" | "sys" | "run" | "tmp") || [SCRIPT, INPUT].contains(&path.as_str())
}

fn kind(
    place: &Path,
    found: &std::fs::Metadata,
    links: &mut BTreeMap<u64, u32>,
    tree: &Tree,
    contents: &mut Contents<'_>,
    store: &Store,
) -> Result<Option<Kind>, InstallError> {
    let kind = found.file_type();
    Ok(if kind.is_dir() {
        Some(Kind::Directory)
    } else if kind.is_symlink() {
        let target = fs_err::read_link(place)?;
        let Some(target) = target.to_str() else {
            let problem = "it leads to a name that is not UTF-8".to_owned();
            return Err(InstallError::Leftover { path: place.display().to_string(), problem });
        };
        Some(Kind::Symlink { target: target.to_owned() })
    } else if kind.is_file() {
        let digest = store.put_file(place)?;
        contents.add(digest, store.object_path(&digest));
        let hard_link = (found.nlink() > 1).then(|| {
            let free = tree.free_hard_link().max(links.values().max().map_or(0, |last| last + 1));
            *links.entry(found.ino()).or_insert(free)
        });
        Some(Kind::File { digest, size: found.size(), hard_link })
    } else if kind.is_fifo() {
        Some(Kind::Fifo)
    } else {
        None
    })
}

fn remove(path: &Path) -> Result<(), InstallError> {
    match fs_err::symlink_metadata(path) {
        Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            Ok(())
        }
        Err(error) => Err(error.into()),
        Ok(found) if found.is_dir() => Ok(host::remove_tree(path)?),
        Ok(_) => Ok(fs_err::remove_file(path)?),
    }
}

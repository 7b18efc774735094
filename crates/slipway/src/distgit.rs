//! Dist-git: the repositories that upstream keeps its specs in, read through git without a work tree.
//!
//! A definition may bring its own along as files: bundles, or the streams of text that `git fast-import` reads. The ids of commits follow
//! from their contents, so that a clone of the definition has the same commits as any other.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use distro::{Component, Distro, SpecSource};
use host::{Host, Stdin};
use spec::autospec::Commit;

use crate::explain::Failure;
use crate::git::{self, Git};

/// A repository on this machine, bare or not.
pub(crate) struct DistGit<'h> {
    git: Git<'h>,
    /// Whether it is a copy of ours, into which more can be fetched.
    is_mirror: bool,
}

/// Whether a copy of a repository is brought up to date before it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mirror {
    /// It is asked as it is: what a branch means stays until somebody wants to know.
    AsItIs,
    /// It is fetched again.
    Refreshed,
}

/// A commit that leads from one to another.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Step {
    pub(crate) commit: String,
    pub(crate) author: String,
    /// In seconds since 1970.
    pub(crate) time: i64,
    pub(crate) subject: String,
    #[serde(skip)]
    pub(crate) message: String,
}

/// The server of an address; a path has none.
pub(crate) fn server(address: &str) -> Option<String> {
    let (_, rest) = address.split_once("://").filter(|(scheme, _)| *scheme != "file")?;
    let server = rest.split('/').next().unwrap_or(rest);
    Some(server.rsplit('@').next().unwrap_or(server).to_owned())
}

/// Whether git says that it found no way to a server: nothing that another repository of it could change.
pub(crate) fn is_unreachable(said: &str) -> bool {
    ["Could not resolve host", "Could not connect to server", "Failed to connect to", "Connection timed out"]
        .iter()
        .any(|words| said.contains(words))
}

impl<'h> DistGit<'h> {
    /// Opens the repository of a package. One that is not on this machine is copied into `mirrors` first.
    pub(crate) fn open(
        address: &str,
        package: &str,
        mirrors: &Path,
        mirror: Mirror,
        host: &'h Host,
    ) -> Result<DistGit<'h>, Failure> {
        let is_plain = |text: &str| {
            !text.is_empty() && !text.starts_with(['.', '-']) && !text.contains(['/', '\0']) && text.len() < 200
        };
        if !is_plain(package) {
            return Err(Failure::definition(format!("`{package}` is not the name of a package")));
        }
        let address = address.replace("$pkg", package);
        if is_path(&address) {
            let path = address.strip_prefix("file://").unwrap_or(&address);
            return DistGit::local(&std::path::absolute(path)?, package, mirrors, host);
        }
        if !address.starts_with("https://") && !address.starts_with("http://") && !address.starts_with("ssh://") {
            return Err(Failure::definition(format!("`{address}` is not the address of a repository"))
                .hint("write `https://`, or a path"));
        }
        let folder = mirrors.join(format!("{package}-{}.git", pkg::Digest::of(address.as_bytes()).short()));
        let found = DistGit { git: Git::new(&folder, host), is_mirror: true };
        if folder.is_dir() {
            if mirror == Mirror::Refreshed {
                found.fetch("+refs/heads/*:refs/heads/*")?;
            }
            return Ok(found);
        }
        copied(&folder, mirrors, |copy| {
            host.check(&git::plain().args(["clone", "--quiet", "--bare", "--", &address]).arg(copy))?;
            Ok(())
        })?;
        Ok(found)
    }

    /// A repository at a path. It may be a single file, a bundle or a stream of `git fast-import`: that is unpacked into `mirrors`, under
    /// the digest of its bytes, so that a file that changed is another repository.
    fn local(path: &Path, package: &str, mirrors: &Path, host: &'h Host) -> Result<DistGit<'h>, Failure> {
        if path.is_dir() {
            return Ok(DistGit { git: Git::new(path, host), is_mirror: false });
        }
        if !path.is_file() {
            return Err(Failure::environment(format!("there is no repository `{}` for `{package}`", path.display())));
        }
        let bytes = fs_err::read(path)?;
        let folder = mirrors.join(format!("{package}-{}.git", pkg::Digest::of(&bytes).short()));
        let found = DistGit { git: Git::new(&folder, host), is_mirror: false };
        if folder.is_dir() {
            return Ok(found);
        }
        copied(&folder, mirrors, |copy| {
            let made =
                git::plain().args(["init", "--quiet", "--bare", "--object-format=sha1", "--initial-branch=main"]);
            host.check(&made.arg("--").arg(copy))?;
            let into = Git::new(copy, host).cmd();
            let unpack = match BUNDLES.iter().any(|first| bytes.starts_with(first)) {
                true => into.args(["fetch", "--quiet", "--"]).arg(path).arg("refs/*:refs/*"),
                false => into.args(["fast-import", "--quiet"]).stdin(Stdin::Bytes(bytes)),
            };
            let output = host.run(&unpack)?;
            if !output.status.success() {
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                let reason = said.lines().find_map(|line| line.strip_prefix("fatal: ")).unwrap_or("it says nothing");
                let message = format!("`{}` is no repository that git can unpack: {reason}", path.display());
                return Err(
                    Failure::definition(message).hint("it is a folder, a bundle, or a stream of `git fast-import`")
                );
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Fetches what the original repository has now; branches that it has no more go.
    fn fetch(&self, what: &str) -> Result<(), Failure> {
        self.git.check(&[
            "fetch",
            "--quiet",
            "--prune",
            "--no-write-fetch-head",
            "--no-auto-maintenance",
            "origin",
            what,
        ])?;
        Ok(())
    }

    /// Whether a commit leads to another.
    pub(crate) fn leads_to(&self, earlier: &str, later: &str) -> Result<bool, Failure> {
        Ok(self.git.ask(&["merge-base", "--is-ancestor", earlier, later])?.is_some())
    }

    /// Whether the repository has the commit.
    pub(crate) fn has(&self, commit: &str) -> Result<bool, Failure> {
        Ok(self.git.ask(&["cat-file", "-e", &format!("{commit}^{{commit}}")])?.is_some())
    }

    /// The commits that `later` has and `earlier` has not, newest first.
    pub(crate) fn between(&self, earlier: &str, later: &str) -> Result<Vec<Step>, Failure> {
        let range = format!("{earlier}..{later}");
        let format = "--format=tformat:%H%x00%an%x00%ct%x00%s%x00%B%x00%x01";
        let log = self.git.check(&["log", "--topo-order", format, &range, "--"])?.text();
        let mut steps = Vec::new();
        for entry in log.split("\0\u{1}\n").filter(|entry| !entry.is_empty()) {
            let fields: Vec<&str> = entry.splitn(5, '\0').collect();
            let [commit, author, time, subject, message] = fields.as_slice() else { continue };
            steps.push(Step {
                commit: (*commit).to_owned(),
                author: (*author).to_owned(),
                time: time.parse().unwrap_or_default(),
                subject: (*subject).to_owned(),
                message: (*message).to_owned(),
            });
        }
        Ok(steps)
    }

    /// The commit that is meant: the one that is pinned, or the branch's last one up to a moment.
    pub(crate) fn resolve(
        &self,
        pin: Option<&str>,
        branch: Option<&str>,
        before: Option<u64>,
    ) -> Result<String, Failure> {
        let revision = match (pin, branch) {
            (Some(pin), _) if pin.len() >= 7 && pin.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                format!("{pin}^{{commit}}")
            }
            (Some(pin), _) => return Err(Failure::definition(format!("`{pin}` is not the id of a commit"))),
            (None, Some(branch)) => format!("refs/heads/{branch}"),
            (None, None) => "HEAD".to_owned(),
        };
        let limit = before.filter(|_| pin.is_none()).map(|before| format!("--before=@{before}"));
        let mut arguments = vec!["rev-list", "-1", "--first-parent"];
        arguments.extend(limit.as_deref());
        arguments.extend([revision.as_str(), "--"]);
        let mut found = self.git.ask(&arguments)?.filter(|commit| !commit.is_empty());
        // A commit that is named means the same for ever: it is fetched where it is missing, and no branch moves for it.
        if found.is_none() && pin.is_some() && self.is_mirror {
            self.fetch("+refs/heads/*:refs/fetched/*")?;
            found = self.git.ask(&arguments)?.filter(|commit| !commit.is_empty());
        }
        found.ok_or_else(|| {
            let what = pin.or(branch).unwrap_or("HEAD");
            let when = limit.map(|_| " of that moment or before").unwrap_or_default();
            Failure::environment(format!("`{}` has no commit `{what}`{when}", self.git.folder.display()))
        })
    }

    /// The files of a commit, links and modules left out.
    pub(crate) fn files(&self, commit: &str) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
        let listed = self.git.check(&["ls-tree", "-r", "-z", "--full-tree", commit])?;
        let mut names = Vec::new();
        for entry in listed.stdout.split(|byte| *byte == 0).filter(|entry| !entry.is_empty()) {
            let entry = String::from_utf8_lossy(entry);
            let Some((facts, name)) = entry.split_once('\t') else { continue };
            let facts: Vec<&str> = facts.split(' ').collect();
            if name.split('/').any(|part| matches!(part, "" | "." | ".." | ".git")) {
                let message = format!("`{}` has at {commit} a file `{name}`", self.git.folder.display());
                return Err(Failure::definition(format!("{message}, which leads out of its folder")));
            }
            if let ["100644" | "100755", "blob", id] = facts.as_slice() {
                names.push((name.to_owned(), (*id).to_owned()));
            }
        }
        let ids: Vec<&str> = names.iter().map(|(_, id)| id.as_str()).collect();
        let blobs = self.git.blobs(&ids)?;
        Ok(names.into_iter().zip(blobs).filter_map(|((name, _), blob)| Some((name, blob?))).collect())
    }

    /// All commits that lead to one, children first, with the spec and the file `changelog` at each.
    pub(crate) fn history(&self, commit: &str, spec: &str) -> Result<Vec<Commit>, Failure> {
        let format = "--format=tformat:%H%x00%T%x00%P%x00%an%x00%ae%x00%ct%x00%B%x00%x01";
        let log = self.git.check(&["log", "--topo-order", format, commit, "--"])?.text();
        let mut commits = Vec::new();
        for entry in log.split("\0\u{1}\n").filter(|entry| !entry.is_empty()) {
            let fields: Vec<&str> = entry.splitn(7, '\0').collect();
            let [id, tree, parents, author, email, time, message] = fields.as_slice() else { continue };
            commits.push(Commit {
                id: (*id).to_owned(),
                tree: (*tree).to_owned(),
                parents: parents.split_ascii_whitespace().map(str::to_owned).collect(),
                author: (*author).to_owned(),
                email: (*email).to_owned(),
                time: time.parse().unwrap_or_default(),
                message: (*message).to_owned(),
                spec: None,
                changelog: None,
            });
        }
        let names: Vec<String> = commits
            .iter()
            .flat_map(|commit| [format!("{}:{spec}", commit.id), format!("{}:changelog", commit.id)])
            .collect();
        let blobs = self.git.blobs(&names.iter().map(String::as_str).collect::<Vec<_>>())?;
        // Equal texts are kept once.
        let mut texts: BTreeMap<Vec<u8>, Arc<str>> = BTreeMap::new();
        let mut blobs = blobs.into_iter().map(|blob| {
            let blob = blob?;
            let text =
                Arc::clone(texts.entry(blob).or_insert_with_key(|blob| String::from_utf8_lossy(blob).as_ref().into()));
            Some(text)
        });
        for commit in &mut commits {
            commit.spec = blobs.next().flatten();
            commit.changelog = blobs.next().flatten();
        }
        Ok(commits)
    }
}

/// Whether an address leads to something on this machine.
pub(crate) fn is_path(address: &str) -> bool {
    address.starts_with(['/', '.']) || address.starts_with("file:///") || !address.contains(':')
}

/// Whether a component has an upstream, and that upstream's dist-git is on this machine.
pub(crate) fn is_at_hand(distro: &Distro, component: &Component) -> bool {
    let SpecSource::Upstream(upstream) = &component.spec else { return false };
    let address = distro.distributions.get(&upstream.distro).and_then(|found| found.dist_git.as_ref());
    address.is_some_and(|address| is_path(&address.value))
}

/// How bundles of git begin.
const BUNDLES: [&[u8]; 2] = [b"# v2 git bundle\n", b"# v3 git bundle\n"];

/// Makes a copy beside and moves it to its place: it is there whole or not at all. Two components of one package may be copied at once:
/// the first one counts.
fn copied(folder: &Path, mirrors: &Path, fill: impl FnOnce(&Path) -> Result<(), Failure>) -> Result<(), Failure> {
    let partial = tempfile::Builder::new().suffix(".part").tempdir_in(mirrors)?;
    let copy = partial.path().join("copy.git");
    fill(&copy)?;
    if let Err(error) = fs_err::rename(&copy, folder)
        && !folder.is_dir()
    {
        return Err(error.into());
    }
    Ok(())
}

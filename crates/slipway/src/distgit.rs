//! Dist-git: the repositories that upstream keeps its specs in, read through git without a work tree.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use host::{Cmd, Host, Stdin, Tool};
use spec::autospec::Commit;

use crate::explain::Failure;

/// A repository on this machine, bare or not.
pub(crate) struct DistGit<'h> {
    host: &'h Host,
    folder: PathBuf,
}

/// Files larger than this are no specs, patches or lists; dist-git keeps sources elsewhere.
const LARGEST: usize = 64 << 20;

impl<'h> DistGit<'h> {
    /// Opens the repository of a package. One that is not on this machine is copied into `mirrors` first, once.
    pub(crate) fn open(address: &str, package: &str, mirrors: &Path, host: &'h Host) -> Result<DistGit<'h>, Failure> {
        let is_plain = |text: &str| {
            !text.is_empty() && !text.starts_with(['.', '-']) && !text.contains(['/', '\0']) && text.len() < 200
        };
        if !is_plain(package) {
            return Err(Failure::definition(format!("`{package}` is not the name of a package")));
        }
        let address = address.replace("$pkg", package);
        let local = address.strip_prefix("file://").unwrap_or(&address);
        if local.starts_with('/') {
            let folder = PathBuf::from(local);
            return if folder.is_dir() {
                Ok(DistGit { host, folder })
            } else {
                Err(Failure::environment(format!("there is no repository `{}` for `{package}`", folder.display())))
            };
        }
        if !address.starts_with("https://") && !address.starts_with("http://") && !address.starts_with("ssh://") {
            return Err(Failure::definition(format!("`{address}` is not the address of a repository"))
                .hint("write `https://`, or an absolute path"));
        }
        let folder = mirrors.join(format!("{package}-{}.git", pkg::Digest::of(address.as_bytes()).short()));
        if !folder.is_dir() {
            let partial = folder.with_extension("part");
            if partial.exists() {
                fs_err::remove_dir_all(&partial)?;
            }
            host.check(&Cmd::new(Tool::Git).args(["clone", "--quiet", "--bare", "--", &address]).arg(&partial))?;
            fs_err::rename(&partial, &folder)?;
        }
        Ok(DistGit { host, folder })
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
        let mut cmd = self.git().args(["rev-list", "-1", "--first-parent"]);
        if let (None, Some(before)) = (pin, before) {
            cmd = cmd.arg(format!("--before=@{before}"));
        }
        let output = self.host.run(&cmd.arg(&revision).arg("--"))?;
        let commit = output.text().trim().to_owned();
        if !output.status.success() || commit.is_empty() {
            let what = pin.or(branch).unwrap_or("HEAD");
            return Err(Failure::environment(format!("`{}` has no commit `{what}`", self.folder.display())));
        }
        Ok(commit)
    }

    /// The files of a commit, links and modules left out.
    pub(crate) fn files(&self, commit: &str) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
        let listed = self.host.check(&self.git().args(["ls-tree", "-r", "-z", "--full-tree", commit]))?;
        let mut names = Vec::new();
        for entry in listed.stdout.split(|byte| *byte == 0).filter(|entry| !entry.is_empty()) {
            let entry = String::from_utf8_lossy(entry);
            let Some((facts, name)) = entry.split_once('\t') else { continue };
            let facts: Vec<&str> = facts.split(' ').collect();
            if let ["100644" | "100755", "blob", id] = facts.as_slice() {
                names.push((name.to_owned(), (*id).to_owned()));
            }
        }
        let ids: Vec<&str> = names.iter().map(|(_, id)| id.as_str()).collect();
        let blobs = self.blobs(&ids)?;
        Ok(names.into_iter().zip(blobs).filter_map(|((name, _), blob)| Some((name, blob?))).collect())
    }

    /// All commits that lead to one, children first, with the spec and the file `changelog` at each.
    pub(crate) fn history(&self, commit: &str, spec: &str) -> Result<Vec<Commit>, Failure> {
        let format = "--format=tformat:%H%x00%T%x00%P%x00%an%x00%ae%x00%ct%x00%B%x00%x01";
        let log = self.host.check(&self.git().args(["log", "--topo-order", format, commit, "--"]))?.text();
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
        let blobs = self.blobs(&names.iter().map(String::as_str).collect::<Vec<_>>())?;
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

    /// The contents of objects, in their order; nothing for those that are not there.
    fn blobs(&self, names: &[&str]) -> Result<Vec<Option<Vec<u8>>>, Failure> {
        let asked = names.iter().map(|name| format!("{name}\n")).collect::<String>();
        let output =
            self.host.check(&self.git().args(["cat-file", "--batch"]).stdin(Stdin::Bytes(asked.into_bytes())))?;
        let mut rest = output.stdout.as_slice();
        let mut blobs = Vec::with_capacity(names.len());
        while blobs.len() < names.len() {
            let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
                return Err(Failure::environment(format!("git said too little about `{}`", self.folder.display())));
            };
            let head = String::from_utf8_lossy(&rest[..end]).into_owned();
            rest = &rest[end + 1..];
            let mut words = head.rsplit(' ');
            let size = words.next().and_then(|size| size.parse::<usize>().ok());
            match (size, words.next()) {
                (Some(size), Some("blob")) if rest.len() > size && size <= LARGEST => {
                    blobs.push(Some(rest[..size].to_vec()));
                    rest = &rest[size + 1..];
                }
                (Some(size), Some(_)) => {
                    blobs.push(None);
                    rest = rest.get(size + 1..).unwrap_or_default();
                }
                _ => blobs.push(None),
            }
        }
        Ok(blobs)
    }

    /// A call of git in the repository that reads nobody's settings.
    fn git(&self) -> Cmd {
        Cmd::new(Tool::Git)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .args(["-c", "safe.directory=*", "-C"])
            .arg(&self.folder)
    }
}

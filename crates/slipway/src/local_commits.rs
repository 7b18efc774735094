//! The definition's own commits that changed a component: they count in its release and stand in its changelog.
//!
//! A change is a commit that put another `input-fingerprint` into the component's lock file. What is not committed is no change yet:
//! it has no author and no time, and to date it "now" would give other bytes with every run.
//! Source: azldev 0.2 (`internal/app/azldev/core/sources/synthistory.go`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use distro::render::LocalChange;
use distro::{Component, Distro, Lock};
use host::Host;
use spec::autospec::Commit;

use crate::explain::Failure;
use crate::git::Git;

/// The repository of a definition, as far as its locks go.
pub(crate) struct LocalCommits<'h> {
    /// Nothing where the definition is in no repository.
    repository: Option<Repository<'h>>,
}

struct Repository<'h> {
    git: Git<'h>,
    /// The folder of locks below the top of the repository, with a slash at its end.
    folder: String,
    /// The locks that are committed and have a fingerprint: their text, by file name.
    committed: BTreeMap<String, String>,
    /// Commits at which the history of a shallow copy ends.
    ends: BTreeSet<String>,
}

/// What the definition's own history says of a component.
#[derive(Clone, Debug, Default)]
pub(crate) struct Local {
    /// The changes, oldest first.
    pub(crate) changes: Vec<LocalChange>,
    /// Upstream's commit at which the component came in.
    pub(crate) import: Option<String>,
    /// The lock on disk has a change that is not committed.
    pub(crate) is_pending: bool,
}

impl<'h> LocalCommits<'h> {
    pub(crate) fn of(distro: &Distro, host: &'h Host) -> Result<LocalCommits<'h>, Failure> {
        let nothing = LocalCommits { repository: None };
        let locks = std::path::absolute(&distro.project.lock_dir)?;
        let Ok(locks) = fs_err::canonicalize(&locks) else { return Ok(nothing) };
        let git = Git::new(&locks, host);
        let Some(top) = git.ask(&["rev-parse", "--show-toplevel"])? else { return Ok(nothing) };
        let top = PathBuf::from(top);
        let Ok(below) = locks.strip_prefix(&top) else { return Ok(nothing) };
        let folder = match below.to_string_lossy().as_ref() {
            "" => String::new(),
            below => format!("{below}/"),
        };
        let git = Git::new(&top, host);
        let Some(listed) = git.ask(&["ls-tree", "-z", "--full-tree", "HEAD", "--", &folder])? else {
            return Ok(nothing);
        };
        let mut names = Vec::new();
        for entry in listed.split('\0').filter(|entry| !entry.is_empty()) {
            let Some((facts, path)) = entry.split_once('\t') else { continue };
            if let ["100644" | "100755", "blob", id] = facts.split(' ').collect::<Vec<_>>().as_slice()
                && let Some(name) = path.strip_prefix(&folder).filter(|name| name.ends_with(".lock"))
            {
                names.push((name.to_owned(), (*id).to_owned()));
            }
        }
        let blobs = git.blobs(&names.iter().map(|(_, id)| id.as_str()).collect::<Vec<_>>())?;
        let texts = names.into_iter().zip(blobs).filter_map(|((name, _), blob)| {
            let text = String::from_utf8_lossy(&blob?).into_owned();
            Lock::facts(&text).fingerprint.is_some().then_some((name, text))
        });
        let committed: BTreeMap<String, String> = texts.collect();
        let ends = git.ask(&["rev-parse", "--path-format=absolute", "--git-path", "shallow"])?.unwrap_or_default();
        let ends = fs_err::read_to_string(ends).unwrap_or_default().lines().map(str::to_owned).collect();
        Ok(LocalCommits { repository: Some(Repository { git, folder, committed, ends }) })
    }

    /// The changes of a component.
    ///
    /// # Errors
    /// When the history that says so is cut off, as in a shallow copy.
    pub(crate) fn changes(&self, component: &Component) -> Result<Local, Failure> {
        let Some(repository) = &self.repository else { return Ok(Local::default()) };
        let name = component.lock_file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some(committed) = repository.committed.get(&name) else {
            return Ok(Local { is_pending: component.lock.fingerprint.is_some(), ..Local::default() });
        };
        let head = Lock::facts(committed);
        let path = format!("{}{name}", repository.folder);
        let format = "--format=tformat:%H%x00%an%x00%ae%x00%at%x00%s%x00%x01";
        let log = repository.git.check(&["log", format, "HEAD", "--", &path])?.text();
        let entries: Vec<Vec<&str>> = log
            .split("\0\u{1}\n")
            .filter(|entry| !entry.is_empty())
            .map(|entry| entry.splitn(5, '\0').collect())
            .collect();
        if entries.iter().any(|fields| fields.first().is_some_and(|id| repository.ends.contains(*id))) {
            let message = format!(
                "the history of `{}` is cut off: nobody can count the changes of `{}`\n  `{}` is a shallow copy",
                component.lock_file.display(),
                component.name,
                repository.git.folder.display()
            );
            return Err(Failure::environment(message).hint("`git fetch --unshallow` completes it"));
        }
        let names: Vec<String> =
            entries.iter().filter_map(|fields| Some(format!("{}:{path}", fields.first()?))).collect();
        let blobs = repository.git.blobs(&names.iter().map(String::as_str).collect::<Vec<_>>())?;
        let (mut changes, mut before) = (Vec::new(), None);
        for (fields, blob) in entries.into_iter().zip(blobs).rev() {
            let facts = Lock::facts(&blob.map(|blob| String::from_utf8_lossy(&blob).into_owned()).unwrap_or_default());
            if let [id, author, email, time, subject] = fields.as_slice()
                && facts.fingerprint.is_some()
                && facts.fingerprint != before
            {
                let commit = Commit {
                    id: format!("local:{id}"),
                    tree: String::new(),
                    parents: Vec::new(),
                    author: (*author).to_owned(),
                    email: (*email).to_owned(),
                    time: time.parse().map_err(|_| {
                        let what = format!("git says that commit {id} is of `{time}`, which is no time");
                        Failure::work(format!("{what}\n  `{}`", repository.git.folder.display()))
                    })?,
                    message: (*subject).to_owned(),
                    spec: None,
                    changelog: None,
                };
                changes.push(LocalChange { commit, upstream: facts.upstream_commit });
            }
            before = facts.fingerprint;
        }
        let is_pending = component.lock.fingerprint.is_some() && component.lock.fingerprint != head.fingerprint;
        Ok(Local { changes, import: head.import_commit, is_pending })
    }
}

//! Archives of commits: written here, so that a commit gives the same bytes wherever and whenever it is packed.
//!
//! `git archive` does not: it expands `$Format$` by what else the repository holds, and its compression is that of the machine.
//!
//! ```text
//! NAME-VERSION/                 NAME-VERSION.tar.gz without its ending
//! NAME-VERSION/path             in git's order; 0644 or 0755, or a link; owner root, time of the commit
//! NAME-VERSION/module/          an empty folder where a submodule is
//! ```
//!
//! A `.gz` holds stored blocks: no compressor can change its mind about them, and packages compress their sources themselves.

use std::ffi::OsStr;
use std::io::{self, BufRead as _, Read as _, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use host::environment::Variable;
use host::transfer::redacted;
use host::{Cmd, Host, RunError, Sink, Stdin, Tool};
use pkg::Digest;
use store::Store;

use super::SOURCE_MAX;
use crate::BuildError;

/// Ends of names that can be written.
const ENDINGS: [&str; 3] = [".tar", ".tar.gz", ".tgz"];

/// A file, link or submodule of a commit.
struct Entry {
    path: PathBuf,
    mode: Vec<u8>,
    id: String,
}

/// Writes the archive of a commit to `to`. Only a commit that is not here yet is asked for.
pub(super) fn archive(
    uri: &str,
    commit: &str,
    file_name: &str,
    to: &Path,
    host: &Host,
    store: &Store,
) -> Result<(), BuildError> {
    let wrong = |message: String| BuildError::Git { uri: redacted(uri), commit: commit.to_owned(), message };
    let Some(folder) = ENDINGS.iter().find_map(|ending| file_name.strip_suffix(ending)).filter(|name| !name.is_empty())
    else {
        return Err(wrong(format!("`{file_name}` ends in none of {}", ENDINGS.join(", "))));
    };
    let key = Digest::of(uri.as_bytes());
    let _guard = store.lock(&format!("git-{}", key.short()))?;
    let repository = store.area("git")?.join(format!("{}.git", &key.hex()[..32]));
    let git = Git { uri, repository: &repository, host };
    git.bring(commit).map_err(|error| match error {
        RunError::Interrupted { .. } => BuildError::Interrupted,
        RunError::Failed { stderr, .. } => wrong(stderr.replace(uri, &redacted(uri)).trim().to_owned()),
        error => BuildError::Run(error),
    })?;
    let entries = git.entries(commit)?;
    let time = git.time(commit)?;
    let out = io::BufWriter::new(fs_err::File::create(to)?);
    if file_name.ends_with(".tar") {
        git.pack(&entries, folder, time, out).map_err(|error| wrong(error.to_string()))?;
    } else {
        let mut stored =
            git.pack(&entries, folder, time, Stored::new(out)?).map_err(|error| wrong(error.to_string()))?;
        stored.finish()?;
    }
    Ok(())
}

struct Git<'a> {
    uri: &'a str,
    repository: &'a Path,
    host: &'a Host,
}

impl Git<'_> {
    /// Makes sure that the commit is in the repository of the store.
    fn bring(&self, commit: &str) -> Result<(), RunError> {
        if !self.repository.join("HEAD").is_file() {
            let new = Cmd::new(Tool::Git).args(["init", "--quiet", "--bare", "--"]).arg(self.repository);
            self.host.check(&new)?;
        }
        let has = || {
            let cmd = self.call().args(["cat-file", "-e"]).arg(format!("{commit}^{{commit}}"));
            self.host.run(&cmd).map(|output| output.status.success())
        };
        if has()? {
            return Ok(());
        }
        // The commit alone, from servers that give it; else all that their branches and tags lead to.
        let alone = self.call().args(["fetch", "--quiet", "--no-tags", "--depth=1", "origin", commit]);
        match self.host.run(&alone) {
            Ok(output) if output.status.success() && has()? => return Ok(()),
            Err(error @ RunError::Interrupted { .. }) => return Err(error),
            _ => {}
        }
        let all = [
            "fetch",
            "--quiet",
            "--no-tags",
            "--prune",
            "origin",
            "+refs/heads/*:refs/heads/*",
            "+refs/tags/*:refs/tags/*",
        ];
        self.host.check(&self.call().args(all))?;
        if has()? {
            return Ok(());
        }
        let cmd = self.call().args(["cat-file", "-e", commit]).to_string();
        let stderr = "no branch and no tag of the repository leads to this commit".to_owned();
        Err(RunError::Failed { cmd, status: host::Status::Code(1), stderr })
    }

    fn entries(&self, commit: &str) -> Result<Vec<Entry>, BuildError> {
        let listed = self.host.check(&self.call().args(["ls-tree", "-r", "-z", "--full-tree", commit]))?;
        let lines = listed.stdout.split(|byte| *byte == 0).filter(|line| !line.is_empty());
        let entries = lines.filter_map(|line| {
            let tab = line.iter().position(|byte| *byte == b'\t')?;
            let mut words = line[..tab].split(|byte| *byte == b' ');
            let (mode, id) = (words.next()?.to_vec(), words.nth(1)?);
            let path = PathBuf::from(OsStr::from_bytes(&line[tab + 1..]));
            Some(Entry { path, mode, id: String::from_utf8_lossy(id).into_owned() })
        });
        Ok(entries.collect())
    }

    fn time(&self, commit: &str) -> Result<u64, BuildError> {
        let shown = self.host.check(&self.call().args(["show", "--no-patch", "--format=%ct", commit, "--"]))?;
        Ok(shown.text().trim().parse().unwrap_or_default())
    }

    /// Writes the entries as a tar archive, their contents streamed from git.
    fn pack<W: Write>(&self, entries: &[Entry], folder: &str, time: u64, out: W) -> io::Result<W> {
        let asked = tempfile_of(self.repository, entries)?;
        let cmd = self.call().args(["cat-file", "--batch"]).stdin(Stdin::File(asked.clone()));
        let mut running = self.host.spawn(&cmd, &Sink::Piped, &Sink::Null).map_err(io::Error::other)?;
        let stdout = running.take_stdout().ok_or_else(|| io::Error::other("git gives no output"))?;
        let mut contents = io::BufReader::with_capacity(1 << 18, stdout);
        let mut tar = tar::Builder::new(out);
        let head = |kind: tar::EntryType, mode: u32, size: u64| {
            let mut head = tar::Header::new_gnu();
            head.set_entry_type(kind);
            head.set_mode(mode);
            head.set_size(size);
            head.set_mtime(time);
            head.set_uid(0);
            head.set_gid(0);
            head
        };
        let top = Path::new(folder);
        tar.append_data(&mut head(tar::EntryType::Directory, 0o755, 0), format!("{folder}/"), io::empty())?;
        for entry in entries {
            if self.host.interrupted() {
                running.kill();
                return Err(io::Error::other("interrupted"));
            }
            let path = top.join(&entry.path);
            if entry.mode == b"160000" {
                tar.append_data(&mut head(tar::EntryType::Directory, 0o755, 0), path.join(""), io::empty())?;
                continue;
            }
            let mut line = String::new();
            contents.read_line(&mut line)?;
            let size = line.trim_end().rsplit(' ').next().and_then(|size| size.parse::<u64>().ok());
            let size = size
                .filter(|size| *size <= SOURCE_MAX && line.contains(" blob "))
                .ok_or_else(|| io::Error::other(format!("git has no content of `{}`", entry.path.display())))?;
            match entry.mode.as_slice() {
                b"120000" => {
                    let mut target = vec![0; usize::try_from(size).map_err(io::Error::other)?.min(1 << 16)];
                    contents.read_exact(&mut target)?;
                    let target = Path::new(OsStr::from_bytes(&target)).to_owned();
                    tar.append_link(&mut head(tar::EntryType::Symlink, 0o777, 0), &path, target)?;
                }
                mode => {
                    let mode = if mode == b"100755" { 0o755 } else { 0o644 };
                    tar.append_data(&mut head(tar::EntryType::Regular, mode, size), &path, (&mut contents).take(size))?;
                }
            }
            let mut newline = [0];
            contents.read_exact(&mut newline)?;
        }
        running.wait()?;
        let _ = fs_err::remove_file(&asked);
        tar.into_inner()
    }

    /// A call of git in the repository that reads nobody's settings. The address is no argument: it may hold a password.
    fn call(&self) -> Cmd {
        let cmd = Cmd::new(Tool::Git)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_CONFIG_COUNT", "2")
            .env("GIT_CONFIG_KEY_0", "remote.origin.url")
            .env("GIT_CONFIG_VALUE_0", self.uri)
            .env("GIT_CONFIG_KEY_1", "safe.directory")
            .env("GIT_CONFIG_VALUE_1", "*")
            .arg("-C")
            .arg(self.repository);
        let passed = [Variable::HttpProxy, Variable::HttpsProxy, Variable::NoProxy, Variable::Home];
        passed.into_iter().fold(cmd, Cmd::pass)
    }
}

/// A file beside the repository that asks for the contents of all entries.
fn tempfile_of(repository: &Path, entries: &[Entry]) -> io::Result<PathBuf> {
    let path = repository.join("slipway-asked");
    let mut file = io::BufWriter::new(fs_err::File::create(&path)?);
    for entry in entries.iter().filter(|entry| entry.mode != b"160000") {
        writeln!(file, "{}", entry.id)?;
    }
    file.flush()?;
    Ok(path)
}

/// gzip (RFC 1952) of stored blocks (RFC 1951, 3.2.4): without time, name and choice.
struct Stored<W> {
    out: W,
    block: Vec<u8>,
    crc: flate2::Crc,
}

/// The length of a stored block has 16 bits.
const BLOCK: usize = 0xffff;

impl<W: Write> Stored<W> {
    fn new(mut out: W) -> io::Result<Stored<W>> {
        // Deflate, no flags, no time, no extra flags, and "unknown" for the system: 255.
        out.write_all(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])?;
        Ok(Stored { out, block: Vec::with_capacity(BLOCK), crc: flate2::Crc::new() })
    }

    fn put(&mut self, is_last: bool) -> io::Result<()> {
        let length = u16::try_from(self.block.len()).map_err(io::Error::other)?;
        self.out.write_all(&[u8::from(is_last)])?;
        self.out.write_all(&length.to_le_bytes())?;
        self.out.write_all(&(!length).to_le_bytes())?;
        self.out.write_all(&self.block)?;
        self.block.clear();
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.put(true)?;
        self.out.write_all(&self.crc.sum().to_le_bytes())?;
        self.out.write_all(&self.crc.amount().to_le_bytes())?;
        self.out.flush()
    }
}

impl<W: Write> Write for Stored<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.block.len() == BLOCK {
            self.put(false)?;
        }
        let count = bytes.len().min(BLOCK - self.block.len());
        self.block.extend_from_slice(&bytes[..count]);
        self.crc.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_blocks_are_gzip() {
        for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 7] {
            let bytes: Vec<u8> = (0..length).map(|number| (number * 7) as u8).collect();
            let mut stored = Stored::new(Vec::new()).unwrap();
            stored.write_all(&bytes).unwrap();
            stored.finish().unwrap();
            let mut read = Vec::new();
            flate2::read::GzDecoder::new(stored.out.as_slice()).read_to_end(&mut read).unwrap();
            assert!(read == bytes, "{length} bytes");
        }
    }
}

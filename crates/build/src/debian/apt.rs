//! apt with a configuration of its own: the machine's mirror and proxy settings, another suite, and no installed packages.

use std::path::{Path, PathBuf};

use host::environment::Variable;
use host::{Cmd, Host, Tool};
use pkg::{Arch, Digest};
use store::Store;

use super::machine::{self, Archive};
use super::uris::Remote;
use crate::{BuildError, Event, Progress};

/// Files fetched by one run of apt-helper; between two runs, progress is told.
const BATCH: usize = 16;

/// A suite of Debian as seen through a private apt configuration, kept in the store's area `apt`.
///
/// Nothing of the machine's package state is read or changed.
#[derive(Debug)]
pub struct Apt<'a> {
    host: &'a Host,
    store: &'a Store,
    suite: String,
    folder: PathBuf,
    archive: Archive,
}

/// Debian's name for an architecture that rpm calls `arch`.
fn architecture(arch: &Arch) -> &str {
    match arch.as_str() {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

impl<'a> Apt<'a> {
    /// Configures `suite` for `arch`. Reads no network.
    ///
    /// # Errors
    /// [`BuildError::NoArchive`] when the machine has no Debian archive configured.
    pub fn open(suite: &str, arch: &Arch, host: &'a Host, store: &'a Store) -> Result<Apt<'a>, BuildError> {
        let release = fs_err::read_to_string("/etc/os-release").unwrap_or_default();
        let codename = machine::os_release(&release, "VERSION_CODENAME").unwrap_or_default();
        let archive = machine::archive(Path::new("/etc"), &codename)?.ok_or(BuildError::NoArchive { codename })?;
        let folder = store.area("apt")?.join(format!("{suite}-{}", architecture(arch)));
        let apt = Apt { host, store, suite: suite.to_owned(), folder, archive };
        let _guard = store.lock("apt")?;
        apt.configure(architecture(arch))?;
        Ok(apt)
    }

    fn configure(&self, architecture: &str) -> Result<(), BuildError> {
        for part in ["none", "state/lists/partial", "cache/archives/partial", "log"] {
            fs_err::create_dir_all(self.folder.join(part))?;
        }
        let status = self.folder.join("state/status");
        if !status.is_file() {
            fs_err::write(&status, "")?;
        }
        fs_err::write(self.folder.join("sources.list"), sources_list(&self.archive, &self.suite, Path::exists))?;
        let machine = self.host.run(&Cmd::new(Tool::Shell).args(["-c", "apt-config dump"]))?;
        let settings = String::from_utf8_lossy(&machine.stdout).into_owned();
        fs_err::write(self.folder.join("apt.conf"), configuration(&self.folder, architecture, &settings))?;
        Ok(())
    }

    /// The archive's root, first choice.
    fn root(&self) -> &str {
        self.archive.uris.first().map_or("", String::as_str)
    }

    fn cmd(&self, tool: Tool) -> Cmd {
        let cmd = Cmd::new(tool).env("APT_CONFIG", self.folder.join("apt.conf"));
        cmd.pass(Variable::HttpProxy).pass(Variable::HttpsProxy).pass(Variable::NoProxy)
    }

    /// Runs and returns what was printed; other statuses than 0 are an error with apt's own words.
    fn run(&self, cmd: &Cmd, action: &str) -> Result<String, BuildError> {
        let output = self.host.run(cmd)?;
        if self.host.interrupted() {
            return Err(BuildError::Interrupted);
        }
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let message = reasons(&output.stderr, &output.stdout);
        if message.contains("No space left on device") || message.contains("enough free space") {
            return Err(store::StoreError::Full { path: self.store.root().to_owned(), needed: None }.into());
        }
        Err(BuildError::Apt { action: action.to_owned(), message })
    }

    /// Fetches the suite's signed index, unless one is here already and `refresh` is [`Refresh::IfMissing`].
    pub fn update(&self, refresh: Refresh) -> Result<(), BuildError> {
        let _guard = self.store.lock("apt")?;
        let done = self.folder.join("updated");
        if refresh == Refresh::IfMissing && done.is_file() {
            return Ok(());
        }
        let cmd = self.cmd(Tool::AptGet).args(["update", "-q", "-o", "APT::Update::Error-Mode=any"]);
        self.run(&cmd, &format!("read the index of `{}`", self.suite))?;
        fs_err::write(done, "")?;
        Ok(())
    }

    /// `packages` and all that they need, on a machine where nothing is installed; in apt's order.
    pub fn closure(&self, packages: &[String]) -> Result<Vec<Remote>, BuildError> {
        let _guard = self.store.lock("apt")?;
        let cmd = self.cmd(Tool::AptGet).args(["install", "--print-uris", "-y", "-qq"]).args(packages);
        Ok(Remote::parse_all(&self.run(&cmd, &format!("resolve {}", packages.join(" ")))?))
    }

    /// The files of the newest source packages `names`.
    pub fn source(&self, names: &[String]) -> Result<Vec<Remote>, BuildError> {
        let _guard = self.store.lock("apt")?;
        let options = ["source", "--print-uris", "--download-only", "--only-source", "-qq"];
        let cmd = self.cmd(Tool::AptGet).args(options).args(names);
        Ok(Remote::parse_all(&self.run(&cmd, &format!("find the source packages {}", names.join(" ")))?))
    }

    /// The files of the binary packages `names`; `name=version` asks for one version.
    pub fn binary(&self, names: &[String]) -> Result<Vec<Remote>, BuildError> {
        let _guard = self.store.lock("apt")?;
        let cmd = self.cmd(Tool::AptGet).args(["download", "--print-uris", "-qq"]).args(names);
        Ok(Remote::parse_all(&self.run(&cmd, &format!("find the packages {}", names.join(" ")))?))
    }

    /// The version of the source package `name` that has `file`; empty when none has.
    pub(crate) fn source_version(&self, name: &str, file: &str) -> Result<String, BuildError> {
        let _guard = self.store.lock("apt")?;
        let cmd = self.cmd(Tool::AptCache).args(["showsrc", "--only-source", name]);
        let text = self.run(&cmd, &format!("describe the source package `{name}`"))?;
        let stanza = text.split("\n\n").find(|stanza| stanza.split_whitespace().any(|word| word == file));
        let version = stanza.and_then(|stanza| stanza.lines().find_map(|line| line.strip_prefix("Version: ")));
        Ok(version.unwrap_or_default().trim().to_owned())
    }

    /// The URI of a path below the archive's root.
    pub(crate) fn uri(&self, path: &str) -> String {
        format!("{}/{path}", self.root())
    }

    /// Fetches `uris` into `folder` as the files `0`, `1`, .. and tells progress as `what`. Nothing is verified here.
    pub(crate) fn download(
        &self,
        uris: &[String],
        folder: &Path,
        what: &str,
        progress: &dyn Progress,
    ) -> Result<(), BuildError> {
        for (batch, chunk) in uris.chunks(BATCH).enumerate() {
            progress.event(Event::Preparing { what, done: batch * BATCH, total: uris.len() });
            let mut cmd = self.cmd(Tool::AptHelper).args(["download-file", "-q"]);
            for (number, uri) in chunk.iter().enumerate() {
                // An empty digest: ours are compared by the caller, who can keep a file that differs.
                cmd = cmd.arg(uri).arg(folder.join((batch * BATCH + number).to_string())).arg("");
            }
            self.run(&cmd, &format!("fetch {what}"))?;
        }
        progress.event(Event::Preparing { what, done: uris.len(), total: uris.len() });
        Ok(())
    }

    /// Fetches `remotes` into the store, where they are not there yet; `expected` is each one's SHA-256.
    pub(crate) fn fetch(&self, remotes: &[(String, Digest)], progress: &dyn Progress) -> Result<(), BuildError> {
        let missing: Vec<_> = remotes.iter().filter(|(_, digest)| !self.store.contains(digest)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let folder = self.store.temp_dir()?;
        let uris: Vec<String> = missing.iter().map(|(path, _)| self.uri(path)).collect();
        self.download(&uris, folder.path(), "packages", progress)?;
        for (number, (path, expected)) in missing.into_iter().enumerate() {
            let received = self.store.adopt_file(&folder.path().join(number.to_string()))?;
            if received != *expected {
                return Err(BuildError::ArchiveDiffers { file: path.clone(), expected: *expected, received });
            }
        }
        Ok(())
    }
}

/// When an index that is here already is fetched again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refresh {
    /// Never.
    IfMissing,
    /// Now.
    Always,
}

/// The lines in which apt says why: those that start with `E:`, or else the last ones.
fn reasons(stderr: &[u8], stdout: &[u8]) -> String {
    let text = format!("{}\n{}", String::from_utf8_lossy(stdout), String::from_utf8_lossy(stderr));
    let mut lines: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("E: ")).collect();
    if lines.is_empty() {
        lines = text.lines().filter(|line| !line.trim().is_empty()).collect();
        lines.drain(..lines.len().saturating_sub(3));
    }
    lines.dedup();
    lines.join("; ")
}

/// The private sources.list: the archive's binaries and sources of `suite`.
fn sources_list(archive: &Archive, suite: &str, exists: impl Fn(&Path) -> bool) -> String {
    let shipped = ["".to_owned(), format!("-{suite}-stable"), format!("-{suite}-automatic")]
        .map(|part| PathBuf::from(format!("/usr/share/keyrings/debian-archive{part}.gpg")));
    let keyring = PathBuf::from("/usr/share/keyrings/debian-archive-keyring.gpg");
    let mut keys: Vec<String> = Vec::new();
    for path in archive.keyrings.iter().chain([&keyring]).chain(&shipped).filter(|path| exists(path)) {
        let path = path.display().to_string();
        if !keys.contains(&path) {
            keys.push(path);
        }
    }
    // Without any of them, apt falls back to the keys that the machine trusts for every archive.
    let options = if keys.is_empty() { String::new() } else { format!("[signed-by={}] ", keys.join(",")) };
    let line = |kind: &str, uri: &String| format!("{kind} {options}{uri} {suite} main\n");
    archive.uris.iter().flat_map(|uri| [line("deb", uri), line("deb-src", uri)]).collect()
}

/// The private apt.conf. `settings` is what `apt-config dump` says on this machine: of it, how files are acquired
/// (proxies, time-outs, whether dates are checked) is taken over, and nothing else.
fn configuration(folder: &Path, architecture: &str, settings: &str) -> String {
    let at = |part: &str| folder.join(part).display().to_string();
    let mut text = String::new();
    for line in settings.lines() {
        let own = ["Acquire::IndexTargets", "Acquire::Languages", "Acquire::GzipIndexes", "Acquire::ForceHash"];
        if line.starts_with("Acquire::") && !own.iter().any(|prefix| line.starts_with(prefix)) {
            text.push_str(line);
            text.push('\n');
        }
    }
    for (key, value) in [
        ("Dir::Etc::main", "/dev/null".to_owned()),
        ("Dir::Etc::parts", at("none")),
        ("Dir::Etc::sourcelist", at("sources.list")),
        ("Dir::Etc::sourceparts", at("none")),
        ("Dir::Etc::preferences", "/dev/null".to_owned()),
        ("Dir::Etc::preferencesparts", at("none")),
        ("Dir::State", at("state")),
        ("Dir::State::lists", at("state/lists")),
        ("Dir::State::status", at("state/status")),
        ("Dir::State::extended_states", at("state/extended_states")),
        ("Dir::Cache", at("cache")),
        ("Dir::Log", at("log")),
        ("APT::Architecture", architecture.to_owned()),
        ("APT::Install-Recommends", "0".to_owned()),
        ("APT::Get::AllowUnauthenticated", "0".to_owned()),
        // The archive is fetched by us, not by apt's own user, who could not write into the store.
        ("APT::Sandbox::User", "root".to_owned()),
        ("Acquire::ForceHash", "SHA256".to_owned()),
        ("Acquire::GzipIndexes", "1".to_owned()),
    ] {
        text.push_str(&format!("{key} \"{value}\";\n"));
    }
    text.push_str(&format!("APT::Architectures {{ \"{architecture}\"; }};\nAcquire::Languages {{ \"none\"; }};\n"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_private_configuration_takes_over_how_files_are_acquired() {
        let settings = "APT::Update::Post-Invoke:: \"rm -rf /\";\nAcquire::http::Proxy \"http://proxy.example:3128\";\n\
            Acquire::Languages:: \"en\";\nDir \"/\";\n";
        let text = configuration(Path::new("/s/apt"), "amd64", settings);
        assert!(text.contains("Acquire::http::Proxy \"http://proxy.example:3128\";\n"));
        assert!(text.contains("Dir::State::status \"/s/apt/state/status\";\n"));
        assert!(!text.contains("Post-Invoke") && !text.contains("\"en\"") && !text.contains("Dir \"/\""));
    }

    #[test]
    fn the_private_sources_name_the_suite_and_its_keys() {
        let archive = Archive { uris: vec!["http://m.example/debian".into()], keyrings: vec!["/k/own.gpg".into()] };
        let some = |path: &Path| path.starts_with("/k") || path.ends_with("debian-archive-trixie-stable.gpg");
        assert_eq!(
            sources_list(&archive, "trixie", some),
            "deb [signed-by=/k/own.gpg,/usr/share/keyrings/debian-archive-trixie-stable.gpg] http://m.example/debian trixie main\n\
             deb-src [signed-by=/k/own.gpg,/usr/share/keyrings/debian-archive-trixie-stable.gpg] http://m.example/debian trixie main\n"
        );
        assert!(sources_list(&archive, "trixie", |_| false).starts_with("deb http://m.example/debian trixie main\n"));
    }

    #[test]
    fn apts_reasons_are_its_error_lines() {
        let stderr = b"W: something\nE: Unable to locate package nosuch\n";
        assert_eq!(reasons(stderr, b"Reading\n"), "Unable to locate package nosuch");
        assert_eq!(reasons(b"", b"a\n\nb\n"), "a; b");
    }
}

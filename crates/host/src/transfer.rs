//! One file fetched from one address, bounded in size, time and redirections.
//!
//! `http` and `https` are fetched by curl(1), which is on every machine and gets fixes for its TLS without us. Its settings go
//! to its standard input, so that no password is in the list of processes or in a message. Files of this machine are copied.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::environment::Variable;
use crate::{Cmd, Host, RunError, Sink, Status, Stdin, Tool};

/// Redirections that are followed: as many as libdnf's, and no site needs more than three.
const REDIRECTS_MAX: u32 = 10;

/// How often a waiting transfer looks whether somebody wants to stop.
const TICK: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// How transfers are made. The default verifies certificates and waits half a minute for a server that says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manner {
    /// Seconds until a server has to answer, and in which it has to send at least [`Manner::min_rate`] a second.
    pub timeout_s: u64,
    /// Bytes a second below which a transfer has stalled; 0 counts as 1.
    pub min_rate: u64,
    /// How often an address is asked before it counts as gone.
    pub retries: u64,
    /// Whether certificates are verified.
    pub verify: bool,
    /// What servers are told of us; empty for curl's own words.
    pub agent: String,
    /// The proxy; empty for that of the environment, `none` for none.
    pub proxy: String,
    /// Name and password for the proxy.
    pub proxy_login: (String, String),
    /// Name and password for the server.
    pub login: (String, String),
    /// Certificates and keys, as curl's settings name them: `cacert`, `cert`, `key`.
    pub certificates: Vec<(&'static str, String)>,
}

impl Default for Manner {
    fn default() -> Manner {
        let none = || (String::new(), String::new());
        Manner {
            timeout_s: 30,
            min_rate: 1,
            retries: 3,
            verify: true,
            agent: String::new(),
            proxy: String::new(),
            proxy_login: none(),
            login: none(),
            certificates: Vec::new(),
        }
    }
}

/// Why a file could not be fetched. Addresses are without names and passwords.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum TransferError {
    #[error("{url}: {scheme} is not one of file, http and https")]
    Scheme { url: String, scheme: String },
    #[error("{url}: the server answered {status}")]
    Status { url: String, status: u32 },
    #[error("{url}: it stalled, or did not answer within {seconds} s")]
    Stalled { url: String, seconds: u64 },
    #[error("{url}: it is larger than the expected {limit} bytes")]
    TooLarge { url: String, limit: u64 },
    #[error("{url}: it was redirected more than {REDIRECTS_MAX} times")]
    Redirects { url: String },
    #[error("{url}: it is cut off after {got} bytes")]
    Truncated { url: String, got: u64 },
    #[error("{url}: the server cannot go on behind {got} bytes")]
    NoRange { url: String, got: u64 },
    #[error("{url}: {cause}")]
    Connection { url: String, cause: String },
    #[error("{url}: {cause}")]
    Certificate { url: String, cause: String },
    #[error("{url}: {cause}")]
    File { url: String, cause: std::io::Error },
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Write(#[from] std::io::Error),
    #[error("interrupted; what was fetched so far stays in the cache")]
    Interrupted,
}

impl TransferError {
    /// Whether the same address may answer otherwise a moment later.
    pub fn is_passing(&self) -> bool {
        match self {
            TransferError::Status { status, .. } => *status >= 500 || *status == 429 || *status == 408,
            TransferError::Stalled { .. }
            | TransferError::Truncated { .. }
            | TransferError::NoRange { .. }
            | TransferError::Connection { .. } => true,
            _ => false,
        }
    }

    /// Whether no other mirror can help.
    pub fn is_ours(&self) -> bool {
        matches!(self, TransferError::Run(_) | TransferError::Write(_) | TransferError::Interrupted)
    }
}

/// Fetches `url` behind what `to` already holds; `to` never grows past `limit` bytes.
///
/// # Errors
/// [`TransferError`]; what came until then is in `to`.
pub fn fetch(url: &str, to: &Path, limit: u64, manner: &Manner, host: &Host) -> Result<(), TransferError> {
    let shown = redacted(url);
    match url.split_once("://") {
        None if url.starts_with('/') => copy(Path::new(url), to, limit, &shown),
        Some(("file", path)) => {
            let path = path.strip_prefix("localhost").unwrap_or(path);
            copy(Path::new(&decoded(path)), to, limit, &shown)
        }
        Some(("http" | "https", _)) => download(url, to, limit, manner, host),
        Some((scheme, _)) => Err(TransferError::Scheme { url: shown.clone(), scheme: format!("`{scheme}`") }),
        None => Err(TransferError::Scheme { url: shown.clone(), scheme: "an address without a scheme".to_owned() }),
    }
}

fn copy(from: &Path, to: &Path, limit: u64, shown: &str) -> Result<(), TransferError> {
    let wrong = |cause| TransferError::File { url: shown.to_owned(), cause };
    let mut file = fs_err::File::open(from).map_err(wrong)?;
    let mut out = fs_err::File::create(to)?;
    let mut buffer = vec![0; 1 << 18];
    let mut left = limit;
    loop {
        let count = file.read(&mut buffer).map_err(wrong)?;
        if count == 0 {
            return Ok(());
        }
        left =
            left.checked_sub(count as u64).ok_or_else(|| TransferError::TooLarge { url: shown.to_owned(), limit })?;
        out.write_all(&buffer[..count])?;
    }
}

/// `%20` and its like replaced.
fn decoded(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let code = (*byte == b'%').then(|| after.get(..2)).flatten();
        match code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok()) {
            Some(code) => {
                bytes.push(code);
                rest = &after[2..];
            }
            None => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn download(url: &str, to: &Path, limit: u64, manner: &Manner, host: &Host) -> Result<(), TransferError> {
    let shown = redacted(url);
    let mut got = fs_err::metadata(to).map_or(0, |meta| meta.len());
    let cmd = command(url, got, manner);
    let said = to.with_extension("said");
    let _ = fs_err::remove_file(&said);
    let mut running =
        host.spawn(&Cmd { stdin: Stdin::Piped, ..cmd.clone() }, &Sink::Piped, &Sink::File(said.clone()))?;
    let Stdin::Bytes(settings) = &cmd.stdin else { unreachable!("`command` gives bytes") };
    if let Some(mut stdin) = running.take_stdin() {
        // A curl that ended already says why on its other outputs.
        let _ = stdin.write_all(settings);
    }
    let mut out = fs_err::OpenOptions::new().create(true).append(true).open(to)?;
    let Some(mut stdout) = running.take_stdout() else { return Err(TransferError::Interrupted) };
    let mut buffer = vec![0; 1 << 18];
    loop {
        if host.interrupted() {
            running.kill();
            return Err(TransferError::Interrupted);
        }
        let ready = poll(&mut [PollFd::new(&stdout, PollFlags::IN)], Some(&TICK));
        if matches!(ready, Ok(0) | Err(_)) {
            continue;
        }
        let count = stdout.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        got += count as u64;
        if got > limit {
            running.kill();
            let _ = fs_err::remove_file(&said);
            return Err(TransferError::TooLarge { url: shown, limit });
        }
        out.write_all(&buffer[..count])?;
    }
    let status = running.wait()?;
    let words = fs_err::read_to_string(&said).unwrap_or_default();
    let _ = fs_err::remove_file(&said);
    outcome(status, &words, shown, got, manner)
}

/// `url` without a user's name and password, as it may be shown.
pub fn redacted(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..authority].rfind('@') {
        Some(at) => format!("{scheme}://***@{}", &rest[at + 1..]),
        None => url.to_owned(),
    }
}

fn outcome(status: Status, words: &str, url: String, got: u64, manner: &Manner) -> Result<(), TransferError> {
    let last = words.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
    let cause = last.split_once(") ").map_or(last, |(_, cause)| cause).to_owned();
    let Status::Code(code) = status else {
        return Err(TransferError::Connection { url, cause: format!("curl ended with {status}") });
    };
    Err(match code {
        0 => return Ok(()),
        18 => TransferError::Truncated { url, got },
        22 => {
            let status = cause.rsplit(' ').next().and_then(|word| word.parse().ok());
            match status {
                Some(status) => TransferError::Status { url, status },
                None => TransferError::Connection { url, cause },
            }
        }
        33 | 36 => TransferError::NoRange { url, got },
        28 => TransferError::Stalled { url, seconds: manner.timeout_s },
        47 => TransferError::Redirects { url },
        35 | 51 | 53 | 54 | 58 | 59 | 60 | 66 | 77 | 82 | 83 | 90 | 91 => TransferError::Certificate { url, cause },
        _ => TransferError::Connection { url, cause },
    })
}

/// The call of curl; its settings are its standard input.
fn command(url: &str, from: u64, manner: &Manner) -> Cmd {
    let mut text = String::new();
    for switch in ["silent", "show-error", "fail", "location", "globoff", "no-netrc"] {
        if switch != "no-netrc" {
            text.push_str(switch);
            text.push('\n');
        }
    }
    let mut set = |name: &str, value: &str| {
        if !value.is_empty() {
            text.push_str(&format!("{name} = \"{}\"\n", escaped(value)));
        }
    };
    set("url", url);
    set("max-redirs", &REDIRECTS_MAX.to_string());
    set("proto", "=http,https");
    set("proto-redir", "=http,https");
    set("connect-timeout", &manner.timeout_s.to_string());
    set("speed-time", &manner.timeout_s.to_string());
    set("speed-limit", &manner.min_rate.max(1).to_string());
    set("user-agent", &manner.agent);
    if from > 0 {
        set("continue-at", &from.to_string());
    }
    match manner.proxy.as_str() {
        "_none_" | "none" => set("noproxy", "*"),
        proxy => set("proxy", proxy),
    }
    for (name, (user, password)) in [("proxy-user", &manner.proxy_login), ("user", &manner.login)] {
        if !user.is_empty() {
            set(name, &format!("{user}:{password}"));
        }
    }
    for (name, file) in &manner.certificates {
        set(name, file);
    }
    if !manner.verify {
        text.push_str("insecure\n");
    }
    // `-q` first: no settings of the user's own.
    let cmd = Cmd::new(Tool::Curl).args(["-q", "--config", "-"]).stdin(Stdin::Bytes(text.into_bytes()));
    let proxies = [Variable::HttpProxy, Variable::HttpsProxy, Variable::NoProxy];
    proxies.into_iter().fold(cmd, Cmd::pass)
}

fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '\\' | '"' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => out.push(c),
        }
    }
    out
}

/// How long to wait before the same address is asked again.
pub fn pause(attempt: u64) -> Duration {
    Duration::from_millis(200 << attempt.min(5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_in_no_argument_and_no_value_breaks_out() {
        let manner = Manner {
            login: ("u".to_owned(), "se\"cret\nurl = \"http://evil\"".to_owned()),
            timeout_s: 30,
            verify: true,
            ..Manner::default()
        };
        let cmd = command("http://h/a", 7, &manner);
        assert_eq!(cmd.to_string(), "curl -q --config -");
        let Stdin::Bytes(settings) = &cmd.stdin else { panic!("no settings") };
        let settings = std::str::from_utf8(settings).unwrap();
        assert_eq!(settings.lines().filter(|line| line.starts_with("url")).count(), 1, "{settings}");
        assert!(settings.contains("continue-at = \"7\"") && settings.contains("max-redirs = \"10\""), "{settings}");
    }

    #[test]
    fn names_and_passwords_are_not_shown() {
        for (url, shown) in [
            ("https://u:p@ss@host/a@b", "https://***@host/a@b"),
            ("http://host/a@b", "http://host/a@b"),
            ("file:///a@b", "file:///a@b"),
            ("/a", "/a"),
        ] {
            assert_eq!(redacted(url), shown);
        }
    }

    #[test]
    fn paths_of_addresses_are_decoded() {
        assert_eq!(decoded("/a%20b%2Bc%"), "/a b+c%");
    }
}

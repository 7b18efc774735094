//! A folder over HTTP: what one connection asks for, answered read-only (RFC 9110 and 9112, as far as clients of
//! repositories need it).
//!
//! ```text
//! GET /current/repodata/repomd.xml HTTP/1.1        HEAD too; every other method is refused
//! Range: bytes=1000-                               one range without end, as curl's --continue-at asks for
//! ```
//!
//! One request a connection: the answer says `Connection: close`. Links are followed, because `current` is one; names that
//! lead upwards are refused.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A request's head is not longer than this.
const HEAD_MAX: u64 = 16 << 10;

/// What was asked for, and how it was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// `GET` or what else was written; empty where nothing readable came.
    pub method: String,
    /// The path as it was asked for.
    pub path: String,
    /// The status.
    pub status: u16,
    /// Bytes of the body.
    pub bytes: u64,
}

/// Answers the one request that comes from `input`, out of `folder`.
///
/// # Errors
/// That of the connection. A file that changes its length meanwhile ends the connection early, so that the client sees it.
pub fn serve(folder: &Path, input: impl Read, mut output: impl Write) -> io::Result<Answered> {
    let Some(request) = Request::read(input)? else {
        return refuse(Answered::of("", ""), 400, &mut output);
    };
    let mut answered = Answered::of(&request.method, &request.path);
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        return refuse(answered, 405, &mut output);
    }
    let Some(path) = place(folder, &request.path) else {
        return refuse(answered, 400, &mut output);
    };
    let opened = fs_err::File::open(&path).and_then(|file| file.metadata().map(|meta| (file, meta)));
    let (mut file, size) = match opened {
        Ok((file, meta)) if meta.is_file() => (file, meta.len()),
        _ => return refuse(answered, 404, &mut output),
    };
    let from = request.from.unwrap_or(0);
    if from > 0 && from >= size {
        return refuse(answered, 416, &mut output);
    }
    answered.status = if request.from.is_some() { 206 } else { 200 };
    answered.bytes = size - from;
    let mut head = head(answered.status, answered.bytes);
    if request.from.is_some() {
        head.push_str(&format!("Content-Range: bytes {from}-{}/{size}\r\n", size.saturating_sub(1)));
    }
    output.write_all(format!("{head}\r\n").as_bytes())?;
    if request.method == "GET" {
        file.seek(SeekFrom::Start(from))?;
        let sent = io::copy(&mut file.take(answered.bytes), &mut output)?;
        if sent < answered.bytes {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    output.flush()?;
    Ok(answered)
}

impl Answered {
    fn of(method: &str, path: &str) -> Answered {
        Answered { method: method.to_owned(), path: path.to_owned(), status: 0, bytes: 0 }
    }
}

fn head(status: u16, length: u64) -> String {
    let reason = match status {
        200 => "OK",
        206 => "Partial Content",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        _ => "Range Not Satisfiable",
    };
    format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Length: {length}\r\nAccept-Ranges: bytes\r\nCache-Control: no-cache\r\n\
         Content-Type: application/octet-stream\r\nConnection: close\r\n"
    )
}

fn refuse(mut answered: Answered, status: u16, output: &mut impl Write) -> io::Result<Answered> {
    answered.status = status;
    output.write_all(format!("{}\r\n", head(status, 0)).as_bytes())?;
    output.flush()?;
    Ok(answered)
}

/// What is asked for.
struct Request {
    method: String,
    path: String,
    /// The first byte that is wanted, where a part is.
    from: Option<u64>,
}

impl Request {
    /// Reads a request's head; `None` where it is none.
    fn read(input: impl Read) -> io::Result<Option<Request>> {
        let mut lines = BufReader::new(input.take(HEAD_MAX));
        let mut line = || -> io::Result<Option<String>> {
            let mut bytes = Vec::new();
            lines.read_until(b'\n', &mut bytes)?;
            let text = String::from_utf8(bytes).ok();
            Ok(text.and_then(|text| text.strip_suffix('\n').map(|line| line.trim_end_matches('\r').to_owned())))
        };
        let Some(first) = line()? else { return Ok(None) };
        let words: Vec<&str> = first.split(' ').collect();
        let [method, target, version] = words[..] else { return Ok(None) };
        if !version.starts_with("HTTP/1.") || !target.starts_with('/') {
            return Ok(None);
        }
        let mut from = None;
        loop {
            match line()? {
                None => return Ok(None),
                Some(line) if line.is_empty() => break,
                Some(line) => {
                    let range = line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("range"));
                    // A range of another form may be answered with the whole (RFC 9110, section 14.2).
                    from = range.and_then(|(_, value)| start(value.trim())).or(from);
                }
            }
        }
        Ok(Some(Request { method: method.to_owned(), path: target.to_owned(), from }))
    }
}

/// `1000` of `bytes=1000-`.
fn start(range: &str) -> Option<u64> {
    range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
}

/// The file below `folder` that a target means; `None` where its name is not one that a repository has.
fn place(folder: &Path, target: &str) -> Option<PathBuf> {
    let path = target.split(['?', '#']).next().unwrap_or_default();
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            byte => byte,
        });
    }
    let path = String::from_utf8(bytes).ok()?;
    let mut place = folder.to_owned();
    for name in path.split('/').filter(|name| !name.is_empty() && *name != ".") {
        if name == ".." || name.contains(['\0', '\\']) {
            return None;
        }
        place.push(name);
    }
    Some(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(folder: &Path, request: &str) -> (Answered, String) {
        let mut out = Vec::new();
        let answered = serve(folder, request.as_bytes(), &mut out).unwrap();
        (answered, String::from_utf8(out).unwrap())
    }

    #[test]
    fn files_a_folder_answers_read_only() {
        let folder = tempfile::tempdir().unwrap();
        let served = folder.path().join("served");
        fs_err::create_dir_all(served.join("one")).unwrap();
        fs_err::write(served.join("one/a+b"), "0123456789").unwrap();
        fs_err::write(served.join("empty"), "").unwrap();
        fs_err::write(folder.path().join("secret"), "secret").unwrap();
        fs_err::os::unix::fs::symlink("one", served.join("current")).unwrap();
        let get = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n");
        let many = format!("GET /empty HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(4000));
        for (request, status, body) in [
            (get("/current/a+b"), 200, "0123456789"),
            (get("/current//./a%2Bb?x=1"), 200, "0123456789"),
            ("GET /one/a+b HTTP/1.0\nrange: bytes=7-\n\n".to_owned(), 206, "789"),
            ("GET /one/a+b HTTP/1.1\r\nRange: bytes=0-\r\n\r\n".to_owned(), 206, "0123456789"),
            ("GET /one/a+b HTTP/1.1\r\nRange: bytes=2-4\r\n\r\n".to_owned(), 200, "0123456789"),
            ("GET /one/a+b HTTP/1.1\r\nRange: bytes=10-\r\n\r\n".to_owned(), 416, ""),
            ("HEAD /one/a+b HTTP/1.1\r\n\r\n".to_owned(), 200, ""),
            (get("/empty"), 200, ""),
            (get("/one"), 404, ""),
            (get("/none"), 404, ""),
            (get("/../secret"), 400, ""),
            (get("/one/%2e%2e/%2E%2E/secret"), 400, ""),
            (get("/a%0"), 400, ""),
            (get("/a%00"), 400, ""),
            ("POST /empty HTTP/1.1\r\n\r\n".to_owned(), 405, ""),
            ("GET /empty HTTP/1.1\r\nHost: x\r\n".to_owned(), 400, ""),
            ("nonsense".to_owned(), 400, ""),
            (many, 400, ""),
        ] {
            let (answered, text) = ask(&served, &request);
            assert_eq!(answered.status, status, "{request}");
            let (head, got) = text.split_once("\r\n\r\n").unwrap();
            assert_eq!(got, body, "{request}");
            assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
            let length = if answered.method == "HEAD" { 10 } else { body.len() };
            assert!(head.contains(&format!("Content-Length: {length}\r\n")), "{request}: {head}");
        }
        let (_, text) = ask(&served, "GET /one/a+b HTTP/1.1\r\nRange: bytes=7-\r\n\r\n");
        assert!(text.contains("Content-Range: bytes 7-9/10\r\n"), "{text}");
    }
}

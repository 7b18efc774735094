//! An HTTP server that can do wrong in every way.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How the server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// With the file.
    Good,
    /// With other bytes of the same length, where the path has this in it.
    Lies(&'static str),
    /// With half of the file, and then it hangs up.
    Truncates,
    /// With half of the file the first time, as `Good` from there on, ranges included.
    TruncatesOnce,
    /// With half of the file, or of the range that is asked for, and then nothing, while the connection stays.
    StallsHalfway,
    /// With the whole file, whatever range is asked for.
    NoRanges,
    /// With nothing, and the connection stays.
    Stalls,
    /// With another address on itself, for ever.
    Redirects,
    /// With bytes that do not end.
    Endless,
    /// With an error.
    Fails(u16),
    /// In that manner where the path has this in it, and as `Good` everywhere else.
    Only(&'static str, &'static Manner),
}

/// Serves `folder` in that manner until the test ends; gives the base address.
pub fn serve(folder: PathBuf, manner: Manner) -> String {
    serve_heard(folder, manner).0
}

/// What a server was asked for, as in `/a/b` or `/a/b from 17`.
pub type Heard = Arc<Mutex<Vec<String>>>;

/// As [`serve`], and what it is asked for.
pub fn serve_heard(folder: PathBuf, manner: Manner) -> (String, Heard) {
    let heard = Heard::default();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let all = heard.clone();
    let address = listener.local_addr().expect("it has an address");
    std::thread::spawn(move || {
        for (count, stream) in listener.incoming().enumerate() {
            let Ok(stream) = stream else { return };
            let (folder, heard) = (folder.clone(), all.clone());
            std::thread::spawn(move || answer(stream, &folder, manner, count, &heard));
        }
    });
    (format!("http://{address}/"), heard)
}

fn answer(mut stream: TcpStream, folder: &Path, manner: Manner, count: usize, heard: &Heard) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let path = lines.next()?.ok()?.split(' ').nth(1)?.to_owned();
    let mut from = 0;
    for line in lines.map_while(Result::ok).take_while(|line| !line.is_empty()) {
        if let Some(range) = line.to_ascii_lowercase().strip_prefix("range: bytes=") {
            from = range.trim_end_matches('-').parse().ok()?;
        }
    }
    let words = if from > 0 { format!("{path} from {from}") } else { path.clone() };
    heard.lock().unwrap_or_else(PoisonError::into_inner).push(words);
    let file = folder.join(path.split('?').next()?.trim_start_matches('/'));
    let Ok(mut bytes) = fs_err::read(&file) else {
        return stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").ok();
    };
    let head = |status: &str, length: usize| {
        format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n")
    };
    let manner = match manner {
        Manner::Only(part, manner) if path.contains(part) => *manner,
        manner => manner,
    };
    match manner {
        Manner::Lies(part) if path.contains(part) => {
            bytes.iter_mut().for_each(|byte| *byte ^= 1);
            stream.write_all(head("200 OK", bytes.len()).as_bytes()).ok()?;
            stream.write_all(&bytes).ok()
        }
        Manner::Truncates => {
            stream.write_all(head("200 OK", bytes.len()).as_bytes()).ok()?;
            stream.write_all(&bytes[..bytes.len() / 2]).ok()
        }
        Manner::TruncatesOnce if count == 0 => {
            stream.write_all(head("200 OK", bytes.len()).as_bytes()).ok()?;
            stream.write_all(&bytes[..bytes.len() / 2]).ok()
        }
        Manner::StallsHalfway => {
            let half = from + (bytes.len() - from) / 2;
            let range = format!("content-range: bytes {from}-{}/{}\r\nconnection", bytes.len() - 1, bytes.len());
            let status = if from > 0 { "206 Partial Content" } else { "200 OK" };
            let head = head(status, bytes.len() - from);
            let head = if from > 0 { head.replace("connection", &range) } else { head };
            stream.write_all(head.as_bytes()).ok()?;
            stream.write_all(&bytes[from..half]).ok()?;
            std::thread::sleep(Duration::from_secs(60));
            Some(())
        }
        Manner::Stalls => {
            std::thread::sleep(Duration::from_secs(60));
            Some(())
        }
        Manner::Redirects => {
            let path = path.split('?').next()?;
            let next = format!("location: {path}?{count}\r\nconnection");
            stream.write_all(head("302 Found", 0).replace("connection", &next).as_bytes()).ok()
        }
        Manner::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").ok()?;
            loop {
                stream.write_all(&[b' '; 1 << 16]).ok()?;
            }
        }
        Manner::Fails(status) => stream.write_all(head(&format!("{status} No"), 0).as_bytes()).ok(),
        _ if from > 0 && from >= bytes.len() && manner != Manner::NoRanges => {
            stream.write_all(head("416 Range Not Satisfiable", 0).as_bytes()).ok()
        }
        _ if from > 0 && manner != Manner::NoRanges => {
            let range = format!("content-range: bytes {from}-{}/{}\r\n", bytes.len() - 1, bytes.len());
            let head =
                head("206 Partial Content", bytes.len() - from).replace("connection", &format!("{range}connection"));
            stream.write_all(head.as_bytes()).ok()?;
            stream.write_all(&bytes[from..]).ok()
        }
        _ => {
            stream.write_all(head("200 OK", bytes.len()).as_bytes()).ok()?;
            stream.write_all(&bytes).ok()
        }
    }
}

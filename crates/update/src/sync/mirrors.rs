//! Where a repository can be had: its base addresses, a mirror list, or a metalink.
//!
//! A metalink (Metalink 3.0, as MirrorManager writes it) also says what `repomd.xml` has to be, in several digests and for
//! several of its latest states; that binds mirrors which are not asked for a signature.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use repodata::{Algorithm, Checksum};

/// A list of mirrors is not larger than this.
pub(crate) const BYTES_MAX: u64 = 4 << 20;

/// Mirrors that are kept of a list.
const MIRRORS_MAX: usize = 200;

/// What a metalink says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Metalink {
    /// Base addresses, the best first.
    pub(crate) mirrors: Vec<String>,
    /// What the index may be: the newest state, then older ones that some mirrors still have.
    pub(crate) states: Vec<Expected>,
}

/// What a file has to be. Empty means that nothing is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) size: Option<u64>,
    pub(crate) checksums: Vec<Checksum>,
}

impl Expected {
    /// The checksums that prove something: MD5 and SHA-1 do not any more.
    pub(crate) fn strong(&self) -> impl Iterator<Item = &Checksum> {
        self.checksums.iter().filter(|one| !matches!(one.algorithm, Algorithm::Md5 | Algorithm::Sha1))
    }
}

/// The addresses in a mirror list: one a line; `#` starts a comment.
pub(crate) fn list(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.filter(|line| line.contains("://") || line.starts_with('/')).take(MIRRORS_MAX).map(str::to_owned).collect()
}

/// Reads a metalink; the error says what is wrong with it.
pub(crate) fn metalink(text: &str) -> Result<Metalink, String> {
    let mut reader = Reader::from_str(text);
    let (mut states, mut urls): (Vec<Expected>, Vec<(i64, String)>) = (Vec::new(), Vec::new());
    let (mut path, mut within): (Vec<String>, String) = (Vec::new(), String::new());
    let (mut is_index, mut preference, mut algorithm) = (false, 0, None);
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(start) => {
                let name = start.local_name().as_ref().to_owned();
                match name.as_str() {
                    "file" => {
                        is_index = attribute(&start, "name").is_some_and(|name| name == "repomd.xml");
                        if is_index {
                            states.push(Expected::default());
                        }
                    }
                    "alternate" if is_index => states.push(Expected::default()),
                    "hash" => algorithm = attribute(&start, "type").and_then(|name| Algorithm::parse(&name)),
                    "url" => {
                        preference = attribute(&start, "preference").and_then(|text| text.parse().ok()).unwrap_or(0);
                    }
                    _ => {}
                }
                within.clear();
                path.push(name);
                if path.len() > 32 {
                    return Err("elements are nested too deeply".to_owned());
                }
            }
            Event::Text(text) => within.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => {
                let name = AsRef::<str>::as_ref(&reference).to_owned();
                within.push_str(quick_xml::escape::resolve_predefined_entity(&name).unwrap_or_default());
            }
            Event::End(_) => {
                let text = within.trim();
                match (path.pop().as_deref(), states.last_mut()) {
                    (Some("size"), Some(state)) if is_index => state.size = text.parse().ok(),
                    (Some("hash"), Some(state)) if is_index => {
                        let checksum = algorithm.and_then(|algorithm| Checksum::new(algorithm, text));
                        state.checksums.extend(checksum);
                    }
                    (Some("url"), _) if is_index && urls.len() < MIRRORS_MAX => {
                        let is_known = ["http://", "https://", "file://"].iter().any(|scheme| text.starts_with(scheme));
                        if let (true, Some(base)) = (is_known, text.strip_suffix("repodata/repomd.xml")) {
                            urls.push((preference, base.to_owned()));
                        }
                    }
                    (Some("file"), _) => is_index = false,
                    _ => {}
                }
                within.clear();
            }
            Event::Eof if !path.is_empty() => return Err(format!("it ends inside of `{}`", path.join("/"))),
            Event::Eof => break,
            _ => {}
        }
    }
    // Stable: mirrors of one preference stay in the list's order.
    urls.sort_by_key(|(preference, _)| std::cmp::Reverse(*preference));
    if states.first().is_none_or(|newest| newest.strong().next().is_none()) {
        return Err("it has no digest of `repomd.xml` that is still safe".to_owned());
    }
    states.retain(|state| state.strong().next().is_some());
    Ok(Metalink { mirrors: urls.into_iter().map(|(_, url)| url).collect(), states })
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = start.attributes().flatten().find(|attribute| attribute.key.local_name().as_ref() == name)?;
    Some(found.value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const METALINK: &str = r#"<?xml version="1.0"?>
<metalink version="3.0" xmlns="http://www.metalinker.org/" xmlns:mm0="http://fedorahosted.org/mirrormanager">
 <files><file name="repomd.xml">
  <size>42</size>
  <verification>
   <hash type="md5">00000000000000000000000000000000</hash>
   <hash type="sha256">1111111111111111111111111111111111111111111111111111111111111111</hash>
  </verification>
  <mm0:alternates><mm0:alternate><size>41</size><verification>
   <hash type="sha256">2222222222222222222222222222222222222222222222222222222222222222</hash>
  </verification></mm0:alternate></mm0:alternates>
  <resources maxconnections="1">
   <url protocol="rsync" type="rsync" preference="100">rsync://a/repodata/repomd.xml</url>
   <url protocol="http" type="http" preference="90">http://slow/?a=1&amp;b=2/repodata/repomd.xml</url>
   <url protocol="https" type="https" preference="99">https://fast/repo/repodata/repomd.xml</url>
  </resources>
 </file></files></metalink>"#;

    #[test]
    fn a_metalink_has_mirrors_and_several_states() {
        let read = metalink(METALINK).unwrap();
        assert_eq!(read.mirrors, ["https://fast/repo/", "http://slow/?a=1&b=2/"]);
        assert_eq!(read.states.len(), 2);
        assert_eq!((read.states[0].size, read.states[1].size), (Some(42), Some(41)));
        assert_eq!((read.states[0].checksums.len(), read.states[0].strong().count()), (2, 1));
    }

    #[test]
    fn a_metalink_without_a_safe_digest_is_refused() {
        let weak = METALINK.replace("sha256", "md5");
        assert!(metalink(&weak).unwrap_err().contains("still safe"));
        assert!(metalink(&METALINK[..600]).is_err());
        assert!(metalink("no xml").is_err());
    }

    #[test]
    fn a_list_has_an_address_a_line() {
        assert_eq!(list("# comment\n\n http://a/ \nnonsense\nfile:///b\n"), ["http://a/", "file:///b"]);
    }
}

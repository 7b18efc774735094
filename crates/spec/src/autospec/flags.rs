use crate::{Environment, Origin};

/// What a spec says of its version and of its `%autorelease`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flags {
    /// `[epoch:]version`; no epoch where it is not said.
    pub epoch_version: String,
    /// `-e`.
    pub extra: Option<String>,
    /// `-s`.
    pub snapshot: Option<String>,
    /// `-p`.
    pub is_prerelease: bool,
    /// `-b`; 1 if not said.
    pub base: u32,
}

/// What `%autorelease` expands to while flags are asked for.
const MARKER: &str = "E%{?-e*}_S%{?-s*}_P%{?-p:1}%{!?-p:0}_B%{?-b*}";

/// Reads the flags by evaluating the spec: the part before `%prep`, or all of it where that does not do.
pub fn flags(spec: &str, environment: &Environment) -> Option<Flags> {
    let end = spec.split_inclusive('\n').take_while(|line| line.trim() != "%prep").map(str::len).sum();
    [&spec[..end], spec]
        .into_iter()
        .find_map(|text| evaluate(&format!("%define autorelease(e:s:pb:n) {MARKER}\n{text}"), environment))
}

fn evaluate(text: &str, environment: &Environment) -> Option<Flags> {
    let found = crate::evaluate(text, &Origin::new("spec"), environment).ok()?;
    let source = &found.source;
    let epoch = source.evr.epoch;
    let release = source.evr.release.as_str();
    let epoch_version = if epoch > 0 { format!("{epoch}:{}", source.evr.version) } else { source.evr.version.clone() };
    let mut flags = Flags { epoch_version, extra: None, snapshot: None, is_prerelease: false, base: 1 };
    if let Some((extra, rest)) = release.strip_prefix('E').and_then(|rest| rest.split_once("_S"))
        && let Some((snapshot, rest)) = rest.split_once("_P")
        && let Some((prerelease, base)) = rest.split_once("_B")
    {
        let filled = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        flags.extra = filled(extra);
        flags.snapshot = filled(snapshot);
        flags.is_prerelease = prerelease == "1";
        flags.base = base.parse().unwrap_or(1);
    }
    Some(flags)
}

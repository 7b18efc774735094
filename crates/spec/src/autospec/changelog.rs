use super::release::Reached;
use super::{Commit, wrap};
use crate::calendar::{civil_from_days, weekday};

/// One entry: a commit's message, or the whole file `changelog` at it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) commit: usize,
    pub(super) error: Option<&'static str>,
    pub(super) is_data: bool,
}

/// Comments in a message that are meant for the release or the changelog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Magic {
    pub(super) skips_changelog: bool,
    pub(super) bump: u32,
}

impl Magic {
    /// `[skip changelog]` and `[bump release: 3]`, on lines of their own, several with commas between.
    pub(super) fn of(message: &str) -> Magic {
        let mut magic = Magic::default();
        for line in message.split('\n') {
            let Some(inner) = line.trim().strip_prefix('[').and_then(|line| line.strip_suffix(']')) else { continue };
            for part in inner.split(',') {
                let mut words = part.split_whitespace();
                match (words.next(), words.next()) {
                    (Some("skip"), Some(what)) if what.starts_with("changelog") => magic.skips_changelog = true,
                    (Some("bump"), Some(what)) => {
                        let rest: String = std::iter::once(what).chain(words).collect();
                        let digits = rest.strip_prefix("release").map(|rest| rest.trim_start_matches(':'));
                        let length = digits.map_or(0, |digits| digits.bytes().take_while(u8::is_ascii_digit).count());
                        if let Some(Ok(bump)) = digits.map(|digits| digits[..length].parse()) {
                            magic.bump = magic.bump.max(bump);
                        }
                    }
                    _ => {}
                }
            }
        }
        magic
    }
}

pub(super) fn text(history: &[Commit], results: &[Option<Reached>], entry: &Entry) -> String {
    let commit = &history[entry.commit];
    if entry.is_data {
        return commit.changelog.as_deref().unwrap_or_default().to_owned();
    }
    let evr = results[entry.commit].as_ref().and_then(|reached| {
        let flags = reached.flags.as_ref()?;
        let number = u64::from(reached.number) + u64::from(flags.base) - 1;
        let tags: String = [&flags.extra, &flags.snapshot].into_iter().flatten().map(|tag| format!(".{tag}")).collect();
        let prerelease = if flags.is_prerelease { "0." } else { "" };
        Some(format!(" - {}-{prerelease}{number}{tags}", flags.epoch_version))
    });
    let days = commit.time.div_euclid(86_400);
    let (year, month, day) = civil_from_days(days);
    let weekday = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][weekday(days) as usize % 7];
    let month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        [(month as usize + 11) % 12];
    let evr = evr.unwrap_or_default();
    let items = match entry.error {
        Some(error) => vec![format!("RPMAUTOSPEC: {error}")],
        None => items(&commit.message),
    };
    let items: Vec<String> = items.iter().map(|item| wrap::fill(&format!("- {item}"))).collect();
    format!("* {weekday} {month} {day:02} {year} {} <{}>{evr}\n{}", commit.author, commit.email, items.join("\n"))
}

/// A message's subject, and what follows it as a list or after an ellipsis.
fn items(message: &str) -> Vec<String> {
    #[derive(PartialEq)]
    enum State {
        BeforeSubject,
        Subject,
        BeforeBody,
        Continued,
        Body,
    }
    let mut items: Vec<Vec<String>> = vec![Vec::new()];
    let mut state = State::BeforeSubject;
    for line in message.split('\n') {
        let quoted = line.replace('%', "%%");
        let mut line = quoted.trim();
        if state == State::BeforeSubject {
            if line.is_empty() {
                continue;
            }
            state = State::Subject;
            line = line.strip_prefix('-').map_or(line, str::trim_start);
        }
        if state == State::Subject {
            if !line.is_empty() {
                items[0].push(line.to_owned());
                continue;
            }
            state = State::BeforeBody;
        }
        if state == State::BeforeBody {
            if line.is_empty() {
                continue;
            }
            if let Some(rest) = behind_ellipsis(line) {
                state = State::Continued;
                items[0].push(rest.to_owned());
                continue;
            }
            if !line.starts_with('-') {
                break;
            }
            state = State::Body;
        }
        if state == State::Continued {
            if line.is_empty() || line.starts_with('-') {
                state = State::Body;
            } else {
                items[0].push(line.to_owned());
                continue;
            }
        }
        if line.is_empty() {
            break;
        }
        if let Some(rest) = line.strip_prefix('-') {
            line = rest.trim_start();
            items.push(Vec::new());
        }
        if let Some(last) = items.last_mut() {
            last.push(line.to_owned());
        }
    }
    items.into_iter().map(|lines| lines.join(" ")).collect()
}

/// What stands behind three dots or more, or behind `…`.
fn behind_ellipsis(line: &str) -> Option<&str> {
    let dots = line.len() - line.trim_start_matches('.').len();
    if dots >= 3 {
        return Some(line[dots..].trim_start());
    }
    line.starts_with('…').then(|| line.trim_start_matches('…').trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_become_items() {
        for (message, expected) in [
            ("One", vec!["One"]),
            ("- One\ntwo\n\n- three\n  four\n- 100%\n\nnot this", vec!["One two", "three four", "100%%"]),
            ("One\n\n... two\nthree\n- four", vec!["One two three", "four"]),
            ("One\n\nnothing of this\n- nor this", vec!["One"]),
        ] {
            assert_eq!(items(message), expected, "{message}");
        }
        assert_eq!(Magic::of("a\n\n[skip changelog, bump release: 7]\n"), Magic { skips_changelog: true, bump: 7 });
        assert_eq!(
            Magic::of("[bump release 3]\n[bump  release:4]\nx [bump release: 9]"),
            Magic { skips_changelog: false, bump: 4 }
        );
    }
}

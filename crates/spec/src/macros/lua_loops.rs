//! Lua loops over thousands of numbered names, most of which nobody defines.
//!
//! Fedora's scripts look for `forgeurl0`, `forgeurl1` and so on to `forgeurl9999`, several times in a spec:
//!
//! ```lua
//! for suffix=0,9999 do
//!   local value = rpm.expand("%{?" .. rpmvar .. suffix .. "}")
//!   if (value ~= "") then suffixes[tostring(suffix)] = value end
//! end
//! ```
//!
//! An undefined name does nothing here, so the loop may as well run over the defined ones: its head becomes
//! `for suffix in NUMBERED(rpmvar, 0, 9999) do`. Everything else, line ends included, stays as it is. A loop of another shape is
//! left alone.

use std::borrow::Cow;

/// The global function that lists defined names.
pub(super) const NUMBERED: &str = "__numbered_macros";

/// The largest number that a loop may run to.
const LARGEST: u32 = 1_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Word,
    Number,
    Text,
    Mark,
}

#[derive(Clone, Copy, Debug)]
struct Token<'s> {
    kind: Kind,
    text: &'s str,
    start: usize,
}

impl Token<'_> {
    fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// The script with its loops over numbered names shortened.
pub(super) fn shorten(script: &str) -> Cow<'_, str> {
    if !(script.contains("%{?") && script.contains("for ")) {
        return Cow::Borrowed(script);
    }
    let Some(tokens) = tokens(script) else { return Cow::Borrowed(script) };
    let mut shortened = String::new();
    let mut done = 0;
    for (index, token) in tokens.iter().enumerate() {
        if token.text != "for" {
            continue;
        }
        let Some(head) = numbered_loop(&tokens[index..]) else { continue };
        let [name, from, to] = [1, 3, 5].map(|offset| tokens[index + offset]);
        shortened.push_str(&script[done..name.end()]);
        shortened.push_str(&format!(" in {NUMBERED}({head}, {}, {}) ", from.text, to.text));
        done = tokens[index + 6].start;
    }
    if done == 0 {
        return Cow::Borrowed(script);
    }
    shortened.push_str(&script[done..]);
    Cow::Owned(shortened)
}

/// What stands before the number in the names that a loop looks for, as Lua; nothing if it is another loop.
fn numbered_loop(tokens: &[Token<'_>]) -> Option<String> {
    let text = |index: usize| tokens.get(index).map_or("", |token| token.text);
    let kind = |index: usize| tokens.get(index).map(|token| token.kind);
    let is = |from: usize, words: &[&str]| words.iter().enumerate().all(|(index, word)| text(from + index) == *word);
    let small = |index: usize| {
        kind(index) == Some(Kind::Number) && text(index).parse().is_ok_and(|number: u32| number <= LARGEST)
    };
    if kind(1) != Some(Kind::Word) || !is(2, &["="]) || !small(3) || !is(4, &[","]) || !small(5) || !is(6, &["do"]) {
        return None;
    }
    let (counter, value) = (text(1), text(8));
    if !is(7, &["local"]) || kind(8) != Some(Kind::Word) || !is(9, &["=", "rpm", ".", "expand", "("]) {
        return None;
    }
    let opening = text(14);
    if kind(14) != Some(Kind::Text) || !opening.starts_with("\"%{?") || opening.contains('\\') {
        return None;
    }
    let (head, at) = match (&opening[4..opening.len() - 1], text(16)) {
        ("", variable) if kind(16) == Some(Kind::Word) && is(15, &["..", variable, "..", counter]) => {
            (variable.to_owned(), 19)
        }
        (name, _) if !name.is_empty() && name.bytes().all(super::scan::is_name) && is(15, &["..", counter]) => {
            (format!("\"{name}\""), 17)
        }
        _ => return None,
    };
    if !is(at, &["..", "\"}\"", ")", "if"]) || head == counter || head == value {
        return None;
    }
    let condition = at + 4;
    let then = if is(condition, &["(", value, "~=", "\"\"", ")", "then"]) {
        condition + 5
    } else if is(condition, &[value, "~=", "\"\"", "then"]) {
        condition + 3
    } else {
        return None;
    };
    // The condition must be the last thing in the loop, have no other branch, and leave the name alone.
    let mut depth = 1;
    for index in then + 1..tokens.len() {
        match text(index) {
            "function" | "if" | "do" | "repeat" => depth += 1,
            "end" | "until" => depth -= 1,
            "else" | "elseif" if depth == 1 => return None,
            word if word == head => return None,
            "goto" | "::" => return None,
            _ => {}
        }
        if depth == 0 {
            return (text(index + 1) == "end").then_some(head);
        }
    }
    None
}

/// The words of a script without its comments; nothing where a text is never closed.
fn tokens(script: &str) -> Option<Vec<Token<'_>>> {
    let bytes = script.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let rest = &script[at..];
        let kind = match bytes[at] {
            byte if byte.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            b'-' if rest.starts_with("--") => {
                at = match long_bracket(&rest[2..]) {
                    Some(length) => at + 2 + length?,
                    None => rest.find('\n').map_or(bytes.len(), |end| at + end),
                };
                continue;
            }
            byte if byte.is_ascii_alphabetic() || byte == b'_' => {
                at += rest.bytes().take_while(|byte| super::scan::is_name(*byte)).count();
                Kind::Word
            }
            byte if byte.is_ascii_digit() => {
                at += rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
                Kind::Number
            }
            quote @ (b'"' | b'\'') => {
                at += 1;
                while *bytes.get(at)? != quote {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                at += 1;
                Kind::Text
            }
            b'[' if long_bracket(rest).is_some() => {
                at += long_bracket(rest)??;
                Kind::Text
            }
            _ => {
                let two = ["..", "~=", "==", "<=", ">=", "::", "//"].iter().any(|mark| rest.starts_with(mark));
                at += if two { 2 } else { rest.chars().next().map_or(1, char::len_utf8) };
                Kind::Mark
            }
        };
        tokens.push(Token { kind, text: script.get(start..at)?, start });
    }
    Some(tokens)
}

/// The length of a text in long brackets such as `[==[ .. ]==]`; the inner nothing is one that is never closed, the outer one
/// is other text.
fn long_bracket(text: &str) -> Option<Option<usize>> {
    let inner = text.strip_prefix('[')?;
    let level = inner.bytes().take_while(|byte| *byte == b'=').count();
    inner[level..].strip_prefix('[')?;
    let close = format!("]{}]", "=".repeat(level));
    Some(text[level + 2..].find(&close).map(|end| level + 2 + end + close.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOP: &str = "for n=0,99 do -- all\n local v = rpm.expand(\"%{?\" .. name .. n .. \"}\")\n if (v ~= \"\") then\n \
                        list[n] = v\n end\nend";

    #[test]
    fn loops_over_numbered_names_are_shortened() {
        let shortened = shorten(LOOP).into_owned();
        assert!(shortened.starts_with("for n in __numbered_macros(name, 0, 99) do -- all\n local v ="), "{shortened}");
        assert_eq!(shortened.lines().count(), LOOP.lines().count());
        let named = LOOP.replace("%{?\" .. name .. n", "%{?dist\" .. n");
        assert!(shorten(&named).contains("__numbered_macros(\"dist\", 0, 99)"), "{named}");
    }

    #[test]
    fn other_loops_stay() {
        for (part, other) in [
            ("rpm.expand", "f"),
            ("(v ~= \"\")", "(v ~= \"0\")"),
            ("\n end\nend", "\n else x = n end\nend"),
            ("\n end\nend", "\n end\n count = count + 1\nend"),
            ("list[n] = v", "name = v"),
            ("0,99", "0,last"),
            ("0,99", "0,99,2"),
            ("\"%{?\"", "\"%{!?\""),
        ] {
            let script = LOOP.replace(part, other);
            assert_ne!(script, LOOP, "{part}");
            assert_eq!(shorten(&script), script);
        }
        assert_eq!(shorten("for \"%{?"), "for \"%{?");
        assert_eq!(shorten("for [==[ %{?"), "for [==[ %{?");
    }
}

/// Nesting that is followed: rpm has no limit, sane dependencies have two or three levels.
const DEPTH_MAX: usize = 100;

/// The names in a rich dependency, as rpm's index holds them: sorted, each once, with `!` in front where a *condition*
/// (`if`, `unless`) names it. Empty when the text is no rich dependency. Source: rpm, `lib/rpmdb.cc`, `updateRichDep`.
pub(super) fn names(text: &str) -> Vec<String> {
    let mut parser = Parser { rest: text, names: Vec::new(), negated: false };
    if parser.group(0).is_none() {
        return Vec::new();
    }
    // rpm sorts with a space in front of plain names, which comes before `!`.
    let mut names = parser.names;
    names.sort();
    names.dedup();
    names.into_iter().map(|(negated, name)| if negated { format!("!{name}") } else { name }).collect()
}

struct Parser<'a> {
    rest: &'a str,
    names: Vec<(bool, String)>,
    negated: bool,
}

impl<'a> Parser<'a> {
    /// `( operand [operator operand].. )`
    fn group(&mut self, depth: usize) -> Option<()> {
        if depth > DEPTH_MAX {
            return None;
        }
        self.skip("(")?;
        let mut conditional = false;
        let mut block = self.names.len();
        loop {
            if self.rest.trim_start().starts_with('(') {
                self.group(depth + 1)?;
            } else {
                self.simple()?;
            }
            if self.skip(")").is_some() {
                break;
            }
            match self.word()? {
                "if" | "unless" => {
                    conditional = true;
                    block = self.names.len();
                    self.negated = !self.negated;
                }
                "else" => {
                    // The condition also decides whether what follows counts: its names stand there both ways.
                    let both: Vec<_> =
                        self.names[block..].iter().map(|(negated, name)| (!negated, name.clone())).collect();
                    self.names.extend(both);
                    self.negated = !self.negated;
                    // From here a leaving group must not turn back again.
                    conditional = false;
                }
                "and" | "or" | "with" | "without" => {}
                _ => return None,
            }
        }
        if conditional {
            self.negated = !self.negated;
        }
        Some(())
    }

    /// `name [operator version]`
    fn simple(&mut self) -> Option<()> {
        let name = self.word()?.to_owned();
        let rest = self.rest.trim_start();
        if rest.starts_with(['<', '>', '=']) {
            self.rest = rest.trim_start_matches(['<', '>', '=']);
            self.word()?;
        }
        if !name.starts_with("rpmlib(") {
            self.names.push((self.negated, name));
        }
        Some(())
    }

    fn skip(&mut self, text: &str) -> Option<()> {
        self.rest = self.rest.trim_start().strip_prefix(text)?;
        Some(())
    }

    /// Up to white space or a parenthesis that was not opened inside the word: `libz.so.1()(64bit)` is one.
    fn word(&mut self) -> Option<&'a str> {
        let rest = self.rest.trim_start();
        let mut open = 0usize;
        let end = rest.char_indices().find(|(_, character)| match character {
            '(' => {
                open += 1;
                false
            }
            ')' if open == 0 => true,
            ')' => {
                open -= 1;
                false
            }
            ' ' | '\t' | '\n' | ',' => open == 0,
            _ => false,
        });
        let (word, rest) = rest.split_at(end.map_or(rest.len(), |(at, _)| at));
        self.rest = rest;
        (!word.is_empty()).then_some(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_rich_dependencies() {
        for (text, expected) in [
            ("((x or y) if z)", &["x", "y", "!z"][..]),
            ("(b and a >= 1.0-2)", &["a", "b"]),
            ("(libz.so.1()(64bit) or rpmlib(X) or c)", &["c", "libz.so.1()(64bit)"]),
            ("(a if b else c)", &["a", "b", "c", "!b"]),
            ("(a or", &[]),
        ] {
            assert_eq!(names(text), expected, "{text}");
        }
        let deep = "(".repeat(100_000);
        assert!(names(&deep).is_empty());
    }
}

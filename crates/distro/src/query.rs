//! Queries: what chooses components or packages by what is known of them.
//!
//! `group:core overlay:patch-* not (kind:local or with:docs)`: terms are `word:glob`, or a glob of the name alone; terms
//! beside each other must all be so; `or` is weaker; `not` takes the next term or parentheses.

use crate::component::Component;
use crate::diagnostic::{Diagnostic, nearest};
use crate::glob;

/// What a query chooses by: the values of a word.
pub trait Words {
    /// Whether `is_meant` says yes to one of the values of the word `key`.
    fn any(&self, key: &str, is_meant: &mut dyn FnMut(&str) -> bool) -> bool;
}

/// A question that a thing answers with yes or no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    text: String,
    node: Node,
}

impl serde::Serialize for Query {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    Term { key: String, glob: String },
    Not(Box<Node>),
    All(Vec<Node>),
    Any(Vec<Node>),
}

/// The words that a component's query can use.
pub const COMPONENT_WORDS: &[&str] = &[
    "name",
    "kind",
    "origin",
    "group",
    "upstream",
    "upstream-version",
    "pinned",
    "overlay",
    "category",
    "release",
    "with",
    "without",
    "define",
    "check",
    "channel",
    "file",
];

/// Parentheses may stand in each other this deep.
const DEEPEST: usize = 64;

impl Query {
    /// Parses a query that uses these words.
    pub fn parse(text: &str, words: &[&str]) -> Result<Query, Diagnostic> {
        let tokens = tokens(text);
        let mut parser = Parser { tokens: &tokens, at: 0, words, depth: 0 };
        let node = parser.any()?;
        match parser.next() {
            None => Ok(Query { text: text.to_owned(), node }),
            Some(_) => Err(Diagnostic::new(format!("`{text}` closes a parenthesis that is not open"))),
        }
    }

    /// Whether the query is true of a thing.
    pub fn matches(&self, words: &dyn Words) -> bool {
        self.node.matches(words)
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the query asks for the word `key`.
    pub fn asks(&self, key: &str) -> bool {
        self.node.asks(key)
    }
}

impl Node {
    fn matches(&self, words: &dyn Words) -> bool {
        match self {
            Node::Term { key, glob } => words.any(key, &mut |value| glob::matches(glob, value)),
            Node::Not(node) => !node.matches(words),
            Node::All(nodes) => nodes.iter().all(|node| node.matches(words)),
            Node::Any(nodes) => nodes.iter().any(|node| node.matches(words)),
        }
    }

    fn asks(&self, wanted: &str) -> bool {
        match self {
            Node::Term { key, .. } => key == wanted,
            Node::Not(node) => node.asks(wanted),
            Node::All(nodes) | Node::Any(nodes) => nodes.iter().any(|node| node.asks(wanted)),
        }
    }
}

/// Words between blanks; a parenthesis that opens at the start or closes at the end of one stands alone. Capabilities such
/// as `libfoo.so.1()(64bit)` keep theirs: those are balanced.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    for mut word in text.split_whitespace() {
        if word.starts_with("not(") {
            tokens.push("not");
            word = &word[3..];
        }
        while let Some(rest) = word.strip_prefix('(') {
            tokens.push("(");
            word = rest;
        }
        let count = |c: char| word.matches(c).count();
        let closing = count(')').saturating_sub(count('(')).min(word.len() - word.trim_end_matches(')').len());
        let (word, _) = word.split_at(word.len() - closing);
        if !word.is_empty() {
            tokens.push(word);
        }
        tokens.extend(std::iter::repeat_n(")", closing));
    }
    tokens
}

struct Parser<'a> {
    tokens: &'a [&'a str],
    at: usize,
    words: &'a [&'a str],
    depth: usize,
}

impl<'a> Parser<'a> {
    fn next(&self) -> Option<&'a str> {
        self.tokens.get(self.at).copied()
    }

    fn any(&mut self) -> Result<Node, Diagnostic> {
        let mut nodes = vec![self.all()?];
        while self.next() == Some("or") {
            self.at += 1;
            nodes.push(self.all()?);
        }
        Ok(if nodes.len() == 1 { nodes.remove(0) } else { Node::Any(nodes) })
    }

    fn all(&mut self) -> Result<Node, Diagnostic> {
        let mut nodes = vec![self.one()?];
        loop {
            match self.next() {
                Some("and") => self.at += 1,
                None | Some("or" | ")") => break,
                Some(_) => {}
            }
            nodes.push(self.one()?);
        }
        Ok(if nodes.len() == 1 { nodes.remove(0) } else { Node::All(nodes) })
    }

    fn one(&mut self) -> Result<Node, Diagnostic> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Diagnostic::new("the query is nested too deep"));
        }
        let node = match self.next() {
            Some("not") => {
                self.at += 1;
                Node::Not(Box::new(self.one()?))
            }
            Some("(") => {
                self.at += 1;
                let node = self.any()?;
                if self.next() != Some(")") {
                    return Err(Diagnostic::new("the query opens a parenthesis and does not close it"));
                }
                self.at += 1;
                node
            }
            None | Some("and" | "or" | ")") => {
                let problem = Diagnostic::new("the query misses a term");
                return Err(problem.hint("a term is `word:glob` or the glob of a name, as in `group:core`"));
            }
            Some(term) => {
                self.at += 1;
                self.term(term)?
            }
        };
        self.depth -= 1;
        Ok(node)
    }

    fn term(&self, term: &str) -> Result<Node, Diagnostic> {
        let Some((key, glob)) = term.split_once(':') else {
            return Ok(Node::Term { key: "name".to_owned(), glob: term.to_owned() });
        };
        if self.words.contains(&key) {
            return Ok(Node::Term { key: key.to_owned(), glob: glob.to_owned() });
        }
        let problem = Diagnostic::new(format!("a query cannot ask for `{key}`"));
        Err(match nearest(key, self.words.iter().copied()) {
            Some(like) => problem.hint(format!("did you mean `{like}:{glob}`?")),
            None => problem.hint(format!("it can ask for {}", self.words.join(", "))),
        })
    }
}

impl Words for Component {
    fn any(&self, key: &str, is_meant: &mut dyn FnMut(&str) -> bool) -> bool {
        let upstream = match &self.spec {
            crate::component::SpecSource::Upstream(upstream) => Some(upstream),
            crate::component::SpecSource::Local { .. } => None,
        };
        match key {
            "name" => is_meant(&self.name),
            "kind" => is_meant(self.spec.kind()),
            "origin" => is_meant(self.origin.as_str()),
            "group" => self.groups.iter().any(|group| is_meant(group)),
            "upstream" => upstream.is_some_and(|upstream| is_meant(&upstream.distro)),
            "upstream-version" => upstream.and_then(|found| found.version.as_deref()).is_some_and(is_meant),
            "pinned" => is_meant(if upstream.is_some_and(|found| found.commit.is_some()) { "yes" } else { "no" }),
            "overlay" => self.overlays.iter().any(|overlay| is_meant(overlay.kind.as_str())),
            "category" => self.overlays.iter().filter_map(|overlay| overlay.metadata.category).any(&mut *is_meant),
            "release" => is_meant(self.release.as_str()),
            "with" => self.build.with.iter().any(|name| is_meant(name)),
            "without" => self.build.without.iter().any(|name| is_meant(name)),
            "define" => self.build.defines.keys().any(|name| is_meant(name)),
            "check" => is_meant(if self.build.check.skip { "skip" } else { "run" }),
            "channel" => self.publish.rpm.as_deref().is_some_and(is_meant),
            "file" => is_meant(&self.at.file.to_string_lossy()),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Thing;

    impl Words for Thing {
        fn any(&self, key: &str, is_meant: &mut dyn FnMut(&str) -> bool) -> bool {
            match key {
                "name" => is_meant("rust-clap"),
                "group" => ["core", "rust"].into_iter().any(is_meant),
                "requires" => is_meant("libc.so.6()(64bit)"),
                _ => false,
            }
        }
    }

    #[test]
    fn queries_mean_what_they_say() {
        let words = &["name", "group", "kind", "requires"];
        for (text, expected) in [
            ("rust-*", true),
            ("rust-* group:core", true),
            ("rust-* and group:none", false),
            ("group:none or group:core", true),
            ("not group:none", true),
            ("not (group:core or group:none)", false),
            ("not(group:core)", false),
            ("group:core not kind:*", true),
            ("x or rust-* not group:core or y", false),
            ("(requires:libc.so.6()(64bit))", true),
        ] {
            let query = Query::parse(text, words).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(query.matches(&Thing), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_query_is_explained() {
        let words = &["name", "group"];
        for (text, expected) in [
            ("", "misses a term"),
            ("a or", "misses a term"),
            ("(a", "does not close it"),
            ("a)", "closes a parenthesis"),
            ("gruop:core", "did you mean `group:core`?"),
        ] {
            let shown = Query::parse(text, words).expect_err(text).to_string();
            assert!(shown.contains(expected), "{text}: {shown}");
        }
        let deep = "not ".repeat(100) + "a";
        assert!(Query::parse(&deep, words).is_err());
    }
}

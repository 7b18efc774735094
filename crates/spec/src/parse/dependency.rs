//! Dependency fields: `a, b >= 1.2 (c or d)`.

use pkg::{Condition, Evr, Relation};

use crate::ErrorKind;

/// Which tag a field belongs to, as far as that changes what may stand in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Field {
    Requires,
    /// `Conflicts`, `Supplements`, `Enhances`: rich, but a trailing `if` would be read the other way round.
    Reversed,
    Provides,
    Obsoletes,
    /// Names with ranges and nothing else: `OrderWithRequires`, triggers.
    Plain,
    /// Path prefixes of file triggers.
    Paths,
}

/// Reads a field into relations. Rich dependencies are written anew with single blanks, as rpm does it.
pub(super) fn parse(field: &str, kind: Field) -> Result<Vec<Relation>, ErrorKind> {
    let mut relations = Vec::new();
    let bytes = field.as_bytes();
    let mut at = skip_separators(bytes, 0);
    while at < bytes.len() {
        if bytes[at] == b'(' {
            if !matches!(kind, Field::Requires | Field::Reversed) {
                return Err(wrong(field, "this tag takes no rich dependency"));
            }
            let mut rich = Rich { text: field, at, normal: String::new(), depth: 0 };
            let mut checks = Checks { checked: true, ..Checks::default() };
            rich.group(&mut checks)?;
            if kind == Field::Reversed && checks.no_or {
                return Err(wrong(field, "`if` is not for this tag, use `and` instead"));
            }
            if kind == Field::Requires && checks.no_and {
                return Err(wrong(field, "`unless` is not for this tag, use `or` instead"));
            }
            at = skip_separators(bytes, rich.at);
            relations.push(Relation::any(rich.normal));
            continue;
        }
        let (name, after_name) = word(field, at);
        let operator_at = skip_separators(bytes, after_name);
        let (operator, after_operator) = word(field, operator_at);
        let Some(condition) = Condition::parse(operator) else {
            relations.push(simple(field, name, None, kind)?);
            at = operator_at;
            continue;
        };
        let version_at = skip_separators(bytes, after_operator);
        let (version, after_version) = word(field, version_at);
        if version.is_empty() {
            return Err(wrong(field, "a version is missing behind the operator"));
        }
        relations.push(simple(field, name, Some((condition, version)), kind)?);
        at = skip_separators(bytes, after_version);
    }
    Ok(relations)
}

/// What can be read of a field that cannot be read as a whole: single relations as they are, and the names of those whose
/// version is missing or none.
pub(super) fn salvage(field: &str, kind: Field) -> Vec<Relation> {
    let mut relations = Vec::new();
    let mut words =
        field.split(|c: char| c == ',' || c.is_ascii_whitespace()).filter(|word| !word.is_empty()).peekable();
    while let Some(name) = words.next() {
        // What stands behind belongs to a comment or to a dependency that is broken.
        if name.starts_with(['#', '(']) {
            break;
        }
        let condition = words.peek().and_then(|word| Condition::parse(word));
        let version = condition.and_then(|_| words.nth(1));
        let range = condition.zip(version);
        match simple(field, name, range, kind).or_else(|_| simple(field, name, None, kind)) {
            Ok(relation) => relations.push(relation),
            Err(_) => break,
        }
    }
    relations
}

fn wrong(text: &str, problem: impl Into<String>) -> ErrorKind {
    ErrorKind::Dependency { text: text.to_owned(), problem: problem.into() }
}

fn is_separator(byte: u8) -> bool {
    byte == b',' || byte.is_ascii_whitespace() || byte == 0x0b
}

fn skip_separators(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() && is_separator(bytes[at]) {
        at += 1;
    }
    at
}

/// The word at `at` and where it ends.
fn word(text: &str, at: usize) -> (&str, usize) {
    let end =
        text.as_bytes()[at..].iter().position(|byte| is_separator(*byte)).map_or(text.len(), |offset| at + offset);
    (&text[at..end], end)
}

/// One name with its range, checked as rpm's `checkDep`.
fn simple(field: &str, name: &str, range: Option<(Condition, &str)>, kind: Field) -> Result<Relation, ErrorKind> {
    let first = name.bytes().next().unwrap_or(b' ');
    if kind == Field::Paths && first != b'/' {
        return Err(wrong(field, "a file trigger's condition must begin with `/`"));
    }
    if first.is_ascii() && !(first.is_ascii_alphanumeric() || matches!(first, b'_' | b'/')) {
        return Err(wrong(field, format!("`{name}` begins with neither letter, digit, `_` nor `/`")));
    }
    if kind == Field::Obsoletes
        && let Some(odd) = name.chars().find(|c| !(c.is_ascii_alphanumeric() || ".-_+%{}".contains(*c)))
    {
        return Err(wrong(field, format!("only package names can be obsolete, and none has a `{odd}`")));
    }
    let Some((condition, version)) = range else { return Ok(Relation::any(name)) };
    if first == b'/' {
        return Err(wrong(field, format!("the file `{name}` cannot have a version")));
    }
    if let Some(odd) = version.chars().find(|c| !(c.is_ascii_alphanumeric() || "._+%{}~^-:".contains(*c))) {
        return Err(wrong(field, format!("the version `{version}` has a `{odd}`")));
    }
    if version.contains("..") {
        return Err(wrong(field, format!("the version `{version}` has `..` in it")));
    }
    for separator in ['-', ':'] {
        if version.matches(separator).count() > 1 {
            return Err(wrong(field, format!("the version `{version}` has more than one `{separator}`")));
        }
    }
    // An empty epoch counts as none.
    let evr =
        Evr::parse(version.strip_prefix(':').unwrap_or(version)).map_err(|cause| wrong(field, cause.to_string()))?;
    Ok(Relation::new(name, condition, evr))
}

/// What rpm remembers while it looks for combinations that cannot be solved.
#[derive(Clone, Copy, Default)]
struct Checks {
    checked: bool,
    no_with: bool,
    no_and: bool,
    no_or: bool,
}

/// A reader of one rich dependency.
///
/// Source: rpm's manual, "Boolean Dependencies"; the checks are those of `lib/rpmds.cc`, `rpmrichParseInternal`.
struct Rich<'t> {
    text: &'t str,
    at: usize,
    normal: String,
    depth: u32,
}

/// Groups inside groups; rpm knows no bound, its stack does.
const DEPTH: u32 = 100;

impl Rich<'_> {
    fn wrong(&self, problem: impl Into<String>) -> ErrorKind {
        wrong(self.text, problem)
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip(&mut self) {
        self.at = skip_separators(self.text.as_bytes(), self.at);
    }

    fn group(&mut self, outer: &mut Checks) -> Result<(), ErrorKind> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(self.wrong("it is nested too deeply"));
        }
        let mut checks = *outer;
        self.normal.push('(');
        self.at += 1;
        let (mut first, mut last, mut chain) = (None, None, None);
        loop {
            self.skip();
            match self.byte() {
                Some(b')') if chain.is_some() => return Err(self.wrong("an argument is missing behind an operator")),
                Some(b')') => return Err(self.wrong("a rich dependency is empty")),
                Some(b'(') => {
                    let mut inner = Checks { checked: checks.checked, ..Checks::default() };
                    self.group(&mut inner)?;
                    if matches!(last, Some("if" | "unless")) {
                        (inner.no_and, inner.no_or) = (false, false);
                    }
                    checks.no_with |= inner.no_with;
                    checks.no_and |= inner.no_and;
                    checks.no_or |= inner.no_or;
                }
                _ => self.operand()?,
            }
            self.skip();
            match self.byte() {
                None => return Err(self.wrong("a rich dependency is never closed")),
                Some(b')') => break,
                _ => {}
            }
            let operator = self.operator()?;
            first.get_or_insert(operator);
            last = Some(operator);
            if operator == "else" && matches!(chain, Some("if" | "unless")) {
                chain = None;
            }
            if chain.is_some_and(|chain| chain != operator) {
                return Err(self.wrong("different operators need parentheses"));
            }
            if chain.is_some() && !matches!(operator, "and" | "or" | "with") {
                return Err(self.wrong(format!("`{operator}` cannot follow itself")));
            }
            chain = Some(operator);
            self.normal.push(' ');
            self.normal.push_str(operator);
            self.normal.push(' ');
        }
        self.check(first, checks)?;
        checks.no_or |= first == Some("if");
        checks.no_and |= first == Some("unless");
        if matches!(last, Some("and" | "or")) {
            (checks.no_and, checks.no_or) = (false, false);
        }
        checks.no_with |= last.is_some_and(|operator| !matches!(operator, "with" | "without" | "or"));
        self.at += 1;
        self.normal.push(')');
        outer.no_with |= checks.no_with;
        outer.no_and |= checks.no_and;
        outer.no_or |= checks.no_or;
        self.depth -= 1;
        Ok(())
    }

    fn check(&self, operator: Option<&str>, checks: Checks) -> Result<(), ErrorKind> {
        if matches!(operator, Some("with" | "without")) && checks.no_with {
            return Err(self.wrong("`with` and `without` take only names and `or`"));
        }
        if checks.checked && matches!(operator, Some("and" | "if")) && checks.no_and {
            return Err(self.wrong("`unless` cannot stand there, use `or` instead"));
        }
        if checks.checked && matches!(operator, Some("or" | "unless")) && checks.no_or {
            return Err(self.wrong("`if` cannot stand there, use `and` instead"));
        }
        Ok(())
    }

    fn operator(&mut self) -> Result<&'static str, ErrorKind> {
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| c.is_ascii_whitespace() || c == ')').unwrap_or(rest.len());
        let known =
            ["and", "or", "if", "unless", "else", "with", "without"].into_iter().find(|known| *known == &rest[..end]);
        let known = known.ok_or_else(|| self.wrong(format!("`{}` is no operator", &rest[..end])))?;
        self.at += end;
        Ok(known)
    }

    /// A word that may hold balanced parentheses, as `perl(A::B)` and `libz.so.1()(64bit)`.
    fn word(&mut self) -> String {
        let bytes = self.text.as_bytes();
        let from = self.at;
        let mut depth = 0_i32;
        while let Some(byte) = bytes.get(self.at) {
            match byte {
                byte if is_separator(*byte) => break,
                b')' if depth <= 0 => break,
                b')' => depth -= 1,
                b'(' => depth += 1,
                _ => {}
            }
            self.at += 1;
        }
        self.text[from..self.at].to_owned()
    }

    fn operand(&mut self) -> Result<(), ErrorKind> {
        let name = self.word();
        if name.is_empty() {
            return Err(self.wrong("a name is missing"));
        }
        self.skip();
        let behind_name = self.at;
        let operator = self.word();
        let Some(condition) = Condition::parse(&operator) else {
            self.at = behind_name;
            self.normal.push_str(&simple(self.text, &name, None, Field::Requires)?.name);
            return Ok(());
        };
        self.skip();
        let version = self.word();
        if version.is_empty() {
            return Err(self.wrong("a version is missing behind the operator"));
        }
        simple(self.text, &name, Some((condition, &version)), Field::Requires)?;
        self.normal.push_str(&format!("{name} {} {version}", condition.as_str()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(field: &str, kind: Field) -> Vec<String> {
        parse(field, kind).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn names_and_ranges() {
        assert_eq!(texts("a b >= 1.2,c=1", Field::Requires), ["a", "b >= 1.2", "c=1"]);
        assert_eq!(texts("lib(x)(64bit) = 1:2-3 /bin/sh", Field::Provides), ["lib(x)(64bit) = 1:2-3", "/bin/sh"]);
        assert_eq!(texts("a => 1, b == 2", Field::Requires), ["a >= 1", "b = 2"]);
    }

    #[test]
    fn rich_ones_are_written_anew() {
        assert_eq!(
            texts("((a  with b>1)   or perl(C::D) >= 2) e", Field::Requires),
            ["((a with b>1) or perl(C::D) >= 2)", "e"]
        );
        assert_eq!(texts("(a if b else c)", Field::Requires), ["(a if b else c)"]);
        assert_eq!(texts("(a and b and c)", Field::Requires), ["(a and b and c)"]);
    }

    #[test]
    fn what_rpm_refuses() {
        for (field, kind) in [
            ("a >=", Field::Requires),
            ("-a", Field::Requires),
            ("/bin/sh = 1", Field::Requires),
            ("a = 1-2-3", Field::Requires),
            ("a = x:1", Field::Requires),
            ("(a or b)", Field::Provides),
            ("(a and b or c)", Field::Requires),
            ("(a foo b)", Field::Requires),
            ("(a", Field::Requires),
            ("()", Field::Requires),
            ("((a if b) or c)", Field::Requires),
            ("(a if b)", Field::Reversed),
            ("((a and b) with c)", Field::Requires),
            ("lib(x)", Field::Obsoletes),
            ("bin", Field::Paths),
        ] {
            assert!(parse(field, kind).is_err(), "{field}");
        }
    }
}

use std::ops::Range;

/// A spec as the original sees it: physical lines, sections that begin wherever a line's first word is one's name, and tags wherever
/// a line of the preamble or of `%package` has a colon behind its first word. Macros and continued lines mean nothing here.
pub(super) struct View<'t> {
    pub(super) text: &'t str,
    pub(super) lines: Vec<Line<'t>>,
    pub(super) parts: Vec<Part>,
}

/// A physical line.
pub(super) struct Line<'t> {
    /// With its line end.
    pub(super) span: Range<usize>,
    /// Without it, and without a carriage return.
    pub(super) text: &'t str,
    pub(super) kind: Kind<'t>,
    /// Index of its part.
    pub(super) part: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind<'t> {
    Heading,
    Tag { name: &'t str, value: &'t str },
    Raw,
}

/// The preamble, or a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// As written, as in `%files`; empty for the preamble.
    pub(super) name: String,
    /// The package that the heading names; empty where it names none.
    pub(super) package: String,
    /// Indices of its lines, the heading's included.
    pub(super) lines: Range<usize>,
}

const SECTIONS: [&str; 32] = [
    "%package",
    "%prep",
    "%conf",
    "%build",
    "%install",
    "%check",
    "%clean",
    "%generate_buildrequires",
    "%pre",
    "%post",
    "%preun",
    "%postun",
    "%pretrans",
    "%posttrans",
    "%preuntrans",
    "%postuntrans",
    "%verify",
    "%triggerin",
    "%triggerun",
    "%triggerprein",
    "%triggerpostun",
    "%filetriggerin",
    "%filetriggerun",
    "%filetriggerpostun",
    "%transfiletriggerin",
    "%transfiletriggerun",
    "%transfiletriggerpostun",
    "%description",
    "%files",
    "%changelog",
    "%patchlist",
    "%sourcelist",
];

impl<'t> View<'t> {
    pub(super) fn new(text: &'t str) -> View<'t> {
        let (mut lines, mut at) = (Vec::new(), 0);
        let mut parts = vec![Part { name: String::new(), package: String::new(), lines: 0..0 }];
        for whole in text.split_inclusive('\n') {
            let line = whole.strip_suffix('\n').unwrap_or(whole);
            let line = line.strip_suffix('\r').unwrap_or(line);
            let last = parts.len() - 1;
            let kind = match heading(line) {
                Some((name, package)) => {
                    parts[last].lines.end = lines.len();
                    parts.push(Part { name, package, lines: lines.len()..lines.len() });
                    Kind::Heading
                }
                None if parts[last].holds_tags() => {
                    tag(line).map_or(Kind::Raw, |(name, value)| Kind::Tag { name, value })
                }
                None => Kind::Raw,
            };
            lines.push(Line { span: at..at + whole.len(), text: line, kind, part: parts.len() - 1 });
            at += whole.len();
        }
        if let Some(last) = parts.last_mut() {
            last.lines.end = lines.len();
        }
        View { text, lines, parts }
    }

    /// Where the line of that index begins; the text's end behind the last.
    pub(super) fn start_of(&self, line: usize) -> usize {
        self.lines.get(line).map_or(self.text.len(), |line| line.span.start)
    }

    /// New lines as they are inserted before the line of that index.
    pub(super) fn inserted(&self, line: usize, lines: &[String]) -> String {
        let mut text = String::new();
        // Behind a last line without an end there has to be one first.
        if line >= self.lines.len() && !self.text.is_empty() && !self.text.ends_with('\n') {
            text.push('\n');
        }
        for line in lines {
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    /// The range of a line's text.
    pub(super) fn text_range(&self, line: usize) -> Range<usize> {
        let line = &self.lines[line];
        line.span.start..line.span.start + line.text.len()
    }

    /// The tags of a package, with their lines.
    pub(super) fn tags(&self, package: &str) -> impl Iterator<Item = (usize, &'t str, &'t str)> {
        self.lines.iter().enumerate().filter_map(move |(index, line)| match line.kind {
            Kind::Tag { name, value } if self.parts[line.part].package == package => Some((index, name, value)),
            _ => None,
        })
    }

    /// Lines with their numbers, counted from 1.
    pub(super) fn numbered(&self) -> impl Iterator<Item = (u32, &'t str)> {
        (1_u32..).zip(self.lines.iter().map(|line| line.text))
    }
}

impl Part {
    pub(super) fn holds_tags(&self) -> bool {
        self.name.is_empty() || self.name.eq_ignore_ascii_case("%package")
    }

    pub(super) fn is(&self, section: &str, package: &str) -> bool {
        self.name == section && self.package == package
    }

    /// As a heading would write it.
    pub(super) fn title(&self) -> String {
        title(&self.name, &self.package)
    }
}

pub(super) fn title(section: &str, package: &str) -> String {
    match (section, package) {
        ("", _) => "preamble".to_owned(),
        (section, "") => section.to_owned(),
        (section, package) => format!("{section} {package}"),
    }
}

/// A heading's section and package.
pub(super) fn heading(line: &str) -> Option<(String, String)> {
    if line.starts_with('#') {
        return None;
    }
    let mut words = line.split_whitespace();
    let name = words.next().filter(|word| word.starts_with('%'))?;
    let known = SECTIONS.iter().find(|section| section.eq_ignore_ascii_case(name))?;
    let package = match *known {
        "%changelog" | "%patchlist" | "%sourcelist" => String::new(),
        _ => package_of(words),
    };
    Some((name.to_owned(), package))
}

fn package_of<'w>(mut words: impl Iterator<Item = &'w str>) -> String {
    let (mut whole, mut suffix) = ("", "");
    while let Some(word) = words.next() {
        match word {
            // What a trigger waits for stands behind it.
            "--" => break,
            "-n" => whole = words.next().unwrap_or(whole),
            "-f" | "-p" | "-l" | "-P" => {
                words.next();
            }
            option if option.starts_with('-') => {}
            word if suffix.is_empty() => suffix = word,
            _ => {}
        }
    }
    if whole.is_empty() { suffix } else { whole }.to_owned()
}

fn tag(line: &str) -> Option<(&str, &str)> {
    if line.starts_with('#') {
        return None;
    }
    let (name, value) = line.trim().split_once(':')?;
    let is_white = |c: char| matches!(c, ' ' | '\t' | '\n' | '\u{c}' | '\r');
    (!name.is_empty() && !name.contains(is_white)).then(|| (name, value.trim_matches(is_white)))
}

/// How a line changes the depth of conditionals.
pub(super) fn depth_change(line: &str) -> i32 {
    match first_word(line).as_str() {
        "%endif" => -1,
        "%if" | "%ifarch" | "%ifnarch" | "%ifos" | "%ifnos" => 1,
        _ => 0,
    }
}

/// Whether a line begins another branch.
pub(super) fn is_branch(line: &str) -> bool {
    matches!(first_word(line).as_str(), "%else" | "%elif" | "%elifarch" | "%elifnarch" | "%elifos" | "%elifnos")
}

pub(super) fn is_blank_or_comment(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#')
}

fn first_word(line: &str) -> String {
    let line = line.trim_start();
    if line.starts_with('%') {
        line.split_whitespace().next().unwrap_or_default().to_lowercase()
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_original_sees() {
        let view = View::new(
            "Name: a\n# Not: a tag\n  #Foo: x\n%{?x:BuildRequires: y}\n%global b c: d\n%package -n libx\nSummary:  s \r\n\
             %description -n libx\nNo: tag\n%post -p /bin/sh libs\n%triggerin -- other\n %files devel -f list\nx",
        );
        let tags: Vec<_> = view.tags("").map(|(_, name, value)| (name, value)).collect();
        assert_eq!(tags, [("Name", "a"), ("#Foo", "x"), ("%{?x", "BuildRequires: y}")]);
        assert_eq!(view.tags("libx").collect::<Vec<_>>(), [(6, "Summary", "s")]);
        let titles: Vec<String> = view.parts.iter().map(Part::title).collect();
        let expected = ["preamble", "%package libx", "%description libx", "%post libs", "%triggerin", "%files devel"];
        assert_eq!(titles, expected);
    }
}

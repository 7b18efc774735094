//! Branches that no build can take.

use super::condition::{Formula, parse};
use super::subject::Subject;
use super::{Code, Finding};
use crate::syntax::ItemKind;

/// An open conditional.
struct Frame {
    /// The conditions of the branches before the present one, each with its text and line.
    before: Vec<Known>,
    /// The present branch's condition; nothing for `%else`.
    present: Option<Known>,
    /// Nothing in it counts; said already, or said of a branch around it.
    is_dead: bool,
}

/// A condition that is known to hold, or not to hold.
struct Known {
    formula: Formula,
    text: String,
    line: u32,
}

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let changes = Changes::of(subject);
    let mut frames: Vec<Frame> = Vec::new();
    let machines = machines(subject);
    for conditional in &subject.conditionals {
        let (directive, argument) = (&conditional.directive, &conditional.argument);
        let text = subject.part(argument);
        if *directive == "endif" {
            frames.pop();
            continue;
        }
        unknown_architectures(subject, directive, argument.start, text, findings);
        let formula = match *directive {
            "else" => None,
            _ => Some(formula(subject, directive, text, &|call| changes.version(call, conditional.item))),
        };
        let known = formula.map(|formula| Known {
            formula,
            text: format!("%{directive} {}", text.trim()),
            line: conditional.line,
        });
        if directive.starts_with("if") {
            let is_dead = frames.last().is_some_and(|frame| frame.is_dead);
            frames.push(Frame { before: Vec::new(), present: known, is_dead });
        } else if let Some(frame) = frames.last_mut() {
            frame.before.extend(frame.present.take());
            frame.present = known;
            let outer_dead = frames.len() > 1 && frames[frames.len() - 2].is_dead;
            if let Some(frame) = frames.last_mut() {
                frame.is_dead = outer_dead;
            }
        }
        let Some(frame) = frames.last() else { continue };
        if frame.is_dead {
            continue;
        }
        if let Some((code, message)) = verdict(&frames, machines.as_ref()) {
            findings.push(subject.finding(code, conditional.start, message));
            if let Some(frame) = frames.last_mut() {
                frame.is_dead = true;
            }
        }
    }
}

/// Why the innermost branch cannot be taken, if it cannot.
fn verdict(frames: &[Frame], machines: Option<&Known>) -> Option<(Code, String)> {
    let inner = frames.last()?;
    // What holds in the branch, the nearest last.
    let mut context: Vec<(Formula, &Known)> =
        machines.map(|known| (known.formula.clone(), known)).into_iter().collect();
    for (depth, frame) in frames.iter().enumerate() {
        context.extend(frame.before.iter().map(|known| (Formula::Not(Box::new(known.formula.clone())), known)));
        if depth + 1 < frames.len() {
            context.extend(frame.present.iter().map(|known| (known.formula.clone(), known)));
        }
    }
    let own = inner.present.as_ref();
    if let Some(own) = own
        && !own.formula.can_hold()
    {
        return Some(match own.formula {
            Formula::Constant(_) => (Code::ConstantCondition, format!("`{}` never holds", own.text)),
            _ => (Code::ImpossibleCondition, format!("`{}` contradicts itself", own.text)),
        });
    }
    let mut all: Vec<Formula> = context.iter().map(|(formula, _)| formula.clone()).collect();
    all.extend(own.map(|own| own.formula.clone()));
    if Formula::And(all).can_hold() {
        return None;
    }
    let what = own.map_or_else(|| "%else".to_owned(), |own| own.text.clone());
    if let [Known { formula: Formula::Constant(true), text, line }] = inner.before.as_slice()
        && inner.before.len() == 1
    {
        return Some((
            Code::ConstantCondition,
            format!("`{what}` is never reached: `{text}` in line {line} always holds"),
        ));
    }
    // The one condition that is to blame, if there is one. `%else` stands for the opposite of all before it.
    let own_formula = own.map_or_else(
        || Formula::And(inner.before.iter().map(|known| Formula::Not(Box::new(known.formula.clone()))).collect()),
        |own| own.formula.clone(),
    );
    let blame = context
        .iter()
        .rev()
        .find(|(formula, _)| !Formula::And(vec![formula.clone(), own_formula.clone()]).can_hold())
        .map(|(_, known)| format!("`{}` in line {} excludes it", known.text, known.line));
    let blame = blame.unwrap_or_else(|| "the conditions around and before it exclude it together".to_owned());
    Some((Code::ImpossibleCondition, format!("`{what}` can never hold: {blame}")))
}

fn formula(subject: &Subject<'_>, directive: &str, text: &str, version: &dyn Fn(&str) -> String) -> Formula {
    let (variable, is) = match directive {
        "ifarch" | "elifarch" => ("architecture", true),
        "ifnarch" => ("architecture", false),
        "ifos" | "elifos" => ("system", true),
        "ifnos" => ("system", false),
        _ => return parse(text, version),
    };
    let Some(words) = words(subject, text) else { return Formula::Unknown };
    let one_of = Formula::Or(
        words.into_iter().map(|word| Formula::Word { variable: variable.to_owned(), is: true, word }).collect(),
    );
    if is { one_of } else { Formula::Not(Box::new(one_of)) }
}

/// The words that a list of architectures expands to, unless the spec itself has a part in it.
fn words(subject: &Subject<'_>, text: &str) -> Option<Vec<String>> {
    let text = text.replace("\\\n", " ");
    let is_own = |name: &str| subject.document.definitions().any(|definition| subject.part(&definition.name) == name);
    if names(&text).any(is_own) {
        return None;
    }
    let expanded = crate::expand(&text, &crate::Origin::new("architectures"), subject.environment).ok()?;
    // What is no name, as a comment or a mark that a build fills in, is reported or not known.
    let is_plain =
        expanded.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte.is_ascii_whitespace());
    is_plain.then(|| expanded.split_ascii_whitespace().map(str::to_ascii_lowercase).collect())
}

/// Names in a text.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter(|name| !name.is_empty())
}

/// The architectures that the spec is for, if its main part says so without conditions.
fn machines(subject: &Subject<'_>) -> Option<Known> {
    let items = subject.document.items();
    let mut allowed: Option<(Vec<String>, String, u32)> = None;
    for (index, item) in items.iter().enumerate() {
        let ItemKind::Tag(tag) = &item.kind else { continue };
        if !subject.part(&tag.name).eq_ignore_ascii_case("exclusivearch") {
            continue;
        }
        if !subject.paths[index].is_empty() || allowed.is_some() {
            return None;
        }
        let value = subject.part(&tag.value);
        allowed = Some((words(subject, &value.replace(',', " "))?, format!("ExclusiveArch: {value}"), item.line));
    }
    let (mut names, text, line) = allowed.filter(|(names, ..)| !names.is_empty())?;
    // The second reading of a spec with `BuildArch: noarch`.
    if subject.code.to_ascii_lowercase().contains("buildarch") {
        names.push("noarch".to_owned());
    }
    let word = |word: String| Formula::Word { variable: "architecture".to_owned(), is: true, word };
    Some(Known { formula: Formula::Or(names.into_iter().map(word).collect()), text, line })
}

fn unknown_architectures(subject: &Subject<'_>, directive: &str, at: usize, text: &str, findings: &mut Vec<Finding>) {
    if !directive.ends_with("arch") || text.contains('#') {
        return;
    }
    let is_odd =
        |word: &&str| !word.contains(['%', '{', '}', '\\', '(']) && !is_architecture(&word.to_ascii_lowercase());
    let Some(word) = text.split_ascii_whitespace().find(is_odd) else { return };
    let message = match word.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        true => format!("rpm knows no architecture `{word}`"),
        false => format!("`%{directive}` takes names only: `{word}` is one that never matches"),
    };
    findings.push(subject.finding(Code::UnknownArchitecture, at + text.find(word).unwrap_or(0), message));
}

/// Whether rpm has an architecture of that name.
///
/// Source: rpm's `rpmrc`, `arch_canon`, and the names that its platform folders have.
fn is_architecture(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "noarch",
        "x86_64",
        "amd64",
        "ia32e",
        "em64t",
        "aarch64",
        "fat",
        "athlon",
        "geode",
        "pentium3",
        "pentium4",
        "ia64",
        "alpha",
        "sparc",
        "sun4",
        "sun4m",
        "sun4c",
        "sun4d",
        "sun4u",
        "mips",
        "mipsel",
        "mips64",
        "mips64el",
        "ppc",
        "ppc64",
        "ppc64le",
        "ppc32dy4",
        "ppciseries",
        "ppcpseries",
        "ppc8260",
        "ppc8560",
        "m68k",
        "m68kmint",
        "rs6000",
        "ip",
        "i370",
        "s390",
        "s390x",
        "sh",
        "sh3",
        "sh4",
        "sh4a",
        "xtensa",
        "riscv",
        "riscv32",
        "riscv64",
        "loongarch",
        "loongarch64",
        "loongarch32",
        "k1om",
        "hppa",
        "parisc",
        "arm",
        "e2k",
        "openrisc",
        "or1k",
        "nios2",
    ];
    const BEGINNINGS: &[&str] = &[
        "x86_64_v", "arm", "sparc", "alpha", "mips", "ppc", "hppa", "parisc", "atari", "falcon", "milan", "hades",
        "e2k",
    ];
    NAMES.contains(&name)
        || BEGINNINGS
            .iter()
            .any(|start| name.starts_with(start) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
        || matches!(name.as_bytes(), [b'i', b'3'..=b'6', b'8', b'6'])
}

/// Where macros may get another meaning.
struct Changes<'s> {
    /// By name: the items that define it.
    of: std::collections::HashMap<&'s str, Vec<usize>>,
    /// Calls of macros that may define anything.
    of_all: Vec<usize>,
}

impl<'s> Changes<'s> {
    fn of(subject: &'s Subject<'_>) -> Changes<'s> {
        let mut changes = Changes { of: std::collections::HashMap::new(), of_all: Vec::new() };
        for (index, item) in subject.document.items().iter().enumerate() {
            let text = subject.part(&item.span);
            match &item.kind {
                ItemKind::Definition(definition) => {
                    changes.of.entry(subject.part(&definition.name)).or_default().push(index);
                }
                ItemKind::Tag(tag) => changes.of.entry(subject.part(&tag.name)).or_default().push(index),
                ItemKind::Text if text.trim_start().starts_with("%bcond") => {
                    for name in names(text) {
                        changes.of.entry(name).or_default().push(index);
                    }
                }
                ItemKind::Text
                    if text.trim_start().starts_with('%')
                        || ["define", "global", "undefine", "%{lua:", "%{load:"]
                            .iter()
                            .any(|word| text.contains(word)) =>
                {
                    changes.of_all.push(index);
                }
                _ => {}
            }
        }
        changes
    }

    /// A macro call, with a mark that differs where its macros may have changed in between.
    fn version(&self, call: &str, at: usize) -> String {
        let count = |items: &[usize]| items.partition_point(|item| *item < at);
        let mut changed = count(&self.of_all);
        for name in names(call) {
            changed += self.of.get(name).map_or(0, |items| count(items));
            let with = format!("with_{name}");
            changed += self.of.get(with.as_str()).map_or(0, |items| count(items));
            // Tags are in lower case in macros.
            changed += self
                .of
                .iter()
                .filter(|(tag, _)| **tag != name && tag.eq_ignore_ascii_case(name))
                .map(|(_, items)| count(items))
                .sum::<usize>();
        }
        format!("{call}\u{0}{changed}")
    }
}

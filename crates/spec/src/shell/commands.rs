//! Commands that turn text into text.

use super::arithmetic::arithmetic;
use super::machine::{Machine, file_behind, query};
use super::{date, sed, test};

/// Processors of a bare root.
const PROCESSORS: u32 = 2;

/// Runs a command; its output and exit status. The error says why it is not run.
pub(super) fn run(
    name: &str,
    arguments: &[String],
    input: &str,
    machine: &Machine<'_>,
) -> Result<(String, i32), String> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if !machine.answers.is_empty()
        && let Some(answer) = machine.answers.get(&[&[name], &words[..]].concat().join(" "))
    {
        return Ok((answer.clone(), 0));
    }
    let text = match name.rsplit('/').next().unwrap_or(name) {
        "true" | ":" => String::new(),
        "false" => return Ok((String::new(), 1)),
        "echo" => echo(&words),
        "printf" => printf(&words)?,
        "test" => return test::holds(arguments, machine).map(|holds| (String::new(), i32::from(!holds))),
        "[" => match arguments.split_last() {
            Some((last, words)) if last == "]" => {
                return test::holds(words, machine).map(|holds| (String::new(), i32::from(!holds)));
            }
            _ => return Err("`[` is never closed".to_owned()),
        },
        "cut" => cut(&words, input)?,
        "tr" => translate(&words, input)?,
        "sed" => {
            let (arguments, input) = match file_behind(arguments, 1, input, machine)? {
                Some(found) => found,
                None => return Ok((String::new(), 2)),
            };
            sed::run(arguments, &input)?
        }
        "awk" | "gawk" => awk(&words, input)?,
        "grep" | "egrep" => return grep(name, &words, input, machine),
        "head" | "tail" => match words.split_last() {
            Some((path, rest)) if machine.files.is_some() && path.starts_with('/') => match machine.read_named(path)? {
                Some(text) => ends(name, rest, &text)?,
                None => return Ok((String::new(), 1)),
            },
            _ => ends(name, &words, input)?,
        },
        "cat" if words.is_empty() || words == ["-"] => input.to_owned(),
        "cat" => {
            let (mut text, mut status) = (String::new(), 0);
            for path in &words {
                match machine.read_named(path)? {
                    Some(file) => text.push_str(&file),
                    None => status = 1,
                }
            }
            return Ok((text, status));
        }
        "basename" => match words[..] {
            [path] => format!("{}\n", base(path)),
            [path, suffix] => {
                let base = base(path);
                format!("{}\n", base.strip_suffix(suffix).filter(|rest| !rest.is_empty()).unwrap_or(base))
            }
            _ => return Err("`basename` takes one path".to_owned()),
        },
        "dirname" => match words[..] {
            [path] => {
                let cut = path.trim_end_matches('/');
                let parent = cut
                    .rfind('/')
                    .map_or(".", |slash| if slash == 0 { "/" } else { cut[..slash].trim_end_matches('/') });
                format!("{parent}\n")
            }
            _ => return Err("`dirname` takes one path".to_owned()),
        },
        "expr" => return expr(&words),
        "date" => date::run(&words, machine.clock)?,
        "sort" => sort(&words, input)?,
        "uniq" if words.is_empty() => {
            let mut lines: Vec<&str> = input.lines().collect();
            lines.dedup();
            lines.iter().map(|line| format!("{line}\n")).collect()
        }
        "rev" if words.is_empty() => {
            input.lines().map(|line| format!("{}\n", line.chars().rev().collect::<String>())).collect()
        }
        "wc" if words == ["-c"] => format!("{}\n", input.len()),
        "wc" if words == ["-l"] => format!("{}\n", input.matches('\n').count()),
        "seq" => {
            let numbers: Result<Vec<i64>, _> = words.iter().map(|word| word.parse::<i64>()).collect();
            let (from, to) = match numbers.map_err(|_| "`seq` takes whole numbers".to_owned())?[..] {
                [to] => (1, to),
                [from, to] => (from, to),
                _ => return Err("`seq` with a step is not evaluated".to_owned()),
            };
            if to - from > 10_000 {
                return Err("`seq` counts too far".to_owned());
            }
            (from..=to).map(|number| format!("{number}\n")).collect()
        }
        "bc" if words.is_empty() => {
            let mut output = String::new();
            for line in input.lines().filter(|line| !line.trim().is_empty()) {
                output.push_str(&format!("{}\n", arithmetic(line, &|_| 0)?));
            }
            output
        }
        _ if !machine.is_bare => return Err(format!("`{name}` may ask the machine")),
        "nproc" => format!("{PROCESSORS}\n"),
        "getconf" if words == ["_NPROCESSORS_ONLN"] => format!("{PROCESSORS}\n"),
        // A name that is always the same: nothing is made.
        "mktemp" => format!("{}\n", words.iter().rfind(|word| word.contains("XXX")).unwrap_or(&"/tmp/tmp.XXXXXXXXXX")),
        "rpm" if words.first().is_some_and(|word| word.starts_with("-q")) => {
            machine.suppose(|| "no package is installed".to_owned());
            return Ok((query(&words), 1));
        }
        "uname" | "id" | "hostname" | "whoami" | "stat" | "ls" | "find" | "readlink" | "realpath" => {
            return Err(format!("`{name}` asks the machine"));
        }
        _ => {
            machine.suppose(|| format!("there is no program `{name}`"));
            return Ok((String::new(), 127));
        }
    };
    Ok((text, 0))
}

fn base(path: &str) -> &str {
    let cut = path.trim_end_matches('/');
    if cut.is_empty() { "/" } else { cut.rsplit('/').next().unwrap_or(cut) }
}

fn echo(words: &[&str]) -> String {
    let (mut line_end, mut escapes, mut words) = (true, false, words);
    while let Some((option @ ("-n" | "-e" | "-ne" | "-en" | "-E"), rest)) =
        words.split_first().map(|(first, rest)| (*first, rest))
    {
        line_end &= !option.contains('n');
        escapes |= option.contains('e');
        words = rest;
    }
    let text = words.join(" ");
    let text = if escapes { unescape(&text) } else { text };
    if line_end { text + "\n" } else { text }
}

fn unescape(text: &str) -> String {
    let mut plain = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            plain.push(letter);
            continue;
        }
        match letters.next() {
            Some('n') => plain.push('\n'),
            Some('t') => plain.push('\t'),
            Some('r') => plain.push('\r'),
            Some('\\') => plain.push('\\'),
            Some(other) => plain.extend(['\\', other]),
            None => plain.push('\\'),
        }
    }
    plain
}

fn printf(words: &[&str]) -> Result<String, String> {
    let words = words.strip_prefix(&["--"]).unwrap_or(words);
    let (format, mut values) = words.split_first().ok_or("`printf` has no format")?;
    let mut output = String::new();
    loop {
        let taken = values;
        let mut letters = unescape(format).chars().collect::<Vec<_>>().into_iter().peekable();
        while let Some(letter) = letters.next() {
            if letter != '%' {
                output.push(letter);
                continue;
            }
            let mut flags = String::new();
            while letters.peek().is_some_and(|letter| letter.is_ascii_digit() || matches!(letter, '-' | '.')) {
                flags.extend(letters.next());
            }
            let kind = letters.next().ok_or("a format of `printf` is cut short")?;
            if kind == '%' {
                output.push('%');
                continue;
            }
            let value = values.split_first().map_or("", |(first, rest)| {
                values = rest;
                first
            });
            let left = flags.starts_with('-');
            let zero = flags.starts_with('0');
            let (width, precision) = flags
                .trim_start_matches(['-', '0'])
                .split_once('.')
                .map_or((flags.trim_start_matches(['-', '0']), None), |(width, precision)| (width, Some(precision)));
            let width: usize = width.parse().unwrap_or(0).min(1_000);
            let number = || {
                if value.is_empty() {
                    Ok(0)
                } else {
                    value.trim().parse::<i64>().map_err(|_| format!("`{value}` is no number"))
                }
            };
            let text = match kind {
                's' => {
                    precision.map_or(value.to_owned(), |count| value.chars().take(count.parse().unwrap_or(0)).collect())
                }
                'd' | 'i' | 'u' => number()?.to_string(),
                'f' => {
                    let value: f64 = if value.is_empty() {
                        0.0
                    } else {
                        value.trim().parse().map_err(|_| format!("`{value}` is no number"))?
                    };
                    let digits = precision.map_or(6, |count| count.parse().unwrap_or(0)).min(50);
                    format!("{value:.digits$}")
                }
                'x' => format!("{:x}", number()?),
                'X' => format!("{:X}", number()?),
                'o' => format!("{:o}", number()?),
                other => return Err(format!("`%{other}` of `printf` is not evaluated")),
            };
            output.push_str(&match (left, zero && kind != 's') {
                (true, _) => format!("{text:<width$}"),
                (false, true) => format!("{text:0>width$}"),
                (false, false) => format!("{text:>width$}"),
            });
        }
        if values.is_empty() || values.len() == taken.len() {
            return Ok(output);
        }
    }
}

/// Numbers from lists such as `1,3-5,7-`, as inclusive ranges.
fn ranges(list: &str) -> Result<Vec<(usize, usize)>, String> {
    let number = |text: &str, default: usize| {
        if text.is_empty() {
            Ok(default)
        } else {
            text.parse::<usize>().map_err(|_| format!("`{list}` is no list of numbers"))
        }
    };
    list.split(',')
        .map(|part| match part.split_once('-') {
            Some((from, to)) => Ok((number(from, 1)?, number(to, usize::MAX)?)),
            None => number(part, 0).map(|only| (only, only)),
        })
        .collect()
}

fn cut(words: &[&str], input: &str) -> Result<String, String> {
    let (mut delimiter, mut fields, mut letters, mut only_delimited) = ('\t', None, None, false);
    let mut joint = None;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let (option, mut value) = word.split_at(word.len().min(2));
        if value.is_empty() && matches!(option, "-d" | "-f" | "-c" | "-b") {
            value = words.next().ok_or_else(|| format!("`cut {option}` lacks its value"))?;
        }
        match option {
            "-d" => delimiter = value.chars().next().unwrap_or('\t'),
            "-f" => fields = Some(ranges(value)?),
            "-c" | "-b" => letters = Some(ranges(value)?),
            "-s" => only_delimited = true,
            "--" if word.starts_with("--output-delimiter") => {
                joint = Some(match word.strip_prefix("--output-delimiter=") {
                    Some(joint) => joint,
                    None => words.next().ok_or_else(|| format!("`cut {word}` lacks its value"))?,
                });
            }
            _ => return Err(format!("`cut {word}` is not evaluated")),
        }
    }
    let among =
        |ranges: &[(usize, usize)], index: usize| ranges.iter().any(|(from, to)| (*from..=*to).contains(&(index + 1)));
    let mut output = String::new();
    for line in input.lines() {
        if let Some(ranges) = &letters {
            output
                .extend(line.chars().enumerate().filter(|(index, _)| among(ranges, *index)).map(|(_, letter)| letter));
        } else if let Some(ranges) = &fields {
            if !line.contains(delimiter) {
                if only_delimited {
                    continue;
                }
                output.push_str(line);
            } else {
                let kept: Vec<&str> = line
                    .split(delimiter)
                    .enumerate()
                    .filter(|(index, _)| among(ranges, *index))
                    .map(|(_, field)| field)
                    .collect();
                output.push_str(&kept.join(joint.unwrap_or(&delimiter.to_string())));
            }
        } else {
            return Err("`cut` is not told what to keep".to_owned());
        }
        output.push('\n');
    }
    Ok(output)
}

fn translate(words: &[&str], input: &str) -> Result<String, String> {
    let (mut deletes, mut squeezes, mut complements, mut sets) = (false, false, false, Vec::new());
    for word in words {
        let word = match *word {
            "--delete" => "-d",
            "--squeeze-repeats" => "-s",
            "--complement" => "-c",
            "--" if sets.is_empty() => continue,
            word => word,
        };
        match word.strip_prefix('-').filter(|flags| !flags.is_empty() && sets.is_empty()) {
            Some(flags) => {
                for flag in flags.chars() {
                    match flag {
                        'd' => deletes = true,
                        's' => squeezes = true,
                        'c' | 'C' => complements = true,
                        other => return Err(format!("`tr -{other}` is not evaluated")),
                    }
                }
            }
            None => sets.push(set(word)),
        }
    }
    let first = sets.first().ok_or("`tr` has no letters")?;
    let second = sets.get(1);
    let within = |letter: &char| first.contains(letter) != complements;
    let mut output = String::new();
    for letter in input.chars() {
        if deletes && within(&letter) {
            continue;
        }
        let changed = match second {
            Some(second) if !deletes && within(&letter) => {
                let index =
                    if complements { usize::MAX } else { first.iter().position(|known| *known == letter).unwrap_or(0) };
                second.get(index).or(second.last()).copied().unwrap_or(letter)
            }
            _ => letter,
        };
        let squeezed = second.unwrap_or(first);
        if squeezes
            && output.ends_with(changed)
            && (if second.is_none() { within(&changed) } else { squeezed.contains(&changed) })
        {
            continue;
        }
        output.push(changed);
    }
    Ok(output)
}

/// The letters of a set such as `a-z` or `[:upper:]`.
fn set(text: &str) -> Vec<char> {
    let classes = [("[:upper:]", 'A'..='Z'), ("[:lower:]", 'a'..='z'), ("[:digit:]", '0'..='9')];
    let letters: Vec<char> = unescape(text).chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        let rest: String = letters[at..].iter().collect();
        if let Some((name, range)) = classes.iter().find(|(name, _)| rest.starts_with(name)) {
            found.extend(range.clone());
            at += name.len();
        } else if at + 2 < letters.len() && letters[at + 1] == '-' {
            found.extend(letters[at]..=letters[at + 2]);
            at += 3;
        } else {
            found.push(letters[at]);
            at += 1;
        }
    }
    found
}

/// `awk '{print $1, $NF}'` with `-F`: one print, of fields and texts.
fn awk(words: &[&str], input: &str) -> Result<String, String> {
    let (mut separator, mut program) = (None, None);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.strip_prefix("-F") {
            Some("") => separator = Some(*words.next().ok_or("`awk -F` lacks its value")?),
            Some(value) => separator = Some(value),
            None if program.is_none() && !word.starts_with('-') => program = Some(*word),
            None => return Err(format!("`awk {word}` is not evaluated")),
        }
    }
    let refused = || "this `awk` program is not evaluated".to_owned();
    let body = program
        .ok_or_else(refused)?
        .trim()
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .ok_or_else(refused)?;
    let mut parts = Vec::new();
    let mut rest = body.trim().trim_end_matches(';').strip_prefix("print").ok_or_else(refused)?.trim_start();
    while !rest.is_empty() {
        if let Some(behind) = rest.strip_prefix('"') {
            let end = behind.find('"').ok_or_else(refused)?;
            parts.push(Err(unescape(&behind[..end])));
            rest = &behind[end + 1..];
        } else if let Some(behind) = rest.strip_prefix('$') {
            let end = behind.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(behind.len());
            parts.push(Ok(behind[..end].to_owned()));
            rest = &behind[end..];
        } else if let Some(behind) = rest.strip_prefix(',') {
            parts.push(Err(" ".to_owned()));
            rest = behind;
        } else {
            return Err(refused());
        }
        rest = rest.trim_start();
    }
    let mut output = String::new();
    for line in input.lines() {
        let fields: Vec<&str> = match separator {
            None | Some(" ") => line.split_ascii_whitespace().collect(),
            Some(one) if one.len() == 1 => line.split(one).collect(),
            Some(_) => return Err(refused()),
        };
        for part in &parts {
            match part {
                Err(text) => output.push_str(text),
                Ok(field) if field == "0" => output.push_str(line),
                Ok(field) if field == "NF" => output.push_str(fields.last().unwrap_or(&"")),
                Ok(field) => {
                    let number: usize = field.parse().map_err(|_| refused())?;
                    output.push_str(fields.get(number.wrapping_sub(1)).unwrap_or(&""));
                }
            }
        }
        if parts.is_empty() {
            output.push_str(line);
        }
        output.push('\n');
    }
    Ok(output)
}

fn grep(name: &str, words: &[&str], input: &str, machine: &Machine<'_>) -> Result<(String, i32), String> {
    let (mut inverts, mut quiet, mut extended, mut only, mut any_case, mut counts) =
        (false, false, name.ends_with("egrep"), false, false, false);
    let (mut pattern, mut file, mut most) = (None, None, usize::MAX);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.strip_prefix('-').filter(|_| pattern.is_none()) {
            Some(flags) => {
                for (index, flag) in flags.char_indices() {
                    match flag {
                        'v' => inverts = true,
                        'q' => quiet = true,
                        'E' => extended = true,
                        'o' => only = true,
                        'i' => any_case = true,
                        'c' => counts = true,
                        // Only files that there are count, and no two.
                        's' | 'h' => {}
                        'm' => {
                            let value = match &flags[index + 1..] {
                                "" => words.next().ok_or("`grep -m` lacks its value")?,
                                value => value,
                            };
                            most = value.parse().map_err(|_| format!("`{value}` is no number"))?;
                            break;
                        }
                        other => return Err(format!("`grep -{other}` is not evaluated")),
                    }
                }
            }
            None if pattern.is_none() => pattern = Some(*word),
            None if file.is_none() => file = Some(machine.read_named(word)?),
            None => return Err(format!("it reads the file `{word}`")),
        }
    }
    let input = match &file {
        None => input,
        Some(Some(text)) => text,
        Some(None) => return Ok((String::new(), 2)),
    };
    let regular = sed::regular(pattern.ok_or("`grep` has no pattern")?, extended, any_case)?;
    let mut output = String::new();
    let mut count = 0;
    for line in input.lines().filter(|line| regular.is_match(line) != inverts).take(most) {
        count += 1;
        if only && !inverts {
            output.extend(regular.find_iter(line).map(|found| format!("{}\n", found.as_str())));
        } else {
            output.push_str(&format!("{line}\n"));
        }
    }
    if counts {
        output = format!("{count}\n");
    }
    Ok((if quiet { String::new() } else { output }, i32::from(count == 0)))
}

fn ends(name: &str, words: &[&str], input: &str) -> Result<String, String> {
    let (mut count, mut by_letters) = (10, false);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let (option, mut value) = word.split_at(word.len().min(2));
        if matches!(option, "-n" | "-c") {
            by_letters = option == "-c";
            if value.is_empty() {
                value = words.next().ok_or_else(|| format!("`{name} {option}` lacks its value"))?;
            }
        } else {
            value = word.strip_prefix('-').ok_or_else(|| format!("it reads the file `{word}`"))?;
        }
        count = value.parse::<usize>().map_err(|_| format!("`{name} {word}` is not evaluated"))?;
    }
    if by_letters {
        let letters: Vec<char> = input.chars().collect();
        let kept = if name.ends_with("head") {
            &letters[..count.min(letters.len())]
        } else {
            &letters[letters.len().saturating_sub(count)..]
        };
        return Ok(kept.iter().collect());
    }
    let lines: Vec<&str> = input.split_inclusive('\n').collect();
    let kept = if name.ends_with("head") {
        &lines[..count.min(lines.len())]
    } else {
        &lines[lines.len().saturating_sub(count)..]
    };
    Ok(kept.concat())
}

fn sort(words: &[&str], input: &str) -> Result<String, String> {
    let mut lines: Vec<&str> = input.lines().collect();
    let flags: String = words.iter().map(|word| word.strip_prefix('-').unwrap_or("?")).collect();
    if let Some(flag) = flags.chars().find(|flag| !"nruV".contains(*flag)) {
        return Err(format!("`sort` with `{flag}` is not evaluated"));
    }
    if flags.contains('V') {
        lines.sort_by(|left, right| pkg::vercmp(left, right).then_with(|| left.cmp(right)));
    } else if flags.contains('n') {
        let number = |line: &str| {
            line.trim()
                .split(|letter: char| !letter.is_ascii_digit())
                .next()
                .and_then(|digits| digits.parse::<i64>().ok())
                .unwrap_or(0)
        };
        lines.sort_by(|left, right| number(left).cmp(&number(right)).then_with(|| left.cmp(right)));
    } else {
        lines.sort_unstable();
    }
    if flags.contains('r') {
        lines.reverse();
    }
    if flags.contains('u') {
        lines.dedup();
    }
    Ok(lines.iter().map(|line| format!("{line}\n")).collect())
}

fn expr(words: &[&str]) -> Result<(String, i32), String> {
    if let [text, ":", pattern] = words {
        let found = sed::regular(&format!("^{pattern}"), false, false)?;
        let value = found.captures(text).map(|groups| {
            groups.get(1).map_or_else(|| groups[0].chars().count().to_string(), |group| group.as_str().to_owned())
        });
        let value = value.unwrap_or_default();
        return Ok((format!("{value}\n"), i32::from(value.is_empty())));
    }
    let value = arithmetic(&words.join(" "), &|_| 0)?;
    Ok((format!("{value}\n"), i32::from(value == 0)))
}

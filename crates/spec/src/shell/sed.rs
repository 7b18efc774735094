//! `sed` with `s`, `y`, `d`, `p`, `q`, and the basic regular expressions that `grep` shares.

use regex::Regex;

/// What a command of the script does with a line.
enum Action {
    Substitute { regular: Regex, with: String, everywhere: bool, prints: bool },
    Transliterate(Vec<char>, Vec<char>),
    Delete,
    Print,
    Quit,
}

enum Address {
    All,
    Line(usize),
    Last,
    Matching(Regex),
}

pub(super) fn run(arguments: &[String], input: &str) -> Result<String, String> {
    let (mut extended, mut quiet, mut scripts) = (false, false, Vec::new());
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-e" | "--expression" => scripts.push(words.next().ok_or("`sed -e` has no script")?.clone()),
            "-E" | "-r" => extended = true,
            "-n" => quiet = true,
            "-ne" | "-nE" | "-nr" | "-rn" | "-En" => {
                quiet = true;
                extended |= word.contains(['E', 'r']);
                if word.ends_with('e') {
                    scripts.push(words.next().ok_or("`sed -e` has no script")?.clone());
                }
            }
            "-re" | "-Ee" => {
                extended = true;
                scripts.push(words.next().ok_or("`sed -e` has no script")?.clone());
            }
            option if option.starts_with("-e") => scripts.push(option[2..].to_owned()),
            option if option.starts_with('-') => return Err(format!("`sed {option}` is not evaluated")),
            script if scripts.is_empty() => scripts.push(script.to_owned()),
            file => return Err(format!("it reads the file `{file}`")),
        }
    }
    let actions = parse(&scripts.join("\n"), extended)?;
    let mut output = String::new();
    let lines: Vec<&str> = input.lines().collect();
    'lines: for (index, line) in lines.iter().enumerate() {
        let mut text = (*line).to_owned();
        let mut ends = false;
        for (address, action) in &actions {
            let applies = match address {
                Address::All => true,
                Address::Line(number) => *number == index + 1,
                Address::Last => index + 1 == lines.len(),
                Address::Matching(regular) => regular.is_match(&text),
            };
            if !applies {
                continue;
            }
            match action {
                Action::Substitute { regular, with, everywhere, prints } => {
                    let found = regular.is_match(&text);
                    text = regular.replacen(&text, usize::from(!everywhere), with.as_str()).into_owned();
                    if found && *prints {
                        output.push_str(&format!("{text}\n"));
                    }
                }
                Action::Transliterate(from, to) => {
                    text = text
                        .chars()
                        .map(|letter| from.iter().position(|known| *known == letter).map_or(letter, |index| to[index]))
                        .collect();
                }
                Action::Delete => continue 'lines,
                Action::Print => output.push_str(&format!("{text}\n")),
                Action::Quit => {
                    ends = true;
                    break;
                }
            }
        }
        if !quiet {
            output.push_str(&text);
            // A last line without its end stays so.
            if index + 1 < lines.len() || input.ends_with('\n') {
                output.push('\n');
            }
        }
        if ends {
            break;
        }
    }
    Ok(output)
}

fn parse(script: &str, extended: bool) -> Result<Vec<(Address, Action)>, String> {
    let mut actions = Vec::new();
    let letters: Vec<char> = script.chars().collect();
    let mut at = 0;
    while at < letters.len() {
        if letters[at].is_whitespace() || letters[at] == ';' {
            at += 1;
            continue;
        }
        let address = match letters[at] {
            '$' => {
                at += 1;
                Address::Last
            }
            '/' => {
                let (text, next) = part(&letters, at + 1, '/')?;
                at = next;
                Address::Matching(regular(&text, extended, false)?)
            }
            digit if digit.is_ascii_digit() => {
                let digits: String = letters[at..].iter().take_while(|letter| letter.is_ascii_digit()).collect();
                at += digits.len();
                Address::Line(digits.parse().map_err(|_| "a line's number is too large".to_owned())?)
            }
            _ => Address::All,
        };
        let command = *letters.get(at).ok_or("a `sed` command is missing")?;
        at += 1;
        let action = match command {
            's' | 'y' => {
                let mark = *letters.get(at).ok_or("a `sed` command is cut short")?;
                let (from, next) = part(&letters, at + 1, mark)?;
                let (to, next) = part(&letters, next, mark)?;
                let flags: String =
                    letters[next..].iter().take_while(|letter| !matches!(letter, ';' | '\n' | ' ' | '}')).collect();
                at = next + flags.chars().count();
                if let Some(flag) = flags.chars().find(|flag| !"gpiI".contains(*flag)) {
                    return Err(format!("the flag `{flag}` of `sed` is not evaluated"));
                }
                if command == 'y' {
                    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
                    if from.len() != to.len() {
                        return Err("both sides of `sed`'s `y` differ in length".to_owned());
                    }
                    Action::Transliterate(from, to)
                } else {
                    let regular = regular(&from, extended, flags.contains(['i', 'I']))?;
                    Action::Substitute {
                        regular,
                        with: replacement(&to),
                        everywhere: flags.contains('g'),
                        prints: flags.contains('p'),
                    }
                }
            }
            'd' => Action::Delete,
            'p' => Action::Print,
            'q' => Action::Quit,
            other => return Err(format!("the command `{other}` of `sed` is not evaluated")),
        };
        actions.push((address, action));
    }
    Ok(actions)
}

/// Reads up to `mark`; a backslash before it is dropped.
fn part(letters: &[char], from: usize, mark: char) -> Result<(String, usize), String> {
    let mut text = String::new();
    let mut at = from;
    while let Some(letter) = letters.get(at) {
        at += 1;
        if *letter == mark {
            return Ok((text, at));
        }
        if *letter == '\\' && letters.get(at) == Some(&mark) {
            text.push(mark);
            at += 1;
        } else if *letter == '\\' {
            text.push('\\');
            text.extend(letters.get(at));
            at += 1;
        } else {
            text.push(*letter);
        }
    }
    Err(format!("`{mark}` is missing in a `sed` command"))
}

/// A POSIX regular expression as one of this program's.
pub(super) fn regular(text: &str, extended: bool, any_case: bool) -> Result<Regex, String> {
    let mut translated = String::from(if any_case { "(?i)" } else { "" });
    let mut letters = text.chars().peekable();
    let mut at_start = true;
    while let Some(letter) = letters.next() {
        let was_start = std::mem::replace(&mut at_start, false);
        match letter {
            '\\' => match letters.next() {
                Some(special @ ('(' | ')' | '{' | '}' | '+' | '?' | '|')) if !extended => {
                    at_start = special == '(' || special == '|';
                    translated.push(special);
                }
                Some(digit) if digit.is_ascii_digit() => {
                    return Err("a back reference in a pattern is not evaluated".to_owned());
                }
                Some(class @ ('w' | 'W' | 's' | 'S' | 'b' | 'n' | 't')) => translated.extend(['\\', class]),
                Some(other) => translated.push_str(&regex::escape(&other.to_string())),
                None => return Err("a pattern ends with a backslash".to_owned()),
            },
            '(' | ')' | '{' | '}' | '+' | '?' | '|' if !extended => {
                translated.push_str(&regex::escape(&letter.to_string()));
            }
            '*' if was_start && !extended => translated.push_str("\\*"),
            '^' if !was_start && !extended => translated.push_str("\\^"),
            '$' if letters.peek().is_some() && !extended => translated.push_str("\\$"),
            '[' => {
                translated.push('[');
                let mut first = true;
                loop {
                    match letters.next() {
                        None => return Err("a `[` in a pattern is never closed".to_owned()),
                        Some('^') if first => {
                            translated.push('^');
                            continue;
                        }
                        Some(']') if !first => break,
                        Some('[') if matches!(letters.peek(), Some(':')) => {
                            let mut class = String::from("[");
                            for letter in letters.by_ref() {
                                class.push(letter);
                                if class.ends_with(":]") {
                                    break;
                                }
                            }
                            translated.push_str(&class);
                        }
                        Some(odd @ ('[' | ']' | '\\' | '&' | '~')) => translated.extend(['\\', odd]),
                        Some(letter) => translated.push(letter),
                    }
                    first = false;
                }
                translated.push(']');
            }
            other => {
                at_start = matches!(other, '(' | '|') && extended;
                translated.push(other);
            }
        }
    }
    Regex::new(&translated).map_err(|_| format!("the pattern `{text}` cannot be read"))
}

/// `\1` and `&` as this program's regular expressions write them.
fn replacement(text: &str) -> String {
    let mut translated = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '&' => translated.push_str("${0}"),
            '$' => translated.push_str("$$"),
            '\\' => match letters.next() {
                Some(digit) if digit.is_ascii_digit() => translated.push_str(&format!("${{{digit}}}")),
                Some('n') => translated.push('\n'),
                Some('t') => translated.push('\t'),
                Some('$') => translated.push_str("$$"),
                Some(other) => translated.push(other),
                None => {}
            },
            other => translated.push(other),
        }
    }
    translated
}

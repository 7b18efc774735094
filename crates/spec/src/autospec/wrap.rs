//! Paragraphs as Python's `textwrap` fills them, whose line ends the changelogs have.

const WIDTH: usize = 75;
const INDENT: &str = "  ";

/// Fills lines of 75 letters; those behind the first are indented by two.
pub(super) fn fill(text: &str) -> String {
    let chunks = chunks(text);
    let mut chunks: std::collections::VecDeque<Vec<char>> = chunks.into();
    let mut lines: Vec<String> = Vec::new();
    while !chunks.is_empty() {
        let indent = if lines.is_empty() { "" } else { INDENT };
        let width = WIDTH - indent.len();
        if !lines.is_empty() && chunks.front().is_some_and(|chunk| is_space(chunk)) {
            chunks.pop_front();
        }
        let mut line: Vec<Vec<char>> = Vec::new();
        let mut length = 0;
        while let Some(chunk) = chunks.front() {
            if length + chunk.len() > width {
                break;
            }
            length += chunk.len();
            line.extend(chunks.pop_front());
        }
        if let Some(chunk) = chunks.front_mut()
            && chunk.len() > width
        {
            // Longer than a line: cut, behind a hyphen if there is one.
            let left = width.saturating_sub(length);
            let hyphen = chunk[..left.min(chunk.len())].iter().rposition(|letter| *letter == '-');
            let end = match hyphen {
                Some(at) if at > 0 && chunk[..at].iter().any(|letter| *letter != '-') => at + 1,
                _ => left,
            };
            let rest = chunk.split_off(end);
            line.push(std::mem::replace(chunk, rest));
        }
        if line.last().is_some_and(|chunk| is_space(chunk)) {
            line.pop();
        }
        if !line.is_empty() {
            lines.push(format!("{indent}{}", line.concat().into_iter().collect::<String>()));
        }
    }
    lines.join("\n")
}

fn is_space(chunk: &[char]) -> bool {
    chunk.iter().all(|letter| *letter == ' ')
}

/// Words, the space between them, and the parts of words between which a line may end.
fn chunks(text: &str) -> Vec<Vec<char>> {
    let letters: Vec<char> = expand_tabs(text)
        .chars()
        .map(|letter| if matches!(letter, '\t' | '\n' | '\u{b}' | '\u{c}' | '\r') { ' ' } else { letter })
        .collect();
    let (mut chunks, mut at) = (Vec::new(), 0);
    while at < letters.len() {
        let end = if letters[at] == ' ' {
            at + letters[at..].iter().take_while(|letter| **letter == ' ').count()
        } else {
            word_end(&letters, at)
        };
        chunks.push(letters[at..end].to_vec());
        at = end;
    }
    chunks
}

fn word_end(letters: &[char], start: usize) -> usize {
    let is_letter = |at: usize| letters.get(at).is_some_and(|letter| letter.is_alphabetic() || *letter == '_');
    let is_word = |at: usize| letters.get(at).is_some_and(|letter| letter.is_alphanumeric() || *letter == '_');
    let is_punctuated = |at: usize| {
        letters.get(at).is_some_and(|letter| {
            letter.is_alphanumeric() || matches!(letter, '_' | '!' | '"' | '\'' | '&' | '.' | ',' | '?')
        })
    };
    let dashes = |at: usize| letters[at..].iter().take_while(|letter| **letter == '-').count();
    // Two dashes or more between words are a part of their own.
    if letters[start] == '-' && start > 0 && is_punctuated(start - 1) {
        let count = dashes(start);
        if count >= 2 && is_word(start + count) {
            return start + count;
        }
    }
    for at in start + 1..letters.len() {
        if letters[at] == ' ' {
            return at;
        }
        if letters[at] == '-' {
            let behind_letters = at >= 2 && is_letter(at - 1) && is_letter(at - 2);
            let behind_hyphen = at >= 3 && is_punctuated(at - 1) && letters[at - 2] == '-' && is_letter(at - 3);
            let before_letters =
                is_letter(at + 1) && (is_letter(at + 2) || (letters.get(at + 2) == Some(&'-') && is_letter(at + 3)));
            if (behind_letters || behind_hyphen) && before_letters {
                return at + 1;
            }
            let count = dashes(at);
            if count >= 2 && is_punctuated(at - 1) && is_word(at + count) {
                return at;
            }
        }
    }
    letters.len()
}

/// Tabs lead to the next column that is a multiple of eight.
fn expand_tabs(text: &str) -> String {
    let (mut out, mut column) = (String::with_capacity(text.len()), 0);
    for letter in text.chars() {
        match letter {
            '\t' => {
                let count = 8 - column % 8;
                out.extend(std::iter::repeat_n(' ', count));
                column += count;
            }
            '\n' | '\r' => {
                out.push(letter);
                column = 0;
            }
            _ => {
                out.push(letter);
                column += 1;
            }
        }
    }
    out
}

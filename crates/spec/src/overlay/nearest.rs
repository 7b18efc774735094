//! What comes nearest to a line that was looked for.

use super::Seen;

/// Letters of a line that count; more would make a long line cost more than a message is worth.
const LONGEST: usize = 160;

/// The line that is spelled most like `wanted`, if any shares at least half of its letters with it.
pub(super) fn line<'l>(wanted: &str, lines: impl Iterator<Item = (u32, &'l str)>) -> Option<Seen> {
    let wanted: Vec<char> = wanted.trim().to_lowercase().chars().take(LONGEST).collect();
    if wanted.is_empty() {
        return None;
    }
    let mut best: Option<(usize, u32, &str)> = None;
    for (number, text) in lines {
        let line: Vec<char> = text.trim().to_lowercase().chars().take(LONGEST).collect();
        if line.is_empty() {
            continue;
        }
        // A wanted text that is a part of a line is looked for inside of it: letters before and behind cost nothing.
        let limit = best.map_or(wanted.len() / 2 + 1, |(cost, ..)| cost);
        if let Some(cost) = distance_inside(&wanted, &line, limit)
            && cost < limit
        {
            best = Some((cost, number, text));
        }
    }
    best.map(|(_, number, text)| Seen::line(number, text))
}

/// The name that is spelled most like `wanted`.
pub(super) fn name<'n>(wanted: &str, names: impl Iterator<Item = &'n str>) -> Option<String> {
    crate::spelling::nearest(wanted, names, 1).into_iter().next()
}

/// Letters to change, add or drop so that `wanted` is a part of `line`; nothing if more than `limit`.
fn distance_inside(wanted: &[char], line: &[char], limit: usize) -> Option<usize> {
    if wanted.len() > line.len() + limit {
        return None;
    }
    let mut row: Vec<usize> = vec![0; line.len() + 1];
    for (index, letter) in wanted.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        let mut least = row[0];
        for (column, other) in line.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
            least = least.min(row[column + 1]);
        }
        if least > limit {
            return None;
        }
    }
    row.iter().min().copied()
}

/// An expression without its signs: the text that somebody who wrote it probably had in mind.
pub(super) fn plain(expression: &str) -> String {
    let mut out = String::new();
    let mut letters = expression.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('s') => {
                    out.push(' ');
                    while letters.next_if(|next| matches!(next, '*' | '+' | '?')).is_some() {}
                }
                Some(escaped) if !escaped.is_ascii_alphanumeric() => out.push(escaped),
                _ => {}
            },
            '^' | '$' | '(' | ')' | '*' | '+' | '?' | '|' => {}
            '.' if matches!(letters.peek(), Some('*' | '+')) => {}
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_line_is_found_inside_of_lines() {
        let lines = ["Name: gcc", "%global build_ada 0", "  %global build_d 1 # no", "make"];
        let numbered = || lines.iter().enumerate().map(|(index, text)| (index as u32 + 1, *text));
        assert_eq!(line("%global build_ada 1", numbered()).unwrap().line, 2);
        assert_eq!(line("%global build_d 1", numbered()).unwrap().line, 3);
        assert_eq!(line("zzzzzzzzzzzz", numbered()), None);
        assert_eq!(plain(r"^%global\s+build_ada\s+1$"), "%global build_ada 1");
        assert_eq!(plain(r"Version: %\{x\}\.(1)"), "Version: %{x}.1");
    }
}

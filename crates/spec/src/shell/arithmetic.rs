//! `$((..))`, `expr` and `bc`.

/// Whole-number arithmetic with C's operators; names are looked up by `known`.
pub(super) fn arithmetic(text: &str, known: &dyn Fn(&str) -> i64) -> Result<i64, String> {
    let mut sum =
        Arithmetic { letters: text.chars().filter(|letter| !letter.is_whitespace()).collect(), at: 0, known, depth: 0 };
    let value = sum.level(0)?;
    if sum.at < sum.letters.len() {
        return Err(format!("`{text}` is no arithmetic"));
    }
    Ok(value)
}

struct Arithmetic<'k> {
    letters: Vec<char>,
    at: usize,
    known: &'k dyn Fn(&str) -> i64,
    depth: u32,
}

/// Operators from the weakest to the strongest; longer ones first.
const OPERATORS: [&[&str]; 6] =
    [&["||"], &["&&"], &["==", "!=", "="], &["<=", ">=", "<", ">"], &["+", "-"], &["*", "/", "%"]];

impl Arithmetic<'_> {
    fn level(&mut self, level: usize) -> Result<i64, String> {
        let Some(operators) = OPERATORS.get(level) else { return self.primary() };
        let mut left = self.level(level + 1)?;
        loop {
            let rest: String = self.letters[self.at..].iter().take(2).collect();
            let Some(operator) = operators.iter().find(|operator| rest.starts_with(**operator)) else {
                return Ok(left);
            };
            self.at += operator.len();
            let right = self.level(level + 1)?;
            left = match *operator {
                "||" => i64::from(left != 0 || right != 0),
                "&&" => i64::from(left != 0 && right != 0),
                "==" | "=" => i64::from(left == right),
                "!=" => i64::from(left != right),
                "<=" => i64::from(left <= right),
                ">=" => i64::from(left >= right),
                "<" => i64::from(left < right),
                ">" => i64::from(left > right),
                "+" => left.wrapping_add(right),
                "-" => left.wrapping_sub(right),
                "*" => left.wrapping_mul(right),
                _ if right == 0 => return Err("a division by zero".to_owned()),
                "/" => left.wrapping_div(right),
                _ => left.wrapping_rem(right),
            };
        }
    }

    fn primary(&mut self) -> Result<i64, String> {
        self.depth += 1;
        if self.depth > 500 {
            return Err("the arithmetic is too long".to_owned());
        }
        match self.letters.get(self.at) {
            Some('(') => {
                self.at += 1;
                let value = self.level(0)?;
                if self.letters.get(self.at) != Some(&')') {
                    return Err("`(` is never closed".to_owned());
                }
                self.at += 1;
                Ok(value)
            }
            Some('-') => {
                self.at += 1;
                self.primary().map(i64::wrapping_neg)
            }
            Some('!') => {
                self.at += 1;
                self.primary().map(|value| i64::from(value == 0))
            }
            _ => {
                let from = self.at;
                while self.letters.get(self.at).is_some_and(|letter| letter.is_ascii_alphanumeric() || *letter == '_') {
                    self.at += 1;
                }
                let word: String = self.letters[from..self.at].iter().collect();
                if word.starts_with(|letter: char| letter.is_ascii_digit()) {
                    word.parse().map_err(|_| format!("`{word}` is no number"))
                } else if word.is_empty() {
                    Err("a number is missing".to_owned())
                } else {
                    Ok((self.known)(&word))
                }
            }
        }
    }
}

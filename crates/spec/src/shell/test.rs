//! `test` and `[`.

use super::machine::Machine;

/// Whether the condition holds.
pub(super) fn holds(words: &[String], machine: &Machine<'_>) -> Result<bool, String> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    evaluate(&words, machine)
}

fn evaluate(words: &[&str], machine: &Machine<'_>) -> Result<bool, String> {
    // The weakest operator outside parentheses divides first.
    for (operator, all) in [("-o", false), ("-a", true)] {
        let mut depth = 0_i32;
        for (at, word) in words.iter().enumerate() {
            match *word {
                "(" => depth += 1,
                ")" => depth -= 1,
                word if word == operator && depth == 0 && at > 0 && at + 1 < words.len() && words.len() > 3 => {
                    let (left, right) = (evaluate(&words[..at], machine)?, evaluate(&words[at + 1..], machine)?);
                    return Ok(if all { left && right } else { left || right });
                }
                _ => {}
            }
        }
    }
    if let ["(", inner @ .., ")"] = words
        && !inner.is_empty()
    {
        return evaluate(inner, machine);
    }
    match words {
        [] => Ok(false),
        [word] => Ok(!word.is_empty()),
        ["!", rest @ ..] => evaluate(rest, machine).map(|holds| !holds),
        ["-n", word] => Ok(!word.is_empty()),
        ["-z", word] => Ok(word.is_empty()),
        [option, path] => machine.test(option, path),
        [left, "=" | "==", right] => Ok(left == right),
        [left, "!=", right] => Ok(left != right),
        [left, operator, right] => {
            let number = |text: &str| text.trim().parse::<i64>().map_err(|_| format!("`{text}` is no number"));
            let order = |left, right| Ok::<_, String>(number(left)?.cmp(&number(right)?));
            match *operator {
                "-eq" => order(left, right).map(std::cmp::Ordering::is_eq),
                "-ne" => order(left, right).map(std::cmp::Ordering::is_ne),
                "-lt" => order(left, right).map(std::cmp::Ordering::is_lt),
                "-le" => order(left, right).map(std::cmp::Ordering::is_le),
                "-gt" => order(left, right).map(std::cmp::Ordering::is_gt),
                "-ge" => order(left, right).map(std::cmp::Ordering::is_ge),
                other => Err(format!("`test` with `{other}` is not evaluated")),
            }
        }
        _ => Err("`test` has too many words".to_owned()),
    }
}

//! Words and options of section headings, as popt reads them.

/// Splits a heading into words. Quotes hold words together, a backslash takes the next letter as it is; empty words vanish.
///
/// Source: popt, `poptParseArgvString`. Fails where the text ends with a backslash.
pub(super) fn split(text: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (Some(open), '\\') => {
                let next = letters.next().ok_or("it ends with a backslash")?;
                if next != open {
                    word.push('\\');
                }
                word.push(next);
            }
            (Some(_), _) => word.push(letter),
            (None, '"' | '\'') => quote = Some(letter),
            (None, '\\') => word.push(letters.next().ok_or("it ends with a backslash")?),
            (None, _) if letter.is_ascii_whitespace() || letter == '\u{b}' => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            (None, _) => word.push(letter),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    Ok(words)
}

/// Options and names of a heading.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) options: Vec<(char, String)>,
    pub(super) names: Vec<String>,
}

impl Options {
    /// Sorts words, the section's own included, by `known`: letters, with `:` behind those that take a value.
    pub(super) fn read(words: &[String], known: &str) -> Result<Options, String> {
        let mut read = Options::default();
        let mut words = words.iter().skip(1);
        let mut only_names = false;
        while let Some(word) = words.next() {
            if only_names || !word.starts_with('-') || word == "-" {
                read.names.push(word.clone());
                continue;
            }
            if word == "--" {
                only_names = true;
                continue;
            }
            for (index, letter) in word.char_indices().skip(1) {
                let place = known
                    .find(letter)
                    .filter(|_| letter != ':')
                    .ok_or_else(|| format!("it has no option `-{letter}`"))?;
                if !known[place + letter.len_utf8()..].starts_with(':') {
                    read.options.push((letter, String::new()));
                    continue;
                }
                let tail = &word[index + letter.len_utf8()..];
                let tail = tail.strip_prefix('=').unwrap_or(tail);
                let value = if tail.is_empty() {
                    words.next().cloned().ok_or_else(|| format!("option `-{letter}` lacks its value"))?
                } else {
                    tail.to_owned()
                };
                read.options.push((letter, value));
                break;
            }
        }
        Ok(read)
    }

    /// The last value of an option.
    pub(super) fn value(&self, letter: char) -> Option<&str> {
        self.options.iter().rev().find(|(known, _)| *known == letter).map(|(_, value)| value.as_str())
    }

    pub(super) fn has(&self, letter: char) -> bool {
        self.value(letter).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_quotes() {
        for (text, words) in [
            ("%files -n  x", vec!["%files", "-n", "x"]),
            (r#"%post -p "/bin/sh -x" y"#, vec!["%post", "-p", "/bin/sh -x", "y"]),
            (r"a\ b 'c\d' ''", vec!["a b", r"c\d"]),
        ] {
            assert_eq!(split(text).unwrap(), words);
        }
        assert!(split("a\\").is_err());
    }

    #[test]
    fn options_and_names() {
        let words = split("%files -n name -fone -f two rest").unwrap();
        let read = Options::read(&words, "n:f:").unwrap();
        assert_eq!(read.value('n'), Some("name"));
        assert_eq!(read.value('f'), Some("two"));
        assert_eq!(read.names, ["rest"]);
        assert!(Options::read(&words, "n:").is_err());
    }
}

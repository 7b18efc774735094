//! The arguments of parametric macros: splitting at blanks, quotes, options.

/// Surrounds quoted arguments inside expanded text (ASCII unit separator), as rpm does it.
pub(crate) const QUOTE: char = '\x1f';

/// Splits at blanks; what stands between quote marks stays together, and is kept even when empty.
pub(crate) fn split_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut start = 0;
    let mut quoted = false;
    let mut take = |from: usize, to: usize| {
        if to > from {
            let word = &text[from..to];
            words.push(if word.contains(QUOTE) { word.replace(QUOTE, "") } else { word.to_owned() });
        }
    };
    for (index, byte) in text.bytes().enumerate() {
        if byte == QUOTE as u8 {
            quoted = !quoted;
        } else if !quoted && (byte == b' ' || byte == b'\t') {
            take(start, index);
            start = index + 1;
        }
    }
    // As in rpm, an unclosed quote loses the rest.
    if !quoted {
        take(start, text.len());
    }
    words
}

/// Puts quote marks around every word and joins them with blanks.
pub(crate) fn join_quoted<S: AsRef<str>>(words: &[S]) -> String {
    let mut joined = String::new();
    for (index, word) in words.iter().enumerate() {
        if index > 0 {
            joined.push(' ');
        }
        joined.push(QUOTE);
        joined.push_str(word.as_ref());
        joined.push(QUOTE);
    }
    joined
}

/// Options and other arguments of one call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parsed {
    pub(crate) options: Vec<(char, Option<String>)>,
    pub(crate) rest: Vec<String>,
}

/// Sorts `words` into options and the rest, as getopt(3) of the GNU C library does it.
///
/// Options may follow other arguments, unless `options` begins with `+`; `--` ends them; `options` of just `-` switches all
/// of this off. Fails with the letter that is no option or lacks its argument.
pub(crate) fn getopt(options: &str, words: &[String]) -> Result<Parsed, char> {
    let mut parsed = Parsed::default();
    if options == "-" {
        parsed.rest = words.to_vec();
        return Ok(parsed);
    }
    let in_order = options.starts_with('+');
    let mut index = 0;
    while index < words.len() {
        let word = &words[index];
        index += 1;
        if word == "--" {
            parsed.rest.extend_from_slice(&words[index..]);
            break;
        }
        if !word.starts_with('-') || word == "-" {
            // A leading `-` would hand these back as option 1, which no macro can name.
            if options.starts_with('-') {
                return Err('\x01');
            }
            parsed.rest.push(word.clone());
            if in_order {
                parsed.rest.extend_from_slice(&words[index..]);
                break;
            }
            continue;
        }
        let letters: Vec<(usize, char)> = word.char_indices().skip(1).collect();
        for (offset, letter) in letters {
            let known = options.find(letter).filter(|_| letter != ':' && letter != ';');
            let Some(place) = known else { return Err(letter) };
            let behind = &options[place + letter.len_utf8()..];
            let tail = &word[offset + letter.len_utf8()..];
            if behind.starts_with("::") {
                parsed.options.push((letter, (!tail.is_empty()).then(|| tail.to_owned())));
                break;
            }
            if behind.starts_with(':') {
                let value = if tail.is_empty() {
                    let value = words.get(index).ok_or(letter)?;
                    index += 1;
                    value.clone()
                } else {
                    tail.to_owned()
                };
                parsed.options.push((letter, Some(value)));
                break;
            }
            parsed.options.push((letter, None));
        }
    }
    Ok(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn options_as_getopt_finds_them() {
        let parsed = getopt("ab:c", &words("one -a -bx two -c -- -a")).unwrap();
        assert_eq!(parsed.options, [('a', None), ('b', Some("x".to_owned())), ('c', None)]);
        assert_eq!(parsed.rest, ["one", "two", "-a"]);
        assert_eq!(getopt("ab:", &words("-ab 1 x")).unwrap().options, [('a', None), ('b', Some("1".to_owned()))]);
        assert_eq!(getopt("a", &words("-x")), Err('x'));
        assert_eq!(getopt("b:", &words("-b")), Err('b'));
        assert_eq!(getopt("-", &words("-x y")).unwrap().rest, ["-x", "y"]);
        assert_eq!(getopt("", &words("- y")).unwrap().rest, ["-", "y"]);
    }

    #[test]
    fn quoted_words_stay_together() {
        assert_eq!(split_words("a  \x1fb c\x1f\td"), ["a", "b c", "d"]);
        assert_eq!(split_words("\x1f\x1f"), [""]);
        assert_eq!(split_words(&join_quoted(&["x y", ""])), ["x y", ""]);
    }
}

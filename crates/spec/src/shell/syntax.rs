//! From a command's text to a tree.

/// A part of a word.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    /// Text as it is; whether it stood in quotes.
    Text(String, bool),
    /// `$name`, `${name..}`: the name and what follows it in the braces; whether it stood in double quotes.
    Variable(String, String, bool),
    /// `$(..)` and backquotes.
    Command(Box<List>, bool),
    /// `$((..))`.
    Arithmetic(Vec<Piece>),
}

pub(super) type Word = Vec<Piece>;

/// How a pipeline depends on the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joint {
    Always,
    IfTrue,
    IfFalse,
}

/// Pipelines in order; a pipeline may be negated.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct List(pub(super) Vec<(Joint, bool, Vec<Command>)>);

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Command {
    Simple { assignments: Vec<(String, Word)>, words: Vec<Word>, silent: bool, input: Option<Input> },
    Group(List),
    If { branches: Vec<(List, List)>, otherwise: Option<List> },
    For { name: String, words: Vec<Word>, body: List },
    Case { word: Word, arms: Vec<(Vec<Word>, List)> },
}

/// What a command reads instead of what is piped into it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Input {
    /// `< file`
    File(Word),
    /// `<<< text`, as in bash.
    Text(Word),
}

/// Substitutions and groups inside one another.
const DEPTH: u32 = 30;

pub(super) fn parse(text: &str) -> Result<List, String> {
    let mut parser = Parser { letters: text.chars().collect(), at: 0, depth: 0 };
    let list = parser.list(&[])?;
    parser.blanks();
    if parser.at < parser.letters.len() {
        return Err(format!("`{}` stands where a command should", parser.letters[parser.at]));
    }
    Ok(list)
}

struct Parser {
    letters: Vec<char>,
    at: usize,
    depth: u32,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.letters.get(self.at).copied()
    }

    fn starts(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(offset, letter)| self.letters.get(self.at + offset) == Some(&letter))
    }

    fn take(&mut self, text: &str) -> bool {
        let found = self.starts(text);
        if found {
            self.at += text.chars().count();
        }
        found
    }

    /// Skips blanks, continued lines and comments.
    fn blanks(&mut self) {
        loop {
            match self.peek() {
                Some(' ' | '\t') => self.at += 1,
                Some('\\') if self.letters.get(self.at + 1) == Some(&'\n') => self.at += 2,
                Some('#')
                    if self.at == 0
                        || self.letters[self.at - 1].is_whitespace()
                        || self.letters[self.at - 1] == ';' =>
                {
                    while self.peek().is_some_and(|letter| letter != '\n') {
                        self.at += 1;
                    }
                }
                _ => return,
            }
        }
    }

    fn line_ends(&mut self) {
        loop {
            self.blanks();
            if !matches!(self.peek(), Some('\n')) {
                return;
            }
            self.at += 1;
        }
    }

    /// The bare word that stands next, without taking it.
    fn keyword(&self) -> String {
        self.letters[self.at.min(self.letters.len())..]
            .iter()
            .take_while(|letter| letter.is_ascii_alphabetic())
            .collect()
    }

    fn expect(&mut self, word: &str) -> Result<(), String> {
        self.line_ends();
        let is_sign = !word.chars().all(|letter| letter.is_ascii_alphabetic());
        if (is_sign || self.keyword() == word) && self.take(word) {
            return Ok(());
        }
        Err(format!("`{word}` is missing"))
    }

    /// Commands until the end, a closing parenthesis, or one of the words `ends`.
    fn list(&mut self, ends: &[&str]) -> Result<List, String> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err("it is nested too deeply".to_owned());
        }
        let mut list = List::default();
        let mut joint = Joint::Always;
        loop {
            self.line_ends();
            let word = self.keyword();
            let at_end = match self.peek() {
                None | Some(')') => true,
                Some('}') => ends.contains(&"}"),
                Some(';') if self.starts(";;") => true,
                _ => ends.contains(&word.as_str()),
            };
            if at_end {
                if joint != Joint::Always {
                    return Err("a command is missing at the end".to_owned());
                }
                break;
            }
            let negated = self.starts("! ") && self.take("! ");
            let mut pipeline = vec![self.command()?];
            loop {
                self.blanks();
                if self.starts("||") || !self.take("|") {
                    break;
                }
                self.line_ends();
                pipeline.push(self.command()?);
            }
            list.0.push((joint, negated, pipeline));
            self.blanks();
            joint = if self.take("&&") {
                Joint::IfTrue
            } else if self.take("||") {
                Joint::IfFalse
            } else if self.starts(";;") || self.take(";") || self.take("\n") {
                Joint::Always
            } else if self.starts("&") {
                return Err("it runs something in the background".to_owned());
            } else {
                self.blanks();
                if !matches!(self.peek(), None | Some(')' | '}')) {
                    return Err(format!("`{}` stands where a command should end", self.peek().unwrap_or(' ')));
                }
                Joint::Always
            };
        }
        self.depth -= 1;
        Ok(list)
    }

    fn command(&mut self) -> Result<Command, String> {
        self.blanks();
        if self.take("(") {
            let list = self.list(&[])?;
            self.expect(")")?;
            self.redirections()?;
            return Ok(Command::Group(list));
        }
        if self.starts("{ ") || self.starts("{\n") {
            self.at += 1;
            let list = self.list(&["}"])?;
            self.expect("}")?;
            self.redirections()?;
            return Ok(Command::Group(list));
        }
        let word = self.keyword();
        let ends = self.letters.get(self.at + word.len()).is_none_or(|letter| letter.is_whitespace());
        match word.as_str() {
            "if" if ends => self.conditional(),
            "for" if ends => self.repetition(),
            "case" if ends => self.choice(),
            "while" | "until" | "function" | "select" if ends => Err(format!("`{word}` is not evaluated")),
            _ => self.simple(),
        }
    }

    fn conditional(&mut self) -> Result<Command, String> {
        let mut branches = Vec::new();
        self.expect("if")?;
        loop {
            let condition = self.list(&["then"])?;
            self.expect("then")?;
            branches.push((condition, self.list(&["elif", "else", "fi"])?));
            if self.keyword() != "elif" {
                break;
            }
            self.expect("elif")?;
        }
        let otherwise = if self.keyword() == "else" {
            self.expect("else")?;
            Some(self.list(&["fi"])?)
        } else {
            None
        };
        self.expect("fi")?;
        self.redirections()?;
        Ok(Command::If { branches, otherwise })
    }

    fn repetition(&mut self) -> Result<Command, String> {
        self.expect("for")?;
        self.blanks();
        let name = self.name();
        self.expect("in")?;
        let mut words = Vec::new();
        loop {
            self.blanks();
            if self.take(";") || self.take("\n") {
                break;
            }
            words.push(self.word()?.ok_or("the words of `for` do not end")?);
        }
        self.expect("do")?;
        let body = self.list(&["done"])?;
        self.expect("done")?;
        self.redirections()?;
        Ok(Command::For { name, words, body })
    }

    fn choice(&mut self) -> Result<Command, String> {
        self.expect("case")?;
        self.blanks();
        let word = self.word()?.ok_or("`case` has no word")?;
        self.expect("in")?;
        let mut arms = Vec::new();
        loop {
            self.line_ends();
            if self.keyword() == "esac" {
                break;
            }
            self.take("(");
            let mut patterns = Vec::new();
            loop {
                self.blanks();
                patterns.push(self.word()?.ok_or("`case` has no pattern")?);
                self.blanks();
                if !self.take("|") {
                    break;
                }
            }
            self.expect(")")?;
            let body = self.list(&["esac"])?;
            arms.push((patterns, body));
            self.line_ends();
            if !self.take(";;") {
                break;
            }
        }
        self.expect("esac")?;
        Ok(Command::Case { word, arms })
    }

    fn name(&mut self) -> String {
        let from = self.at;
        while self.peek().is_some_and(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
            self.at += 1;
        }
        self.letters[from..self.at].iter().collect()
    }

    fn simple(&mut self) -> Result<Command, String> {
        let (mut assignments, mut words, mut silent, mut input) = (Vec::new(), Vec::new(), false, None);
        loop {
            self.blanks();
            silent |= self.redirections()?;
            if self.take("<<<") {
                self.blanks();
                input = Some(Input::Text(self.word()?.ok_or("`<<<` lacks its text")?));
                continue;
            }
            if self.starts("<") && !self.starts("<<") && !self.starts("<(") {
                self.at += 1;
                self.blanks();
                input = Some(Input::File(self.word()?.ok_or("`<` lacks its file")?));
                continue;
            }
            let start = self.at;
            if words.is_empty() {
                let name = self.name();
                if !name.is_empty() && !name.starts_with(|letter: char| letter.is_ascii_digit()) && self.take("=") {
                    assignments.push((name, self.word()?.unwrap_or_default()));
                    continue;
                }
                self.at = start;
            }
            match self.word()? {
                Some(word) => words.push(word),
                None => break,
            }
        }
        if words.is_empty() && assignments.is_empty() {
            return Err("a command is missing".to_owned());
        }
        Ok(Command::Simple { assignments, words, silent, input })
    }

    /// Takes what sends output nowhere; true if that is the standard output. Anything else touches files.
    fn redirections(&mut self) -> Result<bool, String> {
        let mut silent = false;
        loop {
            self.blanks();
            let digits = self.letters[self.at.min(self.letters.len())..]
                .iter()
                .take_while(|letter| letter.is_ascii_digit())
                .count();
            let operator = self.letters.get(self.at + digits).copied();
            if !matches!(operator, Some('<' | '>')) && !self.starts("&>") {
                return Ok(silent);
            }
            if operator == Some('<') && digits == 0 && !self.reads_nothing() {
                return Ok(silent);
            }
            let text: String =
                self.letters[self.at..].iter().take_while(|letter| !matches!(letter, ';' | '|' | '\n' | ')')).collect();
            let compact: String = text.chars().filter(|letter| *letter != ' ').collect();
            let known = [
                ("2>/dev/null", false),
                ("2>&1", false),
                (">/dev/null", true),
                ("1>/dev/null", true),
                ("&>/dev/null", true),
                ("1>&2", true),
                (">&2", true),
                ("</dev/null", false),
            ];
            let Some((form, is_output)) = known.iter().find(|(form, _)| compact.starts_with(form)) else {
                return Err("it reads or writes a file".to_owned());
            };
            let mut left = form.chars().count();
            while left > 0 {
                if self.peek() != Some(' ') {
                    left -= 1;
                }
                self.at += 1;
            }
            silent |= is_output;
        }
    }

    /// Whether `< /dev/null` stands next.
    fn reads_nothing(&self) -> bool {
        let mut rest = self.letters[self.at + 1..].iter().skip_while(|letter| **letter == ' ');
        "/dev/null".chars().all(|letter| rest.next() == Some(&letter))
    }

    fn word(&mut self) -> Result<Option<Word>, String> {
        let mut word = Word::new();
        let mut text = String::new();
        let mut is_word = false;
        let flush = |text: &mut String, word: &mut Word| {
            if !text.is_empty() {
                word.push(Piece::Text(std::mem::take(text), false));
            }
        };
        while let Some(letter) = self.peek() {
            match letter {
                ' ' | '\t' | '\n' | ';' | '|' | '&' | '(' | ')' | '<' | '>' => break,
                '\\' => {
                    self.at += 1;
                    if self.peek() == Some('\n') {
                        self.at += 1;
                        continue;
                    }
                    flush(&mut text, &mut word);
                    word.push(Piece::Text(self.peek().map(String::from).unwrap_or_default(), true));
                    self.at += 1;
                }
                '\'' => {
                    flush(&mut text, &mut word);
                    self.at += 1;
                    word.push(Piece::Text(self.until('\'')?, true));
                }
                '"' => {
                    flush(&mut text, &mut word);
                    self.at += 1;
                    self.quoted(&mut word)?;
                }
                '$' | '`' => {
                    flush(&mut text, &mut word);
                    let piece = self.substitution(false)?;
                    word.push(piece);
                }
                _ => {
                    text.push(letter);
                    self.at += 1;
                }
            }
            is_word = true;
        }
        flush(&mut text, &mut word);
        Ok(is_word.then_some(word))
    }

    fn until(&mut self, end: char) -> Result<String, String> {
        let mut text = String::new();
        while let Some(letter) = self.peek() {
            self.at += 1;
            if letter == end {
                return Ok(text);
            }
            text.push(letter);
        }
        Err(format!("`{end}` is never closed"))
    }

    fn quoted(&mut self, word: &mut Word) -> Result<(), String> {
        let mut text = String::new();
        while let Some(letter) = self.peek() {
            match letter {
                '"' => {
                    self.at += 1;
                    word.push(Piece::Text(text, true));
                    return Ok(());
                }
                '\\' => {
                    self.at += 1;
                    match self.peek() {
                        Some(next @ ('$' | '`' | '"' | '\\')) => text.push(next),
                        Some('\n') => {}
                        Some(next) => text.extend(['\\', next]),
                        None => {}
                    }
                    self.at += 1;
                }
                '$' | '`' => {
                    word.push(Piece::Text(std::mem::take(&mut text), true));
                    let piece = self.substitution(true)?;
                    word.push(piece);
                }
                _ => {
                    text.push(letter);
                    self.at += 1;
                }
            }
        }
        Err("`\"` is never closed".to_owned())
    }

    fn substitution(&mut self, quoted: bool) -> Result<Piece, String> {
        if self.take("`") {
            let text = self.until('`')?.replace("\\`", "`").replace("\\$", "$").replace("\\\\", "\\");
            return self.nested(&text).map(|list| Piece::Command(Box::new(list), quoted));
        }
        if self.take("$((") {
            let from = self.at;
            let mut depth = 0;
            while let Some(letter) = self.peek() {
                match letter {
                    '(' => depth += 1,
                    ')' if depth == 0 => break,
                    ')' => depth -= 1,
                    _ => {}
                }
                self.at += 1;
            }
            let text: String = self.letters[from..self.at].iter().collect();
            if !self.take("))") {
                return Err("`$((` is never closed".to_owned());
            }
            let mut inner = Parser { letters: format!("{text}\"").chars().collect(), at: 0, depth: self.depth + 1 };
            let mut word = Word::new();
            inner.quoted(&mut word)?;
            return Ok(Piece::Arithmetic(word));
        }
        if self.take("$(") {
            let list = self.list(&[])?;
            self.expect(")")?;
            return Ok(Piece::Command(Box::new(list), quoted));
        }
        if self.take("${") {
            let length = self.take("#");
            let name = if length { format!("#{}", self.name()) } else { self.name() };
            let mut operation = String::new();
            let mut depth = 0;
            while let Some(letter) = self.peek() {
                match letter {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    _ => {}
                }
                operation.push(letter);
                self.at += 1;
            }
            if !self.take("}") {
                return Err("`${` is never closed".to_owned());
            }
            return Ok(Piece::Variable(name, operation, quoted));
        }
        self.at += 1;
        let name = self.name();
        if name.is_empty() {
            return match self.peek() {
                Some('?') => {
                    self.at += 1;
                    Ok(Piece::Variable("?".to_owned(), String::new(), quoted))
                }
                Some(letter @ ('$' | '@' | '*' | '#' | '!' | '-')) => Err(format!("`${letter}` is not evaluated")),
                _ => Ok(Piece::Text("$".to_owned(), true)),
            };
        }
        Ok(Piece::Variable(name, String::new(), quoted))
    }

    fn nested(&self, text: &str) -> Result<List, String> {
        let mut parser = Parser { letters: text.chars().collect(), at: 0, depth: self.depth + 1 };
        parser.list(&[])
    }
}

/// The pieces of a text in which `$` counts, as behind `${name:-`.
pub(super) fn parse_operand(text: &str) -> Result<Word, String> {
    let mut parser = Parser { letters: text.chars().collect(), at: 0, depth: 0 };
    let mut word = Word::new();
    while parser.at < parser.letters.len() {
        match parser.word()? {
            Some(part) => word.extend(part),
            None => {
                word.push(Piece::Text(parser.letters[parser.at].to_string(), true));
                parser.at += 1;
            }
        }
    }
    Ok(word)
}

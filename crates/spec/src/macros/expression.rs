//! Expressions: `%[..]`, `%{expr:..}`, and the conditions of `%if`.
//!
//! ```text
//! ternary    = logical [ "?" ternary ":" ternary ]
//! logical    = comparison { ("&&" | "||") comparison }      one precedence, left to right, as in rpm
//! comparison = sum { ("==" | "!=" | "<" | "<=" | ">" | ">=") sum }
//! sum        = product { ("+" | "-") product }
//! product    = primary { ("*" | "/") primary }
//! primary    = number | "text" | v"version" | "(" ternary ")" | "-" primary | "!" primary | lua:name(ternary, ..)
//! ```
//!
//! Integers have 32 bits and wrap. What short-circuit evaluation skips is read but not expanded.

use std::cmp::Ordering;

use super::engine::{Engine, Outcome};
use super::scan::{self, is_space};
use crate::ErrorKind;

/// Nested parentheses and signs; rpm knows no bound, its stack does.
const DEPTH: u32 = 100;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Integer(i32),
    Text(String),
    Version(pkg::Evr, String),
}

impl Value {
    fn is_true(&self) -> bool {
        match self {
            Value::Integer(number) => *number != 0,
            Value::Text(text) => !text.is_empty(),
            Value::Version(..) => false,
        }
    }

    fn compare(&self, other: &Value) -> Option<Ordering> {
        match (self, other) {
            (Value::Integer(a), Value::Integer(b)) => Some(a.cmp(b)),
            (Value::Text(a), Value::Text(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
            (Value::Version(a, _), Value::Version(b, _)) => Some(compare_versions(a, b)),
            _ => None,
        }
    }

    fn same_kind(&self, other: &Value) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// rpm's order of versions written as `[epoch:]version[-release]`: a side without release is below one with.
fn compare_versions(a: &pkg::Evr, b: &pkg::Evr) -> Ordering {
    a.epoch.cmp(&b.epoch).then_with(|| pkg::vercmp(&a.version, &b.version)).then_with(|| {
        match (a.release.is_empty(), b.release.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => pkg::vercmp(&a.release, &b.release),
        }
    })
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    End,
    Value(Value),
    Function(String),
    Sign(&'static str),
}

/// Longer signs come first.
const SIGNS: &[&str] =
    &["==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "+", "-", "*", "/", "(", ")", "?", ":", ","];

struct Parser<'e, 't> {
    engine: &'e Engine,
    text: &'t str,
    at: usize,
    token: Token,
    /// Macros inside operands are expanded here: `%[..]`, not `%if`, whose line was expanded before.
    expands: bool,
    /// The value does not count: nothing is expanded.
    discards: bool,
    depth: u32,
}

impl Engine {
    /// The value of an expression as text.
    pub(super) fn expression_text(&self, text: &str, expands: bool) -> Outcome<String> {
        Ok(match self.expression(text, expands)? {
            Value::Integer(number) => number.to_string(),
            Value::Text(text) | Value::Version(_, text) => text,
        })
    }

    /// Whether a condition holds. Its macros must have been expanded.
    pub(crate) fn condition(&self, text: &str) -> Outcome<bool> {
        Ok(self.expression(text, false)?.is_true())
    }

    fn expression(&self, text: &str, expands: bool) -> Outcome<Value> {
        let mut parser = Parser { engine: self, text, at: 0, token: Token::End, expands, discards: false, depth: 0 };
        parser.next()?;
        let value = parser.ternary()?;
        if parser.token != Token::End {
            return Err(parser.wrong("something stands behind its end"));
        }
        Ok(value)
    }
}

impl Parser<'_, '_> {
    fn wrong(&self, problem: impl Into<String>) -> Box<crate::SpecError> {
        let expression = super::string::excerpt(self.text.trim());
        self.engine.fail(ErrorKind::Expression { expression, problem: problem.into() })
    }

    fn next(&mut self) -> Outcome {
        let bytes = self.text.as_bytes();
        while self.at < bytes.len() && is_space(bytes[self.at]) {
            self.at += 1;
        }
        let Some(byte) = bytes.get(self.at).copied() else {
            self.token = Token::End;
            return Ok(());
        };
        let rest = &self.text[self.at..];
        if byte.is_ascii_digit() || (byte == b'%' && self.expands) {
            self.token = Token::Value(self.number()?);
        } else if byte == b'"' {
            self.at += 1;
            let text = self.quoted()?;
            self.token = Token::Value(Value::Text(text));
        } else if rest.starts_with("v\"") {
            self.at += 2;
            let text = self.quoted()?;
            let text = if self.discards { "0".to_owned() } else { text };
            let version = pkg::Evr::parse(&text).map_err(|wrong| self.wrong(wrong.to_string()))?;
            self.token = Token::Value(Value::Version(version, text));
        } else if byte.is_ascii_alphabetic() {
            let end =
                rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':'))).unwrap_or(rest.len());
            if rest[end..].starts_with('(') {
                self.at += end + 1;
                self.token = Token::Function(rest[..end].to_owned());
            } else {
                return Err(self.wrong(format!("the bare word `{}` must stand in quotes", &rest[..end])));
            }
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            self.at += sign.len();
            self.token = Token::Sign(sign);
        } else {
            let shown = rest.chars().next().unwrap_or(' ');
            return Err(self.wrong(format!("nothing can begin with `{shown}`")));
        }
        Ok(())
    }

    /// The end of what may hold macros and stops where `stop` says.
    fn operand_end(&self, from: usize, stop: impl Fn(u8) -> bool) -> usize {
        let bytes = self.text.as_bytes();
        let mut at = from;
        while at < bytes.len() {
            if bytes[at] == b'%' && self.expands {
                at = if bytes.get(at + 1) == Some(&b'%') {
                    at + 2
                } else {
                    scan::macro_end(bytes, at + 1).unwrap_or(bytes.len())
                };
            } else if stop(bytes[at]) {
                break;
            } else {
                at += 1;
            }
        }
        at.min(bytes.len())
    }

    fn operand(&self, from: usize, to: usize) -> Outcome<String> {
        let text = &self.text[from..to];
        match (self.discards, self.expands) {
            (true, _) => Ok(String::new()),
            (false, true) => self.engine.expand_text(text),
            (false, false) => Ok(text.to_owned()),
        }
    }

    fn number(&mut self) -> Outcome<Value> {
        let end = self.operand_end(self.at, |byte| !byte.is_ascii_digit());
        let text = self.operand(self.at, end)?;
        self.at = end;
        let digits = text.strip_prefix('-').unwrap_or(&text);
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            let problem = if text.starts_with(|c: char| c.is_ascii_alphabetic()) {
                format!("a macro gives the bare word `{text}`, which must stand in quotes,")
            } else {
                format!("a macro gives `{text}`, which is no whole number,")
            };
            return Err(self.wrong(problem));
        }
        // Too large numbers end at C's bounds, as atoi(3) of the GNU C library does it.
        let value = if digits.is_empty() { 0 } else { digits.parse::<i64>().unwrap_or(i64::MAX) };
        #[expect(clippy::cast_possible_truncation, reason = "rpm's integers are C's int")]
        let value = if text.starts_with('-') { value.wrapping_neg() as i32 } else { value as i32 };
        Ok(Value::Integer(value))
    }

    fn quoted(&mut self) -> Outcome<String> {
        let end = self.operand_end(self.at, |byte| byte == b'"');
        if self.text.as_bytes().get(end) != Some(&b'"') {
            return Err(self.wrong("a text in quotes is never closed"));
        }
        let text = self.operand(self.at, end)?;
        self.at = end + 1;
        Ok(text)
    }

    fn accept(&mut self, signs: &[&'static str]) -> Option<&'static str> {
        match self.token {
            Token::Sign(sign) if signs.contains(&sign) => Some(sign),
            _ => None,
        }
    }

    fn ternary(&mut self) -> Outcome<Value> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(self
                .engine
                .fail(ErrorKind::Limit { what: "nested parentheses in an expression", limit: u64::from(DEPTH) }));
        }
        let outer = self.discards;
        let condition = self.logical()?;
        let mut value = condition;
        if self.accept(&["?"]).is_some() {
            let chosen = value.is_true();
            self.discards = outer || !chosen;
            self.next()?;
            let yes = self.ternary()?;
            if self.accept(&[":"]).is_none() {
                return Err(self.wrong("`?` has no `:`"));
            }
            self.discards = outer || chosen;
            self.next()?;
            let no = self.ternary()?;
            self.discards = outer;
            if !yes.same_kind(&no) {
                return Err(self.wrong("the types of both sides of `:` differ"));
            }
            value = if chosen { yes } else { no };
        }
        self.depth -= 1;
        Ok(value)
    }

    fn logical(&mut self) -> Outcome<Value> {
        let outer = self.discards;
        let mut left = self.comparison()?;
        while let Some(sign) = self.accept(&["&&", "||"]) {
            let decided = left.is_true() == (sign == "||");
            if decided {
                self.discards = true;
            }
            self.next()?;
            let right = self.comparison()?;
            if !left.same_kind(&right) {
                return Err(self.wrong(format!("the types of both sides of `{sign}` differ")));
            }
            if !decided {
                left = right;
            }
            self.discards = outer;
        }
        Ok(left)
    }

    fn comparison(&mut self) -> Outcome<Value> {
        let mut left = self.sum()?;
        while let Some(sign) = self.accept(&["==", "!=", "<", "<=", ">", ">="]) {
            self.next()?;
            let right = self.sum()?;
            let Some(order) = left.compare(&right) else {
                return Err(self.wrong(format!("the types of both sides of `{sign}` differ")));
            };
            let holds = match sign {
                "==" => order.is_eq(),
                "!=" => order.is_ne(),
                "<" => order.is_lt(),
                "<=" => order.is_le(),
                ">" => order.is_gt(),
                _ => order.is_ge(),
            };
            left = Value::Integer(i32::from(holds));
        }
        Ok(left)
    }

    fn sum(&mut self) -> Outcome<Value> {
        let mut left = self.product()?;
        while let Some(sign) = self.accept(&["+", "-"]) {
            self.next()?;
            left = match (left, self.product()?) {
                (Value::Integer(a), Value::Integer(b)) => {
                    Value::Integer(if sign == "+" { a.wrapping_add(b) } else { a.wrapping_sub(b) })
                }
                (Value::Text(a), Value::Text(b)) if sign == "+" => Value::Text(a + &b),
                (left, right) => return Err(self.cannot(sign, &left, &right)),
            };
        }
        Ok(left)
    }

    fn product(&mut self) -> Outcome<Value> {
        let mut left = self.primary()?;
        while let Some(sign) = self.accept(&["*", "/"]) {
            self.next()?;
            left = match (left, self.primary()?) {
                (Value::Integer(a), Value::Integer(_)) if self.discards => Value::Integer(a),
                (Value::Integer(_), Value::Integer(0)) if sign == "/" => return Err(self.wrong("a division by zero")),
                (Value::Integer(a), Value::Integer(b)) => {
                    Value::Integer(if sign == "*" { a.wrapping_mul(b) } else { a.wrapping_div(b) })
                }
                (left, right) => return Err(self.cannot(sign, &left, &right)),
            };
        }
        Ok(left)
    }

    fn cannot(&self, sign: &str, left: &Value, right: &Value) -> Box<crate::SpecError> {
        if left.same_kind(right) {
            let kind = if matches!(left, Value::Version(..)) { "versions" } else { "texts" };
            self.wrong(format!("`{sign}` is not for {kind}"))
        } else {
            self.wrong(format!("the types of both sides of `{sign}` differ"))
        }
    }

    fn primary(&mut self) -> Outcome<Value> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(self
                .engine
                .fail(ErrorKind::Limit { what: "nested parentheses in an expression", limit: u64::from(DEPTH) }));
        }
        let value = match std::mem::replace(&mut self.token, Token::End) {
            Token::Value(value) => {
                self.next()?;
                value
            }
            Token::Function(name) => self.function(&name)?,
            Token::Sign("(") => {
                self.next()?;
                let value = self.ternary()?;
                if self.accept(&[")"]).is_none() {
                    return Err(self.wrong("a `(` is never closed"));
                }
                self.next()?;
                value
            }
            Token::Sign("-") => {
                self.next()?;
                match self.primary()? {
                    Value::Integer(number) => Value::Integer(number.wrapping_neg()),
                    _ => return Err(self.wrong("`-` is only for numbers")),
                }
            }
            Token::Sign("!") => {
                self.next()?;
                let value = self.primary()?;
                Value::Integer(i32::from(!value.is_true()))
            }
            Token::Sign(sign) => return Err(self.wrong(format!("`{sign}` stands where a value should"))),
            Token::End => return Err(self.wrong("a value is missing at the end")),
        };
        self.depth -= 1;
        Ok(value)
    }

    fn function(&mut self, name: &str) -> Outcome<Value> {
        let mut arguments = Vec::new();
        self.next()?;
        while self.accept(&[")"]).is_none() {
            arguments.push(self.ternary()?);
            match self.token {
                Token::Sign(")") => {}
                Token::Sign(",") => {
                    self.next()?;
                    if self.accept(&[")"]).is_some() {
                        return Err(self.wrong("an argument is missing behind `,`"));
                    }
                }
                _ => return Err(self.wrong(format!("the arguments of `{name}` are never closed"))),
            }
        }
        self.next()?;
        let Some(function) = name.strip_prefix("lua:") else {
            return Err(self.wrong(format!("there is no function `{name}`")));
        };
        if self.discards {
            return Ok(Value::Text(String::new()));
        }
        let mut texts = Vec::new();
        for argument in arguments {
            match argument {
                Value::Integer(number) => texts.push(Err(number)),
                Value::Text(text) => texts.push(Ok(text)),
                Value::Version(..) => return Err(self.wrong("a version cannot be an argument")),
            }
        }
        Ok(Value::Text(self.engine.call_lua_function(function, &texts)?))
    }
}

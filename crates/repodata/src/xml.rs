//! The small part of XML that rpm-md needs: escaping for the writers, a bounded pull parser for the readers.

use std::io::BufRead;

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};

use crate::ReadError;

/// The first line of every document.
pub(crate) const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// Bytes of text that one element may hold. The largest descriptions and changelogs have some ten thousand.
const MAX_TEXT: usize = 16 << 20;

/// Appends `text` as element content.
pub(crate) fn push_text(out: &mut String, text: &str) {
    push_escaped(out, text, false);
}

/// Appends `text` as the value of a double-quoted attribute.
pub(crate) fn push_attribute(out: &mut String, text: &str) {
    push_escaped(out, text, true);
}

fn push_escaped(out: &mut String, text: &str, attribute: bool) {
    let mut plain = 0;
    for (index, byte) in text.bytes().enumerate() {
        let escaped = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'\r' => "&#13;",
            b'"' if attribute => "&quot;",
            b'\n' if attribute => "&#10;",
            b'\t' if attribute => "&#9;",
            b'\n' | b'\t' => continue,
            // XML 1.0 has no way to write the other control characters: they are dropped.
            0..=0x1f => "",
            _ => continue,
        };
        out.push_str(&text[plain..index]);
        out.push_str(escaped);
        plain = index + 1;
    }
    out.push_str(&text[plain..]);
}

/// Drops the characters that XML 1.0 does not have: what is read is what can be written.
fn drop_controls(text: &mut String) {
    let is_control = |byte: u8| byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r');
    if text.bytes().any(is_control) {
        text.retain(|character| !u8::try_from(character).is_ok_and(is_control));
    }
}

/// What comes next in a document.
pub(crate) enum Step {
    /// An element opens; its attributes are asked for by [`Document::attribute`].
    Open,
    /// An element closes; its own text is [`Document::text`].
    Close,
    /// The document is over.
    End,
}

/// A document that is read element by element. Refuses document types, so that no entity can be defined.
pub(crate) struct Document<R> {
    kind: &'static str,
    reader: quick_xml::Reader<R>,
    buffer: Vec<u8>,
    /// The last opening tag as it stands between its brackets, and how much of it is the name.
    element: String,
    element_name: usize,
    name: String,
    text: String,
    depth: usize,
}

impl<R: BufRead> Document<R> {
    pub(crate) fn new(kind: &'static str, reader: R) -> Document<R> {
        let mut reader = quick_xml::Reader::from_reader(reader);
        reader.config_mut().expand_empty_elements = true;
        Document {
            kind,
            reader,
            buffer: Vec::new(),
            element: String::new(),
            element_name: 0,
            name: String::new(),
            text: String::new(),
            depth: 0,
        }
    }

    /// The name, without prefix, of the element that opened or closed last.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The text since the last tag.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// How many elements are open: 1 inside the root.
    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    /// The next tag.
    pub(crate) fn step(&mut self) -> Result<Step, ReadError> {
        let mut fresh = true;
        loop {
            self.buffer.clear();
            let event = match self.reader.read_event_into(&mut self.buffer) {
                Ok(event) => event,
                Err(error) => return Err(self.syntax(error.to_string())),
            };
            if std::mem::take(&mut fresh) {
                self.text.clear();
            }
            match event {
                Event::Start(start) => {
                    self.name.clear();
                    self.name.push_str(start.local_name().as_ref());
                    self.element.clear();
                    self.element.push_str(&start);
                    self.element_name = start.name().as_ref().len();
                    self.depth += 1;
                    return Ok(Step::Open);
                }
                Event::End(end) => {
                    self.name.clear();
                    self.name.push_str(end.local_name().as_ref());
                    self.depth = self.depth.saturating_sub(1);
                    drop_controls(&mut self.text);
                    return Ok(Step::Close);
                }
                Event::Text(text) => self.text.push_str(&text.xml10_content()),
                Event::CData(text) => self.text.push_str(&text.xml10_content()),
                Event::GeneralRef(reference) => {
                    let resolved = match reference.resolve_char_ref() {
                        Ok(Some(character)) => Some(character),
                        Ok(None) => match reference.xml10_content().as_ref() {
                            "lt" => Some('<'),
                            "gt" => Some('>'),
                            "amp" => Some('&'),
                            "apos" => Some('\''),
                            "quot" => Some('"'),
                            _ => None,
                        },
                        Err(_) => None,
                    };
                    let name = reference.into_inner().into_owned();
                    match resolved {
                        Some(character) => self.text.push(character),
                        None => return Err(self.syntax(format!("`&{name};` is not known"))),
                    }
                }
                Event::DocType(_) => return Err(self.syntax("a document type is not allowed".to_owned())),
                Event::Eof if self.depth > 0 => return Err(self.syntax("it ends inside an element".to_owned())),
                Event::Eof => return Ok(Step::End),
                Event::Decl(_) | Event::Comment(_) | Event::PI(_) | Event::Empty(_) => {}
            }
            if self.text.len() > MAX_TEXT {
                return Err(self.fact(format!("an element with more than {MAX_TEXT} bytes of text")));
            }
        }
    }

    /// The value of an attribute of the element that opened last, by its name without prefix.
    pub(crate) fn attribute(&self, name: &str) -> Result<Option<String>, ReadError> {
        let element = BytesStart::from_content(self.element.as_str(), self.element_name);
        for attribute in element.attributes().with_checks(false) {
            let attribute = attribute.map_err(|error| self.syntax(error.to_string()))?;
            if attribute.key.local_name().as_ref() == name {
                let value = attribute.normalized_value(XmlVersion::Implicit1_0);
                let mut value = value.map_err(|error| self.syntax(error.to_string()))?.into_owned();
                drop_controls(&mut value);
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// As [`Document::attribute`], where it has to be there.
    pub(crate) fn expect_attribute(&self, name: &str) -> Result<String, ReadError> {
        self.attribute(name)?.ok_or_else(|| self.fact(format!("`{}` without `{name}`", self.name)))
    }

    /// An attribute that is a count; missing or empty is 0.
    pub(crate) fn number_attribute(&self, name: &str) -> Result<u64, ReadError> {
        match self.attribute(name)? {
            Some(text) if !text.is_empty() => self.number(&text),
            _ => Ok(0),
        }
    }

    /// A count; some writers give times with a fraction, which is dropped.
    pub(crate) fn number(&self, text: &str) -> Result<u64, ReadError> {
        let whole = text.trim().split('.').next().unwrap_or_default();
        whole.parse().map_err(|_| self.fact(format!("`{text}` where `{}` has a number", self.name)))
    }

    pub(crate) fn fact(&self, fact: String) -> ReadError {
        ReadError::Fact { document: self.kind, position: self.reader.buffer_position(), fact }
    }

    fn syntax(&self, cause: String) -> ReadError {
        ReadError::Syntax { document: self.kind, position: self.reader.buffer_position(), cause }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_attributes_are_escaped_as_far_as_needed() {
        let (mut text, mut attribute) = (String::new(), String::new());
        push_text(&mut text, "a<b> & \"c\"\n\td\r\u{1}é");
        push_attribute(&mut attribute, "a<b> & \"c\"\n\td\r\u{1}é");
        assert_eq!(text, "a&lt;b&gt; &amp; \"c\"\n\td&#13;é");
        assert_eq!(attribute, "a&lt;b&gt; &amp; &quot;c&quot;&#10;&#9;d&#13;é");
    }

    #[test]
    fn characters_that_cannot_be_written_are_not_read() {
        let mut document = Document::new("comps", "<a b='\u{1} x\u{2}'>\u{1}\ty\u{1f}</a>".as_bytes());
        assert!(matches!(document.step(), Ok(Step::Open)));
        assert_eq!(document.attribute("b").unwrap().as_deref(), Some(" x"));
        assert!(matches!(document.step(), Ok(Step::Close)));
        assert_eq!(document.text(), "\ty");
    }

    #[test]
    fn entities_cannot_be_defined() {
        let text = "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>";
        let mut document = Document::new("primary", text.as_bytes());
        assert!(matches!(document.step(), Err(ReadError::Syntax { .. })));
    }

    #[test]
    fn a_document_that_ends_early_is_damaged() {
        let mut document = Document::new("primary", "<a><b>".as_bytes());
        assert!(matches!(document.step(), Ok(Step::Open)));
        assert!(matches!(document.step(), Ok(Step::Open)));
        assert!(matches!(document.step(), Err(ReadError::Syntax { .. })));
    }
}

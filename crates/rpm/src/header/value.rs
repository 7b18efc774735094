/// How a value is stored. Source: rpm, `include/rpm/rpmtag.h`, `rpmTagType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// Nothing.
    Null = 0,
    /// Bytes that are small numbers, such as file states.
    Char = 1,
    /// 8-bit numbers.
    Int8 = 2,
    /// 16-bit numbers, aligned to 2.
    Int16 = 3,
    /// 32-bit numbers, aligned to 4.
    Int32 = 4,
    /// 64-bit numbers, aligned to 8.
    Int64 = 5,
    /// One text that ends with NUL.
    String = 6,
    /// A blob.
    Binary = 7,
    /// Texts, each ending with NUL.
    StringArray = 8,
    /// One text in several languages, in the order of `HEADERI18NTABLE`.
    Translated = 9,
}

impl ValueKind {
    pub(crate) fn from_number(number: u32) -> Option<ValueKind> {
        Some(match number {
            1 => ValueKind::Char,
            2 => ValueKind::Int8,
            3 => ValueKind::Int16,
            4 => ValueKind::Int32,
            5 => ValueKind::Int64,
            6 => ValueKind::String,
            7 => ValueKind::Binary,
            8 => ValueKind::StringArray,
            9 => ValueKind::Translated,
            _ => return None,
        })
    }

    /// Whether values are texts.
    pub fn is_text(self) -> bool {
        matches!(self, ValueKind::String | ValueKind::StringArray | ValueKind::Translated)
    }

    /// Bytes of one number; `None` for texts and blobs.
    pub(crate) fn number_width(self) -> Option<usize> {
        match self {
            ValueKind::Char | ValueKind::Int8 => Some(1),
            ValueKind::Int16 => Some(2),
            ValueKind::Int32 => Some(4),
            ValueKind::Int64 => Some(8),
            _ => None,
        }
    }

    /// Data of this kind starts at a multiple of so many bytes.
    pub(crate) fn alignment(self) -> usize {
        self.number_width().unwrap_or(1)
    }
}

/// A value of a header, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is described at ValueKind")]
pub enum Value {
    Chars(Vec<u8>),
    Int8s(Vec<u8>),
    Int16s(Vec<u16>),
    Int32s(Vec<u32>),
    Int64s(Vec<u64>),
    String(String),
    Binary(Vec<u8>),
    Strings(Vec<String>),
    Translated(Vec<String>),
}

impl Value {
    /// How it is stored.
    pub fn kind(&self) -> ValueKind {
        match self {
            Value::Chars(_) => ValueKind::Char,
            Value::Int8s(_) => ValueKind::Int8,
            Value::Int16s(_) => ValueKind::Int16,
            Value::Int32s(_) => ValueKind::Int32,
            Value::Int64s(_) => ValueKind::Int64,
            Value::String(_) => ValueKind::String,
            Value::Binary(_) => ValueKind::Binary,
            Value::Strings(_) => ValueKind::StringArray,
            Value::Translated(_) => ValueKind::Translated,
        }
    }

    /// Its elements as text: numbers in decimal, a blob as one text of hexadecimal digits.
    pub fn texts(&self) -> Vec<String> {
        match self {
            Value::Chars(bytes) | Value::Int8s(bytes) => bytes.iter().map(u8::to_string).collect(),
            Value::Int16s(numbers) => numbers.iter().map(u16::to_string).collect(),
            Value::Int32s(numbers) => numbers.iter().map(u32::to_string).collect(),
            Value::Int64s(numbers) => numbers.iter().map(u64::to_string).collect(),
            Value::String(text) => vec![text.clone()],
            Value::Binary(bytes) => vec![hex::encode(bytes)],
            Value::Strings(texts) => texts.clone(),
            Value::Translated(texts) => texts.first().cloned().into_iter().collect(),
        }
    }

    /// Elements, as the index counts them: 1 for a single text, bytes for a blob.
    pub(crate) fn count(&self) -> usize {
        match self {
            Value::Chars(bytes) | Value::Int8s(bytes) | Value::Binary(bytes) => bytes.len(),
            Value::Int16s(numbers) => numbers.len(),
            Value::Int32s(numbers) => numbers.len(),
            Value::Int64s(numbers) => numbers.len(),
            Value::String(_) => 1,
            Value::Strings(texts) | Value::Translated(texts) => texts.len(),
        }
    }

    /// Appends the stored form; the caller has aligned `data`.
    pub(crate) fn store(&self, data: &mut Vec<u8>) {
        let text = |data: &mut Vec<u8>, text: &str| {
            // A NUL would end the text early and shift all that follow.
            data.extend(text.bytes().filter(|byte| *byte != 0));
            data.push(0);
        };
        match self {
            Value::Chars(bytes) | Value::Int8s(bytes) | Value::Binary(bytes) => data.extend(bytes),
            Value::Int16s(numbers) => numbers.iter().for_each(|number| data.extend(number.to_be_bytes())),
            Value::Int32s(numbers) => numbers.iter().for_each(|number| data.extend(number.to_be_bytes())),
            Value::Int64s(numbers) => numbers.iter().for_each(|number| data.extend(number.to_be_bytes())),
            Value::String(one) => text(data, one),
            Value::Strings(texts) | Value::Translated(texts) => texts.iter().for_each(|one| text(data, one)),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::String(text)
    }
}

impl From<Vec<String>> for Value {
    fn from(texts: Vec<String>) -> Value {
        Value::Strings(texts)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Value {
        Value::Int32s(vec![number])
    }
}

impl From<Vec<u32>> for Value {
    fn from(numbers: Vec<u32>) -> Value {
        Value::Int32s(numbers)
    }
}

//! JSON read into a tree and written again: allocations, strings byte by byte, and a match on every value.
//!
//! By hand, and only what the document needs beside being JSON; the document is made of random numbers.

use std::fmt::Write;

use crate::{Numbers, mix};

const ENTRIES: usize = 2000;

enum Value {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Value>),
    Object(Vec<(String, Value)>),
}

pub(crate) fn run(rounds: u32) -> u64 {
    let document = document();
    let mut checksum = 0;
    for _ in 0..rounds {
        let mut reader = Reader { text: document.as_bytes(), at: 0 };
        let mut written = String::with_capacity(document.len());
        write(&reader.value(), &mut written);
        assert!(written == document, "what is written is what was read");
        checksum = written.bytes().step_by(61).fold(checksum, |sum, byte| mix(sum, byte.into()));
    }
    checksum
}

fn document() -> String {
    let mut numbers = Numbers::new();
    let entry = |number: usize| {
        let object = [
            ("id", Value::Number(number as f64)),
            ("name", Value::Text(format!("entry \"{:x}\"\n\tgrüße", numbers.next()))),
            ("active", Value::Bool(numbers.next().is_multiple_of(2))),
            // A fraction that a decimal number of few digits is.
            ("score", Value::Number((numbers.next() % 1_000_000) as f64 / 64.0)),
            ("parent", Value::Null),
            (
                "tags",
                Value::List(
                    (0..5).map(|_| Value::Number((numbers.next() % 1000) as f64)).collect(),
                ),
            ),
        ];
        Value::Object(object.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    };
    let mut text = String::new();
    write(&Value::List((0..ENTRIES).map(entry).collect()), &mut text);
    text
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn value(&mut self) -> Value {
        match self.peek() {
            b'{' => Value::Object(self.list(b'}', |reader| {
                let key = reader.string();
                reader.expect(b":");
                (key, reader.value())
            })),
            b'[' => Value::List(self.list(b']', Reader::value)),
            b'"' => Value::Text(self.string()),
            b't' => self.word(b"true", Value::Bool(true)),
            b'f' => self.word(b"false", Value::Bool(false)),
            b'n' => self.word(b"null", Value::Null),
            _ => Value::Number(self.number()),
        }
    }

    /// The next byte that is no white space, which stays; 0 at the end.
    fn peek(&mut self) -> u8 {
        while matches!(self.text.get(self.at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
        self.text.get(self.at).copied().unwrap_or(0)
    }

    fn expect(&mut self, word: &[u8]) {
        self.peek();
        assert!(self.text[self.at..].starts_with(word), "not the JSON of this program");
        self.at += word.len();
    }

    fn word(&mut self, word: &[u8], value: Value) -> Value {
        self.expect(word);
        value
    }

    /// What is between two brackets, the first of which is next.
    fn list<T>(&mut self, end: u8, mut item: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let mut items = Vec::new();
        self.at += 1;
        if self.peek() == end {
            self.at += 1;
            return items;
        }
        loop {
            items.push(item(self));
            if self.peek() == end {
                self.at += 1;
                return items;
            }
            self.expect(b",");
        }
    }

    fn string(&mut self) -> String {
        self.expect(b"\"");
        let mut bytes = Vec::new();
        loop {
            let byte = self.text[self.at];
            self.at += 1;
            match byte {
                b'"' => break,
                b'\\' => {
                    bytes.push(match self.text[self.at] {
                        b'n' => b'\n',
                        b't' => b'\t',
                        other => other,
                    });
                    self.at += 1;
                }
                other => bytes.push(other),
            }
        }
        String::from_utf8(bytes).expect("escapes are of ASCII")
    }

    fn number(&mut self) -> f64 {
        let digits = self.text[self.at..]
            .iter()
            .take_while(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
            .count();
        let text = std::str::from_utf8(&self.text[self.at..self.at + digits]).unwrap_or("");
        self.at += digits;
        text.parse().expect("a number of this program")
    }
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        // Writing to memory does not fail.
        Value::Number(number) => _ = write!(text, "{number}"),
        Value::Text(value) => write_string(value, text),
        Value::List(items) => {
            text.push('[');
            for (number, item) in items.iter().enumerate() {
                if number > 0 {
                    text.push(',');
                }
                write(item, text);
            }
            text.push(']');
        }
        Value::Object(entries) => {
            text.push('{');
            for (number, (key, value)) in entries.iter().enumerate() {
                if number > 0 {
                    text.push(',');
                }
                write_string(key, text);
                text.push(':');
                write(value, text);
            }
            text.push('}');
        }
    }
}

fn write_string(value: &str, text: &mut String) {
    text.push('"');
    for character in value.chars() {
        match character {
            '"' | '\\' => text.extend(['\\', character]),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            other => text.push(other),
        }
    }
    text.push('"');
}

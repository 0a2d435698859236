//! Values as JSON text.

use std::fmt::{self, Display, Write};

use serde::Serialize;

/// Writes the value of one property. A dropped writer omits the property.
#[derive(Debug)]
pub struct ValueWriter<'a>(pub(super) &'a mut Vec<u8>);

impl ValueWriter<'_> {
    /// Writes text.
    pub fn text(self, text: &str) {
        write_text(text, self.0);
    }

    /// Writes an integer.
    pub fn integer(self, number: impl Into<i64>) {
        self.json(&number.into());
    }

    /// Writes a number. JSON cannot represent infinity and NaN; they are omitted.
    pub fn number(self, number: f64) {
        if number.is_finite() {
            self.json(&number);
        }
    }

    /// Writes a boolean.
    pub fn boolean(self, truth: bool) {
        self.json(&truth);
    }

    /// Writes a list whose items are written by `write`; an item without a value is omitted.
    pub fn list<T>(self, items: impl IntoIterator<Item = T>, write: impl Fn(T, ValueWriter<'_>)) {
        write_list(items, self.0, |item, json| write(item, ValueWriter(json)));
    }

    fn json(self, scalar: &impl Serialize) {
        serde_json::to_writer(self.0, scalar).expect("a scalar is JSON");
    }
}

/// Appends text as a JSON string.
pub(crate) fn write_text(text: &str, json: &mut Vec<u8>) {
    json.push(b'"');
    write_escaped(text, json);
    json.push(b'"');
}

/// Appends a list whose items are written by `write`.
pub(crate) fn write_list<T>(
    items: impl IntoIterator<Item = T>,
    json: &mut Vec<u8>,
    mut write: impl FnMut(T, &mut Vec<u8>),
) {
    json.push(b'[');
    let begin = json.len();
    for item in items {
        let start = json.len();
        write(item, json);
        if json.len() > start {
            json.push(b',');
        }
    }
    if json.len() > begin {
        json.pop();
    }
    json.push(b']');
}

fn write_escaped(text: &str, json: &mut Vec<u8>) {
    // Free of branches, so that the compiler can vectorise it: nearly all text needs no escapes.
    let odd = text.bytes().fold(false, |odd, byte| odd | (byte < b' ') | (byte == b'"') | (byte == b'\\'));
    if !odd {
        return json.extend_from_slice(text.as_bytes());
    }
    let start = json.len();
    serde_json::to_writer(&mut *json, text).expect("text is JSON");
    // Without the surrounding quotes.
    json.pop();
    json.remove(start);
}

/// Appends the display form of a value as a JSON string.
pub(super) fn write_displayed(shown: &(impl Display + ?Sized), json: &mut Vec<u8>) {
    json.push(b'"');
    write!(Escaped(json), "{shown}").expect("room in memory is all that this writing takes");
    json.push(b'"');
}

/// Escapes displayed text piece by piece.
struct Escaped<'a>(&'a mut Vec<u8>);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        write_escaped(text, self.0);
        Ok(())
    }
}

//! A JSON tokenizer that works in place: it finds the bounds of values without parsing them.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

/// The values of a list or an object in text order, including the member names. The text is JSON
/// without spaces, as the store writes it.
#[derive(Debug, Clone)]
#[doc(hidden)]
pub struct Values<'a> {
    json: &'a str,
    at: usize,
}

impl<'a> Values<'a> {
    /// Returns the tokens of the list or the object in `text`.
    pub fn within(json: &'a str) -> Self {
        // After the bracket.
        Self { json, at: 1 }
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let length = length_of_value(self.json.as_bytes().get(self.at..)?)?;
        let value = &self.json[self.at..self.at + length];
        // After the comma, the colon, or the bracket that follows.
        self.at += length + 1;
        Some(value)
    }
}

/// Returns the contents of a JSON string without escapes.
#[doc(hidden)]
pub fn plain_text(json: &str) -> Option<&str> {
    let text = json.strip_prefix('"')?.strip_suffix('"')?;
    memchr(b'\\', text.as_bytes()).is_none().then_some(text)
}

/// Returns the contents of a JSON string; `None` if the value is something else.
#[doc(hidden)]
pub fn json_string(json: &str) -> Option<Cow<'_, str>> {
    match plain_text(json) {
        Some(plain) => Some(Cow::Borrowed(plain)),
        None if json.starts_with('"') => serde_json::from_str(json).ok().map(Cow::Owned),
        None => None,
    }
}

/// Returns the length of the value at the start of the text. `None` marks the end of the enclosing value.
fn length_of_value(json: &[u8]) -> Option<usize> {
    let length = match json.first()? {
        b'"' => end_of_string(json, 1)?,
        b'[' | b'{' => end_of_list(json)?,
        _ => json.iter().position(|byte| matches!(byte, b',' | b':' | b']' | b'}'))?,
    };
    // Something follows each complete value.
    (length > 0 && length < json.len()).then_some(length)
}

/// Returns the position after the list or the object at the start of the text.
fn end_of_list(json: &[u8]) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, 0);
    loop {
        let byte = *json.get(at)?;
        at += 1;
        match byte {
            b'"' => at = end_of_string(json, at)?,
            b'[' | b'{' => depth += 1,
            b']' | b'}' if depth == 1 => return Some(at),
            b']' | b'}' => depth -= 1,
            _ => {}
        }
    }
}

/// Returns the position after the quote that closes the string starting at `from`.
fn end_of_string(json: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr2(b'"', b'\\', json.get(at..)?)?;
        match json[at] {
            b'"' => return Some(at + 1),
            _ => at += 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_told_apart_whatever_stands_in_them() {
        let list = json!(["a,b", "\"]\\", {"x": [1, {"y": "}"}]}, [], {}, -1.5e3, null, true, "é"]);
        let text = list.to_string();
        let values: Vec<serde_json::Value> =
            Values::within(&text).map(|value| serde_json::from_str(value).unwrap()).collect();
        assert_eq!(json!(values), list);
        assert_eq!(Values::within(r#"{"a":[1],"b":"c"}"#).collect::<Vec<_>>(), [r#""a""#, "[1]", r#""b""#, r#""c""#]);
        assert_eq!([Values::within("[]").count(), Values::within("{}").count()], [0, 0]);
    }

    #[test]
    fn text_that_is_cut_off_ends_the_values() {
        assert_eq!(Values::within(r#"["a","b"#).collect::<Vec<_>>(), [r#""a""#]);
        assert_eq!(Values::within("[[1,").count(), 0);
        assert_eq!(Values::within("").count(), 0);
    }
}

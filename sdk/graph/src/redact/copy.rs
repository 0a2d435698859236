//! Canonical copies of JSON text: strings edited, names sorted, numbers unchanged.
//!
//! No tree is built, because a tree would round numbers, and reject both numbers beyond 64 bits and strings with
//! unpaired surrogates.

use std::borrow::Cow;

use crate::write_text;

use super::plain::{self, Doubts};
use super::rule::{REDACTED, Redaction};
use super::string;
use crate::secrets;

/// The maximum nesting depth, as for trees.
const DEEPEST: u32 = 128;

/// The reason why JSON text cannot be copied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// The text is nested too deeply.
    #[error("lists and objects are nested deeper than {DEEPEST} levels")]
    TooDeep,
    /// The text is not JSON, from this byte on.
    #[error("it is not JSON (at byte {0})")]
    NotJson(usize),
}

/// The changes that a copy makes.
#[doc(hidden)]
pub trait Edit {
    /// Whether members are sorted by name. If so, only the last of equal names is kept.
    const IN_ORDER: bool;
    /// Whether unchanged strings keep their original escapes.
    const AS_WRITTEN: bool = false;
    /// Returns whether the value of a field is hidden.
    fn hides(&self, name: &str) -> bool;
    /// Returns the new text of a string, if it changes.
    fn text(&self, field: Option<&str>, text: &str) -> Option<String>;
    /// Returns the new name of a field, if it changes.
    fn name(&self, name: &str) -> Option<String>;
    /// Returns the name that decides on the values of a field inside another field.
    fn name_within<'n>(&self, parent: Option<&str>, name: &'n str) -> &'n str {
        secrets::name_within(parent, name)
    }
    /// Returns the new form of a number, if it changes.
    fn number(&self, _number: &str) -> Option<String> {
        None
    }
}

impl Redaction {
    /// Appends a canonical copy of JSON text to `out`: without secrets and white space, names sorted.
    ///
    /// Secrets are removed as by [`apply`](Self::apply).
    ///
    /// # Errors
    /// [`CopyError`] if the text is not JSON, or nested too deeply.
    pub fn copy(&self, json: &str, out: &mut Vec<u8>) -> Result<(), CopyError> {
        let doubts = Doubts::about(json);
        if plain::copy(self, doubts, json, out) {
            Ok(())
        } else if doubts.has_names || doubts.is_suspect {
            edited(self, json, out)
        } else {
            edited(&MarkedFields(self), json, out)
        }
    }
}

/// The redaction of text without suspicious strings: only marked fields are hidden.
struct MarkedFields<'a>(&'a Redaction);

impl Edit for MarkedFields<'_> {
    const IN_ORDER: bool = true;

    fn hides(&self, name: &str) -> bool {
        self.0.hides_field(name)
    }

    fn text(&self, _field: Option<&str>, _text: &str) -> Option<String> {
        None
    }

    fn name(&self, _name: &str) -> Option<String> {
        None
    }

    fn name_within<'n>(&self, _parent: Option<&str>, name: &'n str) -> &'n str {
        name
    }
}

impl Edit for Redaction {
    const IN_ORDER: bool = true;

    fn hides(&self, name: &str) -> bool {
        self.hides_field(name)
    }

    fn text(&self, field: Option<&str>, text: &str) -> Option<String> {
        Self::clean(field, text)
    }

    fn name(&self, name: &str) -> Option<String> {
        match secrets::take_out(name) {
            Cow::Owned(clean) => Some(clean),
            Cow::Borrowed(_) => None,
        }
    }
}

/// Appends an edited copy of JSON text to `out`, without white space.
///
/// # Errors
/// [`CopyError`] if the text is not JSON, or nested too deeply; `out` is then unchanged.
#[doc(hidden)]
pub fn edited(edit: &impl Edit, json: &str, out: &mut Vec<u8>) -> Result<(), CopyError> {
    let begin = out.len();
    let mut copier = Copier { edit, json, at: 0 };
    let copied = copier.value(None, 0, out).and_then(|()| {
        copier.skip_space();
        if copier.at == json.len() { Ok(()) } else { Err(copier.not_json()) }
    });
    if copied.is_err() {
        out.truncate(begin);
    }
    copied
}

struct Copier<'a, E> {
    edit: &'a E,
    json: &'a str,
    at: usize,
}

impl<'a, E: Edit> Copier<'a, E> {
    fn not_json(&self) -> CopyError {
        CopyError::NotJson(self.at)
    }

    fn peek(&self) -> Option<u8> {
        self.json.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\t' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        self.skip_space();
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn expect(&mut self, byte: u8) -> Result<(), CopyError> {
        if self.take(byte) { Ok(()) } else { Err(self.not_json()) }
    }

    fn value(&mut self, field: Option<&str>, depth: u32, out: &mut Vec<u8>) -> Result<(), CopyError> {
        self.skip_space();
        match self.peek() {
            Some(b'{' | b'[') if depth == DEEPEST => Err(CopyError::TooDeep),
            Some(b'{') => self.object(field, depth + 1, out),
            Some(b'[') => self.list(field, depth + 1, out),
            Some(b'"') => {
                let (text, literal) = self.string()?;
                match self.edit.text(field, &text) {
                    Some(changed) => write_text(&changed, out),
                    None => written::<E>(&text, literal, out),
                }
                Ok(())
            }
            _ => self.scalar(out),
        }
    }

    /// Copies a number or a literal name unchanged.
    fn scalar(&mut self, out: &mut Vec<u8>) -> Result<(), CopyError> {
        let rest = &self.json.as_bytes()[self.at..];
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
        let length = rest.iter().take_while(|byte| is_part(byte)).count();
        if length == 0 {
            return Err(self.not_json());
        }
        let word = &self.json[self.at..self.at + length];
        let is_number = rest[0] == b'-' || rest[0].is_ascii_digit();
        let changed = if is_number { self.edit.number(word) } else { None };
        out.extend_from_slice(changed.as_deref().unwrap_or(word).as_bytes());
        self.at += length;
        Ok(())
    }

    /// Returns the value of a string and its original literal.
    fn string(&mut self) -> Result<(Cow<'a, str>, &'a str), CopyError> {
        self.expect(b'"')?;
        let length = string::length(&self.json[self.at..]).ok_or_else(|| self.not_json())?;
        let literal = &self.json[self.at..self.at + length];
        self.at += length + 1;
        Ok((string::read(literal), literal))
    }

    fn list(&mut self, field: Option<&str>, depth: u32, out: &mut Vec<u8>) -> Result<(), CopyError> {
        self.expect(b'[')?;
        out.push(b'[');
        let mut is_first = true;
        while !self.take(b']') {
            if !is_first {
                self.expect(b',')?;
                out.push(b',');
            }
            is_first = false;
            self.value(field, depth, out)?;
        }
        out.push(b']');
        Ok(())
    }

    fn object(&mut self, field: Option<&str>, depth: u32, out: &mut Vec<u8>) -> Result<(), CopyError> {
        self.expect(b'{')?;
        out.push(b'{');
        let (begin, mut members) = (out.len(), Vec::new());
        while !self.take(b'}') {
            if !members.is_empty() {
                self.expect(b',')?;
                out.push(b',');
            }
            let start = out.len();
            self.skip_space();
            let (name, literal) = self.string()?;
            let name = match self.edit.name(&name) {
                Some(changed) => {
                    write_text(&changed, out);
                    Cow::Owned(changed)
                }
                None => {
                    written::<E>(&name, literal, out);
                    name
                }
            };
            self.expect(b':')?;
            out.push(b':');
            let value = out.len();
            self.value(Some(self.edit.name_within(field, &name)), depth, out)?;
            if self.edit.hides(&name) && &out[value..] != b"null" {
                out.truncate(value);
                write_text(REDACTED, out);
            }
            members.push(Member { name, start, end: out.len() });
        }
        let in_order = || members.is_sorted_by(|one, other| one.name < other.name);
        if E::IN_ORDER && !in_order() {
            put_in_order(members, begin, out);
        }
        out.push(b'}');
        Ok(())
    }
}

/// A copied member of an object, with its position.
struct Member<'a> {
    name: Cow<'a, str>,
    start: usize,
    end: usize,
}

/// Sorts the members after `begin` by name, and keeps only the last of equal names.
fn put_in_order(mut members: Vec<Member<'_>>, begin: usize, out: &mut Vec<u8>) {
    let unordered = out.split_off(begin);
    members.reverse();
    members.sort_by(|one, other| one.name.cmp(&other.name));
    members.dedup_by(|one, other| one.name == other.name);
    for (at, member) in members.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(&unordered[member.start - begin..member.end - begin]);
    }
}

/// Copies an unchanged string.
fn written<E: Edit>(text: &str, literal: &str, out: &mut Vec<u8>) {
    if E::AS_WRITTEN || text.len() == literal.len() {
        out.push(b'"');
        out.extend_from_slice(literal.as_bytes());
        out.push(b'"');
    } else {
        write_text(text, out);
    }
}

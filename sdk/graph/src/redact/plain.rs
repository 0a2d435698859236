//! The fast path of copies, for text that is almost canonical.
//!
//! Most JSON text is, and can be copied in long runs without a parser.

use memchr::{memchr_iter, memchr2};

use crate::secrets;

use super::rule::Redaction;

/// The maximum nesting depth of lists and objects.
const DEEPEST: usize = 32;

/// The result of one search of a whole text, which replaces a search of each of its strings.
#[derive(Clone, Copy)]
pub(super) struct Doubts {
    /// Whether the text may contain names of secrets.
    pub(super) has_names: bool,
    /// Whether the text may contain secrets.
    pub(super) is_suspect: bool,
}

impl Doubts {
    pub(super) fn about(json: &str) -> Self {
        let has_names = secrets::may_name_secrets(json);
        Self { has_names, is_suspect: secrets::may_be_in_named(json, has_names) }
    }
}

/// Appends a canonical copy of JSON text to `out`, if only white space must be removed.
///
/// If the text has unsorted names, possible secrets, escapes, or deep nesting, the function returns `false` and appends
/// nothing.
pub(super) fn copy(redaction: &Redaction, doubts: Doubts, json: &str, out: &mut Vec<u8>) -> bool {
    let (begin, Doubts { has_names, is_suspect }) = (out.len(), doubts);
    let copied = Text { redaction, is_suspect, has_names, json, at: 0, copied: 0 }.copy(out);
    if copied.is_none() {
        out.truncate(begin);
    }
    copied.is_some()
}

/// An open list, or an open object with its last name.
#[derive(Clone, Copy)]
enum Open<'a> {
    List,
    Object { last: Option<&'a str>, expects_name: bool },
}

/// The state of a copy of valid JSON text.
struct Text<'a> {
    redaction: &'a Redaction,
    is_suspect: bool,
    has_names: bool,
    json: &'a str,
    at: usize,
    /// The end of the copied text.
    copied: usize,
}

impl<'a> Text<'a> {
    fn copy(mut self, out: &mut Vec<u8>) -> Option<()> {
        let bytes = self.json.as_bytes();
        let (mut open, mut depth) = ([Open::List; DEEPEST], 0);
        while let Some(byte) = bytes.get(self.at) {
            match byte {
                b'"' => {
                    let text = self.string()?;
                    match &mut open[depth] {
                        Open::Object { last, expects_name: expects_name @ true } => {
                            if last.is_some_and(|last| last >= text) || self.hides(text) {
                                return None;
                            }
                            (*last, *expects_name) = (Some(text), false);
                        }
                        _ if self.is_suspect && Redaction::clean(None, text).is_some() => return None,
                        _ => {}
                    }
                }
                b'{' | b'[' => {
                    depth += 1;
                    *open.get_mut(depth)? = match byte {
                        b'{' => Open::Object { last: None, expects_name: true },
                        _ => Open::List,
                    };
                    self.at += 1;
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1)?;
                    self.at += 1;
                }
                b',' => {
                    if let Open::Object { expects_name, .. } = &mut open[depth] {
                        *expects_name = true;
                    }
                    self.at += 1;
                }
                b' ' | b'\n' | b'\t' | b'\r' => self.skip_space(out),
                // A colon, or a character of a number, `true`, `false`, or `null`.
                _ => self.at += 1,
            }
        }
        out.extend_from_slice(&bytes[self.copied..]);
        Some(())
    }

    /// Skips a string without escapes and returns it.
    fn string(&mut self) -> Option<&'a str> {
        let rest = &self.json[self.at + 1..];
        let length = memchr2(b'"', b'\\', rest.as_bytes())?;
        let text = &rest[..length];
        self.at += length + 2;
        (rest.as_bytes()[length] == b'"').then_some(text)
    }

    /// Whether a name, or the value under it, must be redacted.
    fn hides(&self, name: &str) -> bool {
        self.redaction.hides_field(name)
            || self.has_names
                && (secrets::is_secret_name(name) || secrets::is_settings_name(name) && self.has_objects())
            || self.is_suspect && Redaction::clean(None, name).is_some()
    }

    /// Whether the next value is an object or a list of objects.
    ///
    /// The result `false` is certain for text without escapes.
    fn has_objects(&self) -> bool {
        let value = self.json[self.at..].trim_start_matches([':', ' ', '\n', '\t', '\r']);
        let Some(list) = value.strip_prefix('[') else { return value.starts_with('{') };
        let Some(end) = memchr2(b'{', b']', list.as_bytes()) else { return true };
        let is_within_text = memchr_iter(b'"', &list.as_bytes()[..end]).count() % 2 == 1;
        is_within_text || list.as_bytes()[end] == b'{' || list[..end].contains('[')
    }

    fn skip_space(&mut self, out: &mut Vec<u8>) {
        let bytes = self.json.as_bytes();
        out.extend_from_slice(&bytes[self.copied..self.at]);
        self.at += bytes[self.at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.copied = self.at;
    }
}

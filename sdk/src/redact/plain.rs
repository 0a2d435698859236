//! The fast path of copies, for text that is almost canonical.
//!
//! Most JSON text is, and can be copied in long runs without a parser.

use memchr::memchr2;

use crate::secrets;

use super::rule::Redaction;

/// The maximum nesting depth of lists and objects.
const DEEPEST: usize = 32;

/// Appends a canonical copy of JSON text to `out`, if only white space must be removed.
///
/// If the text has unsorted names, possible secrets, escapes, or deep nesting, the function returns `false` and appends
/// nothing.
pub(super) fn copy(redaction: &Redaction, json: &str, out: &mut Vec<u8>) -> bool {
    let begin = out.len();
    // One pass over the text excludes secrets from all strings at once.
    let is_suspect = secrets::may_be_in(json) || secrets::may_name_secrets(json);
    let copied = Text { redaction, is_suspect, json, at: 0, copied: 0 }.copy(out);
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

    /// Returns whether a name is secret, or may be secret together with its value.
    fn hides(&self, name: &str) -> bool {
        self.redaction.hides_field(name)
            || self.is_suspect
                && (secrets::is_secret_name(name)
                    || secrets::is_settings_name(name)
                    || Redaction::clean(None, name).is_some())
    }

    fn skip_space(&mut self, out: &mut Vec<u8>) {
        let bytes = self.json.as_bytes();
        out.extend_from_slice(&bytes[self.copied..self.at]);
        self.at += bytes[self.at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.copied = self.at;
    }
}

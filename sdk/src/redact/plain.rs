//! Copying JSON text that is nearly in its kept form already, as most is: in runs, without a parser.

use memchr::memchr2;

use crate::secrets;

use super::rule::Redaction;

/// Lists and objects within each other.
const DEEPEST: usize = 32;

/// Adds JSON text to `out` as it is kept; `false`, and nothing is added, where more is to be done than leaving out spaces: names
/// in another order, secrets, escapes, much within each other.
pub(super) fn copy(redaction: &Redaction, json: &str, out: &mut Vec<u8>) -> bool {
    let begin = out.len();
    // One pass over the text rules out secrets in all strings at once.
    let is_suspect = secrets::may_be_in(json) || secrets::may_name_secrets(json);
    let copied = Text { redaction, is_suspect, json, at: 0, copied: 0 }.copy(out);
    if copied.is_none() {
        out.truncate(begin);
    }
    copied.is_some()
}

/// What is open: a list, or an object with the last of its names.
#[derive(Clone, Copy)]
enum Open<'a> {
    List,
    Object { last: Option<&'a str>, expects_name: bool },
}

/// Text that is known to be JSON, on the way through it.
struct Text<'a> {
    redaction: &'a Redaction,
    is_suspect: bool,
    json: &'a str,
    at: usize,
    /// Up to where it was copied.
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
                // What else stands there: a colon, or a letter of a number or of `true`, `false` or `null`.
                _ => self.at += 1,
            }
        }
        out.extend_from_slice(&bytes[self.copied..]);
        Some(())
    }

    /// Passes over a string without escapes.
    fn string(&mut self) -> Option<&'a str> {
        let rest = &self.json[self.at + 1..];
        let length = memchr2(b'"', b'\\', rest.as_bytes())?;
        let text = &rest[..length];
        self.at += length + 2;
        (rest.as_bytes()[length] == b'"').then_some(text)
    }

    /// Whether a name is secret, or may be with what stands under it.
    fn hides(&self, name: &str) -> bool {
        self.redaction.hides_field(name)
            || self.is_suspect && (secrets::is_secret_name(name) || Redaction::clean(None, name).is_some())
    }

    fn skip_space(&mut self, out: &mut Vec<u8>) {
        let bytes = self.json.as_bytes();
        out.extend_from_slice(&bytes[self.copied..self.at]);
        self.at += bytes[self.at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.copied = self.at;
    }
}

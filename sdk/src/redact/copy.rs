//! Copying any JSON text into its kept form, by going through it with a parser.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::graph::Values;

use super::{REDACTED, Redaction, without_credentials};

/// Adds JSON text to `out` as it is kept.
pub(super) fn copy(redaction: &Redaction, json: &str, out: &mut Vec<u8>) -> serde_json::Result<()> {
    let mut text = serde_json::Deserializer::from_str(json);
    Copy { redaction, out }.deserialize(&mut text)
}

/// Copies JSON text into its kept form.
struct Copy<'a> {
    redaction: &'a Redaction,
    out: &'a mut Vec<u8>,
}

impl Copy<'_> {
    fn write<E: Error>(self, value: &(impl Serialize + ?Sized)) -> Result<(), E> {
        serde_json::to_writer(self.out, value).map_err(E::custom)
    }
}

impl<'de> DeserializeSeed<'de> for Copy<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Copy<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.write(&())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.write(&value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.write(&value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.write(&value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.write(&value)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        match without_credentials(text) {
            Some(clean) => self.write(&clean),
            None => self.write(text),
        }
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<(), E> {
        match without_credentials(text) {
            Some(clean) => self.write(&clean),
            None => {
                quote(text, self.out);
                Ok(())
            }
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.out.push(b'[');
        let begin = self.out.len();
        while items.next_element_seed(Copy { redaction: self.redaction, out: self.out })?.is_some() {
            self.out.push(b',');
        }
        if self.out.len() > begin {
            self.out.pop();
        }
        self.out.push(b']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let Self { redaction, out } = self;
        out.push(b'{');
        let begin = out.len();
        let (mut last, mut is_sorted) = (None, true);
        while let Some(name) = object.next_key_seed(Name)? {
            match &name {
                Cow::Borrowed(name) => quote(name, out),
                Cow::Owned(name) => serde_json::to_writer(&mut *out, name).map_err(A::Error::custom)?,
            }
            out.push(b':');
            let value = out.len();
            object.next_value_seed(Copy { redaction, out })?;
            if redaction.fields.contains(name.as_ref()) && &out[value..] != b"null" {
                out.truncate(value);
                serde_json::to_writer(&mut *out, REDACTED).map_err(A::Error::custom)?;
            }
            out.push(b',');
            is_sorted = is_sorted && last.as_ref().is_none_or(|last| *last < name);
            last = Some(name);
        }
        if out.len() > begin {
            out.pop();
        }
        out.push(b'}');
        if is_sorted { Ok(()) } else { in_order(begin, out).map_err(A::Error::custom) }
    }
}

/// Adds text that stood in JSON as it is, and so needs no escapes.
fn quote(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

/// Puts the members of an object that was written behind `begin` in the order of their names; of equal names the last counts.
fn in_order(begin: usize, out: &mut Vec<u8>) -> serde_json::Result<()> {
    let unordered = String::from_utf8(out.split_off(begin - 1)).expect("JSON is written from strings");
    let (mut texts, mut members) = (Values::within(&unordered), BTreeMap::new());
    while let (Some(name), Some(value)) = (texts.next(), texts.next()) {
        members.insert(serde_json::from_str::<String>(name)?, (name, value));
    }
    out.push(b'{');
    for (at, (name, value)) in members.into_values().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(name.as_bytes());
        out.push(b':');
        out.extend_from_slice(value.as_bytes());
    }
    out.push(b'}');
    Ok(())
}

/// Reads the name of a field, borrowed where the text holds it as it is.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

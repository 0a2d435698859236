//! Copying JSON text into its kept form: in runs where that is all it takes, or by going through it with a parser.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::graph::Values;

use super::plain;
use super::rule::{REDACTED, Redaction, without_credentials};

impl Redaction {
    /// Adds JSON text to `out` as it is kept: without secrets as by [`apply`](Self::apply), without spaces, names in order.
    pub(crate) fn copy(&self, json: &str, out: &mut Vec<u8>) -> serde_json::Result<()> {
        if plain::copy(self, json, out) { Ok(()) } else { parsed(self, json, out) }
    }
}

fn parsed(redaction: &Redaction, json: &str, out: &mut Vec<u8>) -> serde_json::Result<()> {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn json() -> impl Strategy<Value = Value> {
        let name = prop_oneof![Just("token".to_owned()), "[a-c\\n]{0,2}"];
        let text = prop_oneof![Just("https://u:p@h.example/x".to_owned()), "[a-c\\n@:/]{0,9}"];
        let scalar = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            text.prop_map(Value::from)
        ];
        scalar.prop_recursive(4, 40, 5, move |inner| {
            let object = proptest::collection::btree_map(name.clone(), inner.clone(), 0..5);
            prop_oneof![
                proptest::collection::vec(inner, 0..5).prop_map(Value::from),
                object.prop_map(|object| object.into_iter().collect()),
            ]
        })
    }

    /// JSON as somebody may have spelled it: with spaces, escapes, numbers of all kinds, names in no order and more than once.
    fn spelled() -> impl Strategy<Value = String> {
        let space = || prop_oneof![3 => Just(""), 1 => Just(" "), 1 => Just("\n\t"), 1 => Just("\r\n")];
        let name = prop_oneof![
            4 => prop::sample::select(vec!["a", "b", "c", "é", ""]).prop_map(|name| format!("{name:?}")),
            1 => Just(r#""token""#.to_owned()),
            1 => Just(r#""\u0061""#.to_owned()),
        ];
        let number = "-?(0|[1-9][0-9]{0,19})(\\.[0-9]{1,3})?([eE][-+]?[0-9])?";
        let scalar = prop_oneof![
            2 => number,
            1 => "-?[1-9][0-9]{15,22}",
            1 => Just("true".to_owned()),
            1 => Just("null".to_owned()),
            3 => prop::sample::select(vec![r#""x""#, r#""a@b""#, r#""https://u:p@h.example/""#, r#""{[,\"""#, r#""/ \/""#, r#""""#])
                .prop_map(str::to_owned),
        ];
        let within = |items: Vec<(&str, String)>| {
            items.into_iter().map(|(space, item)| format!("{space}{item}{space}")).collect::<Vec<_>>().join(",")
        };
        scalar.prop_recursive(4, 40, 5, move |inner| {
            let item = (space(), inner.clone());
            let member = (space(), (name.clone(), space(), inner))
                .prop_map(|(before, (name, space, value))| (before, format!("{name}{space}:{space}{value}")));
            prop_oneof![
                proptest::collection::vec(item, 0..5).prop_map(move |items| format!("[{}]", within(items))),
                proptest::collection::vec(member, 0..5).prop_map(move |members| format!("{{{}}}", within(members))),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn where_no_parser_is_needed_it_would_have_copied_the_same(text in spelled()) {
            let mut redaction = Redaction::default();
            redaction.field("token");
            let (mut in_runs, mut by_parser) = (Vec::new(), Vec::new());
            if plain::copy(&redaction, &text, &mut in_runs) {
                parsed(&redaction, &text, &mut by_parser).unwrap();
                prop_assert_eq!(String::from_utf8(in_runs), String::from_utf8(by_parser));
            }
        }
    }

    proptest! {
        #[test]
        fn copied_text_is_what_a_tree_would_be_written_as(mut value in json()) {
            let mut redaction = Redaction::default();
            redaction.field("token");
            let texts = [serde_json::to_string_pretty(&value).unwrap(), value.to_string()];
            redaction.apply(&mut value);
            for text in texts {
                let mut copied = Vec::new();
                redaction.copy(&text, &mut copied).unwrap();
                prop_assert_eq!(String::from_utf8(copied).unwrap(), value.to_string());
            }
        }
    }

    #[test]
    fn text_that_is_nearly_as_it_is_kept_needs_no_parser() {
        let mut redaction = Redaction::default();
        redaction.field("token");
        let deep = format!("{}{}", "[".repeat(40), "]".repeat(40));
        for (text, kept) in [
            (
                r#"{"a":[{"b":-12,"c":true}],"d":"é@x","e":null}"#,
                Some(r#"{"a":[{"b":-12,"c":true}],"d":"é@x","e":null}"#),
            ),
            ("{ \"a\" : [ 1,\n\t2 ], \"b\": {} }", Some(r#"{"a":[1,2],"b":{}}"#)),
            (r#"["b","a"]"#, Some(r#"["b","a"]"#)),
            ("7", Some("7")),
            (r#"{"b":1,"a":2}"#, None),
            (r#"{"a":1,"a":2}"#, None),
            (r#"[{"a":1},{"token":"t"}]"#, None),
            (r#"["https://u:p@h.example/x"]"#, None),
            (r#"["\u0061"]"#, None),
            ("[2.50]", None),
            ("[-0]", None),
            ("[1e3]", None),
            ("[1234567890123456789]", None),
            (deep.as_str(), None),
        ] {
            let mut copied = Vec::new();
            let is_plain = plain::copy(&redaction, text, &mut copied);
            assert_eq!(is_plain.then(|| String::from_utf8(copied).unwrap()).as_deref(), kept, "{text}");
        }
    }

    #[test]
    fn copied_names_are_in_order_and_the_last_of_equal_ones_counts() {
        let mut copied = b"before ".to_vec();
        Redaction::default().copy(r#" {"b": 1, "a": {"z": [], "y": {}}, "\u0062": 2.50} "#, &mut copied).unwrap();
        assert_eq!(String::from_utf8(copied).unwrap(), r#"before {"a":{"y":{},"z":[]},"b":2.5}"#);
    }
}

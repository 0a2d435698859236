//! Headers of exchanges, and their lenient decoding.

use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::loose::Loose;

/// A header or a parameter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) value: String,
}

/// Decodes headers from a list of names and values, a list of pairs, a list of lines, or an object.
pub(super) fn headers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Named>, D::Error> {
    struct Headers;

    impl<'de> Visitor<'de> for Headers {
        type Value = Vec<Named>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list or an object of headers")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Vec::new())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
            let mut headers = Vec::new();
            while let Some(header) = items.next_element::<Header>()? {
                headers.extend(header.0);
            }
            Ok(headers)
        }

        fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
            let mut headers = Vec::new();
            while let Some((name, Loose(value))) = members.next_entry()? {
                headers.extend(value.map(|value| Named { name, value }));
            }
            Ok(headers)
        }
    }

    deserializer.deserialize_any(Headers)
}

/// One header, or `None` if it has no value.
struct Header(Option<Named>);

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct HeaderVisitor;

        impl<'de> Visitor<'de> for HeaderVisitor {
            type Value = Header;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a header")
            }

            fn visit_unit<E>(self) -> Result<Header, E> {
                Ok(Header(None))
            }

            /// Decodes a line such as `Accept: application/json`; names of HTTP/2 begin with a colon.
            fn visit_str<E>(self, line: &str) -> Result<Header, E> {
                let start = line.len() - line.trim_start_matches(':').len();
                let colon = line[start..].find(':').map(|colon| start + colon);
                let parts = colon.map(|colon| (line[..colon].trim(), line[colon + 1..].trim()));
                let named = |(name, value): (&str, &str)| Named { name: name.to_owned(), value: value.to_owned() };
                Ok(Header(parts.map(named)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut pair: A) -> Result<Header, A::Error> {
                let name = pair.next_element::<Loose>()?.and_then(|name| name.0);
                let value = pair.next_element::<Loose>()?.and_then(|value| value.0);
                while pair.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Header(name.zip(value).map(|(name, value)| Named { name, value })))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Header, A::Error> {
                let (mut name, mut value) = (None, None);
                while let Some(member) = members.next_key::<String>()? {
                    match member.as_str() {
                        "name" => name = members.next_value::<Loose>()?.0,
                        "value" => value = members.next_value::<Loose>()?.0,
                        _ => drop(members.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(Header(name.zip(value).map(|(name, value)| Named { name, value })))
            }
        }

        deserializer.deserialize_any(HeaderVisitor)
    }
}

/// Returns the value of a header, regardless of the case of its name.
pub(super) fn header<'a>(headers: &'a [Named], name: &str) -> Option<&'a str> {
    headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value.as_str())
}

//! The lenient decoding of values in HAR files of other tools.
//!
//! Such values are numbers as text, text as numbers, `null`, lists, or objects that contain the value.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The status of a response whose status cannot be read.
///
/// An exchange without a response has the status 0.
pub(super) const UNREADABLE: i64 = -1;

/// A value of any JSON type as text, or `None` if it has no text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Loose(pub(super) Option<String>);

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LooseVisitor)
    }
}

struct LooseVisitor;

impl<'de> Visitor<'de> for LooseVisitor {
    type Value = Loose;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Loose, E> {
        Ok(Loose(Some(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Loose, E> {
        Ok(Loose(Some(text)))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Loose, E> {
        Ok(Loose(Some(value.to_string())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Loose, E> {
        Ok(Loose(Some(number.to_string())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Loose, E> {
        Ok(Loose(Some(number.to_string())))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Loose, E> {
        Ok(Loose(Some(number.to_string())))
    }

    fn visit_unit<E>(self) -> Result<Loose, E> {
        Ok(Loose(None))
    }

    /// Joins several values of one header.
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Loose, A::Error> {
        let mut texts = Vec::new();
        while let Some(Loose(item)) = items.next_element()? {
            texts.extend(item);
        }
        Ok(Loose((!texts.is_empty()).then(|| texts.join(", "))))
    }

    /// Returns the value inside an object.
    ///
    /// Firefox stores long values in objects, and errors are objects with a message.
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Loose, A::Error> {
        let mut found = None;
        while let Some(name) = members.next_key::<String>()? {
            if matches!(name.as_str(), "value" | "text" | "message" | "initial") && found.is_none() {
                found = members.next_value::<Loose>()?.0;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Loose(found))
    }
}

pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Loose::deserialize(deserializer)?.0.unwrap_or_default())
}

pub(super) fn optional_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Loose::deserialize(deserializer)?.0)
}

pub(super) fn error<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Loose::deserialize(deserializer)?.0.filter(|text| !matches!(text.as_str(), "" | "false")))
}

pub(super) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    let text = Loose::deserialize(deserializer)?.0;
    Ok(text.map(|text| text == "1" || text.eq_ignore_ascii_case("true")))
}

pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    Ok(Loose::deserialize(deserializer)?.0.as_deref().and_then(leading_number))
}

/// Decodes a status such as 200, 200.0, `"200"`, or `"200 OK"`.
///
/// A status of 0 or less means that there is no response.
pub(super) fn status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let number = Loose::deserialize(deserializer)?.0.as_deref().and_then(leading_number);
    Ok(match number.filter(|number| number.fract() == 0.0) {
        Some(..=0.0) => 0,
        Some(100.0..=999.0) => number.and_then(|number| format!("{number:.0}").parse().ok()).unwrap_or(UNREADABLE),
        _ => UNREADABLE,
    })
}

/// Decodes a part of an exchange that may be `null`.
pub(super) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Decodes the text of a body.
///
/// A list or an object is JSON that was not written as text, or contains the chunks of an encoded body.
pub(super) fn body<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    /// A long text, as Firefox stores it.
    #[derive(Deserialize)]
    struct Long {
        r#type: String,
        initial: String,
    }

    let json = <&RawValue>::deserialize(deserializer)?.get();
    if !json.starts_with(['{', '[']) {
        return Ok(serde_json::from_str::<Loose>(json).map_err(D::Error::custom)?.0);
    }
    let long = serde_json::from_str::<Long>(json).ok().filter(|long| long.r#type == "longString");
    Ok(Some(long.map_or_else(|| json.to_owned(), |long| long.initial)))
}

pub(super) fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let number = Loose::deserialize(deserializer)?.0.as_deref().and_then(leading_number);
    Ok(number.and_then(|number| format!("{:.0}", number.ceil()).parse().ok()))
}

pub(super) fn size_or_unknown<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    Ok(size(deserializer)?.unwrap_or(-1))
}

fn leading_number(text: &str) -> Option<f64> {
    text.split_whitespace().next()?.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Decodes an object, or creates it from a text.
pub(super) fn object_or_text<'de, D, T>(deserializer: D, of_text: fn(String) -> T) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct Either<T>(fn(String) -> T);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object or a text")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
            Ok(Some((self.0)(text.to_owned())))
        }

        fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
            T::deserialize(serde::de::value::MapAccessDeserializer::new(members)).map(Some)
        }
    }

    deserializer.deserialize_any(Either(of_text))
}

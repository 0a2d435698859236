//! The entropy of a value: the difference between a generated secret and a word.

use std::collections::BTreeMap;

use regex::Captures;

use super::REDACTED;

/// The entropy in bits from which a value counts as generated.
const CHANCE: f64 = 40.0;
const SHORTEST_SECRET: usize = 8;

/// Whether the text after `basic` is a credential. In prose, an ordinary word may follow instead.
pub(super) fn is_secret(found: &Captures<'_>) -> bool {
    found.name("secret").is_none_or(|secret| has_high_entropy(secret.as_str()) && has_digit_or_case(secret.as_str()))
}

pub(crate) fn has_digit_or_case(text: &str) -> bool {
    let has = |kind: fn(&char) -> bool| text.chars().skip(1).any(|letter| kind(&letter));
    has(char::is_ascii_digit) || has(char::is_ascii_uppercase) && has(char::is_ascii_lowercase)
}

/// Whether a value is a placeholder for a secret.
pub fn is_placeholder(value: &str) -> bool {
    let value = value.trim();
    value.is_empty()
        || matches!(value, REDACTED | "[secret]")
        || value.eq_ignore_ascii_case("redacted")
        || value.chars().all(|letter| matches!(letter, '*' | 'x' | 'X' | '•' | '.'))
}

/// Whether a value has more entropy than a word that a person has chosen.
pub(crate) fn has_high_entropy(value: &str) -> bool {
    let length = value.chars().count();
    if length < SHORTEST_SECRET || is_placeholder(value) || value.chars().any(char::is_whitespace) {
        return false;
    }
    let mut counts = BTreeMap::new();
    value.chars().for_each(|letter| *counts.entry(letter).or_insert(0_u32) += 1);
    let length = f64::from(u32::try_from(length).unwrap_or(u32::MAX));
    let share = |count: &u32| f64::from(*count) / length;
    let bits: f64 = counts.values().map(|count| -share(count).log2() * f64::from(*count)).sum();
    bits >= CHANCE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_is_told_from_words() {
        for secret in ["01234567-89ab-cdef-0123-456789abcdef", "Zx9!kQ2#vB7$", "5f4dcc3b5aa765d61d8327deb882cf99"] {
            assert!(has_high_entropy(secret), "{secret}");
        }
        for word in ["bearer", "[redacted]", "required", "****************", "two words and more words", ""] {
            assert!(!has_high_entropy(word), "{word}");
        }
    }
}

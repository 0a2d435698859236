//! Messages of parsers without the values that they quote.

/// Removes the contents of double quotes.
///
/// A parser quotes the values that it rejects, and such a value may be secret.
#[doc(hidden)]
pub fn without_quoted(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let (mut quoted, mut escaped) = (false, false);
    for letter in text.chars() {
        let ends = letter == '"' && !escaped;
        escaped = quoted && letter == '\\' && !escaped;
        if ends {
            shown.push_str(if quoted { "…\"" } else { "\"" });
            quoted = !quoted;
        } else if !quoted {
            shown.push(letter);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_values_are_taken_out_with_their_escapes() {
        let text = r#"invalid type: string "to\"k\\", expected u64 or "x""#;
        assert_eq!(without_quoted(text), r#"invalid type: string "…", expected u64 or "…""#);
    }
}

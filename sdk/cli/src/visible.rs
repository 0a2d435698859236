//! Foreign texts with everything visible that would steer a terminal, a build server or a reader's eye.

/// A foreign text on one line, in which nothing steers a terminal or a build server.
///
/// Control characters, bidirectional marks and invisible characters become visible, such as `\u{1b}`; breaks become spaces.
/// Build servers read lines that begin with `::` and words such as `##[error]` as commands: both lose their meaning.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' | '\r' | '\t' | '\u{85}' | '\u{2028}' | '\u{2029}' => shown.push(' '),
            '[' if ends_in_command(&shown) => escape(letter, &mut shown),
            ':' if shown.trim_start() == ":" => escape(letter, &mut shown),
            letter if is_hidden(letter) => escape(letter, &mut shown),
            letter => shown.push(letter),
        }
    }
    shown
}

/// JSON in which control characters that it may contain as they are become escapes.
pub(crate) fn visible_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for letter in json.chars() {
        if letter != '\n' && is_hidden(letter) {
            let mut units = [0; 2];
            shown.extend(letter.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            shown.push(letter);
        }
    }
    shown
}

fn escape(letter: char, shown: &mut String) {
    shown.extend(letter.escape_unicode());
}

/// Whether a bracket would make a command of the end of a text: `##[`, `##vso[`, `##teamcity[`.
fn ends_in_command(text: &str) -> bool {
    text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic()).ends_with("##")
}

/// Characters that a reader does not see, and those that change what he sees elsewhere.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_text_steers_neither_a_terminal_nor_a_build_server() {
        assert_eq!(visible("a\u{1b}]52;c;ZXZpbA==\u{7}\n::error::x"), "a\\u{1b}]52;c;ZXZpbA==\\u{7} ::error::x");
        assert_eq!(visible("\u{9b}31m\u{202e}gpj.exe\u{2069}"), "\\u{9b}31m\\u{202e}gpj.exe\\u{2069}");
        assert_eq!(visible("\n ::set-output name=x::y"), "  :\\u{3a}set-output name=x::y");
        assert_eq!(visible("##[error]a ##vso[task b #[c"), "##\\u{5b}error]a ##vso\\u{5b}task b #[c");
        assert_eq!(visible("Zoë 👩‍👩‍👧 a::b [c]"), "Zoë 👩‍👩‍👧 a::b [c]");
    }

    #[test]
    fn json_means_the_same_without_its_control_characters() {
        let value = serde_json::json!({"a\u{9b}": "\u{202e}b\u{7f}\u{e0041}\n"});
        let shown = visible_json(&serde_json::to_string_pretty(&value).expect("JSON"));
        assert!(!shown.contains(['\u{9b}', '\u{202e}', '\u{7f}', '\u{e0041}']), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).expect("JSON"), value);
    }
}

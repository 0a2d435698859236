//! Escaping of hostile text, with one function for each format.
//!
//! [`visible`] always comes first: it replaces invisible characters. The others then escape for one format each.

/// Returns the text on one line, with visible characters only.
///
/// White space of any kind becomes single spaces. Control characters, direction marks, and invisible characters become
/// U+FFFD. They are not removed, so that two names that differ only in them do not look the same.
pub(crate) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.trim().chars() {
        match char {
            char if char.is_whitespace() => {
                if !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            char if is_unfit(char) => out.push('\u{fffd}'),
            char => out.push(char),
        }
    }
    out
}

/// Returns whether a character is invisible or changes the appearance of others.
///
/// These are control characters, bidirectional marks, and invisible characters. Pictures and terminals share this list.
pub fn is_hidden(char: char) -> bool {
    char.is_control()
        || matches!(char,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Whether a character must not appear in a picture.
///
/// Such a character is hidden, for private use, or unassigned.
fn is_unfit(char: char) -> bool {
    is_hidden(char)
        || matches!(char, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}')
        || matches!(u32::from(char) & 0xffff, 0xfffe | 0xffff)
}

/// Escapes text for a terminal without changing its width.
///
/// The result contains no control sequence, no direction mark, and no white space other than spaces.
pub(crate) fn terminal(text: &str) -> String {
    let shown = |char: char| match char {
        char if char.is_whitespace() => ' ',
        char if is_unfit(char) => '\u{fffd}',
        char => char,
    };
    text.chars().map(shown).collect()
}

/// Escapes text for the content and the quoted attributes of XML and HTML.
pub(crate) fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in visible(text).chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            char => out.push(char),
        }
    }
    out
}

/// Escapes text for a quoted DOT string, in which Graphviz also interprets HTML entities.
pub(crate) fn dot(text: &str) -> String {
    visible(text).replace('&', "&amp;").replace('\\', "\\\\").replace('"', "\\\"")
}

/// Escapes text for a quoted Mermaid label.
///
/// Mermaid interprets Markdown, HTML, and its own markup there. Every ASCII character that could start any of these is
/// written as a number. Characters of ids (`-`, `_`, `.`) and of numbers (`,`) stay readable between letters.
pub(crate) fn mermaid(text: &str) -> String {
    let chars: Vec<char> = visible(text).chars().collect();
    let word = |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(char::is_ascii_alphanumeric);
    let mut out = String::with_capacity(chars.len());
    for (at, &char) in chars.iter().enumerate() {
        let joins = matches!(char, '-' | '_' | '.' | ',') && word(at.checked_sub(1)) && word(at.checked_add(1));
        if char.is_ascii_punctuation() && !joins {
            out.push_str(&format!("#{};", u32::from(char)));
        } else {
            out.push(char);
        }
    }
    out
}

/// Quotes text for YAML and JSON. Characters of markup are written as numbers.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for char in visible(text).chars() {
        match char {
            '"' | '\\' | '<' | '>' | '&' => out.push_str(&format!("\\u{:04x}", u32::from(char))),
            char => out.push(char),
        }
    }
    out + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_marked() {
        assert_eq!(visible(" a\r\n\tb  c "), "a b c");
        assert_eq!(visible("a\u{202e}b\u{200f}\u{0}\u{1b}[31m"), "a\u{fffd}b\u{fffd}\u{fffd}\u{fffd}[31m");
        assert_eq!(terminal("a  b\n\u{1b}[2J\u{200b}"), "a  b \u{fffd}[2J\u{fffd}");
    }

    #[test]
    fn markup_stays_text() {
        assert_eq!(xml("<script a=\"b\">'&"), "&lt;script a=&quot;b&quot;&gt;&#39;&amp;");
        assert_eq!(dot("a \"b\" \\n &lt;\n"), "a \\\"b\\\" \\\\n &amp;lt;");
        assert_eq!(mermaid("fetch-a.b_c \"]#<- x"), "fetch-a.b_c #34;#93;#35;#60;#45; x");
        assert_eq!(quoted("a \"b\" \\\n---"), "\"a \\u0022b\\u0022 \\u005c ---\"");
    }
}

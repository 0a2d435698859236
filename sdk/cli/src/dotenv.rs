//! A tolerant parser for `.env` files, which contain one `NAME=value` per line.
//!
//! Other programs with other syntaxes read the same files, so invalid lines are reported and skipped. References such as
//! `${NAME}` are replaced by earlier variables, up to a total size.

use std::collections::BTreeMap;
use std::fmt;

/// The maximum number of bytes that references may add.
const LARGEST_EXPANSION: usize = 64 << 10;

/// The valid and the skipped lines of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Parsed {
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) skipped: Vec<SkippedLine>,
}

/// A line that is not a valid assignment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SkippedLine {
    /// The line number, starting at 1.
    pub(crate) line: usize,
    /// The variable that the line probably intended to set.
    pub(crate) name: String,
    pub(crate) reason: Reason,
}

/// The reason why a line sets nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reason {
    Form,
    Quotes,
    Expansion,
    Encoding,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => f.write_str("not in the form NAME=value"),
            Self::Quotes => f.write_str("its quotes are not closed, or text follows them"),
            Self::Expansion => write!(f, "its references add more than {} KiB to the file", LARGEST_EXPANSION >> 10),
            Self::Encoding => f.write_str("not UTF-8"),
        }
    }
}

/// An unsupported encoding of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Utf16,
}

/// Parses a file; `environment` resolves references to variables outside the file.
pub(crate) fn parse(bytes: &[u8], environment: &BTreeMap<String, String>) -> Result<Parsed, Encoding> {
    if is_utf16(bytes) {
        return Err(Encoding::Utf16);
    }
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = Reader { parsed: Parsed::default(), environment, room: LARGEST_EXPANSION };
    let (mut rest, mut line) = (text, 1);
    while !rest.is_empty() {
        let length = reader.read(rest, line);
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    Ok(reader.parsed)
}

/// Returns whether the bytes are UTF-16, with or without a byte order mark.
///
/// Windows PowerShell writes UTF-16 by default.
fn is_utf16(bytes: &[u8]) -> bool {
    let zeros = |odd: usize| bytes.iter().skip(odd).step_by(2).take(64).filter(|byte| **byte == 0).count();
    bytes.starts_with(b"\xff\xfe")
        || bytes.starts_with(b"\xfe\xff")
        || bytes.len() > 3 && zeros(0).max(zeros(1)) * 4 > bytes.len().min(128)
}

struct Reader<'a> {
    parsed: Parsed,
    environment: &'a BTreeMap<String, String>,
    room: usize,
}

impl Reader<'_> {
    /// Parses one assignment and returns its length; a quoted value may span several lines.
    fn read(&mut self, text: &str, line: usize) -> usize {
        let end = text.find('\n').map_or(text.len(), |at| at + 1);
        let statement = text[..end].trim();
        if statement.is_empty() || statement.starts_with('#') {
            return end;
        }
        let start = text.len() - text.trim_start().len();
        let exported = text[start..end].strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t']));
        let from = exported.map_or(start, |rest| end - rest.trim_start().len());
        let Some(equals) = text[from..end].find('=') else {
            let name = text[from..end].split([':', ' ', '\t']).next().unwrap_or_default();
            self.pass_over(line, name.trim(), Reason::Form);
            return end;
        };
        let name = text[from..from + equals].trim();
        let begin = from + equals + 1;
        let (value, end) = match quoted(&text[begin..]) {
            Some((value, length)) => (self.value(value).ok_or(Reason::Expansion), begin + length),
            None if text[begin..end].trim_start().starts_with(['"', '\'']) => (Err(Reason::Quotes), end),
            None => (self.expanded(without_comment(&text[begin..end])).ok_or(Reason::Expansion), end),
        };
        match value {
            _ if text[from..end].contains(char::REPLACEMENT_CHARACTER) => self.pass_over(line, name, Reason::Encoding),
            _ if !is_name(name) => self.pass_over(line, name, Reason::Form),
            Err(reason) => self.pass_over(line, name, reason),
            Ok(value) => drop(self.parsed.variables.insert(name.to_owned(), value)),
        }
        end
    }

    fn pass_over(&mut self, line: usize, name: &str, reason: Reason) {
        self.parsed.skipped.push(SkippedLine { line, name: name.to_owned(), reason });
    }

    fn value(&mut self, value: Quoted) -> Option<String> {
        match value {
            Quoted::Single(text) => Some(text),
            Quoted::Double(text) => self.expanded(&text),
        }
    }

    /// Replaces the references in a text; returns `None` if the result is too large.
    ///
    /// A dollar sign after a backslash is not a reference.
    fn expanded(&mut self, text: &str) -> Option<String> {
        let mut expanded = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(['$', '\\']) {
            expanded.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some(behind) = rest.strip_prefix("\\$") {
                expanded.push('$');
                rest = behind;
                continue;
            }
            let Some((name, length)) = reference(rest) else {
                expanded.push_str(&rest[..1]);
                rest = &rest[1..];
                continue;
            };
            let value = self.environment.get(name).or_else(|| self.parsed.variables.get(name));
            // An unknown name without braces is more likely a part of a password.
            let unknown = if rest.starts_with("${") { "" } else { &rest[..length] };
            let value = value.map_or(unknown, String::as_str);
            self.room = self.room.checked_sub(value.len())?;
            expanded.push_str(value);
            rest = &rest[length..];
        }
        expanded.push_str(rest);
        Some(expanded)
    }
}

/// The name in `$NAME` or `${NAME}`, and the length of the reference.
fn reference(text: &str) -> Option<(&str, usize)> {
    let behind = text.strip_prefix('$')?;
    if let Some(braced) = behind.strip_prefix('{') {
        let name = &braced[..braced.find('}')?];
        return is_name(name).then_some((name, name.len() + 3));
    }
    let length = behind.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(behind.len());
    let name = &behind[..length];
    is_name(name).then_some((name, length + 1))
}

fn is_name(text: &str) -> bool {
    text.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

enum Quoted {
    Single(String),
    Double(String),
}

/// Parses a quoted value; only a comment may follow it on its line.
fn quoted(text: &str) -> Option<(Quoted, usize)> {
    let start = text.find(|letter: char| letter != ' ' && letter != '\t')?;
    let quote = text[start..].chars().next().filter(|letter| matches!(letter, '"' | '\''))?;
    let mut value = String::new();
    let mut letters = text[start + 1..].char_indices();
    let close = loop {
        match letters.next()? {
            (at, letter) if letter == quote => break start + 1 + at,
            (_, '\\') if quote == '"' => match letters.next()?.1 {
                'n' => value.push('\n'),
                'r' => value.push('\r'),
                't' => value.push('\t'),
                // Unescaped later, together with the references.
                '$' => value.push_str("\\$"),
                other => value.push(other),
            },
            (_, letter) => value.push(letter),
        }
    };
    let rest = &text[close + 1..];
    let end = rest.find('\n').map_or(rest.len(), |at| at + 1);
    let behind = rest[..end].trim();
    let value = if quote == '"' { Quoted::Double(value) } else { Quoted::Single(value) };
    (behind.is_empty() || behind.starts_with('#')).then_some((value, close + 1 + end))
}

/// Removes the comment after an unquoted value.
fn without_comment(text: &str) -> &str {
    let text = text.trim();
    let comment = text.match_indices('#').find(|(at, _)| text[..*at].ends_with([' ', '\t']) || *at == 0);
    comment.map_or(text, |(at, _)| text[..at].trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Parsed {
        parse(text.as_bytes(), &BTreeMap::from([("OUTER".to_owned(), "env".to_owned())])).expect("UTF-8")
    }

    fn value(text: &str) -> Option<String> {
        read(text).variables.remove("A")
    }

    #[test]
    fn values_are_read_as_people_write_them() {
        for (text, expected) in [
            ("A=b", "b"),
            ("export A=b\r\n", "b"),
            ("A = two words # a comment", "two words"),
            ("A=b#c", "b#c"),
            ("A='$x \\n #'", "$x \\n #"),
            ("A=\"two\nlines\\n\\\"\" # a comment", "two\nlines\n\""),
            ("B=1\nA=${B}$B-${OUTER}${NONE}\\$B", "11-env$B"),
            ("B=1\nA=\"$B \\$B\"", "1 $B"),
            ("A=p$$w$", "p$$w$"),
            ("A=", ""),
            ("\u{feff}A=b", "b"),
            ("A=1\nA=2", "2"),
        ] {
            assert_eq!(value(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn lines_of_other_programs_are_skipped_one_by_one() {
        let parsed = read(
            "KEY: value\nA=b\n=x\nB=\"open\n# c\nNAME WITH SPACES=1\nmy-name=two words\nC='x' y\n[section]\nD=d\n",
        );
        let names: Vec<_> = parsed.variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(names, ["A=b", "D=d", "my-name=two words"]);
        let lines: Vec<_> = parsed.skipped.iter().map(|line| (line.line, line.name.as_str())).collect();
        let quotes = |line: &&SkippedLine| line.reason == Reason::Quotes;
        assert_eq!(parsed.skipped.iter().filter(quotes).map(|line| line.line).collect::<Vec<_>>(), [4, 8]);
        assert_eq!(lines, [(1, "KEY"), (3, ""), (4, "B"), (6, "NAME WITH SPACES"), (8, "C"), (9, "[section]")]);
    }

    #[test]
    fn bytes_that_are_not_utf_8_invalidate_only_their_line() {
        let parsed = parse(b"CITY=Z\xfcrich\nA=b\n", &BTreeMap::new()).expect("read");
        assert_eq!(parsed.variables, BTreeMap::from([("A".to_owned(), "b".to_owned())]));
        assert_eq!(parsed.skipped, [SkippedLine { line: 1, name: "CITY".into(), reason: Reason::Encoding }]);
    }

    #[test]
    fn utf_16_is_recognised_with_and_without_its_mark() {
        let units = |text: &str| text.encode_utf16().collect::<Vec<_>>();
        let little: Vec<u8> = units("A=b\nC=d").iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = units("\u{feff}A=b").iter().flat_map(|unit| unit.to_be_bytes()).collect();
        for bytes in [little, big] {
            assert_eq!(parse(&bytes, &BTreeMap::new()), Err(Encoding::Utf16));
        }
    }

    #[test]
    fn references_to_references_do_not_fill_the_memory() {
        let mut text = "A=0123456789abcdef\n".to_owned();
        for _ in 0..40 {
            text += "A=${A}${A}\n";
        }
        let parsed = read(&text);
        assert!(parsed.variables["A"].len() <= LARGEST_EXPANSION, "{}", parsed.variables["A"].len());
        assert!(parsed.skipped.iter().all(|line| line.reason == Reason::Expansion));
        assert!(!parsed.skipped.is_empty());
    }
}

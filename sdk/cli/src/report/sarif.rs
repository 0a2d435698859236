//! Results as SARIF 2.1.0, which code hosts show next to the files.

use std::path::PathBuf;

use serde::Serialize;

use super::Level;

/// A rule that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checked {
    pub(crate) id: String,
    /// A phrase; it becomes a sentence.
    pub(crate) title: String,
    /// The remedy as a phrase.
    pub(crate) help: String,
    pub(crate) level: Level,
}

/// A violation of a rule, with the number of its occurrences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    /// The position of the rule.
    pub(crate) rule: usize,
    pub(crate) level: Level,
    pub(crate) message: String,
    pub(crate) count: u64,
    pub(crate) file: Option<PathBuf>,
    /// The name of the object and the pointer within it.
    pub(crate) object: Option<(String, String)>,
    /// The reason of a person who accepted the violation.
    pub(crate) suppression: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Tool<'a>,
    column_kind: &'static str,
    results: Vec<Found<'a>>,
}

#[derive(Serialize)]
struct Tool<'a> {
    driver: Driver<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver<'a> {
    name: &'a str,
    rules: Vec<Described<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Described<'a> {
    id: &'a str,
    short_description: Text<String>,
    help: Text<String>,
    default_configuration: Configuration,
}

#[derive(Serialize)]
struct Configuration {
    level: Level,
}

#[derive(Serialize)]
struct Text<T> {
    text: T,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Found<'a> {
    rule_id: &'a str,
    rule_index: usize,
    level: Level,
    message: Text<&'a str>,
    occurrence_count: u64,
    locations: [Location<'a>; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppressions: Vec<Suppression<'a>>,
}

#[derive(Serialize)]
struct Suppression<'a> {
    kind: &'static str,
    status: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    justification: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    physical_location: Option<Physical>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logical_locations: Vec<Logical<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Artifact,
}

#[derive(Serialize)]
struct Artifact {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Logical<'a> {
    name: &'a str,
    fully_qualified_name: String,
    kind: &'static str,
}

/// Builds the log of one run.
pub(crate) fn log<'a>(program: &'a str, rules: &'a [Checked], violations: &'a [Violation]) -> Log<'a> {
    let described = |rule: &'a Checked| Described {
        id: &rule.id,
        short_description: Text { text: sentence(&rule.title) },
        help: Text { text: sentence(&rule.help) },
        default_configuration: Configuration { level: rule.level },
    };
    let found = |violation: &'a Violation| Found {
        rule_id: &rules[violation.rule].id,
        rule_index: violation.rule,
        level: violation.level,
        message: Text { text: violation.message.as_str() },
        occurrence_count: violation.count,
        locations: [location(violation)],
        suppressions: violation.suppression.iter().map(|reason| suppression(reason)).collect(),
    };
    Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: Tool { driver: Driver { name: program, rules: rules.iter().map(described).collect() } },
            column_kind: "unicodeCodePoints",
            results: violations.iter().map(found).collect(),
        }],
    }
}

fn suppression(justification: &str) -> Suppression<'_> {
    Suppression { kind: "external", status: "accepted", justification }
}

fn location(violation: &Violation) -> Location<'_> {
    let physical = violation.file.as_ref().map(|file| Physical { artifact_location: Artifact { uri: uri(file) } });
    let logical = violation.object.as_ref().map(|(name, pointer)| Logical {
        name,
        // An empty pointer stands for the whole object.
        fully_qualified_name: if pointer.is_empty() { name.clone() } else { format!("{name}#{pointer}") },
        kind: "object",
    });
    Location { physical_location: physical, logical_locations: logical.into_iter().collect() }
}

/// Formats a text as a sentence, as SARIF requires: with a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.trim_end().chars();
    let end = if text.trim_end().ends_with(['.', '?', '!']) { "" } else { "." };
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).chain(end.chars()).collect()
}

/// Converts a path into a relative or `file:` URI, with each component encoded.
fn uri(path: &std::path::Path) -> String {
    use std::path::Component;
    let encode = |part: &std::ffi::OsStr| {
        let mut text = String::new();
        for byte in part.to_string_lossy().bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text.push(byte.into()),
                _ => text += &format!("%{byte:02X}"),
            }
        }
        text
    };
    let parts: Vec<String> = path
        .components()
        .filter_map(|part| match part {
            Component::RootDir | Component::CurDir => None,
            other => Some(encode(other.as_os_str())),
        })
        .collect();
    let prefix = if path.is_absolute() { "file:///" } else { "" };
    format!("{prefix}{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_path_becomes_a_uri() {
        assert_eq!(uri(Path::new("./a b/c#1.json")), "a%20b/c%231.json");
        assert_eq!(uri(Path::new("/x/y.json")), "file:///x/y.json");
    }
}

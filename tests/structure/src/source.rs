//! The text of one file: its definitions, imports, and paths.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern")
}

static RAW_TEXT: LazyLock<Regex> = LazyLock::new(|| pattern(r##"(?s)r#".*?"#"##));
static CHARACTER: LazyLock<Regex> = LazyLock::new(|| pattern(r"'(?:[^'\\\n]|\\[^'\n]{1,8}|\\')'"));
static TEXT: LazyLock<Regex> = LazyLock::new(|| pattern(r#"(?s)"(?:[^"\\]|\\.)*""#));
static COMMENT: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)//.*$"));
static TESTS: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?s)#\[cfg\(test\)\]\s*mod \w+ \{.*"));
static TEST_ITEM: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"#\[cfg\(test\)\]\s*(?:pub(?:\(\w+\))? )?(?:mod|use) [^;]*;"));
static DEFINITION: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?m)^(?:pub(?:\([^)]*\))? )?(?:async |const |unsafe )*(?:struct|enum|trait|fn|const|static|type|union) (\w+)",
    )
});
static MACRO: LazyLock<Regex> = LazyLock::new(|| pattern(r"macro_rules! (\w+)"));
static CHILD: LazyLock<Regex> = LazyLock::new(|| pattern(r"\bmod (\w+);"));
static USE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?s)(pub(?:\([^)]*\))?\s+)?\buse\s+([^;]+);"));
static PATH: LazyLock<Regex> = LazyLock::new(|| pattern(r"\w+(?:::\w+)+"));

/// A name that a file imports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Import {
    pub(crate) path: Vec<String>,
    /// The name in this file; `*` for all names of a module.
    pub(crate) name: String,
    is_public: bool,
}

/// The structure of a file.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) definitions: BTreeSet<String>,
    pub(crate) imports: Vec<Import>,
    pub(crate) children: BTreeSet<String>,
    /// The code without comments, texts, tests, and imports.
    body: String,
}

impl Source {
    pub(crate) fn parse(text: &str) -> Self {
        let mut code = RAW_TEXT.replace_all(text, "").into_owned();
        for (pattern, stand_in) in [(&CHARACTER, "0"), (&TEXT, "0"), (&COMMENT, ""), (&TESTS, ""), (&TEST_ITEM, "")] {
            code = pattern.replace_all(&code, stand_in).into_owned();
        }
        let names = |pattern: &Regex| pattern.captures_iter(&code).map(|found| found[1].to_owned()).collect();
        let definitions: BTreeSet<String> = names(&DEFINITION);
        let mut imports = Vec::new();
        for found in USE.captures_iter(&code) {
            expand(&found[2], Vec::new(), found.get(1).is_some(), &mut imports);
        }
        Self {
            definitions: definitions.into_iter().chain::<BTreeSet<String>>(names(&MACRO)).collect(),
            children: names(&CHILD),
            body: USE.replace_all(&code, "").into_owned(),
            imports,
        }
    }

    /// Returns the paths of the items that the code uses.
    pub(crate) fn paths(&self) -> Vec<Vec<String>> {
        let words = |text: &str| text.split("::").map(str::to_owned).collect::<Vec<_>>();
        // A re-export that the code itself does not mention is no use.
        let is_used = |import: &&Import| {
            !import.is_public || pattern(&format!(r"\b{}\b", regex::escape(&import.name))).is_match(&self.body)
        };
        let mut paths: Vec<Vec<String>> =
            self.imports.iter().filter(is_used).map(|import| import.path.clone()).collect();
        for found in PATH.find_iter(&self.body) {
            let path = words(found.as_str());
            let imported = self.imports.iter().find(|import| import.name == path[0]);
            paths.push(match imported {
                Some(import) => [import.path.clone(), path[1..].to_vec()].concat(),
                None => path,
            });
        }
        paths
    }
}

/// Adds the names of a `use` tree.
fn expand(tree: &str, before: Vec<String>, is_public: bool, imports: &mut Vec<Import>) {
    let (path, list) = match tree.split_once('{') {
        Some((path, list)) => (path, Some(list.rsplit_once('}').map_or(list, |(list, _)| list))),
        None => (tree, None),
    };
    let (path, alias) = path.split_once(" as ").map_or((path, None), |(path, alias)| (path, Some(alias.trim())));
    let words = path.split("::").map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned);
    let mut path: Vec<String> = before.into_iter().chain(words).collect();
    if let Some(list) = list {
        split(list).into_iter().for_each(|part| expand(part, path.clone(), is_public, imports));
    } else {
        if path.len() > 1 && path.last().is_some_and(|word| word == "self") {
            path.pop();
        }
        if let Some(last) = path.last() {
            let name = alias.unwrap_or(last).to_owned();
            imports.push(Import { path, name, is_public });
        }
    }
}

/// Splits a list at the commas outside of braces.
fn split(list: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, letter) in list.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&list[start..]);
    parts.retain(|part| !part.trim().is_empty());
    parts
}

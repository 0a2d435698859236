//! Variables of question packs: `{{name}}`, replaced by text before a query is parsed.
//!
//! A variable can be anywhere in the text, such as in quotes, except in comments. The replacement is not escaped, as in JupiterOne, so a value
//! can be a part of a condition. Use a parameter (`${param.name}`) for values from outside.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::Value;
use thiserror::Error;

use super::tree::{Name, Span, Spanned};
use crate::diagnostic::{Diagnostic, Diagnostics};

/// Variables without a value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("The query has no value for {}. Pass a value for each variable, or define a default.", list(names))]
pub struct MissingVariables {
    /// The first occurrence of each name, in the order of the text.
    pub names: Vec<Name>,
}

fn list(names: &[Name]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("{{{{{}}}}}", name.value)).collect();
    names.join(", ")
}

impl From<MissingVariables> for Diagnostics {
    fn from(missing: MissingVariables) -> Self {
        let diagnostic = |Spanned { value, span }: Name| {
            let message = format!("the variable `{{{{{value}}}}}` has no value");
            Diagnostic::new(message, span).with_help("pass a value, or define a default")
        };
        let diagnostics = missing.names.into_iter().map(diagnostic).collect();
        Self::new(diagnostics).expect("at least one variable has no value")
    }
}

/// Returns the places of the comments of a text: those between quotes are none.
fn comments(text: &str) -> Vec<Range<usize>> {
    let (mut found, mut quote, mut at) = (Vec::new(), None, 0);
    while let Some(letter) = text[at..].chars().next() {
        let next = at + letter.len_utf8();
        match (quote, letter) {
            (Some(_), '\\') => {
                at = next + text[next..].chars().next().map_or(0, char::len_utf8);
                continue;
            }
            (Some(open), _) if open == letter => quote = None,
            (None, '\'' | '"') => quote = Some(letter),
            (None, '/') if text[next..].starts_with('*') => {
                let end = text[next + 1..].find("*/").map_or(text.len(), |close| next + 1 + close + 2);
                found.push(at..end);
                at = end;
                continue;
            }
            _ => {}
        }
        at = next;
    }
    found
}

/// Returns all occurrences of variables in the order of the text.
///
/// The name has no blanks at its ends. The span includes the braces.
#[must_use]
pub fn variables(text: &str) -> Vec<Name> {
    let (mut found, mut at) = (Vec::new(), 0);
    let comments = if text.contains("{{") { comments(text) } else { Vec::new() };
    let is_comment = |place: usize| comments.iter().any(|comment| comment.contains(&place));
    while let Some(open) = text[at..].find("{{") {
        let start = at + open;
        let Some(close) = text[start..].find("}}") else { break };
        let inner = &text[start + 2..start + close];
        // The braces of a variable are the innermost ones.
        if let Some(later) = inner.rfind("{{").filter(|_| !inner.is_empty()) {
            at = start + 2 + later;
            continue;
        }
        let name = inner.trim();
        let end = start + close + 2;
        if !name.is_empty() && !inner.contains(['\n', '{', '}']) && !is_comment(start) {
            found.push(Spanned { value: name.to_owned(), span: Span { start, end } });
        }
        at = end;
    }
    found
}

/// Returns parameters as the texts that replace the variables of the same names.
pub fn texts(parameters: &BTreeMap<String, Value>) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    parameters.iter().map(|(name, value)| (name.clone(), text(value))).collect()
}

/// Replaces each variable by its value.
///
/// # Errors
///
/// Returns the names of all variables without a value.
pub fn substitute<'a>(text: &'a str, values: &BTreeMap<String, String>) -> Result<Cow<'a, str>, MissingVariables> {
    let variables = variables(text);
    if variables.is_empty() {
        return Ok(Cow::Borrowed(text));
    }
    let mut names: Vec<Name> = Vec::new();
    let mut replaced = String::with_capacity(text.len());
    let mut at = 0;
    for Spanned { value: name, span } in variables {
        let is_new = |names: &[Name]| names.iter().all(|known| known.value != name);
        replaced.push_str(&text[at..span.start]);
        at = span.end;
        match values.get(&name) {
            Some(value) => replaced.push_str(value),
            None if is_new(&names) => names.push(Spanned { value: name, span }),
            None => {}
        }
    }
    replaced.push_str(&text[at..]);
    if names.is_empty() { Ok(Cow::Owned(replaced)) } else { Err(MissingVariables { names }) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn variables_are_replaced_anywhere() {
        let text = "FIND Application WITH name = '{{Application Name}}' AND email $= \"@{{ domain }}\" AND id = {{id}}";
        let names: Vec<String> = variables(text).into_iter().map(|name| name.value).collect();
        assert_eq!(names, ["Application Name", "domain", "id"]);
        let replaced = substitute(text, &values(&[("Application Name", "a {{b}}"), ("domain", "x.org"), ("id", "7")]));
        assert_eq!(
            replaced.expect("all values"),
            "FIND Application WITH name = 'a {{b}}' AND email $= \"@x.org\" AND id = 7"
        );
    }

    #[test]
    fn missing_variables_are_listed_once() {
        let error = substitute("{{b}} {{a}} {{b}} {{c}}", &values(&[("a", "1")])).expect_err("two are missing");
        assert_eq!(error.names.iter().map(|name| name.value.as_str()).collect::<Vec<_>>(), ["b", "c"]);
        assert_eq!(
            error.to_string(),
            "The query has no value for {{b}}, {{c}}. Pass a value for each variable, or define a default."
        );
    }

    #[test]
    fn a_missing_value_has_a_place() {
        let text = "FIND User WITH name = '{{x}}'";
        let error = substitute(text, &values(&[])).expect_err("x is missing");
        insta::assert_snapshot!(Diagnostics::from(error).render(text), @"
        the variable `{{x}}` has no value
          |
        1 | FIND User WITH name = '{{x}}'
          |                        ^^^^^
          = help: pass a value, or define a default
        ");
    }

    #[test]
    fn a_comment_has_no_variables() {
        let text = "/* it's {{a}} */ FIND User WITH a = '/* {{b}} \\' */' AND c = \"{{d}}\" /* {{e}}";
        let names: Vec<String> = variables(text).into_iter().map(|name| name.value).collect();
        assert_eq!(names, ["b", "d"]);
    }

    #[test]
    fn other_braces_are_text() {
        for text in ["${param.x}", "{{}}", "{{ }}", "{{a", "a}}", "{ {a} }", "{{a\nb}}", "{{{}}}", "FIND User"] {
            assert_eq!(substitute(text, &values(&[])).expect("no variables"), text);
        }
        assert_eq!(substitute("{{ {{a}}", &values(&[("a", "1")])).expect("a value"), "{{ 1");
    }

    proptest! {
        #[test]
        fn any_text_is_accepted(text in "[{} a\nä]{0,20}") {
            for name in variables(&text) {
                let braced = &text[name.span.start..name.span.end];
                prop_assert!(braced.starts_with("{{") && braced.ends_with("}}") && braced.contains(&name.value));
            }
            let all = variables(&text).into_iter().map(|name| (name.value, String::new())).collect();
            prop_assert!(substitute(&text, &all).is_ok());
        }
    }
}

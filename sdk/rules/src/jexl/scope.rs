//! The names that an expression can use, and the bounds of its evaluation.

use serde_json::{Map, Value};

use super::template::Templates;

/// The names of an expression: the members of an object, hidden by further names.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'v> {
    base: &'v Value,
    locals: &'v [(String, Value)],
}

impl<'v> Scope<'v> {
    /// Creates a scope of the members of an object.
    pub fn new(base: &'v Value) -> Self {
        Self { base, locals: &[] }
    }

    /// Adds names that hide those of the base. Of equal names, the last one counts.
    #[must_use]
    pub fn with(self, locals: &'v [(String, Value)]) -> Self {
        Self { locals, ..self }
    }

    /// Returns the value of a name.
    pub fn get(&self, name: &str) -> Option<&'v Value> {
        let local = self.locals.iter().rev().find(|(local, _)| local == name);
        local.map(|(_, value)| value).or_else(|| self.base.get(name))
    }

    /// Returns the value at a dotted path. A member name may contain dots, such as `tag.Owner`.
    pub fn at(&self, path: &str) -> Option<&'v Value> {
        let (first, rest) = path.split_once('.').unwrap_or((path, ""));
        let value = self.get(first)?;
        if rest.is_empty() { Some(value) } else { member_at(value, rest) }
    }
}

fn member_at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    let mut value = value;
    let mut path = path;
    loop {
        if let Some(whole) = value.as_object().and_then(|members: &Map<_, _>| members.get(path)) {
            return Some(whole);
        }
        let (first, rest) = path.split_once('.')?;
        value = match value {
            Value::Array(elements) => elements.get(first.parse::<usize>().ok()?)?,
            _ => value.get(first)?,
        };
        path = rest;
        if let (Value::Array(elements), Ok(at)) = (value, path.parse::<usize>()) {
            return elements.get(at);
        }
    }
}

/// The bounds of one evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The maximum number of units of work. One unit is one operation, one list element, 32 bytes of
    /// a text, or about 4 copied bytes of a value.
    pub work: u64,
    /// The maximum size of the result of a template in bytes.
    pub output: usize,
}

impl Default for Limits {
    /// Returns bounds for the results of a query with 100,000 rows.
    fn default() -> Self {
        Self { work: 20_000_000, output: 4 << 20 }
    }
}

/// Everything that an evaluation depends on.
#[derive(Debug, Clone, Copy)]
pub struct Environment<'v> {
    /// The names.
    pub scope: Scope<'v>,
    /// The templates that `mapTemplate` refers to.
    pub templates: &'v Templates,
    /// The bounds.
    pub limits: Limits,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_reach_members_and_elements() {
        let base = json!({"a": {"b": [{"c": 1}, {"c": 2}], "tag.Owner": "x"}});
        let scope = Scope::new(&base);
        assert_eq!(scope.at("a.b.1.c"), Some(&json!(2)));
        assert_eq!(scope.at("a.b.0"), Some(&json!({"c": 1})));
        assert_eq!(scope.at("a.tag.Owner"), Some(&json!("x")));
        assert_eq!((scope.at("a.x"), scope.at("x.y"), scope.at("a.b.9.c")), (None, None, None));
    }

    #[test]
    fn the_last_local_hides_the_others() {
        let base = json!({"a": 1});
        let locals = [("a".to_owned(), json!(2)), ("a".to_owned(), json!(3))];
        assert_eq!(Scope::new(&base).with(&locals).get("a"), Some(&json!(3)));
    }
}

//! Expected properties of an object, and messages that show the differences.

use integration_sdk::serde_json::{Map, Value};

use crate::Collected;

/// Asserts that an entity with this key has these properties.
///
/// Other properties are ignored; `()` stands for an absent property.
///
/// ```no_run
/// # fn test(collected: &integration_testing_kit::Collected) {
/// # use integration_testing_kit::assert_entity;
/// assert_entity!(collected, "user-ada", { _class: ["User"], email: "ada@acme.example", "tag.team": "engine" });
/// # }
/// ```
#[macro_export]
macro_rules! assert_entity {
    ($collected:expr, $key:expr, { $($name:tt : $value:expr),* $(,)? }) => {
        $collected.assert_entity($key, $crate::properties!($($name: $value),*))
    };
}

/// Asserts that a relationship between two entities exists, and has the given properties.
///
/// ```no_run
/// # fn test(collected: &integration_testing_kit::Collected) {
/// # use integration_testing_kit::assert_relationship;
/// assert_relationship!(collected, "team-1" -[HAS]-> "user-ada");
/// assert_relationship!(collected, "team-1" -[HAS]-> "user-ada", { role: "owner" });
/// # }
/// ```
#[macro_export]
macro_rules! assert_relationship {
    ($collected:expr, $from:literal -[$class:ident]-> $to:expr $(,)?) => {
        $crate::assert_relationship!($collected, ($from) -[$class]-> $to, {})
    };
    ($collected:expr, $from:literal -[$class:ident]-> $to:expr, { $($name:tt : $value:expr),* $(,)? }) => {
        $crate::assert_relationship!($collected, ($from) -[$class]-> $to, { $($name: $value),* })
    };
    ($collected:expr, $from:ident -[$class:ident]-> $to:expr $(, { $($name:tt : $value:expr),* $(,)? })?) => {
        $crate::assert_relationship!($collected, ($from) -[$class]-> $to, { $($($name: $value),*)? })
    };
    ($collected:expr, ($from:expr) -[$class:ident]-> $to:expr, { $($name:tt : $value:expr),* $(,)? }) => {
        $collected.assert_relationship($from, stringify!($class), $to, $crate::properties!($($name: $value),*))
    };
}

/// Collects the expected properties of the assertions by name.
#[doc(hidden)]
#[macro_export]
macro_rules! properties {
    ($($name:tt : $value:expr),* $(,)?) => {
        [$(($crate::property_name!($name), $crate::json!($value))),*]
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! property_name {
    ($name:ident) => {
        stringify!($name)
    };
    ($name:literal) => {
        $name
    };
}

impl Collected {
    /// Implements [`assert_entity!`](crate::assert_entity).
    ///
    /// # Panics
    /// Panics if the entity does not exist or a property differs.
    #[track_caller]
    pub fn assert_entity<'p>(&self, key: &str, expected: impl IntoIterator<Item = (&'p str, Value)>) {
        compare(self.entity(key), expected);
    }

    /// Implements [`assert_relationship!`](crate::assert_relationship).
    ///
    /// # Panics
    /// Panics if the relationship does not exist or a property differs.
    #[track_caller]
    pub fn assert_relationship<'p>(
        &self,
        from: &str,
        class: &str,
        to: &str,
        expected: impl IntoIterator<Item = (&'p str, Value)>,
    ) {
        let is_it = |object: &&Value| {
            object["_fromEntityKey"] == from && object["_toEntityKey"] == to && object["_class"] == class
        };
        match self.relationships().find(is_it) {
            Some(relationship) => compare(relationship, expected),
            None => panic!("there is no {from:?} -[{class}]-> {to:?}; {}", self.neighbours(from, to)),
        }
    }

    /// Lists the existing relationships at either end of a missing one.
    fn neighbours(&self, from: &str, to: &str) -> String {
        const SHOWN: usize = 10;
        for key in [from, to] {
            if self.find_entity(key).is_none() {
                return format!("there is no entity {key:?}");
            }
        }
        let touches = |object: &&Value| object["_fromEntityKey"] == from || object["_toEntityKey"] == to;
        let text = |object: &Value, name: &str| object[name].as_str().unwrap_or_default().to_owned();
        let lines: Vec<String> = self
            .relationships()
            .filter(touches)
            .map(|object| {
                let [from, class, to] = ["_fromEntityKey", "_class", "_toEntityKey"].map(|name| text(object, name));
                format!("\n  {from:?} -[{class}]-> {to:?}")
            })
            .collect();
        match lines.len() {
            0 => "both entities exist, but neither has a relationship".to_owned(),
            count if count > SHOWN => format!("there are:{}\n  and {} more", lines[..SHOWN].concat(), count - SHOWN),
            _ => format!("there are:{}", lines.concat()),
        }
    }
}

#[track_caller]
fn compare<'p>(object: &Value, expected: impl IntoIterator<Item = (&'p str, Value)>) {
    let (none, key) = (Map::new(), object["_key"].as_str().unwrap_or_default());
    let found = object.as_object().unwrap_or(&none);
    if let Some(difference) = difference(found, expected.into_iter().collect()) {
        let object_type = object["_type"].as_str().unwrap_or_default();
        panic!("{object_type} {key:?} has unexpected properties:\n{difference}");
    }
}

/// Returns a table of the differences; `None` if there are none.
fn difference(found: &Map<String, Value>, expected: Vec<(&str, Value)>) -> Option<String> {
    const ABSENT: &str = "(absent)";
    let value = |name: &str| found.get(name).unwrap_or(&Value::Null);
    let (same, differing): (Vec<_>, Vec<_>) =
        expected.into_iter().partition(|(name, expected)| equal(value(name), expected));
    if differing.is_empty() {
        return None;
    }
    let shown = |value: &Value| if value.is_null() { ABSENT.to_owned() } else { value.to_string() };
    let mut rows = vec![["property".to_owned(), "expected".to_owned(), "found".to_owned()]];
    rows.extend(differing.iter().map(|(name, expected)| [(*name).to_owned(), shown(expected), shown(value(name))]));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let (names, values) = (width(0), width(1));
    let line = |[name, expected, found]: &[String; 3]| format!("  {name:names$}  {expected:values$}  {found}");
    let mut lines: Vec<String> = rows.iter().map(line).collect();
    if !same.is_empty() {
        lines.push(format!("as expected: {}", same.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")));
    }
    let unknown: Vec<&str> =
        differing.iter().map(|(name, _)| *name).filter(|name| !found.contains_key(*name)).collect();
    if !unknown.is_empty() {
        let names: Vec<&str> = found.keys().map(String::as_str).filter(|name| *name != "_rawData").collect();
        lines.push(format!("its properties: {}", names.join(", ")));
    }
    Some(lines.join("\n"))
}

/// Compares values; `1` and `1.0` are equal.
fn equal(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Number(found), Value::Number(expected)) => found == expected || found.as_f64() == expected.as_f64(),
        _ => found == expected,
    }
}

#[cfg(test)]
mod tests {
    use integration_sdk::serde_json::json;

    use super::*;

    #[test]
    fn a_difference_is_a_table_of_what_differs() {
        let object = json!({"_key": "u1", "name": "Ada", "active": true, "level": 1.0});
        let found = object.as_object().unwrap();
        let expected =
            vec![("name", json!("Grace")), ("level", json!(1)), ("motto", json!("on")), ("gone", json!(null))];
        let table = "  property  expected  found\n  name      \"Grace\"   \"Ada\"\n  motto     \"on\"      (absent)\n\
                     as expected: level, gone\nits properties: _key, active, level, name";
        assert_eq!(difference(found, expected).unwrap(), table);
        assert_eq!(difference(found, vec![("active", json!(true))]), None);
    }
}

//! JSON: a list of objects, an object with such a list, or one object a line.

use integration_sdk::serde_json::value::RawValue;
use integration_sdk::serde_json::{self, Map, Value};

use crate::record::{BadLine, Record, line_ends, simplified};

/// The names of the list in the answers of directories.
const LISTS: [&str; 8] = ["users", "people", "employees", "workers", "resources", "value", "data", "results"];
/// The member that is the value of an element, such as an address with its kind.
const VALUES: [&str; 4] = ["value", "address", "email", "id"];
/// The maximum depth of objects in objects.
const DEEPEST: usize = 4;

/// The elements of a JSON list.
pub(super) struct Json<'a> {
    text: &'a str,
    at: usize,
    line: u64,
    is_over: bool,
}

impl<'a> Json<'a> {
    /// Finds the list. If the text is not complete JSON, it is the first one.
    pub(super) fn open(text: &'a str) -> Self {
        let at = list(text).unwrap_or(text.len());
        let new = Self { text, at: 0, line: 1, is_over: false };
        match at == text.len() {
            // One object, or several without a list around them.
            true => Self { at: text.len() - text.trim_start().len(), ..new },
            false => new.after(at + 1),
        }
    }

    fn after(mut self, at: usize) -> Self {
        self.skip_to(at);
        self
    }

    fn skip_to(&mut self, at: usize) {
        self.line += line_ends(&self.text[self.at..at]);
        self.at = at;
    }

    /// Skips spaces, and the comma between two elements.
    fn skip_to_element(&mut self) {
        let rest = &self.text[self.at..];
        let spaces = |text: &str| text.len() - text.trim_start().len();
        let mut skipped = spaces(rest);
        if rest[skipped..].starts_with(',') {
            skipped += 1 + spaces(&rest[skipped + 1..]);
        }
        self.skip_to(self.at + skipped);
    }
}

impl Iterator for Json<'_> {
    type Item = Result<Record, BadLine>;

    fn next(&mut self) -> Option<Self::Item> {
        self.skip_to_element();
        let rest = &self.text[self.at..];
        if self.is_over || rest.is_empty() || rest.starts_with(']') {
            return None;
        }
        let mut elements = serde_json::Deserializer::from_str(rest).into_iter::<&RawValue>();
        let line = self.line;
        match elements.next()? {
            Ok(element) => {
                let end = self.at + elements.byte_offset();
                let record = record(line, element.get());
                self.skip_to(end);
                Some(record)
            }
            Err(error) => {
                self.is_over = true;
                let line = line + (error.line() as u64).saturating_sub(1);
                Some(Err(BadLine::new(line, format!("the rest of the file is not JSON ({})", cause(&error)))))
            }
        }
    }
}

/// Returns the records of a text with one object a line.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Result<Record, BadLine>> + '_ {
    let numbered = (1..).zip(text.trim_start_matches('\u{feff}').lines());
    numbered.filter(|(_, line)| !line.trim().is_empty()).map(|(number, line)| record(number, line))
}

/// Returns the position of the list of a text.
fn list(text: &str) -> Option<usize> {
    let begin = text.len() - text.trim_start().len();
    match text.as_bytes().get(begin)? {
        b'[' => Some(begin),
        b'{' => match serde_json::from_str::<std::collections::BTreeMap<&str, &RawValue>>(text) {
            Ok(members) => {
                let lists = || members.iter().filter(|(_, value)| value.get().starts_with('['));
                let known = LISTS.iter().find_map(|known| lists().find(|(name, _)| simplified(name) == *known));
                let (_, list) = known.or_else(|| {
                    let mut of_objects = lists().filter(|(_, list)| list.get()[1..].trim_start().starts_with('{'));
                    of_objects.next().filter(|_| !members.keys().any(|name| name.contains("mail")))
                })?;
                Some(list.get().as_ptr() as usize - text.as_ptr() as usize)
            }
            // Several objects, one after the other, or a text that ends too early.
            Err(error) if error.is_eof() => text.find('['),
            Err(_) => None,
        },
        _ => None,
    }
}

fn record(line: u64, json: &str) -> Result<Record, BadLine> {
    let object: Map<String, Value> = serde_json::from_str(json).map_err(|error| {
        BadLine::new(
            line,
            if error.is_data() { "not an object".to_owned() } else { format!("not JSON ({})", cause(&error)) },
        )
    })?;
    let mut record = Record::on(line);
    add_object(&mut record, "", object, DEEPEST);
    Ok(record)
}

/// The message of an error without its position, which is that of a part of the file.
fn cause(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split_once(" at line ").map_or(text.clone(), |(cause, _)| cause.to_owned())
}

fn add_object(record: &mut Record, prefix: &str, object: Map<String, Value>, depth: usize) {
    for (name, value) in object {
        let name = simplified(&format!("{prefix} {name}"));
        add(record, &name, value, depth);
    }
}

fn add(record: &mut Record, name: &str, value: Value, depth: usize) {
    match value {
        Value::String(text) => record.add(name, &text),
        Value::Number(number) => record.add(name, &number.to_string()),
        Value::Bool(flag) => record.add(name, &flag.to_string()),
        Value::Null => {}
        Value::Object(object) if depth > 0 => add_object(record, name, object, depth - 1),
        Value::Object(_) => {}
        Value::Array(mut elements) => {
            elements.sort_by_key(|element| element.get("primary") != Some(&Value::Bool(true)));
            for element in elements {
                let value = VALUES.iter().find_map(|value| element.get(value)).cloned();
                if let Some(scalar) = value.or(Some(element)).filter(|value| !value.is_object() && !value.is_array()) {
                    add(record, name, scalar, 0);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn emails(records: impl Iterator<Item = Result<Record, BadLine>>) -> Vec<String> {
        let one = |result: Result<Record, BadLine>| match result {
            Ok(record) => {
                format!("{}: {}", record.line, record.values("email").map_or_else(String::new, |v| v.join(" ")))
            }
            Err(bad) => format!("{}: {}", bad.line, bad.reason),
        };
        records.map(one).collect()
    }

    #[test]
    fn a_list_has_one_record_an_element() {
        let text = "[\n  {\"email\": \"a@x\"},\n  7,\n  {\"email\": \"b@x\"}\n]";
        assert_eq!(emails(Json::open(text)), ["2: a@x", "3: not an object", "4: b@x"]);
        for text in ["[]", "", " ", "[ ]", "{\"users\": []}"] {
            assert_eq!(emails(Json::open(text)), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn the_list_can_be_inside_an_object() {
        let text = "{\"kind\": \"x\", \"tags\": [1],\n \"users\": [\n{\"email\": \"a@x\"}]}";
        assert_eq!(emails(Json::open(text)), ["3: a@x"]);
        assert_eq!(emails(Json::open("{\"staff\": [{\"email\": \"a@x\"}]}")), ["1: a@x"]);
        assert_eq!(emails(Json::open("{\"email\": \"a@x\", \"phones\": [{\"value\": 1}]}")), ["1: a@x"]);
        assert_eq!(emails(Json::open("{\"email\": \"a@x\"}\n{\"email\": \"b@x\"}")), ["1: a@x", "2: b@x"]);
    }

    #[test]
    fn a_truncated_file_keeps_its_complete_elements() {
        let rest = "the rest of the file is not JSON (EOF while parsing a string)";
        for text in ["[\n{\"email\": \"a@x\"},\n{\"ema", "{\"users\": [\n{\"email\": \"a@x\"},\n{\"ema"] {
            assert_eq!(emails(Json::open(text)), ["2: a@x".to_owned(), format!("3: {rest}")]);
        }
    }

    #[test]
    fn a_bad_line_of_ndjson_is_lost_alone() {
        let text = "{\"email\": \"a@x\"}\n\n{oops}\n[1]\n{\"email\": \"b@x\"}\r\n";
        let found = emails(lines(text));
        assert_eq!(found, ["1: a@x", "3: not JSON (key must be a string)", "4: not an object", "5: b@x"]);
    }

    #[test]
    fn inner_objects_and_lists_become_columns() {
        let text = r#"{"email": [{"value": "b@x"}, {"value": "a@x", "primary": true}], "name": {"givenName": "Ada"},
            "manager": {"email": "m@x"}, "active": false, "id": 7, "aliases": ["c@x", null, ["d@x"]], "x": null}"#;
        let record = record(1, text).expect("an object");
        let values = |name: &str| record.values(name).map(|values| values.join(" "));
        assert_eq!(values("email").as_deref(), Some("a@x b@x"));
        assert_eq!(values("namegivenname").as_deref(), Some("Ada"));
        assert_eq!(values("manageremail").as_deref(), Some("m@x"));
        assert_eq!((values("active"), values("id")), (Some("false".into()), Some("7".into())));
        assert_eq!((values("aliases"), values("x")), (Some("c@x".into()), None));
    }
}

//! A graph object as JSON text, written member by member.
//!
//! No DOM is built: a value is written from its Rust type into the text, and the text is validated, stored, and
//! exported.

use std::cmp::Ordering;
use std::fmt::Display;
use std::ops::Range;

use serde_json::Value;

use super::value::{ValueWriter, write_displayed, write_list, write_text};
use super::{Properties, Property};

/// The typical size of an entity without raw data, in bytes and members. It determines the initial capacity.
const BYTES: usize = 1000;
const MEMBERS: usize = 24;
/// The typical size of a relationship in bytes.
const RELATIONSHIP_BYTES: usize = 360;
const RELATIONSHIP_MEMBERS: usize = 8;

/// The JSON of an object with sorted, unique names and no spaces. Each object has exactly one byte representation.
#[derive(Debug, Clone)]
#[doc(hidden)]
pub struct ObjectText {
    json: String,
    members: Vec<Member>,
    plain: bool,
}

/// The position of a member in the text.
#[derive(Debug, Clone, Copy)]
struct Member {
    /// The quote before the name.
    start: usize,
    /// The start of the value.
    value: usize,
    /// The end of the value.
    end: usize,
}

impl Member {
    /// Returns the name as written in the text.
    fn name<'a>(&self, json: &'a [u8]) -> &'a [u8] {
        &json[self.start + 1..self.value - 2]
    }
}

impl ObjectText {
    /// Returns the JSON.
    pub fn as_str(&self) -> &str {
        &self.json
    }

    /// Returns the position of the value of a member with a plain name.
    pub(crate) fn place_of(&self, name: &str) -> Option<Range<usize>> {
        let (json, name) = (self.json.as_bytes(), name.as_bytes());
        // The members are sorted unless some names have escapes, so the search can stop after the name's position.
        for member in &self.members {
            match member.name(json).cmp(name) {
                Ordering::Equal => return Some(member.value..member.end),
                Ordering::Greater if self.plain => return None,
                _ => {}
            }
        }
        None
    }

    /// Returns the JSON of a member's value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.place_of(name).map(|place| &self.json[place])
    }

    /// Returns the members in order: plain names with the JSON of their values.
    pub fn members(&self) -> impl Iterator<Item = (&str, &str)> {
        (0..self.len()).filter_map(|at| self.member_at(at))
    }

    /// Returns a member by its index: its name and the JSON of its value.
    pub fn member_at(&self, at: usize) -> Option<(&str, &str)> {
        let member = self.members.get(at)?;
        Some((&self.json[member.start + 1..member.value - 2], &self.json[member.value..member.end]))
    }

    /// Returns the number of members.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Returns whether the object has no members.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Whether no name contains escapes, so that members can be found by name.
    pub fn has_plain_names(&self) -> bool {
        self.plain
    }

    /// Parses the object into a tree.
    ///
    /// # Errors
    /// The object is nested deeper than 128 levels.
    pub fn to_properties(&self) -> serde_json::Result<Properties> {
        serde_json::from_str(&self.json)
    }
}

impl From<&Properties> for ObjectText {
    fn from(properties: &Properties) -> Self {
        let mut writer = ObjectWriter::new();
        for (name, value) in properties {
            writer.value(name, value);
        }
        writer.finish()
    }
}

/// Writes an object as JSON. The first of several members with one name wins.
#[derive(Debug)]
pub struct ObjectWriter {
    json: Vec<u8>,
    members: Vec<Member>,
}

impl Default for ObjectWriter {
    fn default() -> Self {
        Self::with_room(BYTES, MEMBERS)
    }
}

impl ObjectWriter {
    /// Creates a writer with the capacity of a typical entity.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a writer with the capacity of a typical relationship.
    pub fn of_relationship() -> Self {
        Self::with_room(RELATIONSHIP_BYTES, RELATIONSHIP_MEMBERS)
    }

    fn with_room(bytes: usize, members: usize) -> Self {
        let mut json = Vec::with_capacity(bytes);
        json.push(b'{');
        Self { json, members: Vec::with_capacity(members) }
    }

    /// Adds a property, unless it is absent.
    pub fn property(&mut self, name: &str, property: &impl Property) {
        self.member(name, |json| property.write(ValueWriter(json)));
    }

    /// Adds the display form of a value.
    pub fn display(&mut self, name: &str, shown: &(impl Display + ?Sized)) {
        self.member(name, |json| write_displayed(shown, json));
    }

    /// Adds text.
    pub fn text(&mut self, name: &str, text: &str) {
        self.member(name, |json| write_text(text, json));
    }

    /// Adds a list of texts.
    pub fn texts<'a>(&mut self, name: &str, texts: impl IntoIterator<Item = &'a str>) {
        self.member(name, |json| write_list(texts, json, write_text));
    }

    /// Adds a tree.
    pub fn value(&mut self, name: &str, value: &Value) {
        self.member(name, |json| {
            serde_json::to_writer(json, value).expect("the names in a tree of JSON are strings");
        });
    }

    /// Adds a member whose value is written by `write`, if it writes one.
    pub(crate) fn member(&mut self, name: &str, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.json.len();
        write_text(name, &mut self.json);
        self.json.push(b':');
        let value = self.json.len();
        write(&mut self.json);
        if self.json.len() > value {
            self.members.push(Member { start, value, end: self.json.len() });
            self.json.push(b',');
        } else {
            self.json.truncate(start);
        }
    }

    /// Returns the object with its members sorted by name.
    pub fn finish(mut self) -> ObjectText {
        let name = |member: &Member| member.name(&self.json);
        let plain = self.members.iter().all(|member| !name(member).contains(&b'\\'));
        if !plain || !self.members.is_sorted_by(|one, other| name(one) < name(other)) {
            self.put_in_order(plain);
        }
        if !self.members.is_empty() {
            self.json.pop();
        }
        self.json.push(b'}');
        let json = String::from_utf8(self.json).expect("JSON is written from strings");
        ObjectText { json, members: self.members, plain }
    }

    fn put_in_order(&mut self, plain: bool) {
        let unordered = std::mem::take(&mut self.json);
        if plain {
            self.members.sort_by_key(|member| member.name(&unordered));
            self.members.dedup_by_key(|member| member.name(&unordered));
        } else {
            // Members are sorted by their decoded names, not by their escaped form.
            let name = |member: &Member| {
                let name = &unordered[member.start..member.value - 1];
                serde_json::from_slice::<String>(name).expect("a name was written as JSON")
            };
            self.members.sort_by_cached_key(name);
            self.members.dedup_by_key(|member| name(member));
        }
        self.json.reserve(unordered.len());
        self.json.push(b'{');
        for member in &mut self.members {
            let start = self.json.len();
            self.json.extend_from_slice(&unordered[member.start..=member.end]);
            let moved = |at: usize| at - member.start + start;
            *member = Member { start, value: moved(member.value), end: moved(member.end) };
        }
    }
}

/// Parses the written object.
#[doc(hidden)]
pub fn written(write: impl FnOnce(&mut ObjectWriter)) -> Properties {
    let mut object = ObjectWriter::new();
    write(&mut object);
    object.finish().to_properties().expect("a property is a scalar or a list")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn json_of(write: impl FnOnce(&mut ObjectWriter)) -> String {
        let mut object = ObjectWriter::new();
        write(&mut object);
        object.finish().as_str().to_owned()
    }

    #[test]
    fn members_are_in_order_whatever_order_they_came_in() {
        let text = json_of(|object| {
            object.text("name", "a \"quoted\"\nname");
            object.property("absent", &None::<bool>);
            object.display("displayName", &7);
            object.property("Zones", &vec![Some(1_i64), None]);
            object.value("_class", &json!(["Team"]));
        });
        assert_eq!(text, r#"{"Zones":[1],"_class":["Team"],"displayName":"7","name":"a \"quoted\"\nname"}"#);
        assert_eq!(json_of(|_| {}), "{}");
    }

    #[test]
    fn of_members_of_one_name_the_first_counts() {
        let text = json_of(|object| {
            object.text("b", "1");
            object.text("a", "2");
            object.text("b", "3");
        });
        assert_eq!(text, r#"{"a":"2","b":"1"}"#);
        assert_eq!(json_of(|object| ["1", "2"].iter().for_each(|text| object.text("a", text))), r#"{"a":"1"}"#);
    }

    #[test]
    fn a_member_is_found_in_the_text() {
        let properties = json!({"list": [1, {"list": 2}], "text": "x"}).as_object().unwrap().clone();
        let object = ObjectText::from(&properties);
        let value = |name| object.place_of(name).map(|place| &object.as_str()[place]);
        assert_eq!((value("list"), value("text"), value("x")), (Some(r#"[1,{"list":2}]"#), Some("\"x\""), None));
        assert_eq!(object.to_properties().unwrap(), properties);
    }

    proptest! {
        #[test]
        fn what_is_written_is_what_a_tree_would_be_written_as(members in proptest::collection::vec(("[a-c\\n\"\\\\é]{0,3}", ".{0,9}"), 0..8)) {
            let text = json_of(|object| {
                for (at, (name, text)) in members.iter().enumerate() {
                    match at % 3 {
                        0 => object.display(name, text),
                        1 => object.text(name, text),
                        _ => object.property(name, &BTreeSet::from([text.clone()])),
                    }
                }
            });
            let mut tree = Properties::new();
            for (at, (name, text)) in members.iter().enumerate() {
                tree.entry(name).or_insert(if at % 3 == 2 { json!([text]) } else { json!(text) });
            }
            prop_assert_eq!(text, Value::Object(tree).to_string());
        }
    }
}

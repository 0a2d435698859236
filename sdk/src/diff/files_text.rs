//! The texts of different objects, in blocks without gaps.
//!
//! One allocation for each text would cost half as much again, because texts are shortened after they are written and
//! parsed values lie between them.

use serde::Deserialize;

use crate::graph::ObjectJson;
use crate::graph::history::ObjectKind;

use super::absent::{LoneObject, source_of};
use super::change::{ChangeOptions, GraphSide};
use super::files_index::Canonical;

/// The size of a block in bytes. A longer text fills a block alone.
const BLOCK: usize = 1 << 20;

/// The position of a text.
#[derive(Clone, Copy)]
struct Place {
    block: usize,
    start: usize,
    end: usize,
}

/// The positions of the texts of an object.
struct Row {
    kind: ObjectKind,
    side: GraphSide,
    object_type: Place,
    key: Place,
    properties: Place,
    raw: Option<Place>,
}

/// The texts of the different objects of both graphs.
#[derive(Default)]
pub(super) struct Texts {
    blocks: Vec<String>,
    rows: Vec<Row>,
}

impl Texts {
    /// Adds an object of one of the graphs, without the texts that the comparison does not need.
    pub(super) fn add(&mut self, object: &Canonical, side: GraphSide, options: &ChangeOptions) {
        let is_shown = options.wants(&object.object_type);
        let raw = object.raw.as_ref().filter(|_| is_shown && options.raw);
        let row = Row {
            kind: object.kind,
            side,
            object_type: self.place(&object.object_type),
            key: self.place(&object.key),
            properties: self.place(if is_shown { &object.properties } else { "" }),
            raw: raw.map(|raw| self.place(raw)),
        };
        self.rows.push(row);
    }

    fn place(&mut self, text: &str) -> Place {
        let fits = |block: &String| block.capacity() - block.len() >= text.len();
        if !self.blocks.last().is_some_and(fits) {
            self.blocks.push(String::with_capacity(BLOCK.max(text.len())));
        }
        let at = self.blocks.len() - 1;
        let block = &mut self.blocks[at];
        let start = block.len();
        block.push_str(text);
        Place { block: at, start, end: block.len() }
    }

    /// Sorts the objects by kind, type, and key; the older graph comes first.
    pub(super) fn sort(&mut self) {
        let mut rows = std::mem::take(&mut self.rows);
        let order = |row: &Row| {
            let text = self.text(row);
            (text.identity(), text.side)
        };
        rows.sort_unstable_by(|a, b| order(a).cmp(&order(b)));
        self.rows = rows;
    }

    /// Returns the objects.
    pub(super) fn iter(&self) -> impl Iterator<Item = Text<'_>> {
        self.rows.iter().map(|row| self.text(row))
    }

    fn text(&self, row: &Row) -> Text<'_> {
        let at = |place: Place| &self.blocks[place.block][place.start..place.end];
        Text {
            kind: row.kind,
            side: row.side,
            object_type: at(row.object_type),
            key: at(row.key),
            properties: at(row.properties),
            raw: row.raw.map(at),
        }
    }
}

/// The texts of an object.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    pub(super) kind: ObjectKind,
    pub(super) side: GraphSide,
    pub(super) object_type: &'a str,
    pub(super) key: &'a str,
    properties: &'a str,
    raw: Option<&'a str>,
}

impl<'a> Text<'a> {
    pub(super) fn identity(&self) -> (ObjectKind, &'a str, &'a str) {
        (self.kind, self.object_type, self.key)
    }

    pub(super) fn json(&self) -> ObjectJson<'a> {
        ObjectJson { properties: self.properties, raw: self.raw }
    }

    /// Calls `judge` with this object, which only one graph contains.
    pub(super) fn lone<T>(&self, judge: impl FnOnce(&LoneObject<'_>) -> T) -> T {
        #[derive(Default, Deserialize)]
        struct Ends {
            #[serde(rename = "_fromEntityKey")]
            from: Option<String>,
            #[serde(rename = "_toEntityKey")]
            to: Option<String>,
        }
        let (from, to) = match self.kind {
            ObjectKind::Entity => (None, None),
            ObjectKind::Relationship => {
                let ends: Ends = serde_json::from_str(self.properties).unwrap_or_default();
                (ends.from, ends.to)
            }
            ObjectKind::MappedRelationship => (source_of(self.properties), None),
        };
        let ends = [from.as_deref(), to.as_deref()];
        judge(&LoneObject { kind: self.kind, object_type: self.object_type, key: self.key, parent: None, ends })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::dataset::Wrapper;

    fn object(key: &str, text: &str) -> Canonical {
        let members = json!({"_key": key, "_type": "acme_app", "text": text, "_rawData": [1]});
        let members: Map<_, _> = members.as_object().cloned().expect("an object");
        Canonical::of(Wrapper::Entities, members).expect("an object")
    }

    #[test]
    fn texts_of_any_length_are_returned_in_order() {
        let mut texts = Texts::default();
        let options = ChangeOptions { raw: true, ..ChangeOptions::default() };
        let (long, short) = ("x".repeat(BLOCK + 1), "y".repeat(BLOCK / 3));
        for (key, text, side) in [
            ("c", short.as_str(), GraphSide::To),
            ("b", &long, GraphSide::From),
            ("a", "", GraphSide::To),
            ("c", &short, GraphSide::From),
            ("d", &short, GraphSide::From),
        ] {
            texts.add(&object(key, text), side, &options);
        }
        texts.sort();
        let keys: Vec<_> = texts.iter().map(|text| (text.key, text.side, text.json().properties.len())).collect();
        let length = |text: &str| r#"{"_key":"a","_type":"acme_app","text":""}"#.len() + text.len();
        assert_eq!(
            keys,
            [
                ("a", GraphSide::To, length("")),
                ("b", GraphSide::From, length(&long)),
                ("c", GraphSide::From, length(&short)),
                ("c", GraphSide::To, length(&short)),
                ("d", GraphSide::From, length(&short)),
            ]
        );
        assert!(texts.iter().all(|text| text.json().raw == Some("[1]")));
    }
}

//! Reading the result of a J1QL query with `RETURN TREE`, one object at a time.
//!
//! ```text
//!   {"type": "tree", "data": {"vertices": [{"id", "entity": {...}, "properties": {...}}],
//!                             "edges": [{"id", "fromVertexId", "toVertexId", "relationship": {...}, "properties": {...}}]}}
//! ```
//!
//! The members of `data` may also be those of the document. An object of the exchange layout results from the properties and
//! the identifying members of `entity` or `relationship`. The other members describe the storage of the result, such as
//! the time of an update, and are omitted.

use std::fmt;
use std::path::Path;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::{DatasetError, Found, Wrapper, content};

/// The members of `entity` and `relationship` that describe the object itself.
const KEPT: [&str; 7] = ["_key", "_type", "_class", "_source", "displayName", "_fromEntityKey", "_toEntityKey"];

/// Visits every object of a query result, converted to an object of the exchange layout.
///
/// # Errors
/// [`DatasetError`] if the file cannot be read or is not such a result.
pub fn read_tree(path: &Path, mut visit: impl FnMut(Found<'_, Map<String, Value>>)) -> Result<(), DatasetError> {
    let json = content::open(path).map_err(DatasetError::io("read", path))?;
    let mut parser = serde_json::Deserializer::from_reader(json);
    let mut found = |wrapper, object| visit(Found { file: path, wrapper, object });
    let read = Tree(&mut found).deserialize(&mut parser).and_then(|has_lists| {
        parser.end()?;
        if has_lists { Ok(()) } else { Err(serde::de::Error::custom("neither `vertices` nor `edges` is there")) }
    });
    read.map_err(|source| match source.is_io() {
        true => DatasetError::io("read", path)(source.into()),
        false => DatasetError::NoTree { path: path.to_owned(), source },
    })
}

type Visit<'a> = &'a mut dyn FnMut(Wrapper, Map<String, Value>);

/// A document or its member `data`. The value is whether it contains a list of objects.
struct Tree<'a>(Visit<'a>);

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = bool;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `vertices` and `edges`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let mut has_lists = false;
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "data" => has_lists |= map.next_value_seed(Tree(&mut *self.0))?,
                "vertices" => {
                    map.next_value_seed(Elements(Wrapper::Entities, &mut *self.0))?;
                    has_lists = true;
                }
                "edges" => {
                    map.next_value_seed(Elements(Wrapper::Relationships, &mut *self.0))?;
                    has_lists = true;
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(has_lists)
    }
}

struct Elements<'a>(Wrapper, Visit<'a>);

impl<'de> DeserializeSeed<'de> for Elements<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of vertices or edges")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(element) = list.next_element::<Element>()? {
            (self.1)(self.0, element.object());
        }
        Ok(())
    }
}

/// A vertex or an edge.
#[derive(Deserialize)]
struct Element {
    #[serde(alias = "relationship")]
    entity: Map<String, Value>,
    #[serde(default)]
    properties: Option<Map<String, Value>>,
}

impl Element {
    fn object(self) -> Map<String, Value> {
        let mut object = self.properties.unwrap_or_default();
        let own = self.entity.into_iter().filter(|(name, _)| KEPT.contains(&name.as_str()));
        object.extend(own);
        object
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;

    fn read(document: &str) -> Result<Vec<(Wrapper, Value)>, String> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("tree.json");
        fs::write(&path, document).expect("a file");
        let mut objects = Vec::new();
        let read = read_tree(&path, |found| objects.push((found.wrapper, Value::Object(found.object))));
        read.map(|()| objects).map_err(|error| error.to_string())
    }

    #[test]
    fn a_vertex_becomes_an_entity_without_the_data_of_its_storage() {
        let vertex = json!({"id": "1", "entity": {"_id": "1", "_key": "app:1", "_type": ["acme_app"], "_version": 3,
            "displayName": "One"}, "properties": {"stack": "cedar"}});
        let edge = json!({"id": "2", "fromVertexId": "1", "toVertexId": "1", "relationship": {"_key": "app:1|has|app:1",
            "_type": "acme_app_has_app", "_fromEntityKey": "app:1", "_toEntityKey": "app:1", "_createdOn": 1}});
        let data = json!({"vertices": [vertex], "edges": [edge]});
        // The lists are visited in the order of the document.
        let expected = vec![
            (
                Wrapper::Relationships,
                json!({"_key": "app:1|has|app:1", "_type": "acme_app_has_app", "_fromEntityKey": "app:1",
                    "_toEntityKey": "app:1"}),
            ),
            (
                Wrapper::Entities,
                json!({"_key": "app:1", "_type": ["acme_app"], "displayName": "One", "stack": "cedar"}),
            ),
        ];
        assert_eq!(read(&json!({"type": "tree", "data": data}).to_string()), Ok(expected.clone()));
        assert_eq!(read(&data.to_string()), Ok(expected));
    }

    #[test]
    fn another_document_is_refused_with_the_expected_form() {
        for document in ["{}", "[1]", r#"{"type": "list", "data": []}"#, r#"{"vertices": [{"id": "1"}]}"#] {
            let error = read(document).expect_err("no tree");
            assert!(error.contains("tree.json") && error.contains("RETURN TREE"), "{document}: {error}");
        }
    }
}

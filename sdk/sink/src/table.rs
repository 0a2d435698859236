//! Objects as rows of typed columns.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use integration_graph::{ObjectType, Values, json_string};
use integration_store::{Kind, SnapshotId};

use crate::{Element, ManifestType, Record, TransferKind, ValueType};

/// The maximum number of columns that belong to properties.
const PROPERTIES: usize = 1_000;
/// The properties that come first, if the type has them.
const FIRST: [&str; 6] = ["_key", "_type", "_class", "displayName", "_fromEntityKey", "_toEntityKey"];

/// The columns of one type.
///
/// The order of the columns is: the place of the object (`_integration`, `_instance`), its change, its identity
/// (`_key`,
/// `_type`, `_class`, `displayName`, and the ends of a relationship), its other properties by name, its history
/// (`_stale`, `_firstSeenOn`, `_changedOn`), and its raw data.
///
/// Names are unique without regard to case, because databases compare them so. Of two properties with such names, the
/// second one gets a number.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The kind of the objects.
    pub kind: Kind,
    /// The type of the objects.
    pub object_type: ObjectType,
    /// The columns.
    pub columns: Vec<Column>,
    by_property: HashMap<String, usize>,
    others: Option<usize>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The name.
    pub name: String,
    /// The origin of the values.
    pub origin: Origin,
    /// The type of the values.
    pub value_type: ValueType,
}

/// The origin of the values of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The integration.
    Integration,
    /// The instance.
    Instance,
    /// The name of the [`Action`](crate::Action), in a transfer of changes.
    Change,
    /// A property of this name.
    Property(String),
    /// The properties without a column of their own, as a JSON object.
    OtherProperties,
    /// Whether the newest job could not confirm the object.
    Stale,
    /// The first publication with the key.
    FirstSeen,
    /// The publication of the newest version.
    LastChanged,
    /// The raw data, as a JSON list.
    RawData,
}

/// The value of a column in one row.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell<'a> {
    /// No value.
    Null,
    /// A boolean.
    Boolean(bool),
    /// A time in milliseconds since 1970.
    Timestamp(i64),
    /// An integer.
    Integer(i64),
    /// A floating-point number.
    Double(f64),
    /// A text.
    Text(Cow<'a, str>),
    /// A list, whose elements are no lists.
    List(Vec<Cell<'a>>),
}

/// A value that does not fit its column, although the columns were surveyed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the property {property} of {key} is not of the surveyed type {value_type}; start the transfer again")]
pub struct Misfit {
    property: String,
    key: String,
    value_type: ValueType,
}

impl Table {
    /// Creates the table of a type.
    ///
    /// `earlier` are the properties with a column in an earlier transfer to the same target: they keep their names.
    pub fn new(
        of_type: &ManifestType,
        transfer: TransferKind,
        with_raw: bool,
        earlier: &BTreeMap<String, ValueType>,
    ) -> Self {
        let mut known = of_type.columns.clone();
        known.widen(earlier);
        let mut columns = vec![
            Column::own("_integration", Origin::Integration, Element::Text),
            Column::own("_instance", Origin::Instance, Element::Text),
        ];
        if transfer == TransferKind::Changes {
            columns.push(Column::own("_change", Origin::Change, Element::Text));
        }
        let mut last = vec![
            Column::own("_stale", Origin::Stale, Element::Boolean),
            Column::own("_firstSeenOn", Origin::FirstSeen, Element::Timestamp),
            Column::own("_changedOn", Origin::LastChanged, Element::Timestamp),
        ];
        if with_raw {
            last.push(Column::own("_rawData", Origin::RawData, Element::Text));
        }
        let others = Column::own("_otherProperties", Origin::OtherProperties, Element::Text);
        let reserved = ["_change", "_rawData", "_otherProperties"].map(str::to_owned);
        let mut taken: BTreeSet<String> = columns.iter().chain(&last).map(|of| of.name.to_lowercase()).collect();
        taken.extend(reserved.map(|name| name.to_lowercase()));
        let mut properties = Vec::new();
        // The identity and earlier properties choose their names first, and are never cut.
        let identity = FIRST.into_iter().filter(|name| is_identity(of_type.kind, name) || known.get(name).is_some());
        let identity: Vec<&str> = identity.collect();
        let is_new = |name: &&str| !identity.contains(name) && !earlier.contains_key(*name);
        let old = earlier.keys().map(String::as_str).filter(|name| !identity.contains(name));
        let new = known.iter().map(|(name, _)| name).filter(is_new);
        for name in identity.iter().copied().chain(old).chain(new).take(PROPERTIES) {
            let value_type = identity_type(of_type.kind, name).or_else(|| known.get(name));
            let value_type = value_type.unwrap_or(ValueType::of(Element::Text));
            properties.push(Column {
                name: unique(name, &mut taken),
                origin: Origin::Property(name.to_owned()),
                value_type,
            });
        }
        let is_cut = known.is_cut() || known.iter().count() > properties.len();
        properties[identity.len()..].sort_by(|a, b| a.origin.property().cmp(&b.origin.property()));
        columns.extend(properties);
        if is_cut {
            columns.push(others);
        }
        columns.extend(last);
        let named = |(at, column): (usize, &Column)| Some((column.origin.property()?.to_owned(), at));
        let by_property = columns.iter().enumerate().filter_map(named).collect();
        let others = columns.iter().position(|column| column.origin == Origin::OtherProperties);
        Self { kind: of_type.kind, object_type: of_type.object_type.clone(), columns, by_property, others }
    }

    /// Returns the properties with a column, for a later transfer to the same target.
    pub fn properties(&self) -> BTreeMap<String, ValueType> {
        let property = |column: &Column| Some((column.origin.property()?.to_owned(), column.value_type));
        self.columns.iter().filter_map(property).collect()
    }

    /// Writes the values of an object into `row`, one for each column.
    ///
    /// # Errors
    /// [`Misfit`] if the object differs from the surveyed one.
    pub fn fill<'a>(
        &self,
        record: &'a Record,
        snapshot: &'a SnapshotId,
        row: &mut Vec<Cell<'a>>,
    ) -> Result<(), Misfit> {
        row.clear();
        row.resize(self.columns.len(), Cell::Null);
        let object = &record.object;
        let mut others = String::new();
        let mut tokens = Values::within(&object.properties);
        while let (Some(name), Some(value)) = (tokens.next(), tokens.next()) {
            let property = json_string(name).unwrap_or_default();
            match self.by_property.get(property.as_ref()) {
                Some(&at) => {
                    let value_type = self.columns[at].value_type;
                    let misfit = || Misfit { property: property.to_string(), key: object.key.to_string(), value_type };
                    row[at] = cell(value, value_type).ok_or_else(misfit)?;
                }
                None => {
                    others.push(if others.is_empty() { '{' } else { ',' });
                    others.extend([name, ":", value]);
                }
            }
        }
        for (column, cell) in self.columns.iter().zip(row.iter_mut()) {
            *cell = match &column.origin {
                Origin::Property(_) | Origin::OtherProperties => continue,
                Origin::Integration => Cell::Text(snapshot.integration.as_str().into()),
                Origin::Instance => Cell::Text(snapshot.instance.as_str().into()),
                Origin::Change => Cell::Text(record.action.as_str().into()),
                Origin::Stale => Cell::Boolean(object.is_stale),
                Origin::FirstSeen => Cell::Timestamp(object.created.millis()),
                Origin::LastChanged => Cell::Timestamp(object.began.millis()),
                Origin::RawData => object.raw.as_deref().map_or(Cell::Null, |raw| Cell::Text(raw.into())),
            };
        }
        if let (Some(at), false) = (self.others, others.is_empty()) {
            others.push('}');
            row[at] = Cell::Text(others.into());
        }
        Ok(())
    }
}

impl Column {
    fn own(name: &str, origin: Origin, element: Element) -> Self {
        Self { name: name.to_owned(), origin, value_type: ValueType::of(element) }
    }
}

impl Origin {
    /// Returns the name of the property that the values come from.
    pub fn property(&self) -> Option<&str> {
        match self {
            Self::Property(name) => Some(name),
            _ => None,
        }
    }
}

/// Returns whether every object of a kind has a property.
fn is_identity(kind: Kind, name: &str) -> bool {
    matches!(name, "_key" | "_type" | "_class")
        || kind == Kind::Relationship && matches!(name, "_fromEntityKey" | "_toEntityKey")
}

/// Returns the type of an identifying property. It does not depend on the values.
fn identity_type(kind: Kind, name: &str) -> Option<ValueType> {
    match name {
        "_class" if kind == Kind::Entity => Some(ValueType::list(Element::Text)),
        "_key" | "_type" | "_class" => Some(ValueType::of(Element::Text)),
        "_fromEntityKey" | "_toEntityKey" if kind == Kind::Relationship => Some(ValueType::of(Element::Text)),
        _ => None,
    }
}

/// Returns a name that is not taken yet, without regard to case.
///
/// Control characters, which no database accepts in a name, become underscores.
fn unique(name: &str, taken: &mut BTreeSet<String>) -> String {
    let plain = name.replace(char::is_control, "_");
    let name = if plain.is_empty() { "_" } else { plain.as_str() };
    let mut names = std::iter::once(name.to_owned()).chain((2..).map(|number| format!("{name}_{number}")));
    let free = names.find(|name| taken.insert(name.to_lowercase()));
    free.unwrap_or_else(|| name.to_owned())
}

/// Converts a JSON value to a cell of a type; `None` if it does not fit.
fn cell(value: &str, value_type: ValueType) -> Option<Cell<'_>> {
    if value == "null" {
        return Some(Cell::Null);
    }
    match (value_type.is_list, value.starts_with('[')) {
        (true, true) => {
            let elements = Values::within(value).map(|element| match element {
                "null" => Some(Cell::Null),
                element => single(element, value_type.element),
            });
            elements.collect::<Option<_>>().map(Cell::List)
        }
        (true, false) => Some(Cell::List(vec![single(value, value_type.element)?])),
        (false, _) => single(value, value_type.element),
    }
}

fn single(value: &str, element: Element) -> Option<Cell<'_>> {
    match element {
        Element::Boolean => value.parse().ok().map(Cell::Boolean),
        Element::Timestamp => value.parse().ok().map(Cell::Timestamp),
        Element::Integer => value.parse().ok().map(Cell::Integer),
        Element::Double => value.parse().ok().filter(|number: &f64| number.is_finite()).map(Cell::Double),
        Element::Text if value.starts_with('"') => Some(Cell::Text(json_string(value).unwrap_or_default())),
        Element::Text => Some(Cell::Text(value.into())),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures::TryStreamExt;
    use futures::executor::block_on;
    use integration_store::{GraphReader, MemoryGraph};
    use serde_json::{Value, json};

    use super::*;
    use crate::{SnapshotSource, Source, SourceOptions};

    fn table(objects: &[Value], earlier: &[(&str, &str)]) -> (Table, Vec<Vec<String>>) {
        let graph: Arc<dyn GraphReader> = Arc::new(MemoryGraph::of(objects.iter().cloned()).expect("objects"));
        let id = graph.id();
        block_on(async {
            let source = SnapshotSource::open(vec![graph], &SourceOptions::default()).await.expect("a source");
            let mut of_type = source.manifest().types[0].clone();
            let batches: Vec<_> = source.read(false, None).try_collect().await.expect("the objects");
            let records: Vec<Record> = batches.into_iter().flat_map(|batch| batch.records).collect();
            records.iter().for_each(|record| of_type.columns.observe(&record.object.properties));
            let earlier = earlier.iter().map(|(name, text)| ((*name).to_owned(), text.parse().expect("a type")));
            let table = Table::new(&of_type, TransferKind::Whole, false, &earlier.collect());
            let mut rows = Vec::new();
            for record in &records {
                let mut row = Vec::new();
                table.fill(record, &id, &mut row).expect("a row");
                rows.push(row.iter().map(|cell| format!("{cell:?}")).collect());
            }
            (table, rows)
        })
    }

    fn names(table: &Table) -> Vec<&str> {
        table.columns.iter().map(|column| column.name.as_str()).collect()
    }

    fn user(more: Value) -> Value {
        let mut user = json!({"_key": "user:1", "_type": "acme_user", "_class": "User"});
        user.as_object_mut().expect("an object").extend(more.as_object().cloned().expect("an object"));
        user
    }

    #[test]
    fn the_order_of_columns_is_place_identity_properties_history() {
        let (table, rows) = table(&[user(json!({"b": [1], "a": true, "displayName": "One"}))], &[]);
        let expected = [
            "_integration",
            "_instance",
            "_key",
            "_type",
            "_class",
            "displayName",
            "a",
            "b",
            "_stale",
            "_firstSeenOn",
            "_changedOn",
        ];
        assert_eq!(names(&table), expected);
        assert_eq!(rows[0][4], r#"List([Text("User")])"#, "the class of an entity is always a list");
        assert_eq!(rows[0][6..8], ["Boolean(true)", "List([Integer(1)])"]);
    }

    #[test]
    fn a_column_of_an_earlier_transfer_keeps_its_name_and_never_becomes_narrower() {
        let (table, rows) =
            table(&[user(json!({"Name": "A", "name": "a", "n": 1}))], &[("name", "text"), ("n", "double")]);
        assert_eq!(names(&table)[5..8], ["Name_2", "n", "name"]);
        assert_eq!(rows[0][5..8], [r#"Text("A")"#, "Double(1.0)", r#"Text("a")"#]);
    }

    #[test]
    fn properties_beyond_the_limit_share_a_column() {
        let many: serde_json::Map<String, Value> = (0..1_100).map(|at| (format!("p{at:04}"), at.into())).collect();
        let (table, rows) = table(&[user(Value::Object(many))], &[]);
        assert_eq!(table.properties().len(), PROPERTIES);
        let at = table.others.expect("a column of the other properties");
        assert!(rows[0][at].contains("p1099") && !rows[0][at].contains("p0000"), "{}", rows[0][at]);
    }
}

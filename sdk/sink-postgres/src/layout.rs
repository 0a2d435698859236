//! The table of one type: its columns, and the statements that create or alter it.

use std::collections::{BTreeMap, BTreeSet};

use integration_sink::{Cell, Column, ManifestType, Misfit, Record, Table, TransferKind, ValueType};
use integration_store::{Kind, SnapshotId};

use crate::catalogue::{Catalogue, KnownColumn, KnownTable};
use crate::convert::{converted, sql_type};
use crate::copy::write_row;
use crate::names::{free, quoted};

/// The primary key. These columns are the first of each table, so that they keep their names.
pub(crate) const KEY: [&str; 3] = ["_integration", "_instance", "_key"];

/// The table of one type.
pub(crate) struct Layout {
    /// The table as it will be.
    pub(crate) known: KnownTable,
    /// The name with its schema, as an SQL identifier.
    pub(crate) qualified: String,
    /// The statements that bring the table into this form.
    pub(crate) changes: Vec<String>,
    table: Table,
    /// The position of each column's value in a row of `table`; `None` if this transfer has no values.
    sources: Vec<Option<usize>>,
}

impl Layout {
    /// Plans the table of a type. Columns of earlier transfers stay, and their types only widen.
    pub(crate) fn plan(of_type: &ManifestType, with_raw: bool, catalogue: &Catalogue) -> Self {
        let earlier = catalogue.tables.get(&(of_type.kind, of_type.object_type.clone()));
        let properties: BTreeMap<String, ValueType> = earlier
            .iter()
            .flat_map(|table| &table.columns)
            .filter_map(|column| Some((column.property.clone()?, column.value_type)))
            .collect();
        // A database contains the state after the changes, so it has no column for the change.
        let table = Table::new(of_type, TransferKind::Whole, with_raw, &properties);
        let name = earlier.map_or_else(|| new_name(of_type, catalogue), |table| table.name.clone());
        let qualified = catalogue.qualified(&name);
        let mut columns = earlier.map(|table| table.columns.clone()).unwrap_or_default();
        let mut taken: BTreeSet<String> = columns.iter().map(|column| column.name.clone()).collect();
        let (mut changes, mut sources) = (Vec::new(), vec![None; columns.len()]);
        for (at, column) in table.columns.iter().enumerate() {
            match columns.iter().position(|known| is_of(known, column)) {
                Some(place) => {
                    let known = &mut columns[place];
                    sources[place] = Some(at);
                    if known.value_type != column.value_type {
                        let new = sql_type(column.value_type);
                        let using = converted(&known.name, known.value_type, column.value_type);
                        let name = quoted(&known.name);
                        changes.push(format!("ALTER TABLE {qualified} ALTER COLUMN {name} TYPE {new} USING {using}"));
                        known.value_type = column.value_type;
                    }
                }
                None => {
                    let name = free(&column.name, &mut taken);
                    let (property, value_type) = (column.origin.property().map(str::to_owned), column.value_type);
                    if earlier.is_some() {
                        let (name, new) = (quoted(&name), sql_type(value_type));
                        changes.push(format!("ALTER TABLE {qualified} ADD COLUMN {name} {new}"));
                    }
                    columns.push(KnownColumn { name, property, value_type });
                    sources.push(Some(at));
                }
            }
        }
        if earlier.is_none() {
            let column = |column: &KnownColumn| format!("{} {}", quoted(&column.name), sql_type(column.value_type));
            let columns: Vec<String> = columns.iter().map(column).collect();
            let key = KEY.map(quoted).join(", ");
            changes.push(format!("CREATE TABLE {qualified} ({}, PRIMARY KEY ({key}))", columns.join(", ")));
        }
        Self { known: KnownTable { name, columns }, qualified, changes, table, sources }
    }

    /// The names of all columns as an SQL list.
    pub(crate) fn columns(&self) -> String {
        self.list(|column| quoted(&column.name))
    }

    /// The statement that writes the staged rows. Rows without a difference stay untouched.
    pub(crate) fn upsert(&self, stage: &str) -> String {
        let (table, columns) = (&self.qualified, self.columns());
        let assigned = self.list(|column| format!("{0} = excluded.{0}", quoted(&column.name)));
        let old = self.list(|column| format!("target.{}", quoted(&column.name)));
        let new = self.list(|column| format!("excluded.{}", quoted(&column.name)));
        let key = KEY.map(quoted).join(", ");
        format!(
            "INSERT INTO {table} AS target ({columns}) SELECT {columns} FROM {stage} ON CONFLICT ({key}) DO UPDATE SET \
             {assigned} WHERE ROW({old}) IS DISTINCT FROM ROW({new})"
        )
    }

    fn list(&self, of_column: impl Fn(&KnownColumn) -> String) -> String {
        self.known.columns.iter().map(of_column).collect::<Vec<_>>().join(", ")
    }

    /// Appends the values of an object to the text of a COPY.
    pub(crate) fn write(&self, record: &Record, snapshot: &SnapshotId, text: &mut String) -> Result<(), Misfit> {
        let mut cells = Vec::new();
        self.table.fill(record, snapshot, &mut cells)?;
        let value = |source: &Option<usize>| source.map_or(&Cell::Null, |at| &cells[at]);
        write_row(self.sources.iter().map(value), text);
        Ok(())
    }
}

/// Returns whether a column of an earlier transfer has the values of a column.
fn is_of(known: &KnownColumn, column: &Column) -> bool {
    match column.origin.property() {
        Some(property) => known.property.as_deref() == Some(property),
        None => known.property.is_none() && known.name == column.name,
    }
}

fn new_name(of_type: &ManifestType, catalogue: &Catalogue) -> String {
    let object_type = of_type.object_type.as_str();
    let name = match of_type.kind {
        Kind::Entity | Kind::Relationship => object_type.to_owned(),
        Kind::MappedRelationship => format!("{object_type}_mapped"),
    };
    free(&name, &mut catalogue.taken())
}

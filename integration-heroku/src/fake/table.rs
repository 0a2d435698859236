//! Rows that are found by id, by name and by what they belong to.

use std::collections::HashMap;
use std::hash::Hash;

use uuid::Uuid;

/// What a table holds.
pub(crate) trait Row {
    /// What the row belongs to.
    type Parent: Copy + Eq + Hash;
    /// Its id.
    fn uuid(&self) -> Uuid;
    /// The name by which it can be asked for, too; empty for what has none.
    fn name(&self) -> &str;
    /// What it belongs to.
    fn parent(&self) -> Self::Parent;
}

/// Rows in the order in which they were added.
#[derive(Debug, Clone)]
pub(crate) struct Table<R: Row> {
    rows: Vec<R>,
    by_id: HashMap<Uuid, usize>,
    by_parent: HashMap<R::Parent, Vec<usize>>,
}

impl<R: Row> Default for Table<R> {
    fn default() -> Self {
        Self { rows: Vec::new(), by_id: HashMap::new(), by_parent: HashMap::new() }
    }
}

impl<R: Row> Table<R> {
    /// Adds a row. One whose id is there already is left out.
    pub(crate) fn add(&mut self, row: R) {
        let position = self.rows.len();
        if self.by_id.contains_key(&row.uuid()) {
            return;
        }
        self.by_id.insert(row.uuid(), position);
        self.by_parent.entry(row.parent()).or_default().push(position);
        self.rows.push(row);
    }

    pub(crate) fn rows(&self) -> &[R] {
        &self.rows
    }

    pub(crate) fn get(&self, id: Uuid) -> Option<&R> {
        self.by_id.get(&id).map(|position| &self.rows[*position])
    }

    /// The row of which a path speaks: by id or by name.
    pub(crate) fn find(&self, id_or_name: &str) -> Option<&R> {
        match Uuid::parse_str(id_or_name) {
            Ok(id) => self.get(id),
            Err(_) => self.rows.iter().find(|row| !id_or_name.is_empty() && row.name() == id_or_name),
        }
    }

    /// Positions of the rows that belong to something.
    pub(crate) fn positions_of(&self, parent: R::Parent) -> &[usize] {
        self.by_parent.get(&parent).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn of(&self, parent: R::Parent) -> impl Iterator<Item = &R> {
        self.positions_of(parent).iter().map(|position| &self.rows[*position])
    }
}

//! Tables whose rows are found by id, by name, or by parent.

use std::collections::HashMap;
use std::hash::Hash;

use uuid::Uuid;

/// A row of a table.
pub(crate) trait Row {
    /// The id of the element that the row belongs to.
    type Parent: Copy + Eq + Hash;
    /// The id of the row.
    fn uuid(&self) -> Uuid;
    /// The name, which paths accept instead of the id. It is empty for rows without a name.
    fn name(&self) -> &str;
    /// The parent of the row.
    fn parent(&self) -> Self::Parent;
}

/// Implements [`Row`] for types with an `id`: the type of the parent, the name, and the parent.
macro_rules! rows {
    ($($row:ident of $parent:ty: $name:expr, $owner:expr;)*) => {$(
        impl $crate::fake::table::Row for $row {
            type Parent = $parent;

            fn uuid(&self) -> uuid::Uuid {
                self.id.uuid()
            }

            fn name(&self) -> &str {
                let name: fn(&Self) -> &str = $name;
                name(self)
            }

            fn parent(&self) -> $parent {
                let parent: fn(&Self) -> $parent = $owner;
                parent(self)
            }
        }
    )*};
}
pub(crate) use rows;

/// Rows in insertion order, indexed by id and by parent.
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
    /// Adds a row, unless a row with the same id exists.
    pub(crate) fn add(&mut self, row: R) {
        let position = self.rows.len();
        if self.by_id.contains_key(&row.uuid()) {
            return;
        }
        self.by_id.insert(row.uuid(), position);
        self.by_parent.entry(row.parent()).or_default().push(position);
        self.rows.push(row);
    }

    /// Replaces the row with the same id, unless its parent is another one.
    pub(crate) fn replace(&mut self, row: R) {
        if let Some(known) = self.by_id.get(&row.uuid()).and_then(|position| self.rows.get_mut(*position))
            && known.parent() == row.parent()
        {
            *known = row;
        }
    }

    pub(crate) fn rows(&self) -> &[R] {
        &self.rows
    }

    pub(crate) fn get(&self, id: Uuid) -> Option<&R> {
        self.by_id.get(&id).map(|position| &self.rows[*position])
    }

    /// Finds a row by a path parameter, which is an id or a name.
    pub(crate) fn find(&self, id_or_name: &str) -> Option<&R> {
        match Uuid::parse_str(id_or_name) {
            Ok(id) => self.get(id),
            Err(_) => self.rows.iter().find(|row| !id_or_name.is_empty() && row.name() == id_or_name),
        }
    }

    /// The positions of the rows of one parent.
    pub(crate) fn positions_of(&self, parent: R::Parent) -> &[usize] {
        self.by_parent.get(&parent).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn of(&self, parent: R::Parent) -> impl Iterator<Item = &R> {
        self.positions_of(parent).iter().map(|position| &self.rows[*position])
    }
}

//! Pages of stored objects, limited by number and by bytes.

use integration_graph::ObjectKey;
use rusqlite::{Row as SqlRow, Rows as SqlRows};

/// The maximum number of JSON bytes in a page. A larger object fills a page alone.
const BYTES: usize = 4 << 20;

/// Objects in key order. A page may hold fewer objects than requested; only `next` marks the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The objects.
    pub objects: T,
    /// The key of the last object, after which the next page begins. `None` if no objects are left.
    pub next: Option<ObjectKey>,
}

/// The remaining capacity of a page.
#[derive(Debug)]
struct Space {
    objects: usize,
    bytes: usize,
}

impl Space {
    fn of(objects: usize) -> Self {
        Self { objects, bytes: BYTES }
    }

    fn is_full(&self) -> bool {
        self.objects == 0 || self.bytes == 0
    }

    /// Deducts one object from the capacity.
    fn take(&mut self, bytes: usize) {
        self.objects = self.objects.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

/// Reads rows until a page is full, and returns the position of its last object.
///
/// A page holds at most `most` objects. `add` keeps one row and returns its position and its size. The result is `None`
/// if no row is left.
pub(super) fn fill<P>(
    mut rows: SqlRows<'_>,
    most: usize,
    mut add: impl FnMut(&SqlRow<'_>) -> rusqlite::Result<(P, usize)>,
) -> rusqlite::Result<Option<P>> {
    let (mut last, mut space) = (None, Space::of(most));
    while !space.is_full() {
        let Some(row) = rows.next()? else { return Ok(None) };
        let (position, bytes) = add(row)?;
        space.take(bytes);
        last = Some(position);
    }
    Ok(last)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{JobReader, ObjectBatch, Row, ScanCursor, Store};
    use integration_graph::{InstanceId, ObjectJson, ObjectType, StepId};

    /// A job with seven objects of 1.5 MB each.
    async fn large_objects(store: &Store) -> crate::SqliteJob {
        let job = store.begin_job("acme", &InstanceId::default(), &json!({})).await.unwrap();
        let mut rows = ObjectBatch::default();
        for number in 0..7 {
            let row = Row::entity(ObjectKey::new(format!("object:{number}")).unwrap(), object_type());
            let json = json!({"n": number, "text": "x".repeat(1_500_000)}).to_string();
            rows.push(row, ObjectJson::of(&json));
        }
        job.add(step(), rows).await;
        job
    }

    fn object_type() -> ObjectType {
        ObjectType::new("acme_thing").unwrap()
    }

    fn step() -> StepId {
        StepId::new("fetch-things").unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_page_ends_before_it_has_many_bytes_and_the_next_one_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let job = large_objects(&store).await;
        let (mut sizes, mut next) = (Vec::new(), Some(ScanCursor::FIRST_KEY));
        while let Some(from) = next {
            let page = job.scan(object_type(), from, 100).await.unwrap();
            sizes.push(page.objects.len());
            next = page.next;
        }
        assert_eq!(sizes, [3, 3, 1]);
        let followed = job.scan(object_type(), ScanCursor::FIRST_APPENDED, 100).await.unwrap();
        assert_eq!(followed.objects.len(), 3);
    }
}

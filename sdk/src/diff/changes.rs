//! The changes between two jobs of a store.

use crate::store::StoreError;

use super::change::{ChangeOptions, ChangesByType, ObjectChange};
use super::compare::{Difference, Side, compare_changed};
use super::describe::{Pair, describe};

/// Passes the changes between two jobs to `visit`, in the order of kinds, types, and keys, and counts them.
///
/// # Errors
/// [`StoreError`] if a store fails.
pub async fn changes(
    older: Side<'_>,
    newer: Side<'_>,
    options: &ChangeOptions,
    mut visit: impl FnMut(ObjectChange),
) -> Result<ChangesByType, StoreError> {
    let mut counts = ChangesByType::default();
    let describe = |difference: Difference| {
        let Difference { before, now, change, gap } = &difference;
        let Some(row) = now.as_ref().or(before.as_ref()).map(|stored| &stored.row) else { return };
        let raw = |stored: &Option<crate::store::Stored>| stored.as_ref().and_then(|stored| stored.raw.clone());
        let pair = Pair {
            kind: row.kind,
            object_type: row.object_type.as_str(),
            key: row.key.as_str(),
            before: before.as_ref().map(|stored| stored.json()),
            now: now.as_ref().map(|stored| stored.json()),
            raw_changed: raw(before) != raw(now),
            is_stale: now.as_ref().is_some_and(|stored| stored.is_stale),
        };
        describe(&pair, change, options, gap.clone()).report(&mut counts, &mut visit);
    };
    compare_changed(older, newer, |object_type| options.wants(object_type.as_str()), describe).await?;
    Ok(counts)
}

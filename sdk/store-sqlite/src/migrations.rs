//! The formats of the database file, and the steps from one format to the next.
//!
//! A file of an older format is migrated when it is opened, by all missing steps in one transaction, so that a killed
//! process leaves the old file. Formats before [`OLDEST`] are refused, and so are newer ones. To change `schema.sql`,
//! append a step to [`STEPS`], and keep a small file of the former format in `testdata` for the test.

use rusqlite::{Connection, Transaction, TransactionBehavior};

/// The schema of a new file.
const SCHEMA: &str = include_str!("schema.sql");
/// The oldest format that can be migrated.
const OLDEST: i64 = 8;
/// The steps: the first one migrates [`OLDEST`] to the next format.
const STEPS: [&str; 3] = [
    // 9: stale versions can be dropped on request.
    "ALTER TABLE ended ADD COLUMN dropped INTEGER NOT NULL DEFAULT 0",
    // 10: a lease has an epoch.
    "ALTER TABLE job ADD COLUMN epoch INTEGER NOT NULL DEFAULT 1",
    // 11: the key order has no foreign key. It is built again when it is needed.
    "DROP TABLE sorted; DELETE FROM sorted_to; \
     CREATE TABLE sorted (job INTEGER NOT NULL, type TEXT NOT NULL, key TEXT NOT NULL, object INTEGER NOT NULL, \
     PRIMARY KEY (job, type, key)) WITHOUT ROWID",
];
/// The format of new and migrated files.
pub(super) const NEWEST: i64 = OLDEST + STEPS.len() as i64;

/// Returns the format of a file; 0 if it is new.
pub(super) fn format(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Returns whether a file has no tables. A database of another program has some, and usually no format.
fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT NOT EXISTS (SELECT 1 FROM sqlite_master)", [], |row| row.get(0))
}

/// Creates the schema in a new file, or migrates a file to the newest format. Returns the format of the file.
///
/// A file of an unsupported format stays unchanged. Several processes may call this function at once.
pub(super) fn update(connection: &Connection) -> rusqlite::Result<i64> {
    if format(connection)? == NEWEST {
        return Ok(NEWEST);
    }
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    // Another process may have updated the file in the meantime.
    match format(connection)? {
        0 if is_empty(&transaction)? => transaction.execute_batch(SCHEMA)?,
        found @ OLDEST..NEWEST => {
            let done = usize::try_from(found - OLDEST).unwrap_or(STEPS.len());
            for step in &STEPS[done..] {
                transaction.execute_batch(step)?;
            }
            tracing::info!(from = found, to = NEWEST, "the store was migrated");
        }
        found => return Ok(found),
    }
    transaction.execute_batch(&format!("PRAGMA user_version={NEWEST}"))?;
    transaction.commit()?;
    Ok(NEWEST)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs::File;
    use std::io;
    use std::path::Path;

    use super::super::snapshot::PageSelection;
    use super::super::{Snapshot, Store, StoreError};
    use super::*;
    use futures::TryStreamExt;
    use integration_graph::{InstanceId, ObjectKey, ObjectType};
    use integration_store::{Selection, StoredObject};

    /// A store that the program wrote in format 8: two complete jobs of the Heroku sample, and one that selected
    /// `fetch-teams`.
    const FORMAT_8: &[u8] = include_bytes!("testdata/format-8.sqlite.gz");

    /// A store in format 10: a job of the sample that selected `fetch-teams`, with the key order of its teams.
    const FORMAT_10: &[u8] = include_bytes!("testdata/format-10.sqlite.gz");

    fn unpack(packed: &[u8], folder: &Path) -> std::path::PathBuf {
        let path = folder.join("state.sqlite");
        let mut unpacked = flate2::read::GzDecoder::new(packed);
        io::copy(&mut unpacked, &mut File::create(&path).unwrap()).unwrap();
        path
    }

    /// The columns of all tables, the columns of all indexes, and all foreign keys.
    fn schema(connection: &Connection) -> BTreeSet<String> {
        let sql = "SELECT 'table ' || m.name || ' ' || c.cid || ' ' || c.name || ' ' || c.type || ' ' || c.[notnull] \
                   || ' ' || coalesce(c.dflt_value, '') || ' ' || c.pk FROM sqlite_master m \
                   JOIN pragma_table_info(m.name) c WHERE m.type = 'table' UNION ALL \
                   SELECT 'index ' || m.tbl_name || ' ' || m.name || ' ' || c.seqno || ' ' || coalesce(c.name, '') \
                   FROM sqlite_master m JOIN pragma_index_info(m.name) c WHERE m.type = 'index' UNION ALL \
                   SELECT 'foreign key ' || m.name || ' ' || c.[from] || ' ' || c.[table] || ' ' || c.on_delete \
                   FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) c WHERE m.type = 'table'";
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<rusqlite::Result<_>>().unwrap()
    }

    #[test]
    fn a_migrated_file_has_the_schema_of_a_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let old = Connection::open(unpack(FORMAT_8, folder.path())).unwrap();
        assert_eq!(format(&old).unwrap(), OLDEST);
        assert_eq!(update(&old).unwrap(), NEWEST);
        let new = Connection::open_in_memory().unwrap();
        assert_eq!(update(&new).unwrap(), NEWEST);
        assert_eq!(schema(&old), schema(&new));
        assert_eq!((format(&old).unwrap(), update(&old).unwrap()), (NEWEST, NEWEST));
    }

    /// Every format between the oldest and the newest, made by the first steps.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_file_of_each_former_format_is_read_as_before() {
        for format in OLDEST..NEWEST {
            let folder = tempfile::tempdir().unwrap();
            let file = Connection::open(unpack(FORMAT_8, folder.path())).unwrap();
            for step in STEPS.iter().take((format - OLDEST).unsigned_abs() as usize) {
                file.execute_batch(step).unwrap();
            }
            file.pragma_update(None, "user_version", format).unwrap();
            drop(file);
            is_read_as_before(folder.path()).await;
        }
    }

    async fn is_read_as_before(folder: &Path) {
        let store = Store::open(folder).unwrap();
        let jobs = store.jobs().await.unwrap();
        assert_eq!(jobs.iter().map(|job| job.state.as_str()).collect::<Vec<_>>(), ["partial", "complete", "complete"]);
        assert!(jobs.iter().all(|job| matches!(&job.summary, Some(Ok(of)) if of.published.is_some())), "{jobs:?}");
        let instance = InstanceId::literal("sample");
        let [newest, .., first] = &store.snapshots("heroku", &instance).await.unwrap()[..] else { panic!("snapshots") };
        let (newest, first) = (store.snapshot(newest.clone()), store.snapshot(first.clone()));
        let apps =
            newest.page(PageSelection::of(ObjectType::literal("heroku_application"), 100)).await.unwrap().objects;
        assert!(apps.len() == 25 && apps.iter().all(|app| app.is_stale && app.raw.is_some()));
        let key = ObjectKey::new(apps[0].row.key.as_str()).unwrap();
        let versions = store.versions("heroku", &instance, key).await.unwrap();
        assert_eq!((versions.len(), versions[0].stale.len()), (1, 1));
        let all = async |snapshot: &Snapshot| snapshot.scan(Selection::default()).try_concat().await.unwrap();
        let content =
            |object: &StoredObject| (object.object_type.clone(), object.key.clone(), object.properties.clone());
        let (older, newer) = (all(&first).await, all(&newest).await);
        assert!(older.iter().map(content).eq(newer.iter().map(content)), "nothing has changed");
        assert_eq!(newer.iter().filter(|object| object.is_stale).count(), 260);
    }

    #[test]
    fn the_key_order_of_format_10_is_discarded_and_the_objects_stay() {
        let folder = tempfile::tempdir().unwrap();
        let file = Connection::open(unpack(FORMAT_10, folder.path())).unwrap();
        let count = |table: &str| -> i64 {
            file.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
        };
        let objects = count("object");
        assert!(objects > 0 && count("sorted") > 0 && count("sorted_to") > 0);
        assert_eq!(update(&file).unwrap(), NEWEST);
        assert_eq!((count("object"), count("sorted"), count("sorted_to")), (objects, 0, 0));
    }

    #[test]
    fn formats_without_a_migration_are_refused_with_the_next_action() {
        for (format, action) in [
            (0, "use another --data-dir"),
            (7, "use another --data-dir"),
            (NEWEST + 1, "use a newer version of the program"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let connection = Connection::open(unpack(FORMAT_8, folder.path())).unwrap();
            connection.pragma_update(None, "user_version", format).unwrap();
            drop(connection);
            let error = Store::open(folder.path()).map(drop).unwrap_err();
            assert!(matches!(error, StoreError::Format { .. }) && error.to_string().ends_with(action), "{error}");
        }
    }
}

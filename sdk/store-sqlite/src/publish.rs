//! Publication: the objects of a job become the next snapshot of its instance, in one transaction.
//!
//! The module [`rules`](integration_store::rules) decides about each version of the previous snapshot and each collected
//! object.
//!
//! Unchanged objects have no content of their own (see [`Previous`]), so a publication without changes writes one row.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

use integration_graph::history::{ChangeCounts, Published, SnapshotGap, StaleObjects};
use integration_graph::{JobId, ObjectKey, ObjectType, Timestamp};
use integration_store::rules::{self, Collected, Effect, decide};
use rusqlite::{Connection, OptionalExtension, params};

use super::content_hash::{HashKey, of_step};
use super::index::key_index::hash_of;
use super::index::key_order;
use super::index::keys::Keys;
use super::object::SET_CONTENT;
use super::previous::{Previous, newest};
use super::settled::Settled;
use super::snapshot::{COLUMNS, stored};
use super::sqlite_error::unreadable;
use super::stored::Stored;
use super::{Kind, Publication, StoreError, working_data};

/// Publishes the objects of a job. Nothing must be added to the job afterwards.
pub(super) fn publish(
    connection: &Connection,
    keys: &mut Keys,
    hash_key: HashKey,
    job: i64,
    publication: &Publication,
) -> rusqlite::Result<Published> {
    let previous = keys.versions.take(connection, job)?;
    let (instance, before) = match previous.newest {
        Some((instance, number)) => (instance, Some(number)),
        None => (instance_of(connection, job)?, None),
    };
    let mut versions = Settled::of(previous.objects());
    let mut run = Run {
        connection,
        hash_key,
        job,
        publication,
        previous,
        changes: BTreeMap::new(),
        stale: BTreeMap::new(),
        lineages: HashMap::new(),
        retyped: HashSet::new(),
    };
    run.hash_amended()?;
    match before {
        None => run.add_all()?,
        Some(_) => run.compare(&mut versions)?,
    }
    let removed = run.settle_missing(&versions)?;
    run.close_stale(&versions, &removed)?;
    let Run { mut changes, stale, .. } = run;
    changes.retain(|_, counts| *counts != ChangeCounts::default());
    let stale = stale.into_iter().map(|((object_type, gap), count)| StaleObjects {
        object_type,
        count,
        gap: publication.gaps[gap].clone(),
    });
    let stale = stale.collect();
    record(connection, job, instance, publication)?;
    if let Some(before) = before {
        forget_working_data(connection, keys, before)?;
    }
    forget_superseded(connection, keys, job)?;
    if !publication.resumable {
        working_data::discard(connection, job)?;
        keys.forget(job);
    }
    let previous = before.map(|number| job_of(connection, number)).transpose()?;
    Ok(Published { previous, changes, stale })
}

struct Run<'a> {
    connection: &'a Connection,
    hash_key: HashKey,
    job: i64,
    publication: &'a Publication,
    previous: Previous,
    changes: BTreeMap<ObjectType, ChangeCounts>,
    /// The numbers of stale objects by type and position of the gap.
    stale: BTreeMap<(ObjectType, usize), u64>,
    /// The parents of parents that have been looked up.
    lineages: HashMap<ObjectKey, Rc<[ObjectKey]>>,
    /// The keys of entities that have another type now.
    retyped: HashSet<String>,
}

impl Run<'_> {
    /// Computes the hashes of objects whose content changed after they were stored.
    fn hash_amended(&mut self) -> rusqlite::Result<()> {
        let sql = "SELECT number FROM object WHERE job = ?1 AND hash IS NULL AND same_as IS NULL";
        for number in numbers(self.connection, sql, [self.job])? {
            self.hash(number, &read(self.connection, number)?)?;
        }
        Ok(())
    }

    fn hash(&self, number: i64, object: &Stored) -> rusqlite::Result<()> {
        let hash = of_step(self.hash_key.hash(&object.row, object.json()), &object.step);
        let sql = "UPDATE object SET hash = ?2 WHERE number = ?1";
        self.connection.prepare_cached(sql)?.execute([number, hash]).map(drop)
    }

    /// Counts all objects of the first publication of an instance.
    fn add_all(&mut self) -> rusqlite::Result<()> {
        let sql = "SELECT type, count(*) FROM object WHERE job = ?1 GROUP BY type";
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query([self.job])?;
        while let Some(row) = rows.next()? {
            let added = row.get::<_, i64>(1)?.unsigned_abs();
            self.count(&type_of(row.get(0)?)?).added += added;
        }
        Ok(())
    }

    fn count(&mut self, object_type: &ObjectType) -> &mut ChangeCounts {
        self.changes.entry(object_type.clone()).or_default()
    }

    /// Compares the collected objects with the previous versions, and settles those that the job confirmed or replaced.
    fn compare(&mut self, versions: &mut Settled) -> rusqlite::Result<()> {
        let mut own = Vec::new();
        {
            let sql = "SELECT number, same_as, hash IS NULL FROM object WHERE job = ?1";
            let mut statement = self.connection.prepare(sql)?;
            let mut rows = statement.query([self.job])?;
            while let Some(row) = rows.next()? {
                let (number, same_as): (i64, Option<i64>) = (row.get(0)?, row.get(1)?);
                match same_as {
                    // Another run may have published since the object was stored.
                    Some(version) if versions.settle(version) => {
                        // Several partitions described the object, so it has no single parent any more.
                        if row.get(2)? {
                            own.push((number, Some(version)));
                        }
                    }
                    _ => own.push((number, None)),
                }
            }
        }
        for (number, version) in own {
            match version {
                Some(version) => self.move_to(version, number)?,
                None => {
                    if let Some(version) = self.compare_one(number)? {
                        versions.settle(version);
                    }
                }
            }
        }
        Ok(())
    }

    /// Compares an object that has content of its own; returns the version of its key.
    fn compare_one(&mut self, number: i64) -> rusqlite::Result<Option<i64>> {
        self.materialise(number)?;
        let now = read(self.connection, number)?;
        let Some((version, before)) = self.version_of(&now.row.key)? else {
            self.note(&now, decide(Some(Collected::New), None));
            return Ok(None);
        };
        let now = self.complete(number, &before, now)?;
        let effect = decide(Some(compared(&before, &now)), None);
        if before.row.object_type == now.row.object_type {
            self.note(&now, effect);
        } else {
            // The changes are counted by type, and the relationships of the former entity go with it.
            self.note(&before, Effect::Removed);
            self.note(&now, Effect::Added);
            self.retyped.insert(now.row.key.as_str().to_owned());
        }
        if effect == Effect::Confirmed {
            self.move_to(version, number)?;
            self.refer(number, version)?;
        } else {
            self.end(version)?;
        }
        Ok(Some(version))
    }

    /// Replaces the content of an object by a reference to the equal version.
    fn refer(&self, number: i64, version: i64) -> rusqlite::Result<()> {
        let sql = "UPDATE object SET same_as = ?2, properties = NULL, raw = NULL WHERE number = ?1";
        self.connection.prepare_cached(sql)?.execute([number, version]).map(drop)
    }

    /// Copies the content of a version that has ended meanwhile into the object that refers to it.
    fn materialise(&self, number: i64) -> rusqlite::Result<()> {
        let sql = "UPDATE object SET properties = v.properties, raw = v.raw, same_as = NULL \
                   FROM object v WHERE object.number = ?1 AND v.number = object.same_as";
        self.connection.prepare_cached(sql)?.execute([number]).map(drop)
    }

    /// Returns the previous version of a key.
    fn version_of(&self, key: &ObjectKey) -> rusqlite::Result<Option<(i64, Stored)>> {
        for version in self.previous.candidates(hash_of(key.as_str())) {
            let before = read(self.connection, version)?;
            if before.row.key == *key {
                return Ok(Some((version, before)));
            }
        }
        Ok(None)
    }

    /// Returns a parent, the parent of that entity in the previous snapshot, and so on.
    fn parents(&mut self, first: Option<&ObjectKey>) -> rusqlite::Result<Rc<[ObjectKey]>> {
        let Some(first) = first else { return Ok(Rc::default()) };
        if let Some(known) = self.lineages.get(first) {
            return Ok(Rc::clone(known));
        }
        let mut parents = vec![first.clone()];
        while let Some((_, entity)) = parents.last().map(|last| self.version_of(last)).transpose()?.flatten()
            && let Some(next) = entity.row.parent.filter(|next| !parents.contains(next))
        {
            parents.push(next);
        }
        let parents: Rc<[ObjectKey]> = parents.into();
        self.lineages.insert(first.clone(), Rc::clone(&parents));
        Ok(parents)
    }

    /// Adds the properties that a gap explains to be missing from a collected object.
    fn complete(&self, number: i64, before: &Stored, now: Stored) -> rusqlite::Result<Stored> {
        let object_type = &now.row.object_type;
        if before.row.object_type != *object_type || !self.publication.lacking_properties.contains(object_type) {
            return Ok(now);
        }
        let completed = rules::with_missing_properties(&before.properties, &now.properties).map_err(unreadable)?;
        let Some(properties) = completed else { return Ok(now) };
        let now = Stored { properties, ..now };
        self.connection.prepare_cached(SET_CONTENT)?.execute(params![number, now.properties, now.raw])?;
        self.hash(number, &now)?;
        Ok(now)
    }

    fn note(&mut self, object: &Stored, effect: Effect) {
        effect.count(self.count(&object.row.object_type));
    }

    /// Gives a version the step and the parent of an equal object.
    fn move_to(&self, version: i64, object: i64) -> rusqlite::Result<()> {
        // Most jobs have no gaps, and need not read the version.
        let keeps_step = !self.publication.gaps.is_empty() && self.keeps_step(version)?;
        let sql = "UPDATE object SET step = iif(?3, object.step, o.step), parent = o.parent FROM object o \
                   WHERE object.number = ?1 AND o.number = ?2 \
                   AND (object.step, object.parent) IS NOT (iif(?3, object.step, o.step), o.parent)";
        if self.connection.prepare_cached(sql)?.execute(params![version, object, keeps_step])? > 0 {
            self.hash(version, &read(self.connection, version)?)?;
        }
        Ok(())
    }

    /// Returns whether a version keeps its step: see [`Publication::keeps_step`].
    fn keeps_step(&self, version: i64) -> rusqlite::Result<bool> {
        let object = without_content(self.connection, version)?;
        Ok(self.publication.keeps_step(&object.step, &object.row.object_type))
    }

    fn end(&self, version: i64) -> rusqlite::Result<()> {
        let sql = "INSERT INTO ended (object, until) VALUES (?1, ?2)";
        self.connection.prepare_cached(sql)?.execute([version, self.job]).map(drop)
    }

    /// Removes the versions that the job did not collect, or marks them as stale. Returns the removed ones.
    fn settle_missing(&mut self, versions: &Settled) -> rusqlite::Result<Vec<i64>> {
        let (mut removed, mut undecided, mut relationships) = (Vec::new(), Vec::new(), Vec::new());
        let mut gone = std::mem::take(&mut self.retyped);
        let mut settle = |run: &mut Self, version: i64, object: &Stored, gap: Option<usize>| {
            if !run.keep(version, object, gap)? {
                removed.push(version);
                gone.insert(object.row.key.as_str().to_owned());
            }
            Ok::<_, rusqlite::Error>(())
        };
        // Entities come first, because the removal of an entity decides about its relationships.
        for version in versions.missing() {
            let object = without_content(self.connection, version)?;
            if object.row.kind != Kind::Entity {
                relationships.push(version);
                continue;
            }
            match self.gap_of(&object)? {
                // Its relationships decide. Without a gap of its type, it need not stay in memory until then.
                None if self.publication.may_hide(&object.row.object_type) => undecided.push((version, object)),
                gap => settle(self, version, &object, gap)?,
            }
        }
        let gaps = self.gaps_of_ends(&undecided, &relationships)?;
        for (version, object) in undecided {
            settle(self, version, &object, gaps.get(object.row.key.as_str()).copied())?;
        }
        for version in relationships {
            let object = without_content(self.connection, version)?;
            let lacks_end = ends_of(&object)?.iter().any(|end| gone.contains(end));
            let gap = self.gap_of(&object)?.filter(|_| !lacks_end);
            if !self.keep(version, &object, gap)? {
                removed.push(version);
            }
        }
        removed.sort_unstable();
        Ok(removed)
    }

    /// Returns the gap that explains the absence of an object by its own type and parent.
    fn gap_of(&mut self, object: &Stored) -> rusqlite::Result<Option<usize>> {
        let parents = self.parents(object.row.parent.as_ref())?;
        Ok(self.publication.covering(&object.row.object_type, &parents))
    }

    /// Returns the gaps that explain the absence of entities by that of their relationships, by key.
    fn gaps_of_ends(
        &mut self,
        entities: &[(i64, Stored)],
        relationships: &[i64],
    ) -> rusqlite::Result<HashMap<String, usize>> {
        let mut gaps: HashMap<String, usize> = HashMap::new();
        if entities.is_empty() {
            return Ok(gaps);
        }
        let types: HashMap<&str, &ObjectType> =
            entities.iter().map(|(_, of)| (of.row.key.as_str(), &of.row.object_type)).collect();
        for version in relationships {
            let object = without_content(self.connection, *version)?;
            for end in ends_of(&object)? {
                let Some(entity) = types.get(end.as_str()) else { continue };
                let parents = self.parents(object.row.parent.as_ref())?;
                if let Some(gap) = self.publication.covering_end(entity, &object.row.object_type, &parents) {
                    gaps.entry(end).and_modify(|first| *first = gap.min(*first)).or_insert(gap);
                }
            }
        }
        Ok(gaps)
    }

    /// Keeps a version that was not collected if a gap covers it, and ends it otherwise. Returns whether it stays.
    fn keep(&mut self, version: i64, object: &Stored, gap: Option<usize>) -> rusqlite::Result<bool> {
        let object_type = &object.row.object_type;
        let effect = decide(None, gap);
        self.note(object, effect);
        let Effect::Stale(gap) = effect else {
            self.end(version)?;
            return Ok(false);
        };
        self.mark_stale(version, gap)?;
        *self.stale.entry((object_type.clone(), gap)).or_default() += 1;
        Ok(true)
    }

    /// Marks a version as stale unless it is stale already.
    fn mark_stale(&self, version: i64, gap: usize) -> rusqlite::Result<()> {
        let sql = "INSERT INTO stale (object, since, gap) SELECT ?1, ?2, ?3 \
                   WHERE NOT EXISTS (SELECT 1 FROM stale WHERE object = ?1 AND until IS NULL)";
        let gap = i64::try_from(gap).unwrap_or(i64::MAX);
        self.connection.prepare_cached(sql)?.execute([version, self.job, gap]).map(drop)
    }

    /// Ends the stale periods of versions that the job confirmed, replaced, or removed.
    fn close_stale(&self, versions: &Settled, removed: &[i64]) -> rusqlite::Result<()> {
        let open = numbers(self.connection, "SELECT object FROM stale WHERE until IS NULL", [])?;
        let sql = "UPDATE stale SET until = ?2 WHERE object = ?1 AND until IS NULL";
        let mut close = self.connection.prepare_cached(sql)?;
        for object in open {
            if versions.is_settled(object) || removed.binary_search(&object).is_ok() {
                close.execute([object, self.job])?;
            }
        }
        Ok(())
    }
}

fn compared(before: &Stored, now: &Stored) -> Collected {
    let (old, new) = (&before.row, &now.row);
    let same = (old.kind, &old.object_type, &old.class, &old.ends, &before.properties)
        == (new.kind, &new.object_type, &new.class, &new.ends, &now.properties);
    Collected::compared(same, before.raw == now.raw)
}

/// Returns the keys of the entities that a relationship connects, without targets of other integrations.
fn ends_of(relationship: &Stored) -> rusqlite::Result<Vec<String>> {
    if let Some((from, to)) = &relationship.row.ends {
        return Ok(vec![from.as_str().to_owned(), to.as_str().to_owned()]);
    }
    let properties: serde_json::Value = serde_json::from_str(&relationship.properties).map_err(unreadable)?;
    Ok(properties["_mapping"]["sourceEntityKey"].as_str().map(str::to_owned).into_iter().collect())
}

fn read(connection: &Connection, number: i64) -> rusqlite::Result<Stored> {
    let sql = format!("SELECT {COLUMNS}, object.properties, object.raw, 0 FROM object WHERE number = ?1");
    connection.prepare_cached(&sql)?.query_row([number], stored)
}

/// Reads a version without its content, except the properties of a mapped relationship, which contain its end.
fn without_content(connection: &Connection, number: i64) -> rusqlite::Result<Stored> {
    let mapped = Kind::MappedRelationship as i64;
    let sql = format!(
        "SELECT {COLUMNS}, CASE object.kind WHEN ?2 THEN object.properties ELSE '' END, NULL, 0 FROM object WHERE number = ?1"
    );
    connection.prepare_cached(&sql)?.query_row([number, mapped], stored)
}

fn numbers(connection: &Connection, sql: &str, values: impl rusqlite::Params) -> rusqlite::Result<Vec<i64>> {
    connection.prepare_cached(sql)?.query_map(values, |row| row.get(0))?.collect()
}

fn type_of(text: String) -> rusqlite::Result<ObjectType> {
    ObjectType::new(text).map_err(unreadable)
}

/// Returns the number of a job's instance, which has published nothing yet.
fn instance_of(connection: &Connection, job: i64) -> rusqlite::Result<i64> {
    let add = "INSERT OR IGNORE INTO instance (integration, name) \
               SELECT integration, instance FROM job WHERE number = ?1";
    connection.execute(add, [job])?;
    let sql = "SELECT instance.number FROM job \
               JOIN instance ON instance.integration = job.integration AND instance.name = job.instance \
               WHERE job.number = ?1";
    connection.query_row(sql, [job], |row| row.get(0))
}

fn record(connection: &Connection, job: i64, instance: i64, publication: &Publication) -> rusqlite::Result<()> {
    let sql = "INSERT INTO snapshot (number, instance, job, published, resumable, pruned) \
               SELECT number, ?2, id, ?3, ?4, 0 FROM job WHERE number = ?1";
    connection.execute(sql, params![job, instance, Timestamp::now().millis(), publication.resumable])?;
    let sql = "INSERT INTO gap (snapshot, number, step, types, parent_type, parent, code, cause) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let mut add = connection.prepare(sql)?;
    for (number, gap) in publication.gaps.iter().enumerate() {
        let SnapshotGap { step, types, parent, code, cause } = gap;
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        let types = serde_json::json!(types).to_string();
        add.execute(params![
            job,
            number,
            step.as_str(),
            types,
            parent.as_ref().map(|parent| parent.object_type.as_str()),
            parent.as_ref().map(|parent| parent.key.as_str()),
            code.as_str(),
            cause
        ])?;
    }
    Ok(())
}

/// Discards the data of the snapshot before that only a resume of its job needs. Its summary remains.
fn forget_working_data(connection: &Connection, keys: &mut Keys, before: i64) -> rusqlite::Result<()> {
    let sql = "UPDATE snapshot SET resumable = 0 WHERE number = ?1 AND resumable = 1";
    if connection.execute(sql, [before])? > 0 {
        working_data::discard(connection, before)?;
        keys.forget(before);
    }
    working_data::discard_records(connection, before)
}

/// Discards the objects of older jobs of the instance that never published and cannot be resumed any more.
fn forget_superseded(connection: &Connection, keys: &mut Keys, job: i64) -> rusqlite::Result<()> {
    let sql = "SELECT older.number FROM job JOIN job older ON older.integration = job.integration \
               AND older.instance = job.instance AND older.number < job.number WHERE job.number = ?1 \
               AND NOT EXISTS (SELECT 1 FROM snapshot WHERE snapshot.number = older.number) \
               AND EXISTS (SELECT 1 FROM object WHERE object.job = older.number)";
    for older in numbers(connection, sql, [job])? {
        working_data::discard(connection, older)?;
        working_data::discard_records(connection, older)?;
        connection.execute("DELETE FROM object WHERE job = ?1", [older])?;
        keys.forget(older);
    }
    Ok(())
}

fn job_of(connection: &Connection, snapshot: i64) -> rusqlite::Result<JobId> {
    let id: Option<String> =
        connection.query_row("SELECT job FROM snapshot WHERE number = ?1", [snapshot], |row| row.get(0)).optional()?;
    let id = id.ok_or_else(|| unreadable(StoreError::Corrupt(format!("snapshot {snapshot}"))))?;
    JobId::new(id).map_err(unreadable)
}

/// Returns a number for a run, which is greater than those of all jobs and snapshots.
pub(super) fn next_run(connection: &Connection) -> rusqlite::Result<i64> {
    let sql = "SELECT 1 + coalesce(max(number), 0) FROM (SELECT number FROM job UNION ALL SELECT number FROM snapshot)";
    connection.query_row(sql, [], |row| row.get(0))
}

/// Prepares a job for another run after its publication, and returns the number of the run.
///
/// The published objects stay as they are. The new run refers to each of them, so that it continues with the same graph.
///
/// # Errors
/// The inner error is the newer snapshot of the instance, whose data this job must not replace.
pub(super) fn reopen(connection: &Connection, job: i64) -> rusqlite::Result<Result<i64, JobId>> {
    let Some((_, newest)) = newest(connection, job)? else { return Ok(Ok(job)) };
    if newest > job {
        return job_of(connection, newest).map(Err);
    }
    if newest < job {
        return Ok(Ok(job));
    }
    let next = next_run(connection)?;
    connection.execute("UPDATE snapshot SET resumable = 0 WHERE number = ?1", [job])?;
    // The indexes contain the numbers of the published objects, so the new run builds its own.
    key_order::forget(connection, job)?;
    connection.execute("DELETE FROM key_run WHERE job = ?1", [job])?;
    // The rows of other tables that refer to the job follow.
    connection.execute("UPDATE job SET number = ?2 WHERE number = ?1", [job, next])?;
    connection.execute("UPDATE object SET job = ?2 WHERE job = ?1 AND same_as IS NOT NULL", [job, next])?;
    let refer = "INSERT INTO object (job, kind, type, key, class, step, part, parent, from_key, to_key, hash, same_as) \
                 SELECT ?2, kind, type, key, class, step, part, parent, from_key, to_key, hash, number FROM object \
                 WHERE job = ?1 AND same_as IS NULL";
    connection.execute(refer, [job, next])?;
    let unindexed = "INSERT OR REPLACE INTO recent_key (job, since) SELECT job, min(number) FROM object WHERE job = ?1 \
                     GROUP BY job";
    connection.execute(unindexed, [next])?;
    Ok(Ok(next))
}

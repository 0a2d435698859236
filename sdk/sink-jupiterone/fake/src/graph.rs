//! The result of a finished job: the objects of its scope.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::job::FakeJob;

/// Objects by key.
pub(crate) type Objects = BTreeMap<String, Value>;

/// Returns the scope's objects after a job, or the defects of its data.
pub(crate) fn replaced(before: &Objects, job: &mut FakeJob, checks_ends: bool) -> Result<Objects, Vec<String>> {
    let (mut after, mut defects) = (Objects::new(), Vec::new());
    for object in &job.objects {
        let key = text(object, "_key").to_owned();
        if after.insert(key.clone(), object.clone()).is_some() {
            defects.push(format!("duplicate key {key}"));
        }
    }
    let kept = before
        .iter()
        .filter(|(key, object)| !after.contains_key(*key) && job.partial_types.contains(text(object, "_type")));
    let kept: Objects = kept.map(|(key, object)| (key.clone(), object.clone())).collect();
    let known: BTreeSet<&str> = after.keys().chain(kept.keys()).map(String::as_str).collect();
    for object in &job.objects {
        let source = object.pointer("/_mapping/sourceEntityKey");
        for end in [object.get("_fromEntityKey"), object.get("_toEntityKey"), source].into_iter().flatten() {
            if checks_ends && !known.contains(end.as_str().unwrap_or_default()) {
                defects.push(format!("unknown end {end} of {}", object["_key"]));
            }
        }
    }
    if !defects.is_empty() {
        return Err(defects);
    }
    after.extend(kept);
    count(before, &after, job);
    Ok(after)
}

fn count(before: &Objects, after: &Objects, job: &mut FakeJob) {
    let mut add = |object: &Value, names: [&'static str; 2]| {
        let is_relationship = object.get("_fromEntityKey").is_some() || object.get("_mapping").is_some();
        *job.counts.entry(names[usize::from(is_relationship)]).or_default() += 1;
    };
    for (key, object) in after {
        match before.get(key) {
            None => add(object, ["numEntitiesCreated", "numRelationshipsCreated"]),
            Some(earlier) if earlier != object => add(object, ["numEntitiesUpdated", "numRelationshipsUpdated"]),
            Some(_) => {}
        }
    }
    for (_, object) in before.iter().filter(|(key, _)| !after.contains_key(*key)) {
        add(object, ["numEntitiesDeleted", "numRelationshipsDeleted"]);
    }
}

fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object[name].as_str().unwrap_or_default()
}

//! The state of the service: jobs and graphs.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

use crate::FakeOptions;
use crate::check;
use crate::graph::{self, Objects};
use crate::job::{FakeJob, Status, Upload};
use crate::json;

/// A refusal: status, code, and message.
pub(crate) type Refusal = (u16, &'static str, String);

/// An upload as it was received.
pub(crate) struct Received<'a> {
    pub(crate) kind: &'static str,
    pub(crate) correlation: &'a str,
    pub(crate) body: &'a [u8],
    pub(crate) compressed: bool,
}

pub(crate) struct Service {
    jobs: Vec<FakeJob>,
    graphs: BTreeMap<String, Objects>,
    polls_per_state: u32,
    checks_ends: bool,
}

impl Service {
    pub(crate) fn new(options: &FakeOptions) -> Self {
        let FakeOptions { polls_per_state, checks_ends, .. } = *options;
        Self { jobs: Vec::new(), graphs: BTreeMap::new(), polls_per_state, checks_ends }
    }

    pub(crate) fn graph(&self, scope: &str) -> Objects {
        self.graphs.get(scope).cloned().unwrap_or_default()
    }

    pub(crate) fn jobs(&self) -> &[FakeJob] {
        &self.jobs
    }

    pub(crate) fn end(&mut self, id: &str, status: Status) {
        if let Ok(job) = self.job(id) {
            job.status = status;
        }
    }

    pub(crate) fn create(&mut self, body: &Value) -> Result<Value, Refusal> {
        let text = |name: &str| body[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let source = text("source").unwrap_or_default();
        let (wanted, unwanted) = match source.as_str() {
            "integration-managed" | "integration-external" => ("integrationInstanceId", "scope"),
            "api" => ("scope", "integrationInstanceId"),
            _ => return Err(bad(format!("the source {source:?} is unknown"))),
        };
        let scope = text(wanted).ok_or_else(|| bad(format!("the source {source} needs `{wanted}`")))?;
        if !body[unwanted].is_null() {
            return Err(bad(format!("the source {source} takes no `{unwanted}`")));
        }
        let id =
            text("integrationJobId").unwrap_or_else(|| format!("00000000-0000-4000-8000-{:012}", self.jobs.len() + 1));
        let job = FakeJob::new(id, source, scope);
        let json = job.json();
        self.jobs.push(job);
        Ok(json)
    }

    pub(crate) fn upload(&mut self, id: &str, received: &Received<'_>) -> Result<Value, Refusal> {
        let job = self.awaiting(id)?;
        let mut digest = DefaultHasher::new();
        (received.kind, received.body).hash(&mut digest);
        let digest = digest.finish();
        match job.digests.get(received.correlation) {
            // The response to an earlier attempt was lost.
            Some(earlier) if *earlier == digest => return Ok(job.json()),
            Some(_) => return Err(bad("another upload has the same correlation id".to_owned())),
            None => {}
        }
        let text = std::str::from_utf8(received.body).map_err(|error| bad(format!("no UTF-8: {error}")))?;
        let body = json::parse(text).map_err(|error| bad(format!("no JSON: {error}")))?;
        let objects = match &body {
            Value::Object(members) if members.len() == 1 => members.get(received.kind).and_then(Value::as_array),
            _ => None,
        };
        let objects = objects.ok_or((400, "ENTITY_IS_NOT_ARRAY", format!("`{}` should be an array", received.kind)))?;
        if objects.is_empty() {
            return Err(bad("the batch is empty".to_owned()));
        }
        let check = if received.kind == "entities" { check::entity } else { check::relationship };
        for object in objects {
            check(object).map_err(|defect| bad(format!("{}: {defect}", object["_key"])))?;
        }
        let (bytes, compressed) = (received.body.len(), received.compressed);
        let upload = Upload { kind: received.kind, bytes, objects: objects.len(), compressed };
        job.uploads.insert(received.correlation.to_owned(), upload);
        job.digests.insert(received.correlation.to_owned(), digest);
        job.objects.extend(objects.iter().cloned());
        let name = if received.kind == "entities" { "numEntitiesUploaded" } else { "numRelationshipsUploaded" };
        *job.counts.entry(name).or_default() += objects.len() as u64;
        Ok(job.json())
    }

    pub(crate) fn finalize(&mut self, id: &str, body: &Value) -> Result<Value, Refusal> {
        let types = body.pointer("/partialDatasets/types").and_then(Value::as_array);
        let types: Option<_> =
            types.and_then(|types| types.iter().map(|name| name.as_str().map(str::to_owned)).collect());
        let types = types.ok_or_else(|| bad("`partialDatasets.types` is not a list of texts".to_owned()))?;
        let job = self.awaiting(id)?;
        job.partial_types = types;
        job.status = Status::FinalizePending;
        Ok(job.json())
    }

    /// Returns a job. Each request brings a finalization closer to its end.
    pub(crate) fn status(&mut self, id: &str) -> Result<Value, Refusal> {
        let polls_per_state = self.polls_per_state;
        let job = self.job(id)?;
        let json = job.json();
        job.polls += 1;
        if job.polls >= polls_per_state {
            job.polls = 0;
            self.advance(id);
        }
        Ok(json)
    }

    fn advance(&mut self, id: &str) {
        let Some(at) = self.jobs.iter().position(|job| job.id == id) else { return };
        let job = &mut self.jobs[at];
        job.status = match job.status {
            Status::FinalizePending => Status::FinalizingEntities,
            Status::FinalizingEntities => Status::FinalizingRelationships,
            Status::FinalizingRelationships => {
                let graph = self.graphs.entry(job.scope.clone()).or_default();
                match graph::replaced(graph, job, self.checks_ends) {
                    Ok(after) => {
                        *graph = after;
                        Status::Finished
                    }
                    Err(defects) => {
                        job.defects = defects;
                        Status::ErrorBadData
                    }
                }
            }
            ended => ended,
        };
    }

    pub(crate) fn abort(&mut self, id: &str, body: &Value) -> Result<Value, Refusal> {
        let reason = body["reason"].as_str().ok_or_else(|| bad("`reason` is not a text".to_owned()))?;
        let job = self.awaiting(id)?;
        job.abort_reason = Some(reason.to_owned());
        job.status = Status::Aborted;
        Ok(job.json())
    }

    pub(crate) fn add_events(&mut self, id: &str, body: &Value) -> Result<Value, Refusal> {
        let events = body["events"].as_array().filter(|events| !events.is_empty());
        let events = events.ok_or_else(|| bad("`events` is not a list".to_owned()))?;
        let is_event = |event: &Value| event["name"].is_string() && event["description"].is_string();
        if !events.iter().all(is_event) {
            return Err(bad("an event has a `name` and a `description`".to_owned()));
        }
        let job = self.job(id)?;
        job.events.extend(events.iter().cloned());
        Ok(serde_json::json!({}))
    }

    fn awaiting(&mut self, id: &str) -> Result<&mut FakeJob, Refusal> {
        let job = self.job(id)?;
        match job.status {
            Status::AwaitingUploads => Ok(job),
            status => Err((400, "JOB_NOT_AWAITING_UPLOADS", format!("the job is in the state {}", status.name()))),
        }
    }

    fn job(&mut self, id: &str) -> Result<&mut FakeJob, Refusal> {
        let job = self.jobs.iter_mut().find(|job| job.id == id);
        job.ok_or_else(|| (404, "NOT_FOUND", "there is no such job".to_owned()))
    }
}

pub(crate) fn bad(message: String) -> Refusal {
    (400, "BAD_REQUEST", message)
}

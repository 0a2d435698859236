//! The events that a transfer adds to the log of its job.

use integration_sink::Manifest;

use crate::{EventLevel, JobEvent, Uploaded};

/// The maximum number of gaps that an event describes.
const SHOWN_GAPS: usize = 10;

pub(crate) fn started(manifest: &Manifest) -> JobEvent {
    let snapshots: Vec<&str> = manifest.snapshots.iter().map(|snapshot| snapshot.id.job.as_str()).collect();
    let description = format!("The upload of {} objects of job {} begins.", manifest.objects(), snapshots.join(", "));
    JobEvent { name: "sync_upload_start".to_owned(), description, level: EventLevel::Info }
}

pub(crate) fn ended(uploaded: &Uploaded) -> JobEvent {
    let Uploaded { entities, relationships, .. } = uploaded;
    let description = format!("{entities} entities and {relationships} relationships were uploaded.");
    JobEvent { name: "sync_upload_end".to_owned(), description, level: EventLevel::Info }
}

/// The event about incomplete data, if there is any.
pub(crate) fn incomplete(manifest: &Manifest) -> Option<JobEvent> {
    let gaps: Vec<_> = manifest.snapshots.iter().flat_map(|snapshot| &snapshot.gaps).collect();
    if gaps.is_empty() {
        return None;
    }
    let mut lines: Vec<String> = gaps
        .iter()
        .take(SHOWN_GAPS)
        .map(|gap| {
            let types: Vec<&str> = gap.types.iter().map(|object_type| object_type.as_str()).collect();
            let under = gap.parent.as_ref().map(|parent| format!(" under {}", parent.key)).unwrap_or_default();
            format!("{}{under}: {} ({})", types.join(", "), gap.cause, gap.step)
        })
        .collect();
    if gaps.len() > SHOWN_GAPS {
        lines.push(format!("and {} further gaps", gaps.len() - SHOWN_GAPS));
    }
    let description =
        format!("Data is incomplete, so JupiterOne deletes no object of these types. {}", lines.join("; "));
    Some(JobEvent { name: "sync_partial_data".to_owned(), description, level: EventLevel::Warn })
}

//! The events that a session adds to the log of its job.

use crate::{Announcement, EventLevel, JobEvent, Uploaded};

/// The maximum number of gaps that an event describes.
const SHOWN_GAPS: usize = 10;

pub(crate) fn started(announcement: &Announcement) -> JobEvent {
    let Announcement { objects, origin, .. } = announcement;
    let description = format!("The upload of {objects} objects of {origin} begins.");
    JobEvent { name: "sync_upload_start".to_owned(), description, level: EventLevel::Info }
}

pub(crate) fn ended(uploaded: &Uploaded) -> JobEvent {
    let Uploaded { entities, relationships, .. } = uploaded;
    let description = format!("{entities} entities and {relationships} relationships were uploaded.");
    JobEvent { name: "sync_upload_end".to_owned(), description, level: EventLevel::Info }
}

/// The event about incomplete data, if there is any.
pub(crate) fn incomplete(announcement: &Announcement) -> Option<JobEvent> {
    if announcement.partial_types.is_empty() {
        return None;
    }
    let types: Vec<&str> = announcement.partial_types.iter().map(String::as_str).collect();
    let mut lines = announcement.gaps.iter().take(SHOWN_GAPS).cloned().collect::<Vec<_>>();
    if announcement.gaps.len() > SHOWN_GAPS {
        lines.push(format!("and {} further gaps", announcement.gaps.len() - SHOWN_GAPS));
    }
    let description = format!(
        "Data is incomplete, so JupiterOne deletes no object of these types: {}. {}",
        types.join(", "),
        lines.join("; ")
    );
    Some(JobEvent { name: "sync_partial_data".to_owned(), description, level: EventLevel::Warn })
}

//! Descriptions of instances for people.

use integration_instances::{Instance, Polling};
use integration_sdk::Timestamp;
use integration_sdk::graph::InstanceId;
use integration_sdk::store::{JobRow, Store};
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::job_lookup;

/// The names of the days, from Sunday.
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// Describes the regular times of an instance.
pub(super) fn polling(polling: &Polling) -> String {
    match polling {
        Polling::Interval { interval, time } => {
            let day = time.day_of_week.and_then(|day| DAYS.get(usize::from(day)));
            let day = day.map(|day| format!(" on {day}")).unwrap_or_default();
            let hour = time.hour.map(|hour| format!(" at {hour}:00 UTC")).unwrap_or_default();
            format!("{interval}{day}{hour}")
        }
        Polling::Cron { expression, time_zone } => format!("{expression} {time_zone}"),
        _ => String::new(),
    }
}

/// An instance with its newest job, for `list` and `show`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shown<'a> {
    #[serde(flatten)]
    pub(super) instance: &'a Instance,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_job: Option<LastJob>,
}

/// The newest job of an instance.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LastJob {
    pub(super) id: String,
    pub(super) state: &'static str,
    pub(super) start_time: Timestamp,
    pub(super) end_time: Option<Timestamp>,
}

/// The jobs of the data directory, newest first.
pub(super) struct Jobs(Vec<JobRow>);

impl Jobs {
    /// Reads the jobs. A missing store has none.
    pub(super) async fn read(context: &Context<'_>) -> Result<Self, Failure> {
        let store: Option<Store> = job_lookup::store(&context.globals.data_dir)?;
        Ok(Self(match store {
            Some(store) => store.jobs().await?,
            None => Vec::new(),
        }))
    }

    pub(super) fn last(&self, integration: &str, instance: &InstanceId) -> Option<LastJob> {
        let job = self.0.iter().find(|job| job.is_of(integration, instance))?;
        Some(LastJob {
            id: job.id.to_string(),
            state: job.state.as_str(),
            start_time: job.started,
            end_time: job.ended,
        })
    }
}

#[cfg(test)]
mod tests {
    use integration_scheduler::{PollingInterval, PollingTime};

    use super::*;

    #[test]
    fn times_are_described() {
        let weekly = PollingTime { hour: Some(4), day_of_week: Some(1) };
        let weekly = Polling::every(PollingInterval::OneWeek, weekly).expect("a polling");
        assert_eq!(polling(&weekly), "ONE_WEEK on Monday at 4:00 UTC");
        assert_eq!(polling(&Polling::default()), "ONE_DAY");
        let cron = Polling::cron("0 6 * * *", Some("Europe/Berlin")).expect("a polling");
        assert_eq!(polling(&cron), "0 6 * * * Europe/Berlin");
    }
}

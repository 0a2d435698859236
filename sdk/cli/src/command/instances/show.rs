//! `instances show`: one instance.

use integration_instances::ConfigValue;
use integration_sdk::graph::InstanceId;

use super::configured;
use super::text::{Jobs, Shown, polling};
use crate::context::Context;
use crate::failure::Failure;
use crate::options::Format;
use crate::report::text::{list, moment};
use crate::style::{BOLD, paint, printable};

pub(super) async fn run(context: &Context<'_>, name: &InstanceId, format: Format) -> Result<(), Failure> {
    let instance = &configured(context, name)?;
    let last_job = Jobs::read(context).await?.last(&instance.integration, name);
    let shown = Shown { instance, last_job };
    match format {
        Format::Json => context.print_json(&shown),
        Format::Text => context.print(&described(context, &shown)),
    }
}

fn described(context: &Context<'_>, shown: &Shown<'_>) -> String {
    let Shown { instance, last_job } = shown;
    let mut lines = vec![
        ("name", instance.name.to_string()),
        ("integration", printable(&instance.integration)),
        ("polling", polling(&instance.polling)),
    ];
    lines.extend(instance.description.as_deref().map(|text| ("description", printable(text))));
    lines.extend(instance.config.iter().map(|(field, value)| {
        let is_masked = context.integration.fields().iter().any(|known| known.name == field && known.masked);
        let text = match value {
            ConfigValue::Secret(reference) => printable(&reference.to_string()),
            // A person may have written a secret into the file.
            ConfigValue::Plain(_) if is_masked => "in plain text, not shown".to_owned(),
            plain => printable(&plain.plain_text().unwrap_or_default()),
        };
        (field.as_str(), text)
    }));
    let sources =
        |on: bool| instance.ingestion_sources.iter().filter(move |(_, is_on)| **is_on == on).map(|(id, _)| id);
    for (label, on) in [("sources on", true), ("sources off", false)] {
        let ids = list(sources(on));
        if !ids.is_empty() {
            lines.push((label, printable(&ids)));
        }
    }
    if instance.only_changed {
        lines.push(("requests", "only under objects that have changed".to_owned()));
    }
    let kept = &instance.retention;
    let newest = kept.newest.map(|jobs| format!("the newest {jobs}"));
    let age = kept.younger_than.as_ref().map(|age| format!("those of the last {age}"));
    lines.push(("kept jobs", if kept.is_unlimited() { "all".to_owned() } else { list(newest.into_iter().chain(age)) }));
    lines.extend(instance.account_name.as_deref().map(|name| ("tag.AccountName", printable(name))));
    lines.push((
        "last job",
        match last_job {
            Some(job) => format!("{} {}, {}", job.id, job.state, moment(job.start_time)),
            None => "never".to_owned(),
        },
    ));
    lines.into_iter().map(|(label, text)| format!("{}: {text}\n", paint(BOLD, printable(label)))).collect()
}

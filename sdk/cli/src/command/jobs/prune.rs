//! `jobs prune`: deletes old jobs, and drops objects that have long been stale.

use std::time::Duration;

use clap::{ArgGroup, Args};
use integration_sdk::Timestamp;
use integration_sdk::store::{Retention, StaleGroup, Store};

use super::NAME;
use crate::brief::cut;
use crate::context::Context;
use crate::failure::Failure;
use crate::job_lookup::{self, short};
use crate::options;
use crate::report::text::{counted, moment};
use crate::style::{printable, printable_path};

#[derive(Debug, Args)]
#[command(group(
    ArgGroup::new("retention").required(true).multiple(true).args(["keep", "older_than", "stale_older_than"])
))]
#[command(after_help = "Examples:
  {name} jobs prune --keep 10
  {name} jobs prune --older-than 90d --dry-run
  {name} jobs prune --keep 10 --older-than 90d     delete only jobs that neither option keeps
  {name} jobs prune --stale-older-than 30d         drop the objects that no job could confirm for 30 days

The newest graph of an instance is never deleted, nor are the versions of objects that remaining jobs need. Deleted data are
overwritten, and their space is returned to the file system. Running jobs are kept and do not count.

A stale object stays in the graph because a gap hides whether it still exists. --stale-older-than removes such objects from \
the newest graph, with the relationships of removed entities; older jobs still contain them.")]
pub(super) struct Prune {
    /// Number of jobs to keep for each instance; sample and replay jobs count separately
    #[arg(long, value_name = "N")]
    keep: Option<usize>,
    /// Keep the jobs that ended within this time, such as 90d or 12h
    #[arg(long, value_name = "AGE", value_parser = options::age)]
    older_than: Option<Duration>,
    /// Drop the objects that have been stale for longer than this time, such as 30d
    #[arg(long, value_name = "AGE", value_parser = options::age)]
    stale_older_than: Option<Duration>,
    /// List the jobs and objects without deleting them
    #[arg(long)]
    dry_run: bool,
}

impl Prune {
    /// The jobs to keep; all of them if only stale objects are dropped.
    fn retention(&self) -> Retention {
        match (self.keep, self.older_than) {
            (None, None) => Retention::newest(usize::MAX),
            (keep, age) => {
                Retention { keep: keep.unwrap_or(0), older_than: age.map(|age| Timestamp::now().before(age)) }
            }
        }
    }

    fn prunes_jobs(&self) -> bool {
        self.keep.is_some() || self.older_than.is_some()
    }
}

pub(super) async fn run(context: &Context<'_>, args: &Prune) -> Result<(), Failure> {
    let folder = printable_path(&context.globals.data_dir);
    let Some(store) = job_lookup::writable_store(&context.globals.data_dir)? else {
        return context.print(&format!("Deleted 0 jobs, kept 0 in {folder}.\n"));
    };
    if args.dry_run {
        return list(context, args, &store).await;
    }
    if let Some(age) = args.stale_older_than {
        let groups = store.drop_stale(Timestamp::now().before(age)).await?;
        let dropped = objects(&groups);
        describe(context, &groups)?;
        context.print(&format!("Dropped {} in {folder}.\n", counted(dropped, "stale object", "stale objects")))?;
    }
    let pruned = store.prune(args.retention()).await?;
    if !pruned.reclaimed {
        context.console.note(
            "Another process uses the data directory, so the space is not free yet. Run `jobs prune` again when that process ends.",
        );
    }
    if args.prunes_jobs() {
        let gone = counted(pruned.jobs as u64, "job", "jobs");
        context.print(&format!("Deleted {gone}, kept {} in {folder}.\n", store.jobs().await?.len()))?;
    }
    Ok(())
}

async fn list(context: &Context<'_>, args: &Prune, store: &Store) -> Result<(), Failure> {
    let folder = printable_path(&context.globals.data_dir);
    if let Some(age) = args.stale_older_than {
        let groups = store.droppable(Timestamp::now().before(age)).await?;
        describe(context, &groups)?;
        let dropped = counted(objects(&groups), "stale object", "stale objects");
        context.print(&format!("Would drop {dropped} in {folder}.\n"))?;
    }
    if args.prunes_jobs() {
        let old = store.prunable(args.retention()).await?;
        for job in &old {
            let (id, state) = (short(job.id.as_str()), job.state.as_str());
            let instance = cut(job.instance.as_str(), NAME);
            context.print(&format!("{id}  {}  {instance}  {state}\n", moment(job.started)))?;
        }
        let gone = counted(old.len() as u64, "job", "jobs");
        context.print(&format!("Would delete {gone} in {folder}.\n"))?;
    }
    Ok(())
}

/// The number of objects of the instances without an unfinished job.
fn objects(groups: &[StaleGroup]) -> u64 {
    groups.iter().filter(|group| !group.is_busy).map(|group| group.count).sum()
}

/// Prints the groups of stale objects with their reasons, and notes the instances that stay unchanged.
fn describe(context: &Context<'_>, groups: &[StaleGroup]) -> Result<(), Failure> {
    for group in groups.iter().filter(|group| !group.is_busy) {
        let StaleGroup { instance, object_type, count, since, gap, .. } = group;
        let reason = match gap {
            Some(gap) => {
                let parent = gap.parent.as_ref();
                let parent = parent.map(|parent| format!(" under {} {}", parent.object_type, parent.key));
                let (step, parent) = (&gap.step, parent.unwrap_or_default());
                format!("stale since {}: {step}{parent}: {}: {}", moment(*since), gap.code, gap.cause)
            }
            None => "with an entity at one of its ends".to_owned(),
        };
        let instance = cut(instance.as_str(), NAME);
        context.print(&format!("{instance}  {count} {object_type}  {}\n", printable(&reason)))?;
    }
    let mut busy: Vec<&str> =
        groups.iter().filter(|group| group.is_busy).map(|group| group.instance.as_str()).collect();
    busy.dedup();
    for instance in busy {
        context.console.note(&format!(
            "A job of the instance {} has not ended, so its stale objects are kept. Wait for the job or resume it, then try again.",
            printable(instance)
        ));
    }
    Ok(())
}

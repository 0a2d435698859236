//! `instances list`: all instances of the data directory.

use comfy_table::Cell;

use super::text::{Jobs, Shown, polling};
use crate::brief::cut;
use crate::console;
use crate::context::Context;
use crate::failure::Failure;
use crate::options::Format;
use crate::report::table;
use crate::report::text::moment;
use crate::style::printable_path;

/// The maximum width of a text, in columns.
const TEXT: usize = 40;

pub(super) async fn run(context: &Context<'_>, format: Format) -> Result<(), Failure> {
    let data_dir = &context.globals.data_dir;
    let instances = integration_instances::read(data_dir, context.integration.id())?;
    let jobs = Jobs::read(context).await?;
    let shown: Vec<Shown<'_>> = instances
        .iter()
        .map(|instance| Shown { instance, last_job: jobs.last(&instance.integration, &instance.name) })
        .collect();
    match format {
        Format::Json => context.print_json(&shown),
        Format::Text if shown.is_empty() => context.print(&format!(
            "There are no instances in {}. Run `{} instances add NAME` to add one.\n",
            printable_path(data_dir),
            context.called()
        )),
        Format::Text => {
            let mut table = table::plain();
            table.set_header(["Instance", "Integration", "Polling", "Last job", "Started", "Description"]);
            for Shown { instance, last_job } in &shown {
                let (state, started) =
                    last_job.as_ref().map_or(("never", String::new()), |job| (job.state, moment(job.start_time)));
                table.add_row([
                    Cell::new(&instance.name),
                    Cell::new(cut(&instance.integration, TEXT)),
                    Cell::new(polling(&instance.polling)),
                    Cell::new(state),
                    Cell::new(started),
                    Cell::new(cut(instance.description.as_deref().unwrap_or_default(), TEXT)),
                ]);
            }
            context.print(&table::fitted(&mut table, console::width()))
        }
    }
}

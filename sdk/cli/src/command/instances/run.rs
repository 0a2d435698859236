//! `instances run`: collects the data of an instance.

use integration_sdk::graph::InstanceId;
use integration_sdk::store::Store;

use super::configured;
use crate::context::Context;
use crate::failure::Failure;
use crate::instances::InstanceRunner;
use crate::options::Format;
use crate::progress::watched;
use crate::report::{self, Kept};
use crate::{console, exit};

pub(super) async fn run(context: &Context<'_>, name: &InstanceId, format: Format) -> Result<u8, Failure> {
    let instance = configured(context, name)?;
    let data_dir = &context.globals.data_dir;
    let store = Store::open(data_dir)?;
    let runner =
        InstanceRunner::new(context.integration, &store, data_dir, context.network(), context.globals.allow_http);
    let prepared = runner.begin(&instance, None).await?;
    let events = prepared.events();
    let summary = watched(context, events, |cancel| prepared.run(cancel)).await.result?;
    match format {
        Format::Json => context.print_json(&summary)?,
        Format::Text => {
            let integration = context.globals.integration.as_deref();
            let kept = Kept { program: context.program, integration, data_dir, output: None, exported: None };
            context.print(&report::summary(&summary, &kept, console::width()))?;
        }
    }
    Ok(exit::of_job(&summary))
}

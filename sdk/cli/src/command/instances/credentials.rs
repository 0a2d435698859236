//! The test of credentials with the provider, and `instances test`.

use std::collections::BTreeSet;

use integration_instances::Instance;
use integration_sdk::graph::InstanceId;
use serde::Serialize;

use super::configured;
use super::entered::Entered;
use crate::context::Context;
use crate::failure::Failure;
use crate::instances;
use crate::options::Format;
use crate::report::text::list;
use crate::style::printable;

/// The result of a test.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Tested<'a> {
    instance: &'a str,
    /// The owner of the credentials, as the provider reports it.
    account: Option<String>,
    /// The scopes of the credentials, if the provider reports them.
    scopes: Option<BTreeSet<String>>,
}

pub(super) async fn run(context: &Context<'_>, name: &InstanceId, format: Format) -> Result<(), Failure> {
    let instance = configured(context, name)?;
    let tested = verified(context, &instance, &Entered::new()).await?;
    match format {
        Format::Json => context.print_json(&tested),
        Format::Text => context.print(&(tested.sentence() + "\n")),
    }
}

/// Tests the credentials of an instance that is not saved yet, and reports the result on stderr.
pub(super) async fn test(context: &Context<'_>, instance: &Instance, entered: &Entered) -> Result<(), Failure> {
    let tested = verified(context, instance, entered).await?;
    context.console.note(&tested.sentence());
    Ok(())
}

async fn verified<'a>(context: &Context<'_>, instance: &'a Instance, entered: &Entered) -> Result<Tested<'a>, Failure> {
    let fitting = instances::fitting(context.integration, instance.clone())?;
    let secrets = instances::resolver(&context.globals.data_dir);
    let mut values = instances::values(context.integration, &fitting, &secrets, entered).await?;
    if context.globals.allow_http {
        values.allow_plain_http();
    }
    let access = context.integration.verify(&values, &context.network()).await?;
    let (account, scopes) = access.map(|access| (access.subject, access.scopes)).unwrap_or_default();
    Ok(Tested { instance: instance.name.as_str(), account, scopes })
}

impl Tested<'_> {
    fn sentence(&self) -> String {
        let owner = self.account.as_deref().map(|account| format!("; they belong to {}", printable(account)));
        let scopes = self.scopes.as_ref().map(|scopes| format!(" (scopes: {})", printable(&list(scopes))));
        format!("The credentials of {} work{}{}.", self.instance, owner.unwrap_or_default(), scopes.unwrap_or_default())
    }
}

//! The step `fetch-attachments`.

use std::collections::{BTreeMap, BTreeSet};

use integration_sdk::prelude::*;

use crate::client::Heroku;
use crate::resource::AddonAttachment;
use crate::types::{Addon, Application, ApplicationUsesAddon, without_query};

/// Links applications to the add-ons of other applications that they use, with one list.
///
/// An application can attach an add-on under several names. The list is not in the order of applications, so all
/// attachments of add-ons of other applications are in memory until it ends.
#[step(id = "fetch-attachments", name = "Fetch shared add-ons", scopes("read"))]
pub async fn fetch_attachments(
    api: Client<Heroku>,
    apps: Known<Application>,
    addons: Known<Addon>,
    uses: Emit<ApplicationUsesAddon>,
) -> StepResult {
    let mut shared: BTreeMap<(String, String), Attached> = BTreeMap::new();
    let mut listing = api.addon_attachments();
    while let Some(attachment) = listing.try_next().await? {
        let AddonAttachment { app, addon, .. } = &attachment.value;
        let (Some(app), Some(addon)) = (app, addon) else {
            uses.skip_named("an attachment without an application and an add-on", &attachment.name);
            continue;
        };
        // The attachment of an add-on to its own application is the relationship of the two.
        if addon.app.as_ref().is_none_or(|owner| owner.id != app.id) {
            shared.entry((app.id.clone(), addon.id.clone())).or_default().add(attachment.value);
        }
    }
    let has_all_ends = apps.is_complete().await? && addons.is_complete().await?;
    let apps = apps.known(shared.keys().map(|(app, _)| app.as_str())).await?;
    let addons = addons.known(shared.keys().map(|(_, addon)| addon.as_str())).await?;
    for ((app, addon), attached) in shared {
        if apps.contains(&app) && addons.contains(&addon) {
            uses.add_with(&EntityRef::new(app), &EntityRef::new(addon), attached.into()).await?;
            continue;
        }
        let names = attached.names.into_iter().collect::<Vec<_>>().join(", ");
        if has_all_ends {
            uses.skip_named("an attachment to an application or add-on that was not collected", names);
        } else {
            uses.miss("these applications or add-ons may be among those that were not collected", names);
        }
    }
    Ok(())
}

/// The attachments of one add-on to one application.
#[derive(Default)]
struct Attached {
    names: BTreeSet<String>,
    namespaces: BTreeSet<String>,
    web_links: BTreeSet<String>,
    log_input_urls: BTreeSet<String>,
}

impl Attached {
    fn add(&mut self, attachment: AddonAttachment) {
        let clean = |url: Option<String>| url.as_deref().and_then(without_query).map(String::from);
        self.names.insert(attachment.name);
        self.namespaces.extend(attachment.namespace);
        self.web_links.extend(clean(attachment.web_url));
        self.log_input_urls.extend(clean(attachment.log_input_url));
    }
}

impl From<Attached> for ApplicationUsesAddon {
    fn from(attached: Attached) -> Self {
        Self {
            attachment_names: attached.names.into_iter().collect(),
            namespaces: attached.namespaces.into_iter().collect(),
            web_links: attached.web_links.into_iter().collect(),
            log_input_urls: attached.log_input_urls.into_iter().collect(),
        }
    }
}

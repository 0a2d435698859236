//! The step `fetch-addon-services`.

use std::collections::HashMap;

use integration_sdk::prelude::*;

use crate::client::Heroku;
use crate::types::{Addon, AddonService, AddonServiceHasAddon};

const NOT_LISTED: &str = "an add-on of a service that is not in Heroku's catalogue";

/// A view of an add-on with its service.
#[derive(EntityView)]
#[entity(of = Addon)]
pub struct Provided {
    #[entity(key)]
    id: String,
    name: String,
    service: Option<String>,
}

/// Emits the services of the collected add-ons, with one list, and links them.
///
/// The list is Heroku's catalogue of a few hundred services, so only those in use become entities. Without an add-on, no
/// list is read.
#[step(id = "fetch-addon-services", name = "Fetch services of add-ons", scopes("read"))]
pub async fn fetch_addon_services(
    api: Client<Heroku>,
    addons: Follow<Provided>,
    services: Emit<AddonService>,
    has: Emit<AddonServiceHasAddon>,
) -> StepResult {
    let mut catalogue: Option<Catalogue> = None;
    let mut pages = addons.pages();
    while let Some(page) = pages.try_next().await? {
        let catalogue = match &mut catalogue {
            Some(catalogue) => catalogue,
            None => catalogue.insert(Catalogue::of(&api).await?),
        };
        for addon in page {
            let service = match &addon.service {
                Some(name) => catalogue.service(name, &services).await?,
                None => None,
            };
            match service {
                Some(service) => has.add(&service, &addon).await?,
                None => has.skip_named(NOT_LISTED, &addon.name),
            }
        }
    }
    Ok(())
}

/// The services of the catalogue by name. A service is emitted together with its first add-on.
struct Catalogue(HashMap<String, Entry>);

enum Entry {
    Listed(Box<Draft<AddonService>>),
    Emitted(EntityRef<AddonService>),
}

impl Catalogue {
    async fn of(api: &Heroku) -> StepResult<Self> {
        let mut entries = HashMap::new();
        let mut listing = api.addon_services();
        while let Some(service) = listing.try_next().await? {
            let (service, raw) = service.into_parts();
            let name = service.name.clone();
            entries.insert(name, Entry::Listed(Box::new(AddonService::from(service).with_raw(raw))));
        }
        Ok(Self(entries))
    }

    /// Returns the service of a name, and emits it first if necessary; `None` if the catalogue lacks it.
    async fn service(
        &mut self,
        name: &str,
        services: &Emit<AddonService>,
    ) -> StepResult<Option<EntityRef<AddonService>>> {
        if let Some(Entry::Emitted(service)) = self.0.get(name) {
            return Ok(Some(service.clone()));
        }
        let Some(Entry::Listed(draft)) = self.0.remove(name) else { return Ok(None) };
        let service = EntityRef::new(services.add(*draft).await?.id);
        self.0.insert(name.to_owned(), Entry::Emitted(service.clone()));
        Ok(Some(service))
    }
}

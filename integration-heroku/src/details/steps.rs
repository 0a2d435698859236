//! The steps of the details. Each lists one or two kinds of objects of each application.

use integration_sdk::http::{Listing, RangePagination};
use integration_sdk::prelude::*;
use integration_sdk::serde::de::DeserializeOwned;

use super::bodies::{
    BuildpackInstallationBody, DomainBody, FormationBody, LogDrainBody, SniEndpointBody, TelemetryDrainBody,
    WebhookBody,
};
use super::prices::DynoPrices;
use super::types::*;
use super::{DetailedApplication, DetailedApplications};
use crate::client::Heroku;

/// Lists objects of an application in ranges.
fn list<T: DeserializeOwned>(api: &Heroku, template: &str, app: &DetailedApplication) -> Listing<T> {
    api.http().get(template, &[&app.id]).ranges(RangePagination { order_by: "id", max: 1_000 })
}

/// Emits the custom domains of applications, and the certificates that they present.
#[step(id = "fetch-domains", name = "Fetch custom domains", scopes("read"), source = "application-domains")]
pub async fn fetch_domains(
    api: Client<Heroku>,
    apps: DetailedApplications,
    domains: Emit<Domain>,
    endpoints: Emit<SniEndpoint>,
    has: Emit<ApplicationHasDomain>,
    has_endpoint: Emit<ApplicationHasSniEndpoint>,
    uses: Emit<DomainUsesSniEndpoint>,
) -> StepResult {
    let details_of = async |app: DetailedApplication| {
        let mut listing = list::<SniEndpointBody>(&api, "/apps/{id}/sni-endpoints", &app);
        while let Some(endpoint) = listing.try_next().await? {
            let endpoint = endpoints.add(SniEndpoint::new(endpoint.value, &app)).await?;
            has_endpoint.add(&app, &endpoint).await?;
        }
        let mut listing = list::<DomainBody>(&api, "/apps/{id}/domains", &app);
        while let Some(domain) = listing.try_next().await? {
            if domain.value.kind.as_deref() == Some("heroku") {
                domains.skip("the address that Heroku gives to each application");
                continue;
            }
            let domain = domains.add(Domain::new(domain.value, &app)).await?;
            has.add(&app, &domain).await?;
            if let Some(endpoint) = &domain.sni_endpoint_id {
                uses.add(&domain, &EntityRef::new(endpoint)).await?;
            }
        }
        Ok(())
    };
    apps.for_each(details_of).await
}

/// Emits the process types of applications, with the prices of their dynos.
#[step(id = "fetch-formation", name = "Fetch formation", scopes("read"), source = "application-formation")]
pub async fn fetch_formation(
    api: Client<Heroku>,
    apps: DetailedApplications,
    formation: Emit<Formation>,
    has: Emit<ApplicationHasFormation>,
) -> StepResult {
    let prices = DynoPrices::of(&api).await?;
    let details_of = async |app: DetailedApplication| {
        let mut listing = list::<FormationBody>(&api, "/apps/{id}/formation", &app);
        while let Some(process) = listing.try_next().await? {
            let process = formation.add(Formation::new(process.value, &app, &prices)).await?;
            has.add(&app, &process).await?;
        }
        Ok(())
    };
    apps.for_each(details_of).await
}

/// Emits the log drains and telemetry drains of applications.
#[step(id = "fetch-drains", name = "Fetch drains", scopes("read"), source = "application-drains")]
pub async fn fetch_drains(
    api: Client<Heroku>,
    apps: DetailedApplications,
    drains: Emit<LogDrain>,
    has: Emit<ApplicationHasLogDrain>,
    telemetry: Emit<TelemetryDrain>,
    has_telemetry: Emit<ApplicationHasTelemetryDrain>,
) -> StepResult {
    let details_of = async |app: DetailedApplication| {
        let mut listing = list::<LogDrainBody>(&api, "/apps/{id}/log-drains", &app);
        while let Some(drain) = listing.try_next().await? {
            let drain = drains.add(LogDrain::new(drain.value, &app)).await?;
            has.add(&app, &drain).await?;
        }
        let mut listing = list::<TelemetryDrainBody>(&api, "/apps/{id}/telemetry-drains", &app);
        while let Some(drain) = listing.try_next().await? {
            let drain = telemetry.add(TelemetryDrain::new(drain.value, &app)).await?;
            has_telemetry.add(&app, &drain).await?;
        }
        Ok(())
    };
    apps.for_each(details_of).await
}

/// Emits the webhooks of applications.
#[step(id = "fetch-webhooks", name = "Fetch webhooks", scopes("read"), source = "application-webhooks")]
pub async fn fetch_webhooks(
    api: Client<Heroku>,
    apps: DetailedApplications,
    webhooks: Emit<Webhook>,
    has: Emit<ApplicationHasWebhook>,
) -> StepResult {
    let details_of = async |app: DetailedApplication| {
        let mut listing = list::<WebhookBody>(&api, "/apps/{id}/webhooks", &app);
        while let Some(webhook) = listing.try_next().await? {
            let webhook = webhooks.add(Webhook::new(webhook.value, &app)).await?;
            has.add(&app, &webhook).await?;
        }
        Ok(())
    };
    apps.for_each(details_of).await
}

/// Emits the buildpacks of applications.
#[step(id = "fetch-buildpacks", name = "Fetch buildpacks", scopes("read"), source = "application-buildpacks")]
pub async fn fetch_buildpacks(
    api: Client<Heroku>,
    apps: DetailedApplications,
    buildpacks: Emit<Buildpack>,
    uses: Emit<ApplicationUsesBuildpack>,
) -> StepResult {
    let details_of = async |app: DetailedApplication| {
        let installations = api.http().get("/apps/{id}/buildpack-installations", &[&app.id]);
        let mut listing = installations.list::<BuildpackInstallationBody>();
        while let Some(installation) = listing.try_next().await? {
            let BuildpackInstallationBody { ordinal, buildpack } = installation.value;
            match Buildpack::new(buildpack) {
                Some(buildpack) => {
                    let buildpack = buildpacks.add(buildpack).await?;
                    uses.add_with(&app, &buildpack, ApplicationUsesBuildpack { ordinal }).await?;
                }
                None => buildpacks.skip_named("a buildpack without a usable address", &app.name),
            }
        }
        Ok(())
    };
    apps.for_each(details_of).await
}

//! The parts of the built-in organisation that bulk lists contain: an independent team, a personal app, pipelines, shared
//! add-ons, sign-in, and the settings of teams.

use jiff::Timestamp;

use super::{
    addon_services::AddonService,
    ids::{PersonId, TeamId},
    organisation::Organisation,
    pipelines::{Attachment, Coupling, Pipeline, PipelineOwner},
    resources::{Addon, App, Person, Role, Team, TeamMembership},
    sign_in::{IdentityProvider, ProviderCertificate, TeamSettings},
};

/// The columns: name, owner, apps with their stages.
type PipelineRow<'a> = (&'a str, PipelineOwner, &'a [(&'a str, &'a str)]);

/// The end of the validity of a certificate that somebody forgot: March 2025.
const FORGOTTEN: Timestamp = Timestamp::constant(1_743_379_200, 0);

/// The identity provider of the larger account: a new certificate, and an expired one that is still accepted.
pub(super) fn provider_of_the_account() -> IdentityProvider {
    let provider = IdentityProvider::new("Okta Zürich", "kestrel-harbour");
    let forgotten = ProviderCertificate::new("kestrel-harbour 2022", FORGOTTEN);
    IdentityProvider { certificates: [provider.certificates, vec![forgotten]].concat(), ..provider }
}

/// The identity provider of one team, which is switched off.
pub(super) fn provider_of_the_team() -> IdentityProvider {
    IdentityProvider { enabled: false, ..IdentityProvider::new("Research Login", "kestrel-research") }
}

/// The settings of the team in which every new member becomes an administrator.
pub(super) fn careless_settings() -> TeamSettings {
    TeamSettings { default_permission: Some("admin".into()), addons_controls: Some(false), features: Vec::new() }
}

/// The settings of the team that keeps an audit trail.
pub(super) fn careful_settings() -> TeamSettings {
    TeamSettings { features: vec!["team-audit-trail".into()], ..TeamSettings::default() }
}

impl Organisation {
    /// Adds the catalogue of services: one that is shut down, one before its release, and one without add-ons.
    pub(super) fn add_sample_services(&mut self) {
        self.add_addon_service(AddonService { state: "shutdown".into(), ..AddonService::new("memcachier") });
        self.add_addon_service(AddonService { state: "beta".into(), ..AddonService::new("bonsai") });
        self.add_known_services();
    }

    /// Adds a team outside the accounts with an app, and a personal app with a database.
    pub(super) fn add_sample_outside(&mut self, founder: PersonId) {
        let team = self.add_team(Team { role: Some(Role::Admin), ..Team::new("kestrel-open-source", None) });
        let membership = self.person(founder).map(|person| TeamMembership::new(team, person, Role::Admin));
        membership.into_iter().for_each(|membership| self.add_team_membership(membership));
        self.add_app(App { owner: Some(founder), ..App::new(team, "kestrel-docs") });
        let playground = App { owner: Some(founder), ..App::new(None, "tilda-playground") };
        self.add_addon(Addon::new(&playground, "postgresql-curly-90001", "heroku-postgresql:essential-0"));
        self.add_app(playground);
    }

    /// Adds pipelines and shared add-ons. `founder` and `leaver` own a pipeline each.
    pub(super) fn add_sample_pipelines(&mut self, teams: [TeamId; 4], founder: PersonId, leaver: &Person) {
        let stages: [PipelineRow<'_>; 4] = [
            (
                "kestrel-api",
                PipelineOwner::Team(teams[0]),
                &[("kestrel-api", "production"), ("kestrel-api-staging", "staging")],
            ),
            (
                "kestrel-shop",
                PipelineOwner::Team(teams[1]),
                &[("kestrel-shop", "production"), ("kestrel-shop-staging", "staging")],
            ),
            ("tilda-playground", PipelineOwner::Person(founder), &[("tilda-playground", "development")]),
            ("kestrel-migration", PipelineOwner::Person(leaver.id), &[]),
        ];
        for (name, owner, apps) in stages {
            let pipeline = Pipeline::new(name, owner);
            for (app, stage) in apps {
                let app = self.app_named(app);
                self.add_coupling(Coupling::new(&pipeline, app, *stage));
            }
            self.add_pipeline(pipeline);
        }
        self.share("kestrel-api", "heroku-postgresql", "kestrel-api-staging", "PRODUCTION_DATABASE");
        self.share("kestrel-api", "heroku-postgresql", "kestrel-worker", "DATABASE");
        self.share("kestrel-insights", "heroku-postgresql", "kestrel-reports", "INSIGHTS");
        let log = self.attachment("kestrel-api", "papertrail", "kestrel-gateway", "PAPERTRAIL");
        let log_input_url = Some("https://drain:logs-secret@logs.example.com/input?customer=kestrel".to_owned());
        self.add_attachment(Attachment { log_input_url, ..log });
        let reading = self.attachment("kestrel-insights", "heroku-postgresql", "kestrel-reports", "INSIGHTS_READONLY");
        self.add_attachment(Attachment { namespace: Some("credential:readonly".into()), ..reading });
    }

    fn app_named(&self, name: &str) -> super::ids::AppId {
        self.apps.find(name).expect("an app of the sample").id
    }

    fn attachment(&self, owner: &str, service: &str, user: &str, name: &str) -> Attachment {
        let addon = self.addons_of_app(self.app_named(owner)).find(|addon| addon.service() == service);
        Attachment::new(self.app_named(user), addon.expect("an add-on of the sample"), name)
    }

    fn share(&mut self, owner: &str, service: &str, user: &str, name: &str) {
        let attachment = self.attachment(owner, service, user, name);
        self.add_attachment(attachment);
    }
}

//! Tests of bulk lists and of one request per team or space: pipelines, shared add-ons, sign-in, networks, settings.

use std::collections::BTreeSet;

use integration_heroku::fake::{
    Account, AccountMembership, Addon, AddonService, App, Attachment, Coupling, FakeHeroku, FakeOptions, Fault,
    IdentityProvider, Organisation, Peering, Permission, Person, Pipeline, PipelineOwner, Reply, Space, Team,
    TeamSettings, VpnConnection,
};
use integration_heroku::integration;
use integration_testing_kit::{Collected, assert_complete, assert_entity, assert_missing, assert_relationship};
use serde_json::json;

use crate::{sample, values};

fn refused(path: &str) -> integration_heroku::fake::FaultRule {
    Fault::Status(Reply::json(403, &json!({"id": "forbidden", "message": "No."}))).on(path)
}

async fn served(organisation: Organisation) -> FakeHeroku {
    FakeHeroku::start(organisation, FakeOptions::default()).await.unwrap()
}

async fn collected(heroku: &FakeHeroku, step: &str) -> Collected {
    Collected::run(&integration(), values(heroku)).steps([step]).await
}

fn asked(heroku: &FakeHeroku, end: &str) -> usize {
    heroku.log().iter().filter(|request| request.path.ends_with(end)).count()
}

/// An account with one member, a team of it with two applications, and a team and an application outside of it.
struct Two {
    organisation: Organisation,
    account: Account,
    team: Team,
    ada: Person,
    production: App,
    staging: App,
}

fn two() -> Two {
    let mut organisation = Organisation::empty();
    let account = Account { identity_provider: Some(IdentityProvider::new("Okta", "wren")), ..Account::new("wren") };
    let team = Team::new("web", Some(account.id));
    let ada = Person::new("ada@wren.example", None);
    let [production, staging] = ["shop", "shop-staging"].map(|name| App::new(team.id, name));
    organisation.add_account(account.clone());
    organisation.add_team(team.clone());
    organisation.add_account_membership(AccountMembership::new(account.id, ada.id, vec![Permission::View]));
    organisation.add_person(ada.clone());
    for app in [&production, &staging] {
        organisation.add_app(app.clone());
    }
    Two { organisation, account, team, ada, production, staging }
}

#[tokio::test]
async fn pipelines_belong_to_teams_and_people_and_have_applications_in_stages() {
    let Two { mut organisation, team, ada, production, staging, .. } = two();
    let shop = Pipeline::new("shop", PipelineOwner::Team(team.id));
    let own = Pipeline::new("sandbox", PipelineOwner::Person(ada.id));
    organisation.add_coupling(Coupling::new(&shop, production.id, "production"));
    organisation.add_coupling(Coupling::new(&shop, staging.id, "staging"));
    let [key, own_key] = &[&shop, &own].map(|pipeline| organisation.add_pipeline(pipeline.clone()).to_string());
    let heroku = served(organisation).await;
    let collected = Collected::run(&integration(), values(&heroku)).await;
    assert_complete!(collected);
    assert_entity!(collected, key, { _class: ["Workflow"], name: "shop", ownerType: "team", generation: "cedar" });
    let (team, ada, production) = (&team.id.to_string(), &ada.id.to_string(), &production.id.to_string());
    assert_relationship!(collected, team -[OWNS]-> key, { _type: "heroku_team_owns_pipeline" });
    assert_relationship!(collected, ada -[OWNS]-> own_key, { _type: "heroku_account_member_owns_pipeline" });
    assert_relationship!(collected, key -[HAS]-> production, { stage: "production" });
    assert_relationship!(collected, key -[HAS]-> &staging.id.to_string(), { stage: "staging" });
    assert_eq!((asked(&heroku, "/pipelines"), asked(&heroku, "/pipeline-couplings")), (1, 1));
}

#[tokio::test]
async fn a_stage_and_an_owner_that_were_not_collected_are_counted_with_their_names() {
    let Two { mut organisation, .. } = two();
    let gone = App::new(None, "gone");
    let stranger = Person::new("stranger@elsewhere.example", None);
    let foreign = Team::new("foreign", None);
    let of_stranger = Pipeline::new("of-a-stranger", PipelineOwner::Person(stranger.id));
    let of_team = Pipeline::new("of-a-foreign-team", PipelineOwner::Team(foreign.id));
    let without_owner = Pipeline { owner: None, ..Pipeline::new("of-nobody", PipelineOwner::Team(foreign.id)) };
    organisation.add_coupling(Coupling::new(&of_team, gone.id, "review"));
    for pipeline in [of_stranger, of_team, without_owner] {
        organisation.add_pipeline(pipeline);
    }
    let heroku = served(organisation).await;
    let collected = Collected::run(&integration(), values(&heroku)).await;
    assert_complete!(collected);
    let skipped = serde_json::to_string(&collected.summary).unwrap();
    for name in ["of-a-stranger", "of-a-foreign-team", "of-nobody", &format!("application {}", gone.id)] {
        assert!(skipped.contains(name), "{name}: {skipped}");
    }
    assert_eq!(collected.of_type("heroku_pipeline").len(), 3);
    assert!(collected.of_type("heroku_pipeline_has_application").is_empty());
}

#[tokio::test]
async fn refused_applications_make_the_stages_and_shared_add_ons_a_gap() {
    let heroku = sample().await;
    let team = heroku.organisation().teams().next().unwrap().id.to_string();
    heroku.fault(refused(&format!("/teams/{team}/apps")));
    let stages = collected(&heroku, "fetch-pipeline-stages").await;
    assert_missing!(stages, heroku_pipeline_has_application under &team);
    let shared = collected(&heroku, "fetch-attachments").await;
    assert_missing!(shared, heroku_application_uses_addon under &team);
}

/// The types with missing objects, apart from those of sources that are off.
fn missing(collected: &Collected) -> BTreeSet<&str> {
    let on = collected.summary.integration_step_results.iter().filter(|step| !step.is_switched_off());
    on.flat_map(|step| step.partial_types.iter().map(|name| name.as_str())).collect()
}

#[tokio::test]
async fn bulk_lists_that_are_refused_are_gaps_of_their_types_alone() {
    let of_pipelines = [
        "heroku_account_member_owns_pipeline",
        "heroku_pipeline",
        "heroku_pipeline_has_application",
        "heroku_team_owns_pipeline",
        "heroku_user_owns_pipeline",
    ];
    for (path, types) in [
        ("/pipelines", of_pipelines.as_slice()),
        ("/pipeline-couplings", &["heroku_pipeline_has_application"]),
        ("/addon-attachments", &["heroku_application_uses_addon"]),
        ("/addon-services", &["heroku_addon_service", "heroku_addon_service_has_addon"]),
    ] {
        let heroku = sample().await;
        heroku.fault(refused(path));
        let collected = Collected::run(&integration(), values(&heroku)).await;
        assert_eq!(missing(&collected).into_iter().collect::<Vec<_>>(), types, "{path}");
    }
}

#[tokio::test]
async fn an_application_uses_the_add_on_of_another_one_under_all_its_names() {
    let Two { mut organisation, production, staging, .. } = two();
    let database = Addon::new(&production, "postgresql-curly-1", "heroku-postgresql:standard-0");
    let attach = |name: &str| Attachment::new(staging.id, &database, name);
    organisation.add_attachment(attach("PRODUCTION"));
    organisation.add_attachment(Attachment {
        namespace: Some("credential:readonly".into()),
        log_input_url: Some("https://user:hidden@logs.example.com:6514/in?customer=hidden#hidden".into()),
        ..attach("READONLY")
    });
    let key = database.id.to_string();
    organisation.add_addon(database);
    let heroku = served(organisation).await;
    let collected = collected(&heroku, "fetch-attachments").await;
    assert_complete!(collected);
    let user = &staging.id.to_string();
    assert_relationship!(collected, user -[USES]-> &key, {
        _type: "heroku_application_uses_addon", attachmentNames: ["PRODUCTION", "READONLY"],
        namespaces: ["credential:readonly"], logInputUrls: ["https://logs.example.com:6514/in"],
    });
    assert_eq!(collected.of_type("heroku_application_uses_addon").len(), 1, "the own application is no other one");
    assert_eq!(asked(&heroku, "/addon-attachments"), 1);
}

#[tokio::test]
async fn services_in_use_have_their_add_ons_and_the_rest_of_the_catalogue_is_left_out() {
    let Two { mut organisation, production, staging, .. } = two();
    let retired = AddonService { state: "shutdown".into(), ..AddonService::new("papertrail") };
    let (postgres, unused) = (AddonService::new("heroku-postgresql"), AddonService::new("rollbar"));
    for service in [&retired, &unused] {
        organisation.add_addon_service(service.clone());
    }
    let databases = [&production, &staging].map(|app| {
        let name = format!("postgresql-{}", app.name);
        Addon::new(app, name, "heroku-postgresql:standard-0")
    });
    let log = Addon::new(&production, "papertrail-curly-1", "papertrail:fixa");
    for addon in databases.iter().chain([&log]) {
        organisation.add_addon(addon.clone());
    }
    let heroku = served(organisation).await;
    let collected = collected(&heroku, "fetch-addon-services").await;
    assert_complete!(collected);
    let (key, retired_key) = (&postgres.id.to_string(), &retired.id.to_string());
    assert_entity!(collected, key, {
        _class: ["Service"], name: "heroku-postgresql", displayName: "Heroku Postgresql", state: "ga",
        supportsSharing: true, supportsMultipleInstallations: true, supportedGenerations: ["cedar"],
        category: ["platform"], function: ["database"], webLink: "https://elements.heroku.com/addons/heroku-postgresql",
    });
    assert_entity!(collected, retired_key, { state: "shutdown", supportsSharing: false, function: ["logging"] });
    for database in &databases {
        assert_relationship!(collected, key -[HAS]-> &database.id.to_string(), {
            _type: "heroku_addon_service_has_addon",
        });
    }
    assert_relationship!(collected, retired_key -[HAS]-> &log.id.to_string());
    assert_eq!(collected.of_type("heroku_addon_service").len(), 2, "nothing has an add-on of {}", unused.name);
    assert_eq!(asked(&heroku, "/addon-services"), 1);
}

#[tokio::test]
async fn without_add_ons_the_catalogue_is_not_read() {
    let heroku = served(two().organisation).await;
    assert_complete!(collected(&heroku, "fetch-addon-services").await);
    assert_eq!(asked(&heroku, "/addon-services"), 0);
}

#[tokio::test]
async fn an_identity_provider_is_read_once_for_all_that_use_it() {
    let Two { organisation, account, team, .. } = two();
    let provider = account.identity_provider.unwrap();
    let heroku = served(organisation).await;
    let collected = collected(&heroku, "fetch-identity-providers").await;
    assert_complete!(collected);
    let (key, certificate) = (&provider.id.to_string(), &provider.certificates[0]);
    assert_entity!(collected, key, {
        _class: ["Service"], name: "Okta", function: ["identity"], enabled: true, ownerType: "enterprise-account",
        ssoUrl: "https://sso.wren.example.com/saml/login", ssoHost: "sso.wren.example.com",
        certificatesExpireOn: [certificate.expires_at.as_millisecond()],
    });
    let found = collected.entity(&certificate.id().to_string());
    assert_eq!(found["expiresOn"], json!(certificate.expires_at.as_millisecond()));
    let fingerprint = found["fingerprint"].as_str().unwrap();
    assert!(fingerprint.len() == 64 && fingerprint.bytes().all(|digit| digit.is_ascii_hexdigit()), "{fingerprint}");
    assert_relationship!(collected, key -[HAS]-> &certificate.id().to_string(), {
        _type: "heroku_identity_provider_has_certificate",
    });
    let (account, team) = (&account.id.to_string(), &team.id.to_string());
    assert_relationship!(collected, account -[USES]-> key);
    assert_relationship!(collected, team -[USES]-> key, { _type: "heroku_team_uses_identity_provider" });
    assert_eq!(asked(&heroku, &format!("/identity-providers/{key}")), 1);
}

#[tokio::test]
async fn a_certificate_that_cannot_be_decoded_is_a_gap_with_its_expiry_kept() {
    let Two { mut organisation, .. } = two();
    let mut provider = IdentityProvider::new("Odd", "odd");
    provider.certificates[0].pem = "-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----".into();
    let certificate = provider.certificates[0].id().to_string();
    organisation.add_team(Team { identity_provider: Some(provider), ..Team::new("odd", None) });
    let team = organisation.teams().nth(1).unwrap().id.to_string();
    let heroku = served(organisation).await;
    let collected = collected(&heroku, "fetch-identity-providers").await;
    assert_missing!(collected, heroku_identity_provider_certificate under &team);
    assert_entity!(collected, &certificate, { fingerprint: (), expiresOn: 4_086_547_200_000_i64 });
}

#[tokio::test]
async fn a_refused_identity_provider_is_missing_under_its_owner_alone() {
    let heroku = sample().await;
    let account = heroku.organisation().accounts().next().unwrap().clone();
    let provider = account.identity_provider.unwrap().id;
    heroku.fault(refused(&format!("/identity-providers/{provider}")));
    let collected = collected(&heroku, "fetch-identity-providers").await;
    let account = &account.id.to_string();
    assert_missing!(
        collected,
        heroku_account_uses_identity_provider under account, heroku_identity_provider under account,
        heroku_identity_provider_certificate under account, heroku_identity_provider_has_certificate under account,
        heroku_team_uses_identity_provider under account
    );
    assert_eq!(collected.of_type("heroku_identity_provider").len(), 1);
}

/// A space with a peering and a VPN connection, which is open to the sources.
async fn spacious(sources: &[&'static str]) -> (FakeHeroku, Space) {
    let Two { mut organisation, team, .. } = two();
    let peering = Peering { pcx_id: "pcx-1".into(), status: "active".into(), cidr: "10.9.0.0/16".into() };
    let (name, public_ip) = ("office".into(), "198.51.100.9".into());
    let vpn = VpnConnection { name, public_ip, pre_shared_key: "hidden".into() };
    let allowed_sources = sources.iter().map(|source| (*source).into()).collect();
    let space = Space::new("private", team.id);
    let space = Space { allowed_sources, peerings: vec![peering], vpn_connections: vec![vpn], ..space };
    organisation.add_space(space.clone());
    (served(organisation).await, space)
}

#[tokio::test]
async fn a_space_is_public_if_a_rule_allows_everything() {
    for (sources, public) in [(["203.0.113.0/24", "0.0.0.0/0"].as_slice(), true), (&["203.0.113.0/24"], false)] {
        let (heroku, space) = spacious(sources).await;
        let collected = collected(&heroku, "fetch-space-rules").await;
        assert_complete!(collected);
        let mut sorted = sources.to_vec();
        sorted.sort_unstable();
        assert_entity!(collected, &space.id.to_string(), { public: public, inboundSources: sorted });
    }
}

#[tokio::test]
async fn a_space_names_its_outbound_addresses() {
    let (heroku, space) = spacious(&["203.0.113.0/24"]).await;
    let collected = collected(&heroku, "fetch-space-addresses").await;
    assert_complete!(collected);
    assert_entity!(collected, &space.id.to_string(), {
        outboundAddresses: ["198.51.100.7", "198.51.100.8"], outboundState: "enabled", public: (),
    });
}

#[tokio::test]
async fn a_space_has_its_peerings_and_vpn_connections() {
    let (heroku, space) = spacious(&["203.0.113.0/24"]).await;
    let (key, vpn) = (&space.id.to_string(), &space.vpn_connections[0].id().to_string());
    let peered = collected(&heroku, "fetch-space-peerings").await;
    assert_complete!(peered);
    assert_entity!(peered, "pcx-1", { _class: ["Gateway"], status: "active", cidrBlocks: ["10.9.0.0/16"], public: false });
    assert_relationship!(peered, key -[HAS]-> "pcx-1", { _type: "heroku_space_has_peering" });
    let tunnelled = collected(&heroku, "fetch-space-vpn-connections").await;
    assert_complete!(tunnelled);
    assert_entity!(tunnelled, vpn, {
        _class: ["Gateway"], name: "office", publicIpAddress: "198.51.100.9", tunnelsUp: 1, tunnelsDown: 1,
    });
    assert_relationship!(tunnelled, key -[HAS]-> vpn, { _type: "heroku_space_has_vpn_connection" });
    let raw = tunnelled.entity(vpn)["_rawData"].to_string();
    assert!(raw.contains("customer_ip") && !raw.contains("hidden"), "{raw}");
}

#[tokio::test]
async fn refused_rules_leave_it_open_whether_a_space_is_public() {
    let (heroku, space) = spacious(&["0.0.0.0/0"]).await;
    heroku.fault(refused("/spaces/{id}/inbound-ruleset"));
    let collected = Collected::run(&integration(), values(&heroku)).await;
    assert_entity!(collected, &space.id.to_string(), { public: (), inboundSources: (), outboundState: "enabled" });
    let summary = serde_json::to_value(&collected.summary).unwrap();
    assert_eq!(summary["state"], "partial", "{summary}");
    assert!(collected.of_type("heroku_space_peering").len() == 1, "the other lists of the space are not affected");
}

#[tokio::test]
async fn a_team_tells_its_preferences_and_features() {
    let Two { mut organisation, .. } = two();
    let settings = TeamSettings {
        default_permission: Some("admin".into()),
        addons_controls: None,
        features: vec!["team-audit-trail".into()],
    };
    let key = organisation.add_team(Team { settings, ..Team::new("careless", None) }).to_string();
    let heroku = served(organisation).await;
    let preferred = collected(&heroku, "fetch-team-preferences").await;
    assert_complete!(preferred);
    assert_entity!(preferred, &key, { defaultPermission: "admin", addonsControlled: () });
    let featured = collected(&heroku, "fetch-team-features").await;
    assert_complete!(featured);
    assert_entity!(featured, &key, { enabledFeatures: ["team-audit-trail"], defaultPermission: () });
}

#[tokio::test]
async fn refused_preferences_cost_no_list_of_the_team() {
    let heroku = sample().await;
    heroku.fault(refused("/teams/{id}/preferences"));
    let collected = Collected::run(&integration(), values(&heroku)).await;
    let missing = missing(&collected);
    assert!(collected.summary.is_partial() && missing.is_empty(), "{missing:?}");
    assert_eq!(collected.of_type("heroku_application").len(), heroku.organisation().apps().len());
}

#[tokio::test]
async fn what_no_account_and_no_team_lists_is_collected_once() {
    let Two { mut organisation, ada, production, .. } = two();
    let team = organisation.add_team(Team::new("independent", None)).to_string();
    let personal = App { owner: Some(ada.id), ..App::new(None, "sandbox") };
    let addon = Addon::new(&personal, "redis-curly-1", "heroku-redis:mini");
    let (key, addon_key) = (organisation.add_app(personal).to_string(), addon.id.to_string());
    organisation.add_addon(addon);
    let heroku = served(organisation).await;
    let collected = Collected::run(&integration(), values(&heroku)).await;
    assert_complete!(collected);
    assert_entity!(collected, &team, { enterpriseAccountId: (), teamType: "team" });
    assert_entity!(collected, &key, { name: "sandbox", teamId: (), owner: "ada@wren.example" });
    let (owner, key) = (&ada.id.to_string(), &key);
    assert_relationship!(collected, owner -[ASSIGNED]-> key, { owner: true });
    assert_relationship!(collected, key -[HAS]-> &addon_key);
    assert_eq!(collected.of_type("heroku_application").len(), 3);
    assert_entity!(collected, &production.id.to_string(), { name: "shop" });
    assert_eq!((asked(&heroku, "/addons"), asked(&heroku, "/apps")), (3, 3), "one list each of two teams, and of all");
}

#[tokio::test]
async fn without_a_personal_application_the_add_ons_are_not_listed_again() {
    let Two { organisation, .. } = two();
    let heroku = served(organisation).await;
    assert_complete!(Collected::run(&integration(), values(&heroku)).await);
    assert_eq!(heroku.log().iter().filter(|request| request.path == "/addons").count(), 0);
}

#[tokio::test]
async fn refused_lists_of_teams_do_not_hide_the_applications_of_people() {
    let Two { mut organisation, ada, team, .. } = two();
    let sandbox = &organisation.add_app(App { owner: Some(ada.id), ..App::new(None, "sandbox") }).to_string();
    let heroku = served(organisation).await;
    heroku.fault(refused("/teams/{id}/apps"));
    let collected = collected(&heroku, "build-application-owners").await;
    let (team, ada) = (&team.id.to_string(), &ada.id.to_string());
    assert_missing!(
        collected,
        heroku_account_member_assigned_application under team, heroku_application under team, heroku_user under team,
        heroku_user_assigned_application under team
    );
    assert_eq!(collected.of_type("heroku_application").len(), 1);
    assert_relationship!(collected, ada -[ASSIGNED]-> sandbox, { owner: true });
}

#[tokio::test]
async fn an_application_of_a_team_that_may_be_missing_is_a_gap() {
    let Two { organisation, account, .. } = two();
    let heroku = served(organisation).await;
    heroku.fault(refused("/enterprise-accounts/{id}/teams"));
    heroku.fault(refused("/teams"));
    let collected = collected(&heroku, "fetch-personal-apps").await;
    let account = &account.id.to_string();
    assert_missing!(
        collected,
        heroku_application under account, heroku_team_owns_application under account,
        heroku_application, heroku_team_owns_application
    );
    assert!(collected.of_type("heroku_application").is_empty());
    assert!(serde_json::to_string(&collected.summary).unwrap().contains("shop-staging"), "the application is named");
}

#[tokio::test]
async fn nobody_is_external_without_an_enterprise_account() {
    let mut organisation = Organisation::empty();
    let ada = Person::new("ada@wren.example", None);
    organisation.add_app(App { owner: Some(ada.id), ..App::new(None, "sandbox") });
    let key = ada.id.to_string();
    organisation.add_person(ada);
    let heroku = served(organisation).await;
    let collected = Collected::run(&integration(), values(&heroku)).await;
    assert_complete!(collected);
    assert_entity!(collected, &key, { _type: "heroku_user", email: "ada@wren.example", external: () });
}

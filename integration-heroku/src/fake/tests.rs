//! Tests of the fake Heroku through an HTTP client, and of its organisations.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Once,
    time::Duration,
};

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::*;

static CRYPTO: Once = Once::new();

struct Client<'a> {
    heroku: &'a FakeHeroku,
    http: reqwest::Client,
}

struct Answered {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Value,
}

impl<'a> Client<'a> {
    fn of(heroku: &'a FakeHeroku) -> Self {
        CRYPTO.call_once(|| rustls::crypto::ring::default_provider().install_default().unwrap());
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().unwrap();
        Self { heroku, http }
    }

    fn bare(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}{path}", self.heroku.url()))
    }

    fn request(&self, path: &str) -> RequestBuilder {
        self.bare(path).bearer_auth(self.heroku.token()).header("accept", "application/vnd.heroku+json; version=3")
    }

    async fn get(&self, path: &str) -> Answered {
        answered(self.request(path)).await
    }

    /// All rows of a list, read page by page.
    async fn all(&self, path: &str, property: &str, max: usize) -> Vec<Value> {
        let mut range = format!("{property} ..; max={max}");
        let mut rows = Vec::new();
        loop {
            let page = answered(self.request(path).header("range", &range)).await;
            rows.extend(page.body.as_array().unwrap().iter().cloned());
            match page.headers.get("next-range") {
                Some(next) if page.status == 206 => range = next.clone(),
                next => {
                    assert_eq!((page.status, next), (200, None), "{path}");
                    return rows;
                }
            }
        }
    }
}

async fn answered(request: RequestBuilder) -> Answered {
    let response = request.send().await.unwrap();
    let headers = response.headers().iter();
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    let status = response.status().as_u16();
    Answered { status, headers, body: serde_json::from_slice(&response.bytes().await.unwrap()).unwrap() }
}

async fn sample() -> FakeHeroku {
    FakeHeroku::start(Organisation::sample(), FakeOptions::default()).await.unwrap()
}

fn ids<T: ToString>(ids: impl Iterator<Item = T>) -> BTreeSet<String> {
    ids.map(|id| id.to_string()).collect()
}

fn ids_in(rows: &[Value]) -> BTreeSet<String> {
    rows.iter().filter_map(|row| row["id"].as_str()).map(str::to_owned).collect()
}

#[test]
fn the_sample_has_the_promised_size() {
    let sample = Organisation::sample();
    let sizes = [sample.accounts().len(), sample.teams().len(), sample.people().len()];
    assert_eq!((sizes, sample.apps().len(), sample.addons().len()), ([2, 5, 34], 27, 61));
    assert_eq!((sample.spaces().len(), sample.access().len(), sample.invitations().len()), (3, 27, 3));
}

#[test]
fn the_sample_has_every_awkward_case() {
    let sample = Organisation::sample();
    let accounts_of = |person: &Person| sample.account_memberships().filter(|of| of.person == person.id).count();
    let teams_of = |person: &Person| sample.team_memberships().filter(|of| of.person == Some(person.id)).count();
    assert_eq!(sample.people().filter(|person| accounts_of(person) == 2).count(), 1);
    assert_eq!(sample.people().filter(|person| accounts_of(person) == 0 && teams_of(person) > 0).count(), 1);
    let has_access = |person: &Person| sample.access().any(|to| to.people.iter().any(|(of, _)| *of == person.id));
    let in_no_team = |person: &&Person| teams_of(person) == 0;
    assert_eq!(sample.people().filter(in_no_team).filter(|person| accounts_of(person) > 0).count(), 2);
    let outside = sample.people().filter(in_no_team).filter(|person| accounts_of(person) == 0);
    assert_eq!(outside.filter(|person| has_access(person)).count(), 2);
    assert_eq!(sample.invitations().filter(|invitation| invitation.invited_by.is_none()).count(), 1);
    assert_eq!(sample.spaces().filter(|space| !space.names_team).count(), 1);
    assert_eq!(sample.team_memberships().filter(|member| member.person.is_none()).count(), 1);
    assert!(sample.people().any(|person| !person.two_factor) && sample.people().any(|person| person.federated));
    assert!(sample.people().filter_map(|person| person.name.as_ref()).any(|name| !name.is_ascii()));
    assert_eq!(sample.teams().filter(|team| sample.apps_of(team.id).count() == 0).count(), 1);
    assert_eq!(sample.teams().filter(|team| !team.names_account).count(), 1);
    for (case, count) in [
        ("no owner", sample.apps().filter(|app| app.owner.is_none()).count()),
        ("no web address", sample.apps().filter(|app| !app.web).count()),
        ("no team in the body", sample.apps().filter(|app| !app.names_team).count()),
        ("archived", sample.apps().filter(|app| app.archived_at.is_some()).count()),
        ("in maintenance", sample.apps().filter(|app| app.maintenance).count()),
        ("locked", sample.apps().filter(|app| app.locked).count()),
        ("personal", sample.apps().filter(|app| app.team.is_none()).count()),
        (
            "space that is open",
            sample.spaces().filter(|it| it.allowed_sources.iter().any(|of| of == "0.0.0.0/0")).count(),
        ),
        ("team outside", sample.teams().filter(|team| team.account.is_none()).count()),
        ("add-on without a web address", sample.addons().filter(|addon| !addon.web).count()),
        ("add-on without a price", sample.addons().filter(|addon| addon.price.is_none()).count()),
    ] {
        assert_eq!(count, 1, "{case}");
    }
    let permissions: BTreeSet<_> = sample.account_memberships().map(|member| member.permissions.clone()).collect();
    assert_eq!(permissions.len(), 5);
}

#[test]
fn a_generated_organisation_has_exactly_its_size_and_is_the_same_each_time() {
    let size = OrganisationSize { accounts: 3, teams: 100, people: 500, apps: 10_000, addons: 30_000, seed: 7 };
    let (one, two) = (Organisation::of_size(size), Organisation::of_size(size));
    assert_eq!((one.accounts().len(), one.teams().len(), one.people().len()), (3, 100, 500));
    assert_eq!((one.apps().len(), one.addons().len()), (10_000, 30_000));
    assert!(one.addons().eq(two.addons()) && one.team_memberships().eq(two.team_memberships()));
    let other = Organisation::of_size(OrganisationSize { seed: 8, ..size });
    assert!(!one.addons().eq(other.addons()));
}

#[test]
fn a_generated_organisation_without_teams_has_no_apps() {
    let size = OrganisationSize { accounts: 0, teams: 0, people: 3, apps: 5, addons: 5, seed: 1 };
    let organisation = Organisation::of_size(size);
    assert_eq!((organisation.people().len(), organisation.apps().len(), organisation.addons().len()), (3, 0, 0));
}

#[tokio::test]
async fn everything_that_the_organisation_holds_is_listed_under_its_parent() {
    let heroku = sample().await;
    let (client, held) = (Client::of(&heroku), heroku.organisation());
    assert_eq!(
        ids_in(&client.all("/enterprise-accounts", "id", 1).await),
        ids(held.accounts().map(|account| account.id))
    );
    for account in held.accounts() {
        let below = format!("/enterprise-accounts/{}", account.id);
        let members = client.all(&format!("{below}/members"), "id", 7).await;
        assert_eq!(ids_in(&members), ids(held.members_of_account(account.id).map(|member| member.id)));
        let teams = client.all(&format!("{below}/teams"), "name", 1).await;
        assert_eq!(ids_in(&teams), ids(held.teams_of(account.id).map(|team| team.id)));
    }
    assert_eq!(ids_in(&client.all("/teams", "id", 3).await), ids(held.teams().map(|team| team.id)));
    for team in held.teams() {
        let below = format!("/teams/{}", team.id);
        let members = client.all(&format!("{below}/members"), "email", 4).await;
        assert_eq!(ids_in(&members), ids(held.members_of_team(team.id).map(|member| member.id)));
        let apps = client.all(&format!("{below}/apps"), "id", 4).await;
        assert_eq!(ids_in(&apps), ids(held.apps_of(team.id).map(|app| app.id)));
        let shared = client.all(&format!("{below}/permissions"), "id", 3).await;
        assert_eq!(ids_in(&shared), ids(held.access().filter(|to| to.team == team.id).map(|to| to.id())));
        let invitations = client.all(&format!("{below}/invitations"), "id", 1).await;
        let invited = held.invitations().filter(|invitation| invitation.team == team.id);
        assert_eq!(ids_in(&invitations), ids(invited.map(|invitation| invitation.id)));
        let addons = client.all(&format!("{below}/addons"), "id", 9).await;
        assert_eq!(ids_in(&addons), ids(held.addons_of_team(team.id).map(|addon| addon.id)));
    }
    for app in held.apps() {
        let addons = client.all(&format!("/apps/{}/addons", app.id), "id", 2).await;
        assert_eq!(ids_in(&addons), ids(held.addons_of_app(app.id).map(|addon| addon.id)));
    }
    assert_eq!(ids_in(&client.all("/addons", "id", 25).await), ids(held.addons().map(|addon| addon.id)));
    assert_eq!(ids_in(&client.all("/spaces", "id", 1).await), ids(held.spaces().map(|space| space.id)));
    assert_eq!(ids_in(&client.all("/apps", "id", 10).await), ids(held.apps().map(|app| app.id)));
    assert_eq!(ids_in(&client.all("/pipelines", "name", 2).await), ids(held.pipelines().map(|pipeline| pipeline.id)));
    assert_eq!(ids_in(&client.all("/pipeline-couplings", "id", 2).await), ids(held.couplings().map(|it| it.id)));
    assert_eq!(ids_in(&client.all("/addon-attachments", "id", 20).await), ids(held.attachments().map(|it| it.id)));
    let services = client.all("/addon-services", "name", 5).await;
    assert_eq!(ids_in(&services), ids(held.addon_services().map(|service| service.id)));
    let listed: BTreeSet<_> = held.addons().map(|addon| addon.service()).collect();
    assert!(listed.iter().all(|name| services.iter().any(|service| service["name"] == **name)), "{listed:?}");
    for space in held.spaces() {
        let below = format!("/spaces/{}", space.id);
        let rules = client.get(&format!("{below}/inbound-ruleset")).await.body;
        assert_eq!(rules["rules"].as_array().map(Vec::len), Some(space.allowed_sources.len()));
        assert_eq!(client.get(&format!("{below}/nat")).await.body["sources"], json!(space.outbound_addresses));
        assert_eq!(
            client.get(&format!("{below}/peerings")).await.body.as_array().map(Vec::len),
            Some(space.peerings.len())
        );
        let vpns = client.get(&format!("{below}/vpn-connections")).await.body;
        assert_eq!(vpns.as_array().map(Vec::len), Some(space.vpn_connections.len()));
    }
    for provider in held.accounts().filter_map(|account| account.identity_provider.as_ref()) {
        let body = client.get(&format!("/identity-providers/{}", provider.id)).await.body;
        assert_eq!((&body["name"], &body["owner"]["type"]), (&json!(provider.name), &json!("enterprise-account")));
        assert_eq!(body["certificates"].as_array().map(Vec::len), Some(provider.certificates.len()));
    }
}

#[tokio::test]
async fn the_three_ids_of_a_member_are_different_and_user_can_be_null() {
    let heroku = sample().await;
    let client = Client::of(&heroku);
    let accounts = client.all("/enterprise-accounts/kestrel-harbour/members", "id", 1_000).await;
    let teams = client.all("/teams/kestrel-platform/members", "email", 1_000).await;
    let all: Vec<_> = accounts.iter().chain(&teams).collect();
    assert!(all.iter().all(|member| member["id"].is_string() && member["id"] != member["user"]["id"]));
    assert_eq!(teams.iter().filter(|member| member["user"].is_null()).count(), 1);
    assert!(teams.iter().all(|member| member["email"].is_string()));
    assert!(accounts.iter().all(|member| member.get("created_at").is_none()));
}

#[tokio::test]
async fn what_can_be_null_is_null_somewhere() {
    let heroku = sample().await;
    let client = Client::of(&heroku);
    let mut apps = client.all("/teams/kestrel-platform/apps", "id", 1_000).await;
    apps.extend(client.all("/teams/kestrel-storefront/apps", "id", 1_000).await);
    let pipelines = client.all("/pipelines", "id", 1_000).await;
    assert!(pipelines.iter().all(|pipeline| pipeline["owner"]["id"].is_string()));
    let addons = client.all("/addons", "id", 1_000).await;
    let teams = client.all("/teams", "id", 1_000).await;
    assert_eq!(teams.iter().filter(|team| team["enterprise_account"].is_null()).count(), 2, "one outside, one unnamed");
    for (rows, field) in
        [(&apps, "owner"), (&apps, "web_url"), (&apps, "team"), (&addons, "web_url"), (&addons, "billed_price")]
    {
        assert_eq!(rows.iter().filter(|row| row[field].is_null()).count(), 1, "{field}");
    }
}

#[tokio::test]
async fn extra_fields_are_in_each_body_and_replace_none() {
    let extra_fields = vec![("odd".to_owned(), json!(7)), ("name".to_owned(), json!("replaced"))];
    let heroku = FakeHeroku::start(Organisation::sample(), FakeOptions { extra_fields, ..FakeOptions::default() });
    let heroku = heroku.await.unwrap();
    let client = Client::of(&heroku);
    for path in ["/teams", "/apps", "/teams/kestrel-data/features", "/spaces/kestrel-private/peerings"] {
        let body = client.get(path).await.body;
        let rows = body.as_array().unwrap();
        assert!(!rows.is_empty() && rows.iter().all(|row| row["odd"] == 7), "{path}");
    }
    let apps = client.all("/apps", "id", 1_000).await;
    assert!(apps.iter().all(|app| app["name"] != "replaced" && app["region"]["odd"] == 7), "in all objects of a body");
    assert_eq!(client.get("/teams/kestrel-data/preferences").await.body["odd"], 7);
}

#[tokio::test]
async fn an_app_and_an_addon_have_the_fields_of_the_public_schema() {
    let heroku = sample().await;
    let client = Client::of(&heroku);
    let apps = client.all("/teams/kestrel-platform/apps", "id", 1_000).await;
    let app = apps.iter().find(|app| app["name"] == "kestrel-api").unwrap();
    assert_eq!(app["git_url"], "https://git.heroku.com/kestrel-api.git");
    assert_eq!((&app["region"]["name"], &app["stack"]["name"]), (&json!("us"), &json!("heroku-24")));
    assert_eq!(app["team"]["name"], "kestrel-platform");
    let addons = client.all(&format!("/apps/{}/addons", app["id"].as_str().unwrap()), "id", 1_000).await;
    let database = addons.iter().find(|addon| addon["addon_service"]["name"] == "heroku-postgresql").unwrap();
    assert_eq!(database["plan"]["name"], "heroku-postgresql:standard-2");
    assert_eq!(
        database["billed_price"],
        json!({"cents": 20_000, "contract": false, "metered": false, "unit": "month"})
    );
    assert_eq!((&database["app"]["id"], &database["config_vars"]), (&app["id"], &json!(["DATABASE_URL"])));
    assert_eq!(database["state"], "provisioned");
}

#[tokio::test]
async fn the_account_and_its_rate_limit_are_told() {
    let heroku = sample().await;
    let client = Client::of(&heroku);
    let account = client.get("/account").await;
    assert_eq!(account.body["email"], "tilda.marchetti@kestrel.example.com");
    assert_eq!(account.headers["ratelimit-remaining"], "4499");
    assert_eq!(client.get("/account/rate-limits").await.body, json!({"remaining": 4_499}));
    assert_eq!(client.get("/account/rate-limits").await.body, json!({"remaining": 4_499}));
}

#[tokio::test]
async fn members_of_a_team_need_global_and_sort_by_email_or_id() {
    let options = FakeOptions { scopes: vec!["read".to_owned()], ..FakeOptions::default() };
    let reading = FakeHeroku::start(Organisation::sample(), options).await.unwrap();
    let client = Client::of(&reading);
    let refused = client.get("/teams/kestrel-platform/members").await;
    assert_eq!((refused.status, &refused.body["id"]), (403, &json!("forbidden")));
    assert_eq!(refused.headers["oauth-scope-accepted"], "global");
    assert_eq!(client.get("/teams/kestrel-platform/apps").await.status, 200);

    let heroku = sample().await;
    let client = Client::of(&heroku);
    let members = client.get("/teams/kestrel-platform/members").await;
    assert_eq!((members.status, members.headers["accept-ranges"].as_str()), (200, "email, id"));
    let by_role = answered(client.request("/teams/kestrel-platform/members").header("range", "role ..; max=10")).await;
    assert_eq!((by_role.status, &by_role.body["id"]), (416, &json!("requested_range_not_satisfiable")));
}

#[tokio::test]
async fn a_key_of_the_scope_read_may_list_and_may_not_read_its_own_account() {
    let options = FakeOptions { scopes: vec!["read".to_owned()], ..FakeOptions::default() };
    let heroku = FakeHeroku::start(Organisation::sample(), options).await.unwrap();
    let client = Client::of(&heroku);
    for (path, status, accepted) in [
        ("/account", 403, Some("global identity")),
        ("/account/rate-limits", 403, Some("global identity")),
        ("/enterprise-accounts", 200, Some("global read read-protected write write-protected")),
        ("/enterprise-accounts/kestrel-harbour/members", 200, None),
        ("/enterprise-accounts/kestrel-harbour/teams", 200, None),
        ("/teams/kestrel-platform/members", 403, Some("global")),
        ("/teams/kestrel-platform/apps", 200, Some("global read read-protected write write-protected")),
    ] {
        let answer = client.get(path).await;
        let header = |name: &str| answer.headers.get(name).map(String::as_str);
        assert_eq!((answer.status, header("oauth-scope-accepted")), (status, accepted), "{path}");
        assert_eq!(header("oauth-scope"), accepted.map(|_| "read"), "{path}");
    }
}

#[tokio::test]
async fn a_range_is_refused_that_heroku_would_refuse() {
    let heroku = sample().await;
    let client = Client::of(&heroku);
    for range in ["id ..; max=1001", "id ]a..; order=asc,max=2; max=1000", "id", "id ..; size=10", "id ..; max=0"] {
        let refused = answered(client.request("/teams/kestrel-platform/apps").header("range", range)).await;
        assert_eq!((refused.status, &refused.body["id"]), (400, &json!("bad_request")), "{range}");
    }
    let first = answered(client.request("/teams/kestrel-platform/apps").header("range", "name ..; max=2")).await;
    assert_eq!((first.status, first.headers["accept-ranges"].as_str()), (206, "id, name, updated_at"));
    assert!(first.headers["next-range"].ends_with("..; order=asc,max=2"), "{:?}", first.headers);
}

#[tokio::test]
async fn a_request_needs_the_version_in_accept_and_a_known_token() {
    let heroku = sample().await;
    let client = Client::of(&heroku);
    let unversioned = answered(client.bare("/account").bearer_auth(heroku.token())).await;
    assert_eq!((unversioned.status, &unversioned.body["id"]), (406, &json!("not_acceptable")));
    let accept = ("accept", "application/vnd.heroku+json; version=3");
    let unknown = answered(client.bare("/account").header(accept.0, accept.1).bearer_auth("wrong")).await;
    assert_eq!((unknown.status, &unknown.body["id"]), (401, &json!("unauthorized")));
    assert!(unknown.headers.contains_key("request-id"));
}

#[tokio::test]
async fn an_unknown_team_is_not_found() {
    let heroku = sample().await;
    let client = Client::of(&heroku);
    for path in ["/teams/nobody/apps", "/apps/01234567-89ab-cdef-0123-456789abcdef/addons"] {
        let missing = client.get(path).await;
        assert_eq!((missing.status, &missing.body["id"]), (404, &json!("not_found")), "{path}");
    }
}

#[tokio::test]
async fn an_empty_bucket_refuses_with_heroku_s_error() {
    let options = FakeOptions { rate: Some(RateBucket::new(1, 0.0)), ..FakeOptions::default() };
    let heroku = FakeHeroku::start(Organisation::sample(), options).await.unwrap();
    let client = Client::of(&heroku);
    assert_eq!(client.get("/teams").await.status, 200);
    let refused = client.get("/teams").await;
    assert_eq!((refused.status, &refused.body["id"]), (429, &json!("rate_limit")));
    assert!(refused.body["message"].is_string());
    assert_eq!(refused.headers["ratelimit-remaining"], "0");
}

#[tokio::test]
async fn thirty_thousand_addons_come_in_thirty_pages() {
    let size = OrganisationSize { accounts: 2, teams: 100, people: 300, apps: 10_000, addons: 30_000, seed: 1 };
    let heroku = FakeHeroku::start(Organisation::of_size(size), FakeOptions::default()).await.unwrap();
    let addons = Client::of(&heroku).all("/addons", "id", 1_000).await;
    assert_eq!((ids_in(&addons).len(), heroku.requests()), (30_000, 30));
}

#[tokio::test]
async fn a_fault_meets_the_endpoint_of_its_pattern() {
    let heroku = sample().await;
    heroku.fault(Fault::Status(Reply::json(503, &json!({"id": "unavailable"}))).on("/teams/{id}/apps").first(1));
    let client = Client::of(&heroku);
    assert_eq!(client.get("/teams/kestrel-data/addons").await.status, 200);
    assert_eq!(client.get("/teams/kestrel-data/apps").await.status, 503);
    assert_eq!(client.get("/teams/kestrel-data/apps").await.status, 200);
    let statuses: Vec<_> = heroku.log().iter().map(|request| request.status).collect();
    assert_eq!(statuses, [Some(200), Some(503), Some(200)]);
}

#[test]
fn options_do_not_show_the_token() {
    let options = FakeOptions { token: "very-secret".to_owned(), ..FakeOptions::default() };
    assert!(!format!("{options:?}").contains("very-secret"));
}

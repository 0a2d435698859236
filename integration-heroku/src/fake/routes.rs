//! The endpoints of the fake, with their required scopes and sortable properties.
//!
//! Scopes and sortable properties follow the headers `Oauth-Scope-Accepted` and `Accept-Ranges` of recorded responses.
//! The recorded lists of an enterprise account contain neither header, so the fake returns these lists without
//! pagination.

use std::{borrow::Cow, sync::Arc};

use integration_testing::{Access, Answer, Dialect, RequiredHeader, Route, Rows, header::ACCEPT};
use serde_json::{Value, json};

use super::{
    FakeOptions,
    bodies::{Listed, own_account},
    ids::TeamId,
    organisation::Organisation,
    resources::Person,
    table::{Row, Table},
};

/// The scopes that include reading.
const READERS: [&str; 5] = ["global", "read", "read-protected", "write", "write-protected"];
/// The scopes that include reading `/account`. Notably, `read` is not sufficient.
const IDENTITY: [&str; 2] = ["global", "identity"];
/// The largest page size that a client may request.
const LARGEST_MAX: usize = 1_000;

/// The accepted tokens with their scopes.
pub(crate) fn access(options: &FakeOptions) -> Access {
    let tokens = std::iter::once(&options.token).chain(&options.other_tokens);
    tokens.fold(Access::open(), |access, token| access.and_token(token, &options.scopes))
}

/// The header and error conventions of the Platform API.
pub(crate) fn dialect(max_in_next_range: bool) -> Dialect {
    let version = RequiredHeader { name: ACCEPT, value: "application/vnd.heroku+json; version=3".to_owned() };
    Dialect {
        max_in_next_range,
        order_in_next_range: true,
        largest_max: Some(LARGEST_MAX),
        required_headers: vec![version],
        error_body: |refusal| json!({"id": refusal.code(), "message": refusal.to_string()}),
        ..Dialect::default()
    }
}

/// The routes of all endpoints.
pub(crate) fn routes(organisation: &Arc<Organisation>) -> Vec<Route> {
    let serve = Serve(organisation);
    vec![
        serve.own_account(),
        Route::get("/account/rate-limits", |request| Answer::Document(json!({"remaining": request.remaining()})))
            .scopes(IDENTITY)
            .free_of_charge(),
        serve.all("/enterprise-accounts", |organisation| &organisation.accounts).sortable(["id", "name", "updated_at"]),
        serve
            .below("/enterprise-accounts/{id}/members", "enterprise account", |organisation, id| {
                let account = organisation.accounts.find(id)?.id;
                let positions = organisation.account_memberships.positions_of(account).to_vec();
                Some(list(organisation, |organisation| &organisation.account_memberships, positions))
            })
            .silent_about_scopes(),
        serve
            .below("/enterprise-accounts/{id}/teams", "enterprise account", |organisation, id| {
                let account = organisation.accounts.find(id)?.id;
                let positions = organisation.teams.positions_of(Some(account)).to_vec();
                Some(list(organisation, |organisation| &organisation.teams, positions))
            })
            .silent_about_scopes(),
        serve.all("/teams", |organisation| &organisation.teams).sortable(["id", "name"]),
        serve
            .of_team("/teams/{id}/members", |organisation| &organisation.team_memberships)
            .scopes(["global"])
            .sortable(["email", "id"]),
        serve.of_team("/teams/{id}/permissions", |organisation| &organisation.access).sortable(["id"]),
        serve.of_team("/teams/{id}/invitations", |organisation| &organisation.invitations).sortable(["id"]),
        serve.all("/spaces", |organisation| &organisation.spaces).sortable(["id", "name"]),
        serve.of_team("/teams/{id}/apps", |organisation| &organisation.apps).sortable(["id", "name", "updated_at"]),
        serve
            .below("/teams/{id}/addons", "team", |organisation, id| {
                let team = organisation.teams.find(id)?.id;
                let addons_of = |app| organisation.addons.positions_of(app).iter().copied();
                let positions = organisation.apps_of(team).flat_map(|app| addons_of(app.id)).collect();
                Some(list(organisation, |organisation| &organisation.addons, positions))
            })
            .sortable(["id", "name"]),
        serve
            .below("/apps/{id}/addons", "app", |organisation, id| {
                let app = organisation.apps.find(id)?.id;
                let positions = organisation.addons.positions_of(app).to_vec();
                Some(list(organisation, |organisation| &organisation.addons, positions))
            })
            .sortable(["id", "name"]),
        serve.all("/addons", |organisation| &organisation.addons).sortable(["id", "name"]),
    ]
}

/// A builder of routes over one organisation.
struct Serve<'a>(&'a Arc<Organisation>);

impl Serve<'_> {
    fn own_account(&self) -> Route {
        let asking = self.0.people().next().cloned();
        let asking = asking.unwrap_or_else(|| Person::new("nobody@example.com", None));
        Route::document("/account", own_account(&asking)).scopes(IDENTITY)
    }

    /// A route to all rows of a table.
    fn all<R: Listed>(&self, pattern: &str, table: fn(&Organisation) -> &Table<R>) -> Route {
        let organisation = self.0.clone();
        Route::get(pattern, move |_| {
            let positions = (0..table(&organisation).rows().len()).collect();
            list(&organisation, table, positions)
        })
        .scopes(READERS)
    }

    /// A route to the rows of one team.
    fn of_team<R: Listed + Row<Parent = TeamId>>(&self, pattern: &str, table: fn(&Organisation) -> &Table<R>) -> Route {
        self.below(pattern, "team", move |organisation, id| {
            let team = organisation.teams.find(id)?.id;
            let positions = table(organisation).positions_of(team).to_vec();
            Some(list(organisation, table, positions))
        })
    }

    /// A route to the rows of one parent, whose id is in the path. An unknown parent returns 404.
    fn below(
        &self,
        pattern: &str,
        parent: &'static str,
        rows: impl Fn(&Arc<Organisation>, &str) -> Option<Answer> + Send + Sync + 'static,
    ) -> Route {
        let organisation = self.0.clone();
        Route::get(pattern, move |request| {
            rows(&organisation, request.parameter("id")).unwrap_or_else(|| Answer::not_found(parent))
        })
        .scopes(READERS)
    }
}

fn list<R: Listed>(
    organisation: &Arc<Organisation>,
    table: fn(&Organisation) -> &Table<R>,
    positions: Vec<usize>,
) -> Answer {
    Answer::list(Selection { organisation: organisation.clone(), table, positions })
}

/// A selection of rows from one table.
struct Selection<R: Listed> {
    organisation: Arc<Organisation>,
    table: fn(&Organisation) -> &Table<R>,
    positions: Vec<usize>,
}

impl<R: Listed> Selection<R> {
    fn row(&self, row: usize) -> &R {
        &(self.table)(&self.organisation).rows()[self.positions[row]]
    }
}

impl<R: Listed> Rows for Selection<R> {
    fn count(&self) -> usize {
        self.positions.len()
    }

    fn sort_key(&self, row: usize, property: &str) -> Cow<'_, str> {
        self.row(row).sort_key(property)
    }

    fn render(&self, row: usize) -> Value {
        self.row(row).body(&self.organisation)
    }
}

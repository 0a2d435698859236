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
    bodies::{Listed, app_of_team, own_account},
    details,
    ids::TeamId,
    organisation::Organisation,
    resources::Person,
    scopes::{IDENTITY, READERS},
    table::{Row, Table},
    usage,
};

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
pub(crate) fn routes(organisation: &Arc<Organisation>, extra_fields: &[(String, Value)]) -> Vec<Route> {
    let serve = Serve { organisation, extra: extra_fields.into() };
    let mut routes = vec![
        serve.own_account(),
        Route::get("/account/rate-limits", |request| Answer::Document(json!({"remaining": request.remaining()})))
            .scopes(IDENTITY)
            .free_of_charge(),
        serve.all("/enterprise-accounts", |organisation| &organisation.accounts).sortable(["id", "name", "updated_at"]),
        serve
            .rows_below(
                "/enterprise-accounts/{id}/members",
                "enterprise account",
                |organisation| &organisation.account_memberships,
                |organisation, id| {
                    let account = organisation.accounts.find(id)?.id;
                    Some(organisation.account_memberships.positions_of(account).to_vec())
                },
            )
            .silent_about_scopes(),
        serve
            .rows_below(
                "/enterprise-accounts/{id}/teams",
                "enterprise account",
                |organisation| &organisation.teams,
                |organisation, id| {
                    let account = organisation.accounts.find(id)?.id;
                    Some(organisation.teams.positions_of(Some(account)).to_vec())
                },
            )
            .silent_about_scopes(),
        serve.all("/teams", |organisation| &organisation.teams).sortable(["id", "name"]),
        serve
            .of_team("/teams/{id}/members", |organisation| &organisation.team_memberships)
            .scopes(["global"])
            .sortable(["email", "id"]),
        serve.of_team("/teams/{id}/permissions", |organisation| &organisation.access).sortable(["id"]),
        serve.of_team("/teams/{id}/invitations", |organisation| &organisation.invitations).sortable(["id"]),
        serve.document_below("/teams/{id}/preferences", "team", |organisation, id| {
            Some(organisation.teams.find(id)?.settings.preferences())
        }),
        serve
            .elements_below("/teams/{id}/features", "team", |organisation, id| {
                Some(organisation.teams.find(id)?.settings.features())
            })
            .sortable(["id", "name"]),
        serve.document_below("/identity-providers/{id}", "identity provider", Organisation::identity_provider),
        serve.all("/spaces", |organisation| &organisation.spaces).sortable(["id", "name"]),
        serve.document_below("/spaces/{id}/inbound-ruleset", "space", |organisation, id| {
            Some(organisation.spaces.find(id)?.inbound_ruleset())
        }),
        serve.document_below("/spaces/{id}/nat", "space", |organisation, id| Some(organisation.spaces.find(id)?.nat())),
        serve.elements_below("/spaces/{id}/peerings", "space", |organisation, id| {
            Some(organisation.spaces.find(id)?.peerings())
        }),
        serve.elements_below("/spaces/{id}/vpn-connections", "space", |organisation, id| {
            Some(organisation.spaces.find(id)?.vpn_connections())
        }),
        serve
            .rows_with_body_below(
                "/teams/{id}/apps",
                "team",
                |organisation| &organisation.apps,
                |organisation, id| {
                    let team = organisation.teams.find(id)?.id;
                    Some(organisation.apps.positions_of(Some(team)).to_vec())
                },
                app_of_team,
            )
            .sortable(["id", "name", "updated_at"]),
        serve.all("/apps", |organisation| &organisation.apps).sortable(["id", "name", "updated_at"]),
        serve
            .rows_below(
                "/teams/{id}/addons",
                "team",
                |organisation| &organisation.addons,
                |organisation, id| {
                    let team = organisation.teams.find(id)?.id;
                    let addons_of = |app| organisation.addons.positions_of(app).iter().copied();
                    Some(organisation.apps_of(team).flat_map(|app| addons_of(app.id)).collect())
                },
            )
            .sortable(["id", "name"]),
        serve
            .rows_below(
                "/apps/{id}/addons",
                "app",
                |organisation| &organisation.addons,
                |organisation, id| {
                    let app = organisation.apps.find(id)?.id;
                    Some(organisation.addons.positions_of(app).to_vec())
                },
            )
            .sortable(["id", "name"]),
        serve.all("/addons", |organisation| &organisation.addons).sortable(["id", "name"]),
        serve.all("/addon-services", |organisation| &organisation.addon_services).sortable(["id", "name"]),
        serve.all("/addon-attachments", |organisation| &organisation.attachments).sortable(["id", "name"]),
        serve.all("/pipelines", |organisation| &organisation.pipelines).sortable(["id", "name"]),
        serve.all("/pipeline-couplings", |organisation| &organisation.couplings).sortable(["id"]),
    ];
    routes.extend(details::routes(organisation));
    routes.extend(usage::routes(organisation));
    routes
}

/// A builder of routes over one organisation.
struct Serve<'a> {
    organisation: &'a Arc<Organisation>,
    /// Fields that are added to each body.
    extra: Arc<[(String, Value)]>,
}

impl Serve<'_> {
    fn own_account(&self) -> Route {
        let asking = self.organisation.people().next().cloned();
        let asking = asking.unwrap_or_else(|| Person::new("nobody@example.com", None));
        Route::document("/account", extended(own_account(&asking), &self.extra)).scopes(IDENTITY)
    }

    /// A route to all rows of a table.
    fn all<R: Listed>(&self, pattern: &str, table: TableOf<R>) -> Route {
        let (organisation, extra) = (self.organisation.clone(), self.extra.clone());
        Route::get(pattern, move |_| {
            let positions = (0..table(&organisation).rows().len()).collect();
            let (organisation, extra) = (organisation.clone(), extra.clone());
            Answer::list(Selection { organisation, extra, table, positions, body: R::body })
        })
        .scopes(READERS)
    }

    /// A route to the rows of one team.
    fn of_team<R: Listed + Row<Parent = TeamId>>(&self, pattern: &str, table: TableOf<R>) -> Route {
        self.rows_below(pattern, "team", table, move |organisation, id| {
            let team = organisation.teams.find(id)?.id;
            Some(table(organisation).positions_of(team).to_vec())
        })
    }

    /// A route to the rows of one parent, whose id is in the path. An unknown parent returns 404.
    fn rows_below<R: Listed>(
        &self,
        pattern: &str,
        parent: &'static str,
        table: TableOf<R>,
        positions: impl Fn(&Organisation, &str) -> Option<Vec<usize>> + Send + Sync + 'static,
    ) -> Route {
        self.rows_with_body_below(pattern, parent, table, positions, R::body)
    }

    /// A route to the rows of one parent, with bodies that differ from those in other lists.
    fn rows_with_body_below<R: Listed>(
        &self,
        pattern: &str,
        parent: &'static str,
        table: TableOf<R>,
        positions: impl Fn(&Organisation, &str) -> Option<Vec<usize>> + Send + Sync + 'static,
        body: BodyOf<R>,
    ) -> Route {
        let extra = self.extra.clone();
        self.below(pattern, parent, move |organisation, id| {
            let positions = positions(organisation, id)?;
            let (organisation, extra) = (organisation.clone(), extra.clone());
            Some(Answer::list(Selection { organisation, extra, table, positions, body }))
        })
    }

    /// A route to one document of a parent.
    fn document_below(
        &self,
        pattern: &str,
        parent: &'static str,
        document: impl Fn(&Organisation, &str) -> Option<Value> + Send + Sync + 'static,
    ) -> Route {
        let extra = self.extra.clone();
        self.below(pattern, parent, move |organisation, id| {
            Some(Answer::Document(extended(document(organisation, id)?, &extra)))
        })
    }

    /// A route to elements of a parent that are in no table.
    fn elements_below(
        &self,
        pattern: &str,
        parent: &'static str,
        elements: impl Fn(&Organisation, &str) -> Option<Vec<Value>> + Send + Sync + 'static,
    ) -> Route {
        let extra = self.extra.clone();
        self.below(pattern, parent, move |organisation, id| {
            let elements = elements(organisation, id)?.into_iter();
            Some(Answer::list(elements.map(|element| extended(element, &extra)).collect::<Vec<_>>()))
        })
    }

    /// A route to an answer about one parent, whose id is in the path. An unknown parent returns 404.
    fn below(
        &self,
        pattern: &str,
        parent: &'static str,
        answer: impl Fn(&Arc<Organisation>, &str) -> Option<Answer> + Send + Sync + 'static,
    ) -> Route {
        let organisation = self.organisation.clone();
        Route::get(pattern, move |request| {
            answer(&organisation, request.parameter("id")).unwrap_or_else(|| Answer::not_found(parent))
        })
        .scopes(READERS)
    }
}

type TableOf<R> = fn(&Organisation) -> &Table<R>;
type BodyOf<R> = fn(&R, &Organisation) -> Value;

/// Adds fields to a body and to all objects in it. Their own fields stay.
fn extended(mut body: Value, extra: &[(String, Value)]) -> Value {
    if !extra.is_empty() {
        extend(&mut body, extra);
    }
    body
}

fn extend(value: &mut Value, extra: &[(String, Value)]) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(|value| extend(value, extra));
            for (name, value) in extra {
                fields.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| extend(value, extra)),
        _ => {}
    }
}

/// A selection of rows from one table.
struct Selection<R: Listed> {
    organisation: Arc<Organisation>,
    extra: Arc<[(String, Value)]>,
    table: TableOf<R>,
    positions: Vec<usize>,
    body: BodyOf<R>,
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
        extended((self.body)(self.row(row), &self.organisation), &self.extra)
    }
}

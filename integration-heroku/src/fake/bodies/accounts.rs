//! Bodies of accounts, teams, people, apps, and add-ons.

use serde_json::{Value, json};

use super::fields::{dates, named, text, with_type};
use super::listed::Listed;
use super::references::{account_reference, app_reference, person_reference, team_reference};
use super::sign_in::provider_of_account;
use crate::fake::ids::mixed;
use crate::fake::organisation::Organisation;
use crate::fake::resources::{Account, AccountMembership, Addon, App, Person, Team, TeamMembership};

impl Listed for Account {
    fn body(&self, _: &Organisation) -> Value {
        let (created, updated) = dates(self.id.uuid());
        json!({
            "id": self.id.to_string(),
            "name": self.name,
            "created_at": created,
            "updated_at": updated,
            "permissions": self.permissions.iter().map(|permission| permission.name()).collect::<Vec<_>>(),
            "trial": self.trial,
            "partner_benefits": false,
            "identity_provider": provider_of_account(self),
        })
    }
}

impl Listed for AccountMembership {
    fn body(&self, organisation: &Organisation) -> Value {
        let person = organisation.person(self.person);
        let permissions = self.permissions.iter().map(|permission| {
            json!({"name": permission.name(), "description": format!("May {} in the account.", permission.name())})
        });
        json!({
            "id": self.id.to_string(),
            "enterprise_account": account_reference(organisation, self.account),
            "permissions": permissions.collect::<Vec<_>>(),
            "user": {"id": self.person.to_string(), "email": person.map(|person| &person.email)},
            "two_factor_authentication": person.is_some_and(|person| person.two_factor),
            "identity_provider": provider_of(person, organisation.account(self.account)),
        })
    }
}

impl Listed for Team {
    fn body(&self, organisation: &Organisation) -> Value {
        let (created, updated) = dates(self.id.uuid());
        let named = self.account.filter(|_| self.names_account);
        json!({
            "id": self.id.to_string(),
            "name": self.name,
            "created_at": created,
            "updated_at": updated,
            "credit_card_collections": false,
            "default": self.default,
            "enterprise_account": named.map(|account| account_reference(organisation, account)),
            "identity_provider": organisation.identity_provider_of(self.id),
            "membership_limit": self.membership_limit,
            "provisioned_licenses": self.account.is_some(),
            "role": self.role.map(|role| role.name()),
            "type": if self.account.is_some() { "enterprise" } else { "team" },
        })
    }
}

impl Listed for TeamMembership {
    fn body(&self, organisation: &Organisation) -> Value {
        let (created, updated) = dates(self.id.uuid());
        let person = self.person.and_then(|person| organisation.person(person));
        let account = organisation.team(self.team).and_then(|team| organisation.account(team.account?));
        json!({
            "id": self.id.to_string(),
            "email": self.email,
            "role": self.role.name(),
            "federated": person.is_some_and(|person| person.federated),
            "two_factor_authentication": person.is_some_and(|person| person.two_factor),
            "identity_provider": provider_of(person, account),
            "user": person.map(|person| json!({"id": person.id.to_string(), "email": person.email, "name": person.name})),
            "created_at": created,
            "updated_at": updated,
        })
    }
}

impl Listed for App {
    fn body(&self, organisation: &Organisation) -> Value {
        let (created, updated) = dates(self.id.uuid());
        let stack = named("stack", &self.stack);
        json!({
            "id": self.id.to_string(),
            "name": self.name,
            "archived_at": self.archived_at.map(text),
            "build_stack": stack,
            "buildpack_provided_description": null,
            "created_at": created,
            "git_url": format!("https://git.heroku.com/{}.git", self.name),
            "internal_routing": self.internal_routing,
            "maintenance": self.maintenance,
            "owner": self.owner.map(|owner| person_reference(organisation, owner)),
            "region": named("region", &self.region),
            "released_at": self.released_at.map(text),
            "repo_size": self.repo_size,
            "slug_size": self.slug_size,
            "space": self.space.as_deref().map(|space| named("space", space)),
            "stack": stack,
            "team": self.team.map(|team| team_reference(organisation, team)),
            "updated_at": updated,
            "web_url": self.web_url(),
        })
    }
}

/// The body of an app in the list of its team. It has two more fields, and the reference to the team can be null.
pub(in crate::fake) fn app_of_team(app: &App, organisation: &Organisation) -> Value {
    let mut body = app.body(organisation);
    body["joined"] = false.into();
    body["locked"] = app.locked.into();
    if !app.names_team {
        body["team"] = Value::Null;
    }
    body
}

impl Listed for Addon {
    fn body(&self, organisation: &Organisation) -> Value {
        let (created, updated) = dates(self.id.uuid());
        let app = organisation.app(self.app);
        let billing = match app.filter(|_| self.billed_to_team).and_then(|app| app.team) {
            Some(team) => with_type(team_reference(organisation, team), "team"),
            None => with_type(app_reference(self.app, app), "app"),
        };
        json!({
            "id": self.id.to_string(),
            "name": self.name,
            "actions": [],
            "addon_service": named("addon-service", self.service()),
            "app": app_reference(self.app, app),
            "billed_price": self.price.map(|price| {
                json!({"cents": price.cents, "contract": price.contract, "metered": false, "unit": "month"})
            }),
            "billing_entity": billing,
            "config_vars": self.config_vars,
            "created_at": created,
            "plan": named("plan", &self.plan),
            "provider_id": format!("{:016x}", mixed(&self.name, 5)),
            "state": self.state.name(),
            "updated_at": updated,
            "web_url": self.web_url(),
        })
    }
}

/// The body of `/account`: the person that the token belongs to.
pub(in crate::fake) fn own_account(person: &Person) -> Value {
    let (created, updated) = dates(person.id.uuid());
    json!({
        "id": person.id.to_string(),
        "email": person.email,
        "name": person.name,
        "allow_tracking": false,
        "beta": false,
        "created_at": created,
        "default_team": null,
        "delinquent_at": null,
        "federated": person.federated,
        "identity_provider": null,
        "last_login": updated,
        "suspended_at": null,
        "two_factor_authentication": person.two_factor,
        "updated_at": updated,
        "verified": true,
    })
}

/// The identity provider in a member's body, which only federated people have.
fn provider_of(person: Option<&Person>, account: Option<&Account>) -> Option<Value> {
    let mut provider =
        account.filter(|_| person.is_some_and(|person| person.federated)).and_then(provider_of_account)?;
    provider["redacted"] = false.into();
    Some(provider)
}

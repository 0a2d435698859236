//! References of bodies to other parts of the organisation.

use serde_json::{Value, json};

use crate::fake::ids::{AccountId, AppId, PersonId, TeamId};
use crate::fake::organisation::Organisation;
use crate::fake::resources::App;

pub(super) fn account_reference(organisation: &Organisation, id: AccountId) -> Value {
    json!({"id": id.to_string(), "name": organisation.account(id).map(|account| &account.name)})
}

pub(super) fn team_reference(organisation: &Organisation, id: TeamId) -> Value {
    json!({"id": id.to_string(), "name": organisation.team(id).map(|team| &team.name)})
}

pub(super) fn person_reference(organisation: &Organisation, id: PersonId) -> Value {
    json!({"id": id.to_string(), "email": organisation.person(id).map(|person| &person.email)})
}

pub(super) fn app_reference(id: AppId, app: Option<&App>) -> Value {
    json!({"id": id.to_string(), "name": app.map(|app| &app.name)})
}

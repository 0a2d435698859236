//! Bodies of accesses and invitations.

use serde_json::{Value, json};

use super::fields::dates;
use super::listed::Listed;
use super::references::team_reference;
use crate::fake::access::{Access, Invitation, Shared};
use crate::fake::ids::PersonId;
use crate::fake::organisation::Organisation;
use crate::fake::table::Row;

impl Listed for Access {
    fn body(&self, organisation: &Organisation) -> Value {
        let (kind, name) = match self.to {
            Shared::App(app) => ("app", organisation.app(app).map(|app| app.name.as_str())),
            Shared::Space(space) => ("space", organisation.space(space).map(|space| space.name.as_str())),
        };
        let users = self.people.iter().map(|(person, permissions)| {
            let email = organisation.person(*person).map(|person| &person.email);
            json!({"id": person.to_string(), "email": email, "permissions": permissions})
        });
        json!({
            "id": self.uuid().to_string(),
            "name": name,
            "team_id": self.team.to_string(),
            "type": kind,
            "users": users.collect::<Vec<_>>(),
        })
    }
}

impl Listed for Invitation {
    fn body(&self, organisation: &Organisation) -> Value {
        let (created, updated) = dates(self.id.uuid());
        let person = |id: PersonId| {
            let person = organisation.person(id);
            json!({
                "id": id.to_string(),
                "email": person.map(|person| &person.email),
                "name": person.and_then(|person| person.name.as_ref()),
            })
        };
        json!({
            "id": self.id.to_string(),
            "created_at": created,
            "invited_by": self.invited_by.map(person),
            "role": self.role.name(),
            "team": team_reference(organisation, self.team),
            "updated_at": updated,
            "user": person(self.invited),
        })
    }
}

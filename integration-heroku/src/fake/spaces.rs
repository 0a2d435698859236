//! Private spaces.

use serde_json::{Value, json};

use super::{
    bodies::{Listed, dates, named, team_reference},
    ids::{SpaceId, TeamId},
    organisation::Organisation,
    resources::Text,
    table::rows,
};

/// A private space.
#[derive(Debug, Clone, PartialEq)]
pub struct Space {
    /// The id of the space.
    pub id: SpaceId,
    /// The name of the space.
    pub name: String,
    /// The team that owns the space.
    pub team: TeamId,
    /// Whether the body of the space names the team.
    pub names_team: bool,
    /// The region, such as `virginia` or `tokyo`.
    pub region: Text,
    /// Whether the space is shielded.
    pub shield: bool,
    /// The state: `allocating`, `allocated`, or `deleting`.
    pub state: Text,
    /// The generation of the platform: `cedar` or `fir`.
    pub generation: Text,
}

impl Space {
    /// Creates an allocated space without a shield.
    pub fn new(name: impl Into<String>, team: TeamId) -> Self {
        let name = name.into();
        Self {
            id: SpaceId::derived(&name),
            name,
            team,
            names_team: true,
            region: "virginia".into(),
            shield: false,
            state: "allocated".into(),
            generation: "cedar".into(),
        }
    }
}

rows! {
    Space of TeamId: |space| &space.name, |space| space.team;
}

impl Listed for Space {
    fn body(&self, organisation: &Organisation) -> Value {
        let (created, updated) = dates(self.id.uuid());
        let team = self.names_team.then(|| team_reference(organisation, self.team));
        json!({
            "id": self.id.to_string(),
            "name": self.name,
            "cidr": "10.0.0.0/16",
            "created_at": created,
            "data_cidr": "10.1.0.0/16",
            "generation": self.generation,
            "organization": team.as_ref().map(|team| json!({"name": team["name"]})),
            "region": named("region", &self.region),
            "shield": self.shield,
            "state": self.state,
            "team": team,
            "updated_at": updated,
        })
    }
}

//! The type `heroku_space`.

use integration_sdk::{EntityKind, Timestamp};

use crate::resource::{self, name_of};

/// A private space, which isolates its applications in a network of their own.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "heroku_space", class = "Network", resource = "Private Space")]
pub struct Space {
    /// The id that Heroku assigned.
    #[entity(key)]
    pub id: String,
    /// The name of the space.
    pub name: String,
    /// The id of the team that owns the space.
    pub team_id: Option<String>,
    /// The region of the space.
    pub region: Option<String>,
    /// Whether the space follows the stricter rules of Heroku Shield.
    pub shield: Option<bool>,
    /// The state: `allocating`, `allocated`, or `deleting`.
    pub state: Option<String>,
    /// The range of addresses of the space.
    #[entity(rename = "CIDR")]
    pub cidr: Option<String>,
    /// The range of addresses of the data services in the space.
    #[entity(rename = "dataCIDR")]
    pub data_cidr: Option<String>,
    /// Whether the network is separate from those of other customers; always true.
    pub internal: bool,
    /// Whether a rule allows connections from everywhere (`0.0.0.0/0`); absent if the rules could not be collected.
    pub public: Option<bool>,
    /// The ranges of addresses from which connections are allowed.
    pub inbound_sources: Option<Vec<String>>,
    /// The addresses from which connections leave the space.
    pub outbound_addresses: Option<Vec<String>>,
    /// The state of the outbound addresses: `disabled`, `updating`, or `enabled`.
    pub outbound_state: Option<String>,
    /// The generation of the platform: `cedar` or `fir`.
    pub generation: Option<String>,
    /// The address of the space in Heroku's dashboard.
    pub web_link: String,
    /// The time of its creation.
    pub created_on: Option<Timestamp>,
    /// The time of its last update.
    pub updated_on: Option<Timestamp>,
}

impl From<resource::Space> for Space {
    fn from(space: resource::Space) -> Self {
        Self {
            team_id: space.team.map(|team| team.id),
            region: name_of(space.region),
            shield: space.shield,
            state: space.state,
            cidr: space.cidr,
            data_cidr: space.data_cidr,
            internal: true,
            public: None,
            inbound_sources: None,
            outbound_addresses: None,
            outbound_state: None,
            generation: space.generation,
            web_link: format!("https://dashboard.heroku.com/spaces/{}", space.name),
            created_on: space.created_at,
            updated_on: space.updated_at,
            id: space.id,
            name: space.name,
        }
    }
}

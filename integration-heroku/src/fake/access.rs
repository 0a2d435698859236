//! Access of people to apps and spaces, and invitations to teams.

use uuid::Uuid;

use super::{
    ids::{AppId, InvitationId, PersonId, SpaceId, TeamId},
    resources::{App, Person, Role},
    spaces::Space,
    table::{Row, rows},
    text::Text,
};

/// An object that people have access to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shared {
    /// An app.
    App(AppId),
    /// A private space.
    Space(SpaceId),
}

/// The people who have access to an app or a space of a team, with their permissions.
#[derive(Debug, Clone, PartialEq)]
pub struct Access {
    /// The app or the space.
    pub to: Shared,
    /// The team that owns it.
    pub team: TeamId,
    /// The people with their permissions, such as `view`, `deploy`, `operate`, and `manage`.
    pub people: Vec<(PersonId, Vec<Text>)>,
}

impl Access {
    /// Creates the access to an app of a team that nobody has so far.
    ///
    /// # Panics
    /// If the app belongs to no team: no list contains the access to it.
    pub fn to_app(app: &App) -> Self {
        let team = app.team.expect("access is listed by team");
        Self { to: Shared::App(app.id), team, people: Vec::new() }
    }

    /// Creates the access to a space that nobody has so far.
    pub fn to_space(space: &Space) -> Self {
        Self { to: Shared::Space(space.id), team: space.team, people: Vec::new() }
    }

    /// The id of the app or the space.
    pub fn id(&self) -> Uuid {
        match self.to {
            Shared::App(app) => app.uuid(),
            Shared::Space(space) => space.uuid(),
        }
    }

    /// Gives a person permissions.
    #[must_use]
    pub fn of(mut self, person: PersonId, permissions: &[&'static str]) -> Self {
        self.people.push((person, permissions.iter().map(|name| (*name).into()).collect()));
        self
    }
}

impl Row for Access {
    type Parent = TeamId;

    fn uuid(&self) -> Uuid {
        self.id()
    }

    fn name(&self) -> &str {
        ""
    }

    fn parent(&self) -> TeamId {
        self.team
    }
}

/// A pending invitation to a team.
#[derive(Debug, Clone, PartialEq)]
pub struct Invitation {
    /// The id of the invitation. The token that accepts it is in no list.
    pub id: InvitationId,
    /// The team.
    pub team: TeamId,
    /// The invited person.
    pub invited: PersonId,
    /// The person who sent the invitation.
    pub invited_by: Option<PersonId>,
    /// The role that the invited person gets.
    pub role: Role,
}

impl Invitation {
    /// Creates an invitation.
    pub fn new(team: TeamId, invited: &Person, invited_by: PersonId, role: Role) -> Self {
        let id = InvitationId::derived(&format!("{team}/{}", invited.email));
        Self { id, team, invited: invited.id, invited_by: Some(invited_by), role }
    }
}

rows! {
    Invitation of TeamId: |_| "", |invitation| invitation.team;
}

//! The types of the graph: five entity types and five relationship types.

mod account;
mod addon;
mod application;
mod member;
mod team;

use integration_sdk::relationship;

pub use account::Account;
pub use addon::Addon;
pub use application::Application;
pub use member::{AccountMember, names};
pub use team::Team;

relationship!(
    /// The membership of a person in an enterprise account.
    pub AccountHasMember: Account -[HAS]-> AccountMember
);
relationship!(
    /// The membership of a team in an enterprise account.
    pub AccountHasTeam: Account -[HAS]-> Team
);
relationship!(
    /// The membership of a person in a team.
    pub TeamHasMember: Team -[HAS]-> AccountMember {
        /// The role in the team: `admin`, `collaborator`, `member`, or `owner`.
        role: Option<String>,
    }
);
relationship!(
    /// The ownership of an application by a team.
    pub TeamOwnsApplication: Team -[OWNS]-> Application
);
relationship!(
    /// The attachment of an add-on to an application.
    pub ApplicationHasAddon: Application -[HAS]-> Addon
);

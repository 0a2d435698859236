//! The graph of Heroku: five kinds of entities, five kinds of relationships.

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
    /// A person belongs to an enterprise account.
    pub AccountHasMember: Account -[HAS]-> AccountMember
);
relationship!(
    /// A team belongs to an enterprise account.
    pub AccountHasTeam: Account -[HAS]-> Team
);
relationship!(
    /// A person of the enterprise account works in a team.
    pub TeamHasMember: Team -[HAS]-> AccountMember {
        /// `admin`, `collaborator`, `member` or `owner`.
        role: Option<String>,
    }
);
relationship!(
    /// An application belongs to a team.
    pub TeamOwnsApplication: Team -[OWNS]-> Application
);
relationship!(
    /// An add-on serves an application.
    pub ApplicationHasAddon: Application -[HAS]-> Addon
);

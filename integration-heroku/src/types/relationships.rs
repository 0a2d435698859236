//! The types of relationships.

use integration_sdk::relationship;

use super::{Account, AccountMember, Addon, Application, Invitation, Space, Team, User};

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
    /// The membership of a person in a team, if the person is in no enterprise account.
    pub TeamHasUser: Team -[HAS]-> User {
        /// The role in the team: `admin`, `collaborator`, `member`, or `owner`.
        role: Option<String>,
    }
);
relationship!(
    /// A pending invitation to a team.
    pub TeamHasInvitation: Team -[HAS]-> Invitation
);
relationship!(
    /// The person who sent an invitation.
    pub MemberCreatedInvitation: AccountMember -[CREATED]-> Invitation
);
relationship!(
    /// The person who sent an invitation, if the person is in no enterprise account.
    pub UserCreatedInvitation: User -[CREATED]-> Invitation
);
relationship!(
    /// The access of a person to an application.
    pub MemberAssignedApplication: AccountMember -[ASSIGNED]-> Application {
        /// The permissions, such as `view`, `deploy`, `operate`, and `manage`.
        permissions: Vec<String>,
        /// Whether the person owns the application.
        owner: bool,
    }
);
relationship!(
    /// The access of a person to an application, if the person is in no enterprise account.
    pub UserAssignedApplication: User -[ASSIGNED]-> Application {
        /// The permissions, such as `view`, `deploy`, `operate`, and `manage`.
        permissions: Vec<String>,
        /// Whether the person owns the application.
        owner: bool,
    }
);
relationship!(
    /// The access of a person to a private space.
    pub MemberAssignedSpace: AccountMember -[ASSIGNED]-> Space {
        /// The permissions, such as `create_apps`.
        permissions: Vec<String>,
    }
);
relationship!(
    /// The access of a person to a private space, if the person is in no enterprise account.
    pub UserAssignedSpace: User -[ASSIGNED]-> Space {
        /// The permissions, such as `create_apps`.
        permissions: Vec<String>,
    }
);
relationship!(
    /// The ownership of an application by a team.
    pub TeamOwnsApplication: Team -[OWNS]-> Application
);
relationship!(
    /// The ownership of a private space by a team.
    pub TeamOwnsSpace: Team -[OWNS]-> Space
);
relationship!(
    /// The placement of an application in a private space.
    pub SpaceHasApplication: Space -[HAS]-> Application
);
relationship!(
    /// The attachment of an add-on to an application.
    pub ApplicationHasAddon: Application -[HAS]-> Addon
);

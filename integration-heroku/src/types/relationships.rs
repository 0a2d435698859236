//! The types of relationships.

use integration_sdk::relationship;

use super::{
    Account, AccountMember, Addon, AddonService, Application, IdentityProvider, Invitation, Pipeline,
    ProviderCertificate, Space, SpacePeering, SpaceVpnConnection, Team, User,
};

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
relationship!(
    /// The service of an add-on.
    pub AddonServiceHasAddon: AddonService -[HAS]-> Addon
);
relationship!(
    /// The use of an add-on of another application.
    pub ApplicationUsesAddon: Application -[USES]-> Addon {
        /// The names of the attachments, which begin the names of config vars.
        attachment_names: Vec<String>,
        /// The credentials of the add-on that the attachments use, if these are not the default ones.
        namespaces: Vec<String>,
        /// The addresses of the add-on's dashboard, without user information and query.
        web_links: Vec<String>,
        /// The addresses for the application's log, without user information and query.
        log_input_urls: Vec<String>,
    }
);
relationship!(
    /// The ownership of a pipeline by a team.
    pub TeamOwnsPipeline: Team -[OWNS]-> Pipeline
);
relationship!(
    /// The ownership of a pipeline by a person.
    pub MemberOwnsPipeline: AccountMember -[OWNS]-> Pipeline
);
relationship!(
    /// The ownership of a pipeline by a person in no enterprise account.
    pub UserOwnsPipeline: User -[OWNS]-> Pipeline
);
relationship!(
    /// The place of an application in a pipeline.
    pub PipelineHasApplication: Pipeline -[HAS]-> Application {
        /// The stage: `test`, `review`, `development`, `staging`, or `production`.
        stage: Option<String>,
    }
);
relationship!(
    /// The sign-in of an account's people through an identity provider.
    pub AccountUsesIdentityProvider: Account -[USES]-> IdentityProvider
);
relationship!(
    /// The sign-in of a team's people through an identity provider.
    pub TeamUsesIdentityProvider: Team -[USES]-> IdentityProvider
);
relationship!(
    /// A certificate with which an identity provider signs.
    pub IdentityProviderHasCertificate: IdentityProvider -[HAS]-> ProviderCertificate
);
relationship!(
    /// The connection of a private space with another network of AWS.
    pub SpaceHasPeering: Space -[HAS]-> SpacePeering
);
relationship!(
    /// The connection of a private space with another network by VPN.
    pub SpaceHasVpnConnection: Space -[HAS]-> SpaceVpnConnection
);

impl MemberAssignedApplication {
    /// Creates the access of the owner of a personal application. No list contains its permissions.
    pub fn of_owner() -> Self {
        Self { permissions: Vec::new(), owner: true }
    }
}

impl UserAssignedApplication {
    /// Creates the access of the owner of a personal application. No list contains its permissions.
    pub fn of_owner() -> Self {
        Self { permissions: Vec::new(), owner: true }
    }
}

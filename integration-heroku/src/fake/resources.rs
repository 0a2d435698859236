//! The parts of an organisation as typed data. The module `bodies` renders them as JSON.

use jiff::Timestamp;

use super::{
    ids::{
        AccountId, AccountMembershipId, AddonId, AppId, PersonId, TeamId, TeamMembershipId, created_at, later_than,
        mixed,
    },
    sign_in::{IdentityProvider, TeamSettings},
    table::rows,
    text::Text,
};

/// An enterprise account.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// The id of the account.
    pub id: AccountId,
    /// The name of the account.
    pub name: String,
    /// The permissions of the token's owner in the account.
    pub permissions: Vec<Permission>,
    /// Whether the account is on trial.
    pub trial: bool,
    /// The identity provider of the account.
    pub identity_provider: Option<IdentityProvider>,
}

impl Account {
    /// Creates an account with all permissions and without an identity provider.
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        let permissions = Permission::ALL.to_vec();
        Self { id: AccountId::derived(&name), name, permissions, trial: false, identity_provider: None }
    }
}

/// A permission in an enterprise account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// View members and teams.
    View,
    /// Create teams.
    Create,
    /// Manage members and teams.
    Manage,
    /// View invoices.
    Billing,
}

impl Permission {
    /// All permissions.
    pub const ALL: [Self; 4] = [Self::View, Self::Create, Self::Manage, Self::Billing];

    /// The name of the permission in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Create => "create",
            Self::Manage => "manage",
            Self::Billing => "billing",
        }
    }
}

/// A team.
#[derive(Debug, Clone, PartialEq)]
pub struct Team {
    /// The id of the team.
    pub id: TeamId,
    /// The name of the team.
    pub name: String,
    /// The enterprise account of the team.
    pub account: Option<AccountId>,
    /// Whether the body of the team names the account. Some real bodies omit it.
    pub names_account: bool,
    /// The role of the token's owner in the team.
    pub role: Option<Role>,
    /// Whether the team is the default of the token's owner.
    pub default: bool,
    /// The maximum number of members.
    pub membership_limit: Option<u32>,
    /// The identity provider of the team itself. Without one, it uses that of its account.
    pub identity_provider: Option<IdentityProvider>,
    /// The preferences and features of the team.
    pub settings: TeamSettings,
}

impl Team {
    /// Creates a team whose body names its account.
    pub fn new(name: impl Into<String>, account: Option<AccountId>) -> Self {
        let name = name.into();
        let (role, membership_limit) = (Some(Role::Admin), Some(500));
        let id = TeamId::derived(&name);
        Self {
            id,
            name,
            account,
            names_account: true,
            role,
            default: false,
            membership_limit,
            identity_provider: None,
            settings: TeamSettings::default(),
        }
    }
}

/// A role in a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Manages the team.
    Admin,
    /// Works on individual apps.
    Collaborator,
    /// Works on all apps of the team.
    Member,
    /// Owns the team.
    Owner,
}

impl Role {
    /// The name of the role in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Collaborator => "collaborator",
            Self::Member => "member",
            Self::Owner => "owner",
        }
    }
}

/// A person, with any number of memberships in accounts and teams.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    /// The id of the person, which bodies contain as `user.id`.
    pub id: PersonId,
    /// The e-mail address of the person.
    pub email: String,
    /// The full name, which only the bodies of team members contain.
    pub name: Option<String>,
    /// Whether the person signs in with a second factor.
    pub two_factor: bool,
    /// Whether the person signs in through an identity provider.
    pub federated: bool,
}

impl Person {
    /// Creates a person with a second factor and without an identity provider.
    pub fn new(email: impl Into<String>, name: Option<&str>) -> Self {
        let email = email.into();
        let id = PersonId::derived(&email);
        Self { id, email, name: name.map(str::to_owned), two_factor: true, federated: false }
    }
}

/// The membership of a person in an enterprise account.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountMembership {
    /// The id of the membership.
    pub id: AccountMembershipId,
    /// The account of the membership.
    pub account: AccountId,
    /// The person of the membership.
    pub person: PersonId,
    /// The permissions of the person in the account.
    pub permissions: Vec<Permission>,
}

impl AccountMembership {
    /// Creates a membership.
    pub fn new(account: AccountId, person: PersonId, permissions: Vec<Permission>) -> Self {
        Self { id: AccountMembershipId::derived(&format!("{account}/{person}")), account, person, permissions }
    }
}

/// The membership of a person in a team.
#[derive(Debug, Clone, PartialEq)]
pub struct TeamMembership {
    /// The id of the membership.
    pub id: TeamMembershipId,
    /// The team of the membership.
    pub team: TeamId,
    /// The person of the membership; `user` is null without one.
    pub person: Option<PersonId>,
    /// The e-mail address, which is always present.
    pub email: String,
    /// The role of the person in the team.
    pub role: Role,
}

impl TeamMembership {
    /// Creates the membership of a person.
    pub fn new(team: TeamId, person: &Person, role: Role) -> Self {
        Self { person: Some(person.id), ..Self::without_user(team, person.email.clone(), role) }
    }

    /// Creates a membership whose `user` is null.
    pub fn without_user(team: TeamId, email: impl Into<String>, role: Role) -> Self {
        let email = email.into();
        Self { id: TeamMembershipId::derived(&format!("{team}/{email}")), team, person: None, email, role }
    }
}

/// An app.
#[derive(Debug, Clone, PartialEq)]
pub struct App {
    /// The id of the app.
    pub id: AppId,
    /// The team that owns the app; `None` for a personal app.
    pub team: Option<TeamId>,
    /// Whether the app names the team in the list of the team. Some real bodies omit it there.
    pub names_team: bool,
    /// The name of the app.
    pub name: String,
    /// The person who owns the app.
    pub owner: Option<PersonId>,
    /// The region, such as `us` or `tokyo`.
    pub region: Text,
    /// The stack, such as `heroku-24` or `container`.
    pub stack: Text,
    /// The name of the private space in which the app runs.
    pub space: Option<Text>,
    /// Whether the app is reachable only from inside its space. Only apps in spaces have this field.
    pub internal_routing: Option<bool>,
    /// Whether the app has a web address.
    pub web: bool,
    /// Whether the app is in maintenance.
    pub maintenance: bool,
    /// Whether only members who joined the app may use it.
    pub locked: bool,
    /// The time at which the app was archived.
    pub archived_at: Option<Timestamp>,
    /// The time of the last release.
    pub released_at: Option<Timestamp>,
    /// The size of the repository in bytes.
    pub repo_size: Option<u64>,
    /// The size of the slug in bytes.
    pub slug_size: Option<u64>,
}

impl App {
    /// Creates a released app in the United States without an owner.
    pub fn new(team: impl Into<Option<TeamId>>, name: impl Into<String>) -> Self {
        let (team, name) = (team.into(), name.into());
        let id = AppId::derived(&name);
        let size = mixed(&name, 3) % 80_000_000;
        Self {
            id,
            team,
            names_team: true,
            owner: None,
            region: "us".into(),
            stack: "heroku-24".into(),
            space: None,
            internal_routing: None,
            web: true,
            maintenance: false,
            locked: false,
            archived_at: None,
            released_at: Some(later_than(created_at(id.uuid()), id.uuid())),
            repo_size: Some(size / 8),
            slug_size: Some(size),
            name,
        }
    }

    /// The public address of the app.
    pub fn web_url(&self) -> Option<String> {
        let suffix = mixed(&self.name, 4) & 0xffff_ffff_ffff;
        self.web.then(|| format!("https://{}-{suffix:012x}.herokuapp.com/", self.name))
    }
}

/// An add-on of an app.
#[derive(Debug, Clone, PartialEq)]
pub struct Addon {
    /// The id of the add-on.
    pub id: AddonId,
    /// The app that the add-on belongs to.
    pub app: AppId,
    /// The name of the add-on, such as `postgresql-curved-12345`.
    pub name: String,
    /// The plan, which starts with the service: `heroku-postgresql:standard-0`.
    pub plan: Text,
    /// The state of the add-on.
    pub state: AddonState,
    /// The price of the add-on.
    pub price: Option<Price>,
    /// The names of the config vars that the add-on sets. The fake has no values for them.
    pub config_vars: Vec<Text>,
    /// Whether the team pays instead of the app.
    pub billed_to_team: bool,
    /// Whether the add-on has a web address.
    pub web: bool,
}

impl Addon {
    /// Creates a provisioned add-on with the price and the config var of its plan.
    pub fn new(app: &App, name: impl Into<String>, plan: impl Into<Text>) -> Self {
        let (name, plan) = (name.into(), plan.into());
        let listed = super::catalogue::plan(&plan);
        Self {
            id: AddonId::derived(&name),
            app: app.id,
            state: AddonState::Provisioned,
            price: Some(Price { cents: listed.map_or(0, |listed| listed.cents), contract: false }),
            config_vars: listed.map(|listed| listed.config_var.into()).into_iter().collect(),
            billed_to_team: false,
            web: true,
            name,
            plan,
        }
    }

    /// The service, such as `heroku-postgresql`.
    pub fn service(&self) -> &str {
        self.plan.split_once(':').map_or(&*self.plan, |(service, _)| service)
    }

    /// The address of the add-on's dashboard.
    pub fn web_url(&self) -> Option<String> {
        self.web.then(|| format!("https://addons-sso.heroku.com/apps/{}/addons/{}", self.app, self.id))
    }
}

/// The state of an add-on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddonState {
    /// Heroku is still creating the add-on.
    Provisioning,
    /// The add-on is in use.
    Provisioned,
    /// Heroku is removing the add-on.
    Deprovisioned,
}

impl AddonState {
    /// The name of the state in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Provisioning => "provisioning",
            Self::Provisioned => "provisioned",
            Self::Deprovisioned => "deprovisioned",
        }
    }
}

/// A price per month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// The amount in US cents.
    pub cents: u32,
    /// Whether a contract determines the price.
    pub contract: bool,
}

rows! {
    Account of (): |account| &account.name, |_| ();
    Team of Option<AccountId>: |team| &team.name, |team| team.account;
    Person of (): |person| &person.email, |_| ();
    AccountMembership of AccountId: |_| "", |membership| membership.account;
    TeamMembership of TeamId: |membership| &membership.email, |membership| membership.team;
    App of Option<TeamId>: |app| &app.name, |app| app.team;
    Addon of AppId: |addon| &addon.name, |addon| addon.app;
}

//! What an organisation consists of, as typed data. How it looks in JSON is not said here.

use std::borrow::Cow;

use jiff::Timestamp;
use uuid::Uuid;

use super::{
    ids::{
        AccountId, AccountMembershipId, AddonId, AppId, PersonId, TeamId, TeamMembershipId, created_at, later_than,
        mixed,
    },
    table::Row,
};

/// A text that is mostly one of few, so that large organisations stay small in memory.
pub type Text = Cow<'static, str>;

/// An enterprise account.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Its name.
    pub name: String,
    /// What the asking person may do in it.
    pub permissions: Vec<Permission>,
    /// Whether it is on trial.
    pub trial: bool,
    /// The name of its identity provider.
    pub identity_provider: Option<Text>,
}

impl Account {
    /// An account with every permission and no identity provider.
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        let permissions = Permission::ALL.to_vec();
        Self { id: AccountId::derived(&name), name, permissions, trial: false, identity_provider: None }
    }
}

/// What a person may do in an enterprise account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// See members and teams.
    View,
    /// Create teams.
    Create,
    /// Manage members and teams.
    Manage,
    /// See invoices.
    Billing,
}

impl Permission {
    /// Each of them.
    pub const ALL: [Self; 4] = [Self::View, Self::Create, Self::Manage, Self::Billing];

    /// Its name in the API.
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
    /// Its id.
    pub id: TeamId,
    /// Its name.
    pub name: String,
    /// The enterprise account that it is in.
    pub account: Option<AccountId>,
    /// Whether its body names the account; real bodies sometimes do not.
    pub names_account: bool,
    /// The asking person's role in it.
    pub role: Option<Role>,
    /// Whether it is the asking person's default.
    pub default: bool,
    /// How many members it may have.
    pub membership_limit: Option<u32>,
}

impl Team {
    /// A team whose body names its account.
    pub fn new(name: impl Into<String>, account: Option<AccountId>) -> Self {
        let name = name.into();
        let (role, membership_limit) = (Some(Role::Admin), Some(500));
        let id = TeamId::derived(&name);
        Self { id, name, account, names_account: true, role, default: false, membership_limit }
    }
}

/// A role in a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Manages the team.
    Admin,
    /// Works on single apps.
    Collaborator,
    /// Works on the team's apps.
    Member,
    /// Owns the team.
    Owner,
}

impl Role {
    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Collaborator => "collaborator",
            Self::Member => "member",
            Self::Owner => "owner",
        }
    }
}

/// A person, in as many accounts and teams as may be.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    /// `user.id`.
    pub id: PersonId,
    /// The e-mail address.
    pub email: String,
    /// The name; team members' bodies tell it.
    pub name: Option<String>,
    /// Whether a second factor is on.
    pub two_factor: bool,
    /// Whether an identity provider vouches for the person.
    pub federated: bool,
}

impl Person {
    /// A person with a second factor, not federated.
    pub fn new(email: impl Into<String>, name: Option<&str>) -> Self {
        let email = email.into();
        let id = PersonId::derived(&email);
        Self { id, email, name: name.map(str::to_owned), two_factor: true, federated: false }
    }
}

/// A person in an enterprise account.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountMembership {
    /// Its own id.
    pub id: AccountMembershipId,
    /// The account.
    pub account: AccountId,
    /// The person.
    pub person: PersonId,
    /// What the person may do there.
    pub permissions: Vec<Permission>,
}

impl AccountMembership {
    /// A membership.
    pub fn new(account: AccountId, person: PersonId, permissions: Vec<Permission>) -> Self {
        Self { id: AccountMembershipId::derived(&format!("{account}/{person}")), account, person, permissions }
    }
}

/// A person in a team.
#[derive(Debug, Clone, PartialEq)]
pub struct TeamMembership {
    /// Its own id.
    pub id: TeamMembershipId,
    /// The team.
    pub team: TeamId,
    /// The person; `user` is null without one.
    pub person: Option<PersonId>,
    /// The e-mail address, which is there in any case.
    pub email: String,
    /// What the person is there.
    pub role: Role,
}

impl TeamMembership {
    /// The membership of a person.
    pub fn new(team: TeamId, person: &Person, role: Role) -> Self {
        Self { person: Some(person.id), ..Self::without_user(team, person.email.clone(), role) }
    }

    /// A membership whose `user` is null.
    pub fn without_user(team: TeamId, email: impl Into<String>, role: Role) -> Self {
        let email = email.into();
        Self { id: TeamMembershipId::derived(&format!("{team}/{email}")), team, person: None, email, role }
    }
}

/// An app.
#[derive(Debug, Clone, PartialEq)]
pub struct App {
    /// Its id.
    pub id: AppId,
    /// The team that it belongs to.
    pub team: TeamId,
    /// Whether its body names the team; real bodies sometimes do not.
    pub names_team: bool,
    /// Its name.
    pub name: String,
    /// Who owns it.
    pub owner: Option<PersonId>,
    /// Such as `us` or `tokyo`.
    pub region: Text,
    /// Such as `heroku-24` or `container`.
    pub stack: Text,
    /// The private space that it runs in.
    pub space: Option<Text>,
    /// Whether it is reached from within its space alone; only told for apps in spaces.
    pub internal_routing: Option<bool>,
    /// Whether it has a web address.
    pub web: bool,
    /// Whether it is in maintenance.
    pub maintenance: bool,
    /// Whether only members who joined may use it.
    pub locked: bool,
    /// Since when it is archived.
    pub archived_at: Option<Timestamp>,
    /// When it was last released.
    pub released_at: Option<Timestamp>,
    /// Bytes of its repository.
    pub repo_size: Option<u64>,
    /// Bytes of its slug.
    pub slug_size: Option<u64>,
}

impl App {
    /// A released app without an owner, in the United States.
    pub fn new(team: TeamId, name: impl Into<String>) -> Self {
        let name = name.into();
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

    /// The address under which the world reaches it.
    pub fn web_url(&self) -> Option<String> {
        let suffix = mixed(&self.name, 4) & 0xffff_ffff_ffff;
        self.web.then(|| format!("https://{}-{suffix:012x}.herokuapp.com/", self.name))
    }
}

/// An add-on of an app.
#[derive(Debug, Clone, PartialEq)]
pub struct Addon {
    /// Its id.
    pub id: AddonId,
    /// The app that it belongs to.
    pub app: AppId,
    /// Its name, such as `postgresql-curved-12345`.
    pub name: String,
    /// Its plan, service first: `heroku-postgresql:standard-0`.
    pub plan: Text,
    /// How far it has come.
    pub state: AddonState,
    /// What it costs.
    pub price: Option<Price>,
    /// Names of the config vars that it sets; values are nowhere.
    pub config_vars: Vec<Text>,
    /// Whether the team pays, rather than the app.
    pub billed_to_team: bool,
    /// Whether it has a web address.
    pub web: bool,
}

impl Addon {
    /// A provisioned add-on with what the catalogue says of its plan.
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

    /// The address of its dashboard.
    pub fn web_url(&self) -> Option<String> {
        self.web.then(|| format!("https://addons-sso.heroku.com/apps/{}/addons/{}", self.app, self.id))
    }
}

/// How far an add-on has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddonState {
    /// Not there yet.
    Provisioning,
    /// There.
    Provisioned,
    /// Going away.
    Deprovisioned,
}

impl AddonState {
    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Provisioning => "provisioning",
            Self::Provisioned => "provisioned",
            Self::Deprovisioned => "deprovisioned",
        }
    }
}

/// A price a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// Hundredths of a dollar.
    pub cents: u32,
    /// Whether a contract sets it.
    pub contract: bool,
}

macro_rules! rows {
    ($($row:ident of $parent:ty: $name:expr, $owner:expr;)*) => {$(
        impl Row for $row {
            type Parent = $parent;

            fn uuid(&self) -> Uuid {
                self.id.uuid()
            }

            fn name(&self) -> &str {
                let name: fn(&Self) -> &str = $name;
                name(self)
            }

            fn parent(&self) -> $parent {
                let parent: fn(&Self) -> $parent = $owner;
                parent(self)
            }
        }
    )*};
}

rows! {
    Account of (): |account| &account.name, |_| ();
    Team of Option<AccountId>: |team| &team.name, |team| team.account;
    Person of (): |person| &person.email, |_| ();
    AccountMembership of AccountId: |_| "", |membership| membership.account;
    TeamMembership of TeamId: |membership| &membership.email, |membership| membership.team;
    App of TeamId: |app| &app.name, |app| app.team;
    Addon of AppId: |addon| &addon.name, |addon| addon.app;
}

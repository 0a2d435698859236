//! The organisation that a fake Heroku serves: its parts and their memberships.

use super::{
    access::{Access, Invitation},
    addon_services::AddonService,
    catalogue::PLANS,
    ids::{AccountId, AppId, PersonId, PipelineId, SpaceId, TeamId},
    pipelines::{Attachment, Coupling, Pipeline},
    resources::{Account, AccountMembership, Addon, App, Person, Team, TeamMembership},
    spaces::Space,
    table::Table,
};

/// A made-up customer of Heroku. Adding an element again has no effect.
#[derive(Debug, Clone, Default)]
pub struct Organisation {
    pub(crate) accounts: Table<Account>,
    pub(crate) teams: Table<Team>,
    pub(crate) people: Table<Person>,
    pub(crate) account_memberships: Table<AccountMembership>,
    pub(crate) team_memberships: Table<TeamMembership>,
    pub(crate) apps: Table<App>,
    pub(crate) addons: Table<Addon>,
    pub(crate) addon_services: Table<AddonService>,
    pub(crate) spaces: Table<Space>,
    pub(crate) access: Table<Access>,
    pub(crate) invitations: Table<Invitation>,
    pub(crate) pipelines: Table<Pipeline>,
    pub(crate) couplings: Table<Coupling>,
    pub(crate) attachments: Table<Attachment>,
}

impl Organisation {
    /// An organisation without any elements.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Adds an enterprise account.
    pub fn add_account(&mut self, account: Account) -> AccountId {
        let id = account.id;
        self.accounts.add(account);
        id
    }

    /// Adds a team.
    pub fn add_team(&mut self, team: Team) -> TeamId {
        let id = team.id;
        self.teams.add(team);
        id
    }

    /// Replaces the team with the same id, which stays in its account.
    pub fn update_team(&mut self, team: Team) {
        self.teams.replace(team);
    }

    /// Adds a person without any membership.
    pub fn add_person(&mut self, person: Person) -> PersonId {
        let id = person.id;
        self.people.add(person);
        id
    }

    /// Adds a person to an enterprise account.
    pub fn add_account_membership(&mut self, membership: AccountMembership) {
        self.account_memberships.add(membership);
    }

    /// Adds a person to a team.
    pub fn add_team_membership(&mut self, membership: TeamMembership) {
        self.team_memberships.add(membership);
    }

    /// Adds an app to its team.
    pub fn add_app(&mut self, app: App) -> AppId {
        let id = app.id;
        self.apps.add(app);
        id
    }

    /// Replaces the app with the same id, which stays in its team.
    pub fn update_app(&mut self, app: App) {
        self.apps.replace(app);
    }

    /// Adds a service to the catalogue. A service that an add-on has already added stays as it is.
    pub fn add_addon_service(&mut self, service: AddonService) {
        self.addon_services.add(service);
    }

    /// Adds the services of all known plans to the catalogue, whether the organisation has add-ons of them or not.
    pub(super) fn add_known_services(&mut self) {
        for plan in &PLANS {
            let service = plan.name.split(':').next().unwrap_or(plan.name);
            self.add_addon_service(AddonService::new(service));
        }
    }

    /// Adds an add-on to its app, with its attachment. Its service is added to the catalogue as well.
    pub fn add_addon(&mut self, addon: Addon) {
        self.addon_services.add(AddonService::new(addon.service()));
        self.attachments.add(Attachment::own(&addon));
        self.addons.add(addon);
    }

    /// Attaches an add-on to a further app, or under a further name.
    pub fn add_attachment(&mut self, attachment: Attachment) {
        self.attachments.add(attachment);
    }

    /// Adds a pipeline without apps.
    pub fn add_pipeline(&mut self, pipeline: Pipeline) -> PipelineId {
        let id = pipeline.id;
        self.pipelines.add(pipeline);
        id
    }

    /// Adds an app to a stage of a pipeline.
    pub fn add_coupling(&mut self, coupling: Coupling) {
        self.couplings.add(coupling);
    }

    /// Adds a private space to its team.
    pub fn add_space(&mut self, space: Space) -> SpaceId {
        let id = space.id;
        self.spaces.add(space);
        id
    }

    /// Adds the access to an app or a space. Adding it again has no effect.
    pub fn add_access(&mut self, access: Access) {
        self.access.add(access);
    }

    /// Adds an invitation to a team.
    pub fn add_invitation(&mut self, invitation: Invitation) {
        self.invitations.add(invitation);
    }

    /// All enterprise accounts.
    pub fn accounts(&self) -> impl ExactSizeIterator<Item = &Account> {
        self.accounts.rows().iter()
    }

    /// All teams.
    pub fn teams(&self) -> impl ExactSizeIterator<Item = &Team> {
        self.teams.rows().iter()
    }

    /// All people, each once, including people without an account.
    pub fn people(&self) -> impl ExactSizeIterator<Item = &Person> {
        self.people.rows().iter()
    }

    /// All memberships in enterprise accounts.
    pub fn account_memberships(&self) -> impl ExactSizeIterator<Item = &AccountMembership> {
        self.account_memberships.rows().iter()
    }

    /// All memberships in teams.
    pub fn team_memberships(&self) -> impl ExactSizeIterator<Item = &TeamMembership> {
        self.team_memberships.rows().iter()
    }

    /// All apps.
    pub fn apps(&self) -> impl ExactSizeIterator<Item = &App> {
        self.apps.rows().iter()
    }

    /// All add-ons.
    pub fn addons(&self) -> impl ExactSizeIterator<Item = &Addon> {
        self.addons.rows().iter()
    }

    /// All services of the catalogue.
    pub fn addon_services(&self) -> impl ExactSizeIterator<Item = &AddonService> {
        self.addon_services.rows().iter()
    }

    /// All private spaces.
    pub fn spaces(&self) -> impl ExactSizeIterator<Item = &Space> {
        self.spaces.rows().iter()
    }

    /// The access to all apps and spaces.
    pub fn access(&self) -> impl ExactSizeIterator<Item = &Access> {
        self.access.rows().iter()
    }

    /// All pending invitations.
    pub fn invitations(&self) -> impl ExactSizeIterator<Item = &Invitation> {
        self.invitations.rows().iter()
    }

    /// All pipelines.
    pub fn pipelines(&self) -> impl ExactSizeIterator<Item = &Pipeline> {
        self.pipelines.rows().iter()
    }

    /// The places of all apps in pipelines.
    pub fn couplings(&self) -> impl ExactSizeIterator<Item = &Coupling> {
        self.couplings.rows().iter()
    }

    /// The attachments of all add-ons, including those to their own apps.
    pub fn attachments(&self) -> impl ExactSizeIterator<Item = &Attachment> {
        self.attachments.rows().iter()
    }

    /// The teams of an enterprise account.
    pub fn teams_of(&self, account: AccountId) -> impl Iterator<Item = &Team> {
        self.teams.of(Some(account))
    }

    /// The members of an enterprise account.
    pub fn members_of_account(&self, account: AccountId) -> impl Iterator<Item = &AccountMembership> {
        self.account_memberships.of(account)
    }

    /// The members of a team.
    pub fn members_of_team(&self, team: TeamId) -> impl Iterator<Item = &TeamMembership> {
        self.team_memberships.of(team)
    }

    /// The apps of a team.
    pub fn apps_of(&self, team: TeamId) -> impl Iterator<Item = &App> {
        self.apps.of(Some(team))
    }

    /// The add-ons of an app.
    pub fn addons_of_app(&self, app: AppId) -> impl Iterator<Item = &Addon> {
        self.addons.of(app)
    }

    /// The add-ons of all apps of a team.
    pub fn addons_of_team(&self, team: TeamId) -> impl Iterator<Item = &Addon> {
        self.apps_of(team).flat_map(|app| self.addons_of_app(app.id))
    }

    /// Returns the enterprise account with an id.
    pub fn account(&self, id: AccountId) -> Option<&Account> {
        self.accounts.get(id.uuid())
    }

    /// Returns the team with an id.
    pub fn team(&self, id: TeamId) -> Option<&Team> {
        self.teams.get(id.uuid())
    }

    /// Returns the person with an id.
    pub fn person(&self, id: PersonId) -> Option<&Person> {
        self.people.get(id.uuid())
    }

    /// Returns the private space with an id.
    pub fn space(&self, id: SpaceId) -> Option<&Space> {
        self.spaces.get(id.uuid())
    }

    /// Returns the app with an id.
    pub fn app(&self, id: AppId) -> Option<&App> {
        self.apps.get(id.uuid())
    }
}

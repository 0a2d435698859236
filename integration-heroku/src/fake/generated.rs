//! Generated organisations of any size. Equal sizes and seeds give equal organisations.

use super::{
    access::{Access, Invitation},
    catalogue::{FAMILY_NAMES, GIVEN_NAMES, PLANS, SHAPES, addon_name},
    ids::{AccountId, PersonId, TeamId, created_at, finished},
    organisation::Organisation,
    pipelines::{Attachment, Coupling, Pipeline, PipelineOwner},
    resources::{Account, AccountMembership, Addon, AddonState, App, Permission, Person, Role, Team, TeamMembership},
    sign_in::IdentityProvider,
    spaces::Space,
};

const REGIONS: [&str; 4] = ["us", "us", "eu", "eu"];
const PRIVATE_REGIONS: [&str; 4] = ["tokyo", "frankfurt", "sydney", "virginia"];
const STACKS: [&str; 4] = ["heroku-22", "heroku-24", "heroku-24", "container"];
const PRIVATE_SPACE: &str = "kestrel-private";
const PERMISSIONS: [&str; 4] = ["view", "deploy", "operate", "manage"];
const ROLES: [Role; 6] = [Role::Member, Role::Member, Role::Member, Role::Collaborator, Role::Admin, Role::Owner];

/// The size of a generated organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrganisationSize {
    /// The number of enterprise accounts. Without an account, all teams are independent.
    pub accounts: usize,
    /// The number of teams, distributed over the accounts. Without a team, there are no apps.
    pub teams: usize,
    /// The number of people. 5 % are in two accounts; 4 % are in no account but in one team.
    pub people: usize,
    /// The number of apps, distributed over the teams. Every tenth team has none.
    pub apps: usize,
    /// The number of add-ons, distributed over the apps. Without an app, there are none.
    pub addons: usize,
    /// The seed. A different seed gives a different organisation of the same size.
    pub seed: u64,
}

impl Organisation {
    /// Generates an organisation.
    pub fn of_size(size: OrganisationSize) -> Self {
        let mut organisation = Self::empty();
        organisation.add_known_services();
        let mut dice = Dice(size.seed);
        let accounts: Vec<_> = (0..size.accounts).map(|n| organisation.add_account(account(n, &mut dice))).collect();
        let teams: Vec<_> = (0..size.teams)
            .map(|n| {
                let account = accounts.get(n % accounts.len().max(1)).copied();
                organisation.add_team(Team {
                    names_account: n % 7 != 3,
                    ..Team::new(format!("kestrel-{}-{n}", dice.pick(&SHAPES)), account)
                })
            })
            .collect();
        for n in 0..size.people {
            organisation.add_generated_person(n, &accounts, &teams, &mut dice);
        }
        organisation.add_generated_apps(size, &teams, &mut dice);
        organisation.add_generated_access(&teams, &mut dice);
        organisation.add_generated_pipelines(&teams);
        organisation
    }

    fn add_generated_person(&mut self, n: usize, accounts: &[AccountId], teams: &[TeamId], dice: &mut Dice) {
        let (given, family) = (dice.pick(&GIVEN_NAMES), dice.pick(&FAMILY_NAMES));
        let person = Person {
            two_factor: dice.below(10) > 0,
            federated: dice.below(4) == 0,
            ..Person::new(format!("person.{n}@kestrel.example.com"), Some(&format!("{given} {family}")))
        };
        let outside = n % 25 == 24 && !teams.is_empty();
        let memberships = if outside { 0 } else { 1 + usize::from(n % 20 == 19) };
        for offset in 0..memberships.min(accounts.len()) {
            let account = accounts[(n + offset) % accounts.len()];
            let permissions = Permission::ALL[..=dice.below(3)].to_vec();
            self.add_account_membership(AccountMembership::new(account, person.id, permissions));
        }
        let joined = if outside { 1 } else { dice.below(3) };
        for offset in 0..joined.min(teams.len()) {
            let team = teams[(n * 7 + offset) % teams.len()];
            self.add_team_membership(TeamMembership::new(team, &person, *dice.pick(&ROLES)));
        }
        self.add_person(person);
    }

    fn add_generated_apps(&mut self, size: OrganisationSize, teams: &[TeamId], dice: &mut Dice) {
        let with_apps: Vec<TeamId> =
            teams.iter().enumerate().filter(|(n, _)| n % 10 != 9).map(|(_, team)| *team).collect();
        if with_apps.is_empty() {
            return;
        }
        let owners: Vec<PersonId> = self.people().map(|person| person.id).collect();
        let mut apps = Vec::with_capacity(size.apps);
        for n in 0..size.apps {
            let app = app(n, with_apps[n % with_apps.len()], &owners, dice);
            apps.push(app.clone());
            self.add_app(app);
        }
        for n in 0..if apps.is_empty() { 0 } else { size.addons } {
            let host = &apps[dice.below(apps.len())];
            self.add_addon(addon(n, host, dice));
        }
    }

    /// Adds a space, access of up to three people to each app, and an invitation to every fifth team.
    fn add_generated_access(&mut self, teams: &[TeamId], dice: &mut Dice) {
        let people: Vec<Person> = self.people().cloned().collect();
        let (Some(first), false) = (teams.first(), people.is_empty()) else { return };
        self.add_space(Space { shield: true, ..Space::new(PRIVATE_SPACE, *first) });
        let apps: Vec<App> = self.apps().cloned().collect();
        for app in &apps {
            let mut access = Access::to_app(app);
            for _ in 0..dice.below(4) {
                let person = dice.pick(&people).id;
                if access.people.iter().all(|(other, _)| *other != person) {
                    access = access.of(person, &PERMISSIONS[..=dice.below(PERMISSIONS.len())]);
                }
            }
            self.add_access(access);
        }
        for team in teams.iter().step_by(5) {
            let (invited, sender) = (dice.pick(&people), dice.pick(&people).id);
            self.add_invitation(Invitation::new(*team, invited, sender, Role::Member));
        }
    }
}

impl Organisation {
    /// Adds a pipeline for every fourth app, in which the next two apps are, and shares every fortieth add-on.
    fn add_generated_pipelines(&mut self, teams: &[TeamId]) {
        let apps: Vec<App> = self.apps().cloned().collect();
        for (n, app) in apps.iter().enumerate().step_by(4) {
            let Some(team) = app.team.or(teams.first().copied()) else { return };
            let pipeline = Pipeline::new(format!("pipeline-{n}"), PipelineOwner::Team(team));
            self.add_coupling(Coupling::new(&pipeline, app.id, "production"));
            if let Some(next) = apps.get(n + 1) {
                self.add_coupling(Coupling::new(&pipeline, next.id, "staging"));
            }
            self.add_pipeline(pipeline);
        }
        let shared: Vec<Addon> = self.addons().step_by(40).cloned().collect();
        for (addon, app) in shared.iter().zip(apps.iter().rev()) {
            self.add_attachment(Attachment::new(app.id, addon, "SHARED"));
        }
    }
}

fn account(n: usize, dice: &mut Dice) -> Account {
    let account = Account::new(format!("kestrel-{}-{n}", dice.pick(&SHAPES)));
    let identity_provider = n.is_multiple_of(2).then(|| IdentityProvider::new("Okta Zürich", &account.name));
    Account { trial: n % 5 == 4, identity_provider, ..account }
}

fn app(n: usize, team: TeamId, owners: &[PersonId], dice: &mut Dice) -> App {
    let app = App::new(team, format!("{}-{}-{n}", dice.pick(&SHAPES), dice.pick(&SHAPES)));
    let private = dice.below(20) == 0;
    App {
        names_team: dice.below(50) > 0,
        owner: owners.get(dice.below(owners.len() + 1)).copied().filter(|_| dice.below(50) > 0),
        region: (*dice.pick(if private { &PRIVATE_REGIONS } else { &REGIONS })).into(),
        stack: (*dice.pick(&STACKS)).into(),
        space: private.then_some(PRIVATE_SPACE.into()),
        internal_routing: private.then_some(dice.below(2) == 0),
        web: dice.below(30) > 0,
        maintenance: dice.below(40) == 0,
        locked: dice.below(40) == 0,
        archived_at: (dice.below(60) == 0).then(|| created_at(app.id.uuid())),
        ..app
    }
}

fn addon(n: usize, app: &App, dice: &mut Dice) -> Addon {
    let plan = dice.pick(&PLANS).name;
    let service = plan.split(':').next().unwrap_or(plan);
    let addon = Addon::new(app, addon_name(service, n), plan);
    let state = match dice.below(50) {
        0 => AddonState::Provisioning,
        1 => AddonState::Deprovisioned,
        _ => AddonState::Provisioned,
    };
    Addon {
        state,
        price: addon.price.filter(|_| dice.below(50) > 0),
        billed_to_team: dice.below(3) == 0,
        web: dice.below(30) > 0,
        ..addon
    }
}

/// A generator of pseudo-random numbers (SplitMix64).
struct Dice(u64);

impl Dice {
    /// A number below `sides`, or 0 if `sides` is 0.
    fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        (finished(self.0) % sides.max(1) as u64) as usize
    }

    fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }
}

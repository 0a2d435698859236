//! Small organisations with every awkward case of real ones.

use integration_heroku::fake::{
    Access, Account, AccountMembership, Addon, App, Attachment, Coupling, Invitation, Organisation, Peering,
    Permission, Person, Pipeline, PipelineOwner, Role, Space, Team, TeamId, TeamMembership, VpnConnection,
};
use proptest::prelude::*;

/// The shape of an organisation. The numbers select accounts, teams, and apps by index.
#[derive(Debug, Clone)]
pub struct Shape {
    accounts: usize,
    /// The account of each team. Every fifth team has none.
    teams: Vec<usize>,
    /// For each person: the accounts, the teams, and whether the API returns the name.
    people: Vec<(Vec<usize>, Vec<usize>, bool)>,
    /// The team of each app.
    apps: Vec<usize>,
    /// The app of each add-on.
    addons: Vec<usize>,
    /// The teams that have a membership without a user.
    nobody: Vec<usize>,
}

/// Organisations of up to a few dozen elements. `largest` limits each kind.
pub fn shapes(largest: usize) -> impl Strategy<Value = Shape> {
    use proptest::collection::vec;
    let some = move |of: usize| vec(0..64_usize, 0..=of);
    let person = (vec(0..64_usize, 0..3), vec(0..64_usize, 0..4), any::<bool>());
    (0..4_usize, some(largest / 2), vec(person, 0..=largest), some(largest), some(2 * largest), some(2)).prop_map(
        |(accounts, teams, people, apps, addons, nobody)| Shape { accounts, teams, people, apps, addons, nobody },
    )
}

fn pick<T: Copy>(from: &[T], number: usize) -> Option<T> {
    from.get(number.checked_rem(from.len())?).copied()
}

impl Shape {
    /// Builds the organisation.
    pub fn build(&self) -> Organisation {
        let mut built = Organisation::empty();
        let accounts: Vec<_> =
            (0..self.accounts).map(|n| built.add_account(Account::new(format!("wren-{n}")))).collect();
        let mut teams = Vec::new();
        for (n, account) in self.teams.iter().enumerate() {
            let account = pick(&accounts, *account).filter(|_| n % 5 != 4);
            let team = Team::new(format!("wren-team-{n}"), account);
            teams.push(built.add_team(Team { names_account: n % 3 != 1, ..team }));
        }
        for (n, (in_accounts, in_teams, named)) in self.people.iter().enumerate() {
            let name = format!("Zoë Ånd-{n} 佐藤");
            let person = Person::new(format!("person.{n}@wren.example.com"), named.then_some(name.as_str()));
            for account in in_accounts.iter().filter_map(|number| pick(&accounts, *number)) {
                let permissions = Permission::ALL[..=n % 4].to_vec();
                built.add_account_membership(AccountMembership::new(account, person.id, permissions));
            }
            for team in in_teams.iter().filter_map(|number| pick(&teams, *number)) {
                built.add_team_membership(TeamMembership::new(team, &person, Role::Member));
            }
            built.add_person(person);
        }
        for team in self.nobody.iter().filter_map(|number| pick(&teams, *number)) {
            built.add_team_membership(TeamMembership::without_user(team, "gone@wren.example.com", Role::Admin));
        }
        self.add_apps(&mut built, &teams);
        add_access(&mut built, &teams);
        add_pipelines(&mut built, &teams);
        built
    }

    fn add_apps(&self, built: &mut Organisation, teams: &[TeamId]) {
        let owners: Vec<_> = built.people().map(|person| person.id).collect();
        let mut apps = Vec::new();
        for (n, team) in self.apps.iter().enumerate() {
            let Some(team) = pick(teams, *team) else { break };
            let app = App::new(team, format!("wren-app-{n}"));
            let app =
                App { owner: pick(&owners, n).filter(|_| n % 3 != 0), names_team: n % 4 != 1, web: n % 5 != 2, ..app };
            let app = App { team: app.team.filter(|_| n % 7 != 5), ..app };
            let app = App { space: n.is_multiple_of(4).then(|| format!("wren-space-{}", n % 3).into()), ..app };
            apps.push(app.clone());
            built.add_app(app);
        }
        for (n, app) in self.addons.iter().enumerate() {
            let Some(app) = app.checked_rem(apps.len()).map(|at| &apps[at]) else { break };
            built.add_addon(Addon {
                web: n % 3 != 1,
                ..Addon::new(app, format!("wren-addon-{n}"), "heroku-redis:mini")
            });
        }
    }
}

/// Adds spaces, access of people to apps and spaces, and invitations. Everyone may be outside the accounts.
fn add_access(built: &mut Organisation, teams: &[TeamId]) {
    let people: Vec<Person> = built.people().cloned().collect();
    for (n, team) in teams.iter().enumerate().take(2) {
        let peering =
            Peering { pcx_id: format!("pcx-{n}").into(), status: "active".into(), cidr: "10.2.0.0/16".into() };
        let vpn = VpnConnection {
            name: format!("office-{n}").into(),
            public_ip: "198.51.100.9".into(),
            pre_shared_key: "not-a-real-key".into(),
        };
        let space = Space {
            names_team: n == 0,
            peerings: vec![peering],
            vpn_connections: vec![vpn],
            ..Space::new(format!("wren-space-{n}"), *team)
        };
        let creator = pick(&people.iter().map(|person| person.id).collect::<Vec<_>>(), n + 1);
        built.add_access(creator.iter().fold(Access::to_space(&space), |to, person| to.of(*person, &["create_apps"])));
        built.add_space(space);
    }
    let apps: Vec<App> = built.apps().filter(|app| app.team.is_some()).cloned().collect();
    for (n, app) in apps.iter().enumerate().filter(|(n, _)| n % 5 != 3) {
        let with_access = people.iter().enumerate().filter(|(at, _)| (at + n).is_multiple_of(3));
        let access = with_access.fold(Access::to_app(app), |to, (_, person)| to.of(person.id, &["view", "deploy"]));
        built.add_access(access);
    }
    for (n, (invited, sender)) in people.iter().zip(people.iter().rev()).enumerate().take(3) {
        let Some(team) = teams.get(n) else { break };
        let invitation = Invitation::new(*team, invited, sender.id, Role::Member);
        built.add_invitation(Invitation { invited_by: invitation.invited_by.filter(|_| n != 1), ..invitation });
    }
}

/// Adds pipelines of teams and people, places of apps in them, and add-ons that two apps share.
fn add_pipelines(built: &mut Organisation, teams: &[TeamId]) {
    let people: Vec<_> = built.people().map(|person| person.id).collect();
    let apps: Vec<App> = built.apps().cloned().collect();
    let owners = teams.iter().take(2).map(|team| PipelineOwner::Team(*team));
    let owners = owners.chain(people.iter().take(1).map(|person| PipelineOwner::Person(*person)));
    let pipelines: Vec<_> = owners.enumerate().map(|(n, owner)| Pipeline::new(format!("wren-{n}"), owner)).collect();
    for (pipeline, app) in pipelines.iter().cycle().zip(&apps) {
        built.add_coupling(Coupling::new(pipeline, app.id, "production"));
    }
    for pipeline in pipelines {
        built.add_pipeline(pipeline);
    }
    let addons: Vec<Addon> = built.addons().cloned().collect();
    for (addon, app) in addons.iter().step_by(3).zip(&apps) {
        built.add_attachment(Attachment::new(app.id, addon, "SHARED"));
    }
}

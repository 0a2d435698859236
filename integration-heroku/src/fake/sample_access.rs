//! The access of people in the built-in organisation, and its spaces and invitations.

use super::{
    access::{Access, Invitation},
    ids::{PersonId, TeamId, mixed},
    organisation::Organisation,
    resources::{App, Person, Role},
    spaces::{Peering, Space, VpnConnection},
};

const VIEW: [&str; 1] = ["view"];
const DEPLOY: [&str; 2] = ["view", "deploy"];
const OPERATE: [&str; 3] = ["view", "deploy", "operate"];
const MANAGE: [&str; 4] = ["view", "deploy", "operate", "manage"];

/// People in no account and in no team.
struct Outsiders {
    /// An agency's developer with access to two apps.
    freelancer: PersonId,
    /// A former colleague who still has access to an app and to a space.
    leaver: PersonId,
}

impl Organisation {
    /// Adds spaces, invitations, and access. `people` are the members of accounts, followed by the contractor.
    /// Returns the former colleague.
    pub(super) fn add_sample_access(&mut self, teams: [TeamId; 4], people: &[PersonId]) -> Person {
        let leaver =
            Person { two_factor: false, ..Person::new("marek.novak@kestrel.example.com", Some("Marek Novák")) };
        let outsiders = Outsiders {
            freelancer: self.add_person(Person::new("lena.fischer@agency.example.net", Some("Lena Fischer"))),
            leaver: self.add_person(leaver.clone()),
        };
        let apps: Vec<App> = self.apps().cloned().collect();
        for app in &apps {
            let access = self.sample_access(app, people, &outsiders);
            self.add_access(access);
        }
        self.add_sample_spaces(teams, people, &outsiders);
        self.add_sample_invitations(teams, people[0], outsiders.leaver);
        leaver
    }

    fn sample_access(&self, app: &App, people: &[PersonId], outsiders: &Outsiders) -> Access {
        let mut access = Access::to_app(app);
        if let Some(owner) = app.owner {
            access = access.of(owner, &MANAGE);
        }
        for membership in app.team.into_iter().flat_map(|team| self.members_of_team(team)) {
            let Some(person) = membership.person.filter(|person| app.owner != Some(*person)) else { continue };
            let is_on_app = mixed(&format!("{}/{person}", app.name), 8).is_multiple_of(3);
            match membership.role {
                Role::Admin | Role::Owner => access = access.of(person, &MANAGE),
                Role::Member if is_on_app => access = access.of(person, &OPERATE),
                Role::Member | Role::Collaborator => {}
            }
        }
        let contractor = people[people.len() - 1];
        match app.name.as_str() {
            "kestrel-shop" => access.of(contractor, &DEPLOY),
            "kestrel-shop-staging" => access.of(contractor, &OPERATE).of(outsiders.freelancer, &VIEW),
            "kestrel-checkout" => access.of(outsiders.freelancer, &DEPLOY),
            "kestrel-billing" => access.of(outsiders.leaver, &MANAGE),
            _ => access,
        }
    }

    fn add_sample_spaces(&mut self, teams: [TeamId; 4], people: &[PersonId], outsiders: &Outsiders) {
        let tokyo = Space {
            region: "tokyo".into(),
            allowed_sources: vec!["203.0.113.0/24".into(), "0.0.0.0/0".into()],
            ..Space::new("kestrel-tokyo", teams[1])
        };
        let private = Space {
            shield: true,
            names_team: false,
            peerings: vec![Peering {
                pcx_id: "pcx-0a1b2c3d4e".into(),
                status: "active".into(),
                cidr: "10.20.0.0/16".into(),
            }],
            vpn_connections: vec![VpnConnection {
                name: "harbour-office".into(),
                public_ip: "198.51.100.99".into(),
                pre_shared_key: "not-a-real-pre-shared-key".into(),
            }],
            ..Space::new("kestrel-private", teams[2])
        };
        let next = Space {
            outbound_addresses: Vec::new(),
            state: "allocating".into(),
            generation: "fir".into(),
            region: "frankfurt".into(),
            ..Space::new("kestrel-next", teams[0])
        };
        self.add_access(Access::to_space(&tokyo).of(people[0], &["create_apps"]));
        self.add_access(
            Access::to_space(&private).of(people[20], &["create_apps"]).of(outsiders.leaver, &["create_apps"]),
        );
        for space in [tokyo, private, next] {
            self.add_space(space);
        }
    }

    fn add_sample_invitations(&mut self, teams: [TeamId; 4], admin: PersonId, leaver: PersonId) {
        let guest = Person::new("nadia.osei@partner.example.net", Some("Nadia Osei"));
        let newcomer = Person::new("new.colleague@kestrel.example.com", None);
        self.add_invitation(Invitation::new(teams[1], &guest, admin, Role::Collaborator));
        self.add_invitation(Invitation::new(teams[0], &newcomer, leaver, Role::Admin));
        self.add_invitation(Invitation {
            invited_by: None,
            ..Invitation::new(teams[3], &newcomer, admin, Role::Member)
        });
        for person in [guest, newcomer] {
            self.add_person(person);
        }
    }
}

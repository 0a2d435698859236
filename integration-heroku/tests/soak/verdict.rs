//! A check that a summary describes a graph correctly.
//!
//! Every object of the organisation must be in the graph or be covered by a gap, and the graph must contain no other
//! objects.

use std::collections::{BTreeMap, BTreeSet};

use integration_heroku::fake::{Access, LoggedRequest, Organisation, Space};
use integration_sdk::graph::run::{ErrorCode, Gap, Parent, StepReport, Summary, VANISHED};
use integration_sdk::store::JobState;
use serde_json::Value;

use crate::collection::ATTEMPTS;
use crate::expected::{Expected, graph_of};
use crate::script::{List, Trouble};

const MAY_BE_MISSING: &str = "the applications of these add-ons may be among those that were not collected";
const LEFT_OUT: &str = "omitted because an entity at one of their ends";
const MAY_BE_MEMBERS: &str = "these people may be among the account members that were not collected";
const NOT_COLLECTED: &str = "an add-on of an application that was not collected";

/// The inputs of the check.
pub struct Case<'a> {
    pub organisation: &'a Organisation,
    pub script: &'a [Trouble],
    pub log: &'a [LoggedRequest],
    pub summary: &'a Summary,
    pub graph: &'a BTreeMap<String, Value>,
}

impl Case<'_> {
    /// Returns the first contradiction as a sentence.
    pub fn check(&self) -> Result<(), String> {
        self.check_state()?;
        self.check_gaps()?;
        let expected = graph_of(self.organisation);
        for (key, object) in self.graph {
            let known = expected.get(key).ok_or_else(|| format!("{key} is in no organisation: {object}"))?;
            if object["_type"] != known.0.as_str() {
                return Err(format!("{key} is of type {} instead of {}", object["_type"], known.0));
            }
        }
        for (key, (object_type, _)) in expected.iter().filter(|(key, _)| !self.graph.contains_key(*key)) {
            self.check_missing(&expected, key, object_type)?;
        }
        self.check_skipped_addons()
    }

    fn check_state(&self) -> Result<(), String> {
        let refused = self.log.iter().any(|request| request.status == Some(401));
        let gaps = self.summary.is_partial();
        let state = match (refused, gaps) {
            (true, _) => JobState::Failed,
            (false, true) => JobState::Partial,
            (false, false) => JobState::Complete,
        };
        if self.summary.state != state {
            return Err(format!("the job is {:?} instead of {state:?}", self.summary.state));
        }
        if refused == self.summary.error.is_none() {
            return Err(format!("the job's error is {:?}", self.summary.error));
        }
        let partial = &self.summary.metadata.partial_datasets.types;
        let gaps = self.steps().flat_map(|step| &step.gaps).flat_map(|gap| &gap.types);
        let gaps: BTreeSet<_> = gaps.cloned().collect();
        (*partial == gaps).then_some(()).ok_or_else(|| format!("{partial:?} are partial, but the gaps are of {gaps:?}"))
    }

    /// Checks that the script explains every gap. The job must not give up on data that it could have collected.
    fn check_gaps(&self) -> Result<(), String> {
        for step in self.steps() {
            for gap in step.own_gaps() {
                let parent = gap.parent.as_ref().map(|parent| parent.key.as_str());
                if gap.code == ErrorCode::MissingKey {
                    self.check_refused(step, parent)?;
                    continue;
                }
                if gap.cause.contains(LEFT_OUT) {
                    self.check_left_out(step, gap)?;
                    continue;
                }
                if gap.cause.starts_with(MAY_BE_MEMBERS) {
                    // The people of a team may be members of any account whose list failed.
                    let of_accounts =
                        |line: &&Trouble| matches!(line.list, Some(List::MembersOfAccount | List::Accounts));
                    let spoiled = self.script.iter().filter(of_accounts).map(Trouble::spoils);
                    if spoiled.fold(0, u64::saturating_add) < u64::from(ATTEMPTS) {
                        return Err(format!("{} has people of a gap that no fault explains: {gap:?}", step.id));
                    }
                    continue;
                }
                let lists: &[List] = match (step.id.as_str(), parent) {
                    // A refused key leaves whole steps incomplete.
                    (_, None) if self.summary.state == JobState::Failed => continue,
                    ("fetch-account", None) => &[List::Accounts],
                    ("fetch-teams", None) => &[List::Accounts],
                    ("fetch-independent-teams", None) => &[List::Teams],
                    ("fetch-personal-apps", None) => &[List::OwnApps],
                    ("fetch-personal-addons", None) => &[List::OwnAddons],
                    ("fetch-pipelines", None) => &[List::Pipelines],
                    ("fetch-pipeline-stages", None) => &[List::Couplings],
                    ("fetch-attachments", None) => &[List::Attachments],
                    ("fetch-addon-services", None) => &[List::AddonServices],
                    ("fetch-team-preferences", Some(_)) => &[List::Preferences],
                    ("fetch-team-features", Some(_)) => &[List::Features],
                    ("fetch-space-rules", Some(_)) => &[List::Rules],
                    ("fetch-space-addresses", Some(_)) => &[List::Addresses],
                    ("fetch-space-peerings", Some(_)) => &[List::Peerings],
                    ("fetch-space-vpn-connections", Some(_)) => &[List::VpnConnections],
                    ("fetch-members", Some(_)) => &[List::MembersOfAccount],
                    ("fetch-teams", Some(_)) => &[List::TeamsOfAccount],
                    ("fetch-apps", Some(_)) => &[List::Apps],
                    ("fetch-addons", Some(_)) => &[List::Addons],
                    ("fetch-team-members", Some(_)) => &[List::MembersOfTeam],
                    ("fetch-invitations", Some(_)) => &[List::Invitations],
                    ("fetch-access", Some(_)) => &[List::Permissions, List::Apps, List::Spaces],
                    ("fetch-spaces", None) => &[List::Spaces],
                    (other, _) => return Err(format!("{other} should have no such gap: {gap:?}")),
                };
                let spoiled = |list: &List| {
                    let here = self.script.iter().filter(|line| line.concerns(self.organisation, *list, parent));
                    here.map(Trouble::spoils).fold(0, u64::saturating_add)
                };
                if lists.iter().all(|list| spoiled(list) < u64::from(ATTEMPTS)) {
                    return Err(format!("{} has a gap that no fault explains: {gap:?}", step.id));
                }
            }
        }
        Ok(())
    }

    /// Checks that a rejected object comes from a list that the script has replaced.
    fn check_refused(&self, step: &StepReport, parent: Option<&str>) -> Result<(), String> {
        let lists: &[List] = match step.id.as_str() {
            "fetch-account" => &[List::Accounts],
            "fetch-members" => &[List::MembersOfAccount],
            "fetch-teams" => &[List::TeamsOfAccount],
            "fetch-independent-teams" => &[List::Teams],
            "fetch-apps" => &[List::Apps],
            "fetch-addons" => &[List::Addons],
            "fetch-spaces" => &[List::Spaces],
            "fetch-invitations" => &[List::Invitations],
            other => return Err(format!("{other} should reject nothing")),
        };
        let told = self.script.iter().any(|line| lists.iter().any(|list| line.adds_refused(*list)));
        match told && parent.is_none() {
            true => Ok(()),
            false => Err(format!("{} rejected an object that is in no list: {:?}", step.id, step.gaps)),
        }
    }

    /// Checks that a relationship is omitted only if a gap covers one of its ends.
    fn check_left_out(&self, step: &StepReport, gap: &Gap) -> Result<(), String> {
        let expected = graph_of(self.organisation);
        let lacks_an_end = |(key, (object_type, _)): (&String, &(String, String))| {
            let ends = key.split_once('|').and_then(|(from, rest)| Some([from, rest.rsplit_once('|')?.1]));
            let named = |end: &str| !self.graph.contains_key(end) && self.is_named(end, &expected[end].0);
            gap.types.iter().any(|missing| missing.as_str() == object_type.as_str())
                && !self.graph.contains_key(key)
                && ends.is_some_and(|ends| ends.into_iter().any(named))
        };
        expected
            .iter()
            .any(lacks_an_end)
            .then_some(())
            .ok_or_else(|| format!("{} omitted relationships, but no gap covers one of their ends: {gap:?}", step.id))
    }

    fn check_missing(&self, expected: &Expected, key: &str, object_type: &str) -> Result<(), String> {
        if self.is_named(key, object_type) {
            return Ok(());
        }
        // A relationship is missing if one of its ends is missing, and the gap of that end covers it.
        let ends = key.split_once('|').and_then(|(from, rest)| Some((from, rest.rsplit_once('|')?.1)));
        let gone = |end: &str| !self.graph.contains_key(end);
        if let Some((from, to)) = ends {
            return match [from, to].into_iter().find(|end| gone(end)) {
                Some(end) if !self.is_named(end, &expected[end].0) => Ok(()),
                Some(end) => Err(format!("{end} is covered by a gap, but {object_type} {key} is not")),
                None if self.vanished(key, object_type) => Ok(()),
                None => Err(format!("{object_type} {key} is missing without a gap, although both of its ends exist")),
            };
        }
        let parents = self.parents(key);
        let fine = self.vanished(key, object_type) || !parents.is_empty() && parents.iter().all(|parent| gone(parent));
        fine.then_some(()).ok_or_else(|| format!("{object_type} {key} is missing without a gap"))
    }

    /// Whether a gap covers the object. It has the object's type, and either no parent or a parent of the object.
    fn is_named(&self, key: &str, object_type: &str) -> bool {
        let above = self.all_above(key);
        let has_no_parent = self.has_no_parent(key, object_type);
        self.steps().flat_map(|step| &step.gaps).any(|gap| {
            let of_type = gap.types.iter().any(|missing| missing.as_str() == object_type);
            let is_above = |parent: &Parent| has_no_parent || above.contains(parent.key.as_str());
            of_type && gap.parent.as_ref().is_none_or(is_above)
        })
    }

    /// Whether the object comes from a bulk list, so that a gap of any parent may cover it.
    fn has_no_parent(&self, key: &str, object_type: &str) -> bool {
        let organisation = self.organisation;
        let is_personal = |end: &str| {
            let app = organisation.addons().find(|addon| addon.id.to_string() == end).map(|addon| addon.app);
            let mut apps = organisation.apps().filter(|it| it.team.is_none());
            apps.any(|it| it.id.to_string() == end || Some(it.id) == app)
        };
        let of_bulk_list = ["pipeline", "_uses_addon", "_addon_service"].iter().any(|part| object_type.contains(part));
        of_bulk_list || key.rsplit('|').next().is_some_and(is_personal)
    }

    /// Whether two lists of a parent returned 404 or 410, and the summary counts it.
    fn vanished(&self, key: &str, object_type: &str) -> bool {
        // A service is in the graph only with an add-on.
        if object_type.contains("_addon_service") {
            let service = key.split('|').next().unwrap_or(key);
            let service = self.organisation.addon_services().find(|it| it.id.to_string() == service);
            let mut addons =
                self.organisation.addons().filter(|addon| service.is_some_and(|it| it.name == addon.service()));
            return addons.any(|addon| self.vanished(&addon.id.to_string(), "heroku_addon"));
        }
        let counted = self.steps().any(|step| {
            let reasons = step.skipped.iter().find(|(skipped, _)| skipped.as_str() == object_type);
            reasons.is_some_and(|(_, reasons)| reasons.contains_key(VANISHED))
        });
        let answered = |list: &List, parent: &str, statuses: &[u16]| {
            let path = list.path(Some(parent));
            self.log.iter().any(|asked| asked.path == path && asked.status.is_some_and(|it| statuses.contains(&it)))
        };
        let under = [
            List::MembersOfAccount,
            List::TeamsOfAccount,
            List::Apps,
            List::Addons,
            List::MembersOfTeam,
            List::Permissions,
            List::Invitations,
            List::Preferences,
            List::Features,
            List::Rules,
            List::Addresses,
            List::Peerings,
            List::VpnConnections,
        ];
        let is_gone = |list: &List, parent: &str| {
            let agreeing = || under.iter().filter(|other| answered(other, parent, &[404, 410])).count();
            answered(list, parent, &[404, 410]) && agreeing() > 1
        };
        let of = |lists: &[List]| {
            let above = self.all_above(key);
            above.iter().any(|parent| lists.iter().any(|list| is_gone(list, parent)))
        };
        counted
            && match object_type {
                "heroku_account_member" | "heroku_account_has_member" => of(&[List::MembersOfAccount]),
                "heroku_team" | "heroku_account_has_team" => of(&[List::TeamsOfAccount]),
                "heroku_application" | "heroku_team_owns_application" => of(&[List::Apps]),
                "heroku_addon" => of(&[List::Addons]),
                "heroku_team_has_account_member" | "heroku_team_has_user" => of(&[List::MembersOfTeam]),
                "heroku_user" => of(&[List::MembersOfTeam, List::Permissions, List::Invitations]),
                "heroku_team_invitation" | "heroku_team_has_invitation" => of(&[List::Invitations]),
                created if created.ends_with("_created_team_invitation") => of(&[List::Invitations]),
                "heroku_space_peering" | "heroku_space_has_peering" => of(&[List::Peerings]),
                "heroku_space_vpn_connection" | "heroku_space_has_vpn_connection" => of(&[List::VpnConnections]),
                assigned if assigned.contains("_assigned_") => of(&[List::Permissions]),
                _ => false,
            }
    }

    /// Checks that the summary counts every add-on without an application.
    fn check_skipped_addons(&self) -> Result<(), String> {
        if self.summary.state == JobState::Failed {
            return Ok(());
        }
        let app_of = |addon: &&Value| addon["applicationId"].as_str().map(str::to_owned);
        let addons = self.graph.values().filter(|object| object["_type"] == "heroku_addon");
        let lonely = addons.filter(|addon| app_of(addon).is_none_or(|app| !self.graph.contains_key(&app))).count();
        let skipped: u64 =
            self.steps().flat_map(|step| step.skipped.values()).filter_map(|r| r.get(NOT_COLLECTED)).sum();
        let missed: u64 = self
            .steps()
            .flat_map(|step| step.missed.values())
            .filter_map(|r| r.get(MAY_BE_MISSING))
            .map(|named| named.count)
            .sum();
        let apps = &self.summary.metadata.partial_datasets.types;
        if skipped > 0 && apps.iter().any(|missing| missing.as_str() == "heroku_application") {
            return Err(format!("{skipped} add-ons are skipped on purpose although applications are missing"));
        }
        let counted = skipped + missed;
        (counted == lonely as u64)
            .then_some(())
            .ok_or_else(|| format!("{lonely} add-ons have no application, but {counted} are counted"))
    }

    fn steps(&self) -> impl Iterator<Item = &StepReport> {
        self.summary.integration_step_results.iter()
    }

    /// The parents whose lists contain an object or, for a relationship, its ends.
    fn parents(&self, key: &str) -> BTreeSet<String> {
        let organisation = self.organisation;
        let mut parents = BTreeSet::new();
        for team in organisation.teams().filter(|team| team.id.to_string() == key) {
            parents.extend(team.account.map(|account| account.to_string()));
        }
        // Every list of a team can be the one that tells of a person.
        let in_teams = organisation.team_memberships().filter(|of| of.person.is_some_and(|it| it.to_string() == key));
        parents.extend(in_teams.map(|membership| membership.team.to_string()));
        let has_access = |access: &&Access| access.people.iter().any(|(person, _)| person.to_string() == key);
        parents.extend(organisation.access().filter(has_access).map(|access| access.team.to_string()));
        let sent = organisation.invitations().filter(|of| of.invited_by.is_some_and(|it| it.to_string() == key));
        parents.extend(sent.map(|invitation| invitation.team.to_string()));
        let memberships = organisation.account_memberships();
        parents.extend(memberships.filter(|m| m.person.to_string() == key).map(|m| m.account.to_string()));
        parents.extend(
            organisation.apps().filter(|app| app.id.to_string() == key).filter_map(|app| Some(app.team?.to_string())),
        );
        parents.extend(organisation.spaces().filter(|of| of.id.to_string() == key).map(|space| space.team.to_string()));
        let has_it = |space: &&Space| {
            let vpn = space.vpn_connections.iter().any(|vpn| vpn.id().to_string() == key);
            vpn || space.peerings.iter().any(|peering| peering.pcx_id == key)
        };
        parents.extend(organisation.spaces().filter(has_it).map(|space| space.id.to_string()));
        let invitations = organisation.invitations().filter(|invitation| invitation.id.to_string() == key);
        parents.extend(invitations.map(|invitation| invitation.team.to_string()));
        let addons = organisation.addons().filter(|addon| addon.id.to_string() == key);
        parents.extend(addons.filter_map(|addon| Some(organisation.app(addon.app)?.team?.to_string())));
        parents
    }

    /// An object with its parents and their parents.
    fn all_above(&self, key: &str) -> BTreeSet<String> {
        let mut above = BTreeSet::new();
        let mut open: Vec<String> =
            match key.split_once('|').and_then(|(from, rest)| Some((from, rest.rsplit_once('|')?.1))) {
                Some((from, to)) => vec![from.to_owned(), to.to_owned()],
                None => vec![key.to_owned()],
            };
        while let Some(next) = open.pop() {
            if above.insert(next.clone()) {
                open.extend(self.parents(&next));
            }
        }
        above
    }
}

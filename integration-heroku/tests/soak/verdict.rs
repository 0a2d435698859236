//! Whether a summary tells the truth about a graph: everything that the organisation holds is there or named as missing,
//! and there is nothing else.

use std::collections::{BTreeMap, BTreeSet};

use integration_heroku::fake::{LoggedRequest, Organisation};
use integration_sdk::runtime::{StepReport, Summary};
use integration_sdk::step::Incomplete;
use integration_sdk::store::JobState;
use serde_json::Value;

use crate::collection::ATTEMPTS;
use crate::expected::{Expected, graph_of};
use crate::script::{List, Trouble};

const VANISHED: &str = "parent vanished while it was collected";
const MAY_BE_MISSING: &str = "the applications of these add-ons may be among those that were not collected";
const LEFT_OUT: &str = "left out because an entity at one of their ends";
const NOT_COLLECTED: &str = "an add-on of an application that was not collected";

/// Everything that a verdict rests on.
pub struct Case<'a> {
    pub organisation: &'a Organisation,
    pub script: &'a [Trouble],
    pub log: &'a [LoggedRequest],
    pub summary: &'a Summary,
    pub graph: &'a BTreeMap<String, Value>,
}

impl Case<'_> {
    /// What is not true, in a sentence.
    pub fn check(&self) -> Result<(), String> {
        self.check_state()?;
        self.check_gaps()?;
        let expected = graph_of(self.organisation);
        for (key, object) in self.graph {
            let known = expected.get(key).ok_or_else(|| format!("{key} is in no organisation: {object}"))?;
            if object["_type"] != known.0.as_str() {
                return Err(format!("{key} is of type {} and should be {}", object["_type"], known.0));
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
            return Err(format!("the job is {:?} and should be {state:?}", self.summary.state));
        }
        if refused == self.summary.error.is_none() {
            return Err(format!("the job's error is {:?}", self.summary.error));
        }
        let partial = &self.summary.metadata.partial_datasets.types;
        let gaps = self.steps().flat_map(|step| &step.incomplete).flat_map(|gap| &gap.types);
        let gaps: BTreeSet<_> = gaps.cloned().collect();
        (*partial == gaps).then_some(()).ok_or_else(|| format!("{partial:?} are partial, the gaps are of {gaps:?}"))
    }

    /// Every gap has a cause in the script: nothing is given up that could have been had.
    fn check_gaps(&self) -> Result<(), String> {
        for step in self.steps() {
            for gap in step.incomplete.iter().filter(|gap| gap.inherited_from.is_none()) {
                let under = gap.under.as_ref().map(|under| under.key.as_str());
                if gap.code == "MISSING_KEY_ERROR" {
                    self.check_refused(step, under)?;
                    continue;
                }
                if gap.cause.contains(LEFT_OUT) {
                    self.check_left_out(step, gap)?;
                    continue;
                }
                let lists: &[List] = match (step.id.as_str(), under) {
                    // A key that is refused leaves whole steps undone.
                    (_, None) if self.summary.state == JobState::Failed => continue,
                    ("fetch-account", None) => &[List::Accounts],
                    ("fetch-teams", None) => &[List::Accounts, List::Teams],
                    ("fetch-members", Some(_)) => &[List::MembersOfAccount],
                    ("fetch-teams", Some(_)) => &[List::TeamsOfAccount],
                    ("fetch-apps", Some(_)) => &[List::Apps],
                    ("fetch-addons", Some(_)) => &[List::Addons],
                    ("fetch-team-members", Some(_)) => &[List::MembersOfTeam],
                    (other, _) => return Err(format!("{other} should have no such gap: {gap:?}")),
                };
                let spoiled = |list: &List| {
                    let here = self.script.iter().filter(|line| line.concerns(self.organisation, *list, under));
                    here.map(Trouble::spoils).fold(0, u64::saturating_add)
                };
                if lists.iter().all(|list| spoiled(list) < u64::from(ATTEMPTS)) {
                    return Err(format!("{} has a gap where too little went wrong: {gap:?}", step.id));
                }
            }
        }
        Ok(())
    }

    /// A refused object is one of a list that the script put in the place of another.
    fn check_refused(&self, step: &StepReport, under: Option<&str>) -> Result<(), String> {
        let lists: &[List] = match step.id.as_str() {
            "fetch-account" => &[List::Accounts],
            "fetch-members" => &[List::MembersOfAccount],
            "fetch-teams" => &[List::TeamsOfAccount, List::Teams],
            "fetch-apps" => &[List::Apps],
            "fetch-addons" => &[List::Addons],
            other => return Err(format!("{other} should refuse nothing")),
        };
        let told = self.script.iter().any(|line| lists.iter().any(|list| line.adds_refused(*list)));
        match told && under.is_none() {
            true => Ok(()),
            false => Err(format!("{} refused an object that no list had: {:?}", step.id, step.incomplete)),
        }
    }

    /// Relationships are left out only if one of their ends was not collected again, which a gap of that end names.
    fn check_left_out(&self, step: &StepReport, gap: &Incomplete) -> Result<(), String> {
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
            .ok_or_else(|| format!("{} left out relationships, and no end is named as missing: {gap:?}", step.id))
    }

    fn check_missing(&self, expected: &Expected, key: &str, object_type: &str) -> Result<(), String> {
        if self.is_named(key, object_type) {
            return Ok(());
        }
        // A relationship without one of its ends is as missing as that end is.
        let ends = key.split_once('|').and_then(|(from, rest)| Some((from, rest.rsplit_once('|')?.1)));
        let gone = |end: &str| !self.graph.contains_key(end);
        if let Some((from, to)) = ends {
            return match [from, to].into_iter().find(|end| gone(end)) {
                Some(end) if !self.is_named(end, &expected[end].0) => Ok(()),
                Some(end) => Err(format!("{end} is named as missing, {object_type} {key} is not")),
                None if self.vanished(key, object_type) => Ok(()),
                None => Err(format!("{object_type} {key} is missing in silence; both of its ends are there")),
            };
        }
        let parents = self.parents(key);
        let fine = self.vanished(key, object_type) || !parents.is_empty() && parents.iter().all(|parent| gone(parent));
        fine.then_some(()).ok_or_else(|| format!("{object_type} {key} is missing in silence"))
    }

    /// A gap covers it: of its type, everywhere or under one of those it belongs to.
    fn is_named(&self, key: &str, object_type: &str) -> bool {
        let above = self.all_above(key);
        self.steps().flat_map(|step| &step.incomplete).any(|gap| {
            let of_type = gap.types.iter().any(|missing| missing.as_str() == object_type);
            of_type && gap.under.as_ref().is_none_or(|under| above.contains(under.key.as_str()))
        })
    }

    /// Its parent's list answered 404 or 410, and that was counted.
    fn vanished(&self, key: &str, object_type: &str) -> bool {
        let counted = self.steps().any(|step| {
            let reasons = step.skipped.iter().find(|(skipped, _)| skipped.as_str() == object_type);
            reasons.is_some_and(|(_, reasons)| reasons.contains_key(VANISHED))
        });
        let gone =
            |path: &str| self.log.iter().any(|asked| asked.path == path && matches!(asked.status, Some(404 | 410)));
        let of = |lists: &[List]| {
            let above = self.all_above(key);
            above.iter().any(|parent| lists.iter().any(|list| gone(&list.path(Some(parent)))))
        };
        counted
            && match object_type {
                "heroku_account_member" | "heroku_account_has_member" => of(&[List::MembersOfAccount]),
                "heroku_team" | "heroku_account_has_team" => of(&[List::TeamsOfAccount]),
                "heroku_application" | "heroku_team_owns_application" => of(&[List::Apps]),
                "heroku_addon" => of(&[List::Addons]),
                "heroku_team_has_account_member" => of(&[List::MembersOfTeam]),
                _ => false,
            }
    }

    /// Every add-on without its application is counted, one by one.
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
            return Err(format!("{skipped} add-ons are left out on purpose, and applications are missing"));
        }
        let counted = skipped + missed;
        (counted == lonely as u64)
            .then_some(())
            .ok_or_else(|| format!("{lonely} add-ons have no application, {counted} are counted"))
    }

    fn steps(&self) -> impl Iterator<Item = &StepReport> {
        self.summary.integration_step_results.iter()
    }

    /// Those whose lists tell of an object, or, of a relationship, of its ends.
    fn parents(&self, key: &str) -> BTreeSet<String> {
        let organisation = self.organisation;
        let mut parents = BTreeSet::new();
        for team in organisation.teams().filter(|team| team.id.to_string() == key) {
            parents.extend(team.account.map(|account| account.to_string()));
        }
        let memberships = organisation.account_memberships();
        parents.extend(memberships.filter(|m| m.person.to_string() == key).map(|m| m.account.to_string()));
        parents.extend(organisation.apps().filter(|app| app.id.to_string() == key).map(|app| app.team.to_string()));
        let addons = organisation.addons().filter(|addon| addon.id.to_string() == key);
        parents.extend(addons.filter_map(|addon| Some(organisation.app(addon.app)?.team.to_string())));
        parents
    }

    /// An object, its parents, and theirs.
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

//! The applications whose details are collected.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use integration_sdk::graph::{EntityView, ObjectKey};
use integration_sdk::prelude::*;
use integration_sdk::step::{Declaration, Parameter, StepContext, StepError};
use integration_sdk::store::{GraphReader, ReadError, Selection};

use crate::config::HerokuConfig;
use crate::types::{Application, Team};

/// The properties of an application that its details depend on.
#[derive(Debug, Clone, EntityView)]
#[entity(of = Application)]
pub struct DetailedApplication {
    /// The id of the application.
    #[entity(key)]
    pub id: String,
    /// The name of the application.
    pub name: String,
    /// The id of its team; absent for a personal application.
    pub team_id: Option<String>,
}

/// The properties of a team by which a filter selects its applications.
#[derive(Debug, Clone, EntityView)]
#[entity(of = Team)]
struct NamedTeam {
    #[entity(key)]
    id: String,
    name: Option<String>,
}

/// The applications that the filter of the configuration selects, as a parameter of a step.
pub struct DetailedApplications {
    filter: Filter,
    apps: Follow<DetailedApplication>,
}

impl Parameter for DetailedApplications {
    fn declare(declaration: &mut Declaration) {
        Read::<NamedTeam>::declare(declaration);
        Follow::<DetailedApplication>::declare(declaration);
    }
    async fn bind(context: &StepContext) -> StepResult<Self> {
        let config = ConfigOf::<HerokuConfig>::bind(context).await?;
        let mut filter = Filter::of(&config);
        let (teams, apps) = (Read::<NamedTeam>::bind(context).await?, Follow::bind(context).await?);
        if filter.has_teams() {
            let mut stream = teams.stream();
            while let Some(team) = stream.try_next().await? {
                filter.meet(team);
            }
            filter.check()?;
        }
        Ok(Self { filter, apps })
    }
}

impl DetailedApplications {
    /// Runs the work for each selected application; the others are excluded.
    ///
    /// # Errors
    /// As [`Follow::for_each_selected`].
    pub async fn for_each<F, Fut>(&self, work: F) -> StepResult
    where
        F: Fn(DetailedApplication) -> Fut + Send,
        Fut: Future<Output = StepResult> + Send,
    {
        self.apps.for_each_selected(|app| self.filter.includes(app), work).await
    }
}

/// Returns the applications in a graph that the configuration selects.
///
/// # Errors
/// [`StepError::Other`] if the graph cannot be read.
pub async fn selected(config: Arc<HerokuConfig>, graph: Arc<dyn GraphReader>) -> StepResult<HashSet<ObjectKey>> {
    let mut filter = Filter::of(&config);
    if filter.has_teams() {
        each(&graph, |_, team| filter.meet(team)).await?;
    }
    let mut selected = HashSet::new();
    let select = |key: &ObjectKey, app| {
        if filter.includes(&app) {
            selected.insert(key.clone());
        }
    };
    each(&graph, select).await?;
    Ok(selected)
}

async fn each<E: EntityView>(graph: &Arc<dyn GraphReader>, mut visit: impl FnMut(&ObjectKey, E)) -> StepResult {
    let unreadable = |error: ReadError| StepError::Other(error.to_string());
    let mut batches = graph.scan(Selection::of_type(E::entity_type()));
    while let Some(batch) = batches.try_next().await.map_err(unreadable)? {
        let read = batch.iter().filter_map(|object| Some((&object.key, E::read(&object.properties).ok()?)));
        read.for_each(|(key, entity)| visit(key, entity));
    }
    Ok(())
}

/// A condition on applications: their team, and a pattern of their name.
#[derive(Debug, Default)]
struct Filter {
    /// The names or ids of the teams; all teams if it is empty.
    teams: BTreeSet<String>,
    /// The ids of these teams.
    ids: BTreeSet<String>,
    /// The names or ids for which a team was found.
    met: BTreeSet<String>,
    /// The patterns, in which `*` stands for any text; all names without one.
    names: Vec<String>,
}

impl Filter {
    fn of(config: &HerokuConfig) -> Self {
        Self {
            teams: listed(config.details_teams.as_deref()).collect(),
            names: listed(config.details_applications.as_deref()).collect(),
            ..Self::default()
        }
    }

    /// Whether the condition depends on teams.
    fn has_teams(&self) -> bool {
        !self.teams.is_empty()
    }

    /// Resolves the names of a team.
    fn meet(&mut self, team: NamedTeam) {
        for name in std::iter::once(&team.id).chain(&team.name) {
            if self.teams.contains(name) {
                self.met.insert(name.clone());
                self.ids.insert(team.id.clone());
            }
        }
    }

    /// Returns an error if a team does not exist, because its details would then be missing without a notice.
    fn check(&self) -> StepResult {
        match self.teams.difference(&self.met).next() {
            Some(team) => Err(StepError::Other(format!(
                "there is no team {team:?} among the collected teams; set HEROKU_DETAILS_TEAMS to names or ids of teams"
            ))),
            None => Ok(()),
        }
    }

    fn includes(&self, app: &DetailedApplication) -> bool {
        let has_team = self.teams.is_empty() || app.team_id.as_ref().is_some_and(|team| self.ids.contains(team));
        has_team && (self.names.is_empty() || self.names.iter().any(|pattern| fits(pattern, &app.name)))
    }
}

fn listed(text: Option<&str>) -> impl Iterator<Item = String> {
    let parts = text.into_iter().flat_map(|text| text.split(','));
    parts.map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned)
}

/// Whether a name fits a pattern, in which `*` stands for any text.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((begin, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(begin) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        match name.find(part) {
            Some(at) => name = &name[at + part.len()..],
            None => return false,
        }
    }
    name.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, name, expected) in [
            ("kestrel-api", "kestrel-api", true),
            ("kestrel-api", "kestrel-api-2", false),
            ("*", "", true),
            ("kestrel-*", "kestrel-api", true),
            ("*-staging", "kestrel-staging-2", false),
            ("k*-s*g", "kestrel-shop-staging", true),
            ("a*a", "a", false),
            ("*p*p*", "p", false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn team_and_name_must_both_fit() {
        let app = DetailedApplication { id: "a".into(), name: "shop".into(), team_id: Some("t".into()) };
        let filter = |teams: &str, names: &str| {
            let (teams, names) = (listed(Some(teams)).collect(), listed(Some(names)).collect());
            let mut filter = Filter { teams, names, ..Filter::default() };
            filter.meet(NamedTeam { id: "t".into(), name: Some("storefront".into()) });
            filter
        };
        assert!(Filter::default().includes(&app) && filter("storefront", " blog, sh* ,").includes(&app));
        assert!(!filter("u", "").includes(&app) && !filter("t", "blog").includes(&app));
        assert!(filter("t, storefront", "").check().is_ok() && filter("u", "").check().is_err());
    }
}

//! Jobs that keep the objects under unchanged parents.

use std::sync::Mutex;

use integration_store::MemoryStore;

use crate::step::{Parameter, Parent, Read};

use super::*;

const TEAMS: [&str; 3] = ["team:000001", "team:000002", "team:000003"];

/// The peculiarities of the step that collects the applications.
#[derive(Debug, Clone, Copy, Default)]
struct Form {
    /// The number of the team that was updated.
    updated: Option<usize>,
    /// Whether the teams have a time of their last update.
    timeless: bool,
    /// Whether the work under a team has a partition of its own.
    nested: bool,
    /// Whether the step adds properties to the teams.
    amends: bool,
    /// The number of the team that fails.
    fails: Option<usize>,
}

type Asked = Arc<Mutex<Vec<&'static str>>>;

/// Teams, and a step that collects an application and a shared region under each of them.
fn teams_and_apps(form: Form, asked: &Asked) -> Integration {
    let teams = Step::new(id("teams"), "Teams", move |context: StepContext| async move {
        for (at, team) in TEAMS.into_iter().enumerate() {
            let team = thing("acme_team", team).with("size", 1 + u64::from(form.updated == Some(at)));
            let updated = 1_000 + u64::from(form.updated == Some(at));
            let team = if form.timeless { team } else { team.with("updatedOn", updated) };
            context.add_entity(team, OnDuplicateKey::Reject).await?;
        }
        Ok(())
    });
    let asked = Arc::clone(asked);
    let apps = Step::new(id("apps"), "Apps", move |context: StepContext| {
        let asked = Arc::clone(&asked);
        async move {
            for (at, team) in TEAMS.into_iter().enumerate() {
                let (context, asked) = (&context, &asked);
                let app_of = async move {
                    asked.lock().expect("no panic").push(team);
                    let app = thing("acme_app", &format!("app:of:{team}"));
                    context.add_entity(app, OnDuplicateKey::Reject).await?;
                    context.add_entity(thing("acme_region", "region:eu"), OnDuplicateKey::Merge).await?;
                    context.add_relationship(in_region(team)).await?;
                    match form.fails == Some(at) {
                        true => Err(StepError::Provider(refusal())),
                        false => Ok(()),
                    }
                };
                let under = |text: &str| Parent { object_type: name("acme_team"), key: key(text) };
                let work = async move {
                    match form.nested {
                        true => context.partition(under(&format!("{team}:inner")), app_of).await,
                        false => app_of.await,
                    }
                };
                context.partition(under(team), work).await?;
            }
            Ok(())
        }
    });
    let region = EntityDeclaration { on_duplicate_key: OnDuplicateKey::Merge, ..declared("acme_region") };
    let has = RelationshipDeclaration::new(name("acme_app"), RelationshipClass::HAS, name("acme_region"));
    let apps = apps.reads(name("acme_team")).entity(declared("acme_app")).entity(region).relationship(has);
    let apps = if form.amends { apps.amends(name("acme_team")) } else { apps };
    of([teams.entity(declared("acme_team")), apps.changes_with(name("acme_team"), ["updatedOn"])])
}

fn in_region(team: &str) -> Relationship {
    Relationship {
        class: RelationshipClass::HAS,
        object_type: name("acme_app_has_region"),
        from: key(&format!("app:of:{team}")),
        to: key("region:eu"),
        properties: Default::default(),
    }
}

fn refusal() -> crate::http::ProviderError {
    crate::http::ProviderError::new(crate::http::ProviderErrorKind::Authorization, "the provider is out of order")
}

/// Runs a job with the option, and returns its summary and the teams whose applications it requested.
async fn run(form: Form, store: &MemoryStore) -> (Summary, Vec<&'static str>) {
    let asked = Asked::default();
    let job = Job::new(&teams_and_apps(form, &asked), store).only_changed(true);
    let summary = job.run(&Values::default(), CancellationToken::new()).await.expect("a job that begins");
    let asked = asked.lock().expect("no panic").clone();
    (summary, asked)
}

/// The numbers of objects that a job changed or removed, and of stale ones.
fn differences(summary: &Summary) -> (u64, u64, usize) {
    let published = summary.published.as_ref().expect("a publication");
    let total = published.total();
    (total.changed, total.removed, published.stale.len())
}

#[tokio::test]
async fn the_first_job_requests_everything_and_the_next_one_only_what_changed() {
    let store = MemoryStore::default();
    assert_eq!(run(Form::default(), &store).await.1, TEAMS);
    let (same, asked) = run(Form::default(), &store).await;
    assert_eq!((asked, differences(&same)), (Vec::new(), (0, 0, 0)));
    assert_eq!(same.integration_step_results[1].kept_parents, 3);
    let (changed, asked) = run(Form { updated: Some(1), ..Form::default() }, &store).await;
    // The team itself has changed; the region, which all applications share, stays.
    assert_eq!((asked, differences(&changed)), (vec![TEAMS[1]], (1, 0, 0)));
    assert_eq!(changed.entities, same.entities);
}

#[tokio::test]
async fn what_is_not_known_to_be_unchanged_is_requested() {
    let forms = [
        Form { timeless: true, ..Form::default() },
        Form { nested: true, ..Form::default() },
        Form { amends: true, ..Form::default() },
    ];
    for form in forms {
        let store = MemoryStore::default();
        run(form, &store).await;
        let (again, asked) = run(form, &store).await;
        assert_eq!((asked, differences(&again)), (TEAMS.to_vec(), (0, 0, 0)), "{form:?}");
    }
}

#[tokio::test]
async fn a_parent_with_a_gap_is_requested_again() {
    let store = MemoryStore::default();
    let (partial, _) = run(Form { fails: Some(2), ..Form::default() }, &store).await;
    assert_eq!(partial.state, JobState::Partial);
    let (whole, asked) = run(Form::default(), &store).await;
    assert_eq!((whole.state, asked), (JobState::Complete, vec![TEAMS[2]]));
}

/// A team without applications.
#[derive(crate::EntityKind)]
#[entity(type = "acme_team", class = "Team", resource = "Team")]
struct EmptyTeam {
    #[entity(key)]
    id: String,
    name: String,
    updated_on: crate::Timestamp,
}

/// Runs a job that selects teams without applications, and returns the requested ones.
///
/// `known` are the teams that the earlier job selected, if the step can compute them.
async fn select(
    teams: &'static [&'static str],
    known: Option<&'static [&'static str]>,
    store: &MemoryStore,
) -> Vec<&'static str> {
    let asked = Asked::default();
    let fetch_teams = Step::new(id("teams"), "Teams", |context: StepContext| async move {
        for team in TEAMS {
            let team = thing("acme_team", team).with("id", team).with("name", "A team").with("updatedOn", 1_000);
            context.add_entity(team, OnDuplicateKey::Reject).await?;
        }
        Ok(())
    });
    let seen = Arc::clone(&asked);
    let fetch_apps = Step::new(id("apps"), "Apps", move |context: StepContext| {
        let seen = Arc::clone(&seen);
        async move {
            let all = Read::<EmptyTeam>::bind(&context).await?;
            let request = async |team: EmptyTeam| {
                assert_eq!((team.name.as_str(), team.updated_on.millis()), ("A team", 1_000));
                seen.lock().expect("no panic").extend(TEAMS.into_iter().find(|known| **known == team.id));
                Ok(())
            };
            all.for_each_selected(|team| teams.contains(&team.id.as_str()), request).await
        }
    });
    let fetch_apps = fetch_apps.reads(name("acme_team")).entity(declared("acme_app"));
    let fetch_apps = fetch_apps.changes_with(name("acme_team"), ["updatedOn"]);
    let fetch_apps = match known {
        Some(known) => {
            fetch_apps.selects_in(|_: Arc<()>, _| std::future::ready(Ok(known.iter().map(|team| key(team)).collect())))
        }
        None => fetch_apps,
    };
    let integration = of([fetch_teams.entity(declared("acme_team")), fetch_apps]);
    let job = Job::new(&integration, store).only_changed(true);
    let summary = job.run(&Values::default(), CancellationToken::new()).await.expect("a job that begins");
    assert_eq!(summary.state, JobState::Complete, "{:#?}", summary.integration_step_results);
    let mut asked = asked.lock().expect("no panic").clone();
    asked.sort_unstable();
    asked
}

#[tokio::test]
async fn an_unchanged_parent_that_the_earlier_job_excluded_is_requested() {
    for (known, expected) in [(None, &TEAMS[..2]), (Some(&TEAMS[..1]), &TEAMS[1..2])] {
        let store = MemoryStore::default();
        assert_eq!(select(&TEAMS[..1], None, &store).await, &TEAMS[..1]);
        assert_eq!(select(&TEAMS[..2], known, &store).await, expected);
        // A job without exclusions has requested all parents, so nothing is left.
        assert_eq!(select(&TEAMS, Some(&TEAMS[..2]), &store).await, &TEAMS[2..]);
        assert_eq!(select(&TEAMS, None, &store).await, Vec::<&str>::new());
    }
}

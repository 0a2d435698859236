//! The steps `fetch-pipelines`, `build-pipeline-owners`, and `fetch-pipeline-stages`.

use integration_sdk::prelude::*;

use crate::client::Heroku;
use crate::types::{
    AccountMember, Application, MemberOwnsPipeline, Pipeline, PipelineHasApplication, Team, TeamOwnsPipeline, User,
    UserOwnsPipeline,
};

const UNKNOWN_TEAM: &str = "a pipeline of a team that was not collected";
const TEAM_MAY_BE_MISSING: &str = "the teams of these pipelines may be among those that were not collected";
const UNKNOWN_PERSON: &str = "a pipeline of a person that was not collected";
const PERSON_MAY_BE_MISSING: &str = "the owners of these pipelines may be among those that were not collected";

/// Emits all pipelines, with one list, and links them to the teams that own them.
#[step(id = "fetch-pipelines", name = "Fetch pipelines", scopes("read"))]
pub async fn fetch_pipelines(
    api: Client<Heroku>,
    teams: Known<Team>,
    pipelines: Emit<Pipeline>,
    owns: Emit<TeamOwnsPipeline>,
) -> StepResult {
    let mut pages = api.pipelines().by_page();
    let has_all_teams = teams.is_complete().await?;
    while let Some(page) = pages.try_next().await? {
        let owners = page.iter().filter_map(|pipeline| pipeline.owner.as_ref()?.id.as_deref());
        let teams = teams.known(owners).await?;
        for pipeline in page {
            let (pipeline, raw) = pipeline.into_parts();
            let pipeline = pipelines.add(Pipeline::from(pipeline).with_raw(raw)).await?;
            match &pipeline.owner_id {
                Some(team) if teams.contains(team) => owns.add(&EntityRef::new(team), &pipeline).await?,
                Some(_) if !is_of_team(pipeline.owner_type.as_deref()) => {}
                Some(_) if has_all_teams => owns.skip_named(UNKNOWN_TEAM, &pipeline.name),
                Some(_) => owns.miss(TEAM_MAY_BE_MISSING, &pipeline.name),
                None => owns.skip_named("a pipeline without an owner", &pipeline.name),
            }
        }
    }
    Ok(())
}

fn is_of_team(owner_type: Option<&str>) -> bool {
    owner_type == Some("team")
}

/// A view of a pipeline with its owner.
#[derive(EntityView)]
#[entity(of = Pipeline)]
pub struct Owned {
    #[entity(key)]
    id: String,
    name: String,
    owner_id: Option<String>,
    owner_type: Option<String>,
}

/// Links people to the pipelines that they own.
#[step(id = "build-pipeline-owners", name = "Link people to their pipelines")]
pub async fn build_pipeline_owners(
    pipelines: Follow<Owned>,
    members: Known<AccountMember>,
    users: Known<User>,
    by_member: Emit<MemberOwnsPipeline>,
    by_user: Emit<UserOwnsPipeline>,
) -> StepResult {
    let has_all_people = members.is_complete().await? && users.is_complete().await?;
    let mut pages = pipelines.pages();
    while let Some(page) = pages.try_next().await? {
        let page: Vec<_> = page.into_iter().filter(|it| !is_of_team(it.owner_type.as_deref())).collect();
        let owners = || page.iter().filter_map(|pipeline| pipeline.owner_id.as_deref());
        let (members, users) = (members.known(owners()).await?, users.known(owners()).await?);
        for pipeline in page {
            match &pipeline.owner_id {
                Some(member) if members.contains(member) => by_member.add(&EntityRef::new(member), &pipeline).await?,
                Some(user) if users.contains(user) => by_user.add(&EntityRef::new(user), &pipeline).await?,
                Some(_) if has_all_people => by_user.skip_named(UNKNOWN_PERSON, &pipeline.name),
                Some(_) => {
                    by_member.miss(PERSON_MAY_BE_MISSING, &pipeline.name);
                    by_user.miss(PERSON_MAY_BE_MISSING, &pipeline.name);
                }
                None => {}
            }
        }
    }
    Ok(())
}

/// Links pipelines to the applications in their stages, with one list.
#[step(id = "fetch-pipeline-stages", name = "Fetch stages of pipelines", scopes("read"))]
pub async fn fetch_pipeline_stages(
    api: Client<Heroku>,
    pipelines: Known<Pipeline>,
    apps: Known<Application>,
    has: Emit<PipelineHasApplication>,
) -> StepResult {
    let mut pages = api.pipeline_couplings().by_page();
    let has_all_ends = pipelines.is_complete().await? && apps.is_complete().await?;
    while let Some(page) = pages.try_next().await? {
        let ids =
            |end: fn(&crate::resource::PipelineCoupling) -> Option<&str>| page.iter().filter_map(move |it| end(it));
        let pipelines = pipelines.known(ids(|coupling| Some(&coupling.pipeline.as_ref()?.id))).await?;
        let apps = apps.known(ids(|coupling| Some(&coupling.app.as_ref()?.id))).await?;
        for coupling in page {
            let ends = coupling.value.pipeline.zip(coupling.value.app);
            let Some((pipeline, app)) = ends else {
                has.skip_named("a coupling without a pipeline and an application", coupling.value.id);
                continue;
            };
            let name = || format!("application {} in pipeline {}", app.id, pipeline.id);
            if pipelines.contains(&pipeline.id) && apps.contains(&app.id) {
                let stage = PipelineHasApplication { stage: coupling.value.stage };
                has.add_with(&EntityRef::new(&pipeline.id), &EntityRef::new(&app.id), stage).await?;
            } else if has_all_ends {
                has.skip_named("a stage with a pipeline or an application that was not collected", name());
            } else {
                has.miss("these pipelines or applications may be among those that were not collected", name());
            }
        }
    }
    Ok(())
}

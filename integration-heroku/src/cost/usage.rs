//! The step `fetch-usage`.

use std::collections::HashMap;

use integration_sdk::prelude::*;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan, tz::TimeZone};

use super::types::{ApplicationHasUsage, ApplicationUsage, TeamHasUsage, TeamUsage, TeamUsageBody};
use crate::client::Heroku;
use crate::types::{Application, Team};

const OUTSIDE: &str = "a team outside the enterprise accounts, for which Heroku has no usage";
const DELETED: &str = "the usage of an application that no longer exists";
const MAY_EXIST: &str = "these applications may be among those that were not collected";

/// The properties of an application that identify it in the usage.
#[derive(EntityView)]
#[entity(of = Application)]
pub struct NamedApplication {
    #[entity(key)]
    id: String,
    name: String,
}

/// Emits the usage of enterprise teams and their applications in the current and the previous month.
///
/// The usage of the current month grows until its end. Earlier months are in the history of the graph.
#[step(id = "fetch-usage", name = "Fetch monthly usage", scopes("read"), source = "usage")]
pub async fn fetch_usage(
    api: Client<Heroku>,
    teams: Follow<Team>,
    apps: Read<NamedApplication>,
    usage: Emit<TeamUsage>,
    has: Emit<TeamHasUsage>,
    app_usage: Emit<ApplicationUsage>,
    app_has: Emit<ApplicationHasUsage>,
) -> StepResult {
    let (mut ids, mut stream) = (HashMap::new(), apps.stream());
    while let Some(app) = stream.try_next().await? {
        ids.insert(app.name, app.id);
    }
    let has_all_apps = apps.is_complete().await?;
    let start = previous_month(TimeZone::UTC.to_datetime(Timestamp::now()).date());
    let usage_of = async |team: Team| {
        if team.enterprise_account_id.is_none() {
            usage.skip_named(OUTSIDE, team.name.as_deref().unwrap_or(&team.id));
            return Ok(());
        }
        let request = api.http().get("/teams/{id}/usage/monthly", &[&team.id]).query("start", &start);
        let mut months = request.list::<TeamUsageBody>();
        while let Some(month) = months.try_next().await? {
            let month = month.value;
            let of_team = usage.add(TeamUsage::new(&month, &team)).await?;
            has.add(&team, &of_team).await?;
            for app in month.apps.into_iter().flatten() {
                match ids.get(&app.app_name) {
                    Some(id) => {
                        let of_app = app_usage.add(ApplicationUsage::new(app, id, &month.month)).await?;
                        app_has.add(&EntityRef::new(id), &of_app).await?;
                    }
                    None if has_all_apps => app_usage.skip_named(DELETED, &app.app_name),
                    None => app_usage.miss(MAY_EXIST, &app.app_name),
                }
            }
        }
        Ok(())
    };
    teams.for_each_concurrent(usage_of).await
}

/// Returns the month before that of a day, as `2026-11`.
fn previous_month(day: Date) -> String {
    let month = day.first_of_month().checked_sub(1.month()).unwrap_or(day);
    month.strftime("%Y-%m").to_string()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_month_before_january_is_in_the_previous_year() {
        assert_eq!(previous_month(date(2026, 1, 31)), "2025-12");
        assert_eq!(previous_month(date(2026, 11, 30)), "2026-10");
    }
}

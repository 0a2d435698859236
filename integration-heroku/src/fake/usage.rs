//! The monthly usage of teams and applications. The figures follow from the names.

use std::sync::Arc;

use integration_testing::{Answer, Reply, Route};
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use serde_json::{Value, json};

use super::{ids::mixed, organisation::Organisation, resources::Team, scopes::READERS};

/// The route of the usage.
pub(super) fn routes(organisation: &Arc<Organisation>) -> Vec<Route> {
    let organisation = organisation.clone();
    let usage = Route::get("/teams/{id}/usage/monthly", move |request| {
        let Some(team) = organisation.teams.find(request.parameter("id")) else { return Answer::not_found("team") };
        if team.account.is_none() {
            return refused(403, "forbidden", "The team does not belong to an enterprise account.");
        }
        match request.query().and_then(start) {
            Some(start) => {
                Answer::list(months(start).iter().map(|month| body(&organisation, team, month)).collect::<Vec<_>>())
            }
            None => refused(422, "invalid_params", "The parameter `start` must be a month such as 2019-01."),
        }
    });
    vec![usage.scopes(READERS)]
}

fn refused(status: u16, id: &str, message: &str) -> Answer {
    Answer::Reply(Reply::json(status, &json!({"id": id, "message": message})))
}

/// Returns the first day of the requested months.
fn start(query: &str) -> Option<Date> {
    let month = query.split('&').find_map(|part| part.strip_prefix("start="))?;
    format!("{month}-01").parse().ok()
}

/// Returns the months from a day to the present.
fn months(start: Date) -> Vec<String> {
    let today = TimeZone::UTC.to_datetime(Timestamp::now()).date();
    let months = start.series(1.month()).take_while(|month| *month <= today);
    months.map(|month| month.strftime("%Y-%m").to_string()).collect()
}

fn body(organisation: &Organisation, team: &Team, month: &str) -> Value {
    // Usage of an application that was deleted during the month remains.
    let deleted = format!("{}-deleted", team.name);
    let names = organisation.apps_of(team.id).map(|app| app.name.clone()).chain([deleted]);
    let apps: Vec<Value> = names
        .map(|name| {
            let (data, partner) = (credits(&name, 1), credits(&name, 2));
            json!({
                "app_name": name, "dynos": credits(&name, 3) / 10.0, "addons": data + partner, "data": data,
                "partner": partner,
            })
        })
        .collect();
    let sum = |name: &str| apps.iter().filter_map(|app| app[name].as_f64()).sum::<f64>();
    json!({
        "id": team.id.to_string(), "name": team.name, "month": month, "dynos": sum("dynos"), "addons": sum("addons"),
        "data": sum("data"), "partner": sum("partner"), "space": 1.5, "connect": 0, "apps": apps,
    })
}

/// Returns an amount in quarters, so that sums are exact.
fn credits(name: &str, seed: u64) -> f64 {
    (mixed(name, seed) % 400) as f64 / 4.0
}

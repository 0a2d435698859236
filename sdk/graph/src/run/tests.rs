use serde_json::{Value, json};

use super::*;
use crate::history::SnapshotGap;
use crate::{InstanceId, JobId, StepId};

/// A summary as other tools read it, with every member.
fn document() -> Value {
    let usage = json!({
        "requests": 3, "retries": 1, "answerBytes": 9, "notModified": 0, "waitedMs": 4, "waitedForBudgetMs": 0,
        "rateRemaining": null, "endpoints": {},
    });
    let finding = json!({
        "type": "acme_app", "key": "app-1", "pointer": "/name", "reason": "is not a string", "schema": "Application",
    });
    json!({
        "job": "0198f3a2-1111", "integration": "acme", "instance": "default", "state": "partial", "resumed": true,
        "startTime": 1, "endTime": 2, "duration": 1, "entities": 1, "relationships": 0,
        "error": {"code": "PROVIDER_AUTHENTICATION_ERROR", "message": "refused"},
        "integrationStepResults": [{
            "id": "fetch-apps", "name": "Fetch apps", "dependsOn": ["fetch-teams"], "declaredTypes": ["acme_app"],
            "amends": ["acme_team"], "amendedProperties": ["apps"], "merges": ["acme_app"],
            "partialTypes": ["acme_app"], "encounteredTypes": ["acme_app"],
            "encounteredTypeCounts": {"acme_app": 1}, "status": "partial_success_due_to_dependency_failure",
            "disabledReason": "not_selected", "startTime": 1, "endTime": 2, "duration": 1,
            "error": {"code": "A_CODE_OF_ANOTHER_VERSION", "message": "it broke"},
            "incomplete": [{
                "types": ["acme_app"], "under": {"type": "acme_team", "key": "team-1"}, "code": "PROVIDER_API_ERROR",
                "cause": "500", "inheritedFrom": "fetch-teams", "resumable": false,
            }],
            "skipped": {"acme_app": {"too old": 2}},
            "missed": {"acme_app": {"no team": {"count": 1, "names": ["app-2"]}}},
            "skippedDetails": {"acme_app": {"too old": ["app-3"]}},
            "findings": [{"count": 1, "example": finding}], "quarantined": {"acme_app": 1},
            "quarantinedDetails": {"acme_app": ["app-4"]}, "usage": usage,
        }],
        "metadata": {"partialDatasets": {"types": ["acme_app"]}}, "usage": usage,
    })
}

#[test]
fn a_summary_that_is_read_and_written_has_the_same_bytes() {
    let summary: Summary = serde_json::from_value(document()).unwrap();
    assert_eq!(serde_json::to_value(&summary).unwrap(), document());
    let report = &summary.integration_step_results[0];
    assert_eq!(report.error.as_ref().map(|error| error.code.as_str()), Some("A_CODE_OF_ANOTHER_VERSION"));
    assert_eq!(report.gaps[0].code, ErrorCode::ProviderApi);
}

#[test]
fn every_text_of_an_enum_names_its_value() {
    for state in JobState::ALL {
        assert_eq!(state.as_str().parse(), Ok(*state));
    }
    for status in StepStatus::ALL {
        assert_eq!(serde_json::from_value::<StepStatus>(json!(status.as_str())).unwrap(), *status);
    }
    assert_eq!(DisabledReason::ALL.len(), 8);
    assert_eq!("stopped".parse::<JobState>().unwrap_err().to_string(), "unknown job state \"stopped\"");
}

#[test]
fn codes_are_in_the_order_of_their_texts_and_an_unknown_one_keeps_its_text() {
    let texts = ["CLOCK_ERROR", "PROVIDER_API_ERROR", "QUOTA_ERROR", "UNEXPECTED_ERROR"];
    let mut codes = texts.map(ErrorCode::from);
    codes.reverse();
    codes.sort();
    assert_eq!(codes.each_ref().map(ErrorCode::as_str), texts);
    assert_eq!(codes[0], ErrorCode::Clock);
    assert!(matches!(codes[2], ErrorCode::Other(_)));
    assert_eq!(serde_json::to_value(&codes[2]).unwrap(), json!("QUOTA_ERROR"));
}

#[test]
fn every_step_without_a_run_has_one_code_in_history_and_comparisons() {
    let report = |status, reason| StepReport {
        declared_types: [crate::ObjectType::literal("acme_app")].into(),
        disabled_reason: reason,
        ..StepReport::new(StepId::literal("fetch-apps"), "Fetch apps", status)
    };
    let cases = [
        (StepStatus::Disabled, Some(DisabledReason::NotSelected), Some("STEP_NOT_SELECTED")),
        (StepStatus::Disabled, Some(DisabledReason::UserConfig), Some("STEP_DISABLED")),
        (StepStatus::Pending, None, Some("NOT_COLLECTED")),
        (StepStatus::Failure, None, None),
        (StepStatus::Cached, None, None),
    ];
    for (status, reason, code) in cases {
        let report = report(status, reason);
        let found = report.not_run();
        assert_eq!(found.as_ref().map(|(code, _)| code.as_str()), code);
        assert!(found.iter().all(|(code, _)| code.means_not_run() && *code == ErrorCode::from(code.as_str())));
        let mut summary = Summary::new(JobId::generate(), "acme", InstanceId::default(), JobState::Partial);
        summary.integration_step_results.push(report);
        let published = SnapshotGap::of(&summary).pop().map(|gap| (gap.code, gap.cause));
        assert_eq!(published, found);
    }
}

#[test]
fn a_reason_of_another_version_is_unspecified() {
    let mut report = document()["integrationStepResults"][0].take();
    report["disabledReason"] = json!("weather");
    let report: StepReport = serde_json::from_value(report).unwrap();
    assert_eq!(report.disabled_reason, Some(DisabledReason::None));
}

#[test]
fn a_step_may_lack_its_partial_types_unless_it_is_switched_off() {
    let app = crate::ObjectType::literal("acme_app");
    let report = |status, reason| StepReport {
        partial_types: [app.clone()].into(),
        disabled_reason: reason,
        ..StepReport::new(StepId::literal("fetch-apps"), "Fetch apps", status)
    };
    assert!(report(StepStatus::Partial, None).may_lack(&app));
    assert!(report(StepStatus::Disabled, Some(DisabledReason::NotSelected)).may_lack(&app));
    assert!(!report(StepStatus::Disabled, Some(DisabledReason::UserConfig)).may_lack(&app));
    let refused = Gap::new([app.clone()], ErrorCode::ProviderAuthorization, "no permission");
    let without_permission =
        StepReport { gaps: vec![refused], ..report(StepStatus::Disabled, Some(DisabledReason::Permission)) };
    assert!(without_permission.may_lack(&app));
    let mut vanished = StepReport::new(StepId::literal("fetch-apps"), "Fetch apps", StepStatus::Success);
    vanished.skipped.entry(app.clone()).or_default().insert(VANISHED.to_owned(), 1);
    assert!(vanished.may_lack(&app) && !vanished.may_lack(&crate::ObjectType::literal("acme_team")));
}

#[test]
fn a_new_summary_is_empty() {
    let summary = Summary::new(JobId::generate(), "acme", InstanceId::default(), JobState::Complete);
    assert!(!summary.is_partial() && summary.is_whole() && !summary.is_selection());
}

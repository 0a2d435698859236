//! The script of the soak, and the truth about the changed teams.

use integration_heroku::fake::FaultId;
use serde_json::{Value, json};

/// A change of the organisation, or of its visibility. The number is that of a team.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    Nothing,
    /// An application gets an old stack, or its former one.
    Outdate(usize),
    Update(usize),
    /// An application appears, or the last one that appeared is deleted.
    Create(usize),
    Delete(usize),
    /// A team loses all applications, or has them again.
    Clear(usize),
    Restore(usize),
    /// The applications of a team are refused, or shown again.
    Hide(usize),
    Show(usize),
    /// The next responses are errors that a retry overcomes.
    Storm,
    /// The key is revoked, or replaced.
    Revoke,
    Rotate,
}

/// The steps begin again after the last one, which leaves the organisation as it was.
pub(super) const SCRIPT: [Step; 25] = {
    use Step::*;
    [
        Outdate(0),
        Hide(0),
        Update(0),
        Show(0),
        Create(1),
        Revoke,
        Rotate,
        Storm,
        Delete(1),
        Clear(0),
        Hide(1),
        Create(0),
        Outdate(1),
        Show(1),
        Restore(0),
        Nothing,
        Hide(0),
        Clear(0),
        Show(0),
        Revoke,
        Delete(0),
        Rotate,
        Restore(0),
        Update(1),
        Storm,
    ]
};

/// A team with the truth about its applications.
pub(super) struct Team {
    pub(super) id: String,
    /// The applications of the beginning, whose raw data is that of the provider.
    pub(super) original: Vec<Value>,
    pub(super) is_cleared: bool,
    pub(super) is_outdated: bool,
    pub(super) created: Vec<Value>,
    pub(super) is_hidden: bool,
    pub(super) fault: Option<FaultId>,
    /// The ids of the applications that the last visible collection showed.
    pub(super) shown: Vec<String>,
}

impl Team {
    pub(super) fn apps(&self) -> Vec<Value> {
        let mut apps = if self.is_cleared { Vec::new() } else { self.original.clone() };
        if let Some(app) = apps.first_mut().filter(|_| self.is_outdated) {
            app["stack"]["name"] = json!("heroku-99");
        }
        apps.extend(self.created.clone());
        apps
    }

    pub(super) fn ids(&self) -> Vec<String> {
        self.apps().iter().map(|app| app["id"].as_str().expect("an id").to_owned()).collect()
    }

    pub(super) fn has_old_stack(&self) -> bool {
        self.apps().iter().any(|app| app["stack"]["name"] == "heroku-99")
    }
}

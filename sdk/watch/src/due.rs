//! The times at which rules are evaluated.

use std::sync::Arc;

use integration_rules::Program;
use jiff::Timestamp;

use crate::book::Book;
use crate::evaluate::is_about_changes;

/// Returns the rules to evaluate at a time: those about changes, and those whose polling interval has passed.
///
/// Call it after each publication, and when [`next_due`] has passed. A disabled rule is never due. If the clock was set
/// back behind the last evaluation, the rule is due.
pub fn due(rules: &[Arc<Program>], book: &Book, at: Timestamp, has_published: bool) -> Vec<Arc<Program>> {
    let is_due = |program: &&Arc<Program>| {
        let is_disabled = program.rule().polling_interval.duration().is_none();
        let is_event = has_published && is_about_changes(program);
        !is_disabled && (is_event || next(program, book).is_none_or(|next| next <= at) || is_ahead(program, book, at))
    };
    rules.iter().filter(is_due).cloned().collect()
}

/// Returns the earliest time at which a rule is due; `None` if no rule ever is.
///
/// A rule that was never evaluated is due at once, at [`Timestamp::MIN`].
pub fn next_due(rules: &[Arc<Program>], book: &Book) -> Option<Timestamp> {
    let enabled = rules.iter().filter(|program| program.rule().polling_interval.duration().is_some());
    enabled.map(|program| next(program, book).unwrap_or(Timestamp::MIN)).min()
}

/// Returns the end of the polling interval that began with the last evaluation.
fn next(program: &Program, book: &Book) -> Option<Timestamp> {
    let last = book.rules.get(&program.rule().name)?.evaluated_on?;
    last.checked_add(program.rule().polling_interval.duration()?).ok()
}

fn is_ahead(program: &Program, book: &Book, at: Timestamp) -> bool {
    let last = book.rules.get(&program.rule().name).and_then(|state| state.evaluated_on);
    last.is_some_and(|last| last > at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::RuleState;
    use integration_rules::parse_rules;
    use jiff::SignedDuration;

    fn rules() -> Vec<Arc<Program>> {
        let text = "
- {name: hourly, pollingInterval: ONE_HOUR, question: {queries: [{query: FIND a}]}, operations: []}
- {name: daily, question: {queries: [{query: FIND a}]}, operations: []}
- {name: never, pollingInterval: DISABLED, question: {queries: [{query: FIND a}]}, operations: []}
- {name: changes, changes: {kinds: [added]}, operations: []}
";
        let rules = parse_rules(text).expect("rules");
        rules.into_iter().map(|rule| Arc::new(Program::compile(rule).expect("a program"))).collect()
    }

    fn names(rules: &[Arc<Program>]) -> Vec<&str> {
        rules.iter().map(|program| program.rule().name.as_str()).collect()
    }

    #[test]
    fn rules_are_due_after_their_interval_and_after_publications() {
        let (rules, begin) = (rules(), Timestamp::UNIX_EPOCH);
        let mut book = Book::default();
        assert_eq!(names(&due(&rules, &book, begin, false)), ["hourly", "daily", "changes"], "never evaluated");
        assert_eq!(next_due(&rules, &book), Some(Timestamp::MIN));
        for name in ["hourly", "daily", "changes"] {
            let state = RuleState { evaluated_on: Some(begin), ..RuleState::new() };
            book.rules.insert(name.to_owned(), state);
        }
        let after = |minutes| begin + SignedDuration::from_mins(minutes);
        assert_eq!(names(&due(&rules, &book, after(59), false)), [""; 0]);
        assert_eq!(names(&due(&rules, &book, after(59), true)), ["changes"]);
        assert_eq!(names(&due(&rules, &book, after(60), false)), ["hourly"]);
        assert_eq!(names(&due(&rules, &book, after(24 * 60), false)), ["hourly", "daily", "changes"]);
        assert_eq!(next_due(&rules, &book), Some(after(60)));
        assert_eq!(
            names(&due(&rules, &book, after(-5), false)),
            ["hourly", "daily", "changes"],
            "the clock was set back"
        );
    }
}

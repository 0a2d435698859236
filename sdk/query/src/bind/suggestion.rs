//! "Did you mean": the known name that is nearest to a misspelt one.

/// Returns the known name that the misspelt one was probably meant to be.
///
/// Names that differ only in case are nearest. Others may differ by one edit for every four characters.
pub(super) fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let lower = name.to_lowercase();
    let allowed = lower.chars().count().div_ceil(4).min(3);
    let distance = |candidate: &str| {
        let candidate_lower = candidate.to_lowercase();
        if candidate_lower == lower { 0 } else { strsim::damerau_levenshtein(&lower, &candidate_lower) }
    };
    let near = known.into_iter().filter(|candidate| candidate.len().abs_diff(name.len()) <= 8);
    let rated = near.map(|candidate| (distance(candidate), candidate)).filter(|(distance, _)| *distance <= allowed);
    rated.min().map(|(_, candidate)| candidate)
}

/// Returns the help text for a misspelt name, if a known name is near.
pub(super) fn did_you_mean<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<String> {
    nearest(name, known).map(|candidate| format!("did you mean `{candidate}`?"))
}

/// Returns names in quotes, separated by commas, as the known error texts have them.
pub(super) fn listed<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    names.into_iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_within_a_few_edits_is_suggested() {
        let known = ["heroku_team", "heroku_app", "User"];
        assert_eq!(nearest("heroku_tem", known), Some("heroku_team"));
        assert_eq!(nearest("user", known), Some("User"));
        assert_eq!(nearest("aws_iam_user", known), None);
        assert_eq!(nearest("zz", known), None);
    }
}

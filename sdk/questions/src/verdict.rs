//! The verdict of a question, from the numbers of its results.

use serde::Serialize;

use crate::ResultsAre;

/// The outcome of one query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    /// The meaning of the results.
    pub results_are: ResultsAre,
    /// The number of results.
    pub results: u64,
    /// Whether results may be missing because of a gap.
    pub is_incomplete: bool,
}

/// The verdict of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// A query has bad results.
    Bad,
    /// The data does not suffice for a verdict, or results need a review.
    Unknown,
    /// No query has bad results, and all data is there.
    Good,
    /// No query judges its results.
    Informative,
}

impl Verdict {
    /// Returns the verdict of a question with these queries.
    ///
    /// Bad results decide. Without them, results that need a review and missing data make a question unknown; so does a
    /// question whose results are all good if there is none, because nothing shows that the requirement is fulfilled.
    pub fn of(queries: &[Answered]) -> Self {
        let of = |meaning| queries.iter().filter(move |query| query.results_are == meaning);
        let has_results = |meaning| of(meaning).any(|query| query.results > 0);
        let judging = || queries.iter().filter(|query| query.results_are != ResultsAre::Informative);
        let lacks_evidence = of(ResultsAre::Bad).next().is_none()
            && of(ResultsAre::Good).next().is_some()
            && !has_results(ResultsAre::Good);
        if judging().next().is_none() {
            Self::Informative
        } else if has_results(ResultsAre::Bad) {
            Self::Bad
        } else if has_results(ResultsAre::Unknown) || lacks_evidence || judging().any(|query| query.is_incomplete) {
            Self::Unknown
        } else {
            Self::Good
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(queries: &[(ResultsAre, u64)]) -> Verdict {
        let answered = |&(results_are, results)| Answered { results_are, results, is_incomplete: false };
        Verdict::of(&queries.iter().map(answered).collect::<Vec<_>>())
    }

    #[test]
    fn bad_results_decide_then_unknown_ones() {
        use ResultsAre::{Bad, Good, Informative, Unknown};
        assert_eq!(verdict(&[(Good, 9), (Bad, 1), (Unknown, 1)]), Verdict::Bad);
        assert_eq!(verdict(&[(Good, 9), (Bad, 0), (Unknown, 1)]), Verdict::Unknown);
        assert_eq!(verdict(&[(Bad, 0)]), Verdict::Good);
        assert_eq!(verdict(&[(Good, 1)]), Verdict::Good);
        assert_eq!(verdict(&[(Good, 0)]), Verdict::Unknown);
        assert_eq!(verdict(&[(Good, 0), (Bad, 0)]), Verdict::Good);
        assert_eq!(verdict(&[(Informative, 7)]), Verdict::Informative);
        assert_eq!(verdict(&[]), Verdict::Informative);
    }

    #[test]
    fn missing_data_is_never_good() {
        let query = Answered { results_are: ResultsAre::Bad, results: 0, is_incomplete: true };
        assert_eq!(Verdict::of(&[query]), Verdict::Unknown);
        assert_eq!(Verdict::of(&[Answered { results: 1, ..query }]), Verdict::Bad);
    }
}

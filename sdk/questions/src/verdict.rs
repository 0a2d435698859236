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
    /// Whether a result can be there only because of a gap, such as that of a query for absent relationships.
    pub may_have_wrong_results: bool,
    /// Whether the query probably contains a mistake, such as a misspelt name.
    pub is_doubtful: bool,
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
    /// Bad results decide, unless they can be there only because data is missing. Without them, a question is unknown if
    /// results need a review, if data is missing, or if a query probably contains a mistake: a misspelt name must not look
    /// like an empty result. It is unknown as well if its results are all good and there is none, because nothing shows
    /// that the requirement is fulfilled.
    pub fn of(queries: &[Answered]) -> Self {
        let of = |meaning| queries.iter().filter(move |query| query.results_are == meaning);
        let has_results = |meaning| of(meaning).any(|query| query.results > 0);
        let judging = || queries.iter().filter(|query| query.results_are != ResultsAre::Informative);
        let lacks_evidence = of(ResultsAre::Bad).next().is_none()
            && of(ResultsAre::Good).next().is_some()
            && !has_results(ResultsAre::Good);
        let is_unsure = |query: &Answered| query.is_incomplete || query.is_doubtful;
        if judging().next().is_none() {
            Self::Informative
        } else if of(ResultsAre::Bad).any(|query| query.results > 0 && !query.may_have_wrong_results) {
            Self::Bad
        } else if has_results(ResultsAre::Unknown) || lacks_evidence || judging().any(is_unsure) {
            Self::Unknown
        } else {
            Self::Good
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certain(results_are: ResultsAre) -> Answered {
        let (is_incomplete, may_have_wrong_results, is_doubtful) = (false, false, false);
        Answered { results_are, results: 0, is_incomplete, may_have_wrong_results, is_doubtful }
    }

    fn verdict(queries: &[(ResultsAre, u64)]) -> Verdict {
        let answered = |&(results_are, results)| Answered { results, ..certain(results_are) };
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
    fn missing_data_and_probable_mistakes_are_never_good() {
        let good = certain(ResultsAre::Bad);
        for query in [Answered { is_incomplete: true, ..good }, Answered { is_doubtful: true, ..good }] {
            assert_eq!(Verdict::of(&[query]), Verdict::Unknown);
            assert_eq!(Verdict::of(&[Answered { results: 1, ..query }]), Verdict::Bad);
            assert_eq!(
                Verdict::of(&[Answered { results_are: ResultsAre::Good, results: 1, ..query }]),
                Verdict::Unknown
            );
            assert_eq!(
                Verdict::of(&[Answered { results_are: ResultsAre::Informative, ..query }]),
                Verdict::Informative
            );
        }
    }
    #[test]
    fn bad_results_that_a_gap_may_have_caused_are_unknown() {
        let doubtful =
            Answered { results: 2, is_incomplete: true, may_have_wrong_results: true, ..certain(ResultsAre::Bad) };
        assert_eq!(Verdict::of(&[doubtful]), Verdict::Unknown);
        assert_eq!(Verdict::of(&[doubtful, Answered { results: 1, ..certain(ResultsAre::Bad) }]), Verdict::Bad);
    }
}

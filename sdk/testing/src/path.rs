//! Paths with parameters, such as `/teams/{id}/members`.

use std::collections::BTreeMap;

/// Values of a path's parameters, by name.
pub(crate) type PathParameters = BTreeMap<String, String>;

/// A path in which a segment in braces matches any single segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PathPattern {
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Parameter(String),
}

impl PathPattern {
    pub(crate) fn new(pattern: &str) -> Self {
        let segments = segments_of(pattern).map(|segment| {
            match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                Some(name) => Segment::Parameter(name.to_owned()),
                None => Segment::Literal(segment.to_owned()),
            }
        });
        Self { segments: segments.collect() }
    }

    /// Returns the parameters if the path matches.
    pub(crate) fn parameters_of(&self, path: &str) -> Option<PathParameters> {
        let mut given = segments_of(path);
        let mut parameters = PathParameters::new();
        for expected in &self.segments {
            let segment = given.next()?;
            match expected {
                Segment::Literal(literal) if literal == segment => {}
                Segment::Literal(_) => return None,
                Segment::Parameter(name) => {
                    parameters.insert(name.clone(), segment.to_owned());
                }
            }
        }
        given.next().is_none().then_some(parameters)
    }

    pub(crate) fn fits(&self, path: &str) -> bool {
        self.parameters_of(path).is_some()
    }
}

fn segments_of(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_stands_for_exactly_one_segment() {
        let pattern = PathPattern::new("/teams/{id}/members");
        assert_eq!(pattern.parameters_of("/teams/t1/members").unwrap()["id"], "t1");
        assert!(!pattern.fits("/teams/members"));
        assert!(!pattern.fits("/teams/t1/members/m1"));
        assert!(!pattern.fits("/teams/t1/apps"));
    }

    #[test]
    fn a_pattern_without_parameters_fits_itself_alone() {
        assert!(PathPattern::new("/teams/t1/apps").fits("/teams/t1/apps"));
        assert!(!PathPattern::new("/teams/t1/apps").fits("/teams/t2/apps"));
    }
}

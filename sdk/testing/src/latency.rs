//! The delay of a reply. It depends only on the request, so that runs are reproducible.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use crate::Request;

/// The time between a request and its response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Latency {
    /// No delay.
    #[default]
    None,
    /// The same delay for each request.
    Fixed(Duration),
    /// A delay between zero and `max`, so that replies arrive out of order. It depends on the seed, the path, and
    /// the range: the same seed gives the same delays, whichever request arrives first.
    Shuffled {
        /// The seed of the order.
        seed: u64,
        /// The longest delay.
        max: Duration,
    },
}

impl Latency {
    pub(crate) fn of(self, request: &Request) -> Duration {
        match self {
            Self::None => Duration::ZERO,
            Self::Fixed(delay) => delay,
            Self::Shuffled { seed, max } => {
                let mut hasher = DefaultHasher::new();
                (seed, request.path(), request.query(), request.header("range")).hash(&mut hasher);
                let share = (hasher.finish() >> 11) as f64 / (1_u64 << 53) as f64;
                max.mul_f64(share)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn delays(seed: u64) -> Vec<Duration> {
        let latency = Latency::Shuffled { seed, max: Duration::from_millis(10) };
        (0..20).map(|n| latency.of(&Request::example(&format!("/things/{n}")))).collect()
    }

    #[test]
    fn a_seed_gives_the_same_delays_each_time_and_another_seed_others() {
        assert_eq!(delays(1), delays(1));
        assert_ne!(delays(1), delays(2));
        assert_eq!(delays(1).into_iter().collect::<BTreeSet<_>>().len(), 20);
        assert!(delays(1).into_iter().all(|delay| delay <= Duration::from_millis(10)));
    }
}

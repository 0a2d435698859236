//! Arrangement of circles in rings around a centre, large circles inside, without overlaps.

use std::f64::consts::{PI, TAU};

/// A position relative to the centre.
pub(super) type Point = (f64, f64);

/// The maximum widening of the last ring so that it takes all remaining circles.
const WIDENING: f64 = 1.12;

/// The golden angle. Each ring is turned by it relative to the previous one, so that no spokes appear.
const TURN: f64 = 2.399_963_229_728_653;

/// Returns the positions of circles that are `gap` apart, around a centre of radius `centre`.
///
/// The radius is 0 if nothing is in the centre.
pub(super) fn rings(centre: f64, radii: &[f64], gap: f64) -> Vec<Point> {
    let mut places = vec![(0.0, 0.0); radii.len()];
    let mut order: Vec<usize> = (0..radii.len()).collect();
    order.sort_by(|&a, &b| radii[b].total_cmp(&radii[a]).then(a.cmp(&b)));
    let mut rest = order.as_slice();
    let mut inner = centre + gap;
    if centre == 0.0 {
        inner = gap / 2.0;
        let alone = rest.len() == 1 || rest.len() > 5;
        if let (true, Some((&first, others))) = (alone, rest.split_first()) {
            inner = radii[first] + gap;
            rest = others;
        }
    }
    let mut turn = 0.0;
    while let Some(&largest) = rest.first() {
        let tight = inner + radii[largest];
        let widths = |ring: f64| rest.iter().map(move |&at| width(radii[at], gap, ring));
        let ring = if widths(tight * WIDENING).sum::<f64>() <= TAU { smallest(tight, rest, radii, gap) } else { tight };
        let mut used = 0.0;
        let fitting = widths(ring).take_while(|width| {
            used += width;
            used <= TAU + 1e-9
        });
        let count = fitting.count().max(1);
        let (here, next) = rest.split_at(count);
        spread(here, ring, turn, radii, gap, &mut places);
        inner = ring + radii[largest] + gap;
        turn += TURN;
        rest = next;
    }
    places
}

/// Returns the angle that a circle occupies in a ring.
fn width(radius: f64, gap: f64, ring: f64) -> f64 {
    2.0 * ((radius + gap / 2.0) / ring).min(1.0).asin()
}

/// Returns the smallest radius of a ring that takes all of `items`.
///
/// The radius is at least `tight`. At [`WIDENING`] times `tight` the search ends, even if not all items fit.
fn smallest(tight: f64, items: &[usize], radii: &[f64], gap: f64) -> f64 {
    let fits = |ring: f64| items.iter().map(|&at| width(radii[at], gap, ring)).sum::<f64>() <= TAU;
    if fits(tight) {
        return tight;
    }
    let (mut low, mut high) = (tight, tight * WIDENING);
    for _ in 0..24 {
        let middle = f64::midpoint(low, high);
        if fits(middle) { high = middle } else { low = middle }
    }
    high
}

fn spread(items: &[usize], ring: f64, turn: f64, radii: &[f64], gap: f64, places: &mut [Point]) {
    let used: f64 = items.iter().map(|&at| width(radii[at], gap, ring)).sum();
    let slack = ((TAU - used) / items.len() as f64).max(0.0);
    let mut angle = turn - PI / 2.0;
    for &at in items {
        let half = (width(radii[at], gap, ring) + slack) / 2.0;
        angle += half;
        places[at] = (ring * angle.cos(), ring * angle.sin());
        angle += half;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circles_in_rings_keep_their_distance() {
        for centre in [0.0, 8.0, 60.0] {
            for count in [1, 2, 3, 5, 6, 40, 300] {
                let radii: Vec<f64> = (0..count).map(|at| 3.0 + f64::from(at % 7) * 9.0).collect();
                let places = rings(centre, &radii, 4.0);
                for a in 0..radii.len() {
                    let from_centre = places[a].0.hypot(places[a].1);
                    assert!(centre == 0.0 || from_centre >= centre + radii[a] + 3.99, "{count} round {centre}");
                    for b in 0..a {
                        let apart = (places[a].0 - places[b].0).hypot(places[a].1 - places[b].1);
                        assert!(apart >= radii[a] + radii[b] + 3.9, "{a} and {b} of {count} round {centre}: {apart}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_thousand_equal_circles_lie_close_together() {
        let places = rings(5.0, &[5.0; 1000], 4.0);
        let outermost = places.iter().map(|(x, y)| x.hypot(*y)).fold(0.0, f64::max);
        // The radius that the circles would reach if they were packed as closely as possible.
        let closest = 14.0 * (1000.0 * 0.75_f64.sqrt() / PI).sqrt();
        assert!(outermost < 1.15 * closest, "{outermost}");
    }
}

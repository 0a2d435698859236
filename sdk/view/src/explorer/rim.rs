//! The approximately smallest circle around several circles.

use super::rings::Point;

/// The number of approximation steps. Each step improves the result by less.
const STEPS: u32 = 400;

/// Returns the middle and the radius of the rim. Circles are positions with radii; the rim of no circles is a point.
pub(super) fn rim(circles: &[(Point, f64)]) -> (Point, f64) {
    let farthest = |(x, y): Point| {
        let reach = |&((cx, cy), radius): &(Point, f64)| (cx - x).hypot(cy - y) + radius;
        circles.iter().map(|circle| (reach(circle), circle.0)).max_by(|a, b| a.0.total_cmp(&b.0))
    };
    let mut middle = (0.0, 0.0);
    let mut best = (middle, farthest(middle).map_or(0.0, |far| far.0));
    for step in 1..=STEPS {
        let Some((reach, (x, y))) = farthest(middle) else { break };
        if reach < best.1 {
            best = (middle, reach);
        }
        let part = 1.0 / f64::from(step + 2);
        middle = (middle.0 + (x - middle.0) * part, middle.1 + (y - middle.1) * part);
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rim_holds_all_circles_and_hardly_more() {
        let circles = [((0.0, 0.0), 10.0), ((100.0, 0.0), 20.0), ((40.0, 30.0), 5.0)];
        let ((x, y), radius) = rim(&circles);
        assert!(circles.iter().all(|((cx, cy), r)| (cx - x).hypot(cy - y) + r <= radius + 1e-9));
        assert!((65.0..67.0).contains(&radius), "{radius}");
        assert_eq!(rim(&[]), ((0.0, 0.0), 0.0));
    }
}

//! Properties of every drawing.

use super::*;

/// A random number generator with a fixed seed, so that every run has the same graphs.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

fn random(seed: u64, count: usize, links: usize, cyclic: bool) -> (Vec<Size>, Vec<(usize, usize)>) {
    let mut dice = Dice(seed);
    let mut size = || Size { width: 120.0 + dice.below(150) as f64, height: 40.0 + dice.below(160) as f64 };
    let sizes = (0..count).map(|_| size()).collect();
    let mut edge = || {
        let (a, b) = (dice.below(count), dice.below(count));
        if cyclic { (a, b) } else { (a.min(b), a.max(b)) }
    };
    (sizes, (0..links).map(|_| edge()).collect())
}

fn graphs() -> impl Iterator<Item = (Vec<Size>, Vec<(usize, usize)>)> {
    (1..40).map(|seed| {
        let count = 1 + seed as usize;
        random(seed, count, count * (seed as usize % 4), seed % 3 == 0)
    })
}

#[test]
fn no_two_boxes_overlap() {
    for (sizes, edges) in graphs() {
        let places = lay_out(&sizes, &edges, 72.0).places;
        for (at, a) in places.iter().enumerate() {
            for b in &places[at + 1..] {
                let apart = a.x + a.width <= b.x
                    || b.x + b.width <= a.x
                    || a.y + a.height <= b.y + 1e-6
                    || b.y + b.height <= a.y + 1e-6;
                assert!(apart, "{a:?} {b:?}");
            }
        }
    }
}

#[test]
fn every_box_has_its_room_inside_the_drawing() {
    for (sizes, edges) in graphs() {
        let layout = lay_out(&sizes, &edges, 72.0);
        for (place, size) in layout.places.iter().zip(&sizes) {
            assert!(place.width >= size.width && place.height >= size.height);
            assert!(place.x >= 0.0 && place.x + place.width <= layout.width + 1e-6);
            assert!(place.y >= -1e-6 && place.y + place.height <= layout.height + 1e-6);
        }
    }
}

#[test]
fn every_edge_leads_from_the_right_of_a_box_to_the_left_of_another() {
    for (sizes, edges) in graphs() {
        let layout = lay_out(&sizes, &edges, 72.0);
        for (route, &(from, to)) in layout.routes.iter().zip(&edges) {
            if from == to {
                assert!(route.points.is_empty());
                continue;
            }
            let (left, right) = if route.backward { (to, from) } else { (from, to) };
            let (left, right) = (layout.places[left], layout.places[right]);
            let (start, end) = (route.points[0], route.points[route.points.len() - 1]);
            assert_eq!((start.0, end.0), (left.x + left.width, right.x));
            assert!((left.y..=left.y + left.height).contains(&start.1));
            assert!((right.y..=right.y + right.height).contains(&end.1));
            assert!(route.points.is_sorted_by(|a, b| a.0 < b.0 || (a.0 == b.0 && a.1 == b.1)));
        }
    }
}

#[test]
fn no_edge_passes_through_a_box() {
    for (sizes, edges) in graphs() {
        let layout = lay_out(&sizes, &edges, 72.0);
        for points in layout.routes.iter().map(|route| &route.points) {
            for pair in points.windows(2) {
                let [(x1, y1), (x2, y2)] = [pair[0], pair[1]];
                // A curve with level tangents stays between the heights of its ends.
                let (top, bottom) = (y1.min(y2), y1.max(y2));
                for place in &layout.places {
                    let beside = x2 <= place.x || place.x + place.width <= x1;
                    let above_or_below = bottom <= place.y || place.y + place.height <= top;
                    assert!(beside || above_or_below, "{place:?} {pair:?}");
                }
            }
        }
    }
}

#[test]
fn without_a_cycle_no_edge_points_backwards() {
    for seed in 1..20 {
        let (sizes, edges) = random(seed, 30, 50, false);
        let loops = |&(from, to): &(usize, usize)| from == to;
        let layout = lay_out(&sizes, &edges, 72.0);
        assert!(layout.routes.iter().zip(&edges).all(|(route, edge)| !route.backward || loops(edge)));
    }
}

#[test]
fn the_same_graph_gives_the_same_drawing() {
    let (sizes, edges) = random(7, 40, 70, true);
    let (one, two) = (lay_out(&sizes, &edges, 72.0), lay_out(&sizes, &edges, 72.0));
    assert_eq!((one.places, one.routes), (two.places, two.routes));
}

#[test]
fn a_chain_is_one_straight_line() {
    let sizes = [60.0, 100.0, 40.0].map(|height| Size { width: 100.0, height });
    let layout = lay_out(&sizes, &[(0, 1), (1, 2)], 72.0);
    let heights: Vec<f64> = layout.routes.iter().flat_map(|route| &route.points).map(|point| point.1).collect();
    assert!(heights.iter().all(|height| (height - heights[0]).abs() < 1e-6), "{heights:?}");
    assert_eq!(layout.layers, 3);
}

#[test]
fn nothing_is_drawn_for_nothing() {
    let layout = lay_out(&[], &[], 72.0);
    assert_eq!((layout.width, layout.height, layout.layers), (0.0, 0.0, 0));
}

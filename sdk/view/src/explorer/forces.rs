//! A force-directed layout: related circles attract each other, all circles repel each other.
//!
//! In every step, the move of each circle depends only on the previous positions, and forces are added in a fixed
//! order. The result therefore does not depend on the number of threads. Distant circles are aggregated by cell.

use rayon::prelude::*;

use super::rings::Point;

/// The maximum number of circles, beyond which the computation would take too long.
pub(super) const MOST: usize = 12_000;

/// The number of relationships between the circles `a` and `b`, in both directions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Link {
    pub(super) a: usize,
    pub(super) b: usize,
    pub(super) weight: f64,
}

/// The density of an arrangement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Spread {
    /// Circles are packed closely, related ones next to each other.
    Close,
    /// Circles are spread enough to show their connections.
    Wide,
}

/// The circles to arrange around a centre, `gap` apart.
pub(super) struct Circles<'a> {
    pub(super) centre: f64,
    pub(super) radii: &'a [f64],
    pub(super) links: &'a [Link],
    pub(super) gap: f64,
    pub(super) spread: Spread,
}

/// Moves circles until, as far as possible, none overlaps another or the centre.
pub(super) fn pull(places: &mut [Point], circles: &Circles<'_>) {
    let field = Field::of(circles);
    let Circles { radii, gap, .. } = *circles;
    let steps = match radii.len() {
        0..=2_000 => 200,
        2_001..=5_000 => 80,
        _ => 40,
    };
    let area: f64 = field.reach.iter().map(|reach| reach * reach).sum();
    let hottest = area.sqrt() / 4.0;
    for step in 0..steps {
        let left = 1.0 - f64::from(step) / f64::from(steps);
        field.step(places, hottest * left * left + gap * 0.1);
    }
    for _ in 0..120 {
        if !field.part(places) {
            break;
        }
    }
    field.stretch(places);
}

struct Field<'a> {
    centre: f64,
    radii: &'a [f64],
    gap: f64,
    /// The radius that each circle occupies.
    reach: Vec<f64>,
    /// The mean of all reaches.
    usual: f64,
    /// The strength of the repulsion between circles, and of the attraction to the centre.
    repulsion: f64,
    gravity: f64,
    /// The links of each circle with their weights.
    pulls: Vec<Vec<(usize, f64)>>,
}

impl Field<'_> {
    fn of<'a>(circles: &Circles<'a>) -> Field<'a> {
        let Circles { centre, radii, links, gap, spread } = *circles;
        let mut pulls = vec![Vec::new(); radii.len()];
        for link in links {
            let strength = 1.0 + link.weight.ln();
            pulls[link.a].push((link.b, strength));
            pulls[link.b].push((link.a, strength));
        }
        let reach: Vec<f64> = radii.iter().map(|radius| (radius + gap) * 1.6).collect();
        let usual = reach.iter().sum::<f64>() / reach.len().max(1) as f64;
        let (repulsion, gravity) = match spread {
            Spread::Close => (0.15, 0.5),
            Spread::Wide => (0.6, 0.2),
        };
        Field { centre, radii, gap, reach, usual, repulsion, gravity, pulls }
    }

    fn step(&self, places: &mut [Point], hottest: f64) {
        // This number of cells minimises the additions: there are as many cells as there are circles in nine cells.
        let across = (1.7 * (places.len() as f64).powf(0.25)).ceil() as usize + 1;
        let grid = Grid::of(places, &self.reach, across);
        let moved = (0..places.len()).into_par_iter().with_min_len(64).map(|at| {
            let (mut dx, mut dy) = (0.0, 0.0);
            let mut push = |from: Point, strength: f64| {
                let (x, y) = (places[at].0 - from.0, places[at].1 - from.1);
                let square = (x * x + y * y).max(1e-3);
                dx += x / square * strength;
                dy += y / square * strength;
            };
            let strength = self.usual * self.repulsion;
            grid.each(places[at], |near| match near {
                Near::One(other) if other != at => push(places[other], strength * self.reach[other]),
                Near::One(_) => {}
                Near::Many(middle, reach) => push(middle, strength * reach),
            });
            if self.centre > 0.0 {
                push((0.0, 0.0), strength * (self.centre + self.gap) * 1.6);
            }
            let own = self.reach[at];
            for &(other, strength) in &self.pulls[at] {
                let (x, y) = (places[other].0 - places[at].0, places[other].1 - places[at].1);
                let distance = x.hypot(y).max(1e-3);
                let over = (distance - self.radii[at] - self.radii[other]).max(0.0);
                let pull = strength * over / (own + self.reach[other]);
                dx += x / distance * pull * own.min(self.reach[other]);
                dy += y / distance * pull * own.min(self.reach[other]);
            }
            dx -= places[at].0 * self.gravity;
            dy -= places[at].1 * self.gravity;
            let length = dx.hypot(dy).max(1e-9);
            let scale = length.min(hottest) / length;
            (places[at].0 + dx * scale, places[at].1 + dy * scale)
        });
        let moved: Vec<Point> = moved.collect();
        places.copy_from_slice(&moved);
    }

    /// Pushes overlapping circles apart. Returns whether any overlapped.
    fn part(&self, places: &mut [Point]) -> bool {
        let grid = Grid::touching(places, self.radii, self.gap);
        let moved: Vec<(Point, bool)> = (0..places.len())
            .into_par_iter()
            .with_min_len(64)
            .map(|at| {
                let here = places[at];
                let (mut dx, mut dy, mut touched) = (0.0, 0.0, false);
                let mut push = |from: Point, needed: f64, share: f64, aside: f64| {
                    let (mut x, mut y) = (here.0 - from.0, here.1 - from.1);
                    let mut distance = x.hypot(y);
                    if distance >= needed - 1e-6 {
                        return;
                    }
                    if distance < 1e-6 {
                        (x, y, distance) = (aside.cos(), aside.sin(), 1.0);
                    }
                    touched = true;
                    let by = (needed - distance).max(0.0) * share + 1e-3;
                    dx += x / distance * by;
                    dy += y / distance * by;
                };
                grid.near(here, |other| {
                    if other != at {
                        let mass = self.radii[other] * self.radii[other];
                        let share = mass / (mass + self.radii[at] * self.radii[at]);
                        let needed = self.radii[at] + self.radii[other] + self.gap;
                        push(places[other], needed, share, (at as f64 - other as f64) * 2.4);
                    }
                });
                if self.centre > 0.0 {
                    push((0.0, 0.0), self.radii[at] + self.centre + self.gap, 1.0, at as f64 * 2.4);
                }
                ((here.0 + dx, here.1 + dy), touched)
            })
            .collect();
        moved.iter().enumerate().for_each(|(at, (place, _))| places[at] = *place);
        moved.iter().any(|(_, touched)| *touched)
    }

    /// Stretches the arrangement slightly if circles still overlap.
    fn stretch(&self, places: &mut [Point]) {
        let grid = Grid::touching(places, self.radii, self.gap);
        let mut needed = 1.0_f64;
        for at in 0..places.len() {
            grid.near(places[at], |other| {
                if other < at {
                    let apart = (places[at].0 - places[other].0).hypot(places[at].1 - places[other].1);
                    needed = needed.max((self.radii[at] + self.radii[other] + 1.0) / apart.max(1.0));
                }
            });
        }
        let factor = needed.min(1.5);
        places.iter_mut().for_each(|place| *place = (place.0 * factor, place.1 * factor));
    }
}

/// Circles grouped by square cells.
struct Grid {
    across: usize,
    left: f64,
    top: f64,
    side: f64,
    cells: Vec<Vec<usize>>,
    /// The weighted middle of the circles of each cell, and the sum of the weights. The reach is the weight.
    sums: Vec<(Point, f64)>,
}

enum Near {
    One(usize),
    Many(Point, f64),
}

impl Grid {
    /// Creates a grid with `across` cells in a row.
    fn of(places: &[Point], reach: &[f64], across: usize) -> Grid {
        let bound =
            |start: f64, pick: fn(f64, f64) -> f64, of: fn(&Point) -> f64| places.iter().map(of).fold(start, pick);
        let (left, right) = (bound(f64::INFINITY, f64::min, |p| p.0), bound(f64::NEG_INFINITY, f64::max, |p| p.0));
        let (top, bottom) = (bound(f64::INFINITY, f64::min, |p| p.1), bound(f64::NEG_INFINITY, f64::max, |p| p.1));
        let side = ((right - left).max(bottom - top) / across as f64).max(1e-6);
        let mut grid = Grid { across, left, top, side, cells: vec![Vec::new(); across * across], sums: Vec::new() };
        for (at, &place) in places.iter().enumerate() {
            let (column, row) = grid.cell(place);
            grid.cells[row * across + column].push(at);
        }
        let sum = |cell: &Vec<usize>| {
            let total: f64 = cell.iter().map(|&at| reach[at]).sum();
            let middle =
                |of: fn(&Point) -> f64| cell.iter().map(|&at| of(&places[at]) * reach[at]).sum::<f64>() / total;
            (if cell.is_empty() { (0.0, 0.0) } else { (middle(|p| p.0), middle(|p| p.1)) }, total)
        };
        grid.sums = grid.cells.iter().map(sum).collect();
        grid
    }

    /// Creates a grid with large cells, so that only circles in neighbouring cells can touch.
    fn touching(places: &[Point], radii: &[f64], gap: f64) -> Grid {
        let largest = radii.iter().fold(0.0_f64, |most, &radius| most.max(radius)) * 2.0 + gap;
        let extent = places.iter().fold(0.0_f64, |most, (x, y)| most.max(x.abs()).max(y.abs())) * 2.0;
        let most = (places.len() as f64).sqrt().ceil() as usize + 1;
        let mut grid = Grid::of(places, radii, ((extent / largest) as usize).clamp(1, most));
        if grid.side < largest {
            grid = Grid::of(places, radii, 1.max((grid.side * grid.across as f64 / largest) as usize));
        }
        grid
    }

    fn cell(&self, (x, y): Point) -> (usize, usize) {
        let index = |at: f64| ((at / self.side) as usize).min(self.across - 1);
        (index((x - self.left).max(0.0)), index((y - self.top).max(0.0)))
    }

    /// Visits the circles in the nine cells around a position.
    fn near(&self, place: Point, mut found: impl FnMut(usize)) {
        let (column, row) = self.cell(place);
        for y in row.saturating_sub(1)..=(row + 1).min(self.across - 1) {
            for x in column.saturating_sub(1)..=(column + 1).min(self.across - 1) {
                self.cells[y * self.across + x].iter().for_each(|&at| found(at));
            }
        }
    }

    /// Visits all circles, one by one near a position and cell by cell beyond its nine cells.
    fn each(&self, place: Point, mut found: impl FnMut(Near)) {
        let (column, row) = self.cell(place);
        for (at, cell) in self.cells.iter().enumerate() {
            if (at % self.across).abs_diff(column) <= 1 && (at / self.across).abs_diff(row) <= 1 {
                cell.iter().for_each(|&at| found(Near::One(at)));
            } else if !cell.is_empty() {
                found(Near::Many(self.sums[at].0, self.sums[at].1));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::rings::rings;
    use super::*;

    fn ring_of(count: usize) -> (Vec<Point>, Vec<f64>, Vec<Link>) {
        let radii = vec![5.0; count];
        let links = (0..count).map(|a| Link { a, b: (a + 1) % count, weight: 1.0 }).collect();
        (rings(0.0, &radii, 5.0), radii, links)
    }

    fn circles<'a>(centre: f64, radii: &'a [f64], links: &'a [Link]) -> Circles<'a> {
        Circles { centre, radii, links, gap: 5.0, spread: Spread::Wide }
    }

    #[test]
    fn related_circles_come_closer_and_none_overlap() {
        let (before, radii, links) = ring_of(60);
        let mut after = before.clone();
        pull(&mut after, &circles(12.0, &radii, &links));
        let length = |places: &[Point]| -> f64 {
            let apart = |link: &Link| (places[link.a].0 - places[link.b].0).hypot(places[link.a].1 - places[link.b].1);
            links.iter().map(apart).sum::<f64>() / places.iter().map(|(x, y)| x.hypot(*y)).fold(0.0, f64::max)
        };
        assert!(length(&after) < length(&before), "{} {}", length(&after), length(&before));
        for a in 0..after.len() {
            assert!(after[a].0.hypot(after[a].1) >= 17.0 - 0.5);
            for b in 0..a {
                assert!((after[a].0 - after[b].0).hypot(after[a].1 - after[b].1) >= 10.5, "{a} and {b}");
            }
        }
    }

    #[test]
    fn any_number_of_threads_gives_the_same_places() {
        let with = |threads: usize| {
            let (mut places, radii, links) = ring_of(500);
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| pull(&mut places, &circles(0.0, &radii, &links)));
            places
        };
        assert_eq!(with(1), with(3));
    }
}

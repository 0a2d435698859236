//! The vertical order of nodes in a column, chosen to minimise crossings.
//!
//! Sweeps to the right and to the left place every node at the mean position of its neighbours in the previous column.
//! After each sweep, adjacent nodes are exchanged as long as that removes crossings. The best order found is kept.

use super::grid::Grid;

/// The maximum number of sweeps, and of exchanges after each. This suffices for every readable graph.
const SWEEPS: usize = 16;
const EXCHANGES: usize = 8;

/// Orders the columns of a grid and then spreads the ports accordingly.
pub(super) fn reduce_crossings(grid: &mut Grid) {
    let mut best = (crossings(grid), grid.columns.clone());
    for sweep in 0..SWEEPS {
        if best.0 == 0 {
            break;
        }
        let rightwards = sweep % 2 == 0;
        pull_together(grid, rightwards);
        exchange(grid);
        let found = crossings(grid);
        if found < best.0 {
            best = (found, grid.columns.clone());
        }
    }
    grid.columns = best.1;
    grid.spread_ports();
}

/// Returns the nodes linked to a node, in the previous or the next column.
fn neighbours(grid: &Grid, node: usize, before: bool) -> impl Iterator<Item = usize> {
    let links = if before { &grid.incoming[node] } else { &grid.outgoing[node] };
    links.iter().map(move |&link| if before { grid.links[link].from } else { grid.links[link].to })
}

fn pull_together(grid: &mut Grid, rightwards: bool) {
    let mut ranks = grid.ranks();
    let count = grid.columns.len();
    for step in 0..count {
        let column = if rightwards { step } else { count - 1 - step };
        let mut keyed: Vec<(f64, usize)> = grid.columns[column]
            .iter()
            .map(|&node| {
                let (sum, links) = neighbours(grid, node, rightwards)
                    .fold((0, 0), |(sum, links), other| (sum + ranks[other], links + 1));
                // A node without neighbours in that column keeps its position.
                (if links == 0 { ranks[node] as f64 } else { sum as f64 / links as f64 }, node)
            })
            .collect();
        keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
        grid.columns[column] = keyed.into_iter().map(|(_, node)| node).collect();
        grid.columns[column].iter().enumerate().for_each(|(rank, &node)| ranks[node] = rank);
    }
}

/// Exchanges adjacent nodes of a column if that reduces the number of crossings.
fn exchange(grid: &mut Grid) {
    let mut ranks = grid.ranks();
    for _ in 0..EXCHANGES {
        let mut better = false;
        for column in 0..grid.columns.len() {
            for upper in 1..grid.columns[column].len() {
                let (a, b) = (grid.columns[column][upper - 1], grid.columns[column][upper]);
                let between = |above: usize, below: usize| {
                    pair_crossings(grid, &ranks, above, below, true) + pair_crossings(grid, &ranks, above, below, false)
                };
                if between(b, a) < between(a, b) {
                    grid.columns[column].swap(upper - 1, upper);
                    ranks.swap(a, b);
                    better = true;
                }
            }
        }
        if !better {
            return;
        }
    }
}

/// Counts the crossings between the links of two adjacent nodes on one side.
fn pair_crossings(grid: &Grid, ranks: &[usize], above: usize, below: usize, before: bool) -> usize {
    let mut upper: Vec<usize> = neighbours(grid, above, before).map(|node| ranks[node]).collect();
    upper.sort_unstable();
    neighbours(grid, below, before).map(|node| upper.len() - upper.partition_point(|&rank| rank <= ranks[node])).sum()
}

/// Counts the crossings in the whole grid.
pub(super) fn crossings(grid: &Grid) -> usize {
    let ranks = grid.ranks();
    let mut total = 0;
    for column in &grid.columns {
        let mut ends: Vec<usize> = Vec::new();
        for &node in column {
            let mut targets: Vec<usize> = neighbours(grid, node, false).map(|other| ranks[other]).collect();
            total += targets.iter().map(|&to| ends.len() - ends.partition_point(|&end| end <= to)).sum::<usize>();
            targets.sort_unstable();
            for to in targets {
                let at = ends.partition_point(|&end| end <= to);
                ends.insert(at, to);
            }
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{Size, layers::layering};

    fn grid(count: usize, edges: &[(usize, usize)]) -> Grid {
        let sizes = vec![Size { width: 10.0, height: 10.0 }; count];
        Grid::of(&(0..count).collect::<Vec<_>>(), &sizes, edges, &layering(count, edges))
    }

    #[test]
    fn crossed_edges_are_untangled() {
        let mut tangled = grid(6, &[(0, 5), (1, 4), (2, 3), (0, 4)]);
        assert_eq!(crossings(&tangled), 4);
        reduce_crossings(&mut tangled);
        assert_eq!(crossings(&tangled), 0);
    }

    #[test]
    fn a_crossing_that_must_be_stays_one() {
        let mut full = grid(4, &[(0, 2), (0, 3), (1, 2), (1, 3)]);
        reduce_crossings(&mut full);
        assert_eq!(crossings(&full), 1);
    }
}

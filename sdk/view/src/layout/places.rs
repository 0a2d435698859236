//! The height of each node, as near to its neighbours as order and gaps allow.
//!
//! In each column, every node has a preferred height, at which its links would be straight. The heights closest to
//! these preferences (least squares) that respect order and distance are computed exactly, by pooling nodes that would
//! collide.

use super::grid::{Grid, Node};

const BOX_GAP: f64 = 26.0;
const JOINT_GAP: f64 = 14.0;

/// The number of double sweeps, to the right and to the left. The last ones consider both sides at once.
const TURNS: usize = 48;

/// The links that a sweep considers.
#[derive(Clone, Copy)]
enum Side {
    Before,
    Behind,
    Both,
}

/// Returns the vertical middle of every node.
pub(super) fn middles(grid: &Grid) -> Vec<f64> {
    let mut middles = vec![0.0; grid.nodes.len()];
    for column in &grid.columns {
        stack(grid, column, &mut middles);
    }
    let columns = grid.columns.len();
    for turn in 0..TURNS {
        let both = turn >= TURNS / 8;
        for column in 1..columns {
            settle(grid, column, if both { Side::Both } else { Side::Before }, &mut middles);
        }
        for column in (0..columns.saturating_sub(1)).rev() {
            settle(grid, column, if both { Side::Both } else { Side::Behind }, &mut middles);
        }
    }
    straighten(grid, &mut middles);
    middles
}

/// Stacks the nodes of a column around height zero, as the initial position.
fn stack(grid: &Grid, column: &[usize], middles: &mut [f64]) {
    let offsets = offsets(grid, column);
    let half = offsets.last().map_or(0.0, |last| last / 2.0);
    column.iter().zip(offsets).for_each(|(&node, offset)| middles[node] = offset - half);
}

/// Moves the nodes of one column towards the heights that their links prefer.
fn settle(grid: &Grid, column: usize, side: Side, middles: &mut [f64]) {
    let nodes = &grid.columns[column];
    let wishes: Vec<(f64, f64)> = nodes.iter().map(|&node| wish(grid, node, side, middles)).collect();
    let offsets = offsets(grid, nodes);
    // Without their minimum offsets, nodes may share a height, so only the order remains as a constraint.
    let free: Vec<(f64, f64)> =
        wishes.iter().zip(&offsets).map(|(&(y, weight), offset)| (y - offset, weight)).collect();
    for ((&node, y), offset) in nodes.iter().zip(ascending(&free)).zip(&offsets) {
        middles[node] = y + offset;
    }
}

/// Returns the preferred height of a node, and the weight of this preference.
fn wish(grid: &Grid, node: usize, side: Side, middles: &[f64]) -> (f64, f64) {
    let (mut sum, mut weights) = (0.0, 0.0);
    let mut pull = |y: f64, weight: f64| {
        sum += y * weight;
        weights += weight;
    };
    if matches!(side, Side::Before | Side::Both) {
        for link in grid.incoming[node].iter().map(|&link| &grid.links[link]) {
            pull(middles[link.from] + link.out_port - link.in_port, weight(grid, link.from, link.to));
        }
    }
    if matches!(side, Side::Behind | Side::Both) {
        for link in grid.outgoing[node].iter().map(|&link| &grid.links[link]) {
            pull(middles[link.to] + link.in_port - link.out_port, weight(grid, link.from, link.to));
        }
    }
    if weights > 0.0 { (sum / weights, weights) } else { (middles[node], 0.1) }
}

/// Returns the weight of a link. Long edges have the highest weight, because bends are most visible there.
fn weight(grid: &Grid, from: usize, to: usize) -> f64 {
    match (grid.nodes[from].item, grid.nodes[to].item) {
        (None, None) => 8.0,
        (Some(_), Some(_)) => 1.0,
        _ => 2.0,
    }
}

/// Returns the minimum distance of each node from the first node of its column.
fn offsets(grid: &Grid, column: &[usize]) -> Vec<f64> {
    let below = |pair: &[usize]| distance(&grid.nodes[pair[0]], &grid.nodes[pair[1]]);
    let mut offset = 0.0;
    let mut offsets = vec![offset; column.len().min(1)];
    for pair in column.windows(2) {
        offset += below(pair);
        offsets.push(offset);
    }
    offsets
}

/// Returns the minimum distance between the middles of two adjacent nodes.
fn distance(above: &Node, below: &Node) -> f64 {
    let gap = if above.item.is_some() && below.item.is_some() { BOX_GAP } else { JOINT_GAP };
    (above.height + below.height) / 2.0 + gap
}

/// Removes small steps from long edges.
///
/// Consecutive joints get a common height if there is one within the range of all of them, preferably that of a box at
/// either end.
fn straighten(grid: &Grid, middles: &mut [f64]) {
    let ranks = grid.ranks();
    for chain in &grid.chains {
        let joints: Vec<usize> = chain.links[1..].iter().map(|&link| grid.links[link].from).collect();
        let (first, last) = (&grid.links[chain.links[0]], &grid.links[chain.links[joints.len()]]);
        let ends = [middles[first.from] + first.out_port, middles[last.to] + last.in_port];
        let mut start = 0;
        while start < joints.len() {
            let mut common = room(grid, &ranks, joints[start], middles);
            let mut end = start + 1;
            while let Some(&joint) = joints.get(end) {
                let other = room(grid, &ranks, joint, middles);
                let both = (common.0.max(other.0), common.1.min(other.1));
                if both.0 > both.1 {
                    break;
                }
                common = both;
                end += 1;
            }
            let run = &joints[start..end];
            let mean = run.iter().map(|&joint| middles[joint]).sum::<f64>() / run.len() as f64;
            let fits = |y: &f64| common.0 <= *y && *y <= common.1;
            let height = ends.into_iter().find(fits).unwrap_or(mean.max(common.0).min(common.1));
            run.iter().for_each(|&joint| middles[joint] = height);
            start = end;
        }
    }
}

/// Returns the range in which a node keeps its distance from its neighbours in the column.
fn room(grid: &Grid, ranks: &[usize], node: usize, middles: &[f64]) -> (f64, f64) {
    let column = &grid.columns[grid.nodes[node].column];
    let neighbour = |rank: Option<usize>| rank.and_then(|rank| column.get(rank)).copied();
    let lowest = |above| middles[above] + distance(&grid.nodes[above], &grid.nodes[node]);
    let highest = |below| middles[below] - distance(&grid.nodes[node], &grid.nodes[below]);
    let top = neighbour(ranks[node].checked_sub(1)).map_or(f64::NEG_INFINITY, lowest);
    let bottom = neighbour(ranks[node].checked_add(1)).map_or(f64::INFINITY, highest);
    // Rounding may leave a node slightly outside its range, in which case it keeps its height.
    (top.min(middles[node]), bottom.max(middles[node]))
}

/// Returns the ascending values nearest to the preferred ones (pool-adjacent-violators algorithm).
fn ascending(wishes: &[(f64, f64)]) -> Vec<f64> {
    let mut pools: Vec<(f64, f64, usize)> = Vec::with_capacity(wishes.len());
    for &(y, weight) in wishes {
        let mut pool = (y, weight, 1);
        while let Some(&(above, above_weight, count)) = pools.last() {
            if above <= pool.0 {
                break;
            }
            let weights = above_weight + pool.1;
            pool = ((above * above_weight + pool.0 * pool.1) / weights, weights, count + pool.2);
            pools.pop();
        }
        pools.push(pool);
    }
    pools.into_iter().flat_map(|(y, _, count)| std::iter::repeat_n(y, count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_in_order_are_granted() {
        assert_eq!(ascending(&[(1.0, 1.0), (2.0, 1.0), (2.0, 3.0)]), [1.0, 2.0, 2.0]);
    }

    #[test]
    fn wishes_out_of_order_meet_at_their_weighted_mean() {
        assert_eq!(ascending(&[(0.0, 1.0), (9.0, 1.0), (5.0, 3.0)]), [0.0, 6.0, 6.0]);
        assert_eq!(ascending(&[(3.0, 1.0), (2.0, 1.0), (1.0, 1.0)]), [2.0, 2.0, 2.0]);
    }
}

//! The height at which each node stands: as near to its neighbours as the order and the gaps allow.
//!
//! Column by column every node names the height that would make its links straight. The heights nearest to these
//! wishes (least squares) that keep order and distance are found exactly, by pooling nodes that would collide.

use super::grid::{Grid, Node};

const BOX_GAP: f64 = 26.0;
const JOINT_GAP: f64 = 14.0;

/// Sweeps over the columns; each is a right and a left turn, the last ones look at both sides at once.
const TURNS: usize = 48;

/// Which links a sweep looks at.
#[derive(Clone, Copy)]
enum Side {
    Before,
    Behind,
    Both,
}

/// The vertical middle of every node.
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

/// One below the other around height zero, to begin with.
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
    // Without its offset, each node may share the height of the one above it: only the order remains to be kept.
    let free: Vec<(f64, f64)> =
        wishes.iter().zip(&offsets).map(|(&(y, weight), offset)| (y - offset, weight)).collect();
    for ((&node, y), offset) in nodes.iter().zip(ascending(&free)).zip(&offsets) {
        middles[node] = y + offset;
    }
}

/// The height that a node would like best, and how much it cares.
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

/// Long edges should run straight most of all.
fn weight(grid: &Grid, from: usize, to: usize) -> f64 {
    match (grid.nodes[from].item, grid.nodes[to].item) {
        (None, None) => 8.0,
        (Some(_), Some(_)) => 1.0,
        _ => 2.0,
    }
}

/// How far below the first node of a column each one stands at least.
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

/// The least distance of the middles of two nodes, one above the other.
fn distance(above: &Node, below: &Node) -> f64 {
    let gap = if above.item.is_some() && below.item.is_some() { BOX_GAP } else { JOINT_GAP };
    (above.height + below.height) / 2.0 + gap
}

/// Takes the small steps out of long edges: joints that follow each other share one height wherever there is one that
/// all of them have room for, best that of the box at an end.
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

/// How far up and down a node may go without coming too near to those above and below it.
fn room(grid: &Grid, ranks: &[usize], node: usize, middles: &[f64]) -> (f64, f64) {
    let column = &grid.columns[grid.nodes[node].column];
    let neighbour = |rank: Option<usize>| rank.and_then(|rank| column.get(rank)).copied();
    let lowest = |above| middles[above] + distance(&grid.nodes[above], &grid.nodes[node]);
    let highest = |below| middles[below] - distance(&grid.nodes[node], &grid.nodes[below]);
    let top = neighbour(ranks[node].checked_sub(1)).map_or(f64::NEG_INFINITY, lowest);
    let bottom = neighbour(ranks[node].checked_add(1)).map_or(f64::INFINITY, highest);
    // Rounding may leave a node a hair outside of its room; it may stay there.
    (top.min(middles[node]), bottom.max(middles[node]))
}

/// The ascending values nearest to the wished ones: pool-adjacent-violators.
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

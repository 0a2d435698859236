//! The layers of boxes, and the connected components of a graph.

/// The layer of each box, and the edges that are reversed to break cycles.
pub(super) struct Layering {
    pub(super) layer: Vec<usize>,
    pub(super) backward: Vec<bool>,
}

/// Assigns layers: the length of the longest path that leads to a box.
///
/// Edges that close a cycle count in the opposite direction. An edge from a box to itself does not count.
pub(super) fn layering(count: usize, edges: &[(usize, usize)]) -> Layering {
    let backward = closing(count, edges);
    let turned = |(&(from, to), &back): (&(usize, usize), &bool)| if back { (to, from) } else { (from, to) };
    let forward: Vec<(usize, usize)> =
        edges.iter().zip(&backward).map(turned).filter(|(from, to)| from != to).collect();
    let next = targets(count, &forward);
    let mut waiting = vec![0_usize; count];
    forward.iter().for_each(|&(_, to)| waiting[to] += 1);
    let mut layer = vec![0; count];
    let mut ready: Vec<usize> = (0..count).filter(|&at| waiting[at] == 0).collect();
    while let Some(at) = ready.pop() {
        for &(_, to) in &next[at] {
            layer[to] = layer[to].max(layer[at] + 1);
            waiting[to] -= 1;
            if waiting[to] == 0 {
                ready.push(to);
            }
        }
    }
    Layering { layer, backward }
}

/// Finds the edges that close a cycle.
///
/// Such an edge leads to a box that a depth-first walk has entered but not left.
///
/// Reversing these edges removes all cycles, because all edges then agree with the order in which the walk leaves the
/// boxes.
fn closing(count: usize, edges: &[(usize, usize)]) -> Vec<bool> {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        No,
        Entered,
        Left,
    }
    let next = targets(count, edges);
    let mut seen = vec![Seen::No; count];
    let mut closing = vec![false; edges.len()];
    let mut path: Vec<(usize, usize)> = Vec::new();
    let mut entered_from = vec![false; count];
    edges.iter().filter(|(from, to)| from != to).for_each(|&(_, to)| entered_from[to] = true);
    let (sources, others): (Vec<usize>, Vec<usize>) = (0..count).partition(|&at| !entered_from[at]);
    for start in sources.into_iter().chain(others) {
        if seen[start] == Seen::No {
            seen[start] = Seen::Entered;
            path.push((start, 0));
        }
        while let Some((at, turn)) = path.last_mut() {
            let Some(&(edge, to)) = next[*at].get(*turn) else {
                seen[*at] = Seen::Left;
                path.pop();
                continue;
            };
            *turn += 1;
            match seen[to] {
                Seen::No => {
                    seen[to] = Seen::Entered;
                    path.push((to, 0));
                }
                Seen::Entered => closing[edge] = true,
                Seen::Left => {}
            }
        }
    }
    closing
}

/// Returns the connected components, and the boxes without edges, each in input order.
pub(super) fn parts(count: usize, edges: &[(usize, usize)]) -> (Vec<Vec<usize>>, Vec<usize>) {
    let both = edges.iter().flat_map(|&(from, to)| [(from, to), (to, from)]).filter(|(from, to)| from != to);
    let next = targets(count, &both.collect::<Vec<_>>());
    let mut seen = vec![false; count];
    let (mut parts, mut singles) = (Vec::new(), Vec::new());
    for start in 0..count {
        if std::mem::replace(&mut seen[start], true) {
            continue;
        }
        let mut part = vec![start];
        let mut at = 0;
        while let Some(&item) = part.get(at) {
            for &(_, to) in &next[item] {
                if !std::mem::replace(&mut seen[to], true) {
                    part.push(to);
                }
            }
            at += 1;
        }
        part.sort_unstable();
        if part.len() == 1 { singles.push(start) } else { parts.push(part) }
    }
    (parts, singles)
}

/// Returns the outgoing edges of each box: index of the edge, and its target.
fn targets(count: usize, edges: &[(usize, usize)]) -> Vec<Vec<(usize, usize)>> {
    let mut targets = vec![Vec::new(); count];
    for (edge, &(from, to)) in edges.iter().enumerate() {
        targets[from].push((edge, to));
    }
    targets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_is_the_longest_way_to_a_box() {
        let layering = layering(4, &[(0, 1), (1, 2), (0, 2), (0, 3)]);
        assert_eq!(layering.layer, [0, 1, 2, 1]);
        assert_eq!(layering.backward, [false; 4]);
    }

    #[test]
    fn one_edge_of_a_cycle_is_turned_round() {
        let layering = layering(3, &[(0, 1), (1, 2), (2, 0), (1, 1)]);
        assert_eq!(layering.layer, [0, 1, 2]);
        assert_eq!(layering.backward, [false, false, true, true]);
    }

    #[test]
    fn a_long_chain_needs_no_deep_stack() {
        let edges: Vec<_> = (1..100_000).map(|at| (at - 1, at)).collect();
        assert_eq!(layering(100_000, &edges).layer.last(), Some(&99_999));
    }

    #[test]
    fn parts_are_told_apart() {
        assert_eq!(parts(5, &[(3, 0), (1, 4), (2, 2)]), (vec![vec![0, 3], vec![1, 4]], vec![2]));
    }
}

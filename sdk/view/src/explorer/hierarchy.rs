//! The ownership of nodes: at most one parent for each, derived from relationships.
//!
//! An account has teams, a team owns applications, and an application has add-ons. Types that own other types are above
//! them. A node with several owners belongs to the nearest type of which it has exactly one owner. A person in one team
//! is drawn in that team, and a person in several teams is drawn in the account that contains them.

use std::collections::BTreeSet;

use super::index::Index;
use crate::layout;

/// The classes of relationships that lead from an owner to its property.
const OWNING: &[&str] = &["CONTAINS", "HAS", "HOSTS", "MANAGES", "OWNS"];

/// The maximum length of a chain of owners that is searched for a cycle.
const LONGEST_CHAIN: usize = 64;

/// Returns the parent of every node.
pub(super) fn parents(index: &Index<'_>) -> Vec<Option<usize>> {
    let owning: Vec<(usize, usize)> = index
        .edges
        .iter()
        .filter(|edge| edge.from != edge.to && OWNING.contains(&index.kinds[edge.kind].1))
        .map(|edge| (edge.from, edge.to))
        .collect();
    let rank = ranks(index, &owning);
    let rank_of = |node: usize| rank[index.type_of[node]];
    let mut owners: Vec<Vec<usize>> = vec![Vec::new(); index.nodes.len()];
    let mut owned = vec![0_usize; index.nodes.len()];
    for &(from, to) in &owning {
        let same_type = index.type_of[from] == index.type_of[to];
        if (rank_of(from) < rank_of(to) || same_type) && owners[to].last() != Some(&from) {
            owners[to].push(from);
            owned[from] += 1;
        }
    }
    let mut parents = vec![None; index.nodes.len()];
    for node in 0..index.nodes.len() {
        let candidates: Vec<usize> =
            owners[node].iter().copied().filter(|&owner| !is_below(&parents, owner, node)).collect();
        parents[node] = nearest(&candidates, &rank_of, &owned);
    }
    parents
}

/// Returns the depth of each type, which is the length of the longest path to it.
fn ranks(index: &Index<'_>, owning: &[(usize, usize)]) -> Vec<usize> {
    let between: BTreeSet<(usize, usize)> =
        owning.iter().map(|&(from, to)| (index.type_of[from], index.type_of[to])).collect();
    let between: Vec<(usize, usize)> = between.into_iter().filter(|(from, to)| from != to).collect();
    layout::layers(index.types.len(), &between)
}

/// Whether `other` is a known ancestor of `node`, or the chain is too long to search.
fn is_below(parents: &[Option<usize>], node: usize, other: usize) -> bool {
    let mut at = Some(node);
    for _ in 0..LONGEST_CHAIN {
        match at {
            None => return false,
            Some(above) if above == other => return true,
            Some(above) => at = parents[above],
        }
    }
    true
}

fn nearest(owners: &[usize], rank_of: &impl Fn(usize) -> usize, owned: &[usize]) -> Option<usize> {
    let mut ranks: Vec<usize> = owners.iter().map(|&owner| rank_of(owner)).collect();
    ranks.sort_unstable_by(|a, b| b.cmp(a));
    let only = ranks.chunk_by(|a, b| a == b).find(|same| same.len() == 1);
    match only {
        Some(rank) => owners.iter().copied().find(|&owner| rank_of(owner) == rank[0]),
        None => owners.iter().copied().min_by_key(|&owner| (owned[owner], owner)),
    }
}

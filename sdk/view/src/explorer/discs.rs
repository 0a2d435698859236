//! The map: nested discs. A node is a disc with everything that belongs to it.
//!
//! Many leaves of one type within a disc form a disc as well. The order of nodes and discs lets a page draw any part of
//! a large graph without visiting the rest: the nodes of a disc are consecutive, and so are the discs in it.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::forces::{self, Circles, Link, Spread};
use super::hierarchy;
use super::index::Index;
use super::rim::rim;
use super::rings::{Point, rings};

/// The number of leaves of one type from which they form a separate disc.
const COLLECTION: usize = 25;

/// The space between circles, and between circles and the rim around them.
const GAP: f64 = 5.0;
const RIM: f64 = 6.0;

/// The additional distance between discs in proportion to their size. It leaves space for names.
const ROOM_FOR_NAMES: f64 = 0.2;

/// The radius of a node without contents.
pub(super) const LEAF: f64 = 5.0;

/// A circle on the map with its contents.
#[derive(Debug, Default)]
pub(super) struct Disc {
    /// The node to which the contents belong. The outermost disc and a disc of many leaves have none.
    pub(super) node: Option<usize>,
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) radius: f64,
    /// The range of its nodes in [`Map::order`]: start, end of the direct nodes, end of all nodes.
    pub(super) start: usize,
    pub(super) own_end: usize,
    pub(super) end: usize,
    /// The end of the discs in it, which follow it directly.
    pub(super) discs_end: usize,
    parent: Option<usize>,
    leaves: Vec<usize>,
    discs: Vec<usize>,
    depth: usize,
}

/// The map of a graph.
#[derive(Debug, Default)]
pub(super) struct Map {
    /// The discs, the outermost one first.
    pub(super) discs: Vec<Disc>,
    /// The nodes of the index in the order of the page.
    pub(super) order: Vec<usize>,
    /// The position and the radius of each node of the index.
    pub(super) places: Vec<(f64, f64, f64)>,
}

pub(super) fn map(index: &Index<'_>) -> Map {
    let mut tree = Tree::of(index);
    let links = tree.links(index);
    tree.arrange(&links);
    tree.map(index.nodes.len())
}

struct Tree {
    discs: Vec<Disc>,
    /// The disc of a node, and the index of the node among the circles of that disc.
    ///
    /// The disc contains the node or has it as its centre. The centre has the index 0, followed by the leaves and then
    /// the discs.
    home: Vec<usize>,
    radius: Vec<f64>,
    offsets: Vec<Vec<Point>>,
}

impl Tree {
    fn of(index: &Index<'_>) -> Tree {
        let parents = hierarchy::parents(index);
        let mut children: Vec<Vec<usize>> = vec![Vec::new(); index.nodes.len()];
        let mut roots = Vec::new();
        for (node, parent) in parents.iter().enumerate() {
            match parent {
                Some(parent) => children[*parent].push(node),
                None => roots.push(node),
            }
        }
        let mut linked = vec![false; index.nodes.len()];
        for edge in index.edges.iter().filter(|edge| edge.from != edge.to) {
            linked[edge.from] = true;
            linked[edge.to] = true;
        }
        let mut tree = Tree {
            discs: vec![Disc::default()],
            home: vec![0; index.nodes.len()],
            radius: vec![LEAF; index.nodes.len()],
            offsets: Vec::new(),
        };
        let free = roots.len() <= forces::MOST;
        let mut open = vec![(0, roots)];
        while let Some((disc, nodes)) = open.pop() {
            let mut leaves: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
            for node in nodes {
                if children[node].is_empty() {
                    leaves.entry(index.type_of[node]).or_default().push(node);
                } else {
                    let inner = tree.add(disc, Disc { node: Some(node), ..Disc::default() });
                    tree.home[node] = inner;
                    tree.radius[node] = 7.0 + 2.0 * (children[node].len() as f64).log2().min(8.0);
                    open.push((inner, std::mem::take(&mut children[node])));
                }
            }
            let alone = leaves.len() == 1 && tree.discs[disc].discs.is_empty() && disc != 0;
            for nodes in leaves.into_values() {
                // At the top level, linked nodes show their structure; unlinked nodes are grouped.
                let together = |node: &usize| disc != 0 || !free || !linked[*node];
                let (mut collected, mut single): (Vec<usize>, Vec<usize>) = nodes.into_iter().partition(together);
                if collected.len() < COLLECTION || alone {
                    single.append(&mut collected);
                }
                if !collected.is_empty() {
                    let inner = tree.add(disc, Disc::default());
                    collected.iter().for_each(|&node| tree.home[node] = inner);
                    tree.discs[inner].leaves = collected;
                }
                single.iter().for_each(|&node| tree.home[node] = disc);
                tree.discs[disc].leaves.extend(single);
            }
        }
        tree
    }

    fn add(&mut self, parent: usize, disc: Disc) -> usize {
        let at = self.discs.len();
        self.discs.push(Disc { parent: Some(parent), depth: self.discs[parent].depth + 1, ..disc });
        self.discs[parent].discs.push(at);
        at
    }

    /// Counts the relationships between the circles of each disc, including their contents.
    fn links(&self, index: &Index<'_>) -> Vec<Vec<Link>> {
        let mut circle = vec![0; self.radius.len()];
        let mut disc_circle = vec![0; self.discs.len()];
        for disc in &self.discs {
            disc.leaves.iter().enumerate().for_each(|(at, &node)| circle[node] = at + 1);
            disc.discs.iter().enumerate().for_each(|(at, &inner)| disc_circle[inner] = disc.leaves.len() + at + 1);
        }
        let mut joined: Vec<(usize, usize, usize)> = index
            .edges
            .par_iter()
            .filter(|edge| edge.from != edge.to)
            .filter_map(|edge| {
                let (mut a, mut b) = ((self.home[edge.from], circle[edge.from]), (self.home[edge.to], circle[edge.to]));
                while a.0 != b.0 {
                    let deeper = if self.discs[a.0].depth >= self.discs[b.0].depth { &mut a } else { &mut b };
                    *deeper = (self.discs[deeper.0].parent?, disc_circle[deeper.0]);
                }
                let centre = self.discs[a.0].node.is_some() && (a.1 == 0 || b.1 == 0);
                (!centre && a.1 != b.1).then(|| (a.0, a.1.min(b.1) - 1, a.1.max(b.1) - 1))
            })
            .collect();
        joined.par_sort_unstable();
        let mut links = vec![Vec::new(); self.discs.len()];
        for same in joined.chunk_by(|a, b| a == b) {
            links[same[0].0].push(Link { a: same[0].1, b: same[0].2, weight: same.len() as f64 });
        }
        links
    }

    /// Places the circles in every disc.
    ///
    /// Innermost discs come first, because the size of a disc depends on its contents.
    fn arrange(&mut self, links: &[Vec<Link>]) {
        self.offsets = vec![Vec::new(); self.discs.len()];
        let deepest = self.discs.iter().map(|disc| disc.depth).max().unwrap_or(0);
        for depth in (0..=deepest).rev() {
            let level: Vec<usize> = (0..self.discs.len()).filter(|&at| self.discs[at].depth == depth).collect();
            let arranged: Vec<(Vec<Point>, f64)> = level.par_iter().map(|&at| self.arranged(at, &links[at])).collect();
            for (at, (offsets, radius)) in level.into_iter().zip(arranged) {
                self.offsets[at] = offsets;
                self.discs[at].radius = radius;
            }
        }
    }

    /// Arranges the circles of a disc around its middle, the centre first. Returns their positions and the radius.
    fn arranged(&self, at: usize, links: &[Link]) -> (Vec<Point>, f64) {
        let disc = &self.discs[at];
        let centre = disc.node.map_or(0.0, |node| self.radius[node]);
        let leaves = disc.leaves.iter().map(|&node| self.radius[node]);
        let radii: Vec<f64> = leaves.chain(disc.discs.iter().map(|&inner| self.discs[inner].radius)).collect();
        let inner = disc.discs.iter().map(|&inner| self.discs[inner].radius).fold(0.0, f64::max);
        let gap = GAP + inner * ROOM_FOR_NAMES;
        let mut places = rings(centre, &radii, gap);
        if !links.is_empty() && radii.len() <= forces::MOST {
            // A graph without owners shows its structure; nodes with an owner are placed close together.
            let net = at == 0 && disc.leaves.len() >= disc.discs.len();
            let spread = if net { Spread::Wide } else { Spread::Close };
            forces::pull(&mut places, &Circles { centre, radii: &radii, links, gap, spread });
        }
        places.insert(0, (0.0, 0.0));
        let sizes = std::iter::once(centre).chain(radii);
        let circles: Vec<(Point, f64)> = places.iter().copied().zip(sizes).skip(usize::from(centre == 0.0)).collect();
        let ((x, y), radius) = rim(&circles);
        places.iter_mut().for_each(|place| *place = (place.0 - x, place.1 - y));
        (places, radius + RIM)
    }

    fn map(mut self, count: usize) -> Map {
        let mut map = Map { places: vec![(0.0, 0.0, 0.0); count], ..Map::default() };
        // A disc is entered once. The second visit closes it, when all of its contents are numbered.
        let mut open = vec![(0, 0.0, 0.0, None)];
        while let Some((at, x, y, number)) = open.pop() {
            if let Some(number) = number {
                let (end, discs_end) = (map.order.len(), map.discs.len());
                let disc: &mut Disc = &mut map.discs[number];
                disc.end = end;
                disc.discs_end = discs_end;
                continue;
            }
            let mut disc = std::mem::take(&mut self.discs[at]);
            (disc.x, disc.y, disc.start) = (x, y, map.order.len());
            let offset = |circle: usize| (x + self.offsets[at][circle].0, y + self.offsets[at][circle].1);
            if let Some(node) = disc.node {
                map.order.push(node);
                map.places[node] = (offset(0).0, offset(0).1, self.radius[node]);
            }
            for (circle, &node) in disc.leaves.iter().enumerate() {
                map.order.push(node);
                map.places[node] = (offset(circle + 1).0, offset(circle + 1).1, self.radius[node]);
            }
            disc.own_end = map.order.len();
            open.push((at, x, y, Some(map.discs.len())));
            for (circle, &inner) in disc.discs.iter().enumerate().rev() {
                let (x, y) = offset(disc.leaves.len() + circle + 1);
                open.push((inner, x, y, None));
            }
            map.discs.push(disc);
        }
        map
    }
}

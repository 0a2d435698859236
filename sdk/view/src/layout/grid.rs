//! The layout grid: boxes and joints in columns, and links between adjacent columns.
//!
//! An edge over several columns has a joint in each column in between, so that every link connects adjacent columns.

use super::Size;
use super::layers::Layering;

/// A connected part of the graph in columns.
pub(super) struct Grid {
    pub(super) nodes: Vec<Node>,
    /// The links from one column to the next, each listed once.
    pub(super) links: Vec<Link>,
    /// The links of each edge, from left to right.
    pub(super) chains: Vec<Chain>,
    /// The nodes of each column from top to bottom.
    pub(super) columns: Vec<Vec<usize>>,
    /// The incoming and the outgoing links of each node.
    pub(super) incoming: Vec<Vec<usize>>,
    pub(super) outgoing: Vec<Vec<usize>>,
}

/// A box, or a joint of a long edge.
pub(super) struct Node {
    /// The index of the box; a joint has none.
    pub(super) item: Option<usize>,
    pub(super) column: usize,
    pub(super) height: f64,
}

/// A piece of an edge. Ports are vertical distances from the middle of the node.
pub(super) struct Link {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) out_port: f64,
    pub(super) in_port: f64,
}

/// The links of one edge.
pub(super) struct Chain {
    pub(super) edge: usize,
    pub(super) links: Vec<usize>,
}

/// The distance between arrows at the side of a box, and their margin from its corners.
const PORT_STEP: f64 = 13.0;
const PORT_MARGIN: f64 = 12.0;

impl Grid {
    /// Builds the grid of the boxes in `part`. `edges` are the edges of the whole graph.
    pub(super) fn of(part: &[usize], sizes: &[Size], edges: &[(usize, usize)], layering: &Layering) -> Grid {
        let mut grid = Grid {
            nodes: Vec::with_capacity(part.len()),
            links: Vec::new(),
            chains: Vec::new(),
            columns: Vec::new(),
            incoming: Vec::new(),
            outgoing: Vec::new(),
        };
        let mut node_of = vec![None; sizes.len()];
        for &item in part {
            node_of[item] = Some(grid.add_node(Some(item), layering.layer[item], sizes[item].height));
        }
        for (edge, &(from, to)) in edges.iter().enumerate() {
            let (left, right) = if layering.backward[edge] { (to, from) } else { (from, to) };
            if let (Some(left), Some(right), true) = (node_of[left], node_of[right], from != to) {
                grid.add_chain(edge, left, right);
            }
        }
        grid
    }

    fn add_node(&mut self, item: Option<usize>, column: usize, height: f64) -> usize {
        let at = self.nodes.len();
        self.nodes.push(Node { item, column, height });
        self.incoming.push(Vec::new());
        self.outgoing.push(Vec::new());
        if self.columns.len() <= column {
            self.columns.resize(column + 1, Vec::new());
        }
        self.columns[column].push(at);
        at
    }

    fn add_chain(&mut self, edge: usize, from: usize, to: usize) {
        let mut links = Vec::new();
        let mut at = from;
        for column in self.nodes[from].column + 1..self.nodes[to].column {
            let joint = self.add_node(None, column, 0.0);
            links.push(self.add_link(at, joint));
            at = joint;
        }
        links.push(self.add_link(at, to));
        self.chains.push(Chain { edge, links });
    }

    fn add_link(&mut self, from: usize, to: usize) -> usize {
        let link = self.links.len();
        self.links.push(Link { from, to, out_port: 0.0, in_port: 0.0 });
        self.outgoing[from].push(link);
        self.incoming[to].push(link);
        link
    }

    /// Returns the position of every node in its column.
    pub(super) fn ranks(&self) -> Vec<usize> {
        let mut ranks = vec![0; self.nodes.len()];
        for column in &self.columns {
            column.iter().enumerate().for_each(|(rank, &node)| ranks[node] = rank);
        }
        ranks
    }

    /// Distributes links over the sides of their boxes, in the order of the connected boxes.
    pub(super) fn spread_ports(&mut self) {
        let ranks = self.ranks();
        for node in 0..self.nodes.len() {
            let height = self.nodes[node].height;
            let mut out = self.outgoing[node].clone();
            out.sort_by_key(|&link| ranks[self.links[link].to]);
            for (link, port) in out.iter().zip(ports(out.len(), height)) {
                self.links[*link].out_port = port;
            }
            let mut into = self.incoming[node].clone();
            into.sort_by_key(|&link| ranks[self.links[link].from]);
            for (link, port) in into.iter().zip(ports(into.len(), height)) {
                self.links[*link].in_port = port;
            }
        }
    }
}

fn ports(count: usize, height: f64) -> impl Iterator<Item = f64> {
    let gaps = count.saturating_sub(1) as f64;
    let room = (height - 2.0 * PORT_MARGIN).max(0.0);
    let step = if gaps > 0.0 { (room / gaps).min(PORT_STEP) } else { 0.0 };
    (0..count).map(move |at| (at as f64 - gaps / 2.0) * step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::layers::layering;

    #[test]
    fn a_long_edge_has_a_joint_in_every_column_between() {
        let edges = [(0, 1), (1, 2), (0, 2)];
        let sizes = [Size { width: 10.0, height: 60.0 }; 3];
        let mut grid = Grid::of(&[0, 1, 2], &sizes, &edges, &layering(3, &edges));
        grid.spread_ports();
        assert_eq!(grid.chains.iter().map(|chain| chain.links.len()).collect::<Vec<_>>(), [1, 1, 2]);
        assert_eq!(grid.columns, [vec![0], vec![1, 3], vec![2]]);
        assert_eq!(grid.links.iter().map(|link| link.out_port).collect::<Vec<_>>(), [-6.5, 0.0, 6.5, 0.0]);
    }

    #[test]
    fn ports_stay_on_the_side_of_the_box() {
        assert!(ports(50, 60.0).all(|port| port.abs() <= 18.0));
        assert!(ports(3, 0.0).all(|port| port == 0.0));
    }
}

//! Positions of boxes and arrows: a layered drawing (Sugiyama) from left to right.
//!
//! ```text
//!   boxes and edges ─> layers: reverse the edges that close a cycle, longest path
//!                   ─> grid:   one column per layer, a joint in every column that a long edge crosses
//!                   ─> order:  sweeps that move neighbours together; the order with the fewest crossings wins
//!                   ─> places: heights, edges as straight as the order allows
//!                   ─> routes: from box to joint to box; straight through columns, curved between them
//! ```
//!
//! Unconnected parts of the graph are drawn below each other, and boxes without edges last, in rows. All boxes of a
//! column are as wide as the widest one, so that a curve between two columns meets no box. The result depends only on
//! the order of the input: there is no randomness and no hash order. The layout knows nothing about steps.

mod grid;
mod layers;
mod order;
mod places;

use grid::Grid;

/// The requested size of a box.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Size {
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// The position and size of a box. The size is at least the requested one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Place {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// The course of an edge: points from start to end, each with a level tangent.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Route {
    /// The points from left to right, even if the edge points the other way.
    pub(crate) points: Vec<(f64, f64)>,
    /// Whether the edge closes a cycle and so points from right to left.
    pub(crate) backward: bool,
}

/// A drawing: positions of boxes and routes of edges, in input order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) layers: usize,
    pub(crate) places: Vec<Place>,
    pub(crate) routes: Vec<Route>,
}

/// The space between parts, and between rows of single boxes.
const PART_GAP: f64 = 44.0;
const ROW_GAP: f64 = 28.0;

/// Returns the layer of each box, which is the length of the longest path to it.
pub(crate) fn layers(count: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    layers::layering(count, edges).layer
}

/// Places `sizes.len()` boxes and routes the edges between them.
///
/// An edge is a pair of indices into `sizes`. An edge from a box to itself gets a route without points. The gap between
/// two columns is `column_gap`, or up to twice as much if many edges run between them.
pub(crate) fn lay_out(sizes: &[Size], edges: &[(usize, usize)], column_gap: f64) -> Layout {
    let layering = layers::layering(sizes.len(), edges);
    let (parts, singles) = layers::parts(sizes.len(), edges);
    let mut layout = Layout {
        layers: layering.layer.iter().max().map_or(0, |last| last + 1),
        places: vec![Place::default(); sizes.len()],
        routes: vec![Route::default(); edges.len()],
        ..Layout::default()
    };
    let mut grids: Vec<Grid> = parts.iter().map(|part| Grid::of(part, sizes, edges, &layering)).collect();
    grids.iter_mut().for_each(order::reduce_crossings);
    let columns = columns(&grids, layout.layers, sizes, column_gap);
    for grid in &grids {
        let middles = places::middles(grid);
        add_part(&mut layout, grid, &middles, &columns, &layering.backward);
    }
    add_singles(&mut layout, &singles, sizes);
    layout
}

/// Returns the left side and the width of every column. Gaps grow with the number of edges in them.
fn columns(grids: &[Grid], layers: usize, sizes: &[Size], gap: f64) -> Vec<(f64, f64)> {
    let mut widths = vec![0.0_f64; layers];
    let mut links = vec![0_usize; layers];
    for grid in grids {
        for node in &grid.nodes {
            widths[node.column] = widths[node.column].max(node.item.map_or(0.0, |item| sizes[item].width));
        }
        for link in &grid.links {
            links[grid.nodes[link.from].column] += 1;
        }
    }
    let mut x = 0.0;
    let column = |(width, links): (&f64, &usize)| {
        let left = x;
        x += width + (0.8 * gap + 5.0 * *links as f64).clamp(gap, 2.0 * gap);
        (left, *width)
    };
    widths.iter().zip(&links).map(column).collect()
}

fn add_part(layout: &mut Layout, grid: &Grid, middles: &[f64], columns: &[(f64, f64)], backward: &[bool]) {
    let edge = |at: usize, side: f64| middles[at] + side * grid.nodes[at].height / 2.0;
    let nodes = 0..grid.nodes.len();
    let top = nodes.clone().map(|at| edge(at, -1.0)).fold(f64::INFINITY, f64::min);
    let bottom = nodes.clone().map(|at| edge(at, 1.0)).fold(f64::NEG_INFINITY, f64::max);
    let down = if layout.height > 0.0 { layout.height + PART_GAP } else { 0.0 } - top;
    for at in nodes {
        let node = &grid.nodes[at];
        let (x, width) = columns[node.column];
        if let Some(item) = node.item {
            layout.places[item] = Place { x, y: edge(at, -1.0) + down, width, height: node.height };
            layout.width = layout.width.max(x + width);
        }
    }
    for chain in &grid.chains {
        let mut points = Vec::with_capacity(chain.links.len() * 2);
        for link in chain.links.iter().map(|&link| &grid.links[link]) {
            let (left, width) = columns[grid.nodes[link.from].column];
            points.push((left + width, middles[link.from] + link.out_port + down));
            let (right, _) = columns[grid.nodes[link.to].column];
            points.push((right, middles[link.to] + link.in_port + down));
        }
        layout.routes[chain.edge] = Route { points, backward: backward[chain.edge] };
    }
    layout.height = bottom + down;
}

/// Adds boxes without edges in rows of equal boxes, below the rest.
fn add_singles(layout: &mut Layout, singles: &[usize], sizes: &[Size]) {
    let width = singles.iter().map(|&item| sizes[item].width).fold(0.0, f64::max);
    let across = ((layout.width + ROW_GAP) / (width + ROW_GAP)).floor() as usize;
    let square = (singles.len() as f64 * 0.7).sqrt().ceil() as usize;
    for row in singles.chunks(across.max(square).max(3)) {
        let gap = if layout.height > 0.0 { ROW_GAP } else { 0.0 };
        let y = layout.height + gap;
        for (column, &item) in row.iter().enumerate() {
            let x = column as f64 * (width + ROW_GAP);
            layout.places[item] = Place { x, y, width, height: sizes[item].height };
            layout.width = layout.width.max(x + width);
            layout.height = layout.height.max(y + sizes[item].height);
        }
    }
}

#[cfg(test)]
mod tests;

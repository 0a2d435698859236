// The shortest path between two objects along visible relationships, in either direction.

/** The path as nodes and the relationships between them; empty if there is none. */
function pathBetween(state, from, to) {
  const { graph } = state;
  const cameBy = new Int32Array(graph.count).fill(-1);
  const seen = new Uint8Array(graph.count);
  seen[from] = 1;
  let frontier = [from];
  while (frontier.length && !seen[to]) {
    const next = [];
    for (const node of frontier) {
      for (const joined of graph.edgesOf(node)) {
        const other = graph.otherEnd(joined, node);
        if (seen[other] || !state.shownEdge[joined]) continue;
        seen[other] = 1;
        cameBy[other] = joined;
        next.push(other);
      }
    }
    frontier = next;
  }
  const path = { from, to, nodes: [], edges: [] };
  if (!seen[to]) return path;
  path.nodes.push(to);
  for (let node = to; node !== from;) {
    path.edges.unshift(cameBy[node]);
    node = graph.otherEnd(cameBy[node], node);
    path.nodes.unshift(node);
  }
  return path;
}

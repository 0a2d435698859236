// The surroundings of one object: incoming relationships on the left, outgoing ones on the right, one column per step.
// A click on an object adds its neighbours.

const COLUMN = 235;
const ROW = 38;
const AT_ONCE = 25;

class Surroundings {
  constructor(state) {
    this.state = state;
    this.graph = state.graph;
    this.camera = new Camera();
    this.camera.smallest = 0.05;
    this.camera.largest = 3;
    this.items = new Map();
  }

  /** Starts again with one object and its neighbours. */
  start(node) {
    this.items = new Map();
    this.root = this.add(node, null, 1, -1);
    this.expand(this.root);
  }

  /** Starts again with a path from left to right. */
  startPath(path) {
    this.items = new Map();
    let item = null;
    path.nodes.forEach((node, at) => {
      item = this.add(node, item, 1, path.edges[at - 1] ?? -1);
      if (at === 0) this.root = item;
    });
    this.arrange();
  }

  add(node, parent, side, edge) {
    const item = { node, parent, side, edge, children: [], limit: 0, hidden: 0, depth: parent ? parent.depth + 1 : 0 };
    parent?.children.push(item);
    this.items.set(node, item);
    return item;
  }

  /** Adds the next neighbours of an object. */
  expand(item) {
    item.limit += AT_ONCE;
    this.fill(item);
    this.arrange();
  }

  fill(item) {
    const { graph, state } = this;
    const edges = Array.from(graph.edgesOf(item.node)).filter((edge) => {
      return state.shownEdge[edge] && !this.items.has(graph.otherEnd(edge, item.node));
    });
    const order = new Map(edges.map((edge) => [edge, this.order(edge, item.node)]));
    const room = item.limit - item.children.length;
    const next = someOfEach(edges, (edge) => order.get(edge), room).sort(
      (a, b) => order.get(a) - order.get(b) || a - b,
    );
    for (const edge of next) {
      const other = graph.otherEnd(edge, item.node);
      if (this.items.has(other)) continue;
      this.add(other, item, item.parent ? item.side : graph.from[edge] === item.node ? 1 : -1, edge);
    }
    item.hidden = new Set(
      edges.map((edge) => graph.otherEnd(edge, item.node)).filter((other) => !this.items.has(other)),
    ).size;
  }

  order(edge, node) {
    return this.graph.kind[edge] * 2 + (this.graph.from[edge] === node ? 0 : 1);
  }

  collapse(item) {
    const drop = (inner) => {
      inner.children.forEach(drop);
      this.items.delete(inner.node);
    };
    item.children.forEach(drop);
    Object.assign(item, { children: [], limit: 0, hidden: 0 });
    this.arrange();
  }

  /** Positions every item: leaves below each other, each parent at the middle of its children. */
  arrange() {
    const place = (item, side, row) => {
      const children = item.children.filter((child) => child.side === side);
      let next = row;
      for (const child of children) next = place(child, side, next);
      const stub = item.hidden && (side === item.side || !item.parent) && (item.parent || side === this.stubSide(item));
      if (stub) item.stub = { x: (item.depth + 1) * side * COLUMN, y: next++ * ROW };
      if (next === row) next = row + 1;
      item.x = item.depth * side * COLUMN;
      item.y = ((row + next - 1) / 2) * ROW;
      return next;
    };
    const { root } = this;
    for (const item of this.items.values()) item.stub = null;
    const left = place(root, -1, 0);
    const leftMiddle = root.y;
    const right = place(root, 1, 0);
    const shift = root.y - leftMiddle;
    if (left || right) for (const item of this.items.values()) this.shiftLeft(item, shift);
    if (root.stub && root.stub.x < 0) root.stub.y += shift;
  }

  shiftLeft(item, shift) {
    if (!item.parent || item.side > 0) return;
    item.y += shift;
    if (item.stub) item.stub.y += shift;
  }

  stubSide(item) {
    return item.children.at(-1)?.side ?? 1;
  }

  bounds() {
    let box = [Infinity, Infinity, -Infinity, -Infinity];
    for (const item of this.items.values()) {
      for (const { x, y } of item.stub ? [item, item.stub] : [item]) {
        const [before, after] = x < 0 ? [210, 20] : x > 0 ? [20, 210] : [90, 90];
        box = [
          Math.min(box[0], x - before),
          Math.min(box[1], y - 30),
          Math.max(box[2], x + after),
          Math.max(box[3], y + 30),
        ];
      }
    }
    return box[0] > box[2] ? [-50, -50, 50, 50] : box;
  }

  fit(smoothly) {
    const target = this.camera.around(this.bounds(), 20, 1.2);
    // A long list is more useful if it can be read than if it is visible as a whole.
    if (target.scale < 0.6 && this.root) Object.assign(target, { scale: 0.75, x: this.middle(target), y: this.root.y });
    this.camera.go(target, smoothly);
  }

  middle(target) {
    return Math.abs(this.camera.width / 0.75) > 2 * COLUMN ? target.x : this.root.x + COLUMN / 2;
  }

  show(node) {
    const item = this.items.get(node);
    if (!item) return;
    const { camera } = this;
    const [x, y] = [camera.screenX(item.x), camera.screenY(item.y)];
    if (x < 60 || y < 40 || x > camera.width - 200 || y > camera.height - 40)
      camera.go({ x: item.x, y: item.y, scale: Math.max(camera.scale, 0.75) });
  }

  sees() {
    return true;
  }

  draw(pen) {
    if (!this.root) return;
    this.drawLinks(pen);
    for (const item of this.items.values()) {
      this.drawItem(pen, item);
      if (item.stub) this.drawStub(pen, item);
    }
  }

  drawLinks(pen) {
    const { graph, camera, state } = this;
    const { theme } = state;
    const onPath = new Set(state.path?.edges ?? []);
    const tree = new Set();
    for (const item of this.items.values()) {
      if (!item.parent) continue;
      tree.add(item.edge);
      this.drawLink(pen, item.parent, item, item.edge, onPath.has(item.edge) ? theme.path : this.edgeColour(item.edge));
    }
    const drawn = new Set();
    for (const item of this.items.values()) {
      for (const edge of graph.edgesOf(item.node)) {
        const other = this.items.get(graph.otherEnd(edge, item.node));
        if (!other || other === item || tree.has(edge) || drawn.has(edge) || !state.shownEdge[edge]) continue;
        drawn.add(edge);
        if (drawn.size > 400) return;
        const [x1, y1, x2, y2] = [item.x, item.y, other.x, other.y];
        pen.fade(0.55);
        pen.curve(
          camera.screenX(x1),
          camera.screenY(y1),
          camera.screenX(x2),
          camera.screenY(y2),
          this.edgeColour(edge),
          1,
          [4, 4],
        );
        pen.fade(1);
      }
    }
  }

  edgeColour(edge) {
    const { theme } = this.state;
    return this.graph.edgeChange[edge] ? theme.change(this.graph.edgeChange[edge]) : theme.edge;
  }

  drawLink(pen, parent, item, edge, colour) {
    const { camera, state } = this;
    const { scale } = camera;
    const [x1, y1] = [camera.screenX(parent.x), camera.screenY(parent.y)];
    const [x2, y2] = [camera.screenX(item.x), camera.screenY(item.y)];
    pen.curve(x1, y1, x2, y2, colour, colour === state.theme.path ? 3 : 1.3);
    const inward = this.graph.from[edge] === item.node;
    const edgeAt = 9 * scale * (x2 > x1 ? 1 : -1);
    if (inward) pen.arrow(x1 + edgeAt * 1.4, y1, -edgeAt, 0, 5 * scale + 1, colour);
    else pen.arrow(x2 - edgeAt, y2, edgeAt, 0, 5 * scale + 1, colour);
    if (scale < 0.45) return;
    const style = {
      size: Math.max(9, 10 * scale),
      fill: state.theme.soft,
      halo: state.theme.ground,
      align: x2 > x1 ? "end" : "start",
    };
    pen.text(x2 - edgeAt * 2.2, y2, shortened(this.graph.edgeClass(edge), 14), style);
  }

  drawItem(pen, item) {
    const { graph, camera, state } = this;
    const { theme } = state;
    const { scale } = camera;
    const [x, y] = [camera.screenX(item.x), camera.screenY(item.y)];
    if (y < -60 || y > camera.height + 60) return;
    const radius = (item.parent ? 8 : 12) * scale;
    const change = graph.change[item.node];
    pen.circle(x, y, radius, { fill: theme.type(graph.type[item.node]) });
    if (change) {
      pen.circle(x, y, radius + 2, { stroke: theme.change(change), width: 2, dash: dashOf(change) });
      pen.text(x, y, CHANGES[change].sign, { size: 13 * scale, weight: 700, fill: theme.glyph });
    }
    const chosen = item.node === state.chosen;
    if (chosen || item.node === state.hovered)
      pen.circle(x, y, radius + 4, { stroke: theme.accent, width: chosen ? 2.5 : 1.5 });
    if (scale < 0.3) return;
    const room = item.parent ? 28 : 22;
    const name = shortened(graph.label(item.node), room);
    const more = item.children.length || item.hidden ? "" : this.unseen(item.node);
    const bold = { size: 13 * scale, weight: 600, fill: theme.text, halo: theme.ground };
    const soft = { size: 11 * scale, fill: theme.soft, halo: theme.ground };
    const type = `${shortened(graph.typeName(item.node), 30)}${more ? ` · +${more}` : ""}`;
    if (!item.parent || item.children.length) {
      pen.text(x, y - radius - 24 * scale, name, bold);
      pen.text(x, y - radius - 11 * scale, type, soft);
      return;
    }
    const [at, align] = item.x < 0 ? [x - radius - 7 * scale, "end"] : [x + radius + 7 * scale, "start"];
    pen.text(at, y - 7 * scale, name, { ...bold, align });
    pen.text(at, y + 7 * scale, type, { ...soft, align });
  }

  /** Returns the number of neighbours of an object that are not in the picture. */
  unseen(node) {
    const { graph, state } = this;
    let count = 0;
    for (const edge of graph.edgesOf(node)) {
      if (state.shownEdge[edge] && !this.items.has(graph.otherEnd(edge, node))) count++;
    }
    return count;
  }

  drawStub(pen, item) {
    const { camera, state } = this;
    const { theme } = state;
    const { scale } = camera;
    const [x, y] = [camera.screenX(item.stub.x), camera.screenY(item.stub.y)];
    pen.curve(camera.screenX(item.x), camera.screenY(item.y), x, y, theme.rim, 1.3, [3, 3]);
    pen.circle(x, y, 8 * scale, { fill: theme.disc, stroke: theme.edge, dash: [3, 2] });
    const [at, align] = item.stub.x < 0 ? [x - 14 * scale, "end"] : [x + 14 * scale, "start"];
    pen.text(at, y, `${grouped(item.hidden)} more …`, {
      size: 12 * scale,
      fill: theme.accent,
      halo: theme.ground,
      align,
    });
  }

  at(screenX, screenY) {
    const { camera } = this;
    const [x, y] = [camera.worldX(screenX), camera.worldY(screenY)];
    const over = (place, inner) => {
      const along = place.x < 0 ? place.x - x : x - place.x;
      return Math.abs(y - place.y) < 15 && along > -14 && along < (inner ? 14 : 200);
    };
    for (const item of this.items.values()) {
      if (item.stub && over(item.stub, false)) return { more: item };
      if (over(item, !item.parent || item.children.length)) return { node: item.node };
    }
    return null;
  }

  click(found, state) {
    // Added objects may be outside the view, but the reader continues to read in the current view.
    if (found) this.camera.fittedTo = null;
    if (found?.more) {
      this.expand(found.more);
      state.tell(new Set(["surroundings"]));
      return;
    }
    if (!(found?.node >= 0)) return;
    const item = this.items.get(found.node);
    if (item.limit === 0) this.expand(item);
    else if (item.parent && found.node === state.chosen) this.collapse(item);
    state.tell(new Set(["surroundings"]));
    state.pick(found.node);
  }

  tip(found) {
    const { graph } = this;
    if (found?.more) return ["Show more", `${counted(found.more.hidden, "neighbour")} not shown yet`];
    if (found?.node >= 0)
      return [
        graph.label(found.node),
        `${graph.typeName(found.node)} · ${counted(graph.degree(found.node), "relationship")}`,
      ];
    return null;
  }
}

/** Takes at most `count` items, in turn from each group, so that a small group is not hidden by a large one. */
function someOfEach(all, groupOf, count) {
  const turns = new Map();
  const ranked = all.map((one) => {
    const turn = turns.get(groupOf(one)) ?? 0;
    turns.set(groupOf(one), turn + 1);
    return [turn, one];
  });
  return ranked
    .sort((a, b) => a[0] - b[0])
    .slice(0, count)
    .map(([, one]) => one);
}

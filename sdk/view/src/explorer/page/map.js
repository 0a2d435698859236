// The map of the whole graph as nested discs. A disc that is too small to show its contents is drawn closed, with a summary,
// so that drawing a picture of any size takes the time of one screenful.

// The radius in pixels at which a disc opens. In small graphs, discs are always open.
const OPENS_AT = [
  [400, 0],
  [2500, 9],
  [Infinity, 30],
];
const LEAF_RADIUS = 5;
const SMALLEST_DOT = 1.3;
const MOST_LINES = 6000;

class WholeMap {
  constructor(state) {
    this.state = state;
    this.graph = state.graph;
    this.camera = new Camera();
    this.sums = new Map();
    this.opensAt = OPENS_AT.find(([most]) => this.graph.count <= most)[1];
    const [, , radius] = this.disc(0);
    this.camera.smallest = Math.min(1, 60 / Math.max(radius, 1));
  }

  disc(disc) {
    return [this.graph.discX[disc], this.graph.discY[disc], this.graph.discRadius[disc]];
  }

  /** Returns the box around all visible items. */
  bounds() {
    const { graph, state } = this;
    let box = [Infinity, Infinity, -Infinity, -Infinity];
    for (let node = 0; node < (graph.discOwnEnd[0] ?? 0); node++) if (state.shown[node]) box = this.widened(box, node);
    for (let disc = 1; disc < graph.discCount; disc = graph.discDiscsEnd[disc]) {
      if (!state.shownIn(graph.discStart[disc], graph.discEnd[disc])) continue;
      const [x, y, radius] = this.disc(disc);
      box = [
        Math.min(box[0], x - radius),
        Math.min(box[1], y - radius),
        Math.max(box[2], x + radius),
        Math.max(box[3], y + radius),
      ];
    }
    return box[0] > box[2] ? [-50, -50, 50, 50] : box;
  }

  boundsOf(nodes) {
    return nodes.reduce((box, node) => this.widened(box, node), [Infinity, Infinity, -Infinity, -Infinity]);
  }

  widened([left, top, right, bottom], node) {
    const { x, y, radius } = this.graph;
    return [
      Math.min(left, x[node] - radius[node]),
      Math.min(top, y[node] - radius[node]),
      Math.max(right, x[node] + radius[node]),
      Math.max(bottom, y[node] + radius[node]),
    ];
  }

  fit(smoothly) {
    this.camera.go(this.camera.around(this.bounds(), 36, 3), smoothly);
  }

  /** Moves the view to a node and its surroundings. */
  show(node) {
    const disc = this.graph.discOf[node];
    const [x, y, radius] = this.disc(disc);
    const whole = this.camera.around([x - radius, y - radius, x + radius, y + radius], 60, 2.5);
    const scale = Math.min(8, Math.max(whole.scale, 1.2));
    const near = whole.scale >= 1.2 ? whole : { x: this.graph.x[node], y: this.graph.y[node], scale };
    this.camera.go(near);
  }

  /** Whether a node is visible as a separate circle on the screen. */
  sees(node) {
    const { camera, graph } = this;
    const [x, y] = [camera.screenX(graph.x[node]), camera.screenY(graph.y[node])];
    const inside = x > 20 && y > 20 && x < camera.width - 20 && y < camera.height - 20;
    for (let disc = graph.discOf[node]; disc > 0; disc = graph.discParent[disc]) {
      if (!this.opens(disc, camera.scale)) return false;
    }
    return inside;
  }

  opens(disc, scale) {
    if (disc === 0) return true;
    const { graph } = this;
    const many = graph.discOwnEnd[disc] - graph.discStart[disc] > 150;
    return graph.discRadius[disc] * scale >= this.opensAt && (!many || LEAF_RADIUS * scale >= SMALLEST_DOT);
  }

  /** The composition of each disc: [share, type], the largest share first. */
  makeUp(disc) {
    const { graph, state } = this;
    if (this.sums.number !== state.filterNumber) {
      this.sums = new Map();
      this.sums.number = state.filterNumber;
    }
    if (!this.sums.has(disc)) {
      const counts = new Map();
      const changes = CHANGES.map(() => 0);
      for (let node = graph.discStart[disc]; node < graph.discEnd[disc]; node++) {
        if (!state.shown[node]) continue;
        counts.set(graph.type[node], (counts.get(graph.type[node]) ?? 0) + 1);
        changes[graph.change[node]]++;
        if (!graph.compared) continue;
        for (const edge of graph.edgesOf(node)) if (state.shownEdge[edge]) changes[graph.edgeChange[edge]]++;
      }
      const total = state.shownIn(graph.discStart[disc], graph.discEnd[disc]);
      const parts = [...counts].sort((a, b) => b[1] - a[1]).map(([type, count]) => [count / total, type, count]);
      this.sums.set(disc, { total, parts, changes });
    }
    return this.sums.get(disc);
  }

  draw(pen) {
    const { state } = this;
    this.pen = pen;
    this.theme = state.theme;
    this.labels = new Labels();
    this.spot = this.spotlight();
    this.scene();
    const quiet = this.spot ? 0.28 : 1;
    this.drawDiscs();
    this.drawLines(quiet);
    this.drawClosed(quiet);
    this.drawNodes(quiet);
    if (this.spot) this.drawSpot();
    this.labels.draw(pen);
  }

  /** Returns the highlighted nodes and the relationships between them; null if nothing is highlighted. */
  spotlight() {
    const { graph, state } = this;
    const centre = state.hovered >= 0 && state.view === "map" ? state.hovered : state.chosen;
    if (state.path?.nodes.length && state.hovered < 0) {
      return { nodes: new Set(state.path.nodes), edges: state.path.edges, centre: state.chosen, path: true };
    }
    if (centre >= 0) {
      const edges = Array.from(graph.edgesOf(centre)).filter((edge) => state.shownEdge[edge]);
      const nodes = new Set([centre, ...edges.map((edge) => graph.otherEnd(edge, centre))]);
      return { nodes, edges, centre };
    }
    if (state.found?.length && state.query)
      return { nodes: new Set(state.found.slice(0, 3000)), edges: [], centre: -1 };
    return null;
  }

  /** Walks the discs on the screen and collects open discs, closed discs, and the nodes in open discs. */
  scene() {
    const { graph, state, camera } = this;
    this.open = [];
    this.closed = [];
    this.nodes = [];
    const { scale } = camera;
    for (let disc = 0; disc < graph.discCount;) {
      const [x, y, radius] = [
        camera.screenX(graph.discX[disc]),
        camera.screenY(graph.discY[disc]),
        graph.discRadius[disc] * scale,
      ];
      const outside = x + radius < 0 || y + radius < 0 || x - radius > camera.width || y - radius > camera.height;
      if (outside || !state.shownIn(graph.discStart[disc], graph.discEnd[disc])) {
        disc = graph.discDiscsEnd[disc];
      } else if (!this.opens(disc, scale)) {
        this.closed.push([disc, x, y, radius]);
        disc = graph.discDiscsEnd[disc];
      } else {
        if (disc > 0) this.open.push([disc, x, y, radius]);
        for (let node = graph.discStart[disc]; node < graph.discOwnEnd[disc]; node++) {
          if (!state.shown[node]) continue;
          const [nx, ny, r] = [
            camera.screenX(graph.x[node]),
            camera.screenY(graph.y[node]),
            graph.radius[node] * scale,
          ];
          if (nx > -r && ny > -r && nx < camera.width + r && ny < camera.height + r) this.nodes.push(node);
        }
        disc++;
      }
    }
  }

  drawDiscs() {
    const { pen, theme, graph, state } = this;
    for (const [disc, x, y, radius] of this.open) {
      pen.circle(x, y, radius, { fill: theme.disc, stroke: theme.rim });
      if (radius < 70 || state.shownIn(graph.discStart[disc], graph.discEnd[disc]) < 8) continue;
      if (this.graph.discCentred[disc]) continue;
      const text = `${graph.discName(disc)} · ${grouped(this.makeUp(disc).total)}`;
      this.labels.want(x, y - radius - 9, text, radius, { fill: theme.soft, halo: theme.ground });
    }
  }

  drawClosed(quiet) {
    const { pen, theme, graph } = this;
    for (const [disc, x, y, radius] of this.closed) {
      const { total, parts, changes } = this.makeUp(disc);
      pen.fade(this.spot && !this.touchesSpot(disc) ? quiet : 1);
      if (radius < 5) {
        pen.circle(x, y, Math.max(radius * 0.92, 1), { fill: theme.type(parts[0][1]) });
      } else {
        const inner = Math.max(radius * 0.94, 2);
        pen.pie(
          x,
          y,
          inner,
          parts.map(([share, type]) => [share, theme.type(type)]),
        );
        if (radius > 9) pen.circle(x, y, inner * 0.58, { fill: theme.disc });
      }
      const changed = changes.findIndex((count, code) => code && count);
      if (changed > 0 && radius >= 3) pen.circle(x, y, radius + 1.5, { stroke: theme.change(changed), width: 2 });
      if (radius > 11) {
        this.labels.block(x, y, radius);
        pen.text(x, y, shortNumber(total), { size: Math.min(12, radius * 0.5), weight: 600, fill: theme.text });
        this.labels.want(x, y + radius + 5, graph.discName(disc), radius, {
          size: 11,
          fill: theme.text,
          halo: theme.ground,
        });
      }
    }
    pen.fade(1);
  }

  touchesSpot(disc) {
    const { graph } = this;
    if (this.spot.discs === undefined) {
      this.spot.discs = new Set();
      for (const node of this.spot.nodes) {
        for (let at = graph.discOf[node]; at >= 0 && !this.spot.discs.has(at); at = graph.discParent[at])
          this.spot.discs.add(at);
      }
    }
    return this.spot.discs.has(disc);
  }

  drawNodes(quiet) {
    const { pen, theme, graph, camera } = this;
    const batches = new Map();
    for (const node of this.nodes) {
      const calm = graph.compared && graph.change[node] === 0;
      const id = graph.type[node] * 2 + (calm ? 1 : 0) + graph.radius[node] * 65536;
      if (!batches.has(id)) batches.set(id, { node, calm, places: [] });
      batches.get(id).places.push(camera.screenX(graph.x[node]), camera.screenY(graph.y[node]));
    }
    for (const { node, calm, places } of batches.values()) {
      pen.fade(quiet * (calm ? 0.4 : 1));
      pen.dots(places, Math.max(graph.radius[node] * camera.scale, SMALLEST_DOT), theme.type(graph.type[node]));
    }
    pen.fade(1);
    if (graph.compared) this.drawChanges(quiet);
    if (this.spot) return;
    for (const node of this.nodes) this.wantLabel(node, graph.degree(node) + graph.radius[node] * 50);
  }

  drawChanges(quiet) {
    const { pen, theme, graph, camera } = this;
    pen.fade(quiet);
    for (const node of this.nodes) {
      const code = graph.change[node];
      if (!code) continue;
      const [x, y, r] = [
        camera.screenX(graph.x[node]),
        camera.screenY(graph.y[node]),
        graph.radius[node] * camera.scale,
      ];
      pen.circle(x, y, r + 2, { stroke: theme.change(code), width: 2, dash: dashOf(code) });
      if (r >= 4) pen.text(x, y, CHANGES[code].sign, { size: Math.min(18, r * 2), weight: 700, fill: theme.glyph });
    }
    pen.fade(1);
  }

  wantLabel(node, weight, bold = false) {
    const { theme, graph, camera } = this;
    const radius = graph.radius[node] * camera.scale;
    if (radius < 4.5 && weight < 1e5) return;
    const large = graph.radius[node] > 12;
    const style = {
      size: large || bold ? 12 : 11,
      bold: bold || large,
      fill: theme.text,
      halo: large ? theme.disc : theme.ground,
    };
    this.labels.want(
      camera.screenX(graph.x[node]),
      camera.screenY(graph.y[node]) + radius + 9,
      graph.label(node),
      weight,
      style,
    );
  }

  /** The current end of a relationship's line: the node, or the closed disc that contains it. */
  place(node) {
    const { graph, camera } = this;
    let found = -1;
    for (let disc = graph.discOf[node]; disc > 0; disc = graph.discParent[disc]) {
      if (!this.opens(disc, camera.scale)) found = disc;
    }
    return found < 0 ? node : -found;
  }

  /** The lines between open discs, once per pair. Cached until a disc opens or closes, or a filter changes. */
  lines() {
    const { graph, state, camera } = this;
    const step = Math.round(Math.log2(camera.scale) * 4);
    if (this.kept?.step === step && this.kept.filter === state.filterNumber) return this.kept;
    const scale = 2 ** (step / 4);
    const places = new Int32Array(graph.count);
    for (let disc = 0; disc < graph.discCount;) {
      if (this.opens(disc, scale)) {
        for (let node = graph.discStart[disc]; node < graph.discOwnEnd[disc]; node++) places[node] = node;
        disc++;
      } else {
        places.fill(-disc, graph.discStart[disc], graph.discEnd[disc]);
        disc = graph.discDiscsEnd[disc];
      }
    }
    const pairs = new Map();
    for (let edge = 0; edge < graph.edgeCount && pairs.size <= MOST_LINES * 4; edge++) {
      const [a, b] = [places[graph.from[edge]], places[graph.to[edge]]];
      if (a === b || !state.shownEdge[edge] || this.isObvious(edge)) continue;
      const id = (Math.min(a, b) + graph.discCount) * (graph.count + graph.discCount) + Math.max(a, b);
      const known = pairs.get(id);
      if (known) Object.assign(known, { count: known.count + 1, change: known.change || graph.edgeChange[edge] });
      else pairs.set(id, { a, b, count: 1, change: graph.edgeChange[edge] });
    }
    this.kept = { step, filter: state.filterNumber, pairs: [...pairs.values()] };
    return this.kept;
  }

  /** Whether a line leads from the centre of a disc to one of many nodes in it. The disc already shows this relationship. */
  isObvious(edge) {
    const { graph } = this;
    const change = graph.edgeChange[edge];
    if (change && change !== graph.change[graph.from[edge]] && change !== graph.change[graph.to[edge]]) return false;
    for (const [owner, owned] of [
      [graph.from[edge], graph.to[edge]],
      [graph.to[edge], graph.from[edge]],
    ]) {
      const home = graph.discOf[owner];
      if (!graph.discCentred[home] || graph.discStart[home] !== owner) continue;
      if (owned <= owner || owned >= graph.discEnd[home]) continue;
      const inner = graph.discOf[owned];
      if (inner !== home && !graph.discCentred[inner]) return true;
      if (graph.discOwnEnd[home] - graph.discStart[home] > 80) return true;
    }
    return false;
  }

  ends(place) {
    const { graph, camera } = this;
    const [x, y] = place >= 0 ? [graph.x[place], graph.y[place]] : [graph.discX[-place], graph.discY[-place]];
    return [camera.screenX(x), camera.screenY(y)];
  }

  drawLines(quiet) {
    const { pen, theme, camera } = this;
    const batches = new Map();
    let drawn = 0;
    for (const { a, b, count, change } of this.lines().pairs) {
      const [[x1, y1], [x2, y2]] = [this.ends(a), this.ends(b)];
      const outside =
        Math.max(x1, x2) < 0 ||
        Math.max(y1, y2) < 0 ||
        Math.min(x1, x2) > camera.width ||
        Math.min(y1, y2) > camera.height;
      if (outside) continue;
      if (++drawn > MOST_LINES) break;
      const id = change * 8 + Math.min(5, Math.ceil(Math.log2(count + 1)));
      if (!batches.has(id)) batches.set(id, []);
      batches.get(id).push(x1, y1, x2, y2);
    }
    const density = (many) => Math.max(0.12, Math.min(0.55, (many ? 120 : 500) / Math.max(drawn, 1)));
    for (const [id, ends] of batches) {
      const change = id >> 3;
      pen.fade(quiet * (change ? 0.9 : density((id & 7) > 1)));
      pen.lines(ends, change ? theme.change(change) : theme.edge, 0.7 + (id & 7) * 0.25);
    }
    pen.fade(1);
  }

  drawSpot() {
    const { pen, theme, graph, camera, spot, state } = this;
    const colour = spot.path ? theme.path : theme.accent;
    pen.fade(Math.max(0.15, Math.min(0.85, 40 / spot.edges.length)));
    const ends = spot.edges
      .slice(0, MOST_LINES)
      .flatMap((edge) => [...this.ends(this.place(graph.from[edge])), ...this.ends(this.place(graph.to[edge]))]);
    pen.lines(ends, colour, spot.path ? 3 : 1.5);
    pen.fade(1);
    for (const node of spot.nodes) {
      if (!state.shown[node] && node !== spot.centre) continue;
      const place = this.place(node);
      const [x, y] = this.ends(place);
      if (x < -50 || y < -50 || x > camera.width + 50 || y > camera.height + 50) continue;
      const centre = node === spot.centre;
      if (place < 0) {
        if (centre) pen.circle(x, y, graph.discRadius[-place] * camera.scale + 3, { stroke: colour, width: 2.5 });
        if (centre || spot.path)
          this.labels.want(x, y + 12, graph.label(node), 1e6, { bold: centre, fill: theme.text, halo: theme.ground });
        continue;
      }
      const radius = Math.max(graph.radius[node] * camera.scale, 2.5);
      pen.circle(x, y, radius, { fill: theme.type(graph.type[node]), stroke: theme.disc, width: 1 });
      if (centre) pen.circle(x, y, radius + 3.5, { stroke: colour, width: 2.5 });
      else if (!spot.edges.length && radius < 9) pen.circle(x, y, radius + 2, { stroke: colour, width: 1.5 });
      this.wantLabel(node, centre ? 2e6 : 1e5 + graph.degree(node), centre);
    }
  }

  /** The item at a point of the screen: {node}, {disc}, or nothing. */
  at(screenX, screenY) {
    const { graph, state, camera } = this;
    const [x, y] = [camera.worldX(screenX), camera.worldY(screenY)];
    const slack = 4 / camera.scale;
    let best = null;
    let nearest = Infinity;
    for (let disc = 0; disc < graph.discCount;) {
      const away = Math.hypot(x - graph.discX[disc], y - graph.discY[disc]);
      if (away > graph.discRadius[disc] + slack || !state.shownIn(graph.discStart[disc], graph.discEnd[disc])) {
        disc = graph.discDiscsEnd[disc];
        continue;
      }
      if (!this.opens(disc, camera.scale)) return { disc };
      for (let node = graph.discStart[disc]; node < graph.discOwnEnd[disc]; node++) {
        const distance = Math.hypot(x - graph.x[node], y - graph.y[node]) - graph.radius[node];
        if (state.shown[node] && distance <= slack && distance < nearest) {
          best = { node };
          nearest = distance;
        }
      }
      disc++;
    }
    return best;
  }

  /** Handles a click: selects the item, enters a closed disc, or clears the selection. */
  click(found, state) {
    if (found?.node >= 0) state.pick(found.node);
    else if (found?.disc > 0) this.enter(found.disc);
    else if (state.chosen >= 0) state.choose(-1);
  }

  enter(disc) {
    const [x, y, radius] = this.disc(disc);
    const target = this.camera.around([x - radius, y - radius, x + radius, y + radius], 40, 4);
    target.scale = Math.max(target.scale, (this.opensAt * 1.1) / radius);
    this.camera.go(target);
  }

  tip(found) {
    const { graph } = this;
    if (found?.node >= 0) {
      return [
        graph.label(found.node),
        `${graph.typeName(found.node)} · ${counted(graph.degree(found.node), "relationship")}`,
      ];
    }
    if (found?.disc > 0) {
      const { parts } = this.makeUp(found.disc);
      return [
        graph.discName(found.disc),
        ...parts.slice(0, 6).map(([, type, count]) => `${grouped(count)} × ${visible(graph.types[type])}`),
      ];
    }
    return null;
  }
}

function shortNumber(number) {
  if (number < 1000) return String(number);
  if (number < 10_000) return `${(number / 1000).toFixed(1)}k`;
  return `${Math.round(number / 1000)}k`;
}

// The reader's choices. Every part of the page draws from this state and is notified of changes. The address contains the
// state, so that a link or the back button restores it.

const VIEWS = ["map", "surroundings", "table"];

class State {
  constructor(graph) {
    this.graph = graph;
    this.listeners = [];
    this.theme = new Theme("");
    this.reset();
  }

  reset() {
    this.view = "map";
    this.chosen = -1;
    this.hovered = -1;
    this.query = "";
    this.found = null;
    this.pathFrom = -1;
    this.path = null;
    this.surroundings = null;
    this.hiddenTypes = new Set();
    this.hiddenClasses = new Set();
    this.hiddenKinds = new Set();
    this.hiddenChanges = new Set();
    this.applyFilter();
  }

  listen(listener) {
    this.listeners.push(listener);
  }

  /** Sets the given values, then notifies all listeners of the changed names. */
  set(values, history = "replace") {
    const changed = new Set(Object.keys(values).filter((name) => this[name] !== values[name]));
    Object.assign(this, values);
    if (!changed.size) return;
    this.tell(changed);
    if ([...changed].some((name) => name !== "hovered")) this.writeAddress(history);
  }

  tell(changed) {
    this.listeners.forEach((listener) => listener(changed));
  }

  choose(node, history = "push") {
    this.set({ chosen: node, hovered: -1 }, history);
  }

  /** Selects an object; it becomes the other end of a path if one was started. */
  pick(node) {
    if (this.pathFrom < 0 || this.path || node === this.pathFrom) this.choose(node);
    else this.set({ path: pathBetween(this, this.pathFrom, node), chosen: node, hovered: -1 }, "push");
  }

  /** Starts a path; the next selected object is its other end. */
  beginPath(node) {
    this.set({ pathFrom: node, path: null });
  }

  endPath() {
    this.set({ pathFrom: -1, path: null });
  }

  /** Shows or hides one value of a filter. */
  toggle(filter, value) {
    const hidden = new Set(this[filter]);
    if (!hidden.delete(value)) hidden.add(value);
    this.filter({ [filter]: hidden });
  }

  filter(hidden) {
    Object.assign(this, hidden);
    this.applyFilter();
    this.tell(new Set(["filter"]));
    this.writeAddress("replace");
  }

  get filtered() {
    return [this.hiddenTypes, this.hiddenClasses, this.hiddenKinds, this.hiddenChanges].some((hidden) => hidden.size);
  }

  /**
   * Applies the filters: determines the visible nodes and relationships, and the number of visible ones before each node.
   * A relationship with changes is shown with both ends even if these are unchanged, because a removed relationship may
   * connect two unchanged objects.
   */
  applyFilter() {
    const { graph } = this;
    const shownSets = graph.setClasses.map((set) => !set.length || set.some((at) => !this.hiddenClasses.has(at)));
    const fits = Uint8Array.from(graph.type, (type, node) =>
      !this.hiddenTypes.has(type) && shownSets[graph.set[node]] ? 1 : 0,
    );
    const matching = Uint8Array.from(fits, (fit, node) => (fit && !this.hiddenChanges.has(graph.change[node]) ? 1 : 0));
    this.matching = matching.reduce((sum, one) => sum + one, 0);
    this.shown = matching.slice();
    this.shownEdge = new Uint8Array(graph.edgeCount);
    for (let edge = 0; edge < graph.edgeCount; edge++) {
      const [from, to, change] = [graph.from[edge], graph.to[edge], graph.edgeChange[edge]];
      if (this.hiddenKinds.has(graph.kind[edge]) || !fits[from] || !fits[to]) continue;
      if (change ? this.hiddenChanges.has(change) : !matching[from] || !matching[to]) continue;
      this.shownEdge[edge] = this.shown[from] = this.shown[to] = 1;
    }
    this.shownBefore = new Uint32Array(graph.count + 1);
    for (let node = 0; node < graph.count; node++) this.shownBefore[node + 1] = this.shownBefore[node] + this.shown[node];
    this.filterNumber = (this.filterNumber ?? 0) + 1;
  }

  shownIn(start, end) {
    return this.shownBefore[end] - this.shownBefore[start];
  }

  address() {
    const { graph } = this;
    const values = new URLSearchParams();
    if (this.view !== "map") values.set("view", this.view);
    if (this.chosen >= 0) values.set("at", graph.key[this.chosen]);
    if (this.query) values.set("q", this.query);
    if (this.pathFrom >= 0) values.set("from", graph.key[this.pathFrom]);
    if (this.path) values.set("to", graph.key[this.path.to]);
    for (const type of this.hiddenTypes) values.append("-type", graph.types[type]);
    for (const at of this.hiddenClasses) values.append("-class", graph.classNames[at]);
    for (const kind of this.hiddenKinds) values.append("-kind", graph.kinds[kind].join(" "));
    for (const change of this.hiddenChanges) values.append("-change", CHANGES[change].name);
    if (this.theme.chosen) values.set("light", this.theme.chosen);
    return "#" + values;
  }

  writeAddress(history) {
    const address = this.address();
    if (address === (location.hash || "#") || this.reading) return;
    this.written = address;
    if (history === "push") location.hash = address;
    else location.replace(address);
  }

  /** Restores the state from the address. Unknown names are ignored. */
  readAddress() {
    const { graph } = this;
    const values = new URLSearchParams(location.hash.slice(1));
    const numbers = (name, find) =>
      new Set(
        values
          .getAll(name)
          .map(find)
          .filter((at) => at >= 0),
      );
    this.reading = true;
    this.hiddenTypes = numbers("-type", (name) => graph.types.indexOf(name));
    this.hiddenClasses = numbers("-class", (name) => graph.classNames.indexOf(name));
    this.hiddenKinds = numbers("-kind", (name) => graph.kinds.findIndex((kind) => kind.join(" ") === name));
    this.hiddenChanges = numbers("-change", (name) => CHANGES.findIndex((change) => change.name === name));
    this.applyFilter();
    const node = (name) => (values.has(name) ? graph.nodeOf(values.get(name)) : -1);
    const light = values.get("light");
    this.theme = new Theme(light === "dark" || light === "light" ? light : "");
    this.query = values.get("q") ?? "";
    this.chosen = node("at");
    this.hovered = -1;
    this.pathFrom = node("from");
    const to = node("to");
    this.path = this.pathFrom >= 0 && to >= 0 ? pathBetween(this, this.pathFrom, to) : null;
    this.view = VIEWS.includes(values.get("view")) ? values.get("view") : "map";
    this.surroundings = null;
    this.tell(new Set(["filter", "theme", "query", "chosen", "path", "pathFrom", "view", "address"]));
    this.reading = false;
  }
}

// Assembles the page: one picture on the canvas, the controls around it, and the reactions to input.

const started = performance.now();

class Picture {
  constructor(state, canvas) {
    this.state = state;
    this.canvas = canvas;
    this.pen = new CanvasPen(canvas);
    this.map = new WholeMap(state);
    this.surroundings = new Surroundings(state);
    this.tooltip = byId("tooltip");
  }

  get scene() {
    return this.state.view === "surroundings" ? this.surroundings : this.map;
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width || !height) return;
    this.scale = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * this.scale);
    this.canvas.height = Math.round(height * this.scale);
    for (const scene of [this.map, this.surroundings]) scene.camera.resize(width, height);
    // A panel that opens takes space as well, but the clicked item must not move in that case.
    const { fittedTo } = this.scene.camera;
    if (fittedTo !== null && fittedTo !== windowSize()) this.fitScene(false);
    this.drawNow();
  }

  /** Shows everything, also after the window changes its size, until the reader moves the view. */
  fitScene(smoothly, scene = this.scene) {
    scene.fit(smoothly);
    scene.camera.fittedTo = windowSize();
  }

  /** Requests drawing in the next frame. */
  draw() {
    this.frame ??= requestAnimationFrame((now) => {
      this.frame = null;
      const flying = this.scene.camera.advance(now);
      this.drawNow();
      if (flying) this.draw();
    });
  }

  drawNow() {
    const { scene } = this;
    if (this.state.view === "table" || !this.scale) return;
    this.pen.begin(scene.camera.width, scene.camera.height, this.state.theme.ground, this.scale);
    scene.draw(this.pen);
  }

  fit() {
    this.fitScene();
    this.draw();
  }

  pan(dx, dy) {
    this.leave();
    this.scene.camera.pan(dx, dy);
    this.draw();
  }

  zoom(factor, x, y) {
    this.leave();
    this.scene.camera.zoom(factor, x, y);
    this.draw();
  }

  hover(x, y, pointer) {
    const found = this.scene.at(x, y);
    this.canvas.classList.toggle("over", Boolean(found));
    this.state.set({ hovered: found?.node ?? -1 });
    if (pointer === "touch") return;
    const lines = this.scene.tip(found);
    this.tooltip.hidden = !lines;
    if (!lines) return;
    this.tooltip.replaceChildren(...lines.map((line, at) => make(at ? "p" : "strong", {}, line)));
    const { offsetWidth: width, offsetHeight: height } = this.tooltip;
    this.tooltip.style.left = `${Math.max(4, Math.min(x + 14, this.canvas.clientWidth - width - 4))}px`;
    this.tooltip.style.top = `${y + 18 + height > this.canvas.clientHeight ? y - height - 10 : y + 18}px`;
  }

  leave() {
    this.tooltip.hidden = true;
    this.state.set({ hovered: -1 });
  }

  click(x, y) {
    this.tooltip.hidden = true;
    this.scene.click(this.scene.at(x, y), this.state);
    this.draw();
  }

  doubleClick(x, y) {
    const found = this.scene.at(x, y);
    if (found?.node >= 0) this.openSurroundings(found.node);
    else if (!found) this.zoom(2, x, y);
  }

  openSurroundings(node) {
    if (this.surroundings.root?.node !== node || this.surroundings.ofPath) this.startAt(node);
    this.state.set({ view: "surroundings", chosen: node, hovered: -1 }, "push");
  }

  startAt(node) {
    this.surroundings.start(node);
    this.surroundings.ofPath = null;
    this.fitScene(false, this.surroundings);
  }

  openPath(path) {
    this.surroundings.startPath(path);
    this.surroundings.ofPath = path;
    this.fitScene(false, this.surroundings);
    this.state.set({ view: "surroundings" }, "push");
  }

  showOnMap(node) {
    this.state.set({ view: "map", chosen: node });
    this.map.show(node);
    this.draw();
  }

  /** Updates the picture from the state. */
  follow(changed) {
    const { state, surroundings } = this;
    if (changed.size === 1 && changed.has("hovered")) return this.draw();
    if (state.view === "surroundings") this.followSurroundings(changed);
    const jumped = changed.has("chosen") && !changed.has("address");
    if (
      state.view === "map" &&
      state.chosen >= 0 &&
      !this.map.sees(state.chosen) &&
      (jumped || changed.has("address"))
    ) {
      this.map.show(state.chosen);
    }
    if (state.view === "map" && changed.has("path") && state.path?.nodes.length) {
      this.map.camera.go(this.map.camera.around(this.map.boundsOf(state.path.nodes), 80, 3));
    }
    if (state.view === "surroundings" && jumped) surroundings.show(state.chosen);
    this.draw();
  }

  followSurroundings(changed) {
    const { state, surroundings } = this;
    const missing = state.chosen >= 0 && !surroundings.items.has(state.chosen);
    if (missing || (changed.has("filter") && surroundings.root)) {
      this.startAt(missing ? state.chosen : surroundings.root.node);
    }
    if (!surroundings.root && state.graph.count) this.startAt(busiest(state));
  }
}

function windowSize() {
  return `${innerWidth} × ${innerHeight}`;
}

/** The shown node with the most relationships. */
function busiest({ graph, shown }) {
  let best = 0;
  for (let node = 1; node < graph.count; node++) {
    if (shown[node] && graph.degree(node) > graph.degree(best)) best = node;
  }
  return best;
}

class Page {
  constructor(graph) {
    this.graph = graph;
    this.state = new State(graph);
    this.search = new Search(graph);
    // The matches must be known before they are drawn.
    this.state.listen((changed) => changed.has("query") && this.find());
    this.picture = new Picture(this.state, byId("canvas"));
    this.legend = new Legend(this.state);
    this.table = new Table(this.state);
    this.panel = new Panel(this.state, {
      surroundings: (node) => this.picture.openSurroundings(node),
      showOnMap: (node) => this.picture.showOnMap(node),
      copyLink: (control) => this.copyLink(control),
    });
    this.state.listen((changed) => this.follow(changed));
    this.joinControls();
    this.joinSearch();
    byId("show-legend").setAttribute("aria-expanded", String(this.legendIsShown()));
    this.state.readAddress();
    new ResizeObserver(() => this.picture.resize()).observe(byId("view"));
    this.picture.resize();
  }

  follow(changed) {
    const { state } = this;
    if (changed.has("theme")) document.documentElement.dataset.light = state.theme.chosen;
    if (changed.has("view") || changed.has("address")) this.showView();
    if (changed.has("path") || changed.has("pathFrom")) this.showPath();
    if (changed.has("chosen")) {
      const { chosen } = state;
      byId("live").textContent =
        chosen < 0
          ? ""
          : `${this.graph.label(chosen)}, ${this.graph.typeName(chosen)}, ${counted(this.graph.degree(chosen), "relationship")}`;
    }
    this.picture.follow(changed);
    byId("hint").textContent = this.hint();
  }

  showView() {
    const { view } = this.state;
    byId("table").hidden = view !== "table";
    byId("canvas").hidden = view === "table";
    document.querySelector(".zoom").hidden = view === "table";
    for (const control of document.querySelectorAll("[data-view]")) {
      control.setAttribute("aria-pressed", String(control.dataset.view === view));
    }
    this.picture.resize();
  }

  hint() {
    const { state, graph } = this;
    if (!graph.count) return "The graph is empty.";
    if (state.view === "table") return "";
    if (!state.shownIn(0, graph.count)) return "The filters hide everything.";
    if (state.view === "surroundings")
      return "Click an object to bring in its neighbours, click it again to take them away.";
    return this.picture.map.closed?.length ? "Click a disc to go into it." : "";
  }

  joinControls() {
    const { state, picture } = this;
    for (const control of document.querySelectorAll("[data-view]")) {
      control.addEventListener("click", () => this.open(control.dataset.view));
    }
    for (const control of document.querySelectorAll("[data-zoom]")) {
      control.addEventListener("click", () => this.zoom(control.dataset.zoom));
    }
    for (const control of document.querySelectorAll("[data-export]")) {
      control.addEventListener("click", () => {
        byId("export").open = false;
        exportAs(control.dataset.export, picture.scene, state, this.table);
      });
    }
    byId("light").addEventListener("click", () => this.turnLight());
    byId("show-legend").addEventListener("click", () => this.toggleLegend());
    byId("show-help").addEventListener("click", () => byId("help").showModal());
    systemIsDark.addEventListener("change", () => state.set({ theme: new Theme(state.theme.chosen) }));
    addEventListener("hashchange", () => location.hash !== state.written && state.readAddress());
    document.addEventListener("click", (event) => {
      if (!event.target.closest?.("#export")) byId("export").open = false;
    });
    followPointer(byId("canvas"), picture);
    followKeys(this.keys());
  }

  keys() {
    const { state, picture } = this;
    return {
      "/": () => byId("query").select(),
      "+": () => this.zoom("in"),
      "=": () => this.zoom("in"),
      "-": () => this.zoom("out"),
      0: () => this.zoom("fit"),
      ArrowLeft: () => picture.pan(60, 0),
      ArrowRight: () => picture.pan(-60, 0),
      ArrowUp: () => picture.pan(0, 60),
      ArrowDown: () => picture.pan(0, -60),
      n: () => this.step(1),
      p: () => this.step(-1),
      Enter: () => this.enter(),
      m: () => this.open("map"),
      s: () => this.open("surroundings"),
      t: () => this.open("table"),
      a: () => state.chosen >= 0 && state.beginPath(state.chosen),
      f: () => this.toggleLegend(),
      d: () => this.turnLight(),
      "?": () => byId("help").showModal(),
      Escape: () => this.escape(),
    };
  }

  open(view) {
    if (view === "surroundings" && this.state.chosen >= 0) this.picture.openSurroundings(this.state.chosen);
    else this.state.set({ view, hovered: -1 }, "push");
  }

  zoom(how) {
    if (how === "fit") this.picture.fit();
    else this.picture.zoom(how === "in" ? 1.5 : 1 / 1.5);
  }

  turnLight() {
    this.state.set({ theme: new Theme(this.state.theme.name === "dark" ? "light" : "dark") });
  }

  legendIsShown() {
    return getComputedStyle(byId("legend")).display !== "none";
  }

  toggleLegend() {
    const shown = this.legendIsShown();
    document.body.classList.toggle("with-legend", !shown);
    document.body.classList.toggle("without-legend", shown);
    byId("show-legend").setAttribute("aria-expanded", String(!shown));
  }

  /** Marks the next neighbour of the chosen object, as if the pointer were on it. */
  step(by) {
    const { state, graph } = this;
    const all =
      state.chosen >= 0
        ? [
            ...new Set(
              Array.from(graph.edgesOf(state.chosen))
                .filter((edge) => state.shownEdge[edge])
                .map((edge) => graph.otherEnd(edge, state.chosen)),
            ),
          ]
        : Array.from({ length: graph.count }, (_, node) => node).filter((node) => state.shown[node]);
    if (!all.length) return;
    const at = all.indexOf(state.hovered);
    const next = all[(at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by + all.length) % all.length];
    state.set({ hovered: next });
    byId("live").textContent = `${graph.label(next)}, ${graph.typeName(next)}`;
  }

  enter() {
    const { state, picture } = this;
    if (state.hovered >= 0) state.pick(state.hovered);
    else if (state.chosen >= 0) picture.openSurroundings(state.chosen);
  }

  escape() {
    const { state } = this;
    if (state.pathFrom >= 0) state.endPath();
    else if (state.chosen >= 0) state.choose(-1);
    else if (state.query) state.set({ query: "" });
  }

  copyLink(control) {
    const done = (text) => {
      control.textContent = text;
      setTimeout(() => (control.textContent = "Copy link"), 2000);
    };
    const refused = () => done("Take it from the address bar");
    if (navigator.clipboard) navigator.clipboard.writeText(location.href).then(() => done("Copied"), refused);
    else refused();
  }

  showPath() {
    const { state, graph } = this;
    const bar = byId("path-bar");
    bar.hidden = state.pathFrom < 0;
    if (bar.hidden) return bar.replaceChildren();
    const name = (node) => make("bdi", {}, shortened(graph.label(node), 28));
    const close = button("×", () => state.endPath(), { class: "close", "aria-label": "Close the path" });
    const { path } = state;
    if (!path)
      return bar.replaceChildren(
        "Path from ",
        make("strong", {}, name(state.pathFrom)),
        ": choose the other end.",
        close,
      );
    if (!path.nodes.length)
      return bar.replaceChildren(
        "No path from ",
        name(path.from),
        " to ",
        name(path.to),
        " over what is shown.",
        close,
      );
    const steps = path.nodes.flatMap((node, at) => {
      const edge = path.edges[at];
      const link = button(shortened(graph.label(node), 28), () => state.choose(node), { class: "link", dir: "auto" });
      if (edge === undefined) return [link];
      const text = graph.from[edge] === node ? ` –${graph.edgeClass(edge)}→ ` : ` ←${graph.edgeClass(edge)}– `;
      return [link, make("span", { class: "step" }, text)];
    });
    bar.replaceChildren(
      make("span", { class: "count" }, path.edges.length === 1 ? "1 step" : `${path.edges.length} steps`),
      ...steps,
      button("Show on its own", () => this.picture.openPath(path), { class: "quiet" }),
      close,
    );
  }

  joinSearch() {
    const input = byId("query");
    const { state } = this;
    input.addEventListener("input", () => state.set({ query: input.value }));
    input.addEventListener("focus", () => this.showResults());
    input.addEventListener("keydown", (event) => this.searchKey(event));
    document.addEventListener("pointerdown", (event) => {
      if (!event.target.closest?.(".search")) this.hideResults();
    });
    input.closest(".search").addEventListener("focusout", (event) => {
      if (event.relatedTarget && !event.relatedTarget.closest?.(".search")) this.hideResults();
    });
  }

  searchKey(event) {
    const options = [...byId("results").querySelectorAll("[role=option]")];
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const by = event.key === "ArrowDown" ? 1 : -1;
      this.marked = options.length
        ? ((this.marked ?? -1) + by + options.length + (this.marked === undefined && by < 0 ? 1 : 0)) % options.length
        : undefined;
      options.forEach((option, at) => option.setAttribute("aria-selected", String(at === this.marked)));
      const marked = options[this.marked];
      marked?.scrollIntoView({ block: "nearest" });
      if (marked) event.target.setAttribute("aria-activedescendant", marked.id);
    } else if (event.key === "Enter") {
      options[this.marked ?? 0]?.click();
    } else if (event.key === "Escape") {
      if (byId("results").hidden) this.state.set({ query: "" });
      this.hideResults();
    }
  }

  find() {
    const { state } = this;
    const input = byId("query");
    if (input.value !== state.query) input.value = state.query;
    this.searching?.abort();
    this.searching = new AbortController();
    const query = state.query.trim();
    const inNames = query ? this.search.find(query) : null;
    this.inObjects = new Set();
    state.found = inNames;
    this.showResults();
    if (query.length < 2) return;
    const known = new Set(inNames);
    const { signal } = this.searching;
    const look = () =>
      this.search.findInObjects(query, signal, (nodes) => {
        const fresh = nodes.filter((node) => !known.has(node));
        if (!fresh.length || state.found.length > WORTH_LISTING) return;
        fresh.forEach((node) => this.inObjects.add(node));
        state.found = state.found.concat(fresh);
        this.showResults();
        state.tell(new Set(["found"]));
      });
    clearTimeout(this.later);
    this.later = setTimeout(look, 120);
  }

  showResults() {
    const { state, graph } = this;
    const box = byId("results");
    const input = byId("query");
    this.marked = undefined;
    input.removeAttribute("aria-activedescendant");
    const open = Boolean(state.found) && document.activeElement === input;
    box.hidden = !open;
    input.setAttribute("aria-expanded", String(open));
    if (!open) return;
    const shown = state.found.filter((node) => state.shown[node]);
    const hidden = state.found.length - shown.length;
    const options = shown
      .slice(0, 50)
      .map((node) =>
        make(
          "li",
          { role: "option", id: `result-${node}`, "aria-selected": "false", onclick: () => this.take(node) },
          swatch(state.theme.type(graph.type[node])),
          make("bdi", { class: "name" }, graph.label(node)),
          make(
            "span",
            { class: "type" },
            graph.typeName(node) + (this.inObjects.has(node) ? " · in its properties" : ""),
          ),
        ),
      );
    box.querySelector("ul").replaceChildren(...options);
    const rest = shown.length > 50 ? `${grouped(shown.length - 50)} more, all in the table. ` : "";
    const text = shown.length ? rest : "Nothing found. ";
    box.querySelector(".more").textContent = text + (hidden ? `${grouped(hidden)} hidden by the filters.` : "");
  }

  take(node) {
    this.hideResults();
    byId("query").blur();
    this.state.pick(node);
  }

  hideResults() {
    byId("results").hidden = true;
    byId("query").setAttribute("aria-expanded", "false");
  }
}

new Page(new Graph(JSON.parse(byId("graph").textContent)));
requestAnimationFrame(() => {
  const root = document.documentElement;
  root.dataset.ready = String(Math.round(performance.now()));
  root.dataset.work = String(Math.round(performance.now() - started));
});

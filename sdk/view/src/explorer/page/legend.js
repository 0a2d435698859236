// The legend: the meaning of the colours, with counts and visibility.

class Legend {
  constructor(state) {
    this.state = state;
    this.graph = state.graph;
    this.element = byId("legend");
    state.listen((changed) => {
      if (changed.has("filter") || changed.has("theme")) this.render();
    });
    this.render();
  }

  render() {
    const { graph, state } = this;
    const focused = document.activeElement?.dataset?.filterId;
    const open = new Map(
      Array.from(this.element.querySelectorAll("details"), (part) => [part.dataset.title, part.open]),
    );
    const ends = state.shownIn(0, graph.count) - state.matching;
    this.element.replaceChildren(
      make(
        "p",
        { class: "shown" },
        state.filtered
          ? `${grouped(state.matching)} of ${counted(graph.count, "entity", "entities")}` +
              (ends ? `, and ${counted(ends, "end")} of relationships` : "")
          : counted(graph.count, "entity", "entities"),
        state.filtered && button("Show all", () => state.filter(this.nothing()), { class: "quiet" }),
      ),
      ...(graph.compared
        ? [
            this.part(
              "Changes",
              "hiddenChanges",
              this.changes(),
            ),
            make("p", { class: "soft" }, "Entities + relationships. An object that a gap covers is unknown."),
          ]
        : []),
      this.part(
        "Types",
        "hiddenTypes",
        graph.types
          .map((type, at) => [at, visible(type), graph.typeCount[at], state.theme.type(at)])
          .filter(([, , count]) => count),
      ),
      this.part(
        "Classes",
        "hiddenClasses",
        graph.classNames.map((name, at) => [at, visible(name), graph.classCount[at], null]),
        open.get("Classes") ?? graph.classNames.length <= 12,
      ),
      this.part("Relationships", "hiddenKinds", this.kinds(), open.get("Relationships") ?? false),
      ...(graph.dangling.length
        ? [
            make(
              "p",
              { class: "soft" },
              `${counted(graph.dangling.length, "relationship")} without an end: see the table.`,
            ),
          ]
        : []),
    );
    if (focused) this.element.querySelector(`[data-filter-id="${CSS.escape(focused)}"]`)?.focus();
  }

  nothing() {
    return { hiddenTypes: new Set(), hiddenClasses: new Set(), hiddenKinds: new Set(), hiddenChanges: new Set() };
  }

  changes() {
    const { graph, state } = this;
    const count = (codes, code) => codes.reduce((sum, one) => sum + (one === code ? 1 : 0), 0);
    return CHANGES.map(({ sign, title }, code) => {
      const [nodes, edges] = [count(graph.change, code), count(graph.edgeChange, code)];
      return [code, `${sign} ${title}`, `${grouped(nodes)} + ${grouped(edges)}`, code ? state.theme.change(code) : null];
    }).filter(([code], at, rows) => code < 4 || rows[at][2] !== "0 + 0");
  }

  kinds() {
    const { graph } = this;
    return graph.kinds
      .map(([type, name], at) => [at, `${visible(name)} · ${visible(type)}`, graph.kindCount[at], null])
      .filter(([, , count]) => count);
  }

  /** Rows are [value, text, count or its text, colour]. */
  part(title, filter, rows, open = true) {
    const { state } = this;
    return make(
      "details",
      { open, "data-title": title },
      make("summary", {}, title, make("span", { class: "count" }, grouped(rows.length))),
      make(
        "ul",
        {},
        rows.map((row) => this.row(filter, row, rows)),
      ),
      rows.length > 3 &&
        make(
          "p",
          { class: "all" },
          button("All", () => state.filter({ [filter]: new Set() }), { class: "quiet" }),
          button("None", () => state.filter({ [filter]: new Set(rows.map(([value]) => value)) }), { class: "quiet" }),
        ),
    );
  }

  row(filter, [value, text, count, colour], rows) {
    const { state } = this;
    const id = `${filter} ${value}`;
    const box = make("input", { type: "checkbox", "data-filter-id": id, onchange: () => state.toggle(filter, value) });
    box.checked = !state[filter].has(value);
    const only = () =>
      state.filter({ [filter]: new Set(rows.map(([other]) => other).filter((other) => other !== value)) });
    return make(
      "li",
      {},
      make(
        "label",
        { title: text },
        box,
        colour && swatch(colour),
        make("span", { class: "text" }, text),
      ),
      button("only", only, { class: "quiet only", "aria-label": `Only ${shortened(text, 80)}` }),
      make("span", { class: "count" }, typeof count === "number" ? grouped(count) : count),
    );
  }
}

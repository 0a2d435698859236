// The legend: what the colours mean, how many there are, and what is shown.

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
    const changes = Array.from(CHANGES, (_, code) =>
      graph.change.reduce((sum, change) => sum + (change === code ? 1 : 0), 0),
    );
    this.element.replaceChildren(
      make(
        "p",
        { class: "shown" },
        state.filtered
          ? `${grouped(state.shownIn(0, graph.count))} of ${counted(graph.count, "entity", "entities")}`
          : counted(graph.count, "entity", "entities"),
        state.filtered && button("Show all", () => state.filter(this.nothing()), { class: "quiet" }),
      ),
      ...(graph.compared
        ? [
            this.part(
              "Changes",
              "hiddenChanges",
              CHANGES.map((change, code) => [
                code,
                `${change.sign} ${change.title}`,
                changes[code],
                code ? state.theme.change(code) : null,
              ]),
            ),
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

  kinds() {
    const { graph } = this;
    return graph.kinds
      .map(([type, name], at) => [at, `${visible(name)} · ${visible(type)}`, graph.kindCount[at], null])
      .filter(([, , count]) => count);
  }

  /** Rows are [value, text, count, colour]. */
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
        make("span", { class: "text" }, shortened(text, 80)),
      ),
      button("only", only, { class: "quiet only", "aria-label": `Only ${shortened(text, 80)}` }),
      make("span", { class: "count" }, grouped(count)),
    );
  }
}

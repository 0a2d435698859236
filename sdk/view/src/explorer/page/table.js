// The graph as tables, one page at a time, with the filters and the search of the picture.

const ROWS = 100;

class Table {
  constructor(state) {
    this.state = state;
    this.graph = state.graph;
    this.element = byId("table");
    this.what = "entities";
    this.page = 0;
    this.sort = { column: 0, down: false };
    state.listen((changed) => {
      if (["filter", "found", "query", "address"].some((name) => changed.has(name))) this.page = 0;
      if (state.view === "table" && !(changed.size === 1 && changed.has("hovered"))) this.render();
    });
  }

  /** The columns: title, text of a row, and sort key if it differs from the text. */
  columns() {
    const { graph } = this;
    const kind = (edge) => graph.kinds[graph.kind[edge]];
    const entities = [
      ["Name", (node) => graph.name(node)],
      ["Type", (node) => graph.typeName(node)],
      ["Class", (node) => visible(graph.classesOf(node).join(", "))],
      ["Relationships", (node) => grouped(graph.degree(node)), (node) => graph.degree(node)],
      ["Key", (node) => visible(graph.key[node])],
    ];
    const relationships = [
      ["From", (edge) => graph.name(graph.from[edge])],
      ["Class", (edge) => visible(kind(edge)[1])],
      ["To", (edge) => graph.name(graph.to[edge])],
      ["Type", (edge) => visible(kind(edge)[0])],
      ["Key", (edge) => visible(graph.edgeKey(edge))],
    ];
    const without = ["Key", "Type", "Class", "From", "To"].map((title, at) => {
      return [title, (row) => visible(graph.dangling[row][at])];
    });
    const change = (code) => ["Change", (row) => changeText(code(row)), code];
    if (graph.compared) {
      entities.splice(
        1,
        0,
        change((node) => graph.change[node]),
      );
      relationships.unshift(change((edge) => graph.edgeChange[edge]));
      without.unshift(change((row) => graph.dangling[row][5]));
    }
    return { entities, relationships, without }[this.what];
  }

  rows() {
    const { graph, state } = this;
    const searched = state.query && state.found ? new Set(state.found) : null;
    const numbers = (count, shown) => Array.from({ length: count }, (_, at) => at).filter(shown);
    if (this.what === "entities")
      return numbers(graph.count, (node) => state.shown[node] && (!searched || searched.has(node)));
    if (this.what === "without") return numbers(graph.dangling.length, (row) => !state.hiddenChanges.has(graph.dangling[row][5]));
    const found = (edge) => !searched || searched.has(graph.from[edge]) || searched.has(graph.to[edge]);
    return numbers(graph.edgeCount, (edge) => state.shownEdge[edge] && found(edge));
  }

  /** Returns all rows in order. The result is cached until a filter, the search, or the order changes. */
  ordered(columns) {
    const { state, sort } = this;
    const made = [this.what, sort.column, sort.down, state.filterNumber, state.found];
    if (!this.kept || made.some((part, at) => part !== this.kept.made[at])) {
      this.kept = { made, rows: this.sorted(this.rows(), columns) };
    }
    return this.kept.rows;
  }

  sorted(rows, columns) {
    const { column, down } = this.sort;
    const [, text, value = text] = columns[column] ?? columns[0];
    const keys = new Map(rows.map((row) => [row, value(row)]));
    const compare =
      typeof keys.get(rows[0]) === "number" ? (a, b) => a - b : new Intl.Collator("en", { numeric: true }).compare;
    rows.sort((a, b) => compare(keys.get(a), keys.get(b)) || a - b);
    return down ? rows.reverse() : rows;
  }

  render() {
    const columns = this.columns();
    const rows = this.ordered(columns);
    const pages = Math.max(1, Math.ceil(rows.length / ROWS));
    this.page = Math.min(this.page, pages - 1);
    const focused = document.activeElement?.dataset?.focusId;
    const visibleRows = rows.slice(this.page * ROWS, (this.page + 1) * ROWS);
    const titles = { entities: "Entities", relationships: "Relationships", without: "Relationships without an end" };
    this.element.replaceChildren(
      this.tabs(titles),
      make(
        "div",
        { class: "sheet", tabindex: "0", role: "region", "aria-label": titles[this.what] },
        make(
          "table",
          {},
          make("caption", {}, `${titles[this.what]}: ${grouped(rows.length)}`),
          make(
            "thead",
            {},
            make(
              "tr",
              {},
              columns.map(([title], at) => this.head(title, at)),
            ),
          ),
          make(
            "tbody",
            {},
            visibleRows.map((row) => this.row(row, columns)),
          ),
        ),
      ),
      this.pager(rows.length, pages),
    );
    if (focused) this.element.querySelector(`[data-focus-id="${CSS.escape(focused)}"]`)?.focus();
  }

  tabs(titles) {
    const { graph } = this;
    const counts = { entities: graph.count, relationships: graph.edgeCount, without: graph.dangling.length };
    const tab = (what) =>
      button(`${titles[what]} (${grouped(counts[what])})`, () => this.open(what), {
        "aria-pressed": String(this.what === what),
        "data-focus-id": what,
      });
    return make(
      "p",
      { class: "tabs", role: "group", "aria-label": "Which table" },
      Object.keys(titles)
        .filter((what) => what !== "without" || counts.without)
        .map(tab),
    );
  }

  open(what) {
    Object.assign(this, { what, page: 0, sort: { column: 0, down: false } });
    this.render();
  }

  head(title, at) {
    const sorted = this.sort.column === at;
    const sortBy = () => {
      this.sort = { column: at, down: sorted && !this.sort.down };
      this.page = 0;
      this.render();
    };
    const order = sorted ? (this.sort.down ? "descending" : "ascending") : null;
    const sign = sorted ? (this.sort.down ? " ↓" : " ↑") : "";
    return make(
      "th",
      { scope: "col", "aria-sort": order },
      button(title + sign, sortBy, { class: "quiet", "data-focus-id": `sort ${title}` }),
    );
  }

  row(row, columns) {
    const { state, graph } = this;
    const cells = columns.map(([title, text]) => {
      const pick = { Name: row, From: graph.from[row], To: graph.to[row] }[title];
      const link = this.what !== "without" && ["Name", "From", "To"].includes(title);
      const content = link ? button(text(row), () => state.pick(pick), { class: "link" }) : text(row);
      return title === "Name"
        ? make("th", { scope: "row", dir: "auto" }, content)
        : make("td", { class: title === "Relationships" ? "number" : null, dir: "auto" }, content);
    });
    return make("tr", { class: this.what === "entities" && row === state.chosen ? "chosen" : null }, cells);
  }

  pager(count, pages) {
    const turn = (by) => () => {
      this.page += by;
      this.render();
      this.element.querySelector(".sheet").scrollTop = 0;
    };
    const first = this.page * ROWS;
    return make(
      "p",
      { class: "pager" },
      button("← Back", turn(-1), { disabled: this.page === 0, "data-focus-id": "back" }),
      make(
        "span",
        {},
        count ? `${grouped(first + 1)}–${grouped(Math.min(count, first + ROWS))} of ${grouped(count)}` : "Nothing",
      ),
      button("Next →", turn(1), { disabled: this.page >= pages - 1, "data-focus-id": "next" }),
    );
  }

  /** Returns all rows as CSV. An apostrophe precedes text that a spreadsheet would interpret as a formula. */
  csv() {
    const columns = this.columns();
    const cell = (text) => `"${text.replace(/^[=+\-@\t\r]/, "'$&").replaceAll('"', '""')}"`;
    const rows = this.ordered(columns).map((row) => columns.map(([, text]) => cell(text(row))));
    return [columns.map(([title]) => title), ...rows].map((line) => line.join(",")).join("\r\n") + "\r\n";
  }
}

function changeText(code) {
  return code ? `${CHANGES[code].sign} ${CHANGES[code].title}` : "";
}

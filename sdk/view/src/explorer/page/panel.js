// The side panel: everything about the chosen object.

const DOUBT = "Data are missing from one of the two graphs: this difference may be no change.";

const LISTED_NEIGHBOURS = 40;
const LONG_TEXT = 600;
const EDGE_ENDS = new Set(["_key", "_type", "_class", "_fromEntityKey", "_toEntityKey", "displayName", "_mapping"]);

class Panel {
  constructor(state, actions) {
    this.state = state;
    this.graph = state.graph;
    this.actions = actions;
    this.element = byId("panel");
    this.openSections = new Set(["Relationships", "Properties", "What changed", "What is unknown"]);
    state.listen((changed) => {
      if (["chosen", "filter", "theme", "pathFrom"].some((name) => changed.has(name))) this.render();
    });
  }

  render() {
    const node = this.state.chosen;
    this.element.hidden = node < 0;
    document.body.classList.toggle("chosen", node >= 0);
    if (node < 0) return this.element.replaceChildren();
    const stored = this.graph.nodeObject(node);
    // The browser is still reading the objects, so try again when it has finished.
    if (!stored)
      document.addEventListener("DOMContentLoaded", () => this.state.chosen === node && this.render(), { once: true });
    const object = parsed(stored?.now);
    this.element.scrollTop = 0;
    this.element.replaceChildren(
      this.heading(node),
      this.buttons(node),
      ...[
        this.changes(node, object, stored),
        this.relationships(node),
        this.properties(object, stored),
        this.rawData(object),
      ].filter(Boolean),
    );
  }

  heading(node) {
    const { graph, state } = this;
    const change = CHANGES[graph.change[node]];
    const name = graph.name(node);
    return make(
      "div",
      { class: "heading" },
      button("×", () => state.choose(-1), { class: "close", "aria-label": "Close" }),
      make("p", { class: "type" }, swatch(state.theme.type(graph.type[node])), graph.typeName(node)),
      make("h2", { dir: "auto" }, ...foldable(name, 200)),
      make(
        "p",
        { class: "chips" },
        graph.classesOf(node).map((name) => make("span", { class: "chip" }, visible(name))),
        change.sign && make("span", { class: `chip ${change.name}` }, `${change.sign} ${change.title}`),
      ),
      make("p", { class: "key" }, make("code", {}, ...foldable(visible(graph.key[node]), 120))),
    );
  }

  buttons(node) {
    const { state, actions } = this;
    const asEnd = state.pathFrom >= 0 && state.pathFrom !== node && !state.path;
    return make(
      "p",
      { class: "actions" },
      button("Surroundings", () => actions.surroundings(node)),
      button("Show on map", () => actions.showOnMap(node)),
      asEnd ? button("Path to here", () => state.pick(node)) : button("Path from here", () => state.beginPath(node)),
      button("Copy link", (event) => actions.copyLink(event.target)),
    );
  }

  section(title, count, content, open = this.openSections.has(title)) {
    const body = make("div", {});
    const fill = () => body.childElementCount || body.append(...[content()].flat());
    const section = make(
      "details",
      { open },
      make("summary", {}, title, count === null ? null : make("span", { class: "count" }, grouped(count))),
      body,
    );
    section.addEventListener("toggle", () => {
      this.openSections[section.open ? "add" : "delete"](title);
      if (section.open) fill();
    });
    if (open) fill();
    return section;
  }

  /** Lists neighbours by relationship and type. */
  relationships(node) {
    const { graph, state } = this;
    const groups = new Map();
    let count = 0;
    for (const edge of graph.edgesOf(node)) {
      if (!state.shownEdge[edge]) continue;
      const out = graph.from[edge] === node;
      const id = `${graph.kind[edge]} ${out} ${graph.type[graph.otherEnd(edge, node)]}`;
      if (!groups.has(id)) groups.set(id, { out, edges: [] });
      groups.get(id).edges.push(edge);
      count++;
    }
    const lists = () =>
      count
        ? [...groups.values()].map((group) => this.group(node, group))
        : [make("p", { class: "soft" }, "None that is shown.")];
    return this.section("Relationships", count, lists);
  }

  group(node, { out, edges }) {
    const { graph, state } = this;
    const type = graph.type[graph.otherEnd(edges[0], node)];
    const list = make("ul", { class: "neighbours" });
    const more = make("p", {});
    const showMore = () => {
      const next = edges.slice(list.childElementCount, list.childElementCount + LISTED_NEIGHBOURS);
      list.append(...next.map((edge) => this.neighbour(node, edge)));
      const left = edges.length - list.childElementCount;
      more.replaceChildren(
        ...(left
          ? [
              button(`Show ${grouped(Math.min(left, LISTED_NEIGHBOURS))} of ${grouped(left)} more`, showMore, {
                class: "quiet",
              }),
            ]
          : []),
      );
    };
    showMore();
    const direction = out ? ["", " →"] : ["← ", ""];
    return make(
      "div",
      { class: "group" },
      make(
        "h3",
        {},
        `${direction[0]}${graph.edgeClass(edges[0])}${direction[1]} `,
        swatch(state.theme.type(type)),
        visible(graph.types[type]),
        make("span", { class: "count" }, grouped(edges.length)),
      ),
      list,
      more,
    );
  }

  neighbour(node, edge) {
    const { graph, state } = this;
    const other = graph.otherEnd(edge, node);
    const change = CHANGES[graph.edgeChange[edge]];
    const facts = Object.entries(parsed(graph.edgeObject(edge)?.now) ?? {}).filter(([name]) => !EDGE_ENDS.has(name));
    const text = facts
      .map(([name, value]) => `${visible(name)}: ${shortened(visible(shownValue(value).slice(0, 200)), 60)}`)
      .join(" · ");
    return make(
      "li",
      {},
      button(graph.label(other), () => state.choose(other), { class: "link", dir: "auto" }),
      change.sign && make("span", { class: `sign ${change.name}`, title: change.title }, change.sign),
      text && make("span", { class: "facts" }, text),
    );
  }

  properties(object, stored) {
    if (!stored) return make("p", { class: "soft" }, "Still being read …");
    if (!stored.now) return make("p", { class: "soft" }, "This page was made without properties.");
    if (!isObject(object))
      return this.section("Properties", null, () => make("pre", {}, visibleLines(stored.now.slice(0, 20_000))));
    const names = Object.keys(object).filter((name) => name !== "_rawData");
    const rows = () =>
      make(
        "table",
        { class: "properties" },
        make(
          "tbody",
          {},
          names.map((name) => this.property(name, object[name])),
        ),
      );
    return this.section("Properties", names.length, rows);
  }

  property(name, value) {
    return make(
      "tr",
      {},
      make("th", { scope: "row" }, visible(name)),
      make("td", { dir: "auto" }, ...valueParts(name, value)),
    );
  }

  changes(node, object, stored) {
    const { name: kind } = CHANGES[this.graph.change[node]];
    if (!["changed", "unknown"].includes(kind) || !stored) return null;
    if (!stored.before) return kind === "unknown" ? make("p", { class: "soft doubt" }, DOUBT) : null;
    const title = kind === "unknown" ? "What is unknown" : "What changed";
    const unknown = new Set(parsed(stored.unknown) ?? []);
    const before = parsed(stored.before);
    if (!isObject(before) || !isObject(object))
      return this.section(title, null, () => make("pre", {}, visibleLines(stored.before.slice(0, 20_000))));
    const differs = (name) => JSON.stringify(before[name]) !== JSON.stringify(object[name]);
    const names = [...new Set([...Object.keys(before), ...Object.keys(object)])].filter(
      (name) => name !== "_rawData" && differs(name),
    );
    const cell = (holder, name, tag) =>
      make("td", { dir: "auto" }, name in holder ? make(tag, {}, ...valueParts(name, holder[name])) : "—");
    const row = (name) =>
      make(
        "tr",
        {},
        make(
          "th",
          { scope: "row" },
          visible(name),
          (kind === "unknown" || unknown.has(name)) && make("span", { class: "sign unknown", title: DOUBT }, "?"),
        ),
        cell(before, name, "del"),
        cell(object, name, "ins"),
      );
    const head = make(
      "thead",
      {},
      make(
        "tr",
        {},
        ["Property", "Before", "Now"].map((title) => make("th", { scope: "col" }, title)),
      ),
    );
    const rows = () =>
      names.length
        ? make("table", { class: "properties changes" }, head, make("tbody", {}, names.map(row)))
        : make("p", { class: "soft" }, "Raw data only.");
    return this.section(title, names.length, rows);
  }

  rawData(object) {
    const raw = isObject(object) ? object._rawData : undefined;
    if (raw === undefined) return null;
    const all = Array.isArray(raw) ? raw : [raw];
    const show = () =>
      all.flatMap((entry) => {
        const named = isObject(entry) && "rawData" in entry;
        const text = visibleLines(JSON.stringify(named ? entry.rawData : entry, null, 2) ?? "");
        return [
          named && make("h3", {}, visible(entry.name)),
          make("pre", { tabindex: "0" }, ...foldable(text, 20_000)),
        ].filter(Boolean);
      });
    return this.section("Raw data", null, show);
  }
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function shownValue(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Returns a readable value: times as dates, and web addresses as text to copy. */
function valueParts(name, value) {
  if (typeof value === "number" && /On$/.test(name) && value > 1e11 && value < 1e14) {
    return [new Date(value).toISOString().replace("T", " ").replace(".000Z", " UTC")];
  }
  if (Array.isArray(value) && value.every((part) => typeof part !== "object")) {
    return value.slice(0, 200).map((part) => make("span", { class: "part" }, ...foldable(visible(part), LONG_TEXT)));
  }
  if (value === null || typeof value === "boolean") return [make("span", { class: "soft" }, String(value))];
  return foldable(visible(shownValue(value)), LONG_TEXT);
}

/** Shortens a long text; the rest is shown on demand. */
function foldable(text, length) {
  if (text.length <= length) return [text];
  const rest = button(
    `… ${grouped(text.length - length)} more characters`,
    () => rest.replaceWith(text.slice(shownLength)),
    { class: "quiet" },
  );
  const shown = Array.from(text.slice(0, length + 1));
  if (shown.join("").length > length) shown.pop();
  const shownLength = shown.join("").length;
  return [shown.join(""), rest];
}

// Search: immediately in names, keys, types, and classes, then step by step in properties and raw data.

const WORTH_LISTING = 5000;

class Search {
  constructor(graph) {
    this.graph = graph;
    this.texts = null;
  }

  /** Returns the nodes with every word of the query in name, key, type, or class, best matches first. */
  find(query) {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) return [];
    this.texts ??= this.lowerTexts();
    const whole = words.join(" ");
    const ranks = [[], [], [], []];
    for (let node = 0; node < this.graph.count; node++) {
      const text = this.texts[node];
      if (!words.every((word) => text.includes(word) || this.typeText(node).includes(word))) continue;
      ranks[rankOf(text, whole)].push(node);
    }
    return ranks.flat();
  }

  lowerTexts() {
    const { graph } = this;
    return Array.from(graph.key, (key, node) => `${graph.nameText(node)}\n${key}`.toLowerCase());
  }

  typeText(node) {
    this.typeTexts ??= new Map();
    const { graph } = this;
    const id = graph.type[node] * graph.classes.length + graph.set[node];
    if (!this.typeTexts.has(id)) {
      this.typeTexts.set(id, `${graph.types[graph.type[node]]} ${graph.classesOf(node).join(" ")}`.toLowerCase());
    }
    return this.typeTexts.get(id);
  }

  /** Searches the objects a few blocks at a time, and passes on the matches of each turn. */
  async findInObjects(query, signal, found) {
    const { graph } = this;
    const text = JSON.stringify(query.trim()).slice(1, -1).replaceAll("<", "\\u003c");
    if (!text) return;
    const pattern = new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "i");
    let turn = performance.now();
    for (let block = 0; block * graph.block < graph.count; block++) {
      if (performance.now() - turn > 12) {
        await new Promise((resume) => setTimeout(resume));
        turn = performance.now();
      }
      if (signal.aborted) return;
      const content = document.getElementById("n" + block)?.textContent;
      if (!content || !pattern.test(content)) continue;
      const lines = content.split("\n");
      found(lines.flatMap((line, at) => (pattern.test(line) ? [block * graph.block + at] : [])));
    }
  }
}

function rankOf(text, whole) {
  const name = text.slice(0, text.indexOf("\n"));
  if (name === whole) return 0;
  if (name.startsWith(whole)) return 1;
  return name.includes(whole) ? 2 : 3;
}

// The graph of the page: columns are parsed when the page loads, objects on demand.

const UNSEEN =
  /[\p{Cc}\p{Co}\p{Cs}\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/** Returns a text on one line, without hidden characters and direction marks. */
function visible(text) {
  return String(text).replace(/\s+/g, " ").trim().replace(UNSEEN, "\ufffd");
}

/** Like visible(), but keeps line breaks. */
function visibleLines(text) {
  return String(text).replace(UNSEEN, (char) => (char === "\n" ? char : "\ufffd"));
}

/** Returns at most the first `length` characters of a text. */
function shortened(text, length) {
  if (text.length <= length) return text;
  return (
    Array.from(text.slice(0, length * 2))
      .slice(0, length - 1)
      .join("") + "…"
  );
}

function grouped(number) {
  return number.toLocaleString("en");
}

function counted(number, one, many = one + "s") {
  return `${grouped(number)} ${number === 1 ? one : many}`;
}

class Graph {
  constructor(columns) {
    const { name: names, ...others } = columns;
    Object.assign(this, others, { names });
    this.count = this.key.length;
    this.edgeCount = this.from.length;
    this.discCount = this.discX.length;
    this.compared = Boolean(this.change);
    this.type = Uint16Array.from(this.type);
    this.set = Uint32Array.from(this.set);
    this.x = Float64Array.from(this.x);
    this.y = Float64Array.from(this.y);
    this.radius = Float32Array.from(this.radius);
    this.from = Uint32Array.from(this.from);
    this.to = Uint32Array.from(this.to);
    this.kind = Uint16Array.from(this.kind);
    this.change = Uint8Array.from(this.change ?? new Uint8Array(this.count));
    this.edgeChange = Uint8Array.from(this.edgeChange ?? new Uint8Array(this.edgeCount));
    this.oddKeys = new Map(this.edgeKeys);
    this.labels = new Array(this.count);
    this.collectTypes();
    this.joinEdges();
    this.findDiscs();
  }

  collectTypes() {
    this.typeCount = new Uint32Array(this.types.length);
    this.type.forEach((type) => this.typeCount[type]++);
    this.classNames = [...new Set(this.classes.flat())].sort();
    this.setClasses = this.classes.map((names) => names.map((name) => this.classNames.indexOf(name)));
    this.classCount = new Uint32Array(this.classNames.length);
    this.set.forEach((set) => this.setClasses[set].forEach((at) => this.classCount[at]++));
    this.kindCount = new Uint32Array(this.kinds.length);
    this.kind.forEach((kind) => this.kindCount[kind]++);
  }

  /** Collects the relationships of each node: `joined[first[node]]` up to `joined[first[node + 1]]`. */
  joinEdges() {
    this.first = new Uint32Array(this.count + 2);
    for (let edge = 0; edge < this.edgeCount; edge++) {
      this.first[this.from[edge] + 2]++;
      if (this.from[edge] !== this.to[edge]) this.first[this.to[edge] + 2]++;
    }
    for (let node = 1; node < this.first.length; node++) this.first[node] += this.first[node - 1];
    this.joined = new Uint32Array(this.first[this.count + 1]);
    for (let edge = 0; edge < this.edgeCount; edge++) {
      this.joined[this.first[this.from[edge] + 1]++] = edge;
      if (this.from[edge] !== this.to[edge]) this.joined[this.first[this.to[edge] + 1]++] = edge;
    }
  }

  /** Finds the disc that contains each node, and the disc around each disc. */
  findDiscs() {
    this.discOf = new Uint32Array(this.count);
    this.discParent = new Int32Array(this.discCount).fill(-1);
    for (let disc = 0; disc < this.discCount; disc++) {
      this.discOf.fill(disc, this.discStart[disc], this.discOwnEnd[disc]);
      for (let inner = disc + 1; inner < this.discDiscsEnd[disc]; inner = this.discDiscsEnd[inner]) {
        this.discParent[inner] = disc;
      }
    }
  }

  degree(node) {
    return this.first[node + 1] - this.first[node];
  }

  edgesOf(node) {
    return this.joined.subarray(this.first[node], this.first[node + 1]);
  }

  otherEnd(edge, node) {
    return this.from[edge] === node ? this.to[edge] : this.from[edge];
  }

  nodeOf(key) {
    this.numbers ??= new Map(Array.from(this.key, (name, node) => [name, node]).reverse());
    return this.numbers.get(key) ?? -1;
  }

  /** The full display name. */
  name(node) {
    return visible(this.nameText(node)) || "(without a name)";
  }

  /** The name as shown in the picture and in lists. */
  label(node) {
    return (this.labels[node] ??= shortened(visible(this.nameText(node).slice(0, 400)), 48) || "(without a name)");
  }

  nameText(node) {
    return this.names[node] || this.key[node];
  }

  typeName(node) {
    return visible(this.types[this.type[node]]);
  }

  classesOf(node) {
    return this.classes[this.set[node]];
  }

  /** The name of a disc, with the number of its members. */
  discName(disc) {
    if (this.discCentred[disc]) return this.label(this.discStart[disc]);
    return disc === 0 ? "everything" : visible(this.types[this.type[this.discStart[disc]]]);
  }

  edgeClass(edge) {
    return visible(this.kinds[this.kind[edge]][1]);
  }

  edgeKey(edge) {
    const usual = () =>
      `${this.key[this.from[edge]]}|${this.kinds[this.kind[edge]][1].toLowerCase()}|${this.key[this.to[edge]]}`;
    return this.oddKeys.get(edge) ?? usual();
  }

  /** The objects as {now, before, unknown} in JSON; undefined while the browser is still reading them. */
  nodeObject(node) {
    return this.line("n", node);
  }

  edgeObject(edge) {
    return this.line("e", edge);
  }

  line(prefix, number) {
    const id = prefix + Math.floor(number / this.block);
    if (this.openBlock?.id !== id) {
      const element = document.getElementById(id);
      if (!element) return document.readyState === "loading" ? undefined : { now: "", before: "", unknown: "" };
      this.openBlock = { id, lines: element.textContent.split("\n") };
    }
    const [now, before = "", unknown = ""] = (this.openBlock.lines[number % this.block] ?? "").split("\t");
    return { now, before, unknown };
  }
}

/** Parsed JSON, or undefined. */
function parsed(json) {
  try {
    return json ? JSON.parse(json) : undefined;
  } catch {
    return undefined;
  }
}

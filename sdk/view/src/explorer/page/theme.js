// Colours of the canvas; all other colours are in the style sheet.

const HUES = [
  ["#2f6fde", "#6ea3ff"],
  ["#d9600f", "#ff9d57"],
  ["#16875a", "#45c48d"],
  ["#a8399b", "#e27fd6"],
  ["#b58900", "#e3bd3f"],
  ["#0c8599", "#4cc9dd"],
  ["#c92a3a", "#ff7d86"],
  ["#6b4fd8", "#a995ff"],
  ["#5b7f1d", "#a3cc55"],
  ["#8f5a3c", "#cf9a78"],
  ["#48677f", "#93b3cc"],
  ["#ad3f6f", "#f08bb4"],
];

const GROUNDS = {
  light: {
    ground: "#f6f8fa",
    disc: "#ffffff",
    rim: "#cdd5de",
    edge: "#8b97a5",
    text: "#1b2430",
    soft: "#57626e",
    accent: "#0860ca",
    path: "#c2410c",
    added: "#1a7f37",
    removed: "#cf222e",
    changed: "#9a6700",
    unknown: "#8250df",
    glyph: "#ffffff",
  },
  dark: {
    ground: "#0f141a",
    disc: "#161d26",
    rim: "#33404e",
    edge: "#6b7886",
    text: "#e8eef4",
    soft: "#a3b0bd",
    accent: "#6cb6ff",
    path: "#ffa657",
    added: "#4ac26b",
    removed: "#ff7b72",
    changed: "#dfa82e",
    unknown: "#b99cff",
    glyph: "#0f141a",
  },
};

const CHANGES = [
  { name: "same", title: "Unchanged", sign: "" },
  { name: "added", title: "Added", sign: "+" },
  { name: "removed", title: "Removed", sign: "−" },
  { name: "changed", title: "Changed", sign: "~" },
  { name: "unknown", title: "Unknown", sign: "?" },
];

/** The dashes of rings around removed and unknown objects. */
const DASHES = { removed: [3, 2], unknown: [1.5, 2.5] };

function dashOf(code) {
  return DASHES[CHANGES[code].name];
}

const systemIsDark = matchMedia("(prefers-color-scheme: dark)");
const prefersStillness = matchMedia("(prefers-reduced-motion: reduce)");

class Theme {
  /** `chosen` is "light", "dark", or "" for the setting of the system. */
  constructor(chosen) {
    this.chosen = chosen;
    this.name = chosen || (systemIsDark.matches ? "dark" : "light");
    Object.assign(this, GROUNDS[this.name]);
  }

  /** Returns the colour of a type: first the most different hues, then the colour circle in golden steps. */
  type(number) {
    const dark = this.name === "dark";
    if (number < HUES.length) return HUES[number][dark ? 1 : 0];
    return `hsl(${Math.round((number * 137.508) % 360)} ${dark ? "62% 68%" : "58% 40%"})`;
  }

  change(code) {
    return this[CHANGES[code].name];
  }
}

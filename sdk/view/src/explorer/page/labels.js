// Labels in a picture: the most important ones first, without overlaps.

const MOST_LABELS = 140;
const CELL_WIDTH = 16;
const CELL_HEIGHT = 10;

class Labels {
  constructor() {
    this.wanted = [];
    this.taken = new Set();
  }

  /** Keeps labels away from a circle. */
  block(x, y, radius) {
    const inner = radius * 0.35;
    for (const cell of cellsIn(x - inner, y - inner, x + inner, y + inner)) this.taken.add(cell);
  }

  /** Requests a label centred at (x, y). A higher weight wins; from `weight` 1e6 on, the label may cover others. */
  want(x, y, text, weight, { size = 12, bold = false, fill, halo, align = "center" }) {
    this.wanted.push({ x, y, text, weight, size, bold, fill, halo, align });
  }

  draw(pen) {
    this.wanted.sort((a, b) => b.weight - a.weight);
    const { taken } = this;
    let drawn = 0;
    for (const label of this.wanted) {
      if (drawn >= MOST_LABELS) break;
      const cells = this.cells(label, pen);
      if (label.weight < 1e6 && (!cells || cells.some((cell) => taken.has(cell)))) continue;
      cells?.forEach((cell) => taken.add(cell));
      pen.text(label.x, label.y, label.text, { ...label, weight: label.bold ? 600 : 400 });
      drawn++;
    }
    this.wanted = [];
  }

  /** The grid cells that a label covers; none outside the picture. */
  cells({ x, y, text, size, align }, pen) {
    const width = text.length * size * 0.6;
    const left = align === "center" ? x - width / 2 : align === "end" ? x - width : x;
    if (left > pen.width || left + width < 0 || y > pen.height + size || y < -size) return null;
    return cellsIn(left, y - size * 0.5, left + width, y + size * 0.5);
  }
}

function cellsIn(left, top, right, bottom) {
  const cells = [];
  for (let row = Math.floor(top / CELL_HEIGHT); row <= Math.floor(bottom / CELL_HEIGHT); row++) {
    for (let column = Math.floor(left / CELL_WIDTH); column <= Math.floor(right / CELL_WIDTH); column++) {
      cells.push(row * 10_000 + column);
    }
  }
  return cells;
}

// Texts in a picture: the most important first, none over another.

const MOST_LABELS = 140;
const CELL = 24;

class Labels {
  constructor() {
    this.wanted = [];
  }

  /** Wants a text centred at (x, y). What matters more stands for sure: from `weight` 1e6 on even over others. */
  want(x, y, text, weight, { size = 12, bold = false, fill, halo, align = "center" }) {
    this.wanted.push({ x, y, text, weight, size, bold, fill, halo, align });
  }

  draw(pen) {
    this.wanted.sort((a, b) => b.weight - a.weight);
    const taken = new Set();
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

  /** The squares of the picture that a label covers; none where it lies outside. */
  cells({ x, y, text, size, align }, pen) {
    const width = text.length * size * 0.56;
    const left = align === "center" ? x - width / 2 : align === "end" ? x - width : x;
    if (left > pen.width || left + width < 0 || y > pen.height + size || y < -size) return null;
    const cells = [];
    for (let row = Math.floor((y - size * 0.6) / CELL); row <= Math.floor((y + size * 0.6) / CELL); row++) {
      for (let column = Math.floor(left / CELL); column <= Math.floor((left + width) / CELL); column++) {
        cells.push(row * 1000 + column);
      }
    }
    return cells;
  }
}

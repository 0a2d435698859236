// The camera: the visible part of a picture and its scale.

class Camera {
  constructor() {
    this.x = 0;
    this.y = 0;
    this.scale = 1;
    this.width = 1;
    this.height = 1;
    this.smallest = 1e-3;
    this.largest = 12;
    // The window for which the view shows everything; null once it has been moved or zoomed.
    this.fittedTo = "";
  }

  resize(width, height) {
    this.width = width;
    this.height = height;
  }

  screenX(x) {
    return (x - this.x) * this.scale + this.width / 2;
  }

  screenY(y) {
    return (y - this.y) * this.scale + this.height / 2;
  }

  worldX(x) {
    return (x - this.width / 2) / this.scale + this.x;
  }

  worldY(y) {
    return (y - this.height / 2) / this.scale + this.y;
  }

  pan(dx, dy) {
    this.still();
    this.fittedTo = null;
    this.x -= dx / this.scale;
    this.y -= dy / this.scale;
  }

  /** Zooms in or out around the point (x, y). */
  zoom(factor, x = this.width / 2, y = this.height / 2) {
    this.still();
    this.fittedTo = null;
    const [wx, wy] = [this.worldX(x), this.worldY(y)];
    this.scale = Math.min(this.largest, Math.max(this.smallest, this.scale * factor));
    this.x = wx - (x - this.width / 2) / this.scale;
    this.y = wy - (y - this.height / 2) / this.scale;
  }

  /** Returns the view that shows a box in coordinates of the world. */
  around([left, top, right, bottom], margin = 40, closest = this.largest) {
    const across = (this.width - 2 * margin) / Math.max(right - left, 1e-6);
    const down = (this.height - 2 * margin) / Math.max(bottom - top, 1e-6);
    const scale = Math.min(closest, Math.max(this.smallest, Math.min(across, down)));
    return { x: (left + right) / 2, y: (top + bottom) / 2, scale };
  }

  /** Moves to a view, at once or within a third of a second. */
  go(target, smoothly = true) {
    this.fittedTo = null;
    if (smoothly && !prefersStillness.matches && document.visibilityState === "visible") {
      this.flight = { from: { x: this.x, y: this.y, scale: this.scale }, to: target, start: performance.now() };
    } else {
      this.still();
      Object.assign(this, target);
    }
  }

  still() {
    this.flight = null;
  }

  /** Continues a flight; returns whether it goes on. */
  advance(now) {
    if (!this.flight) return false;
    const { from, to, start } = this.flight;
    const time = Math.min(1, Math.max(0, (now - start) / 320));
    const part = 1 - (1 - time) ** 3;
    this.scale = from.scale * (to.scale / from.scale) ** part;
    // The position moves in proportion to the scale. Otherwise the picture would drift while zooming in far.
    const shift =
      Math.abs(to.scale - from.scale) > 1e-9
        ? (1 / from.scale - 1 / this.scale) / (1 / from.scale - 1 / to.scale)
        : part;
    this.x = from.x + (to.x - from.x) * shift;
    this.y = from.y + (to.y - from.y) * shift;
    if (time >= 1) this.flight = null;
    return Boolean(this.flight);
  }
}

// Two pens with the same strokes: one draws on the screen, the other writes SVG. Coordinates are pixels of the picture.

const FONT = "ui-sans-serif, system-ui, -apple-system, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', Arial, sans-serif";

class CanvasPen {
  constructor(canvas) {
    this.context = canvas.getContext("2d");
  }

  begin(width, height, ground, scale) {
    this.width = width;
    this.height = height;
    this.context.setTransform(scale, 0, 0, scale, 0, 0);
    this.context.globalAlpha = 1;
    this.context.fillStyle = ground;
    this.context.fillRect(0, 0, width, height);
    this.context.lineJoin = "round";
  }

  fade(alpha) {
    this.context.globalAlpha = alpha;
  }

  circle(x, y, radius, { fill, stroke, width = 1, dash }) {
    const { context } = this;
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    this.paint(fill, stroke, width, dash);
  }

  /** Draws many circles of one size and colour: [x, y, x, y, …]. */
  dots(places, radius, fill) {
    const { context } = this;
    // Very small circles are drawn as squares, which look the same and take a tenth of the time.
    const square = radius < 2.5 && places.length > 8000;
    context.fillStyle = fill;
    context.beginPath();
    for (let at = 0; at < places.length; at += 2) {
      if (square) {
        context.rect(places[at] - radius * 0.9, places[at + 1] - radius * 0.9, radius * 1.8, radius * 1.8);
      } else {
        context.moveTo(places[at] + radius, places[at + 1]);
        context.arc(places[at], places[at + 1], radius, 0, 2 * Math.PI);
      }
    }
    context.fill();
  }

  /** Draws many lines of one kind: [x, y, x, y, …], four numbers for each line. */
  lines(ends, stroke, width = 1) {
    const { context } = this;
    context.strokeStyle = stroke;
    context.lineWidth = width;
    context.setLineDash([]);
    context.beginPath();
    for (let at = 0; at < ends.length; at += 4) {
      context.moveTo(ends[at], ends[at + 1]);
      context.lineTo(ends[at + 2], ends[at + 3]);
    }
    context.stroke();
  }

  /** Draws a curve with horizontal ends. */
  curve(x1, y1, x2, y2, stroke, width = 1, dash) {
    const { context } = this;
    const middle = (x1 + x2) / 2;
    context.beginPath();
    context.moveTo(x1, y1);
    context.bezierCurveTo(middle, y1, middle, y2, x2, y2);
    this.paint(null, stroke, width, dash);
  }

  /** Draws a filled triangle with its tip at (x, y), pointing along (dx, dy). */
  arrow(x, y, dx, dy, size, fill) {
    const { context } = this;
    context.beginPath();
    arrowCorners(x, y, dx, dy, size).forEach(([cx, cy], at) => (at ? context.lineTo(cx, cy) : context.moveTo(cx, cy)));
    context.closePath();
    this.paint(fill);
  }

  /** Draws a disc with sectors: `parts` are [share of 1, colour]. */
  pie(x, y, radius, parts) {
    const { context } = this;
    let angle = -Math.PI / 2;
    for (const [share, fill] of parts) {
      context.beginPath();
      context.moveTo(x, y);
      context.arc(x, y, radius, angle, (angle += share * 2 * Math.PI));
      this.paint(fill);
    }
  }

  text(x, y, text, { size = 12, weight = 400, fill, align = "center", halo }) {
    const { context } = this;
    context.font = `${weight} ${size}px ${FONT}`;
    context.textAlign = align === "start" ? "left" : align === "end" ? "right" : "center";
    context.textBaseline = "middle";
    context.direction = "ltr";
    if (halo) {
      context.setLineDash([]);
      context.lineWidth = 4;
      context.strokeStyle = halo;
      context.strokeText(text, x, y);
    }
    context.fillStyle = fill;
    context.fillText(text, x, y);
  }

  paint(fill, stroke, width, dash) {
    const { context } = this;
    if (fill) {
      context.fillStyle = fill;
      context.fill();
    }
    if (stroke) {
      context.setLineDash(dash ?? []);
      context.lineWidth = width;
      context.strokeStyle = stroke;
      context.stroke();
    }
  }
}

class SvgPen {
  constructor(title) {
    this.title = title;
    this.parts = [];
    this.alpha = "";
  }

  begin(width, height, ground) {
    this.width = width;
    this.height = height;
    this.parts = [`<rect width="${width}" height="${height}" fill="${ground}"/>`];
  }

  fade(alpha) {
    this.alpha = alpha < 1 ? ` opacity="${alpha}"` : "";
  }

  circle(x, y, radius, { fill, stroke, width = 1, dash }) {
    this.add(`circle cx="${short(x)}" cy="${short(y)}" r="${short(radius)}"`, fill, stroke, width, dash);
  }

  dots(places, radius, fill) {
    if (!places.length) return;
    let path = "";
    for (let at = 0; at < places.length; at += 2) path += `M${short(places[at])} ${short(places[at + 1])}h0`;
    this.add(`path d="${path}" stroke-linecap="round"`, null, fill, radius * 2);
  }

  lines(ends, stroke, width = 1) {
    if (!ends.length) return;
    let path = "";
    for (let at = 0; at < ends.length; at += 4) {
      path += `M${short(ends[at])} ${short(ends[at + 1])}L${short(ends[at + 2])} ${short(ends[at + 3])}`;
    }
    this.add(`path d="${path}"`, null, stroke, width);
  }

  curve(x1, y1, x2, y2, stroke, width = 1, dash) {
    const middle = short((x1 + x2) / 2);
    const [from, level] = [short(y1), short(y2)];
    this.add(
      `path d="M${short(x1)} ${from}C${middle} ${from} ${middle} ${level} ${short(x2)} ${level}"`,
      null,
      stroke,
      width,
      dash,
    );
  }

  arrow(x, y, dx, dy, size, fill) {
    const corners = arrowCorners(x, y, dx, dy, size).map((corner) => corner.map(short).join(" "));
    this.add(`path d="M${corners.join("L")}Z"`, fill);
  }

  pie(x, y, radius, parts) {
    let angle = -Math.PI / 2;
    for (const [share, fill] of parts) {
      if (share > 0.999) {
        this.circle(x, y, radius, { fill });
        return;
      }
      const at = (turn) => `${short(x + radius * Math.cos(turn))} ${short(y + radius * Math.sin(turn))}`;
      const start = at(angle);
      angle += share * 2 * Math.PI;
      const far = share > 0.5 ? 1 : 0;
      this.add(
        `path d="M${short(x)} ${short(y)}L${start}A${short(radius)} ${short(radius)} 0 ${far} 1 ${at(angle)}Z"`,
        fill,
      );
    }
  }

  text(x, y, text, { size = 12, weight = 400, fill, align = "center", halo }) {
    const anchor = align === "center" ? "middle" : align;
    const outline = halo ? ` stroke="${halo}" stroke-width="4" stroke-linejoin="round" paint-order="stroke"` : "";
    this.parts.push(
      `<text x="${short(x)}" y="${short(y)}" font-size="${size}" font-weight="${weight}" fill="${fill}"` +
        ` text-anchor="${anchor}" dominant-baseline="central"${outline}${this.alpha}>${markupText(text)}${"<"}/text>`,
    );
  }

  add(element, fill, stroke, width, dash) {
    const line = stroke ? ` stroke="${stroke}" stroke-width="${short(width)}"` : "";
    const dashes = stroke && dash ? ` stroke-dasharray="${dash.join(" ")}"` : "";
    this.parts.push(`<${element} fill="${fill || "none"}"${line}${dashes}${this.alpha}/>`);
  }

  document() {
    return (
      `<svg xmlns="http://www.w3.org/2000/svg" width="${this.width}" height="${this.height}"` +
      ` viewBox="0 0 ${this.width} ${this.height}" font-family="${FONT}">\n` +
      `<title>${markupText(this.title)}${"<"}/title>\n${this.parts.join("\n")}\n${"<"}/svg>\n`
    );
  }
}

function arrowCorners(x, y, dx, dy, size) {
  const length = Math.hypot(dx, dy) || 1;
  const [ux, uy] = [(dx / length) * size, (dy / length) * size];
  return [
    [x, y],
    [x - ux * 1.6 - uy * 0.7, y - uy * 1.6 + ux * 0.7],
    [x - ux * 1.6 + uy * 0.7, y - uy * 1.6 - ux * 0.7],
  ];
}

function short(number) {
  return Math.round(number * 10) / 10;
}

/** Escapes a text for XML. Visible text contains no characters that XML forbids. */
function markupText(text) {
  const names = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return visible(text).replace(/[&<>"]/g, (sign) => names[sign]);
}

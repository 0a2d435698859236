// Exports the current picture as a file.

const PNG_SCALE = 2;

function fileName(graph, extension) {
  const name = visible(graph.title)
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "-")
    .replace(/^-+|-+$/g, "");
  return `${shortened(name, 60).replace("…", "") || "graph"}.${extension}`;
}

/** Draws the list of missing data over the picture, because an exported picture is used without the page. */
function drawMissing(pen, scene, { graph, theme }) {
  const most = Math.max(20, Math.floor((scene.camera.width - 24) / 6.6));
  let y = 16;
  for (const note of graph.missing ?? []) {
    for (const line of wrapped(visible(note), most)) {
      pen.text(12, y, line, { size: 12, align: "start", fill: theme.text, halo: theme.ground });
      y += 16;
    }
  }
}

function wrapped(text, most) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line && line.length + 1 + word.length > most) lines.push(word);
    else lines[lines.length - 1] = line ? `${line} ${word}` : word;
  }
  return lines;
}

function svgOf(scene, state) {
  const pen = new SvgPen(state.graph.title);
  pen.begin(scene.camera.width, scene.camera.height, state.theme.ground);
  scene.draw(pen);
  drawMissing(pen, scene, state);
  return pen.document();
}

function exportAs(format, scene, state, table) {
  if (format === "csv") {
    download(fileName(state.graph, "csv"), new Blob(["\ufeff", table.csv()], { type: "text/csv" }));
  } else if (format === "svg") {
    download(fileName(state.graph, "svg"), new Blob([svgOf(scene, state)], { type: "image/svg+xml" }));
  } else {
    const canvas = make("canvas", { width: scene.camera.width * PNG_SCALE, height: scene.camera.height * PNG_SCALE });
    const pen = new CanvasPen(canvas);
    pen.begin(scene.camera.width, scene.camera.height, state.theme.ground, PNG_SCALE);
    scene.draw(pen);
    drawMissing(pen, scene, state);
    canvas.toBlob((blob) => download(fileName(state.graph, "png"), blob), "image/png");
  }
}

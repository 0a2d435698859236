// What is seen, as a file.

const PNG_SCALE = 2;

function fileName(graph, extension) {
  const name = visible(graph.title)
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "-")
    .replace(/^-+|-+$/g, "");
  return `${shortened(name, 60).replace("…", "") || "graph"}.${extension}`;
}

function svgOf(scene, state) {
  const pen = new SvgPen(state.graph.title);
  pen.begin(scene.camera.width, scene.camera.height, state.theme.ground);
  scene.draw(pen);
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
    canvas.toBlob((blob) => download(fileName(state.graph, "png"), blob), "image/png");
  }
}

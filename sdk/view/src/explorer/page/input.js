// Input by pointer, wheel, touch, and keys.

const CLICK_REACH = 5;

/** Moves the picture with mouse, wheel, and fingers. A press without movement is a click. */
function followPointer(canvas, picture) {
  const down = new Map();
  let moved = 0;
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button > 0) return;
    canvas.setPointerCapture(event.pointerId);
    if (!down.size) moved = 0;
    down.set(event.pointerId, place(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    const now = place(event);
    const before = down.get(event.pointerId);
    if (!before) return picture.hover(now.x, now.y, event.pointerType);
    moved += Math.hypot(now.x - before.x, now.y - before.y);
    const others = [...down].filter(([id]) => id !== event.pointerId).map(([, other]) => other);
    if (others.length) pinch(picture, others[0], before, now);
    else if (moved > CLICK_REACH) picture.pan(now.x - before.x, now.y - before.y);
    down.set(event.pointerId, now);
  });
  const up = (event) => {
    const single = down.size === 1;
    const there = down.delete(event.pointerId);
    if (there && single && moved <= CLICK_REACH && event.type === "pointerup") {
      const { x, y } = place(event);
      picture.click(x, y);
    }
  };
  canvas.addEventListener("pointerup", up);
  canvas.addEventListener("pointercancel", up);
  canvas.addEventListener("pointerleave", () => picture.leave());
  canvas.addEventListener("dblclick", (event) => picture.doubleClick(place(event).x, place(event).y));
  canvas.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const { x, y } = place(event);
      const lines = event.deltaMode === 1 ? 16 : 1;
      picture.zoom(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0016)), x, y);
    },
    { passive: false },
  );
}

function pinch(picture, other, before, now) {
  const apart = (point) => Math.max(10, Math.hypot(point.x - other.x, point.y - other.y));
  picture.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
  picture.zoom(apart(now) / apart(before), (now.x + other.x) / 2, (now.y + other.y) / 2);
}

/** Calls the action of a key, except while the reader types or works another control with that key. */
function followKeys(actions) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
    const at = event.target;
    if (at instanceof HTMLInputElement && at.type === "text") return;
    const works = at instanceof HTMLButtonElement || at instanceof HTMLInputElement || at.tagName === "SUMMARY";
    if (works && ["Enter", " "].includes(event.key)) return;
    if (event.key.startsWith("Arrow") && at.closest?.(".sheet, #panel, #legend")) return;
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}

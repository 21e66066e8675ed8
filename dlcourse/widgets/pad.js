import { Plot, button, colour, drag, draw, make, percent } from "./kit.js";

// What the widgets that read a drawing share: the pad, pictures made of square cells, the ten probabilities.

export const SIDE = 28;
const PEN = 1.0; // radius in cells: about as thick as MNIST's strokes

// ---------------------------------------------------------------- pictures made of square cells

// A square plot whose coordinates are cells, row 0 at the top.
function square(title, basis, side = SIDE) {
  const plot = new Plot({ width: 280, height: 280, x: [0, side], y: [side, 0], bare: true, margin: [1, 1, 1, 1], title });
  Object.assign(plot.figure.style, { flex: `1 1 ${basis}`, maxWidth: "20rem" });
  return plot;
}

/** Draw the edge of such a picture. */
export function frame(plot) {
  const [left, right] = plot.x.map((x) => plot.toX(x)), [bottom, top] = plot.y.map((y) => plot.toY(y));
  plot.add(draw("rect", { x: left, y: top, width: right - left, height: bottom - top, fill: "none", stroke: colour("edge") }));
}

/** A dashed box and a cross: the bounding box of the ink and its centre of mass. */
export function marks(plot, box, [row, column]) {
  if (box) {
    const [top, left, bottom, right] = box;
    plot.add(draw("rect", { x: plot.toX(left), y: plot.toY(top), width: plot.toX(right) - plot.toX(left),
      height: plot.toY(bottom) - plot.toY(top), fill: "none", stroke: colour("muted"), "stroke-width": 1.2, "stroke-dasharray": "5 4" }));
  }
  const x = plot.toX(column + 0.5), y = plot.toY(row + 0.5); // a pixel's middle is half a cell from its edge
  plot.add(draw("path", { d: `M${x - 9} ${y}H${x + 9}M${x} ${y - 9}V${y + 9}`, stroke: colour("orange"), "stroke-width": 2 }));
}

/** Put a picture of `side` by `side` cells on the stage. */
export function picture(ui, title, basis, side = SIDE) {
  const plot = square(title, basis, side);
  ui.stage.append(plot.figure);
  return plot;
}

// ---------------------------------------------------------------- the drawing pad

/**
 * The pad, its buttons and its keys. Python has a control `drawing`, and gives `blank`, `box`, `mass` and `examples`.
 * Returns { arrived(outputs, inputs) }, to be called with each answer.
 */
export function drawingPad(ui) {
  const plot = square("Draw here", "17rem");
  const { svg } = plot;
  const hint = make("p", { style: "margin:0.2rem 0 0;font-size:0.88rem", class: "dlw-about" });
  plot.legend.replaceWith(hint);
  ui.stage.append(plot.figure);
  const self = { ink: new Float64Array(SIDE * SIDE), pen: [14, 14], down: false, keys: false, outputs: null };
  const send = sender(ui, () => rowsOf(self.ink));
  const past = [];

  function show() {
    plot.clear();
    plot.heat(self.ink, SIDE, SIDE, { origin: "upper", map: "sequential" });
    frame(plot);
    if (self.outputs && !self.outputs.blank) marks(plot, self.outputs.box, self.outputs.mass);
    if (self.keys) cursor(plot, self);
  }
  function remember() {
    past.push(self.ink.slice());
    if (past.length > 50) past.shift();
  }
  function replace(ink) {
    self.ink = ink;
    show();
    send();
  }
  function stroke(places) {
    places.slice(1).forEach((place, i) => inkAlong(self.ink, places[i], place));
    show();
    send();
  }

  self.arrived = (outputs, inputs) => {
    if (!self.outputs) self.ink = Float64Array.from(inputs.drawing.flat());
    self.outputs = outputs;
    send.arrived();
    show();
    plot.describe(padLabel(outputs));
  };
  const clear = () => { remember(); replace(new Float64Array(SIDE * SIDE)); };
  const undo = () => { if (past.length) replace(past.pop()); };
  const example = (digit) => {
    remember();
    replace(Float64Array.from(self.outputs.examples.subarray(digit * SIDE * SIDE, (digit + 1) * SIDE * SIDE), (value) => Math.round(value / 2.55) / 100));
  };
  ui.extra.append(padButtons(clear, undo, example));
  followPointer(plot, self, { remember, stroke });
  followKeys(svg, self, { remember, stroke, clear, show, hint });
  return self;
}

function padLabel(outputs) {
  const keys = "Arrow keys move the pen, space lowers or lifts it, Delete clears.";
  if (outputs.blank) return `Drawing pad of 28 by 28 cells, blank. ${keys}`;
  const [top, left, bottom, right] = outputs.box;
  return `Drawing pad of 28 by 28 cells. Ink in rows ${top + 1} to ${bottom} and columns ${left + 1} to ${right}. ${keys}`;
}

function padButtons(clear, undo, example) {
  const buttons = make("div", { class: "dlw-buttons" }, button("Clear", clear, { name: "clear" }), button("Undo", undo, { name: "undo" }),
    make("span", { style: "margin-left:0.6rem" }, "Example:"));
  for (let digit = 0; digit < 10; digit++) {
    const element = button(String(digit), () => example(digit), { name: `example-${digit}` });
    element.setAttribute("aria-label", `Example of a ${digit}`);
    element.style.padding = "0.25rem 0.6rem";
    buttons.append(element);
  }
  return buttons;
}

// Ink every cell near the line between two places, with a soft edge one cell wide.
function inkAlong(ink, [x0, y0], [x1, y1]) {
  const dx = x1 - x0, dy = y1 - y0, square = dx * dx + dy * dy;
  for (let i = 0; i < SIDE; i++) {
    for (let j = 0; j < SIDE; j++) {
      const x = j + 0.5, y = i + 0.5;
      const along = square ? Math.max(0, Math.min(1, ((x - x0) * dx + (y - y0) * dy) / square)) : 0;
      const distance = Math.hypot(x - x0 - along * dx, y - y0 - along * dy);
      const value = Math.max(0, Math.min(1, PEN + 0.5 - distance));
      ink[i * SIDE + j] = Math.max(ink[i * SIDE + j], Math.round(100 * value) / 100);
    }
  }
}

function rowsOf(ink) {
  return Array.from({ length: SIDE }, (_, i) => Array.from(ink.subarray(i * SIDE, (i + 1) * SIDE)));
}

// Ask Python for the newest drawing only when it has answered for the last one: a fast hand makes
// more drawings than there are answers. An answer that never comes (an error) is given up after a while.
function sender(ui, drawing) {
  let waiting = null, newer = false;
  const release = () => {
    clearTimeout(waiting);
    waiting = null;
    if (newer) send();
  };
  function send() {
    newer = waiting !== null;
    if (newer) return;
    waiting = setTimeout(release, 500);
    ui.set("drawing", drawing());
  }
  send.arrived = release;
  return send;
}

function followPointer(plot, self, { remember, stroke }) {
  let last = null;
  const press = (event) => {
    Object.assign(self, { keys: false, down: false });
    remember();
    last = plot.at(event);
    stroke([last, last]);
  };
  const move = (event) => {
    const between = event.getCoalescedEvents?.() ?? []; // where the pointer was since the last frame
    const places = (between.length ? between : [event]).map((place) => plot.at(place));
    stroke([last, ...places]);
    last = places.at(-1);
  };
  const release = () => { self.pen = last.map(inside); };
  plot.svg.style.cursor = "crosshair";
  drag(plot.svg, { press, move, release }); // a finger draws here and does not scroll the page
}

// The pen stays on the pad, between the middles of its outermost cells.
function inside(value) {
  return Math.max(0.5, Math.min(SIDE - 0.5, value));
}

const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function followKeys(svg, self, { remember, stroke, clear, show, hint }) {
  svg.setAttribute("tabindex", "0");
  svg.setAttribute("role", "application"); // keys go to the pad, not to a screen reader's own commands
  svg.setAttribute("aria-roledescription", "drawing pad");
  hint.setAttribute("role", "status");
  const update = (changes) => {
    Object.assign(self, changes);
    show();
    hint.textContent = !self.keys ? "Mouse, finger, or arrow keys and space."
      : `Pen ${self.down ? "down" : "up"} at row ${Math.ceil(self.pen[1])}, column ${Math.ceil(self.pen[0])}. Space ${self.down ? "lifts" : "lowers"} it, Delete clears.`;
  };
  svg.addEventListener("keydown", (event) => {
    if (event.key in MOVES) movePen(self, MOVES[event.key], stroke);
    else if (event.key === " ") {
      self.down = !self.down;
      if (self.down) { remember(); stroke([self.pen, self.pen]); }
    } else if (event.key === "Delete" || event.key === "Backspace") clear();
    else return;
    event.preventDefault();
    update({ keys: true });
  });
  svg.addEventListener("focus", () => update({ keys: svg.matches(":focus-visible") }));
  svg.addEventListener("pointerdown", () => update({}));
  svg.addEventListener("blur", () => update({ keys: false, down: false }));
  update({});
}

function movePen(self, [dx, dy], stroke) {
  const next = [inside(self.pen[0] + dx), inside(self.pen[1] + dy)];
  if (self.down) stroke([self.pen, next]);
  self.pen = next;
}

// For the keyboard: a ring where the pen is, filled when it is down.
function cursor(plot, { pen, down }) {
  plot.add(draw("circle", { cx: plot.toX(pen[0]), cy: plot.toY(pen[1]), r: 8, fill: down ? colour("orange") : "none", "fill-opacity": 0.6,
    stroke: colour("orange"), "stroke-width": 3 }));
}

// ---------------------------------------------------------------- probabilities

/** A share in words: a softmax is never quite 1, even where rounding makes it so. */
export function probability(share) {
  return percent(Math.min(share, 1 - 1e-12), 1);
}

/** The first half of a summary: what the network reads, and what comes next. */
export function answer(probabilities) {
  const order = Array.from(probabilities.keys()).sort((a, b) => probabilities[b] - probabilities[a]);
  return `Read as ${order[0]} with ${probability(probabilities[order[0]])}; next comes ${order[1]} with ${probability(probabilities[order[1]])}`;
}

/** Bars as text and boxes, so that the numbers keep their size on a phone. Returns what draws them. */
export function probabilityBars(ui) {
  const list = make("ol", { style: "list-style:none;margin:0;padding:0;display:grid;gap:3px" });
  const rows = Array.from({ length: 10 }, (_, digit) => {
    const bar = make("span", { style: "display:block;height:100%;min-width:1px" });
    const track = make("span", { "aria-hidden": "true", style: "height:0.9rem;background:var(--dlw-raised)" }, bar);
    const number = make("span", { "data-digit": digit, style: "text-align:right;font-variant-numeric:tabular-nums" });
    const line = make("li", { style: "display:grid;grid-template-columns:0.8rem 1fr 4.6rem;gap:0.3rem;align-items:center;margin:0" },
      make("span", {}, String(digit)), track, number);
    list.append(line);
    return { bar, number, line };
  });
  ui.stage.append(make("figure", { class: "dlw-panel", style: "flex:1 1 9rem" }, make("figcaption", {}, "Probabilities"), list));
  return ({ probabilities, top }) => rows.forEach(({ bar, number, line }, digit) => {
    bar.style.width = `${100 * probabilities[digit]}%`;
    bar.style.background = colour(digit === top ? "orange" : "blue");
    number.textContent = probability(probabilities[digit]);
    line.style.fontWeight = digit === top ? "700" : "400";
  });
}

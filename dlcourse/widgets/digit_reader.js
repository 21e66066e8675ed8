import { Plot, button, colour, drag, draw, fixed, make, mount, percent } from "./kit.js";

const SIDE = 28;
const PEN = 1.0; // radius in cells: about as thick as MNIST's strokes

export default {
  render(context) {
    return mount(context, (ui) => {
      const pad = drawingPad(ui);
      const seen = picture(ui, "What the network sees", "9rem");
      const bars = probabilityBars(ui);
      const units = unitGrid(ui);
      const weights = picture(ui, "Weights of a hidden unit", "9rem");
      const evidence = picture(ui, "Pixels for and against", "9rem");
      const lead = ui.readout("lead", "lead in score", 3);
      const pixels = ui.readout("from_pixels", "of it from pixels", 3);
      const biases = ui.readout("from_biases", "of it from biases", 3);
      const scale = ui.readout("scale", "enlarged by", 3);

      return (outputs, inputs) => {
        pad.arrived(outputs, inputs);
        showSeen(seen, outputs, inputs.centre);
        bars(outputs);
        units(outputs);
        showWeights(weights, outputs);
        showEvidence(evidence, outputs);
        lead(outputs.lead);
        pixels(outputs.from_pixels);
        biases(outputs.from_biases);
        scale(inputs.centre ? outputs.scale : 1);
        return summary(outputs, inputs);
      };
    });
  },
};

// A softmax is never quite 1, even where rounding makes it so.
function probability(share) {
  return percent(Math.min(share, 1 - 1e-12), 1);
}

function rounded(number) {
  return fixed(number, 1);
}

function summary(outputs, inputs) {
  if (outputs.blank) {
    return "The paper is blank. With nothing to look at, the network answers from its biases alone: "
      + `${outputs.top} with ${probability(outputs.probabilities[outputs.top])}.`;
  }
  const order = Array.from(outputs.probabilities.keys()).sort((a, b) => outputs.probabilities[b] - outputs.probabilities[a]);
  const answer = `Read as ${order[0]} with ${probability(outputs.probabilities[order[0]])}; next comes ${order[1]} with ${probability(outputs.probabilities[order[1]])}`;
  const treated = inputs.centre ? "" : ", from the drawing as it lies on the pad";
  const side = outputs.lead < 0 ? "behind" : "ahead of";
  return `${answer}${treated}. In score, ${outputs.digit} is ${rounded(Math.abs(outputs.lead))} ${side} ${outputs.rival}: `
    + `the pixels contribute ${rounded(outputs.from_pixels)}, the biases ${rounded(outputs.from_biases)}.`;
}

// ---------------------------------------------------------------- the drawing pad

// A square plot whose coordinates are cells, row 0 at the top.
function square(title, basis) {
  const plot = new Plot({ width: 280, height: 280, x: [0, SIDE], y: [SIDE, 0], bare: true, margin: [1, 1, 1, 1], title });
  Object.assign(plot.figure.style, { flex: `1 1 ${basis}`, maxWidth: "20rem" });
  return plot;
}

function frame(plot) {
  const [left, right] = plot.x.map((x) => plot.toX(x)), [bottom, top] = [SIDE, 0].map((y) => plot.toY(y));
  plot.add(draw("rect", { x: left, y: top, width: right - left, height: bottom - top, fill: "none", stroke: colour("edge") }));
}

// A dashed box and a cross: the bounding box of the ink and its centre of mass.
function marks(plot, box, [row, column]) {
  if (box) {
    const [top, left, bottom, right] = box;
    plot.add(draw("rect", { x: plot.toX(left), y: plot.toY(top), width: plot.toX(right) - plot.toX(left),
      height: plot.toY(bottom) - plot.toY(top), fill: "none", stroke: colour("muted"), "stroke-width": 1.2, "stroke-dasharray": "5 4" }));
  }
  const x = plot.toX(column + 0.5), y = plot.toY(row + 0.5); // a pixel's middle is half a cell from its edge
  plot.add(draw("path", { d: `M${x - 9} ${y}H${x + 9}M${x} ${y - 9}V${y + 9}`, stroke: colour("orange"), "stroke-width": 2 }));
}

function drawingPad(ui) {
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

// ---------------------------------------------------------------- pictures of what Python returned

function picture(ui, title, basis) {
  const plot = square(title, basis);
  ui.stage.append(plot.figure);
  return plot;
}

function showSeen(plot, outputs, centred) {
  plot.clear();
  plot.heat(outputs.seen, SIDE, SIDE, { origin: "upper", map: "sequential" });
  frame(plot);
  const middle = [14, 14];
  if (!outputs.blank) marks(plot, null, centred ? middle : outputs.mass);
  const how = centred
    ? `Your drawing scaled by ${outputs.scale.toFixed(2)}, its centre of mass in the middle.`
    : "Your drawing as it is, neither centred nor rescaled.";
  plot.describe(outputs.blank ? "Nothing but paper." : how);
}

function largest(values) {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);
}

function showWeights(plot, { unit, unit_weights: values, unit_digit: digits, activation }) {
  const limit = largest(values);
  plot.clear();
  plot.heat(values, SIDE, SIDE, { origin: "upper", low: -limit, high: limit });
  frame(plot);
  plot.caption.textContent = `Weights of unit ${unit}, activation ${rounded(activation)}`;
  plot.note("wants ink", { color: "blue", shape: "circle" });
  plot.note("wants paper", { color: "orange", shape: "circle" });
  plot.describe(`The 28 by 28 weights of hidden unit ${unit}, from ${rounded(-limit)} to ${rounded(limit)} at most. `
    + `It favours ${digits[unit - 1]}, and its activation is ${rounded(activation)}.`);
}

function showEvidence(plot, { evidence, digit, rival, from_pixels: total }) {
  const limit = largest(evidence);
  plot.clear();
  plot.heat(evidence, SIDE, SIDE, { origin: "upper", low: -limit, high: limit });
  frame(plot);
  plot.caption.textContent = `Pixels for ${digit} rather than ${rival}`;
  plot.note(`for ${digit}`, { color: "blue", shape: "circle" });
  plot.note(`for ${rival}`, { color: "orange", shape: "circle" });
  const [gain, loss] = sides(evidence);
  plot.describe(`Gradient times pixel. Inked pixels that speak for ${digit} sum to ${rounded(gain)}, those that speak for ${rival} `
    + `to ${rounded(loss)}, all together to ${rounded(total)}.`);
}

function sides(values) {
  return values.reduce(([gain, loss], value) => [gain + Math.max(0, value), loss + Math.min(0, value)], [0, 0]);
}

// ---------------------------------------------------------------- probabilities

// Bars as text and boxes, so that the numbers keep their size on a phone.
function probabilityBars(ui) {
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

// ---------------------------------------------------------------- hidden units

// One row for each digit: the units that favour it. The fuller a cell, the more active the unit.
function unitGrid(ui) {
  const plot = new Plot({ width: 340, height: 280, bare: true, title: "Hidden units, by the digit they favour" });
  Object.assign(plot.figure.style, { flex: "1 1 17rem", maxWidth: "24rem" });
  ui.stage.append(plot.figure);
  let places = [];
  plot.svg.addEventListener("click", (event) => {
    const [x, y] = plot.at(event);
    const unit = places.findIndex(([column, row]) => column === Math.floor(x) && row === Math.floor(y));
    if (unit >= 0) ui.set("unit", unit + 1);
  });
  return ({ hidden, unit_digit: digits, unit }) => {
    places = inRows(digits);
    const columns = Math.max(...places.map(([column]) => column)) + 1;
    plot.clear({ x: [-1, columns], y: [10, 0] });
    for (let digit = 0; digit < 10; digit++) plot.text(-0.5, digit + 0.5, String(digit), { dy: 5 });
    const most = Math.max(1, largest(hidden));
    places.forEach((place, k) => plot.add(cell(plot, place, hidden[k] / most, k === unit - 1)));
    plot.describe(unitText(hidden, digits, unit));
  };
}

function inRows(digits) {
  const count = new Array(10).fill(0);
  return Array.from(digits, (digit) => [count[digit]++, digit]);
}

function cell(plot, [column, row], share, chosen) {
  const x = plot.toX(column) + 1, y = plot.toY(row) + 1.5;
  const width = plot.toX(column + 1) - x - 1, height = plot.toY(row + 1) - y - 1.5;
  const outline = { x, y, width, height, fill: "none", stroke: colour(chosen ? "orange" : "grid"), "stroke-width": chosen ? 3 : 1 };
  const level = share * height;
  return draw("g", { style: "cursor:pointer" }, draw("rect", { x, y, width, height, fill: colour("paper") }),
    draw("rect", { x, y: y + height - level, width, height: level, fill: colour("blue") }), draw("rect", outline));
}

function unitText(hidden, digits, unit) {
  const active = hidden.filter((value) => value > 0).length;
  const sums = new Array(10).fill(0);
  hidden.forEach((value, k) => { sums[digits[k]] += value; });
  const most = sums.indexOf(Math.max(...sums));
  return `${active} of ${hidden.length} hidden units are active. Those that favour ${most} add up to most, ${rounded(sums[most])}. Unit ${unit} is chosen.`;
}

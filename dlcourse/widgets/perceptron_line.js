import { Plot, button, colour, drag, draw, format, make, mount, player, row } from "./kit.js";

const RANDOM = ["separable", "overlap"];
const KINDS = { "-1": { kind: "circle", color: "blue" }, 1: { kind: "square", color: "orange" } };
const STEP = 0.1;

export default {
  render(context) {
    return mount(context, (ui) => {
      const plot = new Plot({ width: 416, height: 400, xlabel: "x₁", ylabel: "x₂", title: "Points and line" });
      const second = new Plot({ width: 416, height: 400, title: " " });
      const show = { mistakes: ui.readout("mistakes", "mistakes so far"), wrong: ui.readout("wrong", "points wrong now"),
        bound: ui.readout("bound", "bound (R/γ)²"), margin: ui.readout("margin", "widest margin") };
      let outputs = null, inputs = null, run = "";

      const walk = player({ label: "Mistake", interval: 700, story: "max(4.5em, calc(11.2em - 16cqw))", show: (k) => {
        drawPoints(plot, outputs, k);
        editor.update(outputs);
        PICTURES[inputs.picture](second, outputs, k);
        show.mistakes(k);
        show.wrong(sum(row(outputs.wrong, k)));
        return `${tellStep(outputs, k)} ${tellEnd(outputs, k)}`.trim();
      } });
      const editor = makeEditor(ui, plot);
      const toolbar = makeToolbar(ui, editor);
      ui.extra.append(toolbar.draws, walk.element);
      plot.figure.append(toolbar.edits);
      ui.stage.append(plot.figure, second.figure);

      return (next, chosen) => {
        [outputs, inputs] = [next, chosen];
        // Another picture, size or theme is not another run. The outputs tell: they can be older than the inputs.
        const now = [...outputs.x, ...outputs.y, ...outputs.cause].join();
        const again = now === run;
        run = now;
        toolbar.update(inputs);
        show.bound(outputs.bound, outputs.separable ? whole(outputs.bound) : "none");
        show.margin(outputs.margin, sayMargin(outputs));
        if (!again) walk.stop();
        walk.resize(outputs.epoch.length, again ? walk.index : outputs.epoch.length - 1);
        return conclude(outputs);
      };
    });
  },
};

// ---------------------------------------------------------------- words

const sum = (values) => values.reduce((total, value) => total + value, 0);
const pair = (values) => `(${format(values[0])}, ${format(values[1])})`;
const whole = (bound) => Math.floor(bound + 1e-9).toLocaleString("en");    // mistakes are whole; rounding must not cost one
const signed = (label) => (label > 0 ? "+1" : "−1");
const last = (outputs) => outputs.epoch.length - 1;
const times = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

function nameOf(outputs, i) {
  return `${KINDS[outputs.y[i]].kind} ${outputs.names[i]}`;
}

function tellStep(outputs, k) {
  if (k === 0) return "Start: w = (0, 0) and b = 0. Every score is zero, which counts as a mistake, and there is no line yet.";
  const i = outputs.cause[k], y = outputs.y[i], before = row(outputs.lines, k - 1), after = row(outputs.lines, k);
  const sign = y > 0 ? "+" : "−";
  return `Mistake ${k}, epoch ${outputs.epoch[k]}: ${nameOf(outputs, i)} has y·s = ${format(outputs.before[k])}. `
    + `So w ← ${pair(before)} ${sign} ${pair(row(outputs.x, i))} = ${pair(after)}, b ← ${format(before[2])} ${sign} 1 = ${format(after[2])}, `
    + `and its y·s is now ${format(outputs.after[k])}.`;
}

function tellEnd(outputs, k) {
  const seen = outputs.repeats[k];
  if (seen >= 0) return `The weights are again those ${seen ? `after mistake ${seen}` : "of the start"}: from here it goes round.`;
  if (k > 0 && !outputs.visible[k]) return outputs.normal[2 * k] === outputs.normal[2 * k] ? "The line is outside the picture." : "With w = (0, 0) there is no line.";
  if (k < last(outputs)) return "";
  if (outputs.settled) return "Then an epoch passes without a mistake, and the rule stops.";
  return k >= outputs.most ? `The run is broken off after ${k} mistakes.` : "";
}

function ofOneClass(outputs) {
  return outputs.y.every((y) => y === outputs.y[0]);
}

// Undefined where the number speaks for itself.
function sayMargin(outputs) {
  if (ofOneClass(outputs)) return "none: one class only";
  if (!outputs.separable) return "no line";
  return outputs.margin === null ? "0 up to rounding" : undefined;
}

function conclude(outputs) {
  const k = last(outputs), left = sum(row(outputs.wrong, k)), count = outputs.y.length;
  const mistakes = times(k, "mistake");
  if (outputs.settled && ofOneClass(outputs)) return `All points are of one class. Any line with all of them on its side will do, and the rule has found one after ${mistakes}.`;
  if (outputs.settled) return `A line exists, and the rule has found one after ${mistakes}. The bound allows ${whole(outputs.bound)}.`;
  if (outputs.separable) return `A line exists, but ${mistakes} were not enough to find one. The bound allows ${whole(outputs.bound)}.`;
  const best = outputs.fewest[k];
  const cycles = outputs.repeats.some((seen) => seen >= 0);
  return `No line separates these points, so the mistakes never end${cycles ? ": the weights go round in a circle" : ""}. `
    + `After ${mistakes} ${left} of ${count} points are wrong; the best line on the way was wrong about ${best}.`;
}

// ---------------------------------------------------------------- the points and the line

// A unit is as long across as up, so that w stands at a right angle to its line.
function frame(plot, { centre, half }) {
  plot.fit();
  const [top, right, bottom, left] = plot.margin;
  const wider = (plot.width - left - right) / (plot.height - top - bottom);
  const halves = [half * Math.max(1, wider), half * Math.max(1, 1 / wider)];
  plot.clear({ x: [centre[0] - halves[0], centre[0] + halves[0]], y: [centre[1] - halves[1], centre[1] + halves[1]] });
}

function drawPoints(plot, outputs, k) {
  frame(plot, outputs);
  if (k > 0) drawLine(plot, outputs, k - 1, { color: "muted", dash: "7 5", width: 1.6, arrow: "muted" });
  shade(plot, outputs, k);
  drawLine(plot, outputs, k, { color: "ink", width: 2.6, arrow: "pink" });
  const wrong = row(outputs.wrong, k);
  for (let i = 0; i < outputs.y.length; i++) drawPoint(plot, outputs, i, wrong[i]);
  if (k > 0) ring(plot, row(outputs.x, outputs.cause[k]));
  explain(plot, k);
  plot.describe(`${outputs.y.length} points of two classes. ${tellStep(outputs, k)} ${times(sum(wrong), "point")} on the wrong side. ${tellEnd(outputs, k)}`);
}

// The two ends lie outside the picture, which clips the line.
function ends(outputs, k) {
  const [x, y] = row(outputs.foot, k), [across, up] = row(outputs.normal, k), far = 4 * outputs.half;
  return { xs: [x - far * up, x + far * up], ys: [y + far * across, y - far * across] };
}

function drawLine(plot, outputs, k, { color, dash, width, arrow }) {
  if (!outputs.visible[k]) return;
  const { xs, ys } = ends(outputs, k), [x, y] = row(outputs.foot, k), [across, up] = row(outputs.normal, k);
  const length = 0.3 * outputs.half;
  plot.line(xs, ys, { color, dash, width });
  plot.arrow(x, y, x + length * across, y + length * up, { color: arrow, width: dash ? 1.4 : 2.2 });
}

function shade(plot, outputs, k) {
  if (!outputs.visible[k]) return;
  const { xs, ys } = ends(outputs, k), [across, up] = row(outputs.normal, k), far = 4 * outputs.half;
  const corners = [[xs[0], ys[0]], [xs[1], ys[1]], [xs[1] + far * across, ys[1] + far * up], [xs[0] + far * across, ys[0] + far * up]];
  const d = `M${corners.map(([x, y]) => `${plot.toX(x).toFixed(1)} ${plot.toY(y).toFixed(1)}`).join("L")}Z`;
  plot.add(draw("path", { d, fill: colour("orange"), opacity: 0.1 }));
}

function drawPoint(plot, outputs, i, wrong) {
  const [x, y] = row(outputs.x, i), { kind, color } = KINDS[outputs.y[i]];
  plot.points([x], [y], { color, shapes: [kind], radius: 6 });
  if (wrong) cross(plot, plot.toX(x), plot.toY(y));
  if (outputs.y.length <= 6) plot.text(x, y, outputs.names[i], { dx: 17, dy: -13 });
}

// A point on the wrong side is crossed out, in the colour of the paper so that it shows on both classes.
function cross(plot, x, y) {
  plot.add(draw("path", { d: `M${x - 4} ${y - 4}l8 8m0 -8l-8 8`, stroke: colour("paper"), "stroke-width": 2.2 }));
}

function ring(plot, [x, y]) {
  plot.add(draw("circle", { cx: plot.toX(x), cy: plot.toY(y), r: 12, fill: "none", stroke: colour("ink"), "stroke-width": 2 }));
}

function explain(plot, k) {
  const cross = draw("path", { d: "M8 3l6 6m0 -6l-6 6", stroke: colour("paper"), "stroke-width": 1.8 });
  const head = draw("path", { d: "M21 6l-8 -5v10z", fill: colour("pink") });
  for (const label of [-1, 1]) plot.note(`class ${signed(label)}`, { color: KINDS[label].color, shape: KINDS[label].kind });
  plot.note("crossed: wrong now", { color: "muted", shape: "square", over: cross });
  if (k > 0) plot.note("made the mistake", { color: "ink", shape: "ring" });
  if (k > 0) plot.note("line before", { color: "muted", dash: "5 3" });
  plot.note("line after", { color: "ink" });
  plot.note("w, to the side of +1", { color: "pink", over: head });
}

// ---------------------------------------------------------------- the second picture

const PICTURES = { wrong: drawWrong, weights: drawWeights, proof: drawProof };
const upTo = (k) => Array.from({ length: k + 1 }, (_, i) => i);

function name(plot, title, text) {
  plot.caption.textContent = title;
  plot.describe(text);
}

function drawWrong(plot, outputs, k) {
  const K = last(outputs), steps = upTo(K), count = outputs.y.length;
  const wrong = steps.map((step) => sum(row(outputs.wrong, step)));
  plot.clear({ x: [-0.03 * K, 1.03 * Math.max(K, 1)], y: [-0.03 * count, 1.03 * count], log: "", xlabel: "mistakes made", ylabel: "points wrong" });
  plot.rule({ x: k });
  plot.line(steps, outputs.fewest, { color: "green", dash: "6 4", label: "fewest so far" });
  plot.line(steps, wrong, { color: "blue", label: "wrong under the line" });
  if (K <= 40) plot.points(steps, wrong, { color: "blue", radius: 3 });
  plot.points([k], [wrong[k]], { color: "blue", radius: 6 });
  name(plot, "How many points are on the wrong side", `Points on the wrong side after each mistake. After ${k} of ${K}: ${wrong[k]} of ${count}; fewest so far ${outputs.fewest[k]}.`);
}

function drawWeights(plot, outputs, k) {
  const K = last(outputs), w1 = upTo(K).map((i) => outputs.lines[3 * i]), w2 = upTo(K).map((i) => outputs.lines[3 * i + 1]);
  const half = 1.12 * Math.max(1, ...w1.map(Math.abs), ...w2.map(Math.abs));
  plot.clear({ x: [-half, half], y: [-half, half], log: "", xlabel: "w₁", ylabel: "w₂" });
  plot.line(w1.slice(0, k + 1), w2.slice(0, k + 1), { color: "muted", width: 1, opacity: 0.6, label: "way so far" });
  plot.points([0], [0], { color: "muted", radius: 3 });
  plot.arrow(0, 0, w1[k], w2[k], { color: "pink", width: 2.6 });
  plot.note("w after", { color: "pink" });
  if (k > 0) {
    const { color } = KINDS[outputs.y[outputs.cause[k]]];
    plot.line([0, w1[k - 1]], [0, w2[k - 1]], { color: "muted", dash: "7 5", label: "w before" });
    plot.arrow(w1[k - 1], w2[k - 1], w1[k], w2[k], { color, width: 2 });
    plot.note(outputs.y[outputs.cause[k]] > 0 ? "+ x, of a square" : "− x, of a circle", { color });
  }
  name(plot, "w before, plus y times x, is w after", `The weight vector in its own plane, ${pair([w1[k], w2[k]])} after ${times(k, "mistake")}.`);
}

function drawProof(plot, outputs, k) {
  const K = last(outputs), { bound, gamma, radius } = outputs, end = bound ? 2 * bound : 1.3 * Math.max(K, 2);
  const lengths = [...outputs.length.slice(1)].filter((length) => length > 0);
  const low = 0.6 * Math.min(gamma ?? Infinity, radius, ...lengths);
  plot.clear({ x: [1, Math.max(2, end)], y: [low, 1.4 * radius * Math.sqrt(end)], log: "xy", xlabel: "mistakes k", ylabel: "length, product" });
  plot.rule({ x: Math.max(k, 1) });
  const ks = [1, end], steps = upTo(K).slice(1);
  plot.line(ks, ks.map((at) => radius * Math.sqrt(at)), { color: "orange", dash: "7 4", label: "ceiling √k R" });
  plot.line(steps, outputs.length.slice(1), { color: "orange", label: "length of (w, b)" });
  if (K <= 40) plot.points(steps, outputs.length.slice(1), { color: "orange", radius: 3, shapes: steps.map(() => "square") });
  if (outputs.separable) drawFloor(plot, outputs, steps, ks);
  const where = outputs.separable ? `floor and ceiling meet at ${whole(bound)}` : "there is no floor, since no line separates the points";
  name(plot, outputs.separable ? "Why it must stop" : "Why it need not stop", `Length of the weights after ${times(k, "mistake")}: ${format(outputs.length[k])}, under the ceiling √k R with R = ${format(radius)}; ${where}.`);
}

function drawFloor(plot, { bound, gamma, product }, steps, ks) {
  plot.line(ks, ks.map((at) => gamma * at), { color: "blue", dash: "2 3", label: "floor k γ" });
  plot.line(steps, product.slice(1), { color: "blue", label: "product with a solution" });
  if (steps.length <= 40) plot.points(steps, product.slice(1), { color: "blue", radius: 3 });
  plot.points([bound], [gamma * bound], { color: "ink", radius: 6, shapes: ["triangle"] });
  plot.text(bound, gamma * bound, `(R/γ)² = ${whole(bound)}`, { anchor: "end", dx: -12, dy: -4 });
}

// ---------------------------------------------------------------- moving points

/**
 * Invisible handles over the points, kept while the picture below them is drawn anew, so that a drag
 * and the keyboard's focus survive. One of them is in the order of tabs: the chosen point.
 */
function makeEditor(ui, plot) {
  const layer = draw("g");
  plot.svg.append(layer);
  plot.svg.setAttribute("role", "group");             // an image may not contain anything that takes the focus
  const self = { chosen: 0, touched: false, points: [], shift: 0, changed: () => {} };

  self.send = () => ui.set("points", self.points.flat());
  self.choose = (i) => {
    self.chosen = Math.max(0, Math.min(self.points.length - 1, i));
    [...layer.children].forEach((handle, at) => {
      handle.setAttribute("tabindex", at === self.chosen ? 0 : -1);
      mark(handle, self.touched && at === self.chosen);
    });
    self.changed();
  };
  self.move = (i, [x, y]) => {
    const inside = (value, [low, high]) => Math.min(high, Math.max(low, value)) - self.shift;
    const grain = RANDOM.includes(ui.inputs.data) ? 100 : 10;        // points with simple coordinates keep them simple
    const places = [inside(x, plot.x), inside(y, plot.y)].map((value) => Math.round(grain * value) / grain);
    if (places.every((value, at) => value === self.points[i][at])) return;
    self.points[i] = [...places, self.points[i][2]];
    self.send();
  };
  self.flip = (i) => {
    self.points[i] = [self.points[i][0], self.points[i][1], -self.points[i][2]];
    self.send();
  };
  self.update = (outputs) => {
    self.shift = outputs.shift;
    self.names = outputs.names;
    // What was asked for last counts: an answer to an earlier key must not undo a later one.
    const moved = ui.inputs.points, hundredths = (value) => Math.round(100 * (value - outputs.shift)) / 100;
    self.points = Array.from(outputs.y, (y, i) => (moved.length ? moved.slice(3 * i, 3 * i + 3) : [...row(outputs.x, i)].map(hundredths).concat(y)));
    while (layer.children.length > outputs.y.length) layer.lastChild.remove();
    while (layer.children.length < outputs.y.length) layer.append(makeHandle(self, plot, layer.children.length));
    [...layer.children].forEach((handle, i) => placeHandle(handle, plot, outputs, i));
    self.choose(self.chosen);
  };
  self.focus = (i) => {
    self.touched = true;
    self.choose(i);
    layer.children[self.chosen].focus();
  };
  return self;
}

// The chosen point has a dashed ring, and a strong one while it has the focus; a rectangle would cover its name.
function mark(handle, chosen) {
  const focused = handle === handle.getRootNode().activeElement;
  const look = focused ? ["blue", 3, "none"] : ["muted", 1, "2 3"];
  handle.setAttribute("stroke", chosen ? colour(look[0]) : "none");
  handle.setAttribute("stroke-width", look[1]);
  handle.setAttribute("stroke-dasharray", look[2]);
}

function placeHandle(handle, plot, outputs, i) {
  const [x, y] = row(outputs.x, i);
  handle.setAttribute("cx", plot.toX(x));
  handle.setAttribute("cy", plot.toY(y));
  handle.setAttribute("aria-label", `Point ${outputs.names[i]}, ${KINDS[outputs.y[i]].kind}, class ${signed(outputs.y[i])}, at ${pair([x, y])}. `
    + "Arrow keys move it, Enter flips its class, Page Up and Page Down choose another point.");
}

function makeHandle(editor, plot, i) {
  const handle = draw("circle", { r: 16, fill: "transparent", role: "button", tabindex: -1, style: "cursor:grab;outline:none" });
  handle.addEventListener("focus", () => {
    editor.touched = true;
    editor.choose(i);
  });
  handle.addEventListener("blur", () => mark(handle, editor.touched && i === editor.chosen));
  drag(handle, {
    press: (event) => {
      event.preventDefault();                         // no selection of text
      editor.focus(i);
    },
    move: (event) => editor.move(i, plot.at(event)),
  });
  handle.addEventListener("keydown", (event) => press(editor, i, event));
  return handle;
}

function press(editor, i, event) {
  const step = event.shiftKey ? 5 * STEP : STEP, [x, y] = editor.points[i].map((value) => value + editor.shift);
  const actions = {
    ArrowLeft: () => editor.move(i, [x - step, y]), ArrowRight: () => editor.move(i, [x + step, y]),
    ArrowDown: () => editor.move(i, [x, y - step]), ArrowUp: () => editor.move(i, [x, y + step]),
    PageUp: () => editor.focus(i - 1), PageDown: () => editor.focus(i + 1),
    Enter: () => editor.flip(i), " ": () => editor.flip(i),
  };
  if (!actions[event.key]) return;
  event.preventDefault();
  actions[event.key]();
}

function makeToolbar(ui, editor) {
  const fresh = button("New points", () => ui.set("seed", ui.next("seed")), { name: "new-points" });
  const shuffle = button("Another shuffling", () => ui.set("order_seed", ui.next("order_seed")), { name: "shuffle" });
  const flip = button("Flip the class", () => editor.flip(editor.chosen), { name: "flip" });
  const reset = button("Undo all moves", () => ui.set("points", []), { name: "reset" });
  const hint = make("p", { class: "dlw-about", style: "margin:0.3rem 0 0;font-size:0.88rem" });
  editor.changed = () => {
    const name = editor.touched && editor.names[editor.chosen];
    const place = name && editor.points[editor.chosen].slice(0, 2).map((value) => value + editor.shift);
    flip.disabled = !name;
    flip.textContent = name ? `Flip the class of point ${name}` : "Flip the class of a point";
    hint.textContent = name ? `Point ${name} is at ${pair(place)}. Arrow keys move it by ${STEP}, with Shift by ${5 * STEP}.`
      : "Drag a point; or press Tab until one is marked, and move it with the arrow keys.";
  };
  // Other points are asked for: what was moved before belongs to the old ones.
  for (const name of ["data", "n", "margin", "seed"]) ui.accompany(name, () => ({ points: [] }));
  return {
    draws: make("div", { class: "dlw-buttons" }, fresh, shuffle),
    edits: make("div", { style: "margin-top:0.5rem" }, make("div", { class: "dlw-buttons", style: "margin:0" }, flip, reset), hint),
    update(inputs) {
      const random = RANDOM.includes(inputs.data);
      // What would change nothing is not offered.
      for (const [part, useful] of [[fresh, random], [shuffle, inputs.order === "shuffled"], [ui.control("n"), random],
        [ui.control("margin"), inputs.data === "separable"], [ui.control("shift"), random]]) part.hidden = !useful;
      reset.disabled = inputs.points.length === 0;
    },
  };
}

import { Plot, button, choice, colour, draw, fixed, format, make, mount, paint, percent, row, themeColours } from "./kit.js";

const FEATURES = [["x1", "x₁"], ["x2", "x₂"], ["x1_squared", "x₁²"], ["x2_squared", "x₂²"], ["product", "x₁x₂"], ["sin_x1", "sin x₁"], ["sin_x2", "sin x₂"]];
const FUNCTIONS = { tanh: "tanh", relu: "ReLU", leaky_relu: "leaky ReLU", elu: "ELU", sigmoid: "σ", linear: "" };
const SHORTEST_FRAME = 40;     // milliseconds: 25 frames a second are enough, and leave time for the sliders
const OUTPUT = { layer: -1, unit: 0 };

export default {
  render(context) {
    let clock = null;
    const unmount = mount(context, (ui) => {
      const view = { ui, chosen: OUTPUT, pointed: null, outputs: null };
      clock = makeClock(ui);
      buildControls(view, clock);
      view.board = buildBoard(view);
      view.right = buildRight(view);
      view.curve = new Plot({ width: 440, height: 190, xlabel: "updates", ylabel: "loss", margin: [8, 12, 40, 44], title: "Loss" });
      const readouts = buildReadouts(ui);
      view.right.plot.caption.style.minHeight = "2.8em";      // two lines, so that nothing moves when it changes
      ui.stage.append(view.board.figure, view.right.element, view.curve.figure, ui.readouts);
      return (outputs, inputs) => {
        Object.assign(view, { outputs, inputs, stops: themeColours(ui.root, ["orange", "paper", "blue"]) });
        if (view.chosen.layer >= inputs.layers || view.chosen.unit >= inputs[`units${view.chosen.layer + 1}`]) view.chosen = OUTPUT;
        view.board.arrange();
        paintAll(view);
        drawCurve(view);
        fillReadouts(readouts, outputs);
        clock.arrived(outputs);
        return inWords(outputs);
      };
    });
    return () => {
      clock.leave();
      unmount();
    };
  },
};

// ---------------------------------------------------------------- the clock

// Asks Python for the next frame only when the last one has come, and stops when nobody can see it.
function makeClock(ui) {
  let playing = false, asked = null, askedAt = 0, timer = null, slow = null;
  const play = button("Play", () => (playing ? self.stop() : start()), { name: "play" });
  const step = button("Step", () => { self.stop(); if (free()) ask(); }, { name: "step" });
  const count = make("span", { style: "flex:1 0 11rem;font-variant-numeric:tabular-nums;white-space:nowrap" });
  Object.assign(play.style, { minWidth: "5.2rem", fontWeight: "600", color: colour("paper"), background: colour("blue") });

  // A reply that has not come for long is taken for lost, so that the buttons never stay dead.
  const free = () => asked === null || performance.now() - askedAt > 10_000;
  const start = () => {
    playing = true;
    play.textContent = "Pause";
    if (free()) ask();
  };
  const ask = () => {
    asked = ui.next("tick");
    askedAt = performance.now();
    clearTimeout(slow);
    slow = setTimeout(() => { count.textContent = "waiting for Python"; }, 800);
    ui.set("tick", asked);
  };
  const next = () => {
    if (playing && ui.root.isConnected) ask();
    else self.stop();
  };
  const self = {
    play, step, count,
    stop() {
      playing = false;
      clearTimeout(timer);
      play.textContent = "Play";
    },
    arrived(outputs) {
      count.textContent = `update ${outputs.step}, epoch ${outputs.epoch + 1}`;
      if (outputs.ran_away) self.stop();
      if (outputs.tick !== asked) return;
      asked = null;
      clearTimeout(slow);
      clearTimeout(timer);
      if (playing) timer = setTimeout(next, Math.max(0, SHORTEST_FRAME - (performance.now() - askedAt)));
    },
    leave() {
      self.stop();
      clearTimeout(slow);
      seen.disconnect();
      document.removeEventListener("visibilitychange", hidden);
      ui.model.off("change:error", failed);
    },
  };
  const seen = new IntersectionObserver((entries) => { if (!entries.at(-1).isIntersecting) self.stop(); });
  const hidden = () => { if (document.hidden) self.stop(); };
  const failed = () => {
    if (!ui.model.get("error")) return;
    asked = null;
    clearTimeout(slow);
    self.stop();
  };
  seen.observe(ui.root);
  document.addEventListener("visibilitychange", hidden);
  ui.model.on("change:error", failed);
  return self;
}

// ---------------------------------------------------------------- controls

function buildControls(view, clock) {
  const { ui } = view;
  const controls = ui.root.querySelector(".dlw-controls");
  controls.style.gridTemplateColumns = "repeat(auto-fill, minmax(8rem, 1fr))";
  controls.style.gap = "0.4rem 1rem";
  controls.style.fontSize = "0.85rem";
  controls.before(experimentMenu(view, clock));
  const count = (name) => () => ui.set(name, ui.next(name));
  ui.extra.classList.add("dlw-buttons");
  ui.extra.append(clock.play, clock.step,
    button("Restart", count("restart"), { name: "restart" }),
    button("New weights", count("seed"), { name: "seed" }),
    button("New points", count("sample"), { name: "sample" }),
    clock.count);
}

// The experiments are settings with a question; they come from Python, where the tests can try them.
function experimentMenu(view, clock) {
  const { ui } = view;
  const offered = ui.model.get("outputs").experiments;
  const question = make("p", { style: "grid-column:1/-1;margin:0.3rem 0 0" });
  const options = [["", "choose one to begin with"], ...offered.map(({ label }, i) => [String(i), label])];
  const { element } = choice({ name: "experiment", label: "Experiment", options }, "", (chosen) => {
    question.textContent = chosen === "" ? "" : offered[chosen].question;
    if (chosen === "") return;
    clock.stop();
    view.chosen = OUTPUT;
    const kept = ["tick", "restart", "updates"];
    const defaults = ui.model.get("about").controls.filter((control) => !kept.includes(control.name));
    ui.set({ ...Object.fromEntries(defaults.map((control) => [control.name, control.default])), ...offered[chosen].inputs, restart: ui.next("restart") });
  });
  element.style.marginBottom = "0.6rem";
  element.append(question);
  return element;
}

// ---------------------------------------------------------------- the network

const SIZE = "clamp(26px, 5cqi, 38px)";      // of a unit's picture: a twentieth of the widget's width
const COLUMN = "display:flex;flex-direction:column;position:relative;align-items:center;min-width:0";
const HEAD = "height:3.6rem;display:flex;flex-direction:column;align-items:center;justify-content:flex-start;gap:0.2rem;font-size:clamp(0.68rem, 2.3cqi, 0.82rem);line-height:1.2;white-space:nowrap";
const STACK = "display:flex;flex-direction:column;gap:6px;flex:1;justify-content:center";

function buildBoard(view) {
  const { ui } = view;
  const wires = draw("svg", { style: "position:absolute;inset:0;width:100%;height:100%;pointer-events:none", "aria-hidden": "true" });
  const features = FEATURES.map(([name]) => featureRow(ui, name));
  const layers = Array.from({ length: ui.about("layers").high }, (_, layer) => layerColumn(view, layer));
  const output = unitButton(view, -1, 0);
  const outputColumn = make("div", { style: COLUMN }, make("div", { style: HEAD }, "Output"), make("div", { style: STACK }, output.element));
  const area = make("div", { style: "position:relative;display:flex;justify-content:space-between;align-items:stretch", role: "group", "aria-label": "Network; arrow keys move between its units" },
    wires,
    make("div", { style: `${COLUMN};align-items:stretch` }, make("div", { style: `${HEAD};align-items:flex-start` }, "Features"),
      make("div", { style: STACK }, ...features.map((feature) => feature.element))),
    ...layers.map((layer) => layer.element), outputColumn);
  const detail = make("p", { style: "margin:0.6rem 0 0;font-size:0.88rem;min-height:5.6em;overflow-wrap:anywhere;font-variant-numeric:tabular-nums" });
  const depth = layerButtons(ui);
  const figure = make("figure", { class: "dlw-panel", style: "flex:1.05 1 20rem" }, depth.element, area, detail);
  const board = { figure, area, wires, features, layers, output, detail, depth, edges: [], shape: "" };
  board.arrange = () => arrange(view, board);
  new ResizeObserver(() => { if (view.outputs) placeWires(board); }).observe(area);
  area.addEventListener("keydown", (event) => moveBetweenUnits(view, event));
  return board;
}

function featureRow(ui, name) {
  const canvas = make("canvas", { style: `width:${SIZE};height:${SIZE};border-radius:4px;flex:none` });
  const control = ui.control(name);
  control.style.gap = "0 0.3rem";
  control.querySelector("label").style.whiteSpace = "nowrap";
  // The picture belongs to the label, so that it switches the feature too.
  const label = make("label", { for: control.querySelector("input").id, style: "display:block;line-height:0;cursor:pointer", "aria-hidden": "true" }, canvas);
  return { element: make("div", { style: "display:flex;justify-content:space-between;align-items:center;gap:0.3rem" }, control, label), canvas, name };
}

function smallButton(sign, name, label, press) {
  const element = button(sign, press, { name });
  element.setAttribute("aria-label", label);
  Object.assign(element.style, { padding: "0", minWidth: "1.5rem", width: "1.5rem", minHeight: "1.5rem", height: "1.5rem", lineHeight: "1" });
  return element;
}

function layerButtons(ui) {
  const count = make("span", { style: "min-width:1ch;text-align:center;font-variant-numeric:tabular-nums" });
  const less = smallButton("−", "fewer-layers", "One hidden layer less", () => ui.set("layers", ui.inputs.layers - 1));
  const more = smallButton("+", "more-layers", "One hidden layer more", () => ui.set("layers", ui.inputs.layers + 1));
  return { element: make("div", { class: "dlw-buttons", style: "margin:0 0 0.5rem" }, make("span", {}, "Hidden layers"), less, count, more), count, less, more };
}

function layerColumn(view, layer) {
  const { ui } = view, name = `units${layer + 1}`;
  const change = (by) => () => ui.set(name, ui.inputs[name] + by);
  const less = smallButton("−", `fewer-${name}`, `One unit less in layer ${layer + 1}`, change(-1));
  const more = smallButton("+", `more-${name}`, `One unit more in layer ${layer + 1}`, change(1));
  const count = make("span");
  const units = Array.from({ length: ui.about(name).high }, (_, unit) => unitButton(view, layer, unit));
  const element = make("div", { style: COLUMN },
    make("div", { style: HEAD }, count, make("span", { style: "display:flex" }, less, more)),
    make("div", { style: STACK }, ...units.map((unit) => unit.element)));
  return { element, less, more, count, units };
}

function unitButton(view, layer, unit) {
  const canvas = make("canvas", { style: `display:block;width:${SIZE};height:${SIZE};border-radius:3px` });
  const element = make("button", { type: "button", "data-unit": `${layer + 1}-${unit + 1}`,
    style: `padding:0;border:2px solid ${colour("edge")};border-radius:5px;background:${colour("paper")};cursor:pointer;line-height:0` }, canvas);
  const here = { layer, unit };
  const point = (at) => { view.pointed = at; paintChoice(view); };
  element.addEventListener("pointerenter", (event) => { if (event.pointerType !== "touch") point(here); });
  element.addEventListener("pointerleave", () => point(null));
  element.addEventListener("click", () => { view.chosen = same(view.chosen, here) ? OUTPUT : here; view.pointed = null; paintChoice(view); });
  return { element, canvas };
}

// One unit is reached with Tab, its neighbours with the arrow keys; Escape goes back to the output.
function moveBetweenUnits(view, event) {
  const at = event.target.dataset?.unit?.split("-").map((text) => Number(text) - 1);
  if (!at) return;
  const [from, unit] = at, { layers } = view.inputs;
  const column = from < 0 ? layers : from;
  const go = { ArrowLeft: [column - 1, unit], ArrowRight: [column + 1, unit], ArrowUp: [column, unit - 1], ArrowDown: [column, unit + 1], Escape: [layers, 0] }[event.key];
  if (!go) return;
  event.preventDefault();
  const layer = Math.max(0, Math.min(layers, go[0]));
  const last = layer === layers ? 0 : view.inputs[`units${layer + 1}`] - 1;
  view.chosen = layer === layers ? OUTPUT : { layer, unit: Math.max(0, Math.min(last, go[1])) };
  view.pointed = null;
  paintChoice(view);
  buttonOf(view.board, view.chosen).element.focus();
}

const same = (a, b) => a.layer === b.layer && a.unit === b.unit;
const buttonOf = (board, { layer, unit }) => (layer < 0 ? board.output : board.layers[layer].units[unit]);

// Show as many columns and units as there are, and a wire for each weight.
function arrange(view, board) {
  const { inputs, ui } = view;
  const sizes = Array.from({ length: inputs.layers }, (_, i) => inputs[`units${i + 1}`]);
  const shape = JSON.stringify([sizes, FEATURES.map(([name]) => inputs[name])]);
  if (shape === board.shape) return;
  board.shape = shape;
  board.depth.count.textContent = inputs.layers;
  board.depth.less.disabled = inputs.layers === 0;
  board.depth.more.disabled = inputs.layers === ui.about("layers").high;
  board.layers.forEach((column, i) => {
    column.element.hidden = i >= sizes.length;
    column.count.textContent = sizes[i] === 1 ? "1 unit" : `${sizes[i]} units`;
    column.less.disabled = sizes[i] === 1;
    column.more.disabled = sizes[i] === ui.about(`units${i + 1}`).high;
    column.units.forEach((unit, j) => { unit.element.hidden = !(j < sizes[i]); });
  });
  const on = board.features.filter((feature) => inputs[feature.name]);
  const columns = [on.map((feature) => feature.canvas), ...sizes.map((size, i) => board.layers[i].units.slice(0, size).map((unit) => unit.element)), [board.output.element]];
  board.edges = columns.slice(1).flatMap((targets, layer) => targets.flatMap((target, to) =>
    columns[layer].map((source, from) => ({ layer, to, from, source, target, path: draw("path", { fill: "none" }) }))));
  board.wires.replaceChildren(...board.edges.map((edge) => edge.path));
  placeWires(board);
}

function placeWires(board) {
  const origin = board.area.getBoundingClientRect();
  for (const { source, target, path } of board.edges) {
    const a = source.getBoundingClientRect(), b = target.getBoundingClientRect();
    const x0 = a.right - origin.left, y0 = (a.top + a.bottom) / 2 - origin.top;
    const x1 = b.left - origin.left, y1 = (b.top + b.bottom) / 2 - origin.top, bend = (x0 + x1) / 2;
    path.setAttribute("d", `M${x0} ${y0}C${bend} ${y0} ${bend} ${y1} ${x1} ${y1}`);
  }
}

// ---------------------------------------------------------------- painting

// A small picture of values from -127 to 127.
function paintSquare(canvas, values, stops) {
  const side = Math.round(Math.sqrt(values.length));
  paint(canvas, values, side, side, { stops, low: -127, high: 127 });
}

function paintAll(view) {
  const { board, outputs, inputs, stops } = view;
  board.features.forEach((feature, i) => {
    paintSquare(feature.canvas, row(outputs.features, i), stops);
    feature.canvas.style.opacity = inputs[feature.name] ? 1 : 0.3;
  });
  outputs.maps.forEach((maps, layer) => board.layers[layer].units.slice(0, maps.shape[0]).forEach((unit, i) => {
    paintSquare(unit.canvas, row(maps, i), stops);
    unit.element.style.borderStyle = outputs.dead[layer][i] ? "dotted" : "solid";
    unit.element.setAttribute("aria-label", `Layer ${layer + 1}, unit ${i + 1}${outputs.dead[layer][i] ? ", dead" : ""}`);
  }));
  paintSquare(board.output.canvas, outputs.sides, stops);
  board.output.element.setAttribute("aria-label", "Output");
  placePoints(view);
  paintChoice(view);
}

// What depends on the unit that is pointed at or chosen: the large picture, the wires, the formula.
function paintChoice(view) {
  const { board, outputs, inputs } = view;
  const shown = view.pointed ?? view.chosen;
  for (const unit of [board.output, ...board.layers.flatMap((layer) => layer.units)]) {
    unit.element.tabIndex = -1;
    unit.element.setAttribute("aria-pressed", "false");
    unit.element.style.borderColor = colour("edge");
  }
  const focusable = buttonOf(board, view.chosen).element;
  focusable.tabIndex = 0;
  focusable.setAttribute("aria-pressed", "true");
  buttonOf(board, shown).element.style.borderColor = colour("ink");
  paintWires(board, outputs.weights, shown, inputs.layers);
  paintLarge(view, shown);
  board.detail.textContent = formula(outputs, inputs, shown);
}

function paintWires(board, weights, shown, layers) {
  const column = shown.layer < 0 ? layers : shown.layer;
  for (const { layer, to, from, path } of board.edges) {
    const weight = row(weights[layer], to)[from], size = Math.abs(weight);
    const touches = shown.layer < 0 || (layer === column && to === shown.unit) || (layer === column + 1 && from === shown.unit);
    path.setAttribute("stroke", colour(weight < 0 ? "orange" : "blue"));
    path.setAttribute("stroke-width", Math.min(6, 0.5 + 1.4 * size));
    path.setAttribute("stroke-dasharray", weight < 0 ? "6 3" : "none");
    path.setAttribute("opacity", touches ? Math.min(0.9, 0.25 + 0.6 * size) : 0.07);
  }
}

// The unit's own rule with the weights of this moment.
function formula(outputs, inputs, { layer, unit }) {
  const isOutput = layer < 0, at = isOutput ? inputs.layers : layer;
  const names = at === 0 ? FEATURES.filter(([name]) => inputs[name]).map(([, label]) => label)
    : Array.from({ length: inputs[`units${at}`] }, (_, i) => `h${subscript(i + 1)}`);
  const weights = row(outputs.weights[at], unit);
  const terms = names.map((name, i) => `${signed(weights[i], i === 0)} ${name}`);
  const sum = `${terms.join(" ")} ${signed(outputs.biases[at][unit], terms.length === 0)}`;
  const where = at > 0 ? ` (h: units of layer ${at})` : "";
  if (isOutput) return `Output: score = ${sum}${where}. The boundary is where the score is 0; the probability of class 1 is σ(score).`;
  const dead = outputs.dead[layer][unit] ? " It puts out 0 for every training point: a dead unit, which gets no gradient." : "";
  const name = FUNCTIONS[inputs.activation];
  return `Layer ${layer + 1}, unit ${unit + 1}: ${name ? `${name}(${sum})` : sum}${where}.${dead}`;
}

const subscript = (number) => String.fromCodePoint(0x2080 + number);

function signed(value, first) {
  const text = fixed(value, 2), negative = text.startsWith("−");
  if (first) return text;
  return negative ? `− ${text.slice(1)}` : `+ ${text}`;
}

// ---------------------------------------------------------------- the large picture

function buildRight(view) {
  const plot = new Plot({ width: 330, height: 330, x: [-1, 1], y: [-1, 1], xlabel: "x₁", ylabel: "x₂", margin: [6, 8, 40, 44], title: "Output" });
  const element = make("div", { style: "flex:1 1 17rem;min-width:0" }, plot.figure, view.ui.control("show_test"));
  return { element, plot, back: null, boundary: null, key: "" };
}

// Points change with the data only; what lies below and above them changes with every frame.
function placePoints(view) {
  const { right, outputs, inputs } = view;
  const { plot } = right, key = JSON.stringify(["dataset", "noise", "points", "sample", "show_test"].map((name) => inputs[name]));
  if (key === right.key) return;
  right.key = key;
  const ends = [-outputs.half_width, outputs.half_width];
  plot.clear({ x: ends, y: ends });
  right.back = plot.add(draw("g"));
  right.boundary = plot.add(draw("path", { fill: "none", stroke: colour("ink"), "stroke-width": 2.2 }));
  outputs.points.forEach((points, set) => [0, 1].forEach((label) => {
    const chosen = [...outputs.labels[set].keys()].filter((i) => outputs.labels[set][i] === label);
    const look = { color: label ? "blue" : "orange", shapes: chosen.map(() => (label ? "square" : "circle")), radius: 3.4 };
    if (set === 1) Object.assign(look, { outline: look.color, color: "paper", radius: 2.6, opacity: 0.8 });
    plot.points(chosen.map((i) => points[2 * i]), chosen.map((i) => points[2 * i + 1]), look);
  }));
  plot.note("class 0", { color: "orange", shape: "circle" });
  plot.note("class 1", { color: "blue", shape: "square" });
  plot.note("boundary", { color: "ink" });
  if (inputs.show_test) plot.note("test points, hollow", { color: "muted", shape: "ring" });
}

function paintLarge(view, shown) {
  const { right, outputs, inputs } = view;
  const { plot, back, boundary } = right, isOutput = shown.layer < 0, { side } = outputs;
  const values = isOutput ? outputs.sides : row(outputs.maps[shown.layer], shown.unit);
  // Paler than the small pictures, so that points of the same colour stand out.
  back.replaceChildren(plot.heat(values, side, side, { low: -190, high: 190, smooth: true }));
  boundary.setAttribute("d", contour(plot, outputs.score, side));
  plot.caption.textContent = isOutput ? "Output: probability of class 1, from orange (0) to blue (1)"
    : `Layer ${shown.layer + 1}, unit ${shown.unit + 1}: its output, blue above 0, orange below`;
  const part = percent(outputs.test_accuracy, 1);
  plot.describe(`Map of the plane with ${inputs.points} training points of two classes. `
    + `${isOutput ? "Shown is the network's output" : plot.caption.textContent}. ${part} of the test points lie on the right side of the boundary.`);
}

// The line where the score is zero, cell by cell: straight between the places where it crosses the cell's edges.
function contour(plot, score, side) {
  const [low, high] = plot.x, pitch = (high - low) / side;
  const at = (i) => low + (i + 0.5) * pitch;
  let path = "";
  for (let i = 0; i + 1 < side; i++) {
    for (let j = 0; j + 1 < side; j++) {
      const corners = [[i, j], [i, j + 1], [i + 1, j + 1], [i + 1, j]];
      const values = corners.map(([r, c]) => score[r * side + c]);
      const crossings = [];
      for (let k = 0; k < 4; k++) {
        const a = values[k], b = values[(k + 1) % 4];
        if ((a > 0) === (b > 0)) continue;
        const t = a / (a - b), [r0, c0] = corners[k], [r1, c1] = corners[(k + 1) % 4];
        crossings.push(`${plot.toX(at(c0 + t * (c1 - c0))).toFixed(1)} ${plot.toY(at(r0 + t * (r1 - r0))).toFixed(1)}`);
      }
      for (let k = 0; k + 1 < crossings.length; k += 2) path += `M${crossings[k]}L${crossings[k + 1]}`;
    }
  }
  return path;
}

// ---------------------------------------------------------------- losses and numbers

function drawCurve(view) {
  const { outputs, curve } = view, length = outputs.curve.shape[1];
  const [at, train, test] = [0, 1, 2].map((i) => row(outputs.curve, i));
  const highest = Math.max(...train, ...test);
  curve.clear({ x: [0, Math.max(100, at[length - 1])], y: [0, Math.min(3, Math.max(0.8, 1.05 * highest))] });
  curve.rule({ y: outputs.guess, label: "guessing" });
  curve.line(at, test, { color: "pink", dash: "6 3", label: "test" });
  curve.line(at, train, { color: "green", label: "training" });
  if (outputs.step > 0) curve.points([outputs.best_step], [outputs.best_test_loss], { color: "pink", shapes: ["triangle"], radius: 4 });
  curve.describe(`Loss against updates. Training ${format(train[0], 3)} at first, ${format(train[length - 1], 3)} now; test ${format(test[0], 3)} at first, `
    + `${format(test[length - 1], 3)} now, lowest ${format(outputs.best_test_loss, 3)} after ${outputs.best_step} updates.`);
}

function buildReadouts(ui) {
  Object.assign(ui.readouts.style, { flex: "1 1 17rem", marginTop: "1.6rem", gridTemplateColumns: "repeat(auto-fill, minmax(8rem, 1fr))" });
  return {
    train: ui.readout("train_loss", "training loss", 3),
    test: ui.readout("test_loss", "test loss", 3),
    best: ui.readout("best_test_loss", "lowest test loss (triangle)", 3),
    trainAccuracy: ui.readout("train_accuracy", "training accuracy", 3),
    testAccuracy: ui.readout("test_accuracy", "test accuracy", 3),
    norm: ui.readout("norm", "norm of the weights", 3),
  };
}

function fillReadouts(readouts, outputs) {
  const last = outputs.curve.shape[1] - 1;
  readouts.train(row(outputs.curve, 1)[last]);
  readouts.test(row(outputs.curve, 2)[last]);
  readouts.best(outputs.best_test_loss);
  readouts.trainAccuracy(outputs.train_accuracy);
  readouts.testAccuracy(outputs.test_accuracy);
  readouts.norm(outputs.norm);
}

function inWords(outputs) {
  const last = outputs.curve.shape[1] - 1, train = row(outputs.curve, 1)[last], test = row(outputs.curve, 2)[last];
  if (outputs.ran_away) {
    return `At update ${outputs.ran_away} the weights ran away; the picture shows those just before. Lower the learning rate and press Restart.`;
  }
  if (outputs.step === 0) return "The network has its random first weights. Press Play.";
  const dead = outputs.dead.reduce((sum, layer) => sum + layer.filter(Boolean).length, 0);
  const text = `After ${outputs.step} updates the training loss is ${format(train, 3)} and the test loss ${format(test, 3)}; `
    + `${percent(outputs.test_accuracy, 1)} of the test points are on the right side.`;
  if (dead) return `${text} ${dead === 1 ? "One hidden unit is" : `${dead} hidden units are`} dead (dotted frame): 0 for every training point.`;
  if (outputs.overfits) return `${text} The test loss was lowest, ${format(outputs.best_test_loss, 3)}, after ${outputs.best_step} updates: the network overfits.`;
  return text;
}

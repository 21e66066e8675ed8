import { Plot, bracket, button, colour, draw, firstAbove, fixed, format, make, mount, pointOn, row, tinted, track } from "./kit.js";

const SIZE = { width: 380, height: 260 };
const GRID = { width: 380, height: 300, bare: true, margin: [20, 4, 4, 22], y: [0, 1] };
const OUTLINES = ["blue", "orange", "green", "pink", "gold", "violet"];
const RANGE = 4;                                           // of the colours, in both grids
const AS_BEFORE = { scale: 1, shift: 0, gamma: 1, beta: 0, eps: 1e-5 };

export default {
  render(context) {
    return mount(context, (ui) => {
      const before = new Plot({ ...GRID, title: "Input x (blue positive, orange negative)" });
      const after = new Plot({ ...GRID, title: "Output y" });
      const sums = make("p", { style: "flex:1 1 100%;margin:0;font-variant-numeric:tabular-nums;font-size:0.92rem;min-height:2.8em" });
      const stats = new Plot({ ...SIZE, title: "Mean ± deviation of each outline", ylabel: "value" });
      const counts = new Plot({ ...SIZE, title: "All values, before and after", xlabel: "value (the ends hold all beyond)", ylabel: "count", x: [-6, 6] });
      const modes = new Plot({ ...SIZE, title: "The same batch in both modes", xlabel: "output in training", ylabel: "in evaluation" });
      ui.stage.append(before.figure, after.figure, sums, stats.figure, counts.figure, modes.figure);
      modes.figure.style.maxWidth = "24rem";               // alone in its row, it would be twice as large as the others
      ui.extra.append(make("div", { class: "dlw-buttons" },
        button("New batch", () => ui.set("seed", ui.next("seed")), { name: "new" }),
        button("Undo changes", () => ui.set(AS_BEFORE), { name: "undo" })));

      const inside = ui.readout("inside", "output moved, changed part");
      const outside = ui.readout("outside", "output moved, elsewhere");
      const means = ui.readout("means", "means × values in each");
      const gap = ui.readout("gap", "training − evaluation (root mean square)", 3);

      let redraw = () => {};
      const follow = follower(() => redraw());
      sums.before(follow.element);
      for (const plot of [before, after]) pickByPointer(plot, follow);

      return (outputs, inputs) => {
        ui.control("groups").hidden = inputs.norm !== "group";
        ui.control("mode").hidden = modes.figure.hidden = inputs.norm !== "batch";
        follow.resize(outputs.x.shape);
        after.caption.textContent = inputs.norm === "batch" ? `Output y (${inputs.mode})` : "Output y";
        redraw = () => drawGrids(before, after, sums, follow, outputs, inputs);
        redraw();
        drawStats(stats, outputs);
        drawCounts(counts, outputs);
        drawModes(modes, outputs);
        const refused = outputs.y === null, taken = outputs.before.shape[1];
        inside(refused ? "–" : tidy(outputs.moved_inside));
        outside(refused ? "–" : tidy(outputs.moved_outside));
        means(`${taken} × ${outputs.x.length / taken}`);
        gap(outputs.gap ?? "–");
        return summary(outputs, inputs);
      };
    });
  },
};

// What is 0 but for rounding is shown as 0.
function tidy(value) {
  return format(Number(value.toFixed(7)), 3);
}

// ---------------------------------------------------------------- the two grids

function drawGrids(before, after, sums, follow, outputs, inputs) {
  for (const [plot, values] of [[before, outputs.x], [after, outputs.y]]) {
    fitHeight(plot, outputs.x.shape[0]);
    plot.clear();
    const grid = places(plot, outputs.x.shape);
    heads(plot, grid);
    if (values) cells(plot, grid, values);
    outlines(plot, grid, outputs.group, follow.index);
    if (!values) refusal(plot, grid);
    else followed(plot, grid, follow.index);
  }
  before.describe(inWords("Input", outputs.x, outputs.before));
  after.describe(outputs.y ? inWords("Output", outputs.y, outputs.after) : "No output: the layer refuses this batch.");
  sums.textContent = arithmetic(outputs, inputs, follow);
}

function inWords(what, values, [...stats]) {
  const count = stats.length / 2;
  const pick = (from) => stats.slice(from, from + Math.min(count, 8)).map(tidy).join(", ");
  return `${what} of shape ${values.shape.join(" × ")}. Means of the outlines: ${pick(0)}; deviations: ${pick(count)}${count > 8 ? " (the first 8)" : ""}.`;
}

// A batch of one needs one row, not an empty page below it.
function fitHeight(plot, examples) {
  const [top, , bottom] = plot.margin;
  plot.highest = top + bottom + examples * Math.min(70, 276 / examples);
}

// Where each value lies: examples downwards, channels across, each channel's pixels in a small block.
function places(plot, [examples, channels, height, width]) {
  const [top, right, bottom, left] = plot.margin;
  const dx = (plot.width - left - right) / channels, dy = (plot.height - top - bottom) / examples, gap = 2;
  const w = (dx - 2 * gap) / width, h = (dy - 2 * gap) / height;
  const at = (i) => {
    const p = i % (height * width), c = Math.floor(i / (height * width)) % channels, n = Math.floor(i / (height * width * channels));
    return { n, c, p, x: left + c * dx + gap + (p % width) * w, y: top + n * dy + gap + Math.floor(p / width) * h };
  };
  const find = (x, y) => {
    const n = Math.floor((y - top) / dy), c = Math.floor((x - left) / dx);
    if (n < 0 || n >= examples || c < 0 || c >= channels) return undefined;
    const u = Math.min(width - 1, Math.max(0, Math.floor((x - left - c * dx - gap) / w)));
    const v = Math.min(height - 1, Math.max(0, Math.floor((y - top - n * dy - gap) / h)));
    return ((n * channels + c) * height + v) * width + u;
  };
  return { examples, channels, left, top, dx, dy, w, h, at, find };
}

function heads(plot, { examples, channels, left, top, dx, dy }) {
  const add = (x, y, text) => plot.layer.append(draw("text", { class: "dlw-tick", x, y, "text-anchor": "middle" }, text));
  for (let c = 0; c < channels; c++) add(left + (c + 0.5) * dx, top - 6, c ? c + 1 : "channel 1");
  const x = left - 10, y = top + 0.5 * dy;
  for (let n = 1; n < examples; n++) add(x, y + n * dy + 4, n + 1);
  if (dy < 50) add(x, y + 4, 1);
  else plot.layer.append(draw("text", { class: "dlw-tick", x, y, "text-anchor": "middle", transform: `rotate(-90 ${x} ${y})`, dy: 4 }, "example 1"));
}

function cells(plot, grid, values) {
  const size = Math.min(12, grid.h - 1, grid.w / 2.8);
  for (let i = 0; i < values.length; i++) {
    const { x, y } = grid.at(i), share = Math.min(1, Math.abs(values[i]) / RANGE);
    // The tint stays pale enough for the number on it.
    const fill = tinted(values[i] < 0 ? "orange" : "blue", 0.6 * share);
    plot.layer.append(draw("rect", { x, y, width: grid.w, height: grid.h, style: `fill:${fill}` }));
    if (size >= 8) plot.layer.append(draw("text", { x: x + grid.w / 2, y: y + grid.h / 2 + 0.36 * size, "text-anchor": "middle", style: `font-size:${size}px` }, short(values[i])));
  }
}

function short(value) {
  return fixed(value, Math.abs(value) < 9.95 ? 1 : 0);
}

// The values of one mean always fill a rectangle of the grid.
function outlines(plot, grid, group, index) {
  const corners = new Map();
  for (let i = 0; i < group.length; i++) {
    const { n, c } = grid.at(i), box = corners.get(group[i]) ?? { n0: n, c0: c, n1: n, c1: c };
    corners.set(group[i], { ...box, n1: Math.max(box.n1, n), c1: Math.max(box.c1, c) });
  }
  const order = [...corners.keys()].sort((a, b) => (a === group[index]) - (b === group[index]));     // the followed one on top
  for (const key of order) {
    const { n0, c0, n1, c1 } = corners.get(key), mine = key === group[index], inset = mine ? 1.5 : 1.2;
    plot.layer.append(draw("rect", {
      x: grid.left + c0 * grid.dx + inset, y: grid.top + n0 * grid.dy + inset,
      width: (c1 - c0 + 1) * grid.dx - 2 * inset, height: (n1 - n0 + 1) * grid.dy - 2 * inset,
      fill: "none", stroke: colour(OUTLINES[key % OUTLINES.length]), "stroke-width": mine ? 4 : 1.6, rx: 3,
    }));
  }
}

function followed(plot, grid, index) {
  const { x, y } = grid.at(index);
  plot.layer.append(draw("rect", { x: x + 1, y: y + 1, width: grid.w - 2, height: grid.h - 2, fill: "none", stroke: colour("ink"), "stroke-width": 1.8, "stroke-dasharray": "4 2.5" }));
}

function refusal(plot, grid) {
  const x = plot.width / 2, y = grid.top + (grid.examples * grid.dy) / 2;
  const box = draw("rect", { x: x - 130, y: y - 14, width: 260, height: 28, rx: 4, fill: colour("paper"), stroke: colour("orange") });
  plot.layer.append(box, draw("text", { x, y: y + 5, "text-anchor": "middle" }, "refused: one value for each mean"));
}

// ---------------------------------------------------------------- the value that is followed

// Which value's arithmetic is written out: a slider for the keyboard, and a click on either grid.
function follower(changed) {
  const { element, input, put } = track({ label: "Follow", name: "follow", move: (index) => self.go(index) });
  element.style.flex = "1 1 100%";
  element.querySelector("label").style.whiteSpace = "nowrap";
  let shape = [1, 1, 1, 1];
  const name = () => {
    const pixels = shape[2] * shape[3], cell = Math.floor(self.index / pixels);
    const pixel = pixels > 1 ? `, pixel ${(self.index % pixels) + 1}` : "";
    return `example ${Math.floor(cell / shape[1]) + 1}, channel ${(cell % shape[1]) + 1}${pixel}`;
  };
  const say = () => put(self.index, name());
  const self = {
    element,
    index: 0,
    name,
    shape: () => shape,
    go(index) { self.index = index; say(); changed(); },
    resize(next) {
      shape = next;
      input.max = shape.reduce((a, b) => a * b) - 1;
      self.index = Math.min(self.index, Number(input.max));
      say();
    },
  };
  return self;
}

function pickByPointer(plot, follow) {
  plot.svg.style.cursor = "pointer";
  plot.svg.addEventListener("click", (event) => {
    const point = pointOn(plot.svg, event);
    const index = places(plot, follow.shape()).find(point.x, point.y);
    if (index !== undefined) follow.go(index);
  });
}

function arithmetic(outputs, inputs, follow) {
  // Five digits go in and three come out, so that whoever redoes the sum gets the same.
  const i = follow.index;
  const given = (value) => format(Number(value.toFixed(7)), 5), number = tidy;
  if (!outputs.y) return `The layer refuses. ${outputs.refused}.`;
  const first = Math.floor(i / (outputs.x.shape[2] * outputs.x.shape[3])) % outputs.x.shape[1] === 0;
  const gamma = first ? inputs.gamma : 1, beta = first ? inputs.beta : 0;
  const source = inputs.norm === "batch" && inputs.mode === "evaluation" ? "running averages" : "this outline's values";
  return `Value of ${follow.name()}: x = ${given(outputs.x[i])}. From ${source}: μ = ${given(outputs.mean[i])}, s = ${given(outputs.std[i])}. `
    + `x̂ = (${given(outputs.x[i])} − ${bracket(given(outputs.mean[i]))}) / ${given(outputs.std[i])} = ${number(outputs.x_hat[i])}, `
    + `y = ${number(gamma)} · ${bracket(number(outputs.x_hat[i]))} + ${bracket(number(beta))} = ${number(outputs.y[i])}.`;
}

// ---------------------------------------------------------------- the plots

function drawStats(plot, { before, after }) {
  const count = before.shape[1], low = [], high = [];
  for (const stats of [before, after]) {
    if (!stats) continue;
    const [means, deviations] = [row(stats, 0), row(stats, 1)];
    low.push(...means.map((mean, g) => mean - deviations[g]));
    high.push(...means.map((mean, g) => mean + deviations[g]));
  }
  const reach = firstAbove([4, 6, 10, 20, 40, 80], Math.max(...high, ...low.map((value) => -value)));
  plot.clear({ x: [0.4, count + 0.6], y: [-reach, reach], xlabel: "outline, from the top left" });
  plot.rule({ y: 0 });
  const radius = count > 20 ? 2.5 : 4, apart = 0.17;
  whiskers(plot, before, -apart, { color: "orange", label: "before", radius });
  if (after) whiskers(plot, after, apart, { color: "blue", label: "after", shape: "square", radius });
  const words = (stats) => `means ${ends(row(stats, 0))}, deviations ${ends(row(stats, 1))}`;
  plot.describe(`${count} outlines. Before: ${words(before)}.${after ? ` After: ${words(after)}.` : ""}`);
}

function ends(values) {
  return `${tidy(Math.min(...values))} to ${tidy(Math.max(...values))}`;
}

function whiskers(plot, stats, offset, { color, label, shape = "circle", radius }) {
  const [means, deviations] = [row(stats, 0), row(stats, 1)];
  const xs = Array.from(means, (_, g) => g + 1 + offset);
  xs.forEach((x, g) => plot.line([x, x], [means[g] - deviations[g], means[g] + deviations[g]], { color }));
  plot.points(xs, means, { color, radius, shapes: xs.map(() => shape), label });
}

function drawCounts(plot, { edges, counts_before: before, counts_after: after }) {
  const top = Math.max(...before, ...(after ?? [0]));
  plot.clear({ y: [0, firstAbove([4, 8, 20, 40, 80, 200], top)] });
  const centres = Array.from(before, (_, i) => (edges[i] + edges[i + 1]) / 2);
  if (after) plot.bars(centres, after, { color: tinted("blue", 0.45), width: edges[1] - edges[0], label: "after" });
  const xs = [], ys = [];
  before.forEach((count, i) => { xs.push(edges[i], edges[i + 1]); ys.push(count, count); });
  plot.line(xs, ys, { color: "orange", label: "before" });
  const mode = (counts) => format(centres[counts.indexOf(Math.max(...counts))]);
  plot.describe(`Histogram of ${before.reduce((a, b) => a + b)} values. Most common before: around ${mode(before)}.${after ? ` After: around ${mode(after)}.` : ""}`);
}

function drawModes(plot, { trained, evaluated, gap }) {
  // One range for both axes: equal outputs lie on the diagonal of the picture.
  const largest = Math.max(...[...(trained ?? []), ...(evaluated ?? [])].map(Math.abs));
  const reach = firstAbove([3, 5, 10, 20, 50, 100, 200], largest);
  plot.clear({ x: [-reach, reach], y: [-reach, reach] });
  plot.line([-reach, reach], [-reach, reach], { color: "muted", dash: "5 4", label: "no difference" });
  if (!trained || !evaluated) {
    plot.text(0, 0.5 * reach, "refused in training");
    plot.describe("No points: the layer refuses this batch in training.");
    return;
  }
  plot.points(trained, evaluated, { color: "violet", opacity: 0.8, label: "one value each" });
  plot.describe(`Output in evaluation against output in training, ${trained.length} values. Root mean square of the difference: ${format(gap, 3)}.`);
}

// ---------------------------------------------------------------- what is to be seen

const KEEPS = {
  batch: "one channel over all examples",
  layer: "one example over all channels",
  instance: "one channel of one example",
  group: "one example over a group of channels",
};

function summary(outputs, inputs) {
  if (!outputs.y) return "Each mean would be taken over a single value, and every output would be zero: the layer refuses. Add examples or pixels.";
  const pair = outputs.x.length / outputs.before.shape[1] === 2 && outputs.x_hat.every((value) => Math.abs(value) > 0.95);
  const evaluation = inputs.norm === "batch" && inputs.mode === "evaluation";
  if (!outputs.trained) return "No such batch can be trained on, so the running averages are still where they began: mean 0, variance 1.";
  const first = evaluation ? "Running averages of past batches normalise each channel, so neighbours have no say." : `A mean belongs to ${KEEPS[inputs.norm]}.`;
  if (inputs.scale !== 1 || inputs.shift !== 0) return `${first} ${effect(outputs, inputs)}`;
  if (pair && !evaluation) return `${first} It has two values, so x̂ is −1 and 1 whatever they were: only which is larger survives.`;
  if (inputs.norm === "batch") return `${first} Between training and evaluation the outputs differ by ${format(outputs.gap ?? 0, 3)} (root mean square).`;
  return `${first} No example sees another, so training and evaluation are the same.`;
}

function effect({ moved_inside: inside, moved_outside: outside }, { changed, examples }) {
  const part = changed === "channel" ? "channel 1" : "example 1", small = 0.02;
  const within = inside < small ? `The change of ${part} is taken out again` : `The change of ${part} gets through, by up to ${format(inside, 3)}`;
  if (changed === "example" && examples === 1) return `${within}.`;
  return outside < small ? `${within}, and nothing else moves.` : `${within}, and it moves other outputs by up to ${format(outside, 3)}.`;
}

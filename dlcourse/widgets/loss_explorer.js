import { Plot, colour, drag, draw, firstAbove, format, make, mount, row, swatch, ticks } from "./kit.js";

// In the order of Python's lists. A colour never stands alone: each loss has a dash of its own.
const LOSSES = {
  regression: [
    { name: "squared", color: "blue" },
    { name: "absolute", color: "green", dash: "8 4" },
    { name: "Huber", color: "violet", dash: "9 3 2 3" },
  ],
  classification: [
    { name: "0–1", color: "ink", dash: "1.5 3.5" },
    { name: "perceptron", color: "green", dash: "3 3" },
    { name: "hinge", color: "violet", dash: "9 3 2 3" },
    { name: "squared hinge", color: "pink", dash: "9 3 2 3 2 3" },
    { name: "cross entropy", color: "blue" },
    { name: "squared error on σ", color: "orange", dash: "8 4" },
  ],
};
const SETTINGS = { regression: ["outlier", "prediction", "delta"], classification: ["margin"] };
const HEADINGS = {
  regression: ["loss", "best", "mean gradient", "outlier’s loss", "its gradient"],
  classification: ["loss", "value at m", "gradient at m", "m after all updates"],
};
// What Python calls the numbers in these columns, so that a test finds them.
const NAMES = { regression: ["best", "mean_gradients"], classification: ["point_values", "point_gradients"] };
const SIZE = { width: 380, height: 270 };

export default {
  render(context) {
    return mount(context, (ui) => {
      const values = new Plot({ ...SIZE, title: "What each loss charges", ylabel: "loss" });
      const gradients = new Plot({ ...SIZE, title: "Its gradient: how hard it pulls", ylabel: "gradient" });
      const lanes = new Plot({ ...SIZE, height: 230, bare: true, margin: [8, 14, 42, 14], x: [0, 20], y: [-0.5, 3.6], title: "Five targets and one prediction c for all" });
      const paths = new Plot({ ...SIZE, height: 230, title: " ", y: [-6.5, 9], xlabel: "update", ylabel: "margin m" });
      const hidden = new Set();
      const table = lossTable(hidden, () => redraw());
      ui.stage.append(values.figure, gradients.figure, lanes.figure, paths.figure, table.element);
      dragLanes(ui, lanes);
      for (const plot of [values, gradients]) dragMargin(ui, plot);

      const plots = { values, gradients, lanes, paths };
      let redraw = () => {};
      return (outputs, inputs) => {
        redraw = () => drawTask(ui, plots, table, hidden, outputs, inputs);
        return redraw();
      };
    });
  },
};

function drawTask(ui, plots, table, hidden, outputs, inputs) {
  const { task } = inputs;
  for (const [owner, names] of Object.entries(SETTINGS)) {
    for (const name of names) ui.control(name).hidden = owner !== task;
  }
  plots.lanes.figure.hidden = task !== "regression";
  plots.paths.figure.hidden = task !== "classification";
  for (const plot of [plots.values, plots.gradients]) plot.svg.style.cursor = task === "classification" ? "ew-resize" : "";
  const shown = LOSSES[task].map((loss, k) => ({ ...loss, k })).filter(({ name }) => !hidden.has(name));
  return (task === "regression" ? drawRegression : drawClassification)(plots, table, shown, outputs, inputs);
}

// ---------------------------------------------------------------- regression

function drawRegression(plots, table, shown, outputs, inputs) {
  const { residuals, best, mean_gradients: pulls, point_values: losses, point_gradients: slopes } = outputs;
  const last = residuals.length - 1;                       // the outlier
  const top = firstAbove([10, 20, 50, 100, 200, 400], Math.max(...shown.map(({ k }) => Math.max(...row(losses, k)))));
  const reach = firstAbove([2, 4, 10, 20, 40], Math.max(...shown.map(({ k }) => Math.max(...row(slopes, k).map(Math.abs)))));
  const x = [residuals[last] < -10 ? -21 : -11, 9], xlabel = "residual c − t (square: the outlier)";
  plots.values.clear({ x, y: [-0.03 * top, 1.04 * top], xlabel });   // a point at the end is seen whole
  plots.gradients.clear({ x, y: [-1.05 * reach, 1.05 * reach], xlabel });
  plots.values.rule({ x: 0 });
  plots.gradients.rule({ y: 0 });
  const shapes = Array.from(residuals, (_, i) => (i === last ? "square" : "circle"));
  for (const { k, ...look } of shown) {
    plots.values.line(outputs.grid, row(outputs.values, k), look);
    plots.gradients.line(outputs.grid, row(outputs.gradients, k), look);
    plots.values.points(residuals, row(losses, k), { color: look.color, shapes });
    plots.gradients.points(residuals, row(slopes, k), { color: look.color, shapes });
  }
  drawLanes(plots.lanes, shown, outputs, inputs.prediction);
  table.fill("regression", (k) => [best[k], pulls[k], row(losses, k)[last], row(slopes, k)[last]]);

  plots.values.describe(`Losses against the residual. For the outlier the squared error is ${format(row(losses, 0)[last])}, `
    + `the absolute error ${format(row(losses, 1)[last])} and Huber's loss ${format(row(losses, 2)[last])}.`);
  plots.gradients.describe(`Gradients against the residual. The squared error's is a straight line, ${format(row(slopes, 0)[last])} at the outlier; `
    + `the absolute error's steps from −1 to 1; Huber's is cut off at ${format(inputs.delta)} either way.`);
  return `The best constant is the mean, ${format(best[0])}, for the squared error, the median, ${format(best[1])}, for the absolute error, and ${format(best[2])} for Huber's loss. `
    + `At c\u00a0=\u00a0${format(inputs.prediction)} the outlier pulls with a gradient of size ${format(Math.abs(row(slopes, 0)[last]))} under the squared error, `
    + `${format(Math.abs(row(slopes, 1)[last]))} under the absolute error and ${format(Math.abs(row(slopes, 2)[last]))} under Huber's loss.`;
}

// The targets on a line, and above them for each loss an arrow from the prediction to the best constant.
function drawLanes(plot, shown, outputs, prediction) {
  const { targets, best } = outputs, last = targets.length - 1;
  plot.clear();
  axisBelow(plot, "target t, prediction c");
  plot.rule({ x: prediction, color: "ink", dash: "none", width: 1.6 });
  const right = prediction < 5;
  plot.text(prediction, 3.35, `c = ${format(prediction)}`, { anchor: right ? "start" : "end", dx: right ? 6 : -6, weight: 600 });
  for (const { k, name, color } of shown) {
    const y = 2.6 - 0.75 * k;
    plot.arrow(prediction, y, best[k], y, { color });
    plot.points([best[k]], [y], { color, shapes: ["triangle"], radius: 6 });
    plot.text(Math.max(best[k], prediction), y, `${name}: best at ${format(best[k])}`, { anchor: "start", dx: 12, dy: 4, color });
  }
  plot.points(targets, targets.map(() => -0.1), { color: "ink", radius: 5, shapes: Array.from(targets, (_, i) => (i === last ? "square" : "circle")) });
  plot.text(targets[last], -0.1, "outlier", { dy: -10, anchor: targets[last] > 18 ? "end" : "middle", dx: targets[last] > 18 ? 6 : 0 });
  plot.describe(`Targets at ${Array.from(targets, (t) => format(t)).join(", ")}; the last is the outlier. Predicted is ${format(prediction)}. `
    + shown.map(({ k, name }) => `the best for ${name} is ${format(best[k])}`).join(", ") + ".");
}

// A horizontal axis only: the height in this picture has no unit.
function axisBelow(plot, label) {
  const [, right, bottom, left] = plot.margin, floor = plot.height - bottom;
  const add = (tag, attributes, ...text) => plot.layer.append(draw(tag, attributes, ...text));
  add("path", { d: `M${left} ${floor}H${plot.width - right}`, stroke: colour("muted") });
  for (const value of ticks(plot.x, 5)) {
    add("path", { d: `M${plot.toX(value)} ${floor}v4`, stroke: colour("muted") });
    add("text", { class: "dlw-tick", x: plot.toX(value), y: floor + 16, "text-anchor": "middle" }, format(value));
  }
  add("text", { x: plot.width / 2, y: plot.height - 6, "text-anchor": "middle" }, label);
}

// ---------------------------------------------------------------- classification

function drawClassification(plots, table, shown, outputs, inputs) {
  const { margin } = inputs, { point_values: losses, point_gradients: slopes, paths } = outputs;
  const axis = { x: [-6.3, 6.3], xlabel: "margin m (negative: wrong)" };
  plots.values.clear({ ...axis, y: [-0.3, 8] });
  plots.gradients.clear({ ...axis, y: [-3.2, 0.4] });
  const updates = paths.shape[1] - 1;
  plots.paths.caption.textContent = `${updates} updates from m, learning rate ${format(outputs.learning_rate)}`;
  plots.paths.clear({ x: [0, updates + 1] });
  for (const plot of [plots.values, plots.gradients]) {
    plot.rule({ x: 0 });
    plot.rule({ x: margin, color: "ink", dash: "none" });
  }
  plots.paths.rule({ y: 0 });
  for (const { k, ...look } of shown) {
    const path = row(paths, k);
    plots.values.line(outputs.grid, row(outputs.values, k), look);
    plots.gradients.line(outputs.grid, row(outputs.gradients, k), look);
    plots.paths.line(path.map((_, i) => i), path, look);
    mark(plots.values, margin, losses[k], look.color);
    mark(plots.gradients, margin, slopes[k], look.color);
    plots.paths.points([path.length - 1], [path.at(-1)], { color: look.color });
  }
  table.fill("classification", (k) => [losses[k], slopes[k], row(paths, k).at(-1)]);

  const each = (pick) => LOSSES.classification.map(({ name }, k) => `${name} ${format(pick(k))}`).join(", ");
  plots.values.describe(`Losses against the margin. At ${format(margin)}: ${each((k) => losses[k])}.`);
  plots.gradients.describe(`Gradients against the margin. At ${format(margin)}: ${each((k) => slopes[k])}.`);
  plots.paths.describe(`Margin against update. After ${updates} updates: ${each((k) => row(paths, k).at(-1))}.`);
  const answer = margin === 0 ? "undecided" : margin > 0 ? "right" : "wrong";
  return `The answer is ${answer}, with margin ${format(margin)}. `
    + `The cross entropy pulls with ${format(Math.abs(slopes[4]))}, the squared error on the sigmoid with ${format(Math.abs(slopes[5]))}: `
    + `${times(outputs.ratio)}. ${rest(margin, slopes)}`;
}

function times(ratio) {
  return ratio >= 1 ? `${format(ratio, 3)} times less` : `${format(1 / ratio, 3)} times more`;
}

function rest(margin, slopes) {
  if (margin <= 0) return "The 0–1 loss counts the mistake but has no slope to follow.";
  if (slopes[2] === 0) return "Perceptron and both hinges no longer pull at all.";
  return "The perceptron is content; the hinges still ask for a margin of 1.";
}

// A point; one beyond the picture becomes an arrowhead at its edge.
function mark(plot, x, y, color) {
  const [low, high] = plot.y;
  if (y >= low && y <= high) { plot.points([x], [y], { color, radius: 5 }); return; }
  const way = y > high ? 1 : -1, edge = plot.toY(y > high ? high : low) + 2 * way;
  plot.add(draw("path", { d: `M${plot.toX(x)} ${edge}l6 ${10 * way}h-12z`, fill: colour(color), stroke: colour("paper") }));
}

// ---------------------------------------------------------------- the table, which is the legend too

function lossTable(hidden, changed) {
  const element = make("div", { style: "flex:1 1 20rem;min-width:0" });
  let boxes = [], fields = [], current = "";
  const build = (task) => {
    current = task;
    fields = [];
    const heading = make("tr", {}, ...HEADINGS[task].map((text, i) => make("th", { scope: "col", style: cell(i) + "font-weight:400;color:var(--dlw-muted);vertical-align:bottom" }, text)));
    boxes = LOSSES[task].map((loss) => checkbox(loss, hidden, () => { keepOne(boxes); changed(); }));
    const rows = boxes.map((box, k) => {
      fields[k] = HEADINGS[task].slice(1).map((_, i) => make("td", { style: cell(i + 1), "data-name": NAMES[task][i] && `${NAMES[task][i]}[${k}]` }));
      return make("tr", {}, make("th", { scope: "row", style: cell(0) + "font-weight:400" }, box.label), ...fields[k]);
    });
    element.replaceChildren(make("table", { style: "width:100%;border-collapse:collapse;font-size:0.82rem;line-height:1.25;font-variant-numeric:tabular-nums;margin:0;display:table" }, make("thead", {}, heading), make("tbody", {}, ...rows)));
    keepOne(boxes);
  };
  return {
    element,
    fill(task, numbers) {
      if (task !== current) build(task);
      fields.forEach((cells, k) => numbers(k).forEach((value, i) => {
        cells[i].textContent = format(Number(value.toFixed(9)), 3);
        cells[i].dataset.value = value;
      }));
    },
  };
}

function cell(i) {
  return `padding:0.2rem 0.05rem 0.2rem 0.25rem;border:0;border-bottom:1px solid var(--dlw-grid);background:none;white-space:normal;text-align:${i ? "right" : "left"};`;
}

function checkbox({ name, color, dash }, hidden, changed) {
  const input = make("input", { type: "checkbox", style: "width:1.05rem;height:1.05rem;flex:none;margin:0;accent-color:var(--dlw-blue)", "data-action": `show ${name}` });
  input.checked = !hidden.has(name);
  input.addEventListener("change", () => { hidden[input.checked ? "delete" : "add"](name); changed(); });
  return { input, label: make("label", { style: "display:flex;gap:0.25rem;align-items:center;margin:0;min-height:1.6rem" }, input, swatch({ color, dash }), name) };
}

// A picture needs at least one curve, so the last one cannot be taken away.
function keepOne(boxes) {
  const left = boxes.filter(({ input }) => input.checked);
  for (const { input } of boxes) input.disabled = left.length === 1 && input.checked;
}

// ---------------------------------------------------------------- dragging (the sliders do the same from the keyboard)

function dragLanes(ui, plot) {
  let held = "prediction";
  const move = (event) => ui.set(held, ui.within(held, plot.at(event)[0]));
  const press = (event) => {
    const [x] = plot.at(event), { outlier, prediction } = ui.inputs;
    held = Math.abs(x - outlier) < Math.abs(x - prediction) ? "outlier" : "prediction";
    move(event);
  };
  plot.svg.style.cursor = "ew-resize";
  drag(plot.svg, { press, move, scroll: true });
}

function dragMargin(ui, plot) {
  const move = (event) => ui.set("margin", ui.within("margin", plot.at(event)[0]));
  const press = (event) => (ui.inputs.task === "classification" ? move(event) : false);
  drag(plot.svg, { press, move, scroll: true });
}

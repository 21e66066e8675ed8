import { Plot, button, format, make, mount, row } from "./kit.js";

const LOWEST = 1e-3;     // smallest error that is drawn
const HIGHEST = 1e3;     // and the largest
const LEAST = 1e-12;     // below this an error is told as zero up to rounding

export default {
  render(context) {
    return mount(context, (ui) => {
      const fit = new Plot({ width: 440, height: 320, margin: [8, 8, 42, 46], x: [-0.02, 1.02], y: [-3, 3], xlabel: "input x", ylabel: "target t", title: "The fit" });
      const sweep = new Plot({ width: 440, height: 320, margin: [8, 12, 42, 66], ylabel: "mean squared error", title: "Its errors and those of its neighbours" });
      const readouts = makeReadouts(ui);
      const { element, noise } = buttons(ui);
      ui.extra.append(element);
      ui.stage.append(fit.figure, sweep.figure);

      return (outputs) => {
        const { inputs } = outputs;      // those of these numbers; the sliders may have moved on
        // Without a penalty its strength has no effect, and the slider says so.
        ui.control("strength").querySelector("input").disabled = !ui.inputs.penalised;
        noise.disabled = ui.inputs.noise === 0;
        drawFit(fit, outputs, inputs);
        drawSweep(sweep, outputs, inputs);
        readouts(outputs);
        const text = sayResult(outputs, inputs);
        fit.describe(`${inputs.num_points} training points, the sine and the fitted curve, which runs from ${span(outputs.curve)}. ${text}`);
        sweep.describe(saySweep(outputs, inputs));
        return text;
      };
    });
  },
};

function buttons(ui) {
  const first = { ...ui.inputs };
  const noise = button("New noise", () => ui.set("seed", ui.next("seed")), { name: "noise" });
  const reset = button("Reset", () => ui.set(first), { name: "reset" });
  return { element: make("div", { class: "dlw-buttons" }, noise, reset), noise };
}

function makeReadouts(ui) {
  const names = { train: "training error", test: "test error", floor: "noise in it, σ²", off: "distance from the sine (rms)", largest: "largest weight",
    penalty: "penalty λ‖w‖²", bias2: "bias², mean over draws", variance: "variance over draws", excess: "bias² + variance" };
  const puts = Object.entries(names).map(([name, label]) => [name, ui.readout(name, label, 3)]);
  return (outputs) => {
    for (const [name, put] of puts) {
      put(outputs[name], outputs[name] > 0 && outputs[name] < LEAST ? "0 up to rounding" : undefined);
      put.element.hidden = ["bias2", "variance", "excess"].includes(name) && !outputs.others;
    }
  };
}

// ---------------------------------------------------------------- pictures

function drawFit(plot, { x, t, grid, truth, curve, others }, { num_points: count }) {
  const reach = Math.max(3, Math.ceil(Math.max(...t.map(Math.abs))));
  plot.clear({ y: [-reach, reach] });
  for (let i = 0; i < (others ? others.shape[0] : 0); i++) {
    plot.line(grid, row(others, i), { color: "pink", width: 1, opacity: 0.6, label: i ? undefined : "fits to other draws" });
  }
  plot.line(grid, truth, { color: "ink", dash: "6 4", width: 1.6, label: "sine" });
  plot.line(grid, curve, { color: "blue", width: 2.6, label: "fit" });
  plot.points(x, t, { color: "ink", radius: count > 40 ? 3 : 4.5, label: "training points" });
}

function drawSweep(plot, outputs, inputs) {
  const { sweep, floor, best } = outputs, strengths = inputs.against === "strength";
  const place = strengths ? Math.log10 : Number;       // strengths stand evenly by their powers of ten
  const xs = Array.from(sweep.at, place);
  const highest = Math.max(...sweep.test, ...(outputs.others ? sweep.variance : []), outputs.train);
  const top = Math.min(HIGHEST, Math.max(1, 10 ** Math.ceil(Math.log10(highest))));
  plot.clear({ x: [xs[0] - 0.4, xs.at(-1) + 0.4], y: [LOWEST, top], log: "y", xlabel: strengths ? "log₁₀ λ" : "degree" });
  if (floor > 0) plot.rule({ y: floor, color: "green", dash: "2 3", width: 2, label: "noise σ²" });
  const at = current(plot, inputs, place);
  const series = [["train", "training error", "blue", "7 4", "circle"], ["test", outputs.others ? "test error of this fit" : "test error", "orange", undefined, "square"]];
  if (outputs.others) series.push(["bias2", "bias²", "violet", "2 3", "triangle"], ["variance", "variance", "pink", "10 3 2 3", "circle"]);
  for (const [name, label, color, dash, shape] of series) {
    plot.line(xs, sweep[name], { color, dash, label });
    if (!strengths) plot.points(xs, sweep[name], { color, radius: 2.5, shapes: xs.map(() => shape) });
    if (at !== undefined) plot.points([at], [outputs[name]], { color, radius: 6, shapes: [shape] });
  }
  const least = Math.min(...sweep.test);
  if (least >= LOWEST) plot.text(place(best), least, "▼ least", { anchor: "start", dx: -5, dy: -11, size: 12 });
  if (outputs.train < LOWEST) sayBelow(plot, at ?? plot.x[0]);
}

// Where the fit of the left picture stands in the right one; without a penalty it has no place on an axis of λ.
function current(plot, { against, degree, penalised, strength }, place) {
  if (against === "strength" && !penalised) {
    plot.text(plot.x[0], plot.y[1], "← the fit shown: λ = 0", { anchor: "start", dx: 6, dy: 14, size: 12 });
    return undefined;
  }
  const at = place(against === "degree" ? degree : strength);
  plot.rule({ x: at, dash: "1 3" });
  return at;
}

// A training error of zero has no place on a logarithmic axis.
function sayBelow(plot, at) {
  const left = at < (plot.x[0] + plot.x[1]) / 2;
  plot.text(at, LOWEST, left ? "↓ training error" : "training error ↓", { anchor: left ? "start" : "end", dx: left ? 4 : -4, dy: -6, size: 12 });
}

// ---------------------------------------------------------------- words

function span(curve) {
  return `${format(Math.min(...curve), 3)} to ${format(Math.max(...curve), 3)}`;
}

function sayError(error) {
  return error < LEAST ? "zero up to rounding" : format(error, 3);
}

function sayResult({ train, test, floor, best, others, bias2, variance, expected }, inputs) {
  const { degree, penalised, strength, num_points: count, against } = inputs;
  const which = `Degree ${degree} ${penalised ? `with λ = ${format(strength, 3)}` : "without penalty"}`;
  const errors = `The mean squared error is ${sayError(train)} on the training points and ${sayError(test)} on new ones, ${format(floor, 3)} of which is their noise.`;
  const many = !penalised && degree + 1 > count ? ` With ${degree + 1} weights for ${count} points many polynomials meet them all; this one has the shortest weights.` : "";
  const mean = others ? ` Averaged over draws of the training noise, the test error is ${format(expected, 3)}: noise ${format(floor, 3)}, bias² ${format(bias2, 3)}, variance ${format(variance, 3)}.` : "";
  return `${which}. ${errors} For these points the test error is least at ${against === "degree" ? `degree ${best}` : `λ = ${format(best, 3)}`}.${many}${mean}`;
}

function saySweep({ sweep, best, train, test }, { against }) {
  const name = against === "degree" ? "degree" : "λ";
  const last = sweep.at.length - 1;
  return `Errors against ${name}, on a logarithmic axis. The training error goes from ${sayError(sweep.train[0])} at ${name} ${format(sweep.at[0], 3)} to `
    + `${sayError(sweep.train[last])} at ${format(sweep.at[last], 3)}, the test error from ${sayError(sweep.test[0])} to ${sayError(sweep.test[last])}, `
    + `with its least, ${sayError(Math.min(...sweep.test))}, at ${format(best, 3)}. The fit shown has ${sayError(train)} and ${sayError(test)}.`;
}

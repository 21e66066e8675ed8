import { Plot, colour, draw, fixed, mount } from "./kit.js";
import { SIDE, answer, drawingPad, frame, marks, picture, probability, probabilityBars } from "./pad.js";

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
        scale(outputs.scale);
        return summary(outputs, inputs);
      };
    });
  },
};

function rounded(number) {
  return fixed(number, 1);
}

function summary(outputs, inputs) {
  if (outputs.blank) {
    return "The paper is blank. With nothing to look at, the network answers from its biases alone: "
      + `${outputs.top} with ${probability(outputs.probabilities[outputs.top])}.`;
  }
  const treated = inputs.centre ? "" : ", from the drawing as it lies on the pad";
  const side = outputs.lead < 0 ? "behind" : "ahead of";
  return `${answer(outputs.probabilities)}${treated}. In score, ${outputs.digit} is ${rounded(Math.abs(outputs.lead))} ${side} ${outputs.rival}: `
    + `the pixels contribute ${rounded(outputs.from_pixels)}, the biases ${rounded(outputs.from_biases)}.`;
}

// ---------------------------------------------------------------- pictures of what Python returned

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

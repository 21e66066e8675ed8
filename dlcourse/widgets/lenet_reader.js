import { colour, fixed, format, frameAround, make, mount, paint, swatch, themeColours } from "./kit.js";
import { answer, drawingPad, frame, picture, probability, probabilityBars } from "./pad.js";

const SQUASHED = 1.7159; // no layer before the output exceeds it, so that one scale of colours serves all of them

// The layers in order: how wide a map is drawn (rem), or in how many columns units stand.
const LAYERS = [
  { name: "C1", about: "6 maps of 28 × 28", kind: "map", width: 2.9 },
  { name: "S2", about: "6 maps of 14 × 14", kind: "map", width: 2.3 },
  { name: "C3", about: "16 maps of 10 × 10", kind: "map", width: 1.9 },
  { name: "S4", about: "16 maps of 5 × 5", kind: "map", width: 1.5 },
  { name: "C5", about: "120 units", kind: "unit", columns: 40 },
  { name: "F6", about: "84 units", kind: "unit", columns: 28 },
  { name: "output", about: "10 scores", kind: "digit", width: 1.5 },
];
const layerOf = (name) => LAYERS.find((layer) => layer.name === name);

export default {
  render(context) {
    return mount(context, (ui) => {
      const pad = drawingPad(ui);
      const seen = picture(ui, "What LeNet-5 sees, 32 × 32", "11rem", 32);
      const bars = probabilityBars(ui);
      const stages = network(ui);
      const large = picture(ui, "Map", "13rem");
      const weights = weightsPanel(ui);
      const place = ui.readout("place", "strongest place");
      const value = ui.readout("value", "value", 3);
      const paper = ui.readout("paper", "on blank paper", 3);
      const size = ui.readout("size", "sees of the input");
      ui.accompany("layer", () => ({ unit: 0 }));

      return (outputs, inputs) => {
        pad.arrived(outputs, inputs);
        showSlider(ui.control("unit"), outputs, inputs);
        showSeen(seen, outputs, inputs);
        bars(outputs);
        stages(outputs, inputs);
        showMap(large, outputs, inputs);
        weights(outputs, inputs);
        value(outputs.value);
        paper(outputs.paper);
        const placed = layerOf(inputs.layer).kind === "map";
        value.rename(placed ? "value at this place" : "value");
        paper.rename(placed ? "there on blank paper" : "on blank paper");
        place.element.hidden = !placed;
        place(undefined, `row ${outputs.row + 1}, column ${outputs.column + 1}`);
        size(undefined, fieldText(outputs));
        return summary(outputs, inputs);
      };
    });
  },
};

// ---------------------------------------------------------------- words

function named({ kind }, unit) {
  return kind === "digit" ? `digit ${unit - 1}` : `${kind} ${unit}`;
}

function fieldText({ field: [top, left, bottom, right] }) {
  return bottom - top === 32 ? "all of it" : `${bottom - top} × ${right - left} pixels`;
}

// How the chosen one is named beside its slider, which reaches as far as the layer has maps.
function showSlider(element, outputs, inputs) {
  const slider = element.querySelector("input"), words = named(layerOf(inputs.layer), outputs.unit);
  slider.max = outputs.count;
  slider.value = inputs.unit;
  element.querySelector("output").textContent = inputs.unit ? words : `strongest: ${words}`;
  slider.setAttribute("aria-valuetext", inputs.unit ? words : `the strongest, ${words}`);
}

function summary(outputs, inputs) {
  if (outputs.blank) return `The paper is blank, and LeNet-5 answers all the same: ${outputs.top} with ${probability(outputs.probabilities[outputs.top])}.`;
  const treated = [inputs.centre ? "" : "neither centred nor rescaled", inputs.push ? `pushed aside by ${inputs.push}` : ""].filter(Boolean);
  return `${answer(outputs.probabilities)}${treated.length ? ` (${treated.join(", ")})` : ""}. ${aboutChosen(outputs, inputs)}`;
}

function aboutChosen(outputs, inputs) {
  const layer = layerOf(inputs.layer), [now, before] = [outputs.value, outputs.paper].map((value) => fixed(value, 2));
  if (layer.kind === "digit") return `The score of ${outputs.unit - 1} is ${now}, and on blank paper ${before}.`;
  if (layer.kind === "unit") return `Unit ${outputs.unit} of ${layer.name} says ${now}, and on blank paper ${before}; it sees the whole input.`;
  return `Map ${outputs.unit} of ${layer.name} differs most from blank paper in row ${outputs.row + 1}, column ${outputs.column + 1}: `
    + `${now} instead of ${before}. This place sees the ${fieldText(outputs)} framed in the input.`;
}

// ---------------------------------------------------------------- the input, and the chosen map

function showSeen(plot, outputs, inputs) {
  const [top, left, bottom, right] = outputs.field, { unit } = outputs, layer = layerOf(inputs.layer);
  plot.clear();
  plot.heat(outputs.input, 32, 32, { origin: "upper", map: "sequential", low: -0.1, high: 1.175 });
  frame(plot);
  ringPlace(plot, outputs.field);
  plot.note(`what ${layer.kind === "map" ? "the strongest place" : "it"} sees`, { color: "pink" });
  plot.describe(`The input of 32 by 32 pixels. ${layer.name}, ${named(layer, unit)}, sees rows ${top + 1} to ${bottom} and columns ${left + 1} to ${right}.`);
}

// A frame around one cell of a map, or around several of the input.
function ringPlace(plot, [top, left, bottom, right]) {
  const x = plot.toX(left), y = plot.toY(top);
  plot.add(frameAround(x - 1, y - 1, plot.toX(right) - x + 2, plot.toY(bottom) - y + 2, 3));
}

function showMap(plot, outputs, inputs) {
  const layer = layerOf(inputs.layer), values = outputs[layer.name], side = layer.kind === "map" ? values.shape[1] : 1;
  const own = values.subarray((outputs.unit - 1) * side * side, outputs.unit * side * side);
  const limit = limitOf(layer, values);
  plot.figure.style.maxWidth = side > 1 ? "20rem" : "9rem"; // a single number needs less room
  plot.clear({ x: [0, side], y: [side, 0] });
  plot.heat(own, side, side, { origin: "upper", low: -limit, high: limit, opacity: side > 1 ? 1 : 0.5 });
  frame(plot);
  plot.caption.textContent = `${layer.name}, ${named(layer, outputs.unit)}`;
  if (side === 1) {
    plot.text(0.5, 0.5, fixed(outputs.value, 2), { size: 60, dy: 20 });
    plot.describe(`A single number, ${fixed(outputs.value, 2)}.`);
    return;
  }
  ringPlace(plot, [outputs.row, outputs.column, outputs.row + 1, outputs.column + 1]);
  plot.note("strongest place", { color: "pink" });
  plot.describe(`${side} by ${side} numbers from ${fixed(least(own), 2)} to ${fixed(most(own), 2)}. Strongest in row ${outputs.row + 1}, `
    + `column ${outputs.column + 1}: ${fixed(outputs.value, 2)}.`);
}

function most(values) {
  return values.reduce((a, b) => Math.max(a, b), -Infinity);
}

function least(values) {
  return values.reduce((a, b) => Math.min(a, b), Infinity);
}

function largest(values) {
  return Math.max(most(values), -least(values), 1e-9);
}

function limitOf(layer, values) {
  return layer.kind === "digit" ? largest(values) : SQUASHED;
}

// ---------------------------------------------------------------- all layers as small pictures

// One figure: a row for each layer. Arrow keys walk through it, and only the chosen picture is a stop of the Tab key.
function network(ui) {
  const rows = LAYERS.map((layer) => (layer.kind === "unit" ? unitRow(ui, layer) : mapRow(ui, layer)));
  const legend = make("ul", { class: "dlw-legend", "aria-hidden": "true" });
  for (const [words, look] of [["above 0", { color: "blue", shape: "square" }], ["below 0", { color: "orange", shape: "square" }],
    ["chosen", { color: "pink" }], ["computed from", { color: "pink", dash: "4 3" }]]) legend.append(make("li", {}, swatch(look), words));
  const figure = make("figure", { class: "dlw-panel", style: "flex:1 1 100%" },
    make("figcaption", {}, "Every layer: choose a picture with a click or the arrow keys"), ...rows.map(({ element }) => element), legend);
  ui.stage.append(figure);
  let last = null;
  figure.addEventListener("keydown", (event) => {
    const next = step(event.key, last);
    if (!next) return;
    event.preventDefault();
    ui.set(next);
  });
  return (outputs, inputs) => {
    last = { layer: inputs.layer, unit: outputs.unit, count: outputs.count };
    const stops = themeColours(ui.root, ["orange", "paper", "blue"]), walking = figure.contains(document.activeElement);
    rows.forEach((one) => one.show(outputs, inputs, stops));
    if (walking) figure.querySelector("button[tabindex='0']").focus({ preventScroll: true });
  };
}

// Left and right through the layer's maps; up and down to the strongest map of another layer.
function step(key, { layer, unit, count }) {
  const across = { ArrowLeft: -1, ArrowRight: 1 }[key], along = { ArrowUp: -1, ArrowDown: 1 }[key];
  if (across) return { layer, unit: Math.max(1, Math.min(count, unit + across)) };
  const next = along && LAYERS[LAYERS.findIndex(({ name }) => name === layer) + along];
  return next ? { layer: next.name, unit: 0 } : undefined;
}

function rowOf(layer, content) {
  const name = make("span", { style: "flex:0 0 10.5rem;white-space:nowrap;font-size:0.88rem" }, make("b", {}, layer.name), `\u2002${layer.about}`);
  content.setAttribute("role", "group");
  content.setAttribute("aria-label", `${layer.name}, ${layer.about}`);
  return make("div", { style: "display:flex;flex-wrap:wrap;gap:0.1rem 0.4rem;align-items:center;margin:0 0 0.45rem" }, name, content);
}

const PICTURE = "position:relative;display:block;padding:0;border:0;background:none;color:inherit;font:inherit;line-height:1;cursor:pointer;";
const CANVAS = "display:block;width:100%;height:auto;image-rendering:pixelated;";

// Solid around what is chosen, dashed around what it is computed from; otherwise as thin as given.
function outline(element, chosen, source, thin = `1px solid ${colour("grid")}`) {
  element.style.border = chosen ? `3px solid ${colour("pink")}` : source ? `2px dashed ${colour("pink")}` : thin;
}

function mapRow(ui, layer) {
  const count = Number(layer.about.match(/\d+/)[0]);
  const pictures = Array.from({ length: count }, (_, k) => {
    const canvas = make("canvas", { style: CANVAS, "aria-hidden": "true" });
    const digit = layer.kind === "digit" ? make("span", { style: "font-size:0.88rem" }, String(k)) : null;
    const element = make("button", { type: "button", style: `${PICTURE}width:${layer.width}rem`, "aria-label": `${layer.name}, ${named(layer, k + 1)}` }, canvas, digit);
    element.addEventListener("click", () => ui.set({ layer: layer.name, unit: k + 1 }));
    return { canvas, element };
  });
  const all = make("div", { style: "display:flex;flex-wrap:wrap;gap:3px;align-items:center;padding:1px" }, ...pictures.map(({ element }) => element));
  const show = (outputs, inputs, stops) => {
    const values = outputs[layer.name], side = layer.kind === "map" ? values.shape[1] : 1, high = limitOf(layer, values);
    const source = outputs.below === layer.name, every = source && outputs.sources.length === count;
    outline(all, false, every, "2px solid transparent");
    pictures.forEach(({ canvas, element }, k) => {
      const chosen = inputs.layer === layer.name && outputs.unit === k + 1;
      paint(canvas, values.subarray(k * side * side, (k + 1) * side * side), side, side, { stops, low: -high, high, origin: "upper" });
      outline(canvas, chosen, source && !every && outputs.sources.includes(k));
      mark(element, chosen);
    });
  };
  return { element: rowOf(layer, make("div", { style: "flex:0 1 auto;min-width:0" }, all)), show };
}

function mark(element, chosen) {
  element.setAttribute("aria-pressed", String(chosen));
  element.tabIndex = chosen ? 0 : -1;
}

// Units in lines of `columns`, painted on one canvas; a click finds the one below it.
function unitRow(ui, layer) {
  const canvas = make("canvas", { style: CANVAS, "aria-hidden": "true" }), ring = make("span");
  const element = make("button", { type: "button", style: `${PICTURE}width:min(100%, ${layer.columns * 0.62}rem)` }, canvas, ring);
  let rows = 1;
  element.addEventListener("click", (event) => {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    const column = Math.floor((layer.columns * (event.clientX - left)) / width), line = Math.floor((rows * (event.clientY - top)) / height);
    const inside = column >= 0 && column < layer.columns && line >= 0 && line < rows;
    ui.set({ layer: layer.name, unit: event.detail && inside ? line * layer.columns + column + 1 : 0 }); // a key is at no place
  });
  const content = make("div", { style: "flex:1 1 18rem;min-width:0;padding:0 3px" }, element);
  const show = (outputs, inputs, stops) => {
    const values = outputs[layer.name], chosen = inputs.layer === layer.name;
    rows = values.length / layer.columns;
    paint(canvas, values, rows, layer.columns, { stops, low: -SQUASHED, high: SQUASHED, origin: "upper" });
    outline(canvas, false, outputs.below === layer.name);
    ringAround(ring, chosen && outputs.unit - 1, layer.columns, rows);
    mark(element, chosen);
    element.setAttribute("aria-label", chosen ? `${layer.name}, unit ${outputs.unit} of ${values.length}` : `${layer.name}, its strongest unit`);
  };
  return { element: rowOf(layer, content), show };
}

function ringAround(ring, unit, columns, rows) {
  const [x, y] = [unit % columns, Math.floor(unit / columns)];
  ring.hidden = unit === false;
  Object.assign(ring.style, { position: "absolute", left: `calc(${(100 * x) / columns}% - 2px)`, top: `calc(${(100 * y) / rows}% - 2px)`,
    width: `calc(${100 / columns}% + 4px)`, height: `calc(${100 / rows}% + 4px)`, border: `3px solid ${colour("pink")}`, outline: `1px solid ${colour("paper")}`, pointerEvents: "none" });
}

// ---------------------------------------------------------------- weights

function weightsPanel(ui) {
  const caption = make("figcaption"), pictures = make("div", { style: "display:flex;flex-wrap:wrap;gap:6px", role: "img" });
  const words = make("p", { class: "dlw-about", style: "margin:0.3rem 0 0;font-size:0.88rem" });
  ui.stage.append(make("figure", { class: "dlw-panel", style: "flex:1 1 16rem" }, caption, pictures, words));
  return (outputs, inputs) => {
    const layer = layerOf(inputs.layer), { weights, sources } = outputs, [count, side] = weights.shape;
    const single = side === 1 && count === 1, stops = themeColours(ui.root, ["orange", "paper", "blue"]);
    caption.textContent = single ? "No kernel" : side > 1 ? `Its ${count > 1 ? `${count} kernels` : "kernel"} of 5 × 5` : `Its ${count} weights, placed as ${outputs.below} above`;
    pictures.hidden = single;
    pictures.replaceChildren(...(side > 1 ? kernels(weights, sources, stops, outputs.below) : line(weights, layerOf(outputs.below), stops)));
    pictures.setAttribute("aria-label", `${weights.length} weights from ${format(least(weights), 3)} to ${format(most(weights), 3)}.`);
    words.textContent = rule(layer, outputs);
  };
}

function rule({ name, kind }, { weights, bias, below }) {
  const end = `plus the bias ${format(bias, 3)}${kind === "digit" ? "" : ", squashed"}.`;
  if (weights.length === 1) return `The mean of 2 × 2 places, times ${format(weights[0], 3)}, ${end}`;
  return `Weights times ${below === "input" ? "pixels" : below}${name.startsWith("C") ? " below them" : ""}, summed, ${end}`;
}

function kernels(weights, sources, stops, below) {
  const high = largest(weights), side = weights.shape[1], size = side * side;
  return sources.map((source, k) => {
    const canvas = make("canvas", { style: `${CANVAS}border:1px solid ${colour("edge")}` });
    paint(canvas, weights.subarray(k * size, (k + 1) * size), side, side, { stops, low: -high, high, origin: "upper" });
    const label = below === "input" ? "on the input" : `on ${source + 1}`;
    return make("span", { style: `width:${sources.length > 6 ? 2.6 : sources.length > 1 ? 4.2 : 6}rem;font-size:0.88rem;color:${colour("muted")}` }, canvas, label);
  });
}

// The weights of a fully connected unit, in the places of the units that they belong to.
function line(weights, below, stops) {
  if (!below?.columns) return [];
  const high = largest(weights), canvas = make("canvas", { style: `${CANVAS}border:1px solid ${colour("edge")}` });
  paint(canvas, weights, weights.length / below.columns, below.columns, { stops, low: -high, high, origin: "upper" });
  return [canvas];
}

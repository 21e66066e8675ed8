import { Plot, button, colour, drag, draw, format, make, mount, player, row, swatch } from "./kit.js";

// Each optimiser has a colour, a dash and a shape, so that none depends on its colour alone.
const LOOKS = {
  sgd: { color: "blue", shape: "circle" },
  momentum: { color: "orange", dash: "9 3", shape: "square" },
  nesterov: { color: "green", dash: "2 3", shape: "triangle" },
  adagrad: { color: "pink", dash: "10 3 2 3", shape: "square" },
  rmsprop: { color: "gold", dash: "5 3", shape: "circle" },
  adam: { color: "violet", shape: "triangle" },
  adamw: { color: "ink", dash: "4 2", shape: "circle" },
};
const FARTHEST = 4000;   // pixels: what lies further out is drawn at this distance, in its direction
const WIDEST = 660;      // pixels: the picture of the paths, axis labels included
const TALLEST = 360;     // and its height without them, when the valley is turned,
const SHORTEST = 130;    // and when it lies flat on a narrow screen

export default {
  render(context) {
    return mount(context, (ui) => {
      const labels = Object.fromEntries(ui.about("tune").options);
      const map = new Plot({ width: WIDEST, height: 194, margin: [8, 8, 42, 46], xlabel: "weight w₁", ylabel: "weight w₂", title: " " });
      const curves = new Plot({ width: WIDEST, height: 260, margin: [8, 8, 42, 66], log: "y", xlabel: "step", ylabel: "loss", title: "Loss, on a logarithmic axis" });
      const table = resultTable(ui, labels);
      const limit = limitReadout(ui, labels);
      let outputs, background;

      const walk = player({
        label: "Step",
        interval: 90,
        show(step) {
          drawMap(map, background, outputs, ui.inputs, step);
          drawCurves(curves, outputs, ui.inputs, step);
          table.show(outputs, ui.inputs, step);
          map.describe(sayPlaces(outputs, labels, step));
          const losses = sayLosses(outputs, labels, step);
          curves.describe(`Loss against step, falling from ${format(outputs.first, 3)}. ${losses}`);
          return losses;
        },
      });
      const handle = startHandle(ui, map, () => outputs);
      const noise = resetAndNoise(ui, walk);
      ui.extra.append(walk.element);
      map.figure.style.cssText = curves.figure.style.cssText = `flex:1 1 100%;max-width:${WIDEST}px`;
      ui.stage.append(map.figure, curves.figure, table.element);
      ui.accompany("surface", (name) => {       // a saddle has another telling start than a ravine
        const [along, across] = outputs.starts[name];
        return { start_along: along, start_across: across };
      });

      return (next, inputs) => {
        outputs = next;
        showSliders(ui, inputs.tune);
        noise.disabled = inputs.noise === 0;
        const stretch = fitScales(map, outputs.half);
        map.caption.textContent = `Paths, ${stretch > 1.05 ? `stretched ${format(stretch, 2)} times upwards` : "both axes to the same scale"}; `
          + (outputs.bottoms.shape[0] > 1 ? "the stars are the minima" : "the star is the minimum");
        map.clear({ x: [-outputs.half[0], outputs.half[0]], y: [-outputs.half[1], outputs.half[1]] });
        background = contours(map, outputs);
        handle.place(outputs.start);
        limit(outputs.limit, inputs);
        const ended = walk.index >= walk.length - 1, { steps } = outputs;     // the sliders may have moved on
        walk.resize(steps + 1, ended ? steps : undefined);
        return sayResult(outputs, labels);
      };
    });
  },
};

// ---------------------------------------------------------------- controls

// Every setting of every optimiser is a control; only those of the one to tune are in sight.
function showSliders(ui, tuned) {
  for (const rule of Object.keys(LOOKS)) {
    for (const name of Object.keys(ui.inputs).filter((key) => key.startsWith(`${rule}_`) && key !== `${rule}_on`)) {
      ui.control(name).hidden = rule !== tuned;
    }
  }
}

function resetAndNoise(ui, walk) {
  const first = { ...ui.inputs };
  const noise = button("New noise", () => ui.set("seed", ui.next("seed")), { name: "noise" });
  const reset = button("Reset", () => { walk.stop(); ui.set(first); }, { name: "reset" });
  walk.buttons.append(noise, reset);
  return noise;
}

// The start can be dragged; the two sliders of the start do the same by keyboard.
function startHandle(ui, map, outputs) {
  const ring = draw("circle", { r: 8, fill: "none", stroke: colour("ink"), "stroke-width": 2 });
  const grip = draw("circle", { r: 20, fill: "transparent", style: "cursor:grab" });
  drag(grip, { press: (event) => event.preventDefault(), move: (event) => ui.set(startAt(ui, map.at(event), outputs().axes)) });
  map.svg.append(ring, grip);
  return {
    place([x, y]) {
      for (const circle of [ring, grip]) {
        circle.setAttribute("cx", map.toX(x));
        circle.setAttribute("cy", map.toY(y));
      }
    },
  };
}

// A place in the picture, told in the valley's own directions and kept to the sliders' ends and steps.
function startAt(ui, [x, y], axes) {
  return {
    start_along: ui.within("start_along", axes[0] * x + axes[2] * y),
    start_across: ui.within("start_across", axes[1] * x + axes[3] * y),
  };
}

function limitReadout(ui, labels) {
  const put = ui.readout("limit", "");
  return (limit, { tune, surface }) => {
    put.rename(`${labels[tune]}: largest stable rate`);
    put(limit ?? (surface === "ravine" ? "no fixed limit" : "told for the ravine only"));
  };
}

// ---------------------------------------------------------------- the picture of the paths

// A ravine has to look as steep as it is: a unit is as many pixels upwards as across. On a narrow screen that would
// leave a strip too low to see a path in, so there it is stretched; by how much is returned.
function fitScales(map, [across, up]) {
  const [top, right, bottom, left] = map.margin;
  const room = Math.max(240, Math.min(WIDEST, map.figure.clientWidth || WIDEST)) - left - right;
  const unit = Math.min(room / (2 * across), TALLEST / (2 * up)), height = Math.max(SHORTEST, 2 * up * unit);
  map.widest = Math.round(2 * across * unit) + left + right;
  map.highest = Math.round(height) + top + bottom;
  map.svg.style.maxWidth = `${map.widest}px`;
  return height / (2 * up * unit);
}

// Contour lines as filled shapes laid over each other: the lower, the darker.
function contours(map, { contours: lines, levels }) {
  const [, , count] = lines.shape;
  const group = draw("g", { fill: colour("blue"), "fill-opacity": 0.07, stroke: colour("muted"), "stroke-width": 0.8, "stroke-opacity": 0.7 });
  for (let level = 0; level < levels.length; level++) {
    const upper = 2 * level * count, lower = upper + count;
    let d = "";
    for (let i = 0; i < count; i++) {
      if (Number.isNaN(lines[2 * (upper + i)])) continue;
      let end = i;
      while (end + 1 < count && !Number.isNaN(lines[2 * (upper + end + 1)])) end++;
      const there = Array.from({ length: end - i + 1 }, (_, k) => upper + i + k);
      const back = Array.from({ length: end - i + 1 }, (_, k) => lower + end - k);
      d += `M${[...there, ...back].map((k) => `${map.toX(lines[2 * k]).toFixed(1)} ${map.toY(lines[2 * k + 1]).toFixed(1)}`).join("L")}Z`;
      i = end;
    }
    group.append(draw("path", { d }));
  }
  return group;
}

// In pixels; a place far outside is moved closer in its direction, as an SVG path stands no huge numbers.
function pixels(map, x, y) {
  const cx = map.toX(0), cy = map.toY(0), dx = map.toX(x) - cx, dy = map.toY(y) - cy;
  const shrink = Math.min(1, FARTHEST / Math.hypot(dx, dy)) || 1;
  return [cx + shrink * dx, cy + shrink * dy];
}

function placesOf(map, outputs, i) {
  const [, length] = outputs.paths.shape;
  const places = [];
  for (let t = 0; t < length; t++) {
    const [x, y] = outputs.paths.subarray(2 * (i * length + t));
    if (Number.isNaN(x)) break;
    places.push(pixels(map, x, y));
  }
  return places;
}

function trace(map, places, { color, dash }, width, opacity) {
  const d = places.map(([x, y], k) => `${k ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
  map.add(draw("path", { d, fill: "none", stroke: colour(color), "stroke-width": width, "stroke-dasharray": dash, "stroke-linejoin": "round", opacity }));
}

// One dot a step, in a single path: lines of no length with round ends.
function stepDots(map, places, { color }) {
  const d = places.map(([x, y]) => `M${x.toFixed(1)} ${y.toFixed(1)}h0`).join("");
  map.add(draw("path", { d, stroke: colour(color), "stroke-width": 4, "stroke-linecap": "round" }));
}

function drawMap(map, background, outputs, inputs, step) {
  map.clear();
  map.add(background);
  outputs.names.forEach((name, i) => {
    const places = placesOf(map, outputs, i), so = places.slice(0, step + 1), width = widthOf(name, inputs);
    trace(map, places, LOOKS[name], width, 0.22);
    trace(map, so, LOOKS[name], width);
    stepDots(map, so, LOOKS[name]);
  });
  for (let i = 0; i < outputs.bottoms.shape[0]; i++) map.text(...row(outputs.bottoms, i), "★", { size: 20, dy: 7 });
  outputs.names.forEach((name, i) => {          // on top of all paths: where each is now
    const [, length] = outputs.paths.shape, [x, y] = outputs.paths.subarray(2 * (i * length + step));
    map.points([x], [y], { color: LOOKS[name].color, shapes: [LOOKS[name].shape], radius: 6 });
  });
}

// ---------------------------------------------------------------- the picture of the losses

function drawCurves(curves, outputs, inputs, step) {
  const { first, target } = outputs;
  const ends = first > 0 ? [10 ** (Math.floor(Math.log10(target)) - 1), 10 ** (Math.ceil(Math.log10(first)) + 1)] : [1e-6, 1e2];
  const steps = Array.from({ length: outputs.steps + 1 }, (_, t) => t);
  curves.clear({ x: [0, outputs.steps], y: ends });
  if (first > 0) curves.rule({ y: target, label: "a ten-thousandth of the first loss" });
  curves.rule({ x: step, dash: "1 3" });
  outputs.names.forEach((name, i) => {
    const losses = row(outputs.losses, i), { color, dash, shape } = LOOKS[name], width = widthOf(name, inputs);
    curves.line(steps, losses, { color, dash, width, opacity: 0.25 });
    curves.line(steps.slice(0, step + 1), losses, { color, dash, width });
    curves.points([step], [losses[step]], { color, shapes: [shape], radius: 5 });
  });
}

function widthOf(name, inputs) {
  return name === inputs.tune ? 2.4 : 1.5;
}

// ---------------------------------------------------------------- results in words and numbers

// The switches stand in the table, beside what they switch: it is the legend of both pictures.
function resultTable(ui, labels) {
  const body = make("tbody");
  const cells = {};
  const style = "padding:0.1rem 0.3rem 0.1rem 0;text-align:left;font-weight:400;vertical-align:middle;border:0";
  for (const name of Object.keys(LOOKS)) {
    const toggle = ui.control(`${name}_on`);
    toggle.style.cssText = "grid-template-columns:auto auto 1fr;gap:0 0.35rem";     // narrow, for a phone
    toggle.querySelector("input").after(swatch({ ...LOOKS[name], both: true }));
    cells[name] = ["rate", "loss", "result"].map(() => make("td", { style: `${style};font-variant-numeric:tabular-nums` }));
    body.append(make("tr", { "data-name": name }, make("th", { scope: "row", style }, toggle), ...cells[name]));
  }
  const heads = ["Optimiser", "Rate η", "Loss now", "Arrived at step"].map((head) => make("th", { scope: "col", style }, head));
  const table = make("table", { style: "width:100%;border-collapse:collapse;font-size:0.88rem;margin:0;color:inherit" }, make("thead", {}, make("tr", {}, ...heads)), body);
  return {
    element: make("div", { style: "flex:1 1 100%;min-width:0;max-width:36rem;overflow-x:auto;padding:3px" }, table),
    show(outputs, inputs, step) {
      for (const name of Object.keys(LOOKS)) {
        const i = outputs.names.indexOf(name), [rate, now, result] = cells[name];
        rate.textContent = format(inputs[`${name}_lr`], 3);
        now.textContent = i < 0 ? "–" : sayLoss(row(outputs.losses, i)[step]);
        result.textContent = i < 0 ? "–" : sayEnd(outputs, i);
        for (const cell of cells[name]) cell.style.fontWeight = name === inputs.tune ? "600" : "400";
      }
    },
  };
}

function sayLoss(loss) {
  return Number.isNaN(loss) ? "beyond measure" : format(loss, 3);
}

function sayEnd(outputs, i) {
  if (outputs.left[i] !== null) return `left at ${outputs.left[i]}`;
  return outputs.arrived[i] === null ? `not in ${outputs.steps}` : String(outputs.arrived[i]);
}

function sayResult(outputs, labels) {
  const { names, arrived, left } = outputs;
  if (!names.length) return "No optimiser takes part. Tick one in the table.";
  if (names.length === 1) return sayAlone(outputs, labels[names[0]]);
  const there = names.filter((_, i) => arrived[i] !== null);
  const fastest = there.sort((a, b) => arrived[names.indexOf(a)] - arrived[names.indexOf(b)])[0];
  const gone = names.filter((_, i) => left[i] !== null).map((name) => labels[name]);
  const first = fastest
    ? `${labels[fastest]} is first to stay below a ten-thousandth of the first loss, after ${arrived[names.indexOf(fastest)]} steps; `
      + `${there.length} of ${names.length} get there within ${outputs.steps}.`
    : `None stays below a ten-thousandth of the first loss within ${outputs.steps} steps.`;
  return gone.length ? `${first} Out of the picture at the end: ${gone.join(", ")}.` : first;
}

function sayAlone({ arrived: [arrived], left: [left], steps }, label) {
  const gone = left === null ? "" : ` It is out of the picture from step ${left} on.`;
  return (arrived === null
    ? `${label} does not get below a ten-thousandth of the first loss, to stay there, within ${steps} steps.`
    : `${label} stays below a ten-thousandth of the first loss from step ${arrived} on.`) + gone;
}

function sayPlaces(outputs, labels, step) {
  const [, length] = outputs.paths.shape;
  const places = outputs.names.map((name, i) => {
    const [x, y] = outputs.paths.subarray(2 * (i * length + step));
    return `${labels[name]} ${Number.isNaN(x) ? "far outside" : `at (${format(x, 3)}, ${format(y, 3)})`}`;
  });
  return `Contour lines of the loss with the paths from (${format(outputs.start[0], 3)}, ${format(outputs.start[1], 3)}). After step ${step}: ${places.join(", ") || "none"}.`;
}

function sayLosses(outputs, labels, step) {
  const losses = outputs.names.map((name, i) => `${labels[name]} ${sayLoss(row(outputs.losses, i)[step])}`);
  return `After step ${step}: ${losses.join(", ") || "none"}.`;
}

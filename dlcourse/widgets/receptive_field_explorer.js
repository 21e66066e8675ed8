import { Plot, colour, draw, format, mount, percent } from "./kit.js";

const KINDS = ["plain", "stride", "pooling", "dilation"];
const NAMES = { plain: "stride 1", stride: "stride 2", pooling: "pooling by 2", dilation: "dilation" };
const COLOURS = { plain: "blue", stride: "orange", pooling: "green", dilation: "violet" };
const DASHES = { plain: undefined, stride: "7 4", pooling: "2 3", dilation: "9 3 2 3" };

export default {
  render(context) {
    return mount(context, (ui) => {
      const cone = new Plot({ width: 720, height: 330, bare: true, margin: [8, 8, 60, 92], title: "What the unit at the top sees" });
      cone.figure.style.flex = "1 1 100%";
      const growth = new Plot({ width: 720, height: 240, log: "y", xlabel: "layers", ylabel: "pixels", title: "Size of the field against depth (stride 2 and dilation grow alike)" });
      ui.stage.append(cone.figure, growth.figure);
      const size = ui.readout("size", "receptive field, pixels");
      const jump = ui.readout("jump", "from unit to unit, pixels");
      const core = ui.readout("core", "pixels with 95% of the weight");
      const stacked = ui.readout("stacked", "weights of these square kernels");
      const single = ui.readout("single", "weights of one kernel as large");
      return (outputs, inputs) => {
        drawCone(cone, outputs);
        drawGrowth(growth, outputs, inputs);
        size(outputs.size);
        jump(outputs.jump);
        core(outputs.core);
        stacked(outputs.stacked);
        single(outputs.single, outputs.single.toLocaleString("en"));
        return sentences(outputs, inputs).join(" ");
      };
    });
  },
};

// ---------------------------------------------------------------- the layers, one above the other

function drawCone(plot, outputs) {
  const { left, right, names, places, all_places: all } = outputs;
  plot.clear({ x: [left - 0.5, right + 0.5], y: [0, names.length - 1] });
  outputs.edges.forEach((pairs, level) => connect(plot, pairs, level, outputs.crowded[level]));
  const room = plot.toX(1) - plot.toX(0);
  names.forEach((name, level) => {
    const apart = all[level].length > 1 ? (all[level][1] - all[level][0]) * room : plot.width;
    units(plot, all[level], level, apart, "grid");
    units(plot, places[level], level, apart, level === names.length - 1 ? "orange" : "blue");
    plot.add(draw("text", { class: "dlw-tick", x: 84, y: plot.toY(level) + 4, "text-anchor": "end" }, name));
  });
  weightBars(plot, outputs, room);
  plot.describe(`${names.length - 1} layers above ${right - left + 1} pixels. The unit at the top sees pixels ${format(outputs.first)} to `
    + `${format(outputs.first + outputs.size - 1)}. ${percent(middleThird(outputs.weights))} of the weight lies in the middle third.`);
}

// Lines where they can be told apart, otherwise the area that they fill.
function connect(plot, pairs, level, crowded) {
  const below = plot.toY(level), above = plot.toY(level + 1), count = pairs.shape[0];
  if (!crowded) {
    let path = "";
    for (let i = 0; i < count; i++) path += `M${plot.toX(pairs[2 * i]).toFixed(1)} ${below}L${plot.toX(pairs[2 * i + 1]).toFixed(1)} ${above}`;
    plot.add(draw("path", { d: path, stroke: colour("muted"), "stroke-width": 0.8, fill: "none" }));
    return;
  }
  const [a, b, c, d] = [pairs[0], pairs[1], pairs[2 * count - 2], pairs[2 * count - 1]].map((x) => plot.toX(x));
  plot.add(draw("path", { d: `M${a} ${below}L${b} ${above}L${d} ${above}L${c} ${below}Z`, fill: colour("grid"), opacity: 0.7 }));
}

// Dots; where they would touch, ticks.
function units(plot, middles, level, apart, color) {
  const y = plot.toY(level), radius = Math.min(5, apart / 2.6);
  if (radius >= 1.6) {
    for (const x of middles) plot.add(draw("circle", { cx: plot.toX(x), cy: y, r: radius, fill: colour(color) }));
    return;
  }
  let path = "";
  for (const x of middles) path += `M${plot.toX(x).toFixed(1)} ${y - 4}v8`;
  plot.add(draw("path", { d: path, stroke: colour(color), "stroke-width": Math.max(0.6, 0.7 * apart) }));
}

// Hanging below the pixels: the longer, the more a pixel counts.
function weightBars(plot, { weights, first }, room) {
  const top = plot.toY(0) + 10, longest = Math.max(...weights), group = draw("g");
  weights.forEach((weight, i) => {
    const x = plot.toX(first + i), height = 44 * weight / longest;
    group.append(draw("rect", { x: x - 0.4 * room, y: top, width: Math.max(0.7, 0.8 * room), height, fill: colour("blue"), opacity: 0.7 }));
  });
  plot.add(group);
  plot.add(draw("text", { class: "dlw-tick", x: 84, y: top + 26, "text-anchor": "end" }, "weight"));
}

function middleThird(weights) {
  const third = Math.floor(weights.length / 3);
  return weights.subarray(third, weights.length - third).reduce((sum, weight) => sum + weight, 0);
}

// ---------------------------------------------------------------- growth with depth

function drawGrowth(plot, { growth }, { depth, kind }) {
  const [kinds, count] = growth.shape, xs = Array.from({ length: count }, (_, i) => i + 1);
  plot.clear({ x: [0.7, count + 0.3], y: [1, 10 ** Math.ceil(Math.log10(Math.max(...growth)))] });
  for (let k = 0; k < kinds; k++) {
    const name = KINDS[k], chosen = name === kind, values = growth.subarray(k * count, (k + 1) * count);
    plot.line(xs, values, { color: COLOURS[name], dash: DASHES[name], width: chosen ? 3.5 : 1.5, label: NAMES[name] });
    if (chosen) plot.points([depth], [values[depth - 1]], { color: COLOURS[name], radius: 6 });
  }
  plot.describe(`Size of the receptive field against the number of layers, one to ${count}. `
    + KINDS.map((name, k) => `${NAMES[name]}: ${Array.from(growth.subarray(k * count, (k + 1) * count)).join(", ")}`).join("; ") + ".");
}

// ---------------------------------------------------------------- what can be seen, in words

function sentences({ size, jump, first, core, stacked, single }, { depth, kernel_size: kernel, kind }) {
  const each = kind === "plain" ? `Each layer adds ${kernel - 1}.` : {
    stride: "Strides multiply: each layer adds twice as many pixels as the one before.",
    pooling: "Each pooling doubles the steps, so that the next layer adds twice as many pixels.",
    dilation: "Each layer reaches twice as far as the one before, and yet units stay one pixel apart.",
  }[kind];
  const wide = core === size ? "All of them are needed for 95% of the weight." : `95% of the weight lies on ${core} of them.`;
  const cost = stacked < single ? `For images, ${depth} ${depth === 1 ? "layer of" : "layers of"} ${kernel} × ${kernel} weights see as much as one kernel of ${size} × ${size}.` : "";
  return [`The unit sees ${size} pixels, from ${format(first)} to ${format(first + size - 1)}; its neighbour sees as many, ${jump === 1 ? "one pixel" : `${jump} pixels`} further on.`,
    depth > 1 ? each : "", wide, cost].filter(Boolean);
}

import { Plot, bracket, colour, draw, format, make, mount, player } from "./kit.js";

// Where the nodes stand, from the leaves at the top to the result at the bottom.
const LAYOUTS = {
  product: { height: 340, x: [70, 66], y: [200, 66], z: [330, 66], q: [135, 180], f: [230, 295] },
  penalty: { height: 470, w: [105, 66], x: [335, 66], p: [245, 165], d: [245, 250], e: [245, 335], s: [65, 195], h: [65, 300], L: [155, 430] },
  neuron: { height: 620, w: [60, 66], x: [220, 66], b: [340, 66], p: [140, 165], n: [240, 250], a: [240, 333], d: [240, 416], e: [240, 499], E: [240, 582] },
};
const BOX = { leaf: 78, node: 72, height: 34 };

export default {
  render(context) {
    return mount(context, (ui) => {
      const plot = new Plot({ width: 400, height: 470, x: [0, 400], y: [470, 0], bare: true, margin: [0, 0, 0, 0], title: "Forward down, backward up" });
      const curve = new Plot({ width: 400, height: 260, title: " " });
      const tape = make("ol", { style: "margin:0 0 1rem;padding-left:2.2rem;font-size:0.88rem;font-variant-numeric:tabular-nums" });
      const steps = make("figure", { style: "margin:0" }, make("figcaption", {}, "Every step so far"), tape);
      const show = { gradient: ui.readout("gradient", "backward pass"), quotient: ui.readout("quotient", "difference quotient"),
        difference: ui.readout("difference", "they differ by") };
      let outputs = null, inputs = null, frames = [], graph = "";

      const walk = player({ label: "Step", interval: 1200, story: "max(2.9em, calc(9em - 14cqw))", show: (k) => {
        const text = tellFrame(outputs, frames[k]);
        drawGraph(plot, LAYOUTS[inputs.graph], outputs, frames, k);
        drawTape(tape, outputs, frames, k);
        plot.describe(`Computational graph with result ${outputs.result}. ${text} ${tellNumbers(outputs, frames, k)}`);
        return text;
      } });
      ui.extra.append(walk.element);
      ui.stage.append(plot.figure, make("div", { class: "dlw-panel" }, steps, curve.figure));
      // Another graph begins with numbers of its own.
      ui.accompany("graph", (name) => ({ ...outputs.starts[name], leaf: Object.keys(outputs.starts[name])[0] }));

      return (next, chosen) => {
        [outputs, inputs] = [next, chosen];
        frames = makeFrames(outputs);
        fitControls(ui, outputs);
        drawCurve(curve, outputs, inputs.nudge);
        show.gradient(outputs.gradient);
        show.quotient(outputs.quotient);
        show.difference(outputs.difference);
        const other = inputs.graph !== graph;
        graph = inputs.graph;
        if (other) walk.stop();
        walk.resize(frames.length, other ? frames.length - 1 : walk.index);
        return tellNudge(outputs, inputs.nudge);
      };
    });
  },
};

// ---------------------------------------------------------------- controls

// A graph has its own leaves: the sliders and options of the others are put away.
function fitControls(ui, outputs) {
  for (const name of "wxyzbT") ui.control(name).hidden = !(name in outputs.leaves || name in outputs.constants);
  const select = ui.control("leaf").querySelector("select");
  for (const option of select.options) option.hidden = option.disabled = !(option.value in outputs.leaves);
  select.value = outputs.leaf;
}

// ---------------------------------------------------------------- steps

/** The leaves, each node forward, the result's own derivative, each node backward, and the outcome. */
function makeFrames({ nodes, messages }) {
  const computed = nodes.filter((node) => node.formula);
  const sent = [...new Set(messages.map((message) => message.source))];
  return [{ kind: "leaves" }, ...computed.map((node) => ({ kind: "forward", node })), { kind: "seed" },
    ...sent.map((source) => ({ kind: "backward", source, messages: messages.filter((message) => message.source === source) })), { kind: "end" }];
}

/** What is known at a frame: values by name, messages in order, and what each node has been sent. */
function knownAt(outputs, frames, k) {
  const past = frames.slice(0, k + 1);
  const messages = past.filter((frame) => frame.kind === "backward").flatMap((frame) => frame.messages);
  const totals = past.some((frame) => frame.kind === "seed") ? { [outputs.result]: 1 } : {};
  for (const message of messages) totals[message.target] = message.total;
  const computed = past.filter((frame) => frame.kind === "forward").map((frame) => [frame.node.name, frame.node.value]);
  return { values: { ...outputs.leaves, ...Object.fromEntries(computed) }, messages, totals };
}

// ---------------------------------------------------------------- words

// In the graph there is room for 0.00091, but hardly for 9.09 × 10⁻⁴.
function brief(value) {
  const size = Math.abs(value);
  if (size >= 1e-3 || size === 0) return format(value);
  return size >= 1e-5 ? String(Number(value.toPrecision(2))).replace("-", "−") : format(value, 2).replace(" × ", "·");
}

const symbols = (text) => text.replace(/[{}]/g, "");
const wrap = (text) => (/[×−]/.test(text.slice(1)) ? `(${text})` : text);
const derivative = (outputs, name) => `∂${outputs.result}/∂${name}`;

function numbersIn(outputs, text) {
  const values = { ...outputs.constants, ...Object.fromEntries(outputs.nodes.map((node) => [node.name, node.value])) };
  return text.replace(/\{(\w+)\}/g, (_, name) => bracket(format(values[name]))).replace("((", "(").replace("))", ")");   // σ((−1)) has one pair too many
}

function tellForward(outputs, node) {
  return `${node.name} = ${symbols(node.formula)} = ${numbersIn(outputs, node.formula)} = ${format(node.value)}`;
}

function tellProduct(outputs, { source, rule, local, upstream, message }) {
  return `${wrap(symbols(rule))} · ${derivative(outputs, source)} = ${bracket(format(local))} · ${bracket(format(upstream))} = ${format(message)}`;
}

// The second message to the same node is added to the first.
function tellSum(message, earlier) {
  return earlier === undefined ? "" : `${message.target} is used twice, so its messages add up: ${format(earlier)} + ${bracket(format(message.message))} = ${format(message.total)}.`;
}

function earlierTotal(outputs, message) {
  const before = outputs.messages.slice(0, outputs.messages.indexOf(message)).filter(({ target }) => target === message.target);
  return before.at(-1)?.total;
}

function tellFrame(outputs, frame) {
  const leaves = Object.entries(outputs.leaves);
  switch (frame.kind) {
    case "leaves": return `The leaves are given: ${leaves.map(([name, value]) => `${name} = ${format(value)}`).join(", ")}. Nothing is computed yet.`;
    case "forward": return `Forward: ${tellForward(outputs, frame.node)}.`;
    case "seed": return `The forward pass is done. The backward pass begins at the result, with ${derivative(outputs, outputs.result)} = 1.`;
    case "backward": return tellBackward(outputs, frame);
    default: return `Both passes are done: ${leaves.map(([name]) => `${derivative(outputs, name)} = ${format(gradientOf(outputs, name))}`).join(", ")}.`;
  }
}

function tellBackward(outputs, { source, messages }) {
  const parts = messages.map((message) => `${tellProduct(outputs, message)} goes to ${message.target}`);
  const sums = messages.map((message) => tellSum(message, earlierTotal(outputs, message))).join(" ");
  return `Backward: ${source} has been told ${derivative(outputs, source)} = ${format(messages[0].upstream)}, and multiplies: ${parts.join(", and ")}. ${sums}`.trim();
}

function gradientOf(outputs, name) {
  return outputs.nodes.find((node) => node.name === name).grad;
}

function tellNumbers(outputs, frames, k) {
  const { values, totals } = knownAt(outputs, frames, k);
  return Object.entries(values).map(([name, value]) => `${name} = ${format(value)}${name in totals ? `, derivative ${format(totals[name])}` : ""}`).join("; ");
}

function tellNudge({ result, leaf, at, below, above, quotient, gradient, difference }, nudge) {
  const digits = format(above) === format(below) ? 12 : 4;     // after a tiny nudge the results part late
  return `Check: with ${leaf} = ${format(at)} ± ${format(nudge)} the result ${result} is ${format(above, digits)} and ${format(below, digits)}. The difference, divided by ${format(2 * nudge)}, is ${format(quotient)}; `
    + `the backward pass says ${format(gradient)}${difference === 0 ? ", the same" : `. The two differ by ${format(difference, 3)}`}.`;
}

// ---------------------------------------------------------------- the graph

function drawGraph(plot, layout, outputs, frames, k) {
  layout = fit(plot, layout);
  const known = knownAt(outputs, frames, k), frame = frames[k];
  const active = frame.kind === "forward" ? frame.node.name : frame.kind === "seed" ? outputs.result : frame.source;
  for (const message of outputs.messages) drawEdge(plot, layout, message, known, active === message.source);
  for (const message of known.messages) labelEdge(plot, layout, message, frame.kind === "backward" && active === message.source);
  for (const node of outputs.nodes) drawNode(plot, layout[node.name], node, known, active === node.name, node.name === outputs.result);
  key(plot, "blue", "7", "value, computed on the way down");
  key(plot, "orange", "∂ 7", `derivative of ${outputs.result}`);
  key(plot, "orange", "↑ 7", "message, on the way up");
  key(plot, "ink", "× 7", "local derivative");
}

// The plot measures its room; the nodes are spread over it, and from here on a place is a pixel.
function fit(plot, { height, ...places }) {
  plot.highest = height;
  plot.fit();
  plot.clear({ x: [0, plot.width], y: [plot.height, 0] });
  const across = plot.width / plot.widest, down = plot.height / height;
  return Object.fromEntries(Object.entries(places).map(([name, [x, y]]) => [name, [x * across, y * down]]));
}

// An edge is one for each message that will come back along it.
function ends(layout, { source, target }) {
  const [x0, y0] = layout[target], [x1, y1] = layout[source];
  return [x0, y0 + BOX.height / 2, x1, y1 - BOX.height / 2];
}

function drawEdge(plot, layout, message, known, active) {
  const [x0, y0, x1, y1] = ends(layout, message);
  if (known.messages.includes(message)) plot.arrow(x1, y1, x0, y0, { color: "orange", width: active ? 3 : 1.8 });
  else plot.arrow(x0, y0, x1, y1, { color: message.source in known.values ? "blue" : "muted", width: active ? 3 : 1.3 });
}

function labelEdge(plot, layout, message, active) {
  const [x0, y0, x1, y1] = ends(layout, message), share = Math.abs(x0 - x1) < 50 ? 0.58 : 0.38;   // slanted edges part towards the top
  const x = x0 + share * (x1 - x0), y = y0 + share * (y1 - y0);
  const lines = active ? [[`× ${bracket(brief(message.local))}`, "ink"], [`↑ ${brief(message.message)}`, "orange"]] : [[`↑ ${brief(message.message)}`, "orange"]];
  const width = 6 + 7.4 * Math.max(...lines.map(([words]) => words.length)), height = 16 * lines.length;
  plot.add(draw("rect", { x: x - width / 2, y: y - height / 2, width, height, fill: colour("paper"), opacity: 0.9 }));
  lines.forEach(([words, color], i) => plot.text(x, y, words, { dy: 4.5 + 16 * (i - (lines.length - 1) / 2), color, weight: active ? 600 : undefined }));
}

function drawNode(plot, [x, y], node, known, active, isResult) {
  const leaf = !node.formula, width = leaf ? BOX.leaf : BOX.node, computed = node.name in known.values;
  plot.add(draw("rect", { x: x - width / 2, y: y - BOX.height / 2, width, height: BOX.height, rx: leaf ? 4 : 17, fill: colour("raised"), stroke: colour(active ? "ink" : "muted"), "stroke-width": active ? 3 : 1.3, "stroke-dasharray": computed ? undefined : "4 3" }));
  plot.text(x, y, leaf ? `${node.name} = ${format(node.value)}` : node.sign, { dy: 4.5, weight: active ? 600 : undefined });
  const derivative = node.name in known.totals ? `∂ ${brief(known.totals[node.name])}` : "";
  if (leaf) {
    plot.text(x, y, derivative, { dy: -26, color: "orange" });
    return;
  }
  const words = `${node.name}${computed ? ` = ${brief(node.value)}` : ""}`;
  plot.text(x, y, words, { anchor: "start", dx: width / 2 + 6, dy: derivative ? -3 : 4.5, color: computed ? "blue" : "muted", weight: isResult ? 600 : undefined });
  plot.text(x, y, derivative, { anchor: "start", dx: width / 2 + 6, dy: 14, color: "orange" });
}

function key(plot, color, sign, words) {
  plot.legend.append(make("li", {}, make("span", { style: `color:${colour(color)}` }, sign), words));
}

// ---------------------------------------------------------------- every step so far

function drawTape(tape, outputs, frames, k) {
  const lines = frames.slice(0, k + 1).flatMap((frame, at) => tellLines(outputs, frame).map((text) => ({ text, now: at === k })));
  const items = lines.map(({ text, now }) => make("li", { style: now ? "font-weight:600" : undefined }, text));
  tape.replaceChildren(...(items.length ? items : [make("li", {}, "Press Forward or Play.")]));
}

function tellLines(outputs, frame) {
  if (frame.kind === "forward") return [tellForward(outputs, frame.node)];
  if (frame.kind === "seed") return [`${derivative(outputs, outputs.result)} = 1`];
  if (frame.kind !== "backward") return [];
  return frame.messages.map((message) => {
    const earlier = earlierTotal(outputs, message);
    const sum = earlier === undefined ? "" : `; ${format(earlier)} + ${bracket(format(message.message))} = ${format(message.total)}`;
    return `${message.source} → ${message.target}: ${tellProduct(outputs, message)}${sum}`;
  });
}

// ---------------------------------------------------------------- the check by a nudge

function drawCurve(plot, outputs, nudge) {
  const { places, curve, tangent, leaf, at, below, above, gradient, quotient, result } = outputs;
  const low = Math.min(...curve), high = Math.max(...curve), span = Math.max(0.1, high - low);   // what is nearly flat looks so
  plot.clear({ x: [places[0], places.at(-1)], y: [low - 0.08 * span, low + 1.08 * span], xlabel: leaf, ylabel: result });
  const here = outputs.nodes.at(-1).value;
  plot.line(places, curve, { color: "blue", label: `${result}, the other leaves held` });
  plot.line(places, tangent, { color: "orange", dash: "7 4", label: "slope from the backward pass" });
  plot.line([at - nudge, at + nudge], [below, above], { color: "green", width: 2.5, label: "slope between the nudges" });
  plot.points([at - nudge, at + nudge], [below, above], { color: "green", radius: 5, shapes: ["square", "square"] });
  plot.points([at], [here], { color: "orange", radius: 5 });
  plot.caption.textContent = `${result} if only ${leaf} moves`;
  plot.describe(`${result} against ${leaf}, from ${format(low)} to ${format(high)}. At ${leaf} = ${format(at)} it is ${format(here)}; the tangent has slope ${format(gradient)}, the line between the nudges ${format(quotient)}.`);
}

import { Plot, button, colour, draw, format, mount } from "./kit.js";

// The axes stay where they are while a slider moves, so that a curve can be seen to tilt.
const ENDS = [1e-10, 1e10];
const REACH = 2.15;

export default {
  render(context) {
    return mount(context, (ui) => {
      const flow = new Plot({
        width: 470, height: 345, y: ENDS, log: "y", xlabel: "steps back from the last", ylabel: "norm of ∂L/∂h", title: "How much gradient arrives, on a logarithmic axis",
      });
      const plane = new Plot({
        width: 346, height: 330, x: [-REACH, REACH], y: [-REACH, REACH], xlabel: "real part", ylabel: "imaginary part", title: "Eigenvalues of the recurrent matrix W",
      });
      flow.figure.style.flex = "3 1 20rem";
      plane.figure.style.flex = "2 1 14rem";
      ui.stage.append(flow.figure, plane.figure);
      ui.extra.append(button("New weights and inputs", () => ui.set("seed", ui.next("seed")), { name: "new" }));
      ui.extra.style.marginBottom = "0.7rem";
      const show = readouts(ui);

      return (outputs, inputs) => {
        // A threshold has nothing to act on while clipping is off.
        ui.control("threshold").hidden = !inputs.clip;
        drawFlow(flow, outputs, inputs);
        drawPlane(plane, outputs, inputs);
        show(outputs, inputs);
        return sentences(outputs, inputs).join(" ");
      };
    });
  },
};

function readouts(ui) {
  const end = ui.readout("end", "gradient after all steps");
  const law = ui.readout("law", "by the law ρᵗ");
  const factor = ui.readout("factor", "factor per step");
  const pace = ui.readout("pace", "pace");
  const slope = ui.readout("slope", "root mean square slope");
  const total = ui.readout("total", "norm of ∂L/∂W");
  const clipped = ui.readout("clipped", "after clipping");
  return (outputs, inputs) => {
    end(outputs.norms.at(-1));
    law(outputs.law.at(-1));
    factor(outputs.factor);
    pace(tempo(outputs.halving));
    slope(outputs.slope);
    total(outputs.total);
    clipped(inputs.clip ? outputs.total_clipped : "not clipped");
  };
}

// Python counts the steps that halve; fewer than none are steps that double.
function tempo(halving) {
  if (!Number.isFinite(halving) || Math.abs(halving) > 1000) return "keeps its size";
  if (halving === 0) return "is lost";
  return `${halving > 0 ? "halves" : "doubles"} in ${format(Math.abs(halving), 3)} steps`;
}

// ---------------------------------------------------------------- the two pictures

function drawFlow(plot, outputs, inputs) {
  const { back, norms, law, clipped } = outputs;
  plot.clear({ x: [0, 1.015 * inputs.steps] });      // room for the mark at the end
  plot.rule({ y: 1, color: "ink", dash: "none", width: 0.8 });
  plot.line(back, law, { color: "orange", dash: "7 4", label: `law ρᵗ, ρ = ${format(inputs.rho)}` });
  plot.line(back, norms, { color: "blue", width: 2.5, label: "gradient" });
  endMark(plot, back, norms, "blue", "circle");
  if (inputs.clip) {
    plot.line(back, clipped, { color: "green", width: 2.5, dash: "2 3", label: "gradient after clipping" });
    endMark(plot, back, clipped, "green", "square");
    plot.rule({ y: outputs.total, color: "violet", dash: "10 3 2 3", width: 1.6, label: "norm of ∂L/∂W, all steps together" });
    plot.rule({ y: inputs.threshold, color: "pink", dash: "5 3", width: 1.6, label: "clipping threshold" });
  }
  plot.describe(`Size of the gradient against steps back, on a logarithmic axis. It begins at 1 and is ${format(norms.at(-1))} after `
    + `${inputs.steps} steps; the law gives ${format(law.at(-1))}.`);
}

// A curve that ends inside the picture gets a mark there; one that has left it has none.
function endMark(plot, back, values, color, shape) {
  const last = values.at(-1);
  if (last >= ENDS[0] && last <= ENDS[1]) plot.points([back.at(-1)], [last], { color, radius: 5, shapes: [shape] });
}

function drawPlane(plot, outputs, inputs) {
  plot.clear();
  plot.rule({ x: 0, dash: "none", width: 0.8 });
  plot.rule({ y: 0, dash: "none", width: 0.8 });
  circle(plot, 1, { color: "ink", label: "size 1" });
  circle(plot, inputs.rho, { color: "orange", dash: "7 4", label: "size ρ" });
  plot.points(outputs.real, outputs.imaginary, { color: "blue", radius: 4, label: "eigenvalue" });
  plot.describe(`${inputs.hidden} eigenvalues in the complex plane, the largest of size ${format(inputs.rho)}, `
    + `${inputs.rho > 1 ? "outside" : inputs.rho < 1 ? "inside" : "on"} the unit circle.`);
}

function circle(plot, radius, { color, dash, label }) {
  plot.note(label, { color, dash });
  plot.add(draw("ellipse", {
    cx: plot.toX(0), cy: plot.toY(0), rx: plot.toX(radius) - plot.toX(0), ry: plot.toY(0) - plot.toY(radius),
    fill: "none", stroke: colour(color), "stroke-width": 1.6, "stroke-dasharray": dash,
  }));
}

// ---------------------------------------------------------------- what can be seen, in words

function sentences(outputs, inputs) {
  const { norms, law } = outputs;
  const first = outputs.zero_at === null
    ? `Going ${inputs.steps} steps back, the gradient comes to ${format(norms.at(-1))} times its first size; the law ρᵗ alone gives ${format(law.at(-1))}.`
    : `From ${outputs.zero_at} steps back on the gradient is exactly zero: all ReLU units were off at once, and nothing passes a unit that is off.`;
  return [first, reason(outputs, inputs), edge(norms), inputs.clip ? clipping(outputs, inputs) : ""].filter(Boolean);
}

function reason(outputs, inputs) {
  if (outputs.zero_at !== null) return "";
  if (inputs.activation === "linear") return withoutActivation(inputs);
  const factor = format(outputs.factor, 3), slope = format(outputs.slope, 3);
  const parts = inputs.matrix === "orthogonal"
    ? `ρ = ${format(inputs.rho)} times slopes of about ${slope}.`
    : `slopes of about ${slope} and eigenvalues of which most are smaller than ρ.`;
  const inputSize = inputs.activation === "relu"
    ? "A ReLU's slopes are 0 or 1, however large the inputs."
    : "Larger inputs push tanh to where it is flatter.";
  return `Each step multiplies by about ${factor}: ${parts} ${inputSize}`;
}

function withoutActivation(inputs) {
  return inputs.matrix === "orthogonal"
    ? "Every eigenvalue has size ρ and there is no activation, so the law is exact, whatever the inputs."
    : "Most eigenvalues of a Gaussian matrix are smaller than ρ, so the curve can run below the law before it becomes as steep.";
}

function edge(norms) {
  const step = norms.findIndex((norm) => norm > 0 && (norm < ENDS[0] || norm > ENDS[1]));
  return step < 0 ? "" : `The curve leaves the picture at step ${step}.`;
}

function clipping(outputs, inputs) {
  if (outputs.total <= inputs.threshold) {
    return `Clipping changes nothing: the gradient of W has norm ${format(outputs.total)}, below the threshold. It cannot enlarge what has vanished.`;
  }
  return `Clipping shortens the gradient of W from ${format(outputs.total)} to ${format(outputs.total_clipped)}. What came from near and far steps shrinks by one factor: the curve moves down and keeps its shape.`;
}

import { Plot, colour, drag, draw, format, mount, percent, tinted } from "./kit.js";

export default {
  render(context) {
    return mount(context, (ui) => {
      const plot = new Plot({ width: 640, height: 320, x: [-6, 6], y: [-1.2, 2.2], xlabel: "input z", ylabel: "value, slope" });
      ui.stage.append(plot.figure);
      dragInput(ui, plot);
      const value = ui.readout("value", "value at z");
      const slope = ui.readout("slope", "slope at z");
      const passed = ui.readout("passed", "slope after all layers");
      const share = ui.readout("share", "saturated, of −6 to 6");

      return (outputs, inputs) => {
        plot.clear();
        shade(plot, outputs.grid, outputs.saturated);
        plot.rule({ x: inputs.z, color: "muted" });
        plot.line(outputs.grid, outputs.curve, { color: "blue", label: "value" });
        plot.line(outputs.grid, outputs.slopes, { color: "orange", dash: "7 4", label: "slope" });
        if (outputs.value <= plot.y[1]) plot.points([inputs.z], [outputs.value], { color: "blue", radius: 6 });
        else pointUp(plot, inputs.z);
        plot.points([inputs.z], [outputs.slope], { color: "orange", radius: 6, shapes: ["square"] });
        value(outputs.value);
        slope(outputs.slope, format(outputs.slope, 5));    // the GELU's 1.0003 is not 1
        passed(outputs.passed);
        share(outputs.share, percent(outputs.share));
        const saturated = Math.abs(outputs.slope) < inputs.threshold ? ": the unit is saturated" : "";
        const text = `At z = ${format(inputs.z)} the value is ${format(outputs.value)} and the slope ${format(outputs.slope, 5)}${saturated}. `
          + `Through ${inputs.layers} such ${inputs.layers === 1 ? "layer" : "layers"} a gradient is multiplied by ${format(outputs.passed)}. Of the inputs from −6 to 6, ${percent(outputs.share)} are saturated.`;
        plot.describe(text);
        return text;
      };
    });
  },
};

// Neighbouring saturated places become one grey band.
function shade(plot, grid, saturated) {
  for (let i = 0; i < grid.length; i++) {
    if (!saturated[i] || saturated[i - 1]) continue;
    let end = i;
    while (saturated[end + 1]) end++;
    plot.area([grid[i], grid[end]], [plot.y[0], plot.y[0]], [plot.y[1], plot.y[1]], { color: "muted", opacity: 0.18 });
  }
  if (saturated.some(Boolean)) plot.note("saturated", { color: tinted("muted", 0.35), shape: "bar" });
}

// A value above the picture: an arrowhead at its upper edge.
function pointUp(plot, z) {
  plot.add(draw("path", { d: `M${plot.toX(z)} ${plot.toY(plot.y[1]) + 1}l7 12h-14z`, fill: colour("blue"), stroke: colour("paper") }));
}

// The slider does the same from the keyboard.
function dragInput(ui, plot) {
  const move = (event) => ui.set("z", ui.within("z", plot.at(event)[0]));
  plot.svg.style.cursor = "ew-resize";
  drag(plot.svg, { press: move, move, scroll: true });
}

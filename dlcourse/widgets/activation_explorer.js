import { Plot, format, mount } from "./kit.js";

export default {
  render(context) {
    return mount(context, (ui) => {
      const plot = new Plot({ width: 640, height: 320, x: [-6, 6], y: [-1.2, 2.2], xlabel: "input z", ylabel: "value, slope" });
      ui.stage.append(plot.figure);
      const value = ui.readout("value", "value at z");
      const slope = ui.readout("slope", "slope at z");
      const passed = ui.readout("passed", "slope after all layers");
      const share = ui.readout("share", "share saturated");

      return (outputs, inputs) => {
        plot.clear();
        shade(plot, outputs.grid, outputs.saturated);
        plot.rule({ x: inputs.z, color: "muted" });
        plot.line(outputs.grid, outputs.curve, { color: "blue", label: "value" });
        plot.line(outputs.grid, outputs.slopes, { color: "orange", dash: "7 4", label: "slope" });
        plot.points([inputs.z], [outputs.value], { color: "blue", radius: 6 });
        plot.points([inputs.z], [outputs.slope], { color: "orange", radius: 6, shapes: ["square"] });
        value(outputs.value);
        slope(outputs.slope);
        passed(outputs.passed);
        share(outputs.share);
        const text = `At z = ${format(inputs.z)} the value is ${format(outputs.value)} and the slope ${format(outputs.slope)}. `
          + `Through ${inputs.layers} such ${inputs.layers === 1 ? "layer" : "layers"} a gradient is multiplied by ${format(outputs.passed)}.`;
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
  if (saturated.some(Boolean)) plot.note("saturated", { color: "grid" });
}

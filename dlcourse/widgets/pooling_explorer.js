import { Board, twoDecimals, button, colour, draw, mount, percent, player } from "./kit.js";

const SIZE = 12;       // pixels along each side of the input

export default {
  render(context) {
    return mount(context, (ui) => {
      const input = new Board("Input"), output = new Board("Output", { choose: (index) => walk.jump(index) });
      const gradient = new Board("Gradient at the input");
      gradient.figure.style.maxWidth = "22rem";              // alone in its row, it would grow to twice the input's size
      ui.stage.append(input.figure, output.figure, gradient.figure);
      const far = ui.readout("input_distance", "change of the input, of its size");
      const near = ui.readout("output_distance", "change of the output, of its size");
      const learning = ui.readout("learning", `of ${SIZE * SIZE} pixels with a gradient`);
      const anew = button("New numbers", () => ui.set("seed", ui.next("seed")), { name: "seed" });

      let now = null;
      const show = (index) => {
        const { result, inputs } = now, [i, j] = [Math.floor(index / result.size), index % result.size];
        markWindow(input, i, j, inputs);
        markWindow(gradient, i, j, inputs);
        output.overlay.replaceChildren();
        crossOut(output, result);
        output.frame(i, j);
        return story(i, j, result, inputs);
      };
      const walk = player({ label: "Window at", show, story: "2.8em", interval: 400, name: (index) => placeName(index, now.result.size) });
      ui.extra.append(walk.element);
      walk.buttons.lastChild.before(anew);

      return (result, inputs) => {
        now = { result, inputs };
        anew.hidden = inputs.picture !== "random";
        input.show(result.image, SIZE, { largest: 1 });
        output.show(result.output, result.size, { across: SIZE, largest: 1 });
        gradient.show(result.gradient, SIZE, { largest: inputs.kind === "max" ? Math.max(...result.gradient) : 1 });
        describe(input, output, gradient, result, inputs);
        far(result.input_distance, percent(result.input_distance));
        near(result.output_distance, percent(result.output_distance));
        learning(result.learning);
        walk.resize(result.output.length);
        return sentences(result, inputs).join(" ");
      };
    });
  },
};

function placeName(index, size) {
  return `row ${Math.floor(index / size) + 1}, column ${index % size + 1}`;
}

function markWindow(board, i, j, { window, stride }) {
  board.overlay.replaceChildren();
  board.frame(i * stride, j * stride, { rows: window, columns: window });
}

// A stroke through each output that the move changed: colour alone would not say it.
function crossOut(board, { changed, size }) {
  const u = board.unit;
  changed.forEach((is, index) => {
    const x = (index % size) * u, y = Math.floor(index / size) * u;
    if (is) board.overlay.append(draw("path", { d: `M${x + 0.1 * u} ${y + 0.9 * u}L${x + 0.3 * u} ${y + 0.7 * u}`, stroke: colour("orange"), "stroke-width": 3 }));
  });
}

function describe(input, output, gradient, result, { kind }) {
  output.caption.textContent = `Output, ${result.size} × ${result.size}${result.output_distance ? " (stroke: changed by the move)" : ""}`;
  input.caption.textContent = `Input, ${SIZE} × ${SIZE}`;
  gradient.caption.textContent = "Gradient at the input, for 1 at every output";
  input.describe(`Input of ${SIZE} by ${SIZE} pixels from 0 to ${twoDecimals(Math.max(...result.image))}.`);
  output.describe(`Output of ${result.size} by ${result.size} numbers; the move changed ${result.changed.filter(Boolean).length} of them.`);
  gradient.describe(`Gradient at the input: ${result.learning} of ${SIZE * SIZE} pixels get some, ${kind === "max" ? "those that won" : "all that a window reaches"}.`);
}

// ---------------------------------------------------------------- what can be seen, in words

function story(i, j, { image, output, gradient, size }, { kind, window, stride }) {
  const inside = [];
  for (let u = 0; u < window; u++) for (let v = 0; v < window; v++) inside.push((i * stride + u) * SIZE + j * stride + v);
  const values = inside.map((at) => twoDecimals(image[at])), result = twoDecimals(output[i * size + j]);
  if (kind === "average") return `The mean of ${values.length} pixels is ${result}. Each of them gets ${twoDecimals(1 / values.length)} of this output's gradient.`;
  const best = inside.reduce((a, b) => (image[b] > image[a] ? b : a));
  const place = `row ${Math.floor(best / SIZE) + 1}, column ${best % SIZE + 1}`, rivals = inside.filter((at) => image[at] === image[best]).length;
  const tie = rivals > 1 ? `; ${rivals} are equal, and the first gets it` : "";
  return `The largest of ${values.length} pixels is ${result}, in ${place}${tie}. It gets all of this output's gradient${gradient[best] > 1 ? `, and that of other windows: ${twoDecimals(gradient[best])} in sum` : ""}.`;
}

function sentences(result, { kind, window, stride, right, down }) {
  const moved = right > 0 || down > 0, over = result.left_over;
  return [
    moved ? `The move changed the input by ${percent(result.input_distance)} of its size, the output by ${percent(result.output_distance)}.` : "Move the picture to see what the output forgets.",
    moved && right % stride === 0 && down % stride === 0 ? `A move by whole strides: inside its border the output moves along, ${[right && `${right / stride} to the right`, down && `${down / stride} down`].filter(Boolean).join(" and ")}.` : "",
    window > stride ? "Windows overlap." : window < stride ? "The stride is larger than the window: some pixels are never seen." : "",
    over > 0 ? `The last ${over === 1 ? "row and column are" : `${over} rows and columns are`} left over.` : "",
    kind === "max" ? `${result.learning} of ${SIZE * SIZE} pixels get a gradient, because they are the largest of a window.` : `${result.learning} pixels get a gradient: all that a window reaches.`,
  ].filter(Boolean);
}

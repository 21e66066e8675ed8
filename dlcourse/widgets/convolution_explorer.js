import {
  Board, bracket, twoDecimals, button, cellText, colour, drag, draw, frameAround, make, mount, player, pointOn, row, tint,
} from "./kit.js";

const SIZE = 10;       // pixels along each side of the input
const SIDE = 300;      // of both pictures, in the units of their drawings

const MEANINGS = {
  sobel_x: "Blue: the numbers rise from left to right. Orange: they fall. Where they do not change, 0.",
  sobel_y: "Blue: the numbers rise from top to bottom. Orange: they fall. Where they do not change, 0.",
  blur: "Each output is the mean of nine pixels, so sharp edges turn into slopes.",
  sharpen: "The middle counts five times, minus its four neighbours: even areas keep their value, edges overshoot.",
  outline: "The middle counts eight times, minus its eight neighbours: even areas give 0, edges stand out.",
  identity: "Each output copies the middle of its window.",
  shift: "Each output copies the top left corner of its window instead of the middle: the picture moves down and to the right.",
};

export default {
  render(context) {
    return mount(context, (ui) => {
      const input = new InputPicture(ui);
      const kernel = new KernelTable(ui);
      const output = new OutputPicture((index) => walk.jump(index));
      const sum = new Sum();
      const size = make("p", { style: "margin:0.2rem 0 0;flex:1 1 100%" });
      ui.stage.append(input.figure, output.figure, kernel.figure, sum.figure, size);
      const here = ui.readout("here", "output at the window");
      const unused = ui.readout("unused", "pixels never used");
      const shared = ui.readout("weights", "weights, shared by all places");
      const dense = ui.readout("dense", "weights of a dense layer");

      let now = null;       // what the frames of the player are frames of
      const show = (index) => {
        const { outputs, inputs } = now;
        const at = placeOf(index, outputs.size);
        input.window(at, outputs, inputs);
        output.mark(at);
        sum.show(index, at, outputs, inputs);
        here(outputs.output[index]);
        return `The output in ${placeName(at)} is ${twoDecimals(outputs.output[index])}.`;
      };
      const walk = player({ label: "Window at", show, interval: 250, name: (index) => placeName(placeOf(index, now.outputs.size)) });
      ui.extra.append(walk.element);
      walk.buttons.lastChild.before(button("Strongest output", () => walk.jump(now.outputs.strongest), { name: "strongest" }));

      return (outputs, inputs) => {
        const index = now ? samePlace(walk.index, now.outputs.size, outputs.size) : outputs.strongest;
        now = { outputs, inputs };
        input.draw(outputs, inputs);
        kernel.show(outputs, inputs);
        output.draw(outputs);
        size.textContent = sizeFormula(outputs, inputs);
        unused(outputs.unused_count);
        shared(outputs.used.length);
        dense(outputs.dense, outputs.dense.toLocaleString("en"));
        walk.resize(outputs.output.length, index);
        return sentences(outputs, inputs).join(" ");
      };
    });
  },
};

// ---------------------------------------------------------------- places and numbers

function placeOf(index, size) {
  return { i: Math.floor(index / size), j: index % size };
}

function placeName({ i, j }) {
  return `row ${i + 1}, column ${j + 1}`;
}

// When the output changes its size, the window stays in its row and column as far as there are such.
function samePlace(index, before, after) {
  const { i, j } = placeOf(index, before);
  return Math.min(i, after - 1) * after + Math.min(j, after - 1);
}

// ---------------------------------------------------------------- the input, which can be drawn on

class InputPicture extends Board {
  constructor(ui) {
    super("Input", { role: "group", side: SIDE });
    this.ui = ui;
    this.pixels = new Array(SIZE * SIZE).fill(0);
    this.ring = draw("g");
    this.focus = draw("g");
    this.pixelCells = this.pixels.map((_, at) => this.makeCell(at));
    this.cells.append(this.ring, ...this.pixelCells.map((cell) => cell.group));
    this.svg.append(this.focus);
    this.describe(`Input picture of ${SIZE} by ${SIZE} pixels. Arrow keys move between them, the space bar switches one.`);
    this.moveCursor(4 * SIZE + 4);
    this.listen();
  }

  makeCell(at) {
    const rect = draw("rect", { role: "button", tabindex: -1, "data-at": at, "stroke-width": 1, style: "cursor:crosshair;outline:none" });
    const stroke = draw("path", { stroke: colour("muted"), "stroke-width": 1.2, "pointer-events": "none" });
    const digit = draw("g");
    return { rect, stroke, digit, group: draw("g", {}, rect, stroke, digit) };
  }

  // Only one pixel is a stop of the tab key; the arrow keys lead from there.
  moveCursor(at) {
    this.pixelCells.forEach(({ rect }, i) => rect.setAttribute("tabindex", i === at ? 0 : -1));
    this.cursor = at;
  }

  listen() {
    this.svg.addEventListener("keydown", (event) => this.key(event));
    for (const change of ["focusin", "focusout"]) this.svg.addEventListener(change, () => this.showFocus());
    drag(this.svg, { press: (event) => this.press(event), move: (event) => this.paint(this.cellAt(event), this.ink), scroll: true });
    // A tap, and a click that a screen reader makes: a mouse has drawn already when its click comes.
    this.svg.addEventListener("click", (event) => {
      if (this.byMouse && event.detail > 0) return;
      this.flip(event.target.dataset.at === undefined ? undefined : Number(event.target.dataset.at));
    });
  }

  // The browser's own ring would lie below the neighbouring pixels.
  showFocus() {
    this.focus.replaceChildren();
    if (!this.svg.querySelector("rect:focus-visible")) return;
    const [x, y] = this.corner(this.cursor);
    this.focus.append(frameAround(x, y, this.unit, this.unit, 6, "paper"), frameAround(x, y, this.unit, this.unit, 3, "ink"));
  }

  // A mouse or pen draws strokes. A finger taps, since its strokes scroll the page.
  press(event) {
    this.byMouse = event.pointerType !== "touch";
    const at = this.cellAt(event);
    if (!this.byMouse || at === undefined) return false;
    this.ink = this.pixels[at] > 0.5 ? 0 : 1;
    this.paint(at, this.ink);
    return true;
  }

  key(event) {
    const [i, j] = [Math.floor(this.cursor / SIZE), this.cursor % SIZE];
    const moves = { ArrowUp: [i - 1, j], ArrowDown: [i + 1, j], ArrowLeft: [i, j - 1], ArrowRight: [i, j + 1], Home: [i, 0], End: [i, SIZE - 1] };
    const move = moves[event.key];
    if (move && move.every((place) => place >= 0 && place < SIZE)) {
      this.moveCursor(move[0] * SIZE + move[1]);
      this.pixelCells[this.cursor].rect.focus();
    }
    if (event.key === " " || event.key === "Enter") this.flip(this.cursor);
    if (move || event.key === " " || event.key === "Enter") event.preventDefault();
  }

  cellAt(event) {
    const point = pointOn(this.svg, event);
    const j = Math.floor(point.x / this.unit) - this.padding, i = Math.floor(point.y / this.unit) - this.padding;
    return i >= 0 && j >= 0 && i < SIZE && j < SIZE ? i * SIZE + j : undefined;
  }

  flip(at) {
    if (at !== undefined) this.paint(at, this.pixels[at] > 0.5 ? 0 : 1);
  }

  paint(at, value) {
    if (at === undefined || this.pixels[at] === value) return;
    this.pixels[at] = value;
    this.moveCursor(at);
    this.fill(at);
    this.ui.set({ picture: "own", image: Array.from({ length: SIZE }, (_, i) => this.pixels.slice(i * SIZE, (i + 1) * SIZE)) });
  }

  draw(outputs, inputs) {
    // What the reader draws just now is newer than what Python has answered.
    this.pixels = inputs.picture === "own" ? inputs.image.flat() : Array.from(outputs.image);
    this.padding = inputs.padding;
    const across = SIZE + 2 * inputs.padding;
    this.unit = SIDE / across;
    this.caption.textContent = `Input, ${SIZE} × ${SIZE}${inputs.padding ? `, padded to ${across} × ${across}` : ""} (draw on it)`;
    this.drawRing(across);
    this.pixelCells.forEach((_, at) => { this.place(at, outputs.unused[at]); this.fill(at); });
    this.showFocus();
  }

  drawRing(across) {
    this.ring.replaceChildren();
    for (let i = 0; i < across; i++) {
      for (let j = 0; j < across; j++) {
        const inside = [i, j].every((place) => place >= this.padding && place < across - this.padding);
        if (inside) continue;
        this.ring.append(
          draw("rect", { x: j * this.unit, y: i * this.unit, width: this.unit, height: this.unit, fill: colour("raised"), stroke: colour("grid"), "stroke-dasharray": "2 2" }),
          cellText((j + 0.5) * this.unit, (i + 0.5) * this.unit, "0", 0.4 * this.unit, "muted"));
      }
    }
  }

  corner(at) {
    return [(this.padding + at % SIZE) * this.unit, (this.padding + Math.floor(at / SIZE)) * this.unit];
  }

  place(at, unused) {
    const { rect, stroke } = this.pixelCells[at], [x, y] = this.corner(at), u = this.unit;
    for (const [name, value] of Object.entries({ x, y, width: u, height: u, stroke: colour("grid") })) rect.setAttribute(name, value);
    stroke.setAttribute("d", unused ? `M${x + 0.15 * u} ${y + 0.85 * u}L${x + 0.85 * u} ${y + 0.15 * u}` : "");
  }

  fill(at) {
    const { rect, digit } = this.pixelCells[at], [x, y] = this.corner(at), value = this.pixels[at];
    rect.setAttribute("fill", tint(value, 1));
    rect.setAttribute("aria-pressed", String(value > 0.5));
    rect.setAttribute("aria-label", `Pixel in row ${Math.floor(at / SIZE) + 1}, column ${at % SIZE + 1}`);
    digit.replaceChildren(cellText(x + 0.5 * this.unit, y + 0.5 * this.unit, twoDecimals(value), 0.42 * this.unit, value ? "ink" : "muted"));
  }

  // The frame goes round all the window reaches over; with dilation, the pixels that count are framed singly.
  window({ i, j }, outputs, inputs) {
    const u = this.unit, x = j * inputs.stride * u, y = i * inputs.stride * u, d = inputs.dilation;
    const side = Math.sqrt(outputs.used.length);
    this.overlay.replaceChildren(frameAround(x, y, outputs.reach * u, outputs.reach * u, 3.5));
    for (let at = 0; d > 1 && at < side * side; at++) {
      this.overlay.append(frameAround(x + (at % side) * d * u + 2, y + Math.floor(at / side) * d * u + 2, u - 4, u - 4, 2));
    }
  }
}

// ---------------------------------------------------------------- the kernel, which can be typed into

class KernelTable {
  constructor(ui) {
    this.ui = ui;
    this.inputs = Array.from({ length: 9 }, (_, at) => make("input", {
      type: "number", min: -9, max: 9, step: "any", inputmode: "text", "aria-label": `Weight in row ${Math.floor(at / 3) + 1}, column ${at % 3 + 1}`,
      style: "width:100%;min-width:0;min-height:2.2rem;padding:0;text-align:center;font:inherit;font-size:0.88rem;color:inherit;appearance:textfield;background:var(--dlw-raised);border:1px solid var(--dlw-edge);border-radius:4px",
    }));
    for (const input of this.inputs) {
      input.addEventListener("input", () => this.typed());
      input.addEventListener("blur", () => this.write());
    }
    const table = make("div", { role: "group", "aria-label": "Weights of the kernel", style: "display:grid;grid-template-columns:repeat(3,minmax(0,1fr));gap:3px;max-width:15rem" }, ...this.inputs);
    this.figure = make("figure", { class: "dlw-panel", style: "flex:1 1 10rem" }, make("figcaption", {}, "Kernel, 3 × 3 (type to change it)"), table);
  }

  // A number that is only half typed is waited for; one that is out of range Python refuses, and says why.
  typed() {
    const changed = this.inputs.map((input, at) => (input === document.activeElement ? input.valueAsNumber : this.weights[at]));
    if (!changed.every(Number.isFinite)) return;
    this.weights = changed;
    this.ui.set({ kernel: "own", weights: [0, 3, 6].map((from) => changed.slice(from, from + 3)) });
  }

  show(outputs, inputs) {
    this.weights = inputs.kernel === "own" ? inputs.weights.flat() : Array.from(outputs.kernel);
    this.write();
  }

  // The field that is being typed into is left alone.
  write() {
    this.inputs.forEach((input, at) => {
      if (input !== document.activeElement) input.value = Number(this.weights[at].toFixed(2));
    });
  }
}

// ---------------------------------------------------------------- the output

class OutputPicture extends Board {
  constructor(choose) {
    super("Output", { side: SIDE, choose });
  }

  // A cell is as large as a pixel of the input without padding, so that a smaller output looks smaller.
  draw({ output, size }) {
    const written = this.show(output, size, { across: Math.max(SIZE, size) });
    this.caption.textContent = `Output, ${size} × ${size}${written ? "" : " (numbers at the window only)"}`;
    this.describe(`Output of ${size} by ${size} numbers, from ${twoDecimals(Math.min(...output))} to ${twoDecimals(Math.max(...output))}.`);
  }

  mark({ i, j }) {
    this.overlay.replaceChildren();
    this.frame(i, j);
  }
}

// ---------------------------------------------------------------- the sum of one place

class Sum {
  constructor() {
    this.caption = make("figcaption");
    this.tables = make("div", { "aria-hidden": "true", style: "display:flex;flex-wrap:wrap;gap:0.4rem 0.6rem;align-items:center" });
    this.line = make("p", { style: "margin:0.4rem 0 0;font-variant-numeric:tabular-nums" });
    this.figure = make("figure", { class: "dlw-panel", style: "flex:2.6 1 22rem" }, this.caption, this.tables, this.line);
  }

  show(index, { i, j }, outputs, inputs) {
    const pixels = row(outputs.pixels, index), products = row(outputs.products, index), total = twoDecimals(outputs.output[index]);
    this.caption.textContent = `Output in ${placeName({ i, j })}: pixels under the window, times weights${inputs.flip ? " (turned by 180°)" : ""}, summed`;
    this.tables.replaceChildren(little(pixels), "×", little(outputs.used), "=", little(products), make("strong", {}, `sum ${total}`));
    const terms = Array.from(pixels, (pixel, at) => `${twoDecimals(pixel)} × ${bracket(twoDecimals(outputs.used[at]))}`);
    this.line.textContent = `${terms.join(" + ")} = ${total}`;
  }
}

function little(values) {
  const largest = Math.max(...values.map(Math.abs));
  const cells = Array.from(values, (value) => make("span", {
    style: `padding:0.1rem 0;text-align:center;border:1px solid var(--dlw-grid);background:${tint(value, largest)}`,
  }, twoDecimals(value)));
  return make("div", { style: "display:grid;grid-template-columns:repeat(3,2.6rem);font-size:0.88rem;font-variant-numeric:tabular-nums" }, ...cells);
}

// ---------------------------------------------------------------- what can be seen, in words

function sizeFormula({ size }, { stride, padding, dilation }) {
  return `Size of the output: (input + 2 × padding − dilation × (kernel − 1) − 1) / stride, rounded down, plus 1. `
    + `Here ⌊(${SIZE} + 2 × ${padding} − ${dilation} × (3 − 1) − 1) / ${stride}⌋ + 1 = ${size}.`;
}

function sentences(outputs, inputs) {
  const { size, left_over: over, unused_count: unused } = outputs;
  const rows = over === 1 ? "row and column" : `${over} rows and columns`;
  return [
    `The window fits at ${size} × ${size} places${size === SIZE ? ", so the output is as large as the input" : ""}.`,
    over > 0 ? `The last ${rows} ${inputs.padding ? "of the padded input " : ""}are left over: one more stride would lead over the edge.` : "",
    unused > 0 ? `The ${unused} pixels with a stroke through them enter no sum.` : "",
    inputs.flip && !outputs.symmetric ? "" : MEANINGS[inputs.kernel],
    orientation(outputs.symmetric, inputs.flip),
  ].filter(Boolean);
}

function orientation(symmetric, flip) {
  if (!flip) return "The kernel is laid on as it is: a cross-correlation, which deep learning calls a convolution.";
  return symmetric
    ? "Turned by 180° this kernel is the same, so convolution and cross-correlation agree."
    : "The kernel is turned by 180° first: the convolution of mathematics.";
}

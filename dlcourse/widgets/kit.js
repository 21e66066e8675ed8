// What all widgets share: controls made from their description, plots in SVG, numbers with names.
// Nothing here computes anything that is taught; it turns given numbers into places and texts.

const SVG = "http://www.w3.org/2000/svg";
const ARRAYS = {
  float32: Float32Array, float64: Float64Array, int8: Int8Array, uint8: Uint8Array, int16: Int16Array, int32: Int32Array,
};
let made = 0;

// ---------------------------------------------------------------- numbers that came from Python

function bytesOf(data) {
  if (typeof data === "string") return Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return new Uint8Array(data);
}

/** Turn packed arrays into typed arrays with a `shape`; a packed number becomes a number again. */
export function decode(value) {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(decode);
  if ("dtype" in value && "shape" in value) {
    const array = new ARRAYS[value.dtype](bytesOf(value.data).slice().buffer);
    if (value.shape.length === 0) return array[0];
    array.shape = value.shape;
    return array;
  }
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, decode(entry)]));
}

/** Row `i` of a two-dimensional array, without a copy. */
export function row(array, i) {
  const width = array.shape[1];
  return array.subarray(i * width, (i + 1) * width);
}

/** A number as a reader wants it: four significant digits, no noise of e-17. */
export function format(value, digits = 4) {
  if (typeof value !== "number") return String(value);
  if (Number.isNaN(value)) return "undefined";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value).replace("-", "−");
  const size = Math.abs(value);
  const text = size < 1e-3 || size >= 1e5 ? value.toExponential(digits - 2) : String(Number(value.toPrecision(digits)));
  const [mantissa, exponent] = text.split("e");
  if (exponent === undefined) return mantissa.replace("-", "−");
  const power = `10${superscript(Number(exponent))}`;
  return Number(mantissa) === 1 ? power : `${String(Number(mantissa)).replace("-", "−")} × ${power}`;
}

function superscript(number) {
  return String(number).replace(/./g, (sign) => ({ "-": "⁻" })[sign] ?? "⁰¹²³⁴⁵⁶⁷⁸⁹"[sign]);
}

/** A number with fixed decimals, with a proper minus and without −0.0. */
export function fixed(value, decimals) {
  const text = value.toFixed(decimals);
  return text.replace("-", Number(text) === 0 ? "" : "−");
}

/** A share as a percentage. What only rounds to nothing or to all is not said to be that. */
export function percent(share, decimals = 0) {
  const smallest = 10 ** -decimals, part = 100 * share;
  if (share > 0 && part < smallest / 2) return `<\u00a0${smallest.toFixed(decimals)}%`;
  if (share < 1 && part > 100 - smallest / 2) return `>\u00a0${(100 - smallest).toFixed(decimals)}%`;
  return `${part.toFixed(decimals)}%`;
}

/** A number's text as a factor or a term: one that is negative, or a product itself, needs brackets. */
export function bracket(text) {
  return /^−|×/.test(text) ? `(${text})` : text;
}

/** The smallest of some ends, in rising order, that holds a value; the last if none does. */
export function firstAbove(ends, value) {
  return ends.find((end) => end >= value) ?? ends.at(-1);
}

// ---------------------------------------------------------------- elements

/** Make an HTML element: `make("p", { class: "x" }, "text", child)`. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== undefined && child !== null));
  return element;
}

/** Make an SVG element. */
export function draw(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** One of the house's colours by name or number, as CSS; anything else is taken as CSS already. */
export function colour(which) {
  const names = ["blue", "orange", "green", "pink", "gold", "violet"];
  const name = typeof which === "number" ? names[which % names.length] : which;
  return [...names, "ink", "muted", "grid", "edge", "paper", "raised"].includes(name) ? `var(--dlw-${name})` : name;
}

/** A colour mixed with the page's own, as CSS: a share of 0 is paper. */
export function tinted(which, share) {
  return `color-mix(in srgb, ${colour(which)} ${Math.round(100 * share)}%, ${colour("paper")})`;
}

/** The house's colours as red, green and blue, as the theme has them now: pictures made of pixels need them. */
export function themeColours(element, names) {
  const style = getComputedStyle(element), context = make("canvas").getContext("2d", { willReadFrequently: true });
  return names.map((name) => {
    context.fillStyle = style.getPropertyValue(`--dlw-${name}`).trim() || "#888";
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
  });
}

/** Paint numbers on a canvas, a pixel each: the colours of `stops` (from `themeColours`) lie evenly from `low` to `high`. */
export function paint(canvas, values, rows, columns, { stops, low, high, origin = "lower" }) {
  if (canvas.width !== columns || canvas.height !== rows) Object.assign(canvas, { width: columns, height: rows });
  const context = canvas.getContext("2d"), image = context.createImageData(columns, rows);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const share = Math.max(0, Math.min(1, (values[i * columns + j] - low) / (high - low || 1))) * (stops.length - 1);
      const k = Math.min(stops.length - 2, Math.floor(share)), t = share - k;
      const at = 4 * ((origin === "lower" ? rows - 1 - i : i) * columns + j);
      for (let c = 0; c < 3; c++) image.data[at + c] = stops[k][c] + t * (stops[k + 1][c] - stops[k][c]);
      image.data[at + 3] = 255;
    }
  }
  context.putImageData(image, 0, 0);
}

// ---------------------------------------------------------------- mouse, pen and finger

/** Where an event happened, in the units of an SVG picture. */
export function pointOn(svg, event) {
  return new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
}

/**
 * Follow a mouse, pen or finger from where it presses on `element` to where it lets go.
 *
 * `press(event)` begins; if it returns false, nothing is followed. `move(event)` comes at each step, `release()` at the
 * end. With `scroll` a finger that moves up or down still scrolls the page.
 */
export function drag(element, { press = () => {}, move, release = () => {}, scroll = false }) {
  let held = null;
  element.style.touchAction = scroll ? "pan-y" : "none";
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || held !== null || press(event) === false) return;
    held = event.pointerId;
    element.setPointerCapture(held);
  });
  element.addEventListener("pointermove", (event) => { if (event.pointerId === held) move(event); });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
    element.addEventListener(end, (event) => {
      if (event.pointerId !== held) return;
      held = null;
      release();
    });
  }
}

// ---------------------------------------------------------------- signs

// Filled shapes around a place.
const SHAPES = {
  circle: (x, y, r, look) => draw("circle", { cx: x, cy: y, r, ...look }),
  square: (x, y, r, look) => draw("rect", { x: x - r, y: y - r, width: 2 * r, height: 2 * r, ...look }),
  triangle: (x, y, r, look) => draw("path", { d: `M${x} ${y - 1.3 * r}l${1.2 * r} ${2.1 * r}h${-2.4 * r}z`, ...look }),
};

/**
 * A small picture of what a colour, a dash or a shape stands for.
 *
 * `shape`: "circle", "square", "triangle", "ring", "bar", or nothing for a line; `both`: the shape on a line;
 * `over`: an SVG element on top.
 */
export function swatch({ color = 0, dash, shape, both = false, over } = {}) {
  const svg = draw("svg", { class: "dlw-swatch", viewBox: "0 0 22 12", "aria-hidden": "true" }), ink = colour(color);
  if (!shape || both) svg.append(draw("path", { d: "M1 6H21", stroke: ink, "stroke-width": 2.5, "stroke-dasharray": dash }));
  if (shape === "ring") svg.append(draw("circle", { cx: 11, cy: 6, r: 4.5, fill: "none", stroke: ink, "stroke-width": 1.8 }));
  else if (shape === "bar") svg.append(draw("rect", { x: 2, width: 18, height: 12, fill: ink }));
  else if (shape) svg.append(SHAPES[shape](11, 6, 4.5, { fill: ink }));
  if (over) svg.append(over);
  return svg;
}

// ---------------------------------------------------------------- plots

function niceStep(span, count) {
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((step) => step >= rough * 0.999);
}

/** Round numbers between two ends; powers of ten on a logarithmic axis. */
export function ticks([low, high], count = 5, log = false) {
  if (log) {
    const from = Math.ceil(Math.log10(low) - 1e-9), to = Math.floor(Math.log10(high) + 1e-9);
    const stride = Math.max(1, Math.ceil((to - from + 1) / (count + 1)));
    const first = Math.ceil(from / stride) * stride;       // so that 10⁰, where it is in range, is one of them
    return Array.from({ length: Math.max(0, Math.floor((to - first) / stride) + 1) }, (_, i) => 10 ** (first + i * stride));
  }
  if (!(high > low)) return [low];
  const step = niceStep(high - low, count);
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

// Ticks with their labels. Where one of a logarithmic axis is too large or small to be written out, all are powers.
function labelled(ends, count, log) {
  const places = ticks(ends, count, log), powers = log && places.some((value) => value < 1e-3 || value >= 1e5);
  return places.map((value) => [value, powers && value !== 1 ? `10${superscript(Math.round(Math.log10(value)))}` : format(value)]);
}

/**
 * A plot in SVG. Everything drawn between two calls of `clear` is replaced at once by `show`.
 *
 * `x`, `y`: the ends of the axes; `log`: which axes are logarithmic ("x", "y", "xy");
 * `bare`: no axes (images, graphs); `margin`: [top, right, bottom, left].
 */
export class Plot {
  constructor({ width = 440, height = 300, x = [0, 1], y = [0, 1], xlabel = "", ylabel = "", log = "", bare = false, margin, title } = {}) {
    Object.assign(this, { width, height, x, y, xlabel, ylabel, log, bare, widest: width, highest: height });
    this.margin = margin ?? (bare ? [4, 4, 4, 4] : [8, 12, 42, 54]);
    this.id = `dlw-${++made}`;
    this.svg = draw("svg", { class: "dlw-plot", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "" });
    const [top, right, bottom, left] = this.margin;
    this.window = draw("rect", { x: left, y: top, width: width - left - right, height: height - top - bottom });
    const clip = draw("clipPath", { id: `${this.id}-clip` }, this.window);
    this.axes = draw("g");
    this.layer = draw("g");
    this.svg.append(draw("defs", {}, clip), this.axes, this.layer);
    this.legend = make("ul", { class: "dlw-legend", "aria-hidden": "true" });
    this.figure = make("figure", { class: "dlw-panel" }, title ? make("figcaption", {}, title) : null, this.svg, this.legend);
    this.caption = this.figure.querySelector("figcaption");
    this.clear();
  }

  /** Say in words what the picture shows, for those who cannot see it. */
  describe(text) {
    this.svg.setAttribute("aria-label", text);
  }

  // On a narrow screen the plot is drawn smaller, not shrunk: its text keeps its size.
  fit() {
    const room = this.figure.clientWidth;
    if (!room) return;
    this.width = Math.max(240, Math.min(this.widest, Math.round(room)));
    this.height = Math.round(Math.max(Math.min(this.highest, 240), (this.highest * this.width) / this.widest));
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
    this.window.setAttribute("width", this.width - this.margin[1] - this.margin[3]);
    this.window.setAttribute("height", this.height - this.margin[0] - this.margin[2]);
  }

  /** Begin a new picture; pass new ends of the axes if they have changed. */
  clear({ x, y, xlabel, ylabel, log } = {}) {
    this.x = x ?? this.x;
    this.y = y ?? this.y;
    this.xlabel = xlabel ?? this.xlabel;
    this.ylabel = ylabel ?? this.ylabel;
    this.log = log ?? this.log;
    this.fit();
    this.layer.replaceChildren();
    this.legend.replaceChildren();
    this.drawAxes();
    return this;
  }

  toX(value) {
    return this.place(value, this.x, this.log.includes("x"), this.margin[3], this.width - this.margin[1]);
  }

  toY(value) {
    return this.place(value, this.y, this.log.includes("y"), this.height - this.margin[2], this.margin[0]);
  }

  place(value, [low, high], log, from, to) {
    const share = log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
    return from + share * (to - from);
  }

  /** The data coordinates of a mouse, pen or finger. */
  at(event) {
    const point = pointOn(this.svg, event), [top, right, bottom, left] = this.margin;
    const across = (point.x - left) / (this.width - left - right);
    const up = (this.height - bottom - point.y) / (this.height - top - bottom);
    return [this.x[0] + across * (this.x[1] - this.x[0]), this.y[0] + up * (this.y[1] - this.y[0])];
  }

  drawAxes() {
    this.axes.replaceChildren();
    if (this.bare) return;
    const [top, right, bottom, left] = this.margin;
    const floor = this.height - bottom, end = this.width - right;
    for (const [value, label] of labelled(this.x, Math.max(3, Math.round(this.width / 90)), this.log.includes("x"))) {
      const at = this.toX(value);
      this.axes.append(draw("path", { d: `M${at} ${top}V${floor}`, stroke: colour("grid"), "stroke-width": 0.7 }),
        draw("text", { class: "dlw-tick", x: at, y: floor + 16, "text-anchor": "middle" }, label));
    }
    for (const [value, label] of labelled(this.y, Math.max(3, Math.round(this.height / 60)), this.log.includes("y"))) {
      const at = this.toY(value);
      this.axes.append(draw("path", { d: `M${left} ${at}H${end}`, stroke: colour("grid"), "stroke-width": 0.7 }),
        draw("text", { class: "dlw-tick", x: left - 6, y: at + 4, "text-anchor": "end" }, label));
    }
    this.axes.append(draw("path", { d: `M${left} ${top}V${floor}H${end}`, stroke: colour("muted"), fill: "none" }),
      draw("text", { x: (left + end) / 2, y: this.height - 6, "text-anchor": "middle" }, this.xlabel),
      draw("text", { x: 14, y: (top + floor) / 2, "text-anchor": "middle", transform: `rotate(-90 14 ${(top + floor) / 2})` }, this.ylabel));
  }

  add(element, clipped = true) {
    if (clipped && !this.bare) element.setAttribute("clip-path", `url(#${this.id}-clip)`);
    this.layer.append(element);
    return element;
  }

  /** Name what a colour, a dash or a shape stands for; the look is that of `swatch`. */
  note(label, look) {
    if (label !== undefined) this.legend.append(make("li", {}, swatch(look), label));
  }

  /** A curve through points; it breaks where a number is not finite. */
  line(xs, ys, { color = 0, width = 2, dash, label, opacity } = {}) {
    let path = "", pen = "M";
    for (let i = 0; i < xs.length; i++) {
      const x = this.toX(xs[i]), y = this.toY(ys[i]);
      if (!Number.isFinite(x) || !Number.isFinite(y)) { pen = "M"; continue; }
      path += `${pen}${x.toFixed(1)} ${Math.max(-1e4, Math.min(1e4, y)).toFixed(1)}`;
      pen = "L";
    }
    this.note(label, { color, dash });
    return this.add(draw("path", { d: path, fill: "none", stroke: colour(color), "stroke-width": width, "stroke-dasharray": dash, "stroke-linejoin": "round", opacity }));
  }

  /** Points; `colors` gives one colour each, `shapes` one of "circle", "square", "triangle" each, the first for the legend. */
  points(xs, ys, { color = 0, colors, shapes, radius = 4, label, opacity, outline = "paper" } = {}) {
    const group = draw("g", { opacity });
    for (let i = 0; i < xs.length; i++) {
      const x = this.toX(xs[i]), y = this.toY(ys[i]);
      if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
      const look = { fill: colour(colors ? colors[i] : color), stroke: colour(outline), "stroke-width": 1 };
      group.append(SHAPES[shapes?.[i] ?? "circle"](x, y, radius, look));
    }
    this.note(label, { color, shape: shapes?.[0] ?? "circle" });
    return this.add(group);
  }

  /** A straight line across the plot at one x or one y. */
  rule({ x, y, color = "muted", dash = "4 4", width = 1.2, label }) {
    const [top, right, bottom, left] = this.margin;
    const at = x === undefined ? this.toY(y) : this.toX(x);
    if (!Number.isFinite(at)) return undefined;            // zero has no place on a logarithmic axis
    const d = x === undefined ? `M${left} ${at}H${this.width - right}` : `M${at} ${top}V${this.height - bottom}`;
    this.note(label, { color, dash });
    return this.add(draw("path", { d, stroke: colour(color), "stroke-width": width, "stroke-dasharray": dash }));
  }

  /** A filled band between two curves. */
  area(xs, lower, upper, { color = 0, opacity = 0.2 } = {}) {
    let path = "";
    for (let i = 0; i < xs.length; i++) path += `${i ? "L" : "M"}${this.toX(xs[i]).toFixed(1)} ${this.toY(upper[i]).toFixed(1)}`;
    for (let i = xs.length - 1; i >= 0; i--) path += `L${this.toX(xs[i]).toFixed(1)} ${this.toY(lower[i]).toFixed(1)}`;
    return this.add(draw("path", { d: `${path}Z`, fill: colour(color), opacity }));
  }

  /** Upright bars around given places. */
  bars(xs, heights, { color = 0, colors, width = 0.8, base = 0, label } = {}) {
    const group = draw("g");
    for (let i = 0; i < xs.length; i++) {
      const left = this.toX(xs[i] - width / 2), right = this.toX(xs[i] + width / 2), a = this.toY(base), b = this.toY(heights[i]);
      group.append(draw("rect", { x: left, y: Math.min(a, b), width: right - left, height: Math.abs(a - b), fill: colour(colors ? colors[i] : color) }));
    }
    this.note(label, { color, shape: "bar" });
    return this.add(group);
  }

  text(x, y, words, { anchor = "middle", dx = 0, dy = 0, color = "ink", size, weight } = {}) {
    return this.add(draw("text", { x: this.toX(x) + dx, y: this.toY(y) + dy, "text-anchor": anchor, style: `fill:${colour(color)};${size ? `font-size:${size}px;` : ""}${weight ? `font-weight:${weight}` : ""}` }, words), false);
  }

  arrow(x0, y0, x1, y1, { color = "ink", width = 2 } = {}) {
    const ax = this.toX(x0), ay = this.toY(y0), bx = this.toX(x1), by = this.toY(y1);
    const length = Math.hypot(bx - ax, by - ay);
    if (!(length > 1)) return undefined;
    const ux = (bx - ax) / length, uy = (by - ay) / length, head = Math.min(9, length * 0.6);
    const d = `M${ax} ${ay}L${bx - ux * head} ${by - uy * head}`;
    const tip = `M${bx} ${by}L${bx - ux * head - uy * head * 0.45} ${by - uy * head + ux * head * 0.45}L${bx - ux * head + uy * head * 0.45} ${by - uy * head - ux * head * 0.45}Z`;
    return this.add(draw("g", {}, draw("path", { d, stroke: colour(color), "stroke-width": width, fill: "none" }), draw("path", { d: tip, fill: colour(color) })));
  }

  /**
   * An image of numbers, row 0 at the bottom (`origin: "lower"`) or at the top ("upper").
   * `map`: "diverging" (orange below the middle, blue above) or "sequential" (paper to blue).
   */
  heat(values, rows, columns, { x = this.x, y = this.y, low = 0, high = 1, map = "diverging", origin = "lower", smooth = false, opacity = 1 } = {}) {
    const canvas = make("canvas"), stops = themeColours(this.svg, map === "diverging" ? ["orange", "paper", "blue"] : ["paper", "blue"]);
    paint(canvas, values, rows, columns, { stops, low, high, origin });
    const left = this.toX(x[0]), top = this.toY(y[1]);
    return this.add(draw("image", {
      href: canvas.toDataURL(), x: left, y: top, width: this.toX(x[1]) - left, height: this.toY(y[0]) - top,
      preserveAspectRatio: "none", style: smooth ? "" : "image-rendering:pixelated", opacity,
    }));
  }
}

// ---------------------------------------------------------------- boards of numbers

/** Two decimals are enough to follow a sum, and fit into a cell. */
export function twoDecimals(value) {
  return format(Number(value.toFixed(2)) || 0);
}

/** Blue above zero, orange below; never so deep that a number on it could not be read. */
export function tint(value, largest) {
  return tinted(value < 0 ? "orange" : "blue", largest > 0 ? 0.5 * Math.min(1, Math.abs(value) / largest) : 0);
}

/** A number in the middle of a cell. */
export function cellText(x, y, words, size, color = "ink") {
  return draw("text", { x, y: y + 0.35 * size, "text-anchor": "middle", style: `font-size:${size}px;fill:${colour(color)};pointer-events:none` }, words);
}

/** A frame around cells. */
export function frameAround(x, y, width, height, thickness, color = "pink") {
  return draw("rect", { x, y, width, height, fill: "none", stroke: colour(color), "stroke-width": thickness, "pointer-events": "none" });
}

/**
 * A matrix as a picture: a cell for each number, tinted by its size. `role` is "group" where the reader can act on it;
 * `choose(index)` is called when a cell is clicked. Its parts: `figure`, `svg`, `caption`, `cells`, `overlay`.
 */
export class Board {
  constructor(title, { role = "img", side = 300, choose } = {}) {
    this.side = side;
    this.svg = draw("svg", { class: "dlw-plot", viewBox: `-2 -2 ${side + 4} ${side + 4}`, role, "aria-label": "" });
    this.caption = make("figcaption", {}, title);
    this.figure = make("figure", { class: "dlw-panel", style: "flex:3 1 15rem" }, this.caption, this.svg);
    this.cells = draw("g");
    this.overlay = draw("g");
    this.svg.append(this.cells, this.overlay);
    this.clickable = Boolean(choose);
    this.svg.addEventListener("click", (event) => {
      if (choose && event.target.dataset.at !== undefined) choose(Number(event.target.dataset.at));
    });
  }

  describe(text) {
    this.svg.setAttribute("aria-label", text);
  }

  /**
   * Draw the numbers of a square matrix. `across`: how many cells fill the picture's width, so that a smaller matrix
   * looks smaller. Returns whether there was room to write the numbers.
   */
  show(values, size, { across = size, largest = Math.max(...values.map(Math.abs)) } = {}) {
    const words = Array.from(values, twoDecimals), letters = Math.max(...words.map((word) => word.length));
    const u = this.unit = this.side / across, font = Math.min(0.42 * u, 1.6 * u / letters);
    this.svg.setAttribute("viewBox", `-2 -2 ${this.side + 4} ${size * u + 4}`);
    this.cells.replaceChildren();
    this.overlay.replaceChildren();
    values.forEach((value, index) => {
      const x = (index % size) * u, y = Math.floor(index / size) * u, style = this.clickable ? "cursor:pointer" : "";
      this.cells.append(draw("rect", { x, y, width: u, height: u, fill: tint(value, largest), stroke: colour("grid"), "data-at": index, style }));
      if (font >= 9) this.cells.append(cellText(x + u / 2, y + u / 2, words[index], font, value ? "ink" : "muted"));
      else if (value < 0) this.cells.append(cellText(x + u / 2, y + u / 2, "−", 0.6 * u));
    });
    return font >= 9;
  }

  /** Frame cells from row `i` and column `j` on. */
  frame(i, j, { rows = 1, columns = 1, color = "pink", thickness = 3.5, inset = 0 } = {}) {
    const u = this.unit;
    this.overlay.append(frameAround(j * u + inset, i * u + inset, columns * u - 2 * inset, rows * u - 2 * inset, thickness, color));
  }
}

// ---------------------------------------------------------------- controls

function steps(control) {
  if (control.scale !== "log") return { low: control.low, high: control.high, step: control.step, to: Number, from: Number };
  // The handle moves through exponents; Python gets the power of ten.
  return { low: Math.log10(control.low), high: Math.log10(control.high), step: control.step,
    to: (at) => Math.min(control.high, Math.max(control.low, Number((10 ** Number(at)).toPrecision(6)))), from: (value) => Math.log10(value) };
}

/**
 * A slider with its label and, to the right, what it stands at. `move` is called with its new position.
 * Returns { element, input, put(position, words) }.
 */
export function track({ label, name, low = 0, high = 0, step = 1, move }) {
  const id = `dlw-${++made}`;
  const input = make("input", { type: "range", id, name, min: low, max: high, step });
  const output = make("output", { for: id });
  input.addEventListener("input", () => move(Number(input.value)));
  return {
    input,
    element: make("div", { class: "dlw-control" }, make("label", { for: id }, label), output, input),
    put(position, words) {
      input.value = position;
      output.textContent = words;
      input.setAttribute("aria-valuetext", words);
    },
  };
}

function slider(control, value, change) {
  const { low, high, step, to, from } = steps(control);
  const put = (next) => self.put(from(next), format(next));
  const self = track({ label: control.label, name: control.name, low, high, step, move: (at) => { put(to(at)); change(to(at)); } });
  put(value);
  return { element: self.element, put };
}

/** A menu: `control` has a name, a label and pairs of value and text. Returns { element, put(value) }. */
export function choice(control, value, change) {
  const id = `dlw-${++made}`;
  const options = control.options.map(([name, label]) => make("option", { value: name, selected: name === value }, label));
  const select = make("select", { id, name: control.name }, ...options);
  select.addEventListener("change", () => change(select.value));
  return { element: make("div", { class: "dlw-control" }, make("label", { for: id }, control.label), select), put: (next) => { select.value = next; } };
}

function toggle(control, value, change) {
  const id = `dlw-${++made}`;
  const input = make("input", { type: "checkbox", id, name: control.name });
  input.checked = value;
  input.addEventListener("change", () => change(input.checked));
  return { element: make("div", { class: "dlw-control dlw-toggle" }, input, make("label", { for: id }, control.label)), put: (next) => { input.checked = next; } };
}

/** A button. `press` is called with the event. */
export function button(label, press, { name, pressed } = {}) {
  const element = make("button", { type: "button", class: "dlw-button", "data-action": name, "aria-pressed": pressed === undefined ? undefined : String(pressed) }, label);
  element.addEventListener("click", press);
  return element;
}

// A text for screen readers only. What is there at first is not spoken, and of many that follow each other only the last.
function speaker(pause) {
  const element = make("p", { class: "dlw-hidden", role: "status" });
  let later = null, last;
  return {
    element,
    say(text) {
      const first = last === undefined;
      if (text === last) return;
      last = text;
      clearTimeout(later);
      if (!first) later = setTimeout(() => { element.textContent = text; }, pause);
    },
  };
}

/**
 * Buttons and a slider that walk through frames that are already computed: Back, Play or Pause, Forward.
 * `show(index)` draws one frame, and may return a sentence about it, which is spoken where the walk comes to rest and,
 * with `story`, the height in CSS to keep free for it, also written below. `name(index, length)` says which frame it is.
 * Returns { element, buttons, index, length, go(index), jump(index), resize(length, index), stop() }.
 */
export function player({ label = "Step", show, interval = 350, name = (index, length) => `${index} of ${length - 1}`, story }) {
  const spoken = speaker(interval + 300);       // longer than a frame: nothing is spoken while it plays
  const written = make("p", { class: "dlw-story", style: `min-height:${story}` });
  let timer = null;
  const self = {
    index: 0,
    length: 1,
    go(index) {
      self.index = Math.max(0, Math.min(self.length - 1, index));
      slide.put(self.index, name(self.index, self.length));
      back.disabled = self.index === 0;
      forward.disabled = self.index >= self.length - 1;
      const text = show(self.index);
      if (text === undefined) return;
      written.textContent = text;
      spoken.say(text);
    },
    /** Tell how many frames there are now; stay where one was, or begin anew. */
    resize(length, index = Math.min(self.index, length - 1)) {
      self.length = length;
      slide.input.max = length - 1;
      self.go(index);
    },
    stop() {
      clearInterval(timer);
      timer = null;
      play.textContent = "Play";
    },
    jump(index) {
      self.stop();
      self.go(index);
    },
  };
  const slide = track({ label, name: "frame", move: self.jump });
  const back = button("Back", () => self.jump(self.index - 1), { name: "back" });
  const forward = button("Forward", () => self.jump(self.index + 1), { name: "forward" });
  const play = button("Play", () => {
    if (timer) { self.stop(); return; }
    if (self.index >= self.length - 1) self.go(0);
    play.textContent = "Pause";
    timer = setInterval(() => { if (self.index >= self.length - 1 || !self.element.isConnected) self.stop(); else self.go(self.index + 1); }, interval);
  }, { name: "play" });
  slide.element.style.flex = "1 1 12rem";
  self.buttons = make("div", { class: "dlw-buttons" }, back, play, forward, slide.element);
  self.element = make("div", {}, self.buttons, story ? written : null, spoken.element);
  return self;
}

const MAKERS = { slider, choice, toggle };

// ---------------------------------------------------------------- the widget itself

/**
 * Build a widget and keep it up to date.
 *
 * `setup(ui)` is called once and returns `update(outputs, inputs)`, which draws; `update` returns one or
 * two sentences that say what can be seen. In `ui`: `inputs`, `set(name, value)` or `set({...})` (asks
 * Python anew), `next(name)` (a counter plus one), `within(name, value)` (the nearest place of a slider),
 * `accompany(name, changes)` (`changes(value)` gives what else changes with a control), `stage` (put plots here),
 * `extra` (buttons above the stage), `readout(name, label)` (a named number: call what it returns with the value, and
 * with a text if the reader should see that instead; its `element`, and `rename(label)`), `control(name)` (its element), `about(name)` (its
 * description), `root`. What is not wanted now is put away by its `hidden`.
 */
export function mount({ model, el }, setup) {
  const about = model.get("about");
  const root = make("section", { class: "dl-widget", "data-widget": about.name, "aria-label": about.title });
  root.dlModel = model;        // for a look from the browser's console, and for tests
  // JupyterLab takes arrow keys for its own shortcuts unless the element that has the focus forbids it.
  root.addEventListener("focusin", ({ target }) => target.setAttribute("data-lm-suppress-shortcuts", "true"));
  const controls = make("div", { class: "dlw-controls" });
  const extra = make("div", { class: "dlw-extra" });
  const stage = make("div", { class: "dlw-stage" });
  const readouts = make("dl", { class: "dlw-readouts" });
  const summary = make("p", { class: "dlw-summary" });
  const spoken = speaker(800);
  const status = make("p", { class: "dlw-status", role: "status" });
  root.append(make("p", { class: "dlw-title" }, about.title), make("p", { class: "dlw-about" }, about.about),
    controls, extra, stage, readouts, summary, status, spoken.element);
  el.append(root);

  const parts = new Map(), companions = new Map();
  const ui = {
    model, root, stage, extra, readouts,
    get inputs() { return model.get("inputs"); },
    set(name, value) {
      const asked = typeof name === "string" ? { [name]: value } : name;
      const others = Object.entries(asked).map(([key, entry]) => companions.get(key)?.(entry));
      const changes = Object.assign({}, ...others, asked);
      for (const [key, entry] of Object.entries(changes)) parts.get(key)?.put?.(entry);
      model.set("inputs", { ...model.get("inputs"), ...changes });
      model.save_changes();
    },
    next(name) {
      const { low, high } = ui.about(name), value = ui.inputs[name];
      return value < high ? value + 1 : low;
    },
    within(name, value) {
      const { low, high, step } = ui.about(name);
      return Math.min(high, Math.max(low, Number((Math.round(value / step) * step).toFixed(6))));
    },
    accompany: (name, changes) => companions.set(name, changes),
    control: (name) => parts.get(name)?.element,
    about: (name) => about.controls.find((control) => control.name === name),
    readout(name, label, digits) {
      const value = make("dd", { "data-name": name }), term = make("dt", {}, label);
      const put = (number, text = format(number, digits)) => {
        value.textContent = text;
        if (typeof number === "number") value.dataset.value = String(number);
        else delete value.dataset.value;
      };
      put.element = make("div", {}, term, value);
      put.rename = (next) => { term.textContent = next; };
      readouts.append(put.element);
      return put;
    },
  };
  for (const control of about.controls) {
    const maker = MAKERS[control.kind];
    if (!maker) continue;
    const part = maker(control, model.get("inputs")[control.name], (value) => ui.set(control.name, value));
    parts.set(control.name, part);
    controls.append(part.element);
  }

  const update = setup(ui);
  const refresh = () => {
    const text = update(decode(model.get("outputs")), model.get("inputs"));
    if (text === undefined) return;
    summary.textContent = text;
    spoken.say(text);
  };
  const complain = () => {
    status.textContent = model.get("error") || "";
    status.classList.toggle("dlw-error", Boolean(model.get("error")));
  };
  model.on("change:outputs", refresh);
  model.on("change:error", complain);
  refresh();
  complain();

  // Pictures made of pixels hold the colours of the theme they were drawn in.
  const theme = new MutationObserver(() => refresh());
  theme.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  if (document.body) theme.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  let width = 0;
  const size = new ResizeObserver(() => {
    if (stage.clientWidth && Math.abs(stage.clientWidth - width) > 4) { width = stage.clientWidth; refresh(); }
  });
  size.observe(stage);
  return () => {
    theme.disconnect();
    size.disconnect();
    model.off("change:outputs", refresh);
    model.off("change:error", complain);
  };
}

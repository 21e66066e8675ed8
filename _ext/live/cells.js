// Live cells: a code cell of the page that can be edited and run in place.
import { Stopped, call, loadScript, printTo, stop, watch } from "./runtime.js";

const LONGEST = 100_000;     // characters of output a cell may show: a loop that prints must not fill the page

const cells = [];
let queue = Promise.resolve();
let prepared = false;        // has the hidden set-up cell run in this Python?
let alive = false;           // is there a Python that Stop could end?

function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function hash(text) {
  let value = 5381;
  for (let i = 0; i < text.length; i++) value = ((value * 33) ^ text.charCodeAt(i)) >>> 0;
  return value.toString(36);
}

// A button that is pressed and cannot be pressed again hands the keyboard's place to another.
function enable(button, possible, otherwise) {
  if (!possible && button === document.activeElement) otherwise.focus();
  button.disabled = !possible;
}

// Where in the code the reader has clicked: browsers leave an empty selection there.
function clickedPlace(code) {
  const { anchorNode, anchorOffset } = getSelection();
  if (!code.contains(anchorNode)) return null;
  const before = document.createRange();
  before.setStart(code, 0);
  before.setEnd(anchorNode, anchorOffset);
  return before.toString().length;
}

function seconds(since) {
  const time = (performance.now() - since) / 1000;
  if (time < 0.01) return "less than 0.01 s";
  return `${time.toFixed(time < 1 ? 2 : 1)} s`;
}

// A reader's edits stay in this browser until Reset. Where storage is forbidden they last as long as the page.
const memory = {
  get(key) { try { return localStorage.getItem(key); } catch { return null; } },
  set(key, text) { try { if (text === null) localStorage.removeItem(key); else localStorage.setItem(key, text); } catch { /* not kept */ } },
};

class Cell {
  constructor(box, index) {
    this.box = box;
    this.index = index;
    this.input = box.querySelector(".cell_input");
    this.shown = box.querySelector(".cell_output");       // the output from when the book was built
    this.source = this.input.querySelector("pre").textContent.replace(/\n$/, "");
    this.key = `dlbook:${location.pathname.split("/").pop()}:${index}:${hash(this.source)}`;
    this.text = memory.get(this.key) ?? this.source;
    this.editor = null;
    this.busy = "";                                       // what it does or waits for
    this.build();
    if (this.text !== this.source) this.edit({ focus: false });
  }

  build() {
    const name = `live cell ${this.index + 1}`;
    const button = (label, title, action) => {
      const made = element("button", { type: "button", class: "dl-live-button", title, "aria-label": `${label}, ${name}` }, label);
      made.addEventListener("click", action);
      return made;
    };
    this.buttons = {
      run: button("Run", "Run this cell (Ctrl+Enter or Shift+Enter in the editor)", () => this.run()),
      above: button("Run all above", "Run every live cell above this one, in order", () => runAbove(this)),
      edit: button("Edit", "Edit the code (or click it)", () => this.edit({ focus: true })),
      reset: button("Reset", "Bring back the book's code and output", () => this.reset()),
      stop: button("Stop", "End whatever is running; what the cells have defined is lost", () => this.stop()),
    };
    this.buttons.above.disabled = this.index === 0;
    this.note = element("span", { class: "dl-live-note", role: "status" });
    this.report = element("span", { class: "dl-live-report", role: "status" });
    const number = element("span", { class: "dl-live-number", "aria-hidden": "true" }, `cell ${this.index + 1}`);
    this.output = element("div", { class: "dl-live-output", "aria-live": "polite", role: "log", "aria-label": `Output of ${name}` });
    this.hint = element("span", { class: "dl-live-hint", id: `dl-live-hint-${this.index}` }, "Ctrl+Enter runs. To leave the editor with the keyboard press Escape, then Tab.");
    this.hint.hidden = true;
    const bar = element("div", { class: "dl-live-bar", role: "group", "aria-label": name }, ...Object.values(this.buttons), this.note, this.report, number, this.hint);
    this.input.after(bar, this.output);
    this.input.classList.add("dl-live-input");
    this.input.addEventListener("click", (event) => {
      // A link in the code still leads to the reference; a selection is for copying.
      if (!this.editor && !event.target.closest("a, button") && getSelection().isCollapsed) {
        this.edit({ focus: true, place: clickedPlace(this.input.querySelector("pre")) });
      }
    });
    this.settle();
  }

  /** Show what the cell does now, and which buttons make sense; "" is for a cell that rests. */
  settle(busy = "") {
    this.busy = busy;
    const asInBook = this.text === this.source && !this.output.hasChildNodes() && !this.shown?.hidden;
    enable(this.buttons.stop, alive || busy !== "", this.buttons.run);
    enable(this.buttons.reset, busy === "" && !asInBook, this.buttons.run);
    this.note.textContent = busy || (this.text === this.source ? "" : "edited");
    if (busy) this.report.textContent = "";
    this.box.classList.toggle("dl-live-running", busy === "running");
  }

  async edit({ focus, place = null }) {
    if (!this.editor) {
      await loadScript("editor.js");
      if (!this.editor) {
        const holder = element("div", { class: "dl-live-editor" });
        this.input.replaceChildren(holder);
        this.editor = globalThis.dlbookEditor.create({
          parent: holder, text: this.text, label: `Code of live cell ${this.index + 1}`, describedBy: this.hint.id,
          run: () => this.run(), change: (text) => this.change(text),
        });
        this.buttons.edit.hidden = true;
        this.hint.hidden = false;
      }
    }
    if (focus) this.editor.focus(place);
  }

  change(text) {
    this.text = text;
    memory.set(this.key, text === this.source ? null : text);
    this.report.textContent = "";                         // the output is that of an older text
    this.settle(this.busy);
  }

  reset() {
    if (this.editor) this.editor.text = this.source;
    this.change(this.source);
    this.output.replaceChildren();
    if (this.shown) this.shown.hidden = false;
    this.settle();
  }

  clear() {
    this.output.replaceChildren();
    if (this.shown) this.shown.hidden = true;
  }

  advise(words) {
    this.output.append(element("p", { class: "dl-live-advice" }, words));
  }

  /** Say why the cell has not run. */
  refuse(error) {
    this.clear();
    this.advise(error instanceof Stopped ? "Stopped before it ran." : error.message);
    this.box.dataset.live = error instanceof Stopped ? "stopped" : "error";
  }

  stop() {
    const idle = cells.every(({ busy }) => busy === "");
    stopAll();
    this.settle();
    if (idle) this.report.textContent = "Python starts afresh with the next run.";
  }

  /** Add to the output; pieces that arrive together are put into the page together. */
  print(kind, text) {
    this.pending ??= [];
    this.pending.push([kind, text]);
    this.timer ??= setTimeout(() => this.flush(), 40);
  }

  flush() {
    clearTimeout(this.timer);
    this.timer = null;
    for (const [kind, text] of this.pending?.splice(0) ?? []) {
      if (this.length > LONGEST) continue;
      this.length += text.length;
      const cut = this.length > LONGEST;
      const last = this.output.lastElementChild;
      const piece = cut ? `${text.slice(0, Math.max(0, LONGEST - this.length + text.length))}\n… the rest is left out: more than ${LONGEST} characters\n` : text;
      if (last?.dataset.kind === kind) last.append(piece);
      else this.output.append(element("pre", { class: `dl-live-${kind}`, "data-kind": kind }, piece));
    }
  }

  /** Run now; the caller sees to it that nothing else runs. Resolves to whether it went well. */
  async execute() {
    this.clear();
    this.length = 0;
    this.settle("running");
    this.box.dataset.live = "running";
    const begun = performance.now();
    const text = this.text;                               // it may be edited while it runs
    let report = "";
    try {
      printTo(({ kind, text: piece }) => this.print(kind, piece));
      const result = await call("run", text, this.index + 1);
      this.flush();
      if (result.text) this.output.append(element("pre", { class: "dl-live-echo" }, result.text));
      if (result.error) this.output.append(element("pre", { class: "dl-live-traceback" }, result.error.trimEnd()));
      if (result.advice) this.advise(result.advice);
      if (result.ok && text === this.text) report = `ran in ${seconds(begun)}`;
      this.box.dataset.live = result.ok ? "done" : "error";
      return result.ok;
    } catch (error) {
      this.flush();
      this.advise(error instanceof Stopped
        ? "Stopped. Python starts afresh: what the cells had defined is gone, so run the ones you need again."
        : `Python broke down (${error.message}) and starts afresh: what the cells had defined is gone.`);
      if (!(error instanceof Stopped)) restart();
      this.box.dataset.live = error instanceof Stopped ? "stopped" : "error";
      return false;
    } finally {
      this.settle();
      this.report.textContent = report;
      // What has to be scrolled can be reached with the keyboard.
      for (const piece of this.output.children) {
        if (piece.scrollWidth > piece.clientWidth || piece.scrollHeight > piece.clientHeight) piece.tabIndex = 0;
      }
    }
  }

  run() {
    return inTurn(() => runWithNeeded(this), this);
  }
}

// One piece of work after the other, in the order in which they were asked for. Stop empties the queue.
let turn = 0;
function inTurn(work, cell) {
  const mine = turn;
  if (cell?.busy === "") cell.settle("waiting");
  queue = queue.then(() => {
    if (mine === turn) return work();
    if (cell?.busy === "waiting") { cell.refuse(new Stopped()); cell.settle(); }
  }).catch((error) => console.error(error));
  return queue;
}

/** See to it that Python is there and that the page's hidden set-up cell has run in it. */
async function start() {
  if (prepared) return;
  const setup = document.querySelector("script.dl-live-setup");
  try {
    const result = await call("run", setup ? JSON.parse(setup.textContent) : "", 0);
    if (!result.ok) throw new Error(result.error);
  } catch (error) {
    throw error instanceof Stopped ? error : new Error(`Python could not start: ${error.message}`);
  }
  prepared = true;
}

/** Run a cell, and first those above it that make what it needs and has not got. */
async function runWithNeeded(cell) {
  cell.settle("running");
  try {
    await start();
    const first = (await call("needed", cells.map(({ text }) => text), cell.index)).map((index) => cells[index]);
    for (const above of first) {
      cell.settle(`waiting for cell ${above.index + 1}`);
      if (await above.execute()) continue;
      if (above.box.dataset.live === "stopped") throw new Stopped();
      throw new Error(`Not run: it needs what live cell ${above.index + 1} above defines, and that one has failed.`);
    }
    await cell.execute();
    if (first.length) {
      const names = first.map(({ index }) => index + 1).join(", ");
      cell.advise(`Live ${first.length > 1 ? "cells" : "cell"} ${names} above ran first, because this one needs what ${first.length > 1 ? "they define" : "it defines"}.`);
    }
  } catch (error) {
    cell.refuse(error);
  } finally {
    const report = cell.report.textContent;
    cell.settle();
    cell.report.textContent = report;
  }
}

/** Run every cell above one, and say at that one, where the reader is, how it went. */
function runAbove(cell) {
  return inTurn(async () => {
    const begun = performance.now();
    let report = "stopped";
    cell.settle("running");
    try {
      await start();
      let failed = null;
      for (const above of cells.slice(0, cell.index)) {
        cell.settle(`running cell ${above.index + 1} of ${cell.index}`);
        if (!(await above.execute())) { failed = above; break; }
      }
      if (!failed) report = `all above ran in ${seconds(begun)}`;
      else if (failed.box.dataset.live === "error") report = `cell ${failed.index + 1} failed; those after it did not run`;
    } catch (error) {
      if (!(error instanceof Stopped)) { cell.refuse(error); report = ""; }
    } finally {
      cell.settle();
      cell.report.textContent = report;
    }
  }, cell);
}

function restart() {
  prepared = false;
  stop();
}

function stopAll() {
  turn += 1;
  restart();
}

/** Make every cell of the page that is tagged live come alive. */
export function begin() {
  document.querySelectorAll("div.cell.tag_live").forEach((box) => {
    if (box.querySelector(".cell_input pre")) cells.push(new Cell(box, cells.length));
  });
  watch(({ state }) => {
    const now = state !== "off" && state !== "failed";
    if (now === alive) return;
    alive = now;
    for (const cell of cells) enable(cell.buttons.stop, alive || cell.busy !== "", cell.buttons.run);
  });
  return cells.length;
}

/** Run all live cells in order; for tests, and for a reader's console. */
export async function runAll() {
  await inTurn(async () => {
    await start();
    for (const cell of cells) await cell.execute();
  });
  return cells.map(({ box, output }) => ({ state: box.dataset.live, output: output.textContent }));
}

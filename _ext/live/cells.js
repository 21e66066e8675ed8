// Live cells: a code cell of the page that can be edited and run in place.
import { Stopped, call, loadScript } from "./runtime.js";
import { Runner, element, enable, hash, memory, seconds } from "./runner.js";
import { inTurn, start } from "./session.js";

export const cells = [];

// Where in the code the reader has clicked: browsers leave an empty selection there.
function clickedPlace(code) {
  const { anchorNode, anchorOffset } = getSelection();
  if (!code.contains(anchorNode)) return null;
  const before = document.createRange();
  before.setStart(code, 0);
  before.setEnd(anchorNode, anchorOffset);
  return before.toString().length;
}

class Cell extends Runner {
  constructor(box, index) {
    super(box, `live cell ${index + 1}`, { role: "log" });
    this.index = index;
    this.input = box.querySelector(".cell_input");
    this.shown = box.querySelector(".cell_output");
    this.source = this.input.querySelector("pre").textContent.replace(/\n$/, "");
    // A reader's edits stay in this browser until Reset.
    this.key = `dlbook:${location.pathname.split("/").pop()}:${index}:${hash(this.source)}`;
    this.text = memory.get(this.key) ?? this.source;
    this.editor = null;
    this.onchange = () => {};
    this.build();
    if (this.text !== this.source) this.edit({ focus: false });
  }

  build() {
    this.buttons = {
      run: this.button("Run", "Run this cell (Ctrl+Enter or Shift+Enter in the editor)", () => this.run()),
      above: this.button("Run all above", "Run every live cell above this one, in order", () => runAbove(this)),
      edit: this.button("Edit", "Edit the code (or click it)", () => this.edit({ focus: true })),
      reset: this.button("Reset", "Bring back the book's code and output", () => this.reset()),
      stop: this.button("Stop", "End whatever is running; what the cells have defined is lost", () => this.stop()),
    };
    this.buttons.above.disabled = this.index === 0;
    const number = element("span", { class: "dl-live-number", "aria-hidden": "true" }, `cell ${this.index + 1}`);
    this.hint = element("span", { class: "dl-live-hint", id: `dl-live-hint-${this.index}` }, "Ctrl+Enter runs. To leave the editor with the keyboard press Escape, then Tab.");
    this.hint.hidden = true;
    const bar = element("div", { class: "dl-live-bar", role: "group", "aria-label": this.name }, ...Object.values(this.buttons), this.note, this.report, number, this.hint);
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
    this.settleStop();
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
    this.onchange();
  }

  reset() {
    if (this.editor) this.editor.text = this.source;
    this.output.replaceChildren();
    if (this.shown) this.shown.hidden = false;
    this.change(this.source);
  }

  /** Whether this is still the cell's text: it may be edited while it runs. */
  current(text) {
    return text === this.text;
  }

  /** Run the cell alone. Resolves to whether it went well. */
  async runAlone() {
    const result = await this.execute(this.text, this.index + 1);
    this.defined = Boolean(result?.defined);              // its functions, before it failed
    return Boolean(result?.ok);
  }

  run() {
    return inTurn(() => runWithNeeded(this), this);
  }
}

/** Run a cell, and first those above it that make what it needs and has not got. Resolves to whether it went well. */
export async function runWithNeeded(cell) {
  let well = false;
  cell.defined = false;
  cell.settle("running");
  try {
    await start();
    const first = (await call("needed", cells.map(({ text }) => text), cell.index)).map((index) => cells[index]);
    for (const above of first) {
      cell.settle(`waiting for cell ${above.index + 1}`);
      if (await above.runAlone()) continue;
      if (above.box.dataset.live === "stopped") throw new Stopped();
      throw new Error(`Not run: it needs what live cell ${above.index + 1} above defines, and that one has failed.`);
    }
    well = await cell.runAlone();
    if (first.length) {
      const names = first.map(({ index }) => index + 1).join(", ");
      cell.advise(`Live ${first.length > 1 ? "cells" : "cell"} ${names} above ran first, because this one needs what ${first.length > 1 ? "they define" : "it defines"}.`);
    }
  } catch (error) {
    cell.refuse(error);
  } finally {
    cell.settle();
  }
  return well;
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
        if (!(await above.runAlone())) { failed = above; break; }
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

/** Make every cell of the page that is tagged live come alive. */
export function begin() {
  document.querySelectorAll("div.cell.tag_live").forEach((box) => {
    if (box.querySelector(".cell_input pre")) cells.push(new Cell(box, cells.length));
  });
  return cells.length;
}

/** Run all live cells in order; for tests, and for a reader's console. */
export async function runAll() {
  await inTurn(async () => {
    await start();
    for (const cell of cells) await cell.runAlone();
  });
  return cells.map(({ box, output }) => ({ state: box.dataset.live, output: output.textContent }));
}

// Live cells: a code cell of the page that can be edited and run in place.
import { Stopped, call, loadScript, printTo, stop } from "./runtime.js";

const LONGEST = 100_000;     // characters of output a cell may show: a loop that prints must not fill the page

const cells = [];
let queue = Promise.resolve();
let prepared = false;        // has the hidden set-up cell run in this Python?

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
      above: button("Run all above", "Run every live cell above this one, in order", () => runAbove(this.index)),
      edit: button("Edit", "Edit the code (or click it)", () => this.edit({ focus: true })),
      reset: button("Reset", "Bring back the book's code and output", () => this.reset()),
      stop: button("Stop", "End whatever is running; everything the cells have defined is lost", () => stopAll()),
    };
    this.buttons.above.disabled = this.index === 0;
    this.note = element("span", { class: "dl-live-note" });
    const number = element("span", { class: "dl-live-number", "aria-hidden": "true" }, `cell ${this.index + 1}`);
    this.output = element("div", { class: "dl-live-output", "aria-live": "polite", role: "log", "aria-label": `Output of ${name}` });
    this.hint = element("span", { class: "dl-live-hint", id: `dl-live-hint-${this.index}` }, "Ctrl+Enter runs. To leave the editor with the keyboard press Escape, then Tab.");
    this.hint.hidden = true;
    const bar = element("div", { class: "dl-live-bar", role: "group", "aria-label": name }, ...Object.values(this.buttons), this.note, this.hint, number);
    this.input.after(bar, this.output);
    this.input.classList.add("dl-live-input");
    this.input.addEventListener("click", (event) => {
      // A link in the code still leads to the reference; a selection is for copying.
      if (!this.editor && !event.target.closest("a, button") && getSelection().isCollapsed) this.edit({ focus: true });
    });
    this.settle();
  }

  settle(running = false) {
    this.buttons.stop.disabled = !running;
    this.buttons.reset.disabled = this.text === this.source && !this.output.hasChildNodes();
    this.note.textContent = running ? "running" : this.text === this.source ? "" : "edited";
    this.box.classList.toggle("dl-live-running", running);
  }

  async edit({ focus }) {
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
    if (focus) this.editor.focus();
  }

  change(text) {
    this.text = text;
    memory.set(this.key, text === this.source ? null : text);
    this.settle(this.box.classList.contains("dl-live-running"));
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
    this.settle(true);
    this.box.dataset.live = "running";
    try {
      printTo(({ kind, text }) => this.print(kind, text));
      const result = await call("run", this.text, this.index + 1);
      this.flush();
      if (result.text) this.output.append(element("pre", { class: "dl-live-echo" }, result.text));
      if (result.error) this.output.append(element("pre", { class: "dl-live-traceback" }, result.error));
      if (result.advice) this.output.append(element("p", { class: "dl-live-advice" }, result.advice));
      this.box.dataset.live = result.ok ? "done" : "error";
      return result.ok;
    } catch (error) {
      this.flush();
      const message = error instanceof Stopped
        ? "Stopped. Python starts afresh: what the cells had defined is gone, so run the ones you need again."
        : `Python could not run: ${error.message}`;
      this.output.append(element("p", { class: "dl-live-advice" }, message));
      this.box.dataset.live = error instanceof Stopped ? "stopped" : "error";
      return false;
    } finally {
      this.settle();
    }
  }

  run() {
    return inTurn(() => runWithNeeded(this.index));
  }
}

// One cell after the other, in the order in which they were asked for. Stop empties the queue.
let turn = 0;
function inTurn(work) {
  const mine = turn;
  queue = queue.then(() => (mine === turn ? work() : undefined)).catch((error) => console.error(error));
  return queue;
}

async function prepare() {
  if (prepared) return;
  const setup = document.querySelector("script.dl-live-setup");
  if (setup) {
    const result = await call("run", JSON.parse(setup.textContent), 0);
    if (!result.ok) throw new Error(result.error);
  }
  prepared = true;
}

async function runWithNeeded(index) {
  const cell = cells[index];
  cell.settle(true);
  try {
    await prepare();
    const first = await call("needed", cells.map(({ text }) => text), index);
    for (const above of first) if (!(await cells[above].execute())) break;
    await cell.execute();
    if (first.length) {
      const names = first.map((above) => above + 1).join(", ");
      cell.output.append(element("p", { class: "dl-live-advice" }, `Live ${first.length > 1 ? "cells" : "cell"} ${names} above ran first, because this one needs what they define.`));
    }
  } catch (error) {
    cell.clear();
    cell.output.append(element("p", { class: "dl-live-advice" }, error instanceof Stopped ? "Stopped before it ran." : `Python could not start: ${error.message}`));
    cell.box.dataset.live = error instanceof Stopped ? "stopped" : "error";
  } finally {
    cell.settle();
  }
}

function runAbove(index) {
  return inTurn(async () => {
    await prepare();
    for (const cell of cells.slice(0, index)) if (!(await cell.execute())) break;
  });
}

function stopAll() {
  turn += 1;
  prepared = false;
  stop();
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
    await prepare();
    for (const cell of cells) await cell.execute();
  });
  return cells.map(({ box, output }) => ({ state: box.dataset.live, output: output.textContent }));
}

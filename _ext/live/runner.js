// What runs code for a reader and shows below itself what comes of it: the base of live cells and of checks.
import { Stopped, call, printTo, watch } from "./runtime.js";
import { restart, stopAll } from "./session.js";

const LONGEST = 100_000;     // characters of output a cell may show: a loop that prints must not fill the page

const runners = [];
let alive = false;           // is there a Python that Stop could end?

export function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export function hash(text) {
  let value = 5381;
  for (let i = 0; i < text.length; i++) value = ((value * 33) ^ text.charCodeAt(i)) >>> 0;
  return value.toString(36);
}

// What stays in this browser. Where storage is forbidden it lasts as long as the page.
export const memory = {
  get(key) { try { return localStorage.getItem(key); } catch { return null; } },
  set(key, text) { try { if (text === null) localStorage.removeItem(key); else localStorage.setItem(key, text); } catch { /* not kept */ } },
};

// A button that is pressed and cannot be pressed again hands the keyboard's place to another.
export function enable(button, possible, otherwise) {
  if (!possible && button === document.activeElement) otherwise.focus();
  button.disabled = !possible;
}

export function seconds(since) {
  const time = (performance.now() - since) / 1000;
  if (time < 0.01) return "less than 0.01 s";
  return `${time.toFixed(time < 1 ? 2 : 1)} s`;
}

/** Text in which a learner's message puts code between backticks. */
function marked(text) {
  return text.split(/`([^`\n]+)`/).map((part, i) => (i % 2 ? element("code", {}, part) : part));
}

// Built from text alone: what a report quotes of an answer never becomes markup.
function shownReport({ summary, results, passed }) {
  const items = results.map((result) => {
    const word = result.passed ? "passed" : "failed";
    const sign = element("span", { class: "dl-report-sign", role: "img", "aria-label": word }, result.passed ? "✓" : "✗");
    const lines = result.message.split("\n").filter((line) => line.trim()).map((line) => {
      const hint = line.startsWith("Hint: ");
      const text = hint ? [element("strong", {}, "Hint:"), " ", ...marked(line.slice(6))] : marked(line);
      return element("p", { class: hint ? "dl-report-hint" : "dl-report-line" }, ...text);
    });
    return element("li", { class: `dl-report-${word}` }, element("p", { class: "dl-report-test" }, sign, " ", ...marked(result.test)), ...lines);
  });
  return element("div", { class: `dl-report ${passed ? "dl-report-all" : ""}` }, element("p", { class: "dl-report-summary" }, summary), element("ul", {}, ...items));
}

/**
 * A subclass puts `note`, `report`, `output` and its buttons into the page, among them `buttons.run` and
 * `buttons.stop`, and says with `settle(busy)` what it does now.
 */
export class Runner {
  constructor(box, name, { role }) {
    this.box = box;
    this.name = name;
    this.busy = "";                                       // what it does or waits for
    this.shown = null;                                    // the output from when the book was built
    this.note = element("span", { class: "dl-live-note", role: "status" });
    this.report = element("span", { class: "dl-live-report", role: "status" });
    this.output = element("div", { class: "dl-live-output", "aria-live": "polite", role, "aria-label": `Output of ${name}` });
    runners.push(this);
  }

  button(label, title, action) {
    const made = element("button", { type: "button", class: "dl-live-button", title, "aria-label": `${label}, ${this.name}` }, label);
    made.addEventListener("click", action);
    return made;
  }

  /** Let Stop be pressed while there is something to end. */
  settleStop() {
    enable(this.buttons.stop, alive || this.busy !== "", this.buttons.run);
  }

  clear() {
    this.output.replaceChildren();
    if (this.shown) this.shown.hidden = true;
  }

  advise(words) {
    this.output.append(element("p", { class: "dl-live-advice" }, words));
  }

  /** Say why it has not run. */
  refuse(error) {
    this.clear();
    this.advise(error instanceof Stopped ? "Stopped before it ran." : error.message);
    this.box.dataset.live = error instanceof Stopped ? "stopped" : "error";
  }

  stop() {
    const idle = runners.every(({ busy }) => busy === "");
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

  /**
   * Run code now; the caller sees to it that nothing else runs. Resolves to what Python answered, or to
   * null where it was stopped or broke down.
   */
  async execute(code, number) {
    this.clear();
    this.length = 0;
    this.settle("running");
    this.box.dataset.live = "running";
    const begun = performance.now();
    let report = "";
    try {
      printTo(({ kind, text }) => this.print(kind, text));
      const result = await call("run", code, number);
      this.flush();
      if (result.text) this.output.append(element("pre", { class: "dl-live-echo" }, result.text));
      if (result.report) this.output.append(shownReport(result.report));
      if (result.error) this.output.append(element("pre", { class: "dl-live-traceback" }, result.error.trimEnd()));
      if (result.advice) this.advise(result.advice);
      if (result.ok && this.current(code)) report = `ran in ${seconds(begun)}`;
      this.box.dataset.live = result.ok ? "done" : "error";
      return result;
    } catch (error) {
      this.flush();
      this.advise(error instanceof Stopped
        ? "Stopped. Python starts afresh: what the cells had defined is gone, so run the ones you need again."
        : `Python broke down (${error.message}) and starts afresh: what the cells had defined is gone.`);
      if (!(error instanceof Stopped)) restart();
      this.box.dataset.live = error instanceof Stopped ? "stopped" : "error";
      return null;
    } finally {
      this.settle();
      this.report.textContent = report;
      // What has to be scrolled can be reached with the keyboard.
      for (const piece of this.output.children) {
        if (piece.scrollWidth > piece.clientWidth || piece.scrollHeight > piece.clientHeight) piece.tabIndex = 0;
      }
    }
  }
}

/** Let every Stop button follow whether Python is there. */
export function beginToWatch() {
  watch(({ state }) => {
    const now = state !== "off" && state !== "failed";
    if (now === alive) return;
    alive = now;
    for (const runner of runners) runner.settleStop();
  });
}

// The page of an exercise: a Check button below each answer, and the answers as a notebook to hand in.
import { Stopped } from "./runtime.js";
import { Runner, element, hash, memory } from "./runner.js";
import { inTurn, start } from "./session.js";
import { cells, runWithNeeded } from "./cells.js";

const checks = [];

class Check extends Runner {
  constructor(place, { question, code }) {
    super(place, `question ${question.replace(/^q/, "")}`, { role: "status" });
    this.code = code;
    this.answers = cells.filter(({ box }) => box.classList.contains(`dl-answer-${question}`));
    this.key = `dlbook:${location.pathname}:${question}:solved`;
    this.checked = "";                                    // what the answers were when they were checked
    this.buttons = {
      run: this.button("Check", "Run the answer above and check it", () => this.run()),
      stop: this.button("Stop", "End whatever is running; what the cells have defined is lost", () => this.stop()),
    };
    this.buttons.run.classList.add("dl-check-button");
    const bar = element("div", { class: "dl-live-bar", role: "group", "aria-label": `Check of ${this.name}` }, ...Object.values(this.buttons), this.note, this.report);
    place.append(bar, this.output);
    for (const answer of this.answers) answer.onchange = () => checks.forEach((check) => check.follow());
    this.settle();
  }

  get fingerprint() {
    return hash(this.answers.map(({ text }) => text).join("\0"));
  }

  get untouched() {
    return this.answers.every(({ text, source }) => text === source);
  }

  /** Whether these very answers have passed all checks, in this visit or an earlier one. */
  get solved() {
    return memory.get(this.key) === this.fingerprint;
  }

  settle(busy = "") {
    this.busy = busy;
    this.settleStop();
    this.note.textContent = busy;
    this.report.textContent = busy || !this.solved ? "" : `Solved: ${checks.filter(({ solved }) => solved).length} of ${checks.length} questions of this page.`;
  }

  /** Keep up with the answers: a report on an older text stays to be read, and says so. */
  follow() {
    if (this.busy) return;
    if (this.untouched && this.checked !== this.fingerprint) this.output.replaceChildren();
    this.settle();
    if (this.output.hasChildNodes() && this.checked !== this.fingerprint) this.note.textContent = "The answer has changed since this check.";
  }

  current() {
    return false;                                         // how long a check took is of no interest
  }

  run() {
    return inTurn(() => this.work(), this);
  }

  /** Run the answers as they are now, then the question's checks. */
  async work() {
    this.settle("checking");
    this.checked = this.fingerprint;
    const untouched = this.untouched;
    const failed = [];                                    // in what follows their functions, such as a call of them
    try {
      await start();
      for (const answer of this.answers) {
        if (await runWithNeeded(answer)) continue;
        if (answer.box.dataset.live === "stopped") throw new Stopped();
        if (answer.defined) { failed.push(answer.index + 1); continue; }
        throw new Error(`Not checked: live cell ${answer.index + 1} above ended with an error. Its message says on which line.`);
      }
      const report = (await this.execute(this.code, 0))?.report;
      if (report && failed.length) this.output.prepend(element("p", { class: "dl-live-advice" }, `Live cell ${failed.join(" and ")} above failed after its functions were defined, so the checks could try them. The message there says on which line.`));
      if (report?.passed) memory.set(this.key, this.checked);
      else if (untouched) this.output.prepend(element("p", { class: "dl-live-advice" }, "You have not changed this answer yet. This is what the checks say of it as it stands in the book."));
    } catch (error) {
      this.refuse(error);
    } finally {
      this.settle();
      checks.forEach((check) => check.follow());
    }
  }
}

/** The notebook with the reader's code in its cells, offered as a file. */
function save({ name, notebook, live }) {
  const filled = structuredClone(notebook);
  cells.forEach(({ text }, i) => { filled.cells[live[i]].source = text; });
  const file = new Blob([`${JSON.stringify(filled, null, 1)}\n`], { type: "application/x-ipynb+json" });
  const link = element("a", { href: URL.createObjectURL(file), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

export function begin() {
  document.querySelectorAll(".dl-check").forEach((place) => {
    checks.push(new Check(place, JSON.parse(place.querySelector("script").textContent)));
  });
  checks.forEach((check) => check.settle());              // each counts them all
  document.querySelectorAll("script.dl-exercise-notebook").forEach((script) => {
    const button = element("button", { type: "button", class: "dl-live-button" }, "Save as notebook");
    button.addEventListener("click", () => save(JSON.parse(script.textContent)));
    script.after(element("div", { class: "dl-live-bar" }, button));
  });
}

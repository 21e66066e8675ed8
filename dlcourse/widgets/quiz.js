import { make } from "./kit.js";

// A reading check: radio buttons, or checkboxes where several options are right, and what there is to learn
// from the choice. All texts are in the page; nothing is computed and nothing is fetched.

let quizzes = 0;

// A reader's answer stays in this browser. Where storage is forbidden it lasts as long as the page.
const kept = {
  read(key) { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } },
  write(key, value) {
    try {
      if (value === null) localStorage.removeItem(key);
      else localStorage.setItem(key, JSON.stringify(value));
    } catch { /* not kept */ }
  },
};

// An answer to an older wording of the question is not an answer to this one.
function fingerprint(text) {
  let value = 5381;
  for (let i = 0; i < text.length; i++) value = ((value * 33) ^ text.charCodeAt(i)) >>> 0;
  return value.toString(36);
}

/** Make an element around HTML that Python has reduced to <code>, <i>, <sub> and <sup>. */
function rich(tag, html, attributes = {}) {
  const element = make(tag, attributes);
  element.innerHTML = html;
  return element;
}

/** ✓ or ✗ for the eye; the words beside it say the same. */
function sign(right) {
  return make("span", { class: right ? "dlq-right" : "dlq-wrong", "aria-hidden": "true" }, right ? "✓ " : "✗ ");
}

function judgement(right, words) {
  return make("strong", { class: right ? "dlq-right" : "dlq-wrong" }, sign(right), words);
}

function explanation(option) {
  return make("li", {}, judgement(option.right, option.right ? "Right: " : "Not right: "), rich("b", option.text), " ", rich("span", option.why));
}

/** What the reader is told of one answer among several. */
function verdictOfOne({ options }, [index]) {
  const { right, why } = options[index];
  return [make("p", {}, judgement(right, right ? "Right." : "Not right."), " ", rich("span", why))];
}

/** What the reader is told where several options are right: all of them, and no other, must be chosen. */
function verdictOfSeveral({ options }, chosen) {
  const wrong = chosen.filter((index) => !options[index].right).length;
  const missing = options.filter(({ right }, index) => right && !chosen.includes(index)).length;
  let words = "Right, and complete.";
  if (wrong && missing) words = "Not right yet: something chosen is not right, and something is missing.";
  else if (wrong) words = "Not right yet: something chosen is not right.";
  else if (missing) words = "Not complete yet: what is chosen is right, and something is missing.";
  return [make("p", {}, judgement(!wrong && !missing, words)), make("ul", {}, ...chosen.map((index) => explanation(options[index])))];
}

function isRight({ options }, chosen) {
  return options.every(({ right }, index) => right === chosen.includes(index));
}

class Quiz {
  constructor(about) {
    this.about = about;
    this.key = `dlbook:quiz:${about.key}:${fingerprint(JSON.stringify([about.question, about.options]))}`;
    this.build();
    const answer = kept.read(this.key);
    if (Array.isArray(answer) && answer.every((index) => this.inputs[index])) {
      for (const index of answer) this.inputs[index].checked = true;
      this.judge();
    }
  }

  build() {
    const { title, question, options, several } = this.about;
    const name = `dlq-${++quizzes}`;
    this.inputs = options.map((_, index) => make("input", { type: several ? "checkbox" : "radio", name, value: index }));
    this.labels = options.map(({ text }, index) => make("label", { class: "dlq-option" }, this.inputs[index], rich("span", text)));
    const legend = rich("legend", `${question} `);
    legend.append(make("span", { class: "dlq-hint" }, several ? "Choose all that are right." : "Choose one."));
    this.again = make("button", { type: "button", class: "dlw-button", hidden: true }, "Try again");
    this.verdict = make("div", { class: "dlq-verdict", role: "status" });
    this.others = make("div", { class: "dlq-others" });
    const form = make("form", {}, make("fieldset", {}, legend, ...this.labels),
      make("div", { class: "dlw-buttons" }, make("button", { type: "submit", class: "dlw-button" }, "Check"), this.again),
      this.verdict, this.others);
    this.root = make("div", { class: "dl-widget dl-quiz", "data-quiz": this.about.key }, make("p", { class: "dlw-title" }, title), form);
    form.addEventListener("submit", (event) => { event.preventDefault(); this.check(); });
    form.addEventListener("change", () => this.clear());       // what was said of another choice no longer holds
    this.again.addEventListener("click", () => this.reset());
    // JupyterLab takes keys for its own shortcuts unless the element that has the focus forbids it.
    this.root.addEventListener("focusin", ({ target }) => target.setAttribute("data-lm-suppress-shortcuts", "true"));
  }

  get chosen() {
    return this.inputs.flatMap((input, index) => (input.checked ? [index] : []));
  }

  clear() {
    this.verdict.replaceChildren();
    this.others.replaceChildren();
    this.again.hidden = true;
    this.root.removeAttribute("data-verdict");
    for (const label of this.labels) {
      label.classList.remove("dlq-is-right", "dlq-is-wrong");
      label.querySelector(".dlq-mark")?.remove();
    }
    kept.write(this.key, null);
  }

  reset() {
    this.clear();
    for (const input of this.inputs) input.checked = false;
    this.inputs[0].focus();                                    // the button that had the focus is gone
  }

  check() {
    if (this.chosen.length) {
      this.clear();
      this.judge();
      kept.write(this.key, this.chosen);
    } else {
      this.verdict.replaceChildren(make("p", {}, "Choose an answer first."));
    }
  }

  judge() {
    const { about, chosen } = this, right = isRight(about, chosen);
    this.verdict.replaceChildren(...(about.several ? verdictOfSeveral : verdictOfOne)(about, chosen));
    for (const index of chosen) this.mark(this.labels[index], about.options[index].right);
    const others = about.options.filter((_, index) => !chosen.includes(index));
    if (right) this.others.replaceChildren(make("details", {}, make("summary", {}, "What is wrong with the others?"), make("ul", {}, ...others.map(explanation))));
    this.again.hidden = false;
    this.root.dataset.verdict = right ? "right" : "wrong";
  }

  mark(label, right) {
    label.classList.add(right ? "dlq-is-right" : "dlq-is-wrong");
    label.append(make("span", { class: "dlq-mark" }, sign(right), right ? "right" : "not right"));
  }
}

function render({ model, el }) {
  el.append(new Quiz(model.get("about")).root);
}

export default { render };

// Widgets of a static page: the first picture was computed when the book was built; from the first touch
// on the worker computes, with the very functions that a Jupyter kernel would call. A quiz asks it nothing.
import { Stopped, call, loadScript } from "./runtime.js";

/** The part of anywidget's model that a widget's module uses. */
class Model {
  constructor(key, { about, inputs, outputs }) {
    this.key = key;
    this.state = { about, inputs, outputs, error: "" };
    this.handlers = {};
    this.busy = null;
  }

  get(name) { return this.state[name]; }

  set(name, value) { this.state[name] = value; }

  on(event, handler) { (this.handlers[event] ??= new Set()).add(handler); }

  off(event, handler) { this.handlers[event]?.delete(handler); }

  change(name, value) {
    this.state[name] = value;
    for (const handler of this.handlers[`change:${name}`] ?? []) handler();
  }

  /** Ask Python. While one question is under way only the latest of the next ones is kept. */
  save_changes() {
    this.again = true;
    this.busy ??= this.ask().finally(() => { this.busy = null; });
    return this.busy;
  }

  async ask() {
    while (this.again) {
      this.again = false;
      try {
        const { outputs, error = "" } = await call("widget", this.state.about.name, this.key, this.state.inputs);
        if (outputs) this.change("outputs", outputs);
        if (error !== this.state.error) this.change("error", error);
      } catch (error) {
        this.change("error", error instanceof Stopped ? "Python was stopped; move a control to start it again." : `Python could not start: ${error.message}`);
      }
    }
  }
}

async function show(place, index) {
  const data = JSON.parse(place.querySelector("script").textContent);
  const { name } = data.about;
  await loadScript(`widgets/${name}.js`);
  const holder = document.createElement("div");
  const model = new Model(`${name} ${index}`, data);
  place.replaceChildren(holder);
  globalThis.dlbookWidgets[name].render({ model, el: holder });
  place.dlModel = model;
  place.dataset.state = "shown";
}

/** Draw each widget when the reader comes near it. */
export function begin() {
  const places = [...document.querySelectorAll(".dl-widget-place, .dl-quiz-place")];
  const near = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      near.unobserve(target);
      show(target, places.indexOf(target)).catch((error) => { target.dataset.state = "failed"; console.error(error); });
    }
  }, { rootMargin: "400px" });
  places.forEach((place) => near.observe(place));
  return places.length;
}

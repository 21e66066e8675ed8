// The small script that every page loads: it makes cells and widgets come alive, and fetches the rest on demand.
import * as cells from "./cells.js";
import * as exercise from "./exercise.js";
import { beginToWatch } from "./runner.js";
import * as runtime from "./runtime.js";
import * as widgets from "./widgets.js";

const megabytes = (bytes) => (bytes / 1e6).toFixed(1);

// What is being loaded, at the foot of the window, for as long as it takes.
function progress() {
  const bar = document.createElement("progress");
  const text = document.createElement("span");
  const box = document.createElement("div");
  box.className = "dl-live-progress";
  bar.setAttribute("aria-label", "Loading Python");
  box.append(text, bar);
  // A screen reader is told each stage once, not every tenth of a megabyte.
  const spoken = document.createElement("p");
  spoken.className = "dl-live-spoken";
  spoken.setAttribute("role", "status");
  document.body.append(spoken);
  const stages = { loading: "Loading Python", starting: "Starting Python", ready: "Python is ready", failed: "Python could not be loaded" };
  runtime.watch(({ state, loaded, total, error }) => {
    if (spoken.textContent !== (stages[state] ?? "")) spoken.textContent = stages[state] ?? "";
    if (state === "ready" || state === "off") { box.remove(); return; }
    if (!box.isConnected) document.body.append(box);
    bar.hidden = state === "failed";
    if (state === "loading") {
      bar.max = total;
      bar.value = loaded;
      text.textContent = `Loading Python and NumPy: ${megabytes(loaded)} of ${megabytes(total)} MB`;
    } else if (state === "starting") {
      bar.removeAttribute("value");
      text.textContent = "Starting Python";
    } else {
      text.textContent = `Python could not be loaded: ${error}. Run a cell to try again.`;
    }
  });
}

function begin() {
  progress();
  cells.begin();
  exercise.begin();
  beginToWatch();
  widgets.begin();
  document.documentElement.dataset.dlLive = "on";
}

globalThis.dlbook = { runAll: cells.runAll, call: runtime.call };
if (document.readyState === "loading") addEventListener("DOMContentLoaded", begin);
else begin();

// One Python for all cells of the page: what it must know before the first of them, and whose turn it is.
import { Stopped, call, stop } from "./runtime.js";

let prepared = false;        // have the page's files and set-up cells gone into this Python?
let queue = Promise.resolve();
let turn = 0;

/** One piece of work after the other, in the order in which they were asked for. Stop empties the queue. */
export function inTurn(work, runner) {
  const mine = turn;
  if (runner?.busy === "") runner.settle("waiting");
  queue = queue.then(() => {
    if (mine === turn) return work();
    if (runner?.busy === "waiting") { runner.refuse(new Stopped()); runner.settle(); }
  }).catch((error) => console.error(error));
  return queue;
}

const data = (name) => [...document.querySelectorAll(`script.${name}`)].map((script) => JSON.parse(script.textContent));

/** See to it that Python is there, with the page's files, and that the page's set-up cells have run in it. */
export async function start() {
  if (prepared) return;
  try {
    for (const files of data("dl-live-files")) await call("write", files);
    const result = await call("run", data("dl-live-setup").join("\n"), 0);
    if (!result.ok) throw new Error(result.error);
  } catch (error) {
    throw error instanceof Stopped ? error : new Error(`Python could not start: ${error.message}`);
  }
  prepared = true;
}

export function restart() {
  prepared = false;
  stop();
}

export function stopAll() {
  turn += 1;
  restart();
}

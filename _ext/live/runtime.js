// Python for the page: one worker, started when the reader first asks, and the files it is made of.
import * as Comlink from "comlink";

const FILES = ["python.wasm", "python.js", "library", "course", "worker.js"];
const SIZES = __SIZES__;                                    // bytes of each packed file, known since the build
const here = new URL(".", document.currentScript.src);      // …/_static/live/
const total = FILES.reduce((sum, name) => sum + SIZES[name], 0);

let files = null;       // promise of the unpacked files: fetched once, kept for the next start after a stop
let session = null;     // { worker, api, ready }
let printer = () => {};  // who gets what Python prints
const listeners = new Set();

/** Be told of the state: { state: "off" | "loading" | "starting" | "ready" | "failed", loaded, total, error }. */
export function watch(listener) {
  listeners.add(listener);
}

function tell(state, more = {}) {
  document.documentElement.dataset.dlPython = state;
  for (const listener of listeners) listener({ state, total, ...more });
}

// A page opened from a folder may not fetch its neighbours, but it may run them as scripts: there each
// packed file also lies as a script that hands over its bytes in base64.
function fromScript(name) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    (globalThis.dlbookFiles ??= {})[name] = (text) => resolve(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)));
    script.onerror = () => reject(new Error(`${name} could not be loaded`));
    script.src = new URL(`runtime/${name}.packed.js`, here);
    document.head.append(script);
  });
}

async function packed(name, count, signal) {
  if (location.protocol === "file:") {
    const bytes = await fromScript(name);
    count(bytes.length);
    return new Blob([bytes]).stream();
  }
  const response = await fetch(new URL(`runtime/${name}.packed`, here), { signal });
  if (!response.ok) throw new Error(`${name} could not be loaded (${response.status})`);
  return response.body.pipeThrough(new TransformStream({
    transform(chunk, controller) { count(chunk.length); controller.enqueue(chunk); },
  }));
}

async function unpacked(name, count, signal) {
  const stream = (await packed(name, count, signal)).pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream, { headers: { "Content-Type": "application/wasm" } });
}

async function load() {
  let loaded = 0;
  const abort = new AbortController();       // one file that fails ends the others
  const count = (bytes) => { if (!abort.signal.aborted) tell("loading", { loaded: (loaded += bytes) }); };
  const get = (name) => unpacked(name, count, abort.signal);
  tell("loading", { loaded });
  try {
    const [module, script, library, course, worker] = await Promise.all([
      get("python.wasm").then((response) => WebAssembly.compileStreaming(response)),
      get("python.js").then((response) => response.text()),
      get("library").then((response) => response.arrayBuffer()),
      get("course").then((response) => response.arrayBuffer()),
      get("worker.js").then((response) => response.text()),
    ]);
    return { module, script, library, course, worker };
  } catch (error) {
    abort.abort();
    throw error;
  }
}

/** Start Python unless it runs; resolves to the worker's functions. */
export function start() {
  if (session) return session.ready;
  const own = { worker: null, ready: null, fail: null };
  session = own;
  const stopped = new Promise((_, reject) => { own.fail = reject; });
  stopped.catch(() => {});
  const begin = async () => {
    files ??= load();
    const { worker, ...parts } = await files;
    if (session !== own) throw new Stopped();
    tell("starting");
    const url = URL.createObjectURL(new Blob([worker], { type: "text/javascript" }));
    own.worker = new Worker(url);
    own.worker.addEventListener("message", ({ data }) => { if (data.print) printer(data.print); });
    const api = Comlink.wrap(own.worker);
    await api.start(parts);
    URL.revokeObjectURL(url);
    tell("ready");
    return api;
  };
  // A call that waits for a worker which is then ended would wait for ever: every call races with the stop.
  own.stopped = stopped;
  own.ready = Promise.race([begin(), stopped]);
  own.ready.catch((error) => {
    if (error instanceof Stopped) return;
    if (session === own) session = null;
    files = null;
    tell("failed", { error: error.message });
  });
  return own.ready;
}

/** Call one of the worker's functions; rejects with `Stopped` if Python is stopped meanwhile. */
export async function call(name, ...parameters) {
  const api = await start();
  const { stopped } = session;
  return Promise.race([api[name](...parameters), stopped]);
}

/** Say who gets what Python prints from now on: a function of { kind: "out" | "error", text }. */
export function printTo(listener) {
  printer = listener;
}

export class Stopped extends Error {}

/** End Python at once, whatever it is doing. Everything that cells have defined is lost. */
export function stop() {
  if (!session) return false;
  const { worker, fail } = session;
  session = null;
  worker?.terminate();
  fail(new Stopped("stopped"));
  tell("off");
  return true;
}

/** Run a script of the live part once; resolves when it has run. */
const scripts = new Map();
export function loadScript(path) {
  if (!scripts.has(path)) {
    scripts.set(path, new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.onload = resolve;
      script.onerror = () => reject(new Error(`${path} could not be loaded`));
      script.src = new URL(path, here);
      document.head.append(script);
    }));
  }
  return scripts.get(path);
}

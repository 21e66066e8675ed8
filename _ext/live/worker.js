// The worker: Pyodide from the files that the page hands over, and the functions of dlcourse.page.
import * as Comlink from "comlink";
import { unzipSync } from "fflate";
import { loadPyodide, version } from "pyodide";

const NOWHERE = "https://localhost/";      // Pyodide wants an address; nothing is ever fetched from it
const LOCK = JSON.stringify({ info: { arch: "wasm32", platform: "emscripten_3_1_58", version, python: "3.12.7" }, packages: {} });

let python, page;

// Pyodide fetches its parts by name. They are here already, so hand them over, and nothing else.
function serve(standardLibrary, module) {
  self.fetch = async (address) => {
    const name = String(address).split("/").pop();
    if (name === "pyodide.asm.wasm") return new Response();
    if (name === "pyodide-lock.json") return new Response(LOCK);
    if (name === "python_stdlib.zip") return new Response(standardLibrary);
    throw new TypeError(`The Python of this page has no network (${address})`);
  };
  WebAssembly.instantiateStreaming = async (_, imports) => ({ module, instance: await WebAssembly.instantiate(module, imports) });
}

function install(FS, folder, archive) {
  for (const [name, bytes] of Object.entries(archive)) {
    const path = `${folder}/${name}`;
    FS.mkdirTree(path.slice(0, path.lastIndexOf("/")));
    FS.writeFile(path, bytes, { canOwn: true });
  }
}

function plain(proxy) {
  const value = proxy.toJs({ dict_converter: Object.fromEntries });
  proxy.destroy();
  return nulls(value);
}

// Python's None arrives as undefined; in JSON, and so in Jupyter, it is null. Widgets shall meet one of them.
function nulls(value) {
  if (value === undefined) return null;
  if (value === null || typeof value !== "object" || ArrayBuffer.isView(value)) return value;
  if (Array.isArray(value)) return value.map(nulls);
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, nulls(entry)]));
}

// The buffers inside a result are moved to the page, not copied.
function buffers(value, found = []) {
  if (ArrayBuffer.isView(value)) found.push(value.buffer);
  else if (value && typeof value === "object") Object.values(value).forEach((entry) => buffers(entry, found));
  return found;
}

const api = {
  async start({ module, script, library, course }) {
    (0, eval)(script);                      // defines the function that makes the WebAssembly instance
    const { "python312.zip": standardLibrary, ...packages } = unzipSync(new Uint8Array(library));
    serve(standardLibrary, module);
    python = await loadPyodide({
      indexURL: NOWHERE,
      env: { PYTHONDONTWRITEBYTECODE: "1", DLCOURSE_PROGRESS: "0" },
      fsInit: async (FS, { sitePackages }) => {
        install(FS, sitePackages, packages);
        install(FS, sitePackages, unzipSync(new Uint8Array(course)));
      },
    });
    // To reuse the memory of large temporary arrays NumPy asks who called it. WebAssembly has no such
    // function; the answer "nobody knows" makes NumPy do without (and its absence would end Python).
    python._module.LDSO.loadedLibsByName.__main__.exports.backtrace = () => 0;
    // A prompt says that the page shows what a cell returns: `dlcourse.checks.check` need not print it.
    python.runPython("import numpy, sys; sys.ps1 = '>>> '");
    python.setStdin({ error: true });      // input() cannot wait for a reader: it raises an error
    page = python.pyimport("dlcourse.page").Page();
  },

  /** Put files, { path: text }, where cells find them: into Python's working directory. */
  write(files) {
    install(python.FS, python.FS.cwd(), Object.fromEntries(
      Object.entries(files).map(([path, text]) => [path, new TextEncoder().encode(text)])));
  },

  /** Run a cell; what it prints is sent while it runs, by the same way as the result, so that nothing overtakes. */
  run(code, number) {
    const stream = (kind) => {
      const decoder = new TextDecoder();
      const write = (bytes) => { self.postMessage({ print: { kind, text: decoder.decode(bytes, { stream: true }) } }); return bytes.length; };
      return { write };
    };
    python.setStdout(stream("out"));
    python.setStderr(stream("error"));
    return plain(page.run(code, number));
  },

  /** Indices of the cells above that must run before this one. */
  needed(codes, index) {
    const list = python.toPy(codes);
    const found = plain(page.needed(list, index));
    list.destroy();
    return found;
  },

  widget(name, key, inputs) {
    const given = python.toPy(inputs);
    const result = plain(page.widget(name, key, given));
    given.destroy();
    return Comlink.transfer(result, buffers(result));
  },
};

Comlink.expose(api);

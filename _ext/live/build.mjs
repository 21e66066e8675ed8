// Build what the live pages load: `node build.mjs REQUEST`, where the request is JSON:
// { out: folder, cache: folder, files: { name in the page: where it lies }, widgets: [ES modules] }.
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import { pack, put } from "./pack.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const { out, cache, files, widgets } = JSON.parse(process.argv[2]);
const common = { bundle: true, minify: true, format: "iife", target: "es2022", legalComments: "none", charset: "utf8", logLevel: "warning" };

async function bundle(entry, options = {}) {
  const { outputFiles } = await esbuild.build({ ...common, entryPoints: [join(HERE, entry)], write: false, ...options });
  return outputFiles[0].text;
}

const sizes = await pack(cache, files);
// Pyodide's loader mentions Node's modules, for Node only.
const worker = await bundle("worker.js", { external: ["node:*"], logOverride: { "ignored-bare-import": "silent" } });
sizes["worker.js"] = put(cache, "worker.js", Buffer.from(worker));

mkdirSync(join(out, "runtime"), { recursive: true });
for (const name of Object.keys(sizes)) {
  for (const kind of ["packed", "packed.js"]) cpSync(join(cache, `${name}.${kind}`), join(out, "runtime", `${name}.${kind}`));
}
writeFileSync(join(out, "live.js"), await bundle("main.js", { define: { __SIZES__: JSON.stringify(sizes) } }));
writeFileSync(join(out, "editor.js"), await bundle("editor.js"));
mkdirSync(join(out, "widgets"), { recursive: true });
for (const path of widgets) {
  const name = basename(path, ".js");
  const contents = `import widget from ${JSON.stringify(path)};\n(globalThis.dlbookWidgets ??= {})[${JSON.stringify(name)}] = widget;\n`;
  const script = await bundle("", { entryPoints: undefined, stdin: { contents, resolveDir: dirname(path) } });
  writeFileSync(join(out, "widgets", `${name}.js`), script);
}
const text = (name) => readFileSync(join(out, name)).length;
console.log(JSON.stringify({ ...sizes, "live.js": text("live.js"), "editor.js": text("editor.js") }));

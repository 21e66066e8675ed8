// Pack Python for the pages: Pyodide's interpreter, a trimmed standard library, NumPy, and dlcourse.
//
// Everything is compiled to bytecode here, by the very interpreter that will run it: a page would
// otherwise compile some 200 files before its first result. (Measured: 1.0 s to the first NumPy result instead of 2.9.)
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import { unzipSync, zipSync } from "fflate";
import { loadPyodide } from "pyodide";

const HERE = dirname(fileURLToPath(import.meta.url));
const MODULES = join(HERE, "..", "node_modules");
const PYODIDE = join(MODULES, "pyodide");
const NUMPY = join(MODULES, "@emscripten-forge", "numpy", "pkg");
const SITE = "lib/python3.12/site-packages/";

// What no cell of a course page can use: servers, mail, processes, other windows, debuggers, old character sets.
const UNUSED_LIBRARY = `_pyio aifc antigravity asyncio/proactor asyncio/windows bdb cProfile cgi chunk concurrent/futures/process
  configparser crypt curses dbm doctest encodings/big5 encodings/cp1006 encodings/cp102 encodings/cp11 encodings/cp125
  encodings/cp5 encodings/cp7 encodings/cp8 encodings/cp9 encodings/euc encodings/gb encodings/hp encodings/hz
  encodings/iso2022 encodings/iso8859_1 encodings/iso8859_2 encodings/iso8859_3 encodings/iso8859_4 encodings/iso8859_5
  encodings/iso8859_6 encodings/iso8859_7 encodings/iso8859_8 encodings/iso8859_9 encodings/johab encodings/koi8 encodings/kz
  encodings/mac encodings/palmos encodings/ptcp encodings/shift encodings/tis ensurepip ftplib http/cookiejar http/server
  idlelib imaplib imghdr lib2to3 logging/config logging/handlers mailbox mailcap modulefinder msilib multiprocessing/ nntplib
  nturl2path optparse pdb pickletools pipes plistlib poplib profile pstats pyclbr pydoc_data smtplib sndhdr socketserver
  sqlite3 sunau tabnanny tarfile telnetlib this.py tkinter tomllib trace.py turtle unittest/mock uu.py venv wave webbrowser
  wsgiref xdrlib xml/ xmlrpc zoneinfo`.split(/\s+/);

// NumPy's own tests, its compilers' headers, and type stubs. (_multiarray_tests stays: numpy.testing imports it.)
const UNUSED_NUMPY = [
  /\/tests\//, /\/include\//, /^numpy\/(f2py|distutils|doc|_pyinstaller)\//, /^numpy\/conftest/, /\/_simd\.cpython/,
  /_(operand_flag|struct_ufunc|umath|rational)_tests\.cpython/, /\.(pyi|pyc|a|h|pxd|pyx|ini|pc|typed|in|c)$/,
  /dist-info\/(RECORD|INSTALLER|REQUESTED|direct_url\.json|entry_points\.txt)$/,
];

const ARCHIVE = { level: 0, mtime: new Date("2024-01-02T00:00:00Z") };   // stored: the whole is compressed once

/** Read the members of a tar archive: blocks of 512 bytes, name and size in the header (POSIX ustar, GNU long names). */
function untar(bytes) {
  const text = (from, length) => new TextDecoder().decode(bytes.subarray(from, from + length)).replace(/\0.*$/s, "");
  const files = {};
  let long = "";
  for (let at = 0; at < bytes.length && bytes[at] !== 0;) {
    const size = parseInt(text(at + 124, 12).trim() || "0", 8);
    const type = String.fromCharCode(bytes[at + 156]);
    const prefix = text(at + 345, 155);
    const name = long || (prefix ? `${prefix}/` : "") + text(at, 100);
    long = type === "L" ? text(at + 512, size) : "";
    if (type === "0" || type === "\0") files[name] = bytes.subarray(at + 512, at + 512 + size);
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}

let compiler = null;

/** Compile one source file to the bytes of a .pyc that Python never checks against its source. */
async function compile(source, path, optimize = 0) {
  if (!compiler) {
    const python = await loadPyodide();
    python.runPython(`
import _imp, importlib.util
from importlib._bootstrap_external import _code_to_hash_pyc

def compiled(source, path, optimize):
    source = bytes(source.to_py())
    code = compile(source, path, "exec", dont_inherit=True, optimize=optimize)
    number = int.from_bytes(importlib.util.MAGIC_NUMBER, "little")
    return _code_to_hash_pyc(code, _imp.source_hash(number, source), False)
`);
    compiler = python.globals.get("compiled");
  }
  const proxy = compiler(new Uint8Array(source), path, optimize);
  const bytes = proxy.toJs();
  proxy.destroy();
  return bytes;
}

async function standardLibrary() {
  const files = {};
  for (const [name, bytes] of Object.entries(unzipSync(readFileSync(join(PYODIDE, "python_stdlib.zip"))))) {
    if (name.endsWith("/") || UNUSED_LIBRARY.some((start) => name.startsWith(start))) continue;
    // Without docstrings: a seventh less to load. Those of NumPy and of the course stay.
    if (name.endsWith(".py")) files[`${name}c`] = await compile(bytes, `/lib/python312.zip/${name}`, name.includes("pyodide") ? 0 : 2);
    else files[name] = bytes;
  }
  return zipSync(files, ARCHIVE);
}

async function numpy() {
  const [tarball] = readdirSync(NUMPY).filter((name) => name.endsWith(".tar.gz"));
  const files = {};
  for (const [path, bytes] of Object.entries(untar(gunzipSync(readFileSync(join(NUMPY, tarball)))))) {
    const name = path.replace(/^\.\//, "").replace(SITE, "");
    if (!path.includes(SITE) || UNUSED_NUMPY.some((pattern) => pattern.test(name))) continue;
    if (name.endsWith(".py")) files[`${name}c`] = await compile(bytes, `/${SITE}${name}`);
    else files[name] = bytes;
  }
  return files;
}

/** The package: its source, which a reader may want to see, and beside it the bytecode that is run. */
async function course(sources) {
  const files = {};
  for (const [name, path] of Object.entries(sources)) {
    files[name] = new Uint8Array(readFileSync(path));
    if (!name.endsWith(".py")) continue;
    const beside = name.replace(/([^/]+)\.py$/, "__pycache__/$1.cpython-312.pyc");
    files[beside] = await compile(files[name], `/${SITE}${name}`);
  }
  return files;
}

/** Write one packed file, and its twin in base64 for a page that is opened from a folder. Returns its size. */
export function put(out, name, bytes) {
  const packed = gzipSync(bytes, { level: 9 });
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, `${name}.packed`), packed);
  writeFileSync(join(out, `${name}.packed.js`), `dlbookFiles[${JSON.stringify(name)}]("${packed.toString("base64")}");\n`);
  return packed.length;
}

function fingerprint(...parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

/** Make a part unless what it is made from is unchanged. Returns the sizes of its files. */
async function cached(out, name, key, work) {
  const record = join(out, `${name}.json`);
  if (existsSync(record)) {
    const last = JSON.parse(readFileSync(record, "utf8"));
    if (last.key === key) return last.sizes;
  }
  mkdirSync(out, { recursive: true });
  const sizes = await work();
  writeFileSync(record, JSON.stringify({ key, sizes }));
  return sizes;
}

/** Pack everything into `out`. Returns the size of each packed file in bytes. */
export async function pack(out, sources) {
  const self = readFileSync(fileURLToPath(import.meta.url));
  const python = await cached(out, "python", fingerprint(self, readFileSync(join(HERE, "..", "package-lock.json"))), async () => ({
    "python.wasm": put(out, "python.wasm", readFileSync(join(PYODIDE, "pyodide.asm.wasm"))),
    "python.js": put(out, "python.js", readFileSync(join(PYODIDE, "pyodide.asm.js"))),
    library: put(out, "library", zipSync({ "python312.zip": await standardLibrary(), ...(await numpy()) }, ARCHIVE)),
  }));
  const contents = Object.entries(sources).flatMap(([name, path]) => [name, readFileSync(path)]);
  const package_ = await cached(out, "course", fingerprint(self, ...contents), async () => ({
    course: put(out, "course", zipSync(await course(sources), ARCHIVE)),
  }));
  return { ...python, ...package_ };
}

// Sets formulas with MathJax: reads a request from the standard input, writes the answer to the standard output.
//
// Request: {"tex": {...}, "formulas": [{"tex": "x^2", "display": false}, ...]}, where "tex" holds
// options of MathJax's TeX input, such as macros.
// Answer: {"formulas": [{"html": "...", "width": 1.3} or {"error": "..."}, ...], "css": "..."}, with
// widths in em and the style sheet of exactly the glyphs in use.

import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

const require = createRequire(import.meta.url);

// The measures of the page are unknown here. These let every formula keep its natural width; the
// style sheet fits its size to the text around it.
const EM = 16;
const EX = 8;
const UNLIMITED = 1e6;
const SCALE = 1;

async function startMathJax(tex) {
  return require("mathjax").init({
    loader: { load: ["input/tex", "output/chtml", "adaptors/liteDOM", "a11y/assistive-mml"], versionWarnings: false },
    tex: {
      ...tex,
      packages: { "[-]": ["noundefined"] }, // an unknown command is an error, not red text
      formatError(_input, error) {
        throw error;
      },
    },
    chtml: { adaptiveCSS: true, fontURL: "mathjax/fonts" },
    startup: { typeset: false },
  });
}

// What only MathJax in a browser, or nobody, needs.
function trim(html) {
  return html
    .replace(/ (?:data-mjx-texclass|data-mjx-variant|unselectable|xmlns)="[^"]*"/g, "")
    .replace(' style="position: relative;"', "")
    .replace('class=" MJX-TEX"', 'class="MJX-TEX"');
}

async function setFormula(MathJax, { tex, display }) {
  const page = MathJax.startup.document;
  const item = new page.options.MathItem(tex, page.inputJax[0], display);
  item.setMetrics(EM, EX, UNLIMITED, UNLIMITED, SCALE);
  try {
    // A command of an extension that is not loaded yet loads it, and starts the formula again.
    await MathJax._.util.Retries.handleRetriesFor(() => item.convert(page));
  } catch (error) {
    return { error: error.message };
  }
  const html = MathJax.startup.adaptor.outerHTML(item.typesetRoot);
  return { html: trim(html), width: page.outputJax.getBBox(item, page).w };
}

const request = JSON.parse(await text(process.stdin));
const MathJax = await startMathJax(request.tex);
const formulas = [];
for (const formula of request.formulas) {
  formulas.push(await setFormula(MathJax, formula));
}
const css = MathJax.startup.adaptor.textContent(MathJax.chtmlStylesheet());
process.stdout.write(JSON.stringify({ formulas, css }));

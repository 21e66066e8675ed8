// The code editor: loaded when a reader first wants to change a cell.
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import { HighlightStyle, bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { EditorState } from "@codemirror/state";
import { EditorView, drawSelection, highlightActiveLine, keymap } from "@codemirror/view";
import { tags } from "@lezer/highlight";

// The colours are variables of the book's style sheet, so that one style serves both themes.
const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: "var(--dl-code-keyword)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--dl-code-string)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--dl-code-number)" },
  { tag: [tags.comment], color: "var(--dl-code-comment)" },
  { tag: [tags.definition(tags.function(tags.variableName)), tags.definition(tags.className)], color: "var(--dl-code-name)" },
]);

/** Make an editor. `run` is called on Ctrl+Enter and Shift+Enter, `change` with the text after each edit. */
function create({ parent, text, label, describedBy, run, change }) {
  const keys = ["Shift-Enter", "Ctrl-Enter", "Mod-Enter"].map((key) => ({ key, run: () => { run(); return true; } }));
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: text,
      extensions: [
        keymap.of([...keys, indentWithTab, ...defaultKeymap, ...historyKeymap]),
        history(), drawSelection(), bracketMatching(), indentOnInput(), highlightActiveLine(),
        indentUnit.of("    "), python(), syntaxHighlighting(colours),
        // The place in the order of Tab, which editable text has anyway, is written down for tools that look for it.
        EditorView.contentAttributes.of({ "aria-label": label, "aria-describedby": describedBy, tabindex: "0" }),
        EditorView.updateListener.of((update) => { if (update.docChanged) change(update.state.doc.toString()); }),
      ],
    }),
  });
  return {
    get text() { return view.state.doc.toString(); },
    set text(next) { view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next } }); },
    /** Begin to type, at a place in the text if one is given. */
    focus(place = null) {
      if (place !== null) view.dispatch({ selection: { anchor: Math.min(place, view.state.doc.length) } });
      view.focus();
    },
  };
}

globalThis.dlbookEditor = { create };

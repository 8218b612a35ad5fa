// Boards as files: brought in from one, and saved as one.

import { Problem } from "./api.js";
import { fill, h } from "./dom.js";
import { sentence } from "./notice.js";
import { words } from "./words.js";

/** @typedef {import("./api.js").Schemas["BoardExport"]} BoardExport */

const MOST_TRIES = 3;

/**
 * Takes what Tackboard or Trello exported, by drop or by choice, and shows what became of it.
 *
 * @param {import("./api.js").Api} api
 * @param {() => void} done
 */
export function importer(api, done) {
  const input = h("input", { type: "file", accept: "application/json,.json", "aria-label": words.importChoose });
  const state = h("div", { role: "status" });
  const bring = async (/** @type {File} */ file) => {
    fill(state, h("p", {}, words.importBusy(file.name)), h("progress", { "aria-label": words.importTitle }));
    try {
      const body = JSON.parse(await file.text());
      const path = body?.format === "tackboard" ? "imports/tackboard" : "imports/trello";
      const answer = /** @type {import("./api.js").Schemas["Import"]} */ ((await api.ask("POST", path, { body })).body);
      fill(state, h("p", {}, words.importDone(answer.board.name), " ", h("a", { href: `#/boards/${answer.board.id}` }, words.importOpen)), drawn(answer.report));
      done();
    } catch (error) {
      fill(state, h("p", { class: "trouble" }, error instanceof SyntaxError ? words.importNotJson : sentence(error)));
      if (!(error instanceof Problem || error instanceof SyntaxError)) console.error(error);
    }
    input.value = "";
  };
  input.addEventListener("change", () => { if (input.files?.[0]) void bring(input.files[0]); });
  const panel = h("section", { class: "panel drop" }, h("h2", {}, words.importTitle), h("p", { class: "hint" }, words.importHint), input, state);
  panel.addEventListener("dragover", (event) => { event.preventDefault(); panel.classList.add("over"); });
  panel.addEventListener("dragleave", () => panel.classList.remove("over"));
  panel.addEventListener("drop", (event) => {
    event.preventDefault();
    panel.classList.remove("over");
    const file = event.dataTransfer?.files[0];
    if (file) void bring(file);
  });
  return panel;
}

/** @param {import("./api.js").Schemas["ImportReport"]} report */
function drawn(report) {
  const counts = Object.entries(report.brought).map(([kind, count]) => h("li", {}, words.importCount(kind, count)));
  const lines = report.items.map((line) => h("li", { dir: "auto" }, `${line.kind} ${line.name}: ${line.message}`));
  const more = report.unlisted ? h("li", {}, words.importMore(report.unlisted)) : null;
  return h("details", {}, h("summary", {}, words.importReport), h("ul", {}, counts), h("ul", {}, lines, more));
}

/**
 * Save the whole board as a file that an import takes. Raises a Problem.
 *
 * @param {import("./api.js").Api} api
 * @param {import("./api.js").Board} board
 */
export async function exportBoard(api, board) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      save(`${board.name}.json`, "application/json", JSON.stringify(await whole(api, board), null, 1));
      return;
    } catch (error) {
      const isChanged = error instanceof Problem && error.code === "board_changed";
      if (!isChanged || attempt === MOST_TRIES) throw error;
    }
  }
}

/**
 * All pages of an export in one: the arrays joined, the rest as the last page says it.
 *
 * @param {import("./api.js").Api} api
 * @param {import("./api.js").Board} board
 */
async function whole(api, board) {
  const ask = async (/** @type {string | undefined} */ cursor) =>
    /** @type {BoardExport} */ ((await api.ask("GET", `boards/${board.id}/export`, { query: { cursor } })).body);
  let page = await ask(undefined);
  const found = page;
  while (page.next_cursor) {
    page = await ask(page.next_cursor);
    found.cards.push(...page.cards);
    found.checklists.push(...page.checklists);
    found.comments.push(...page.comments);
    found.time_entries.push(...page.time_entries);
  }
  return { ...found, digest: page.digest, next_cursor: page.next_cursor };
}

/**
 * Let the browser save a text as a file.
 *
 * @param {string} name
 * @param {string} type
 * @param {string} text
 */
export function save(name, type, text) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  h("a", { href: address, download: name }).click();
  URL.revokeObjectURL(address);
}

// Import a board from a file, and export one to a file.

import { Problem } from "./api.js";
import { setChildren, h } from "./dom.js";
import { describeError } from "./notifications.js";
import { texts } from "./texts.js";

/** @typedef {import("./api.js").Schemas["BoardExport"]} BoardExport */

const MAX_ATTEMPTS = 3;

// A function of AWS Lambda takes up to 29 seconds for a large board.
const IMPORT_TIMEOUT_MS = 35_000;

/**
 * Create the panel that imports an export of Tackboard or Trello, dropped or chosen, and shows the report.
 *
 * @param {import("./api.js").Api} api
 * @param {() => void} onImported called after each import
 */
export function createImportPanel(api, onImported) {
  const input = h("input", { type: "file", accept: "application/json,.json", "aria-label": texts.importChoose });
  const status = h("div", { role: "status" });
  const importFile = async (/** @type {File} */ file) => {
    setChildren(status, h("p", {}, texts.importBusy(file.name)), h("progress", { "aria-label": texts.importTitle }));
    try {
      const body = JSON.parse(await file.text());
      const path = body?.format === "tackboard" ? "imports/tackboard" : "imports/trello";
      const imported = /** @type {import("./api.js").Schemas["Import"]} */ ((await api.request("POST", path, { body, timeoutMs: IMPORT_TIMEOUT_MS })).body);
      setChildren(status, h("p", {}, texts.importDone(imported.board.name), " ", h("a", { href: `#/boards/${imported.board.id}` }, texts.importOpen)), createReport(imported.report));
      onImported();
    } catch (error) {
      setChildren(status, h("p", { class: "error" }, error instanceof SyntaxError ? texts.importNotJson : describeError(error)));
      if (!(error instanceof Problem || error instanceof SyntaxError)) console.error(error);
    }
    input.value = "";
  };
  input.addEventListener("change", () => { if (input.files?.[0]) void importFile(input.files[0]); });
  const panel = h("section", { class: "panel drop-zone" }, h("h2", {}, texts.importTitle), h("p", { class: "hint" }, texts.importHint), input, status);
  panel.addEventListener("dragover", (event) => { event.preventDefault(); panel.classList.add("drag-over"); });
  panel.addEventListener("dragleave", () => panel.classList.remove("drag-over"));
  panel.addEventListener("drop", (event) => {
    event.preventDefault();
    panel.classList.remove("drag-over");
    const file = event.dataTransfer?.files[0];
    if (file) void importFile(file);
  });
  return panel;
}

/** Create the report of an import. @param {import("./api.js").Schemas["ImportReport"]} report */
function createReport(report) {
  const counts = Object.entries(report.brought).map(([kind, count]) => h("li", {}, texts.importCount(kind, count)));
  const items = report.items.map((item) => h("li", { dir: "auto" }, `${item.kind} ${item.name}: ${item.message}`));
  const more = report.unlisted ? h("li", {}, texts.importMore(report.unlisted)) : null;
  return h("details", {}, h("summary", {}, texts.importReport), h("ul", {}, counts), h("ul", {}, items, more));
}

/**
 * Download a board as a file that can be imported again.
 *
 * @throws {Problem} the export failed, or the board kept changing during MAX_ATTEMPTS attempts
 * @param {import("./api.js").Api} api
 * @param {import("./api.js").Board} board
 */
export async function exportBoard(api, board) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      downloadText(`${board.name}.json`, "application/json", JSON.stringify(await fetchWholeExport(api, board), null, 1));
      return;
    } catch (error) {
      const hasBoardChanged = error instanceof Problem && error.code === "board_changed";
      if (!hasBoardChanged || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

/**
 * Fetch all pages of an export and join them. Everything but the arrays comes from the last page.
 *
 * @throws {Problem} with the code board_changed if the board changed between two pages
 * @param {import("./api.js").Api} api
 * @param {import("./api.js").Board} board
 */
async function fetchWholeExport(api, board) {
  const fetchPage = async (/** @type {string | undefined} */ cursor) =>
    /** @type {BoardExport} */ ((await api.request("GET", `boards/${board.id}/export`, { query: { cursor } })).body);
  let page = await fetchPage(undefined);
  const boardExport = page;
  while (page.next_cursor) {
    page = await fetchPage(page.next_cursor);
    boardExport.cards.push(...page.cards);
    boardExport.checklists.push(...page.checklists);
    boardExport.comments.push(...page.comments);
    boardExport.time_entries.push(...page.time_entries);
  }
  return { ...boardExport, digest: page.digest, next_cursor: page.next_cursor };
}

/**
 * Let the browser download a text as a file.
 *
 * @param {string} name
 * @param {string} type
 * @param {string} text
 */
export function downloadText(name, type, text) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  h("a", { href: address, download: name }).click();
  URL.revokeObjectURL(address);
}

// All boards of whoever is signed in; new ones are made here, from nothing, from another board or from Trello.

import { Problem } from "./api.js";
import { fill, h } from "./dom.js";
import { field } from "./faces.js";
import { onDay } from "./format.js";
import { note, sentence, trouble } from "./notice.js";
import { words } from "./words.js";

/** @typedef {import("./api.js").Board} Board */

/** @type {import("./app.js").View} */
export async function boards({ api, main, entitle }) {
  entitle(words.boards);
  const tiles = h("ul", { class: "tiles" });
  const archived = h("ul", { class: "tiles" });
  const shelf = h("details", {}, h("summary", {}, words.boardsArchived), archived);
  shelf.addEventListener("toggle", () => { if (shelf.open) void drawArchived(); });

  const draw = async () => {
    const all = /** @type {Board[]} */ (await api.all("boards"));
    fill(tiles, all.length ? all.map((board) => tile(board, words.boardArchive, "archive")) : h("li", { class: "hint" }, words.boardsNone));
    fill(template, h("option", { value: "" }, words.boardTemplateNone),
      all.map((board) => h("option", { value: board.id }, words.boardTemplateOf(board.name))));
  };
  const drawArchived = async () => {
    const all = /** @type {Board[]} */ (await api.all("boards", undefined, { archived: true }));
    fill(archived, all.map((board) => tile(board, words.boardUnarchive, "unarchive")));
  };
  const shelve = async (/** @type {Board} */ board, /** @type {"archive" | "unarchive"} */ how) => {
    try {
      await api.ask("POST", `boards/${board.id}/${how}`);
      await Promise.all([draw(), shelf.open ? drawArchived() : null]);
      if (how === "archive") note(words.boardArchived(board.name), { label: words.undo, act: () => shelve(board, "unarchive") });
    } catch (error) {
      trouble(error);
    }
  };
  const tile = (/** @type {Board} */ board, /** @type {string} */ word, /** @type {"archive" | "unarchive"} */ how) => h("li", {},
    h("a", { href: `#/boards/${board.id}`, dir: "auto" }, board.name),
    h("small", {}, `${words.roles[board.role]} · ${onDay(board.updated_at)}`),
    board.role === "owner" ? h("button", { type: "button", class: "quiet", onclick: () => void shelve(board, how) }, word) : null);

  const name = h("input", { maxlength: 100, required: true, autocomplete: "off" });
  const template = h("select");
  const create = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const body = { name: name.value.trim() };
    try {
      const path = template.value ? `boards/${template.value}/copy` : "boards";
      const wishes = template.value ? { ...body, cards: false } : body;
      const made = /** @type {Board} */ ((await api.ask("POST", path, { body: wishes })).body);
      location.hash = `#/boards/${made.id}`;
    } catch (error) {
      trouble(error);
      name.focus();
    }
  };

  fill(main,
    h("div", { class: "page" },
      h("h1", {}, words.boards),
      tiles,
      h("div", { class: "panels" },
        h("form", { class: "panel", onsubmit: create },
          h("h2", {}, words.boardNew), field(words.boardName, name), field(words.boardTemplate, template),
          h("button", { class: "primary" }, words.boardCreate)),
        importer(api, () => void draw())),
      shelf));
  await draw();
}

/**
 * Takes an export of Trello, by drop or by choice, and shows what became of it.
 *
 * @param {import("./api.js").Api} api
 * @param {() => void} done
 */
function importer(api, done) {
  const input = h("input", { type: "file", accept: "application/json,.json", "aria-label": words.importChoose });
  const state = h("div", { role: "status" });
  const bring = async (/** @type {File} */ file) => {
    fill(state, h("p", {}, words.importBusy(file.name)), h("progress", { "aria-label": words.importTitle }));
    try {
      const body = JSON.parse(await file.text());
      const answer = /** @type {import("./api.js").Schemas["Import"]} */ ((await api.ask("POST", "imports/trello", { body })).body);
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

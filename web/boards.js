// All boards of whoever is signed in; new ones are made here, from nothing, from another board or from a file.

import { composer } from "./composer.js";
import { fill, h } from "./dom.js";
import { field } from "./faces.js";
import { exportBoard, importer } from "./files.js";
import { onDay } from "./format.js";
import { note, trouble } from "./notice.js";
import { latest, once } from "./turns.js";
import { words } from "./words.js";

/** @typedef {import("./api.js").Board} Board */

/** @type {import("./app.js").View} */
export async function boards({ api, main, entitle, isLeft }) {
  entitle(words.boards);
  const tiles = h("ul", { class: "tiles" });
  const archived = h("ul", { class: "tiles" });
  const shelf = h("details", { ontoggle: () => void redraw() }, h("summary", {}, words.boardsArchived), archived);
  const deleted = h("ul", { class: "tiles" });
  const trash = h("details", { ontoggle: () => void redraw() },
    h("summary", {}, words.boardsDeleted), h("p", { class: "hint" }, words.boardsDeletedHint), deleted);

  const found = async (/** @type {{archived?: boolean, deleted?: boolean}} */ query = {}) =>
    /** @type {Board[]} */ (await api.all("boards", undefined, query));
  // All shelves are drawn at once: a board that goes from one to another is never seen on both.
  const draw = latest(
    () => Promise.all([found(), shelf.open ? found({ archived: true }) : [], trash.open ? found({ deleted: true }) : []]),
    ([open, putAway, gone]) => {
      fill(tiles, open.length ? open.map((board) => tile(board, words.boardArchive, "archive")) : h("li", { class: "hint" }, words.boardsNone));
      fill(archived, putAway.map((board) => tile(board, words.boardUnarchive, "unarchive")));
      fill(deleted, gone.map(deletedTile));
      const chosen = open.find((board) => board.id === template.value)?.id ?? "";
      fill(template, h("option", { value: "" }, words.boardTemplateNone),
        open.map((board) => h("option", { value: board.id }, words.boardTemplateOf(board.name))));
      template.value = chosen;
    });
  const redraw = async () => {
    try {
      await draw();
    } catch (error) {
      trouble(error);
    }
  };
  /** @typedef {"archive" | "unarchive" | "delete" | "restore"} How */
  const shelve = async (/** @type {Board} */ board, /** @type {How} */ how) => {
    const own = `boards/${board.id}`;
    const undo = (/** @type {How} */ back) => ({ label: words.undo, act: () => shelve(board, back) });
    try {
      await (how === "delete" ? api.ask("DELETE", own, { version: "*" }) : api.ask("POST", `${own}/${how}`));
      await draw();
      if (how === "archive") note(words.boardArchived(board.name), undo("unarchive"));
      if (how === "delete") note(words.boardDeleted(board.name), undo("restore"));
      if (how === "restore") note(words.boardRestored(board.name));
    } catch (error) {
      trouble(error);
    }
  };
  const save = async (/** @type {Board} */ board) => {
    try {
      await exportBoard(api, board);
    } catch (error) {
      trouble(error);
    }
  };
  const tile = (/** @type {Board} */ board, /** @type {string} */ word, /** @type {"archive" | "unarchive"} */ how) => h("li", {},
    h("a", { href: `#/boards/${board.id}`, dir: "auto" }, board.name),
    h("small", {}, `${words.roles[board.role]} · ${onDay(board.updated_at)}`),
    h("div", {},
      board.role === "owner" ? h("button", { type: "button", class: "quiet", onclick: once(() => shelve(board, how)) }, word) : null,
      h("button", { type: "button", class: "quiet", onclick: () => void save(board) }, words.boardSave),
      board.role === "owner" ? h("button", { type: "button", class: "quiet", onclick: once(() => shelve(board, "delete")) }, words.delete) : null));
  const deletedTile = (/** @type {Board} */ board) => h("li", {},
    h("strong", { dir: "auto" }, board.name),
    h("small", {}, words.boardDeletedOn(onDay(board.deleted_at ?? board.updated_at))),
    h("button", { type: "button", class: "quiet", onclick: once(() => shelve(board, "restore")) }, words.boardRestore));

  const name = h("input", { maxlength: 100, autocomplete: "off" });
  const template = h("select");
  const { submit, unsaved } = composer("boards", [name, template], async ([typed, like], key) => {
    const made = /** @type {Board} */ ((await (like
      ? api.ask("POST", `boards/${like}/copy`, { body: { name: typed, cards: false }, key })
      : api.ask("POST", "boards", { body: { name: typed }, key }))).body);
    if (!isLeft()) location.hash = `#/boards/${made.id}`;
    return true;
  });

  fill(main,
    h("div", { class: "page" },
      h("h1", {}, words.boards),
      tiles,
      h("div", { class: "panels" },
        h("form", { class: "panel", onsubmit: submit },
          h("h2", {}, words.boardNew), field(words.boardName, name), field(words.boardTemplate, template),
          h("button", { class: "primary" }, words.boardCreate), unsaved),
        importer(api, () => void redraw())),
      shelf,
      trash));
  await draw();
}

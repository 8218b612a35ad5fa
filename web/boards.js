// All boards of whoever is signed in; new ones are made here, from nothing, from another board or from a file.

import { fill, h } from "./dom.js";
import { field } from "./faces.js";
import { exportBoard, importer } from "./files.js";
import { onDay } from "./format.js";
import { note, trouble } from "./notice.js";
import { words } from "./words.js";

/** @typedef {import("./api.js").Board} Board */

/** @type {import("./app.js").View} */
export async function boards({ api, main, entitle }) {
  entitle(words.boards);
  const tiles = h("ul", { class: "tiles" });
  const archived = h("ul", { class: "tiles" });
  const shelf = h("details", {}, h("summary", {}, words.boardsArchived), archived);
  shelf.addEventListener("toggle", () => { if (shelf.open) void drawArchived(); });
  const deleted = h("ul", { class: "tiles" });
  const trash = h("details", {}, h("summary", {}, words.boardsDeleted), h("p", { class: "hint" }, words.boardsDeletedHint), deleted);
  trash.addEventListener("toggle", () => { if (trash.open) void drawDeleted(); });

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
  const drawDeleted = async () => {
    const all = /** @type {Board[]} */ (await api.all("boards", undefined, { deleted: true }));
    fill(deleted, all.map((board) => h("li", {},
      h("strong", { dir: "auto" }, board.name),
      h("small", {}, words.boardDeletedOn(onDay(board.deleted_at ?? board.updated_at))),
      h("button", { type: "button", class: "quiet", onclick: () => void shelve(board, "restore") }, words.boardRestore))));
  };
  const shelve = async (/** @type {Board} */ board, /** @type {"archive" | "unarchive" | "restore"} */ how) => {
    try {
      await api.ask("POST", `boards/${board.id}/${how}`);
      await Promise.all([draw(), shelf.open ? drawArchived() : null, trash.open ? drawDeleted() : null]);
      if (how === "archive") note(words.boardArchived(board.name), { label: words.undo, act: () => shelve(board, "unarchive") });
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
      board.role === "owner" ? h("button", { type: "button", class: "quiet", onclick: () => void shelve(board, how) }, word) : null,
      h("button", { type: "button", class: "quiet", onclick: () => void save(board) }, words.boardSave)));

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
      shelf,
      trash));
  await draw();
}

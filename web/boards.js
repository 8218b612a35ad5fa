// The boards of the signed-in user. New ones are created empty, from another board, or from a file.

import { createComposer } from "./composer.js";
import { setChildren, h } from "./dom.js";
import { createField } from "./components.js";
import { exportBoard, createImportPanel } from "./import-export.js";
import { formatDate } from "./format.js";
import { notify, reportError } from "./notifications.js";
import { createReceivedInvitationsSection } from "./received-invitations.js";
import { ignoreOutdated, ignoreDoubleClicks } from "./async-handlers.js";
import { texts } from "./texts.js";

/** @typedef {import("./api.js").Board} Board */

/**
 * Show the active boards, and the archived and deleted ones when their sections are opened.
 *
 * @type {import("./app.js").View}
 */
export async function showBoards({ api, main, setTitle, isClosed }) {
  setTitle(texts.boards);
  const activeTiles = h("ul", { class: "tiles" });
  const archivedTiles = h("ul", { class: "tiles" });
  const archivedSection = h("details", { ontoggle: () => void redrawOrReport() }, h("summary", {}, texts.boardsArchived), archivedTiles);
  const deletedTiles = h("ul", { class: "tiles" });
  const deletedSection = h("details", { ontoggle: () => void redrawOrReport() },
    h("summary", {}, texts.boardsDeleted), h("p", { class: "hint" }, texts.boardsDeletedHint), deletedTiles);

  const fetchBoards = async (/** @type {{archived?: boolean, deleted?: boolean}} */ query = {}) =>
    /** @type {Board[]} */ (await api.fetchAll("boards", undefined, query));
  // All three sections are drawn together, so that a board that changes state never appears in two of them.
  const draw = ignoreOutdated(
    () => Promise.all([fetchBoards(), archivedSection.open ? fetchBoards({ archived: true }) : [], deletedSection.open ? fetchBoards({ deleted: true }) : []]),
    ([active, archived, deleted]) => {
      setChildren(activeTiles, active.length ? active.map((board) => createTile(board, texts.boardArchive, "archive")) : h("li", { class: "hint" }, texts.boardsNone));
      setChildren(archivedTiles, archived.map((board) => createTile(board, texts.boardUnarchive, "unarchive")));
      setChildren(deletedTiles, deleted.map(createDeletedTile));
      const selectedId = active.find((board) => board.id === templateSelect.value)?.id ?? "";
      setChildren(templateSelect, h("option", { value: "" }, texts.boardTemplateNone),
        active.map((board) => h("option", { value: board.id }, texts.boardTemplateOf(board.name))));
      templateSelect.value = selectedId;
    });
  const redrawOrReport = async () => {
    try {
      await draw();
    } catch (error) {
      reportError(error);
    }
  };
  /** @typedef {"archive" | "unarchive" | "delete" | "restore"} Action */
  const changeState = async (/** @type {Board} */ board, /** @type {Action} */ action) => {
    const path = `boards/${board.id}`;
    const createUndo = (/** @type {Action} */ opposite) => ({ label: texts.undo, run: () => changeState(board, opposite) });
    try {
      await (action === "delete" ? api.request("DELETE", path, { version: "*" }) : api.request("POST", `${path}/${action}`));
      await draw();
      if (action === "archive") notify(texts.boardArchived(board.name), createUndo("unarchive"));
      if (action === "delete") notify(texts.boardDeleted(board.name), createUndo("restore"));
      if (action === "restore") notify(texts.boardRestored(board.name));
    } catch (error) {
      reportError(error);
    }
  };
  const exportToFile = async (/** @type {Board} */ board) => {
    try {
      await exportBoard(api, board);
    } catch (error) {
      reportError(error);
    }
  };
  const createTile = (/** @type {Board} */ board, /** @type {string} */ label, /** @type {"archive" | "unarchive"} */ action) => h("li", {},
    h("a", { href: `#/boards/${board.id}`, dir: "auto" }, board.name),
    h("small", {}, `${texts.roles[board.role]} · ${formatDate(board.updated_at)}`),
    h("div", {},
      board.role === "owner" ? h("button", { type: "button", class: "quiet", onclick: ignoreDoubleClicks(() => changeState(board, action)) }, label) : null,
      h("button", { type: "button", class: "quiet", onclick: () => void exportToFile(board) }, texts.boardExport),
      board.role === "owner" ? h("button", { type: "button", class: "quiet", onclick: ignoreDoubleClicks(() => changeState(board, "delete")) }, texts.delete) : null));
  const createDeletedTile = (/** @type {Board} */ board) => h("li", {},
    h("strong", { dir: "auto" }, board.name),
    h("small", {}, texts.boardDeletedOn(formatDate(board.deleted_at ?? board.updated_at))),
    h("button", { type: "button", class: "quiet", onclick: ignoreDoubleClicks(() => changeState(board, "restore")) }, texts.boardRestore));

  const received = createReceivedInvitationsSection(api, isClosed);
  const nameInput = h("input", { maxlength: 100, autocomplete: "off" });
  const templateSelect = h("select");
  const { submit, unsavedList } = createComposer("boards", [nameInput, templateSelect], async ([name, templateId], key) => {
    const board = /** @type {Board} */ ((await (templateId
      ? api.request("POST", `boards/${templateId}/copy`, { body: { name, cards: false }, idempotencyKey: key })
      : api.request("POST", "boards", { body: { name }, idempotencyKey: key }))).body);
    if (!isClosed()) location.hash = `#/boards/${board.id}`;
    return true;
  });

  setChildren(main,
    h("div", { class: "page" },
      h("h1", {}, texts.boards),
      received.section,
      activeTiles,
      h("div", { class: "panels" },
        h("form", { class: "panel", onsubmit: submit },
          h("h2", {}, texts.boardNew), createField(texts.boardName, nameInput), createField(texts.boardTemplate, templateSelect),
          h("button", { class: "primary" }, texts.boardCreate), unsavedList),
        createImportPanel(api, () => void redrawOrReport())),
      archivedSection,
      deletedSection));
  // A narrowed token may not read invitations; the boards are shown all the same.
  await Promise.all([draw(), received.draw().catch(() => {})]);
}

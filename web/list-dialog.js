// The dialog that changes a list: name, WIP limit, position and archive.

import { h } from "./dom.js";
import { createCloseButton, openDialog, createField } from "./components.js";
import { toOneLine } from "./format.js";
import { notify } from "./notifications.js";
import { submitAndClose } from "./async-handlers.js";
import { texts } from "./texts.js";

/**
 * Open the dialog of a list.
 *
 * @param {import("./board.js").BoardView} view
 * @param {import("./model.js").List} list
 */
export function openListDialog(view, list) {
  const { api, path } = view.model;
  const listPath = `${path}/lists/${list.id}`;
  const nameInput = h("input", { value: list.name, maxlength: 100, required: true });
  const limitInput = h("input", { type: "number", min: 1, max: 5000, value: list.wip_limit ?? "" });
  const blocksBox = h("input", { type: "checkbox", checked: list.wip_enforcement === "block" });

  const save = async () => {
    const body = {
      name: toOneLine(nameInput.value),
      wip_limit: limitInput.value ? Number(limitInput.value) : null,
      wip_enforcement: blocksBox.checked ? "block" : "warn",
    };
    const response = await view.attempt(() => api.request("GET", listPath));
    if (!response) return false;
    const { version } = /** @type {import("./api.js").List} */ (response.body);
    return Boolean(await view.attempt(() => api.request("PATCH", listPath, { body, version })));
  };
  const archive = async () => {
    if (!(await view.attempt(() => api.request("POST", `${listPath}/archive`)))) return;
    closeAndReload();
    const undo = async () => {
      await view.attempt(() => api.request("POST", `${listPath}/unarchive`));
      await view.reloadOrReport();
    };
    notify(texts.listArchived(list.name), { label: texts.undo, run: undo });
  };
  const moveBy = async (/** @type {number} */ step) => {
    const others = view.model.lists.filter((other) => other.id !== list.id);
    const index = view.model.lists.findIndex((other) => other.id === list.id) + step;
    const neighbour = others[index];
    if (index < 0) return;
    const body = neighbour ? { before: neighbour.id } : { position: "bottom" };
    if (await view.attempt(() => api.request("POST", `${listPath}/move`, { body }))) void view.reloadOrReport();
  };
  const closeAndReload = () => {
    element.close();
    void view.reloadOrReport();
  };

  const element = openDialog(texts.listMenu(list.name),
    createCloseButton(texts.close, () => element.close()),
    h("form", { onsubmit: submitAndClose(save, () => closeAndReload()) },
      h("h2", { dir: "auto" }, list.name),
      createField(texts.listName, nameInput),
      createField(texts.listLimit, limitInput),
      h("label", { class: "check" }, blocksBox, texts.listLimitBlocks),
      h("div", { class: "row" },
        h("button", { class: "primary" }, texts.save),
        h("button", { type: "button", onclick: () => void moveBy(-1) }, texts.listMoveLeft),
        h("button", { type: "button", onclick: () => void moveBy(1) }, texts.listMoveRight),
        h("button", { type: "button", onclick: () => void archive() }, texts.listArchive))));
}

// The checklists of a card and their items.

import { createComposer } from "./composer.js";
import { reconcile, h, updateChildren } from "./dom.js";
import { makeSortable, waitForDragEnd } from "./drag.js";
import { createConfirmButton } from "./components.js";
import { ignoreOutdated } from "./async-handlers.js";
import { texts } from "./texts.js";

/**
 * @typedef {import("./api.js").Schemas["Checklist"]} Checklist
 * @typedef {Checklist["items"][number]} Item
 * @typedef {{api: import("./api.js").Api, canEdit: boolean, path: string,
 *     applyChange: (action: () => Promise<unknown>) => Promise<boolean>}} ChecklistContext
 *     `path` is that of the checklist; `applyChange` resolves to whether a change has succeeded
 */

/**
 * Create the section with all checklists.
 *
 * @param {{path: string, model: import("./model.js").Model, boardView: import("./board.js").BoardView}} dialog
 */
export function createChecklistsSection(dialog) {
  const { api, canEdit } = dialog.model;
  const container = h("div");
  /** @type {Map<string, ReturnType<typeof createChecklistPanel>>} the displayed checklists; their fields are kept when responses arrive */
  const panels = new Map();

  const applyChange = async (/** @type {() => Promise<unknown>} */ action) => {
    const response = await dialog.boardView.attempt(action);
    if (response) await readChecklists();
    return Boolean(response);
  };
  const readChecklists = ignoreOutdated(async () => {
    const checklists = /** @type {Checklist[]} */ (await api.fetchAll(`${dialog.path}/checklists`, undefined, { limit: undefined }));
    await waitForDragEnd();
    return checklists;
  }, (checklists) => {
    reconcile(container, checklists, { key: (checklist) => checklist.id, fingerprint: () => "", make: (checklist) => {
      const checklistPanel = createChecklistPanel({ api, canEdit, applyChange, path: `${dialog.path}/checklists/${checklist.id}` }, checklist);
      panels.set(checklist.id, checklistPanel);
      return checklistPanel.element;
    } });
    for (const checklist of checklists) panels.get(checklist.id)?.update(checklist);
  });

  const nameInput = h("input", { "aria-label": texts.checklistNew, placeholder: texts.checklistNew, maxlength: 200 });
  const { submit, unsavedList } = createComposer(`${dialog.path}/checklists`, [nameInput],
    ([text], key) => applyChange(() => api.request("POST", `${dialog.path}/checklists`, { body: { name: text }, idempotencyKey: key })));
  const element = h("section", { "aria-label": texts.checklist }, h("p", { id: "item-help", class: "visually-hidden" }, texts.checklistItemHelp), container,
    ...(canEdit ? [unsavedList, h("form", { class: "row", onsubmit: submit }, nameInput, h("button", {}, texts.add))] : []));
  return { element, read: readChecklists };
}

/**
 * Create one checklist. Its field for new items is kept when its items change.
 *
 * @param {ChecklistContext} context
 * @param {Checklist} firstVersion
 */
function createChecklistPanel({ api, canEdit, path, applyChange }, firstVersion) {
  let checklist = firstVersion;
  const list = h("ul", { class: "items" });
  const heading = h("h3", { dir: "auto" });
  const progress = h("progress");
  const itemInput = h("input", { "aria-label": texts.checklistItemNew, placeholder: texts.checklistItemNew, maxlength: 500 });
  const { submit, unsavedList } = createComposer(`${path}/items`, [itemInput],
    ([itemText], key) => applyChange(() => api.request("POST", `${path}/items`, { body: { text: itemText }, idempotencyKey: key })));

  const moveItem = async (/** @type {string} */ itemId, /** @type {object} */ body) => {
    await applyChange(() => api.request("POST", `${path}/items/${itemId}/move`, { body }));
    const handle = list.querySelector(`[data-key="${itemId}"] .handle`);
    // The focus returns only if the user hasn't moved it elsewhere.
    if (list.contains(document.activeElement) || document.activeElement === document.body) /** @type {HTMLElement | null} */ (handle)?.focus();
  };
  makeSortable(list, {
    item: "li", handle: ".handle", container: ".items", direction: "down",
    name: (item) => checklist.items.find(({ id }) => id === item.dataset.key)?.text ?? "",
    containerName: () => checklist.name,
    isAllowed: () => canEdit,
    drop: (item) => {
      const next = /** @type {HTMLElement | null} */ (item.nextElementSibling);
      void moveItem(item.dataset.key ?? "", next ? { before: next.dataset.key } : { position: "bottom" });
    },
  });

  const update = (/** @type {Checklist} */ newChecklist) => {
    checklist = newChecklist;
    const done = newChecklist.items.filter((item) => item.done).length;
    updateChildren(heading, [newChecklist.name, done, newChecklist.items.length], () => [newChecklist.name, h("small", {}, ` ${texts.checklistDone(done, newChecklist.items.length)}`)]);
    Object.assign(progress, { max: Math.max(newChecklist.items.length, 1), value: done, ariaLabel: newChecklist.name });
    reconcile(list, newChecklist.items, {
      key: (item) => item.id,
      fingerprint: (item) => JSON.stringify([item, item === newChecklist.items[0]]),
      make: (item) => createItemRow({ api, canEdit, path, applyChange }, item, item === newChecklist.items[0], moveItem),
    });
  };
  const element = h("div", { class: "checklist" },
    h("div", { class: "heading-row" }, heading, canEdit ? createConfirmButton(texts.delete, () => applyChange(() => api.request("DELETE", path, { version: "*" }))) : null),
    progress, list,
    ...(canEdit ? [unsavedList, h("form", { class: "row", onsubmit: submit }, itemInput, h("button", {}, texts.add))] : []));
  return { element, update };
}

/**
 * Create the element of an item.
 *
 * @param {ChecklistContext} context
 * @param {Item} item
 * @param {boolean} isFirst
 * @param {(itemId: string, body: object) => Promise<void>} moveItem
 */
function createItemRow({ api, canEdit, path, applyChange }, item, isFirst, moveItem) {
  const box = h("input", { type: "checkbox", checked: item.done, disabled: !canEdit });
  const toggleDone = async () => {
    const isDone = box.checked;
    const isSaved = await applyChange(() => api.request("PATCH", `${path}/items/${item.id}`, { body: { done: isDone }, version: "*" }));
    if (!isSaved && box.checked === isDone) box.checked = !isDone;
  };
  box.addEventListener("change", () => void toggleDone());
  const deleteItem = () => void applyChange(() => api.request("DELETE", `${path}/items/${item.id}`, { version: "*" }));
  // Moves the item without dragging. The item above is looked up now, because it may have changed since this was drawn.
  const moveUp = () => {
    const previous = /** @type {HTMLElement | null} */ (element.previousElementSibling);
    if (previous) void moveItem(item.id, { before: previous.dataset.key });
  };
  const createButton = (/** @type {string} */ label, /** @type {string} */ symbol, /** @type {import("./dom.js").Attributes} */ attributes) =>
    (canEdit ? h("button", { type: "button", class: "quiet", "aria-label": label, ...attributes }, symbol) : null);
  const element = h("li", {},
    createButton(texts.checklistItemMove(item.text), "⠿", { class: "quiet handle", "aria-describedby": "item-help" }),
    h("label", { class: "check", dir: "auto" }, box, h("span", { class: item.done ? "checked" : "" }, item.text)),
    isFirst ? null : createButton(texts.checklistItemUp(item.text), "↑", { onclick: moveUp }),
    createButton(`${texts.remove}: ${item.text}`, "×", { onclick: deleteItem }));
  return element;
}

// Dates, labels, assignees and links of a card. Each is saved separately, as soon as it changes.
//
// The elements are created once and then only updated, so that a response never replaces a field while someone uses it.

import { createComposer } from "./composer.js";
import { reconcile, h, updateChildren } from "./dom.js";
import { autosave } from "./drafts.js";
import { createLabelChip, createField } from "./components.js";
import { toInputValue, fromInputValue } from "./format.js";
import { createLink } from "./markdown.js";
import { notify } from "./notifications.js";
import { texts } from "./texts.js";

/**
 * @typedef {import("./model.js").Card} Card
 * @typedef {object} CardContext the dialog of the card
 * @property {string} path
 * @property {Card} card in its newest known version
 * @property {import("./model.js").Model} model
 * @property {import("./board.js").BoardView} boardView
 * @property {(fields: () => Record<string, unknown>) => Promise<import("./api.js").Problem | null>} saveFields
 */

/**
 * Create the fields.
 *
 * @param {CardContext} dialog
 * @returns {{element: HTMLElement, draw: () => void}}
 */
export function createCardFields(dialog) {
  const { model } = dialog;
  const isReadOnly = !model.canEdit;
  const [start, due] = [createDateField(dialog, "start_at"), createDateField(dialog, "due_at")];
  const dueCompleteBox = h("input", { type: "checkbox", disabled: isReadOnly });
  /** @type {{isOn: boolean} | null} the last click that has no response yet */
  let pendingClick = null;
  dueCompleteBox.addEventListener("change", async () => {
    const click = (pendingClick = { isOn: dueCompleteBox.checked });
    await dialog.saveFields(() => ({ due_complete: click.isOn }));
    if (pendingClick === click) pendingClick = null;
    draw();
  });
  const labels = createChoices(dialog, "label_ids");
  const emptyHint = h("p", { class: "hint" }, texts.labelsNone);
  const assignees = createChoices(dialog, "assignee_ids");
  const links = createLinkFields(dialog);
  const element = h("div", { class: "card-fields" },
    h("div", { class: "two-columns" }, createField(texts.startAt, start.input), createField(texts.due, due.input)),
    h("label", { class: "check" }, dueCompleteBox, texts.dueComplete),
    h("fieldset", {}, h("legend", {}, texts.labels), emptyHint, labels.element, ...(isReadOnly ? [] : createLabelForm(dialog))),
    h("fieldset", {}, h("legend", {}, texts.assignees), assignees.element),
    links.element);
  const draw = () => {
    start.show();
    due.show();
    dueCompleteBox.checked = pendingClick?.isOn ?? dialog.card.due_complete;
    emptyHint.hidden = model.labels.length > 0;
    labels.draw(model.labels.map((label) => ({ id: label.id, name: label.name, make: () => createLabelChip(label), fingerprint: JSON.stringify(label) })));
    assignees.draw(model.members.map(({ user_id, name }) => ({ id: user_id, name, make: () => h("span", { dir: "auto" }, name), fingerprint: name })));
    links.draw();
  };
  return { element, draw };
}

/**
 * Create a field for a date and time. It is saved on blur or Enter, because every key makes another date of it. If the
 * server rejects it, the stored date comes back; if it could not be sent, it stays.
 *
 * @param {CardContext} dialog
 * @param {"start_at" | "due_at"} name
 */
function createDateField(dialog, name) {
  const input = h("input", { type: "datetime-local", min: "1900-01-01T00:00", max: "9999-12-31T23:59", disabled: !dialog.model.canEdit });
  const save = async (/** @type {string} */ value) => {
    if (!input.validity.valid) {
      notify(input.validationMessage, undefined, "error");
      return false;
    }
    const problem = await dialog.saveFields(() => ({ [name]: fromInputValue(value) }));
    return !problem || [400, 409, 422].includes(problem.status);
  };
  return { input, show: autosave(input, { key: `${dialog.path}/${name}`, getSavedValue: () => toInputValue(dialog.card[name]), save }) };
}

/**
 * Create checkboxes for the labels or assignees of a card. A click shows at once, ahead of its response.
 *
 * @param {CardContext} dialog
 * @param {"label_ids" | "assignee_ids"} name
 */
function createChoices(dialog, name) {
  const element = h("div");
  /** @type {Map<string, {isOn: boolean}>} */
  const pendingClicks = new Map();
  const showChecked = () => {
    for (const row of element.children) {
      const { key = "" } = /** @type {HTMLElement} */ (row).dataset;
      const box = /** @type {HTMLInputElement} */ (row.querySelector("input"));
      box.checked = pendingClicks.get(key)?.isOn ?? dialog.card[name].includes(key);
    }
  };
  const saveChoice = async (/** @type {string} */ id, /** @type {boolean} */ isOn) => {
    const click = { isOn };
    pendingClicks.set(id, click);
    await dialog.saveFields(() => {
      const others = dialog.card[name].filter((other) => other !== id);
      return { [name]: isOn ? [...others, id] : others };
    });
    if (pendingClicks.get(id) === click) pendingClicks.delete(id);
    showChecked();
  };
  const draw = (/** @type {{id: string, fingerprint: string, make: () => Node}[]} */ options) => {
    reconcile(element, options, { key: ({ id }) => id, fingerprint: ({ fingerprint }) => fingerprint, make: ({ id, make }) => {
      const box = h("input", { type: "checkbox", disabled: !dialog.model.canEdit });
      box.addEventListener("change", () => void saveChoice(id, box.checked));
      return h("label", { class: "check" }, box, make());
    } });
    showChecked();
  };
  return { element, draw };
}

/** Create the list of links and the form that adds one. @param {CardContext} dialog */
function createLinkFields(dialog) {
  const { canEdit } = dialog.model;
  const list = h("ul", { class: "rows" });
  const changeLinks = async (/** @type {(links: Card["links"]) => {url: string, title: string}[]} */ change) =>
    !(await dialog.saveFields(() => ({ links: change(dialog.card.links) })));
  const url = h("input", { type: "url", "aria-label": texts.linkUrl, placeholder: "https://…", maxlength: 2008 });
  const title = h("input", { "aria-label": texts.linkTitle, placeholder: texts.linkTitle, maxlength: 200, dir: "auto" });
  const { submit, unsavedList } = createComposer(`${dialog.path}/links`, [url, title], ([typedUrl = "", typedTitle]) => {
    const address = URL.canParse(typedUrl) ? new URL(typedUrl).href : typedUrl;
    return changeLinks((links) => [...links, { url: address, title: typedTitle || address.slice(0, 200) }]);
  });
  const element = h("fieldset", {}, h("legend", {}, texts.links), list,
    ...(canEdit ? [unsavedList, h("form", { class: "row", onsubmit: submit }, url, title, h("button", {}, texts.add))] : []));
  const createLinkRow = (/** @type {Card["links"][number]} */ cardLink) => h("li", {}, h("span", { dir: "auto" }, createLink(cardLink.url, cardLink.title)),
    canEdit ? h("button", { type: "button", class: "quiet", "aria-label": `${texts.remove}: ${cardLink.title}`,
      onclick: () => void changeLinks((links) => links.filter((other) => other.url !== cardLink.url || other.title !== cardLink.title)) }, "×") : null);
  const draw = () => {
    element.hidden = !canEdit && !dialog.card.links.length;
    updateChildren(list, dialog.card.links, () => dialog.card.links.map(createLinkRow));
  };
  return { element, draw };
}

/** Create the form that adds a label to the board and the card. @param {CardContext} dialog */
function createLabelForm(dialog) {
  const { api, path } = dialog.model;
  const name = h("input", { "aria-label": texts.labelNew, placeholder: texts.labelNew, maxlength: 50 });
  const color = h("select", { "aria-label": texts.labelColor },
    Object.entries(texts.colors).map(([value, label]) => h("option", { value }, label)));
  const { submit, unsavedList } = createComposer(`${dialog.path}/labels`, [name, color], async ([labelName, selectedColor], key) => {
    const body = { name: labelName, color: selectedColor };
    const response = await dialog.boardView.attempt(() => api.request("POST", `${path}/labels`, { body, idempotencyKey: key }));
    if (!response) return false;
    const label = /** @type {import("./model.js").Label} */ (response.body);
    dialog.model.labels = [...dialog.model.labels.filter(({ id }) => id !== label.id), label];
    await dialog.saveFields(() => ({ label_ids: [...dialog.card.label_ids.filter((id) => id !== label.id), label.id] }));
    return true;
  });
  return [unsavedList, h("form", { class: "row", onsubmit: submit }, name, color, h("button", {}, texts.add))];
}

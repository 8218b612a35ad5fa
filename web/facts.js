// What a card has beside its text: dates, labels, people and links. Each is saved by itself, as soon as it is chosen.
//
// The fields are made once: an answer changes what they show, and takes no field away from under anybody's fingers.

import { composer } from "./composer.js";
import { align, h, refill } from "./dom.js";
import { editing } from "./drafts.js";
import { chip, field } from "./faces.js";
import { forInput, fromInput } from "./format.js";
import { link } from "./markdown.js";
import { note } from "./notice.js";
import { words } from "./words.js";

/**
 * @typedef {import("./model.js").Card} Card
 * @typedef {object} View the dialog of a card
 * @property {string} path
 * @property {Card} card as it is known now
 * @property {import("./model.js").Model} model
 * @property {import("./board.js").Screen} screen
 * @property {(fields: () => Record<string, unknown>) => Promise<import("./api.js").Problem | null>} patch
 */

/** @param {View} view */
export function facts(view) {
  const { model } = view;
  const isOff = !model.canEdit;
  const [start, due] = [dateField(view, "start_at"), dateField(view, "due_at")];
  const complete = h("input", { type: "checkbox", disabled: isOff });
  /** @type {{isOn: boolean} | null} what was clicked and has no answer yet */
  let clicked = null;
  complete.addEventListener("change", async () => {
    const click = (clicked = { isOn: complete.checked });
    await view.patch(() => ({ due_complete: click.isOn }));
    if (clicked === click) clicked = null;
    draw();
  });
  const labels = choices(view, "label_ids");
  const none = h("p", { class: "hint" }, words.labelsNone);
  const people = choices(view, "assignee_ids");
  const links = linkFields(view);
  const element = h("div", { class: "facts" },
    h("div", { class: "pair" }, field(words.startAt, start.input), field(words.due, due.input)),
    h("label", { class: "check" }, complete, words.dueComplete),
    h("fieldset", {}, h("legend", {}, words.labels), none, labels.element, ...(isOff ? [] : labelMaker(view))),
    h("fieldset", {}, h("legend", {}, words.assignees), people.element),
    links.element);
  const draw = () => {
    start.show();
    due.show();
    complete.checked = clicked?.isOn ?? view.card.due_complete;
    none.hidden = model.labels.length > 0;
    labels.draw(model.labels.map((label) => ({ id: label.id, name: label.name, make: () => chip(label), print: JSON.stringify(label) })));
    people.draw(model.members.map(({ user_id, name }) => ({ id: user_id, name, make: () => h("span", { dir: "auto" }, name), print: name })));
    links.draw();
  };
  return { element, draw };
}

/**
 * A date and time: saved when the field is left or at Enter, as a date that is typed is another one at every key. One
 * that the server refuses gives way to the stored one; one that did not reach it stays.
 *
 * @param {View} view
 * @param {"start_at" | "due_at"} name
 */
function dateField(view, name) {
  const input = h("input", { type: "datetime-local", min: "1900-01-01T00:00", max: "9999-12-31T23:59", disabled: !view.model.canEdit });
  const save = async (/** @type {string} */ typed) => {
    if (!input.validity.valid) {
      note(input.validationMessage, undefined, "trouble");
      return false;
    }
    const problem = await view.patch(() => ({ [name]: fromInput(typed) }));
    return !problem || [400, 409, 422].includes(problem.status);
  };
  return { input, show: editing(input, { key: `${view.path}/${name}`, shown: () => forInput(view.card[name]), save }) };
}

/**
 * Boxes for what a card has of all that there is. What was clicked shows at once, and until its answer has come.
 *
 * @param {View} view
 * @param {"label_ids" | "assignee_ids"} name
 */
function choices(view, name) {
  const element = h("div");
  /** @type {Map<string, {isOn: boolean}>} */
  const clicked = new Map();
  const show = () => {
    for (const row of element.children) {
      const { key = "" } = /** @type {HTMLElement} */ (row).dataset;
      const box = /** @type {HTMLInputElement} */ (row.querySelector("input"));
      box.checked = clicked.get(key)?.isOn ?? view.card[name].includes(key);
    }
  };
  const choose = async (/** @type {string} */ id, /** @type {boolean} */ isOn) => {
    const click = { isOn };
    clicked.set(id, click);
    await view.patch(() => {
      const others = view.card[name].filter((other) => other !== id);
      return { [name]: isOn ? [...others, id] : others };
    });
    if (clicked.get(id) === click) clicked.delete(id);
    show();
  };
  const draw = (/** @type {{id: string, print: string, make: () => Node}[]} */ all) => {
    align(element, all, { key: ({ id }) => id, print: ({ print }) => print, make: ({ id, make }) => {
      const box = h("input", { type: "checkbox", disabled: !view.model.canEdit });
      box.addEventListener("change", () => void choose(id, box.checked));
      return h("label", { class: "check" }, box, make());
    } });
    show();
  };
  return { element, draw };
}

/** @param {View} view */
function linkFields(view) {
  const { canEdit } = view.model;
  const list = h("ul", { class: "people" });
  const put = async (/** @type {(old: Card["links"]) => {url: string, title: string}[]} */ change) =>
    !(await view.patch(() => ({ links: change(view.card.links) })));
  const url = h("input", { type: "url", "aria-label": words.linkUrl, placeholder: "https://…", maxlength: 2008 });
  const title = h("input", { "aria-label": words.linkTitle, placeholder: words.linkTitle, maxlength: 200, dir: "auto" });
  const { submit, unsaved } = composer(`${view.path}/links`, [url, title], ([typed = "", name]) => {
    const address = URL.canParse(typed) ? new URL(typed).href : typed;
    return put((old) => [...old, { url: address, title: name || address.slice(0, 200) }]);
  });
  const element = h("fieldset", {}, h("legend", {}, words.links), list,
    ...(canEdit ? [unsaved, h("form", { class: "row", onsubmit: submit }, url, title, h("button", {}, words.add))] : []));
  const row = (/** @type {Card["links"][number]} */ each) => h("li", {}, h("span", { dir: "auto" }, link(each.url, each.title)),
    canEdit ? h("button", { type: "button", class: "quiet", "aria-label": `${words.remove}: ${each.title}`,
      onclick: () => void put((old) => old.filter((other) => other.url !== each.url || other.title !== each.title)) }, "×") : null);
  const draw = () => {
    element.hidden = !canEdit && !view.card.links.length;
    refill(list, view.card.links, () => view.card.links.map(row));
  };
  return { element, draw };
}

/** @param {View} view */
function labelMaker(view) {
  const { api, path } = view.model;
  const name = h("input", { "aria-label": words.labelNew, placeholder: words.labelNew, maxlength: 50 });
  const color = h("select", { "aria-label": words.labelColor },
    Object.entries(words.colors).map(([value, word]) => h("option", { value }, word)));
  const { submit, unsaved } = composer(`${view.path}/labels`, [name, color], async ([typed, chosen], key) => {
    const body = { name: typed, color: chosen };
    const answer = await view.screen.attempt(() => api.ask("POST", `${path}/labels`, { body, key }));
    if (!answer) return false;
    const label = /** @type {import("./model.js").Label} */ (answer.body);
    view.model.labels = [...view.model.labels.filter(({ id }) => id !== label.id), label];
    await view.patch(() => ({ label_ids: [...view.card.label_ids.filter((id) => id !== label.id), label.id] }));
    return true;
  });
  return [unsaved, h("form", { class: "row", onsubmit: submit }, name, color, h("button", {}, words.add))];
}

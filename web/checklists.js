// The checklists of a card.

import { composer } from "./composer.js";
import { align, h, refill } from "./dom.js";
import { sortable, whenStill } from "./drag.js";
import { confirming } from "./faces.js";
import { latest } from "./turns.js";
import { words } from "./words.js";

/**
 * @typedef {import("./api.js").Schemas["Checklist"]} Checklist
 * @typedef {Checklist["items"][number]} Item
 * @typedef {{api: import("./api.js").Api, canEdit: boolean, own: string,
 *     change: (act: () => Promise<unknown>) => Promise<boolean>}} Ways to change the checklist at the path `own`
 */

/**
 * @param {{path: string, model: import("./model.js").Model, screen: import("./board.js").Screen}} card
 */
export function checklists(card) {
  const { api, canEdit } = card.model;
  const all = h("div");
  /** @type {Map<string, ReturnType<typeof panel>>} the checklists that are shown: fields stay while answers come */
  const panels = new Map();

  const change = async (/** @type {() => Promise<unknown>} */ act) => {
    const answer = await card.screen.attempt(act);
    if (answer) await read();
    return Boolean(answer);
  };
  const read = latest(async () => {
    const found = /** @type {Checklist[]} */ (await api.all(`${card.path}/checklists`, undefined, { limit: undefined }));
    await whenStill();
    return found;
  }, (found) => {
    align(all, found, { key: (checklist) => checklist.id, print: () => "", make: (checklist) => {
      const made = panel({ api, canEdit, change, own: `${card.path}/checklists/${checklist.id}` }, checklist);
      panels.set(checklist.id, made);
      return made.element;
    } });
    for (const checklist of found) panels.get(checklist.id)?.update(checklist);
  });

  const name = h("input", { "aria-label": words.checklistNew, placeholder: words.checklistNew, maxlength: 200 });
  const { submit, unsaved } = composer(`${card.path}/checklists`, [name],
    ([text], key) => change(() => api.ask("POST", `${card.path}/checklists`, { body: { name: text }, key })));
  const element = h("section", { "aria-label": words.checklist }, h("p", { id: "item-help", class: "unseen" }, words.itemHelp), all,
    ...(canEdit ? [unsaved, h("form", { class: "row", onsubmit: submit }, name, h("button", {}, words.add))] : []));
  return { element, read };
}

/**
 * One checklist, with a field for more items that stays while its items change.
 *
 * @param {Ways} ways
 * @param {Checklist} first
 */
function panel({ api, canEdit, own, change }, first) {
  let checklist = first;
  const list = h("ul", { class: "items" });
  const heading = h("h3", { dir: "auto" });
  const progress = h("progress");
  const text = h("input", { "aria-label": words.checklistItemNew, placeholder: words.checklistItemNew, maxlength: 500 });
  const { submit, unsaved } = composer(`${own}/items`, [text],
    ([typed], key) => change(() => api.ask("POST", `${own}/items`, { body: { text: typed }, key })));

  const move = async (/** @type {string} */ itemId, /** @type {object} */ body) => {
    await change(() => api.ask("POST", `${own}/items/${itemId}/move`, { body }));
    const again = list.querySelector(`[data-key="${itemId}"] .handle`);
    // Whoever has gone on to something else is not called back.
    if (list.contains(document.activeElement) || document.activeElement === document.body) /** @type {HTMLElement | null} */ (again)?.focus();
  };
  sortable(list, {
    item: "li", handle: ".handle", container: ".items", direction: "down",
    name: (item) => checklist.items.find(({ id }) => id === item.dataset.key)?.text ?? "",
    containerName: () => checklist.name,
    isAllowed: () => canEdit,
    drop: (item) => {
      const next = /** @type {HTMLElement | null} */ (item.nextElementSibling);
      void move(item.dataset.key ?? "", next ? { before: next.dataset.key } : { position: "bottom" });
    },
  });

  const update = (/** @type {Checklist} */ fresh) => {
    checklist = fresh;
    const done = fresh.items.filter((item) => item.done).length;
    refill(heading, [fresh.name, done, fresh.items.length], () => [fresh.name, h("small", {}, ` ${words.checklistDone(done, fresh.items.length)}`)]);
    Object.assign(progress, { max: Math.max(fresh.items.length, 1), value: done, ariaLabel: fresh.name });
    align(list, fresh.items, {
      key: (item) => item.id,
      print: (item) => JSON.stringify([item, item === fresh.items[0]]),
      make: (item) => row({ api, canEdit, own, change }, item, item === fresh.items[0], move),
    });
  };
  const element = h("div", { class: "checklist" },
    h("div", { class: "said" }, heading, canEdit ? confirming(words.delete, () => change(() => api.ask("DELETE", own, { version: "*" }))) : null),
    progress, list,
    ...(canEdit ? [unsaved, h("form", { class: "row", onsubmit: submit }, text, h("button", {}, words.add))] : []));
  return { element, update };
}

/**
 * @param {Ways} ways
 * @param {Item} item
 * @param {boolean} isFirst
 * @param {(itemId: string, body: object) => Promise<void>} move
 */
function row({ api, canEdit, own, change }, item, isFirst, move) {
  const box = h("input", { type: "checkbox", checked: item.done, disabled: !canEdit });
  const tick = async () => {
    const isDone = box.checked;
    const isSaved = await change(() => api.ask("PATCH", `${own}/items/${item.id}`, { body: { done: isDone }, version: "*" }));
    if (!isSaved && box.checked === isDone) box.checked = !isDone;
  };
  box.addEventListener("change", () => void tick());
  const remove = () => void change(() => api.ask("DELETE", `${own}/items/${item.id}`, { version: "*" }));
  // Whoever can't drag has a button. What is above may have been dragged there since this was drawn.
  const up = () => {
    const above = /** @type {HTMLElement | null} */ (element.previousElementSibling);
    if (above) void move(item.id, { before: above.dataset.key });
  };
  const button = (/** @type {string} */ label, /** @type {string} */ sign, /** @type {import("./dom.js").Attributes} */ more) =>
    (canEdit ? h("button", { type: "button", class: "quiet", "aria-label": label, ...more }, sign) : null);
  const element = h("li", {},
    button(words.checklistItemMove(item.text), "⠿", { class: "quiet handle", "aria-describedby": "item-help" }),
    h("label", { class: "check", dir: "auto" }, box, h("span", { class: item.done ? "ticked" : "" }, item.text)),
    isFirst ? null : button(words.checklistItemUp(item.text), "↑", { onclick: up }),
    button(`${words.remove}: ${item.text}`, "×", { onclick: remove }));
  return element;
}

// The checklists of a card.

import { align, h } from "./dom.js";
import { draft } from "./drafts.js";
import { sortable } from "./drag.js";
import { confirming } from "./faces.js";
import { latest, once } from "./turns.js";
import { words } from "./words.js";

/** @typedef {import("./api.js").Schemas["Checklist"]} Checklist */

/**
 * @param {{path: string, model: import("./model.js").Model, screen: import("./board.js").Screen}} card
 */
export function checklists(card) {
  const { api, canEdit } = card.model;
  const all = h("div");
  const name = h("input", { "aria-label": words.checklistNew, placeholder: words.checklistNew, maxlength: 200, required: true });
  const make = async () => {
    if (!(await change(() => api.ask("POST", `${card.path}/checklists`, { body: { name: name.value.trim() } })))) return;
    name.value = "";
  };
  const element = h("section", { "aria-label": words.checklist }, h("p", { id: "item-help", class: "unseen" }, words.itemHelp), all,
    canEdit ? h("form", { class: "row", onsubmit: once(make) }, name, h("button", {}, words.add)) : null);

  const change = async (/** @type {() => Promise<unknown>} */ act, /** @type {() => unknown} */ done = () => {}) => {
    const answer = await card.screen.attempt(act, done);
    if (answer) await read();
    return Boolean(answer);
  };
  const read = latest(
    () => /** @type {Promise<Checklist[]>} */ (api.all(`${card.path}/checklists`, undefined, { limit: undefined })),
    (found) => align(all, found, { key: (each) => each.id, print: JSON.stringify, make: drawn }));

  /** @param {Checklist} checklist */
  const drawn = (checklist) => {
    const own = `${card.path}/checklists/${checklist.id}`;
    const done = checklist.items.filter((item) => item.done).length;
    const tick = async (/** @type {string} */ itemId, /** @type {boolean} */ isDone) => {
      await change(() => api.ask("PATCH", `${own}/items/${itemId}`, { body: { done: isDone }, tag: "*" }));
    };
    const text = h("input", { "aria-label": words.checklistItemNew, placeholder: words.checklistItemNew, maxlength: 500, required: true });
    const sent = draft(`${own}/items`, text);
    const add = async () => {
      const made = () => {
        sent();
        text.value = "";
      };
      if (!(await change(() => api.ask("POST", `${own}/items`, { body: { text: text.value.trim() } }), made))) return;
      const again = all.querySelector(`[data-key="${checklist.id}"] form input`);
      /** @type {HTMLInputElement | null} */ (again)?.focus();
    };
    const move = async (/** @type {string} */ itemId, /** @type {object} */ body) => {
      await change(() => api.ask("POST", `${own}/items/${itemId}/move`, { body }));
      const again = all.querySelector(`[data-key="${itemId}"] .handle`);
      /** @type {HTMLElement | null} */ (again)?.focus();
    };
    const items = checklist.items.map((item, at) => {
      const box = h("input", { type: "checkbox", checked: item.done, disabled: !canEdit });
      box.addEventListener("change", () => void tick(item.id, box.checked));
      const remove = () => void change(() => api.ask("DELETE", `${own}/items/${item.id}`, { tag: "*" }));
      // Whoever can't drag has a button. What is above may have been dragged there since this was drawn.
      const up = () => {
        const above = /** @type {HTMLElement | null} */ (element.previousElementSibling);
        if (above) void move(item.id, { before: above.dataset.key });
      };
      const element = h("li", { dataset: { key: item.id } },
        canEdit ? h("button", { type: "button", class: "quiet handle", "aria-label": words.checklistItemMove(item.text), "aria-describedby": "item-help" }, "⠿") : null,
        h("label", { class: "check", dir: "auto" }, box, h("span", { class: item.done ? "ticked" : "" }, item.text)),
        canEdit && at > 0 ? h("button", { type: "button", class: "quiet", "aria-label": words.checklistItemUp(item.text), onclick: up }, "↑") : null,
        canEdit ? h("button", { type: "button", class: "quiet", "aria-label": `${words.remove}: ${item.text}`, onclick: remove }, "×") : null);
      return element;
    });
    const list = h("ul", { class: "items" }, items);
    sortable(list, {
      item: "li", handle: ".handle", container: ".items", direction: "down",
      name: (item) => checklist.items.find((each) => each.id === item.dataset.key)?.text ?? "",
      containerName: () => checklist.name,
      isAllowed: () => canEdit,
      drop: (item) => {
        const next = /** @type {HTMLElement | null} */ (item.nextElementSibling);
        void move(item.dataset.key ?? "", next ? { before: next.dataset.key } : { position: "bottom" });
      },
    });
    return h("div", { class: "checklist" },
      h("div", { class: "said" },
        h("h3", { dir: "auto" }, checklist.name, h("small", {}, ` ${words.checklistDone(done, items.length)}`)),
        canEdit ? confirming(words.delete, () => change(() => api.ask("DELETE", own, { tag: "*" }))) : null),
      h("progress", { max: Math.max(items.length, 1), value: done, "aria-label": checklist.name }),
      list,
      canEdit ? h("form", { class: "row", onsubmit: once(add) }, text, h("button", {}, words.add)) : null);
  };
  return { element, read };
}

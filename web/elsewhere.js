// Taking a card to where it can't be dragged: a copy beside it, or another board.

import { fill, h } from "./dom.js";
import { field } from "./faces.js";
import { note } from "./notice.js";
import { once } from "./turns.js";
import { words } from "./words.js";

/**
 * @param {{path: string, card: import("./model.js").Card, model: import("./model.js").Model,
 *     screen: import("./board.js").Screen, element: HTMLDialogElement,
 *     inTurn: <Result>(act: () => Promise<Result>) => Promise<Result>}} view
 */
export function elsewhere(view) {
  const { api, board } = view.model;
  const choice = h("select", { required: true });
  const copy = async () => {
    const answer = await view.screen.attempt(() => api.ask("POST", `${view.path}/copy`));
    if (!answer) return;
    await view.screen.refresh();
    note(words.cardCopied(view.card.title));
  };
  const transfer = async () => {
    const body = { board_id: choice.value };
    const name = choice.selectedOptions[0]?.textContent ?? "";
    const gone = () => view.screen.drop(view.card.id, () => view.element.close());
    if (!(await view.inTurn(() => view.screen.attempt(() => api.ask("POST", `${view.path}/transfer`, { body }), gone)))) return;
    // What was done to the card just before is kept, too.
    const { title, label_ids, assignee_ids } = view.card;
    note(words.cardTransferred(title, name), { label: words.undo, act: () => back(body.board_id, { label_ids, assignee_ids }) });
  };
  /** The other board may not know its labels and people, so they are put on again. */
  const back = async (/** @type {string} */ from, /** @type {object} */ fields) => {
    const body = { board_id: board.id, list_id: view.card.list_id };
    await view.screen.attempt(async () => {
      const { body: card } = await api.ask("POST", `boards/${from}/cards/${view.card.id}/transfer`, { body });
      await api.ask("PATCH", view.path, { body: fields, version: /** @type {import("./api.js").Card} */ (card).version });
    });
    await view.screen.refresh();
  };
  const form = h("form", { class: "row", onsubmit: once(transfer) }, field(words.cardTransferTo, choice), h("button", {}, words.cardTransfer));
  const more = h("details", { class: "elsewhere" }, h("summary", {}, words.cardElsewhere),
    h("button", { type: "button", onclick: once(copy) }, words.cardCopy), form);
  more.addEventListener("toggle", async () => {
    if (!more.open) return;
    const all = await view.screen.attempt(() => api.all("boards"));
    const others = /** @type {import("./api.js").Board[]} */ (all ?? []).filter((each) => each.id !== board.id && each.role !== "viewer");
    form.hidden = !others.length;
    fill(choice, others.map((each) => h("option", { value: each.id }, each.name)));
  });
  return more;
}

// Copy a card, or transfer it to another board.

import { setChildren, h } from "./dom.js";
import { createField } from "./components.js";
import { notify } from "./notifications.js";
import { ignoreDoubleClicks } from "./async-handlers.js";
import { texts } from "./texts.js";

/**
 * Create the section of the card dialog that copies or transfers the card.
 *
 * @param {{path: string, card: import("./model.js").Card, model: import("./model.js").Model,
 *     boardView: import("./board.js").BoardView, element: HTMLDialogElement,
 *     enqueue: <Result>(act: () => Promise<Result>) => Promise<Result>}} dialog
 */
export function createCopyAndTransfer(dialog) {
  const { api, board } = dialog.model;
  const boardSelect = h("select", { required: true });
  const copy = async () => {
    const response = await dialog.boardView.attempt(() => api.request("POST", `${dialog.path}/copy`));
    if (!response) return;
    await dialog.boardView.reloadOrReport();
    notify(texts.cardCopied(dialog.card.title));
  };
  const transfer = async () => {
    const body = { board_id: boardSelect.value };
    const name = boardSelect.selectedOptions[0]?.textContent ?? "";
    const onTransferred = () => dialog.boardView.removeCard(dialog.card.id, () => dialog.element.close());
    if (!(await dialog.enqueue(() => dialog.boardView.attempt(() => api.request("POST", `${dialog.path}/transfer`, { body }), onTransferred)))) return;
    // Read after the transfer, so that the changes before it in the queue are included.
    const { title, label_ids, assignee_ids } = dialog.card;
    notify(texts.cardTransferred(title, name), { label: texts.undo, run: () => transferBack(body.board_id, { label_ids, assignee_ids }) });
  };
  /** Transfer the card back, and restore its labels and assignees: the other board may not have them. */
  const transferBack = async (/** @type {string} */ otherBoardId, /** @type {object} */ fields) => {
    const body = { board_id: board.id, list_id: dialog.card.list_id };
    await dialog.boardView.attempt(async () => {
      const { body: card } = await api.request("POST", `boards/${otherBoardId}/cards/${dialog.card.id}/transfer`, { body });
      await api.request("PATCH", dialog.path, { body: fields, version: /** @type {import("./api.js").Card} */ (card).version });
    });
    await dialog.boardView.reloadOrReport();
  };
  const form = h("form", { class: "row", onsubmit: ignoreDoubleClicks(transfer) }, createField(texts.cardTransferTo, boardSelect), h("button", {}, texts.cardTransfer));
  const section = h("details", { class: "copy-and-transfer" }, h("summary", {}, texts.cardCopyOrTransfer),
    h("button", { type: "button", onclick: ignoreDoubleClicks(copy) }, texts.cardCopy), form);
  section.addEventListener("toggle", async () => {
    if (!section.open) return;
    const boards = await dialog.boardView.attempt(() => api.fetchAll("boards"));
    const others = /** @type {import("./api.js").Board[]} */ (boards ?? []).filter((other) => other.id !== board.id && other.role !== "viewer");
    form.hidden = !others.length;
    setChildren(boardSelect, others.map((other) => h("option", { value: other.id }, other.name)));
  });
  return section;
}

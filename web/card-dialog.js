// The dialog of a card. Each part is saved separately.
//
// A part that is being edited is never replaced: when someone else changes the card, only the other parts are updated.

import { createActivitySection } from "./activity.js";
import { Problem } from "./api.js";
import { createChecklistsSection } from "./checklists.js";
import { createCommentsSection } from "./comments.js";
import { hasUnsavedBelow } from "./composer.js";
import { setChildren, h, updateChildren } from "./dom.js";
import { trackDraft, autosave, hasDraft, hasDraftsBelow } from "./drafts.js";
import { createCopyAndTransfer } from "./copy-and-transfer.js";
import { createCloseButton, openDialog } from "./components.js";
import { createCardFields } from "./card-fields.js";
import { toOneLine } from "./format.js";
import { markdown } from "./markdown.js";
import { notify, reportError } from "./notifications.js";
import { createTimeSection } from "./card-time.js";
import { ignoreDoubleClicks, submitAndClose } from "./async-handlers.js";
import { texts } from "./texts.js";

/**
 * @typedef {import("./board.js").BoardView} BoardView
 * @typedef {import("./model.js").Card} Card
 */

/**
 * Open the dialog of a card.
 *
 * @param {BoardView} boardView
 * @param {Card} card
 * @param {() => void} onClose
 * @returns {() => void} reads the card again; call it when the board has been reloaded
 */
export function openCardDialog(boardView, card, onClose) {
  const dialog = new CardDialog(boardView, card);
  dialog.element.addEventListener("close", onClose);
  return () => void dialog.read();
}

class CardDialog {
  /** @param {BoardView} boardView @param {Card} card */
  constructor(boardView, card) {
    this.boardView = boardView;
    this.model = boardView.model;
    this.card = card;
    this.path = `${this.model.path}/cards/${card.id}`;
    const { canEdit } = this.model;
    this.title = h("textarea", { class: "card-title", rows: 1, maxlength: 500, "aria-label": texts.cardTitle, readonly: !canEdit, dir: "auto" });
    this.showSavedTitle = autosave(this.title, { key: `${this.path}/title`, getSavedValue: () => this.card.title, save: (text) => this.saveTitle(text) });
    this.actions = h("div", { class: "row" });
    this.description = h("div", { class: "description" });
    this.fields = createCardFields(this);
    this.checklists = createChecklistsSection(this);
    this.comments = createCommentsSection(this);
    this.time = createTimeSection(this);
    this.activity = createActivitySection(this);
    this.isEditingDescription = false;
    /** @type {HTMLDialogElement} */
    this.element = openDialog(texts.card,
      createCloseButton(texts.close, () => this.element.close()),
      this.title, this.actions,
      h("div", { class: "card-body" },
        h("div", { class: "card-main" }, this.description, this.checklists.element, this.comments.element),
        h("div", { class: "card-side" }, this.fields.element, this.time.element, canEdit ? createCopyAndTransfer(this) : null, this.activity.element)));
    this.element.classList.add("card-dialog");
    this.draw();
    /** @type {Promise<unknown>} the last change in the queue */
    this.lastChange = this.read();
    if (canEdit && hasDraft(`${this.path}/description`)) this.editDescription();
  }

  /** Read the card and everything that belongs to it. A part that can't be read keeps its contents. */
  async read() {
    const { api } = this.model;
    const results = await Promise.allSettled([
      api.request("GET", this.path).then((response) => this.applyCard(/** @type {Card} */ (response.body))),
      this.time.read(),
      this.activity.read(),
      this.checklists.read(),
      this.comments.read(),
    ]);
    const error = this.element.open && results.find((result) => result.status === "rejected")?.reason;
    if (error instanceof Problem && error.status === 404) {
      notify(texts.cardGone, undefined, "error");
      // Unsaved text keeps the dialog open, so that it can be copied.
      if (!hasDraftsBelow(this.path) && !hasUnsavedBelow(this.path)) this.element.close();
    } else if (error) reportError(error);
  }

  /** Show the card, unless a newer version is shown. @param {Card} card */
  applyCard(card) {
    if (card.version < this.card.version) return;
    this.card = card;
    this.draw();
  }

  /**
   * Make changes to the card one after the other, each based on the result of the one before, so that quick edits don't
   * conflict with each other.
   *
   * @template Result
   * @param {() => Promise<Result>} change
   * @returns {Promise<Result>}
   */
  enqueue(change) {
    const result = this.lastChange.then(change);
    this.lastChange = result.catch(() => {});
    return result;
  }

  /**
   * Save fields of the card in the queue.
   *
   * @param {() => Record<string, unknown>} getFields called when it is their turn
   * @returns {Promise<Problem | null>} the error, which has been reported
   */
  saveFields(getFields) {
    return this.enqueue(() => this.sendPatch(getFields()));
  }

  /** Save fields now. @param {Record<string, unknown>} body @returns {Promise<Problem | null>} */
  async sendPatch(body) {
    const { api } = this.model;
    try {
      const response = await api.request("PATCH", this.path, { body, version: this.card.version });
      this.applyCard(/** @type {Card} */ (response.body));
      this.model.updateCard(this.card);
      this.boardView.draw();
      return null;
    } catch (error) {
      const problem = error instanceof Problem ? error : new Problem(0, "failed", "");
      if (problem.status === 412) {
        await this.read();
        notify(texts.cardChangedByOther, undefined, "error");
      } else reportError(error);
      return problem;
    }
  }

  /** Save a title; an empty one is ignored. @param {string} text @returns {Promise<boolean>} false if it could not be saved */
  async saveTitle(text) {
    const title = toOneLine(text);
    return !title || this.enqueue(async () => title === this.card.title || !(await this.sendPatch({ title })));
  }

  draw() {
    this.showSavedTitle();
    this.drawActions();
    if (!this.isEditingDescription) this.drawDescription();
    this.fields.draw();
  }

  drawActions() {
    const { card, model } = this;
    const list = model.list(card.list_id)?.name ?? "";
    const displayed = [list, card.list_id, card.status, Boolean(card.running_since), model.lists.map(({ id, name, stage }) => [id, name, stage])];
    if (!model.canEdit) {
      updateChildren(this.actions, displayed, () => [h("span", { class: "stage" }, `${list} · ${texts.stages[card.status]}`)]);
      return;
    }
    if (this.actions.contains(document.activeElement) && document.activeElement?.matches("select")) return;
    updateChildren(this.actions, displayed, () => this.createActions());
  }

  createActions() {
    const { card, model, boardView } = this;
    // Moves the card without dragging.
    const listSelect = h("select", { class: "stage", "aria-label": texts.cardList },
      model.lists.map((list) => h("option", { value: list.id, selected: list.id === card.list_id }, `${list.name} · ${texts.stages[list.stage]}`)));
    listSelect.addEventListener("change", async () => {
      const targetListId = listSelect.value;
      listSelect.blur();
      await this.enqueue(async () => {
        await boardView.moveCard(model.card(card.id) ?? card, { list_id: targetListId, position: "bottom" });
        await this.read();
      });
    });
    /** @type {Record<string, ["start" | "resolve" | "reopen", string]>} */
    const transitions = { todo: ["start", texts.start], in_progress: ["resolve", texts.resolve], done: ["reopen", texts.reopen] };
    const [transition, label] = transitions[card.status] ?? ["start", texts.start];
    const applyTransition = async (/** @type {"start" | "resolve" | "reopen"} */ action) => {
      await this.enqueue(async () => { if (await boardView.changeStage(card, action)) await this.read(); });
    };
    const isClockStopped = card.status === "in_progress" && !card.running_since;
    const removeCard = async (/** @type {"archive" | "delete"} */ action) => {
      await this.enqueue(() => boardView.archiveOrDelete(card, action, () => this.element.close()));
    };
    return [listSelect,
      h("button", { type: "button", class: "primary", onclick: ignoreDoubleClicks(() => applyTransition(transition)) }, label),
      isClockStopped ? h("button", { type: "button", onclick: ignoreDoubleClicks(() => applyTransition("start")) }, texts.startClock) : null,
      h("button", { type: "button", onclick: ignoreDoubleClicks(() => removeCard("archive")) }, texts.archive),
      h("button", { type: "button", onclick: ignoreDoubleClicks(() => removeCard("delete")) }, texts.delete)];
  }

  drawDescription() {
    const text = this.card.description;
    updateChildren(this.description, text, () => [
      h("div", { class: "heading-row" }, h("h3", {}, texts.description),
        this.model.canEdit ? h("button", { type: "button", class: "quiet", onclick: () => this.editDescription() }, texts.edit) : null),
      text ? h("div", { class: "markdown", dir: "auto" }, markdown(text)) : h("p", { class: "hint" }, texts.descriptionNone),
    ]);
  }

  editDescription() {
    this.isEditingDescription = true;
    delete this.description.dataset.content;
    const input = h("textarea", { rows: 10, maxlength: 20000, "aria-label": texts.description, "aria-describedby": "markdown-hint", dir: "auto", value: this.card.description });
    const forgetDraft = trackDraft(`${this.path}/description`, input);
    const closeEditor = () => { forgetDraft(); this.isEditingDescription = false; this.drawDescription(); this.description.querySelector("button")?.focus(); };
    const otherVersion = h("div", { class: "other-version", hidden: true });
    let baseDescription = this.card.description;
    /** Show a description that someone else has saved in the meantime, so that it is not replaced unseen. */
    const showOtherVersion = () => {
      if (this.card.description === baseDescription) return false;
      baseDescription = this.card.description;
      setChildren(otherVersion, h("h4", {}, texts.descriptionByOther), h("div", { class: "markdown", dir: "auto" }, markdown(baseDescription)));
      otherVersion.hidden = false;
      return true;
    };
    const saveDescription = async () => {
      const description = input.value;
      await this.lastChange;
      if (showOtherVersion()) {
        notify(texts.descriptionChanged, undefined, "error");
        return false;
      }
      const problem = await this.saveFields(() => ({ description }));
      if (problem) showOtherVersion();
      else baseDescription = description;
      return !problem;
    };
    setChildren(this.description, h("h3", {}, texts.description), h("form", { onsubmit: submitAndClose(saveDescription, closeEditor) }, input, otherVersion,
      h("p", { id: "markdown-hint", class: "hint" }, texts.descriptionHint),
      h("div", { class: "row" }, h("button", { class: "primary" }, texts.save), h("button", { type: "button", onclick: closeEditor }, texts.cancel))));
    input.focus();
  }
}

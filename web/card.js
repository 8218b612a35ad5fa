// One card, in a dialog: all that it holds, each part saved by itself.
//
// What someone is typing is never replaced: when the card changes elsewhere, only what is not being edited follows.

import { activity } from "./activity.js";
import { Problem } from "./api.js";
import { checklists } from "./checklists.js";
import { comments } from "./comments.js";
import { hasUnsavedBelow } from "./composer.js";
import { fill, h, refill } from "./dom.js";
import { draft, editing, hasDraft, hasDraftsBelow } from "./drafts.js";
import { elsewhere } from "./elsewhere.js";
import { closing, dialog } from "./faces.js";
import { facts } from "./facts.js";
import { oneLine } from "./format.js";
import { markdown } from "./markdown.js";
import { note, trouble } from "./notice.js";
import { timeSpent } from "./time.js";
import { once, saving } from "./turns.js";
import { words } from "./words.js";

/**
 * @typedef {import("./board.js").Screen} Screen
 * @typedef {import("./model.js").Card} Card
 */

/**
 * Open the dialog of a card.
 *
 * @param {Screen} screen
 * @param {Card} card
 * @param {() => void} closed
 * @returns {() => void} to be called when the board was read anew
 */
export function card(screen, card, closed) {
  const view = new CardView(screen, card);
  view.element.addEventListener("close", closed);
  return () => void view.read();
}

class CardView {
  /** @param {Screen} screen @param {Card} card */
  constructor(screen, card) {
    this.screen = screen;
    this.model = screen.model;
    this.card = card;
    this.path = `${this.model.path}/cards/${card.id}`;
    const { canEdit } = this.model;
    this.title = h("textarea", { class: "card-title", rows: 1, maxlength: 500, "aria-label": words.cardTitle, readonly: !canEdit, dir: "auto" });
    this.showTitle = editing(this.title, { key: `${this.path}/title`, shown: () => this.card.title, save: (typed) => this.retitle(typed) });
    this.steps = h("div", { class: "row" });
    this.description = h("div", { class: "description" });
    this.facts = facts(this);
    this.checklists = checklists(this);
    this.comments = comments(this);
    this.time = timeSpent(this);
    this.activity = activity(this);
    this.isWriting = false;
    /** @type {HTMLDialogElement} */
    this.element = dialog(words.card,
      closing(words.close, () => this.element.close()),
      this.title, this.steps,
      h("div", { class: "card-body" },
        h("div", { class: "card-main" }, this.description, this.checklists.element, this.comments.element),
        h("div", { class: "card-side" }, this.facts.element, this.time.element, canEdit ? elsewhere(this) : null, this.activity.element)));
    this.element.classList.add("card-dialog");
    this.draw();
    /** @type {Promise<unknown>} what is being done to the card, the last of it */
    this.turn = this.read();
    if (canEdit && hasDraft(`${this.path}/description`)) this.writeDescription();
  }

  /** Read the card with all that belongs to it; what can't be read stays as it was. */
  async read() {
    const { api } = this.model;
    const all = await Promise.allSettled([
      api.ask("GET", this.path).then((answer) => this.take(/** @type {Card} */ (answer.body))),
      this.time.read(),
      this.activity.read(),
      this.checklists.read(),
      this.comments.read(),
    ]);
    const failed = this.element.open && all.find((each) => each.status === "rejected")?.reason;
    if (failed instanceof Problem && failed.status === 404) {
      note(words.cardGone, undefined, "trouble");
      // What was typed can still be copied.
      if (!hasDraftsBelow(this.path) && !hasUnsavedBelow(this.path)) this.element.close();
    } else if (failed) trouble(failed);
  }

  /** Show the card, unless something newer of it is shown. @param {Card} card */
  take(card) {
    if (card.version < this.card.version) return;
    this.card = card;
    this.draw();
  }

  /**
   * Do one thing to the card after the other, each with what the one before has left: whoever is quicker than the
   * server is not in their own way.
   *
   * @template Result
   * @param {() => Promise<Result>} act
   * @returns {Promise<Result>}
   */
  inTurn(act) {
    const done = this.turn.then(act);
    this.turn = done.catch(() => {});
    return done;
  }

  /**
   * Change fields of the card, as it is when their turn has come.
   *
   * @param {() => Record<string, unknown>} fields
   * @returns {Promise<Problem | null>} what was in the way; it has been said
   */
  patch(fields) {
    return this.inTurn(() => this.save(fields()));
  }

  /** @param {Record<string, unknown>} body @returns {Promise<Problem | null>} */
  async save(body) {
    const { api } = this.model;
    try {
      const answer = await api.ask("PATCH", this.path, { body, version: this.card.version });
      this.take(/** @type {Card} */ (answer.body));
      this.model.accept(this.card);
      this.screen.draw();
      return null;
    } catch (error) {
      const problem = error instanceof Problem ? error : new Problem(0, "failed", "");
      if (problem.status === 412) {
        await this.read();
        note(words.changedMeanwhile, undefined, "trouble");
      } else trouble(error);
      return problem;
    }
  }

  /** @param {string} typed @returns {Promise<boolean>} whether the card has this title now, or keeps the one it has */
  async retitle(typed) {
    const title = oneLine(typed);
    return !title || this.inTurn(async () => title === this.card.title || !(await this.save({ title })));
  }

  draw() {
    this.showTitle();
    this.drawSteps();
    if (!this.isWriting) this.drawDescription();
    this.facts.draw();
  }

  drawSteps() {
    const { card, model, screen } = this;
    const list = model.list(card.list_id)?.name ?? "";
    const shown = [list, card.list_id, card.status, Boolean(card.running_since), model.lists.map(({ id, name, stage }) => [id, name, stage])];
    if (!model.canEdit) {
      refill(this.steps, shown, () => [h("span", { class: "stage" }, `${list} · ${words.stages[card.status]}`)]);
      return;
    }
    if (this.steps.contains(document.activeElement) && document.activeElement?.matches("select")) return;
    refill(this.steps, shown, () => this.makeSteps());
  }

  makeSteps() {
    const { card, model, screen } = this;
    // Whoever can't drag moves a card here.
    const lists = h("select", { class: "stage", "aria-label": words.cardList },
      model.lists.map((each) => h("option", { value: each.id, selected: each.id === card.list_id }, `${each.name} · ${words.stages[each.stage]}`)));
    lists.addEventListener("change", async () => {
      const to = lists.value;
      lists.blur();
      await this.inTurn(async () => {
        await screen.move(model.card(card.id) ?? card, { list_id: to, position: "bottom" });
        await this.read();
      });
    });
    /** @type {Record<string, ["start" | "resolve" | "reopen", string]>} */
    const next = { todo: ["start", words.start], in_progress: ["resolve", words.resolve], done: ["reopen", words.reopen] };
    const [step, word] = next[card.status] ?? ["start", words.start];
    const advance = async (/** @type {"start" | "resolve" | "reopen"} */ how) => {
      await this.inTurn(async () => { if (await screen.advance(card, how)) await this.read(); });
    };
    const stands = card.status === "in_progress" && !card.running_since;
    const away = async (/** @type {"archive" | "delete"} */ how) => {
      await this.inTurn(() => screen.putAway(card, how, () => this.element.close()));
    };
    return [lists,
      h("button", { type: "button", class: "primary", onclick: once(() => advance(step)) }, word),
      stands ? h("button", { type: "button", onclick: once(() => advance("start")) }, words.startClock) : null,
      h("button", { type: "button", onclick: once(() => away("archive")) }, words.archive),
      h("button", { type: "button", onclick: once(() => away("delete")) }, words.delete)];
  }

  drawDescription() {
    const text = this.card.description;
    refill(this.description, text, () => [
      h("div", { class: "said" }, h("h3", {}, words.description),
        this.model.canEdit ? h("button", { type: "button", class: "quiet", onclick: () => this.writeDescription() }, words.edit) : null),
      text ? h("div", { class: "markdown", dir: "auto" }, markdown(text)) : h("p", { class: "hint" }, words.descriptionNone),
    ]);
  }

  writeDescription() {
    this.isWriting = true;
    delete this.description.dataset.shown;
    const input = h("textarea", { rows: 10, maxlength: 20000, "aria-label": words.description, "aria-describedby": "markdown-hint", dir: "auto", value: this.card.description });
    const forget = draft(`${this.path}/description`, input);
    const end = () => { forget(); this.isWriting = false; this.drawDescription(); this.description.querySelector("button")?.focus(); };
    const theirs = h("div", { class: "theirs", hidden: true });
    let replaced = this.card.description;
    /** Show what someone else wrote meanwhile: whoever has seen it may replace it. */
    const isOvertaken = () => {
      if (this.card.description === replaced) return false;
      replaced = this.card.description;
      fill(theirs, h("h4", {}, words.descriptionTheirs), h("div", { class: "markdown", dir: "auto" }, markdown(replaced)));
      theirs.hidden = false;
      return true;
    };
    const save = async () => {
      const description = input.value;
      await this.turn;
      if (isOvertaken()) {
        note(words.descriptionChanged, undefined, "trouble");
        return false;
      }
      const problem = await this.patch(() => ({ description }));
      if (problem) isOvertaken();
      else replaced = description;
      return !problem;
    };
    fill(this.description, h("h3", {}, words.description), h("form", { onsubmit: saving(save, end) }, input, theirs,
      h("p", { id: "markdown-hint", class: "hint" }, words.descriptionHint),
      h("div", { class: "row" }, h("button", { class: "primary" }, words.save), h("button", { type: "button", onclick: end }, words.cancel))));
    input.focus();
  }
}

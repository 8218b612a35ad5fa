// One card, in a dialog: all that it holds, each part saved by itself.
//
// What someone is typing is never replaced: when the card changes elsewhere, only what is not being edited follows.

import { fill, h } from "./dom.js";
import { chip, closing, dialog, field } from "./faces.js";
import { checklists } from "./checklists.js";
import { comments } from "./comments.js";
import { clock, forInput, fromInput, money, when } from "./format.js";
import { link, markdown } from "./markdown.js";
import { Problem } from "./api.js";
import { note, trouble } from "./notice.js";
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
  void view.read();
  return () => void view.read();
}

const RECENT = 100;

class CardView {
  /** @param {Screen} screen @param {Card} card */
  constructor(screen, card) {
    this.screen = screen;
    this.model = screen.model;
    this.card = card;
    this.path = `${this.model.path}/cards/${card.id}`;
    /** @type {string | null} */
    this.tag = null;
    const { canEdit } = this.model;
    this.title = h("textarea", { class: "card-title", rows: 1, maxlength: 500, "aria-label": words.cardTitle, readonly: !canEdit, dir: "auto" });
    this.title.addEventListener("change", () => void this.patch({ title: this.title.value.trim() }));
    this.title.addEventListener("keydown", (event) => {
      if (event.key === "Enter") { event.preventDefault(); this.title.blur(); }
    });
    this.steps = h("div", { class: "row" });
    this.description = h("div", { class: "description" });
    this.facts = h("div", { class: "facts" });
    this.checklists = checklists(this);
    this.comments = comments(this);
    this.time = h("section", { "aria-label": words.time });
    this.activity = h("section", { "aria-label": words.activity });
    this.isWriting = false;
    this.element = dialog(words.card,
      closing(words.close, () => this.element.close()),
      this.title, this.steps,
      h("div", { class: "card-body" },
        h("div", { class: "card-main" }, h("h3", {}, words.description), this.description, this.checklists.element, this.comments.element),
        h("div", { class: "card-side" }, this.facts, this.time, this.activity)));
    this.element.classList.add("card-dialog");
    this.draw();
  }

  /** Read the card with all that belongs to it; what can't be read stays as it was. */
  async read() {
    const { api, board, path } = this.model;
    const after = Math.max(0, board.seq - RECENT);
    const all = await Promise.allSettled([
      api.ask("GET", this.path).then((answer) => this.take(/** @type {Card} */ (answer.body), answer.tag)),
      api.ask("GET", `${this.path}/time`, { query: { limit: 50 } }).then((answer) => this.drawTime(/** @type {any} */ (answer.body))),
      api.ask("GET", `${path}/events`, { query: { after, limit: RECENT } }).then((answer) => this.drawActivity(/** @type {any} */ (answer.body).items)),
      this.checklists.read(),
      this.comments.read(),
    ]);
    const failed = all.find((each) => each.status === "rejected")?.reason;
    if (failed instanceof Problem && failed.status === 404) {
      note(words.cardGone, undefined, "trouble");
      this.element.close();
    } else if (failed) trouble(failed);
  }

  /** @param {Card} card @param {string | null} tag */
  take(card, tag) {
    this.card = card;
    this.tag = tag;
    this.draw();
  }

  /** Change fields of the card. @param {Record<string, unknown>} body @returns {Promise<boolean>} */
  async patch(body) {
    try {
      const answer = await this.model.api.ask("PATCH", this.path, { body, tag: this.tag });
      this.take(/** @type {Card} */ (answer.body), answer.tag);
      this.model.accept(this.card);
      this.screen.draw();
      return true;
    } catch (error) {
      if (error instanceof Problem && error.status === 412) {
        note(words.changedMeanwhile, undefined, "trouble");
        await this.read();
      } else trouble(error);
      return false;
    }
  }

  draw() {
    if (document.activeElement !== this.title) this.title.value = this.card.title;
    this.drawSteps();
    if (!this.isWriting) this.drawDescription();
    if (!this.facts.contains(document.activeElement)) this.drawFacts();
  }

  drawSteps() {
    const { card, model, screen } = this;
    const list = model.list(card.list_id)?.name ?? "";
    const stage = h("span", { class: "stage" }, `${list} · ${words.stages[card.status]}`);
    if (!model.canEdit) return fill(this.steps, stage);
    /** @type {Record<string, ["start" | "resolve" | "reopen", string]>} */
    const next = { todo: ["start", words.start], in_progress: ["resolve", words.resolve], done: ["reopen", words.reopen] };
    const [step, word] = next[card.status] ?? ["start", words.start];
    const advance = async () => { if (await screen.advance(card, step)) await this.read(); };
    const away = async (/** @type {"archive" | "delete"} */ how) => { if (await screen.putAway(card, how)) this.element.close(); };
    return fill(this.steps, stage,
      h("button", { type: "button", class: "primary", onclick: () => void advance() }, word),
      h("button", { type: "button", onclick: () => void away("archive") }, words.archive),
      h("button", { type: "button", onclick: () => void away("delete") }, words.delete));
  }

  drawDescription() {
    const text = this.card.description;
    const shown = text ? h("div", { class: "markdown", dir: "auto" }, markdown(text)) : h("p", { class: "hint" }, words.descriptionNone);
    const edit = h("button", { type: "button", onclick: () => this.writeDescription() }, words.edit);
    fill(this.description, shown, this.model.canEdit ? edit : null);
  }

  writeDescription() {
    this.isWriting = true;
    const input = h("textarea", { rows: 10, maxlength: 20000, "aria-label": words.description, "aria-describedby": "markdown-hint", dir: "auto", value: this.card.description });
    const end = () => { this.isWriting = false; this.drawDescription(); this.description.querySelector("button")?.focus(); };
    const save = async (/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      if (await this.patch({ description: input.value })) end();
    };
    fill(this.description, h("form", { onsubmit: save }, input,
      h("p", { id: "markdown-hint", class: "hint" }, words.descriptionHint),
      h("div", { class: "row" }, h("button", { class: "primary" }, words.save), h("button", { type: "button", onclick: end }, words.cancel))));
    input.focus();
  }

  drawFacts() {
    const { card, model } = this;
    const off = !model.canEdit;
    const due = h("input", { type: "datetime-local", value: forInput(card.due_at), disabled: off });
    due.addEventListener("change", () => void this.patch({ due_at: fromInput(due.value) }));
    const complete = h("input", { type: "checkbox", checked: card.due_complete, disabled: off });
    complete.addEventListener("change", () => void this.patch({ due_complete: complete.checked }));
    const toggles = (/** @type {"label_ids" | "assignee_ids"} */ name, /** @type {{id: string, shown: Node}[]} */ all) => all.map(({ id, shown }) => {
      const box = h("input", { type: "checkbox", checked: card[name].includes(id), disabled: off });
      box.addEventListener("change", () => {
        const others = this.card[name].filter((each) => each !== id);
        void this.patch({ [name]: box.checked ? [...others, id] : others });
      });
      return h("label", { class: "check" }, box, shown);
    });
    fill(this.facts,
      field(words.due, due), h("label", { class: "check" }, complete, words.dueComplete),
      h("fieldset", {}, h("legend", {}, words.labels),
        model.labels.length ? toggles("label_ids", model.labels.map((label) => ({ id: label.id, shown: chip(label) }))) : h("p", { class: "hint" }, words.labelsNone),
        off ? null : this.labelMaker()),
      h("fieldset", {}, h("legend", {}, words.assignees),
        toggles("assignee_ids", model.members.map((member) => ({ id: member.user_id, shown: h("span", { dir: "auto" }, member.name) })))),
      card.links.length
        ? h("section", { "aria-label": words.links }, h("h3", {}, words.links), h("ul", {}, card.links.map((each) => h("li", {}, link(each.url, each.title)))))
        : null);
  }

  labelMaker() {
    const name = h("input", { "aria-label": words.labelNew, placeholder: words.labelNew, maxlength: 50, required: true });
    const color = h("select", { "aria-label": words.labelColor },
      Object.entries(words.colors).map(([value, word]) => h("option", { value }, word)));
    const make = async (/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      const body = { name: name.value.trim(), color: color.value };
      const answer = await this.screen.attempt(() => this.model.api.ask("POST", `${this.model.path}/labels`, { body }));
      if (!answer) return;
      const label = /** @type {import("./model.js").Label} */ (answer.body);
      this.model.labels = [...this.model.labels, label];
      await this.patch({ label_ids: [...this.card.label_ids, label.id] });
      this.drawFacts();
    };
    return h("form", { class: "row", onsubmit: make }, name, color, h("button", {}, words.add));
  }

  /** @param {any} time */
  drawTime(time) {
    const { currency } = this.model.board;
    const total = h("p", {}, words.timeTotal(time.elapsed, money(time.cost.amount_minor, time.cost.currency)));
    const rows = time.items.map((/** @type {any} */ entry) => h("tr", {},
      h("td", {}, when(entry.started_at)), h("td", {}, entry.ended_at ? when(entry.ended_at) : words.timeRunning),
      h("td", {}, clock(entry.elapsed_seconds)), h("td", {}, money(entry.hourly_rate_minor, currency))));
    const head = h("tr", {}, [words.timeFrom, words.timeTo, words.timeSpent, words.timeRate].map((word) => h("th", { scope: "col" }, word)));
    fill(this.time, h("h3", {}, words.time),
      rows.length ? [total, h("div", { class: "scrolls", tabindex: 0, role: "region", "aria-label": words.timeEntries }, h("table", {}, h("thead", {}, head), h("tbody", {}, rows)))] : h("p", { class: "hint" }, words.timeNone));
  }

  /** @param {import("./api.js").Event[]} events */
  drawActivity(events) {
    const own = events.filter((event) => "card_id" in event && event.card_id === this.card.id).reverse().slice(0, 20);
    const name = (/** @type {string} */ id) => this.model.members.find((member) => member.user_id === id)?.name ?? id;
    fill(this.activity, h("h3", {}, words.activity),
      h("ul", { class: "activity" }, own.map((event) => h("li", {}, h("code", {}, event.type), ` ${name(event.actor_id)}, ${when(event.at)}`))));
  }
}

// One card, in a dialog: all that it holds, each part saved by itself.
//
// What someone is typing is never replaced: when the card changes elsewhere, only what is not being edited follows.

import { fill, h } from "./dom.js";
import { chip, closing, dialog, field } from "./faces.js";
import { checklists } from "./checklists.js";
import { comments } from "./comments.js";
import { forInput, fromInput, when } from "./format.js";
import { draft, hasDraft } from "./drafts.js";
import { elsewhere } from "./elsewhere.js";
import { link, markdown } from "./markdown.js";
import { Problem } from "./api.js";
import { note, trouble } from "./notice.js";
import { timeSpent } from "./time.js";
import { once } from "./turns.js";
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
    this.title.addEventListener("input", () => { this.isRetitling = true; });
    this.title.addEventListener("blur", () => void this.retitle());
    this.title.addEventListener("keydown", (event) => {
      if (event.key === "Enter") { event.preventDefault(); this.title.blur(); }
    });
    this.steps = h("div", { class: "row" });
    this.description = h("div", { class: "description" });
    this.facts = h("div", { class: "facts" });
    this.checklists = checklists(this);
    this.comments = comments(this);
    this.time = timeSpent(this);
    this.activity = h("section", { "aria-label": words.activity });
    this.isWriting = false;
    this.isRetitling = false;
    /** @type {HTMLDialogElement} */
    this.element = dialog(words.card,
      closing(words.close, () => this.element.close()),
      this.title, this.steps,
      h("div", { class: "card-body" },
        h("div", { class: "card-main" }, this.description, this.checklists.element, this.comments.element),
        h("div", { class: "card-side" }, this.facts, this.time.element, canEdit ? elsewhere(this) : null, this.activity)));
    this.element.classList.add("card-dialog");
    this.draw();
    /** @type {Promise<unknown>} what is being done to the card, the last of it */
    this.turn = this.read();
    if (canEdit && hasDraft(`${this.path}/description`)) this.writeDescription();
  }

  /** Read the card with all that belongs to it; what can't be read stays as it was. */
  async read() {
    const { api, board, path } = this.model;
    const after = Math.max(0, board.seq - RECENT);
    const all = await Promise.allSettled([
      api.ask("GET", this.path).then((answer) => this.take(/** @type {Card} */ (answer.body), answer.tag)),
      this.time.read(),
      api.ask("GET", `${path}/events`, { query: { after, limit: RECENT } }).then((answer) => this.drawActivity(/** @type {any} */ (answer.body).items)),
      this.checklists.read(),
      this.comments.read(),
    ]);
    const failed = this.element.open && all.find((each) => each.status === "rejected")?.reason;
    if (failed instanceof Problem && failed.status === 404) {
      note(words.cardGone, undefined, "trouble");
      this.element.close();
    } else if (failed) trouble(failed);
  }

  /** Show the card, unless something newer of it is shown. @param {Card} card @param {string | null} tag */
  take(card, tag) {
    if (card.version < this.card.version) return;
    this.card = card;
    this.tag = tag;
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

  /** Change fields of the card, as it is when their turn has come. @param {() => Record<string, unknown>} fields */
  patch(fields) {
    return this.inTurn(() => this.save(fields()));
  }

  /** @param {Record<string, unknown>} body @returns {Promise<boolean>} */
  async save(body) {
    const { api } = this.model;
    try {
      if (!this.tag) {
        // It could not be read when it was opened.
        const { body: found, tag } = await api.ask("GET", this.path);
        this.take(/** @type {Card} */ (found), tag);
      }
      const answer = await api.ask("PATCH", this.path, { body, tag: this.tag });
      this.take(/** @type {Card} */ (answer.body), answer.tag);
      this.model.accept(this.card);
      this.screen.draw();
      return true;
    } catch (error) {
      if (error instanceof Problem && error.status === 412) {
        await this.read();
        note(words.changedMeanwhile, undefined, "trouble");
      } else trouble(error);
      return false;
    }
  }

  /** Save the title; one that can't be saved now, or that is typed on meanwhile, stays where it was typed. */
  async retitle() {
    if (!this.isRetitling) return;
    const typed = this.title.value;
    const title = typed.trim();
    const isKept = !title || (await this.inTurn(async () => title === this.card.title || this.save({ title })));
    if (!isKept || this.title.value !== typed) return;
    this.isRetitling = false;
    this.title.value = this.card.title;
  }

  draw() {
    if (!this.isRetitling) this.title.value = this.card.title;
    this.drawSteps();
    if (!this.isWriting) this.drawDescription();
    if (!this.facts.contains(document.activeElement)) this.drawFacts();
  }

  drawSteps() {
    const { card, model, screen } = this;
    const list = model.list(card.list_id)?.name ?? "";
    if (!model.canEdit) {
      fill(this.steps, h("span", { class: "stage" }, `${list} · ${words.stages[card.status]}`));
      return;
    }
    if (this.steps.contains(document.activeElement) && document.activeElement?.matches("select")) return;
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
    fill(this.steps, lists,
      h("button", { type: "button", class: "primary", onclick: () => void advance(step) }, word),
      stands ? h("button", { type: "button", onclick: () => void advance("start") }, words.startClock) : null,
      h("button", { type: "button", onclick: () => void away("archive") }, words.archive),
      h("button", { type: "button", onclick: () => void away("delete") }, words.delete));
  }

  drawDescription() {
    const text = this.card.description;
    const shown = text ? h("div", { class: "markdown", dir: "auto" }, markdown(text)) : h("p", { class: "hint" }, words.descriptionNone);
    const edit = h("button", { type: "button", class: "quiet", onclick: () => this.writeDescription() }, words.edit);
    fill(this.description, h("div", { class: "said" }, h("h3", {}, words.description), this.model.canEdit ? edit : null), shown);
  }

  writeDescription() {
    this.isWriting = true;
    const input = h("textarea", { rows: 10, maxlength: 20000, "aria-label": words.description, "aria-describedby": "markdown-hint", dir: "auto", value: this.card.description });
    const forget = draft(`${this.path}/description`, input);
    const end = () => { forget(); this.isWriting = false; this.drawDescription(); this.description.querySelector("button")?.focus(); };
    let replaced = this.card.description;
    const save = async () => {
      await this.turn;
      const isKnown = this.card.description === replaced;
      if (!isKnown) note(words.changedMeanwhile, undefined, "trouble");
      const isSaved = isKnown && (await this.patch(() => ({ description: input.value })));
      // Whoever has been told may save all the same.
      replaced = this.card.description;
      if (isSaved) end();
    };
    fill(this.description, h("h3", {}, words.description), h("form", { onsubmit: once(save) }, input,
      h("p", { id: "markdown-hint", class: "hint" }, words.descriptionHint),
      h("div", { class: "row" }, h("button", { class: "primary" }, words.save), h("button", { type: "button", onclick: end }, words.cancel))));
    input.focus();
  }

  drawFacts() {
    const { card, model } = this;
    const off = !model.canEdit;
    const due = h("input", { type: "datetime-local", value: forInput(card.due_at), disabled: off });
    due.addEventListener("change", () => void this.patch(() => ({ due_at: fromInput(due.value) })));
    const start = h("input", { type: "datetime-local", value: forInput(card.start_at), disabled: off });
    start.addEventListener("change", () => void this.patch(() => ({ start_at: fromInput(start.value) })));
    const complete = h("input", { type: "checkbox", checked: card.due_complete, disabled: off });
    complete.addEventListener("change", () => void this.patch(() => ({ due_complete: complete.checked })));
    const toggles = (/** @type {"label_ids" | "assignee_ids"} */ name, /** @type {{id: string, shown: Node}[]} */ all) => all.map(({ id, shown }) => {
      const box = h("input", { type: "checkbox", checked: card[name].includes(id), disabled: off });
      box.addEventListener("change", () => void this.patch(() => {
        const others = this.card[name].filter((each) => each !== id);
        return { [name]: box.checked ? [...others, id] : others };
      }));
      return h("label", { class: "check" }, box, shown);
    });
    fill(this.facts,
      h("div", { class: "pair" }, field(words.startAt, start), field(words.due, due)), h("label", { class: "check" }, complete, words.dueComplete),
      h("fieldset", {}, h("legend", {}, words.labels),
        model.labels.length ? toggles("label_ids", model.labels.map((label) => ({ id: label.id, shown: chip(label) }))) : h("p", { class: "hint" }, words.labelsNone),
        off ? null : this.labelMaker()),
      h("fieldset", {}, h("legend", {}, words.assignees),
        toggles("assignee_ids", model.members.map((member) => ({ id: member.user_id, shown: h("span", { dir: "auto" }, member.name) })))),
      card.links.length || !off ? this.linked() : null);
  }

  linked() {
    const { card, model } = this;
    const put = async (/** @type {(old: import("./model.js").Card["links"]) => {url: string, title: string}[]} */ links) => {
      if (await this.patch(() => ({ links: links(this.card.links) }))) this.drawFacts();
    };
    const url = h("input", { type: "url", "aria-label": words.linkUrl, placeholder: "https://…", maxlength: 2008, required: true });
    const title = h("input", { "aria-label": words.linkTitle, placeholder: words.linkTitle, maxlength: 200, dir: "auto" });
    const add = () => {
      const address = URL.canParse(url.value) ? new URL(url.value).href : url.value;
      const added = { url: address, title: title.value.trim() || address.slice(0, 200) };
      return put((old) => [...old, added]);
    };
    return h("fieldset", {}, h("legend", {}, words.links),
      h("ul", { class: "people" }, card.links.map((each) => h("li", {}, h("span", { dir: "auto" }, link(each.url, each.title)),
        model.canEdit ? h("button", { type: "button", class: "quiet", "aria-label": `${words.remove}: ${each.title}`,
          onclick: () => void put((old) => old.filter((other) => other.url !== each.url || other.title !== each.title)) }, "×") : null))),
      model.canEdit ? h("form", { class: "row", onsubmit: once(add) }, url, title, h("button", {}, words.add)) : null);
  }

  labelMaker() {
    const name = h("input", { "aria-label": words.labelNew, placeholder: words.labelNew, maxlength: 50, required: true });
    const color = h("select", { "aria-label": words.labelColor },
      Object.entries(words.colors).map(([value, word]) => h("option", { value }, word)));
    const make = async () => {
      const body = { name: name.value.trim(), color: color.value };
      const answer = await this.screen.attempt(() => this.model.api.ask("POST", `${this.model.path}/labels`, { body }));
      if (!answer) return;
      const label = /** @type {import("./model.js").Label} */ (answer.body);
      this.model.labels = [...this.model.labels, label];
      await this.patch(() => ({ label_ids: [...this.card.label_ids, label.id] }));
      this.drawFacts();
    };
    return h("form", { class: "row", onsubmit: once(make) }, name, color, h("button", {}, words.add));
  }

  /** @param {import("./api.js").Event[]} events */
  drawActivity(events) {
    const own = events.filter((event) => "card_id" in event && event.card_id === this.card.id).reverse().slice(0, 20);
    const name = (/** @type {string} */ id) => this.model.members.find((member) => member.user_id === id)?.name ?? id;
    const where = (/** @type {import("./api.js").Event} */ event) =>
      (event.type === "card.moved" ? this.model.list(event.list_id)?.name : undefined);
    fill(this.activity, h("h3", {}, words.activity),
      own.length
        ? h("ul", { class: "activity" }, own.map((event) => h("li", {},
          h("span", { dir: "auto" }, words.happened(name(event.actor_id), event.type, where(event))), " ",
          h("time", { class: "hint", datetime: event.at }, when(event.at)))))
        : h("p", { class: "hint" }, words.activityNone));
  }
}

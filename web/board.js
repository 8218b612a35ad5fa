// One board: its lists side by side, its cards in them, and everything that is done by moving.

import { card as cardDialog } from "./card.js";
import { composer } from "./composer.js";
import { isMoving, sortable } from "./drag.js";
import { align, fill, h, refill } from "./dom.js";
import { chip, initials } from "./faces.js";
import { follow } from "./feed.js";
import { clock, dayNear, when } from "./format.js";
import { listDialog } from "./list.js";
import { membersDialog } from "./members.js";
import { Model } from "./model.js";
import { announce, note, trouble } from "./notice.js";
import { words } from "./words.js";

/**
 * @typedef {import("./model.js").Card} Card
 * @typedef {import("./model.js").List} List
 */

const TICK = 1_000;
const TYPING = 250;

/** @type {import("./app.js").View} */
export async function board({ api, me, main, tools, entitle, isLeft }, id) {
  const model = new Model(api, id);
  const found = await model.look();
  if (isLeft()) return;
  if (found) model.take(found);
  const screen = new Screen(model, me);
  entitle(model.board.name);
  fill(main, screen.element);
  fill(tools, ...screen.tools);
  screen.draw();
  const ticking = setInterval(() => screen.tick(), TICK);
  // What is not so on the server counts as not seen.
  const seen = () => Math.max(0, model.board.seq - Number(screen.isStale));
  const unfollow = follow(api, id, seen, () => screen.reread(), (lost) => {
    const isToken = lost.status === 401;
    window.dispatchEvent(isToken ? new Event("tackboard:signed-out") : new CustomEvent("tackboard:lost", { detail: lost }));
  });
  return () => {
    clearInterval(ticking);
    unfollow();
    for (const dialog of document.querySelectorAll("dialog")) dialog.remove();
  };
}

/** What is drawn of a board, and what is done on it. */
export class Screen {
  /** @param {Model} model @param {{id: string, name: string}} me */
  constructor(model, me) {
    this.model = model;
    this.me = me;
    /** @type {Map<string, ReturnType<Screen["column"]>>} */
    this.columns = new Map();
    this.pending = 0;
    /** How often something has been attempted: a reading that began before the last time shows what was before it. */
    this.attempts = 0;
    this.isStale = false;
    /** @type {((card: Card | undefined) => void) | undefined} tells the open dialog what its card is now */
    this.openCard = undefined;
    /** @type {Set<string> | null} */
    this.found = null;
    this.filter = { q: "", label: "", member: "" };
    this.lists = h("div", { class: "lists" });
    this.element = h("div", { class: "board" },
      h("h1", { class: "unseen" }, model.board.name),
      model.canEdit ? null : h("p", { class: "banner" }, words.viewer),
      h("p", { id: "card-help", class: "unseen" }, words.cardHelp),
      h("p", { id: "handle-help", class: "unseen" }, words.handleHelp),
      this.lists);
    this.tools = this.makeTools();
    if (model.canEdit) this.lists.append(this.adder());
    this.makeMovable();
  }

  /** Draw what is known, unless something is in the air, which would fall down: then the board is read anew afterwards. */
  draw() {
    const { model, lists } = this;
    if (isMoving()) {
      this.isStale = true;
      model.tag = null;
      return;
    }
    const shown = new Map(model.lists.map((list) => [list.id, /** @type {Card[]} */ ([])]));
    for (const card of model.cards) if (this.fits(card)) shown.get(card.list_id)?.push(card);
    for (const list of model.lists) if (!this.columns.has(list.id)) this.columns.set(list.id, this.column(list));
    align(lists, model.lists, {
      key: (list) => list.id,
      print: () => "",
      make: (list) => /** @type {ReturnType<Screen["column"]>} */ (this.columns.get(list.id)).element,
    });
    for (const list of model.lists) this.columns.get(list.id)?.update(list, shown.get(list.id) ?? []);
    this.tick();
  }

  /** Show what has been done, if the board can be read: it has been done all the same. */
  async refresh() {
    try {
      await this.reread();
    } catch (error) {
      this.isStale = true;
      trouble(error);
    }
  }

  /** Read the board again, unless something is in the air: then as soon as it is down. */
  async reread() {
    for (;;) {
      this.isStale = isMoving() || this.pending > 0;
      if (this.isStale) return;
      const { attempts } = this;
      const found = await this.model.look();
      if (!found) return;
      if (attempts !== this.attempts || isMoving()) continue;
      // Two readings may come in another order than they were asked for.
      if (found.board.seq >= this.model.board.seq) this.model.take(found);
      break;
    }
    this.draw();
    this.fillFilters();
    this.openCard?.(undefined);
    // Whether what is new fits what is looked for, only the server knows.
    if (this.filter.q) void this.look(false);
  }

  tick() {
    for (const element of this.lists.querySelectorAll("[data-clock]")) {
      const card = this.model.card(/** @type {HTMLElement} */ (element).dataset.clock ?? "");
      if (card) write(element, clock(this.model.elapsed(card)));
    }
    for (const element of this.lists.querySelectorAll("time[data-late]")) {
      const time = /** @type {HTMLTimeElement} */ (element);
      if (!time.classList.contains("overdue") && Date.parse(time.dateTime) < Date.now()) showDue(time);
    }
  }

  /**
   * Do something on the server; what was shown ahead of its answer is taken back if it refuses.
   *
   * @template Result
   * @param {() => Promise<Result>} act
   * @param {(result: Result) => void} [done] shows what came of it, before the board is read anew
   * @returns {Promise<Result | undefined>}
   */
  async attempt(act, done) {
    this.pending += 1;
    this.attempts += 1;
    let result;
    let failed = false;
    try {
      result = await act();
      done?.(result);
    } catch (error) {
      failed = true;
      trouble(error);
      this.model.tag = null;
    }
    this.pending -= 1;
    // Whoever waits for what was done need not wait for the board.
    if (failed || this.isStale) {
      void this.reread().catch(() => {
        this.isStale = true;
        this.draw();
      });
    }
    return result;
  }

  // Cards

  /**
   * @param {Card} card
   * @param {{list_id: string, before?: string, after?: string, position?: string}} to
   * @param {boolean} [isUndo]
   */
  async move(card, to, isUndo = false) {
    const back = this.model.place(card);
    this.model.anticipate(card, to);
    this.draw();
    const answer = await this.attempt(
      () => this.model.api.ask("POST", `${this.model.path}/cards/${card.id}/move`, { body: to }), (moved) => this.accept(moved));
    if (!answer || isUndo) return;
    const moved = /** @type {Card} */ (answer.body);
    const text = words.cardMoved(card.title, this.model.list(to.list_id)?.name ?? "");
    announce(text);
    note(text, { label: words.undo, act: () => this.move(this.model.card(card.id) ?? moved, back, true) });
  }

  /** @param {Card} card @param {"start" | "resolve" | "reopen"} step */
  async advance(card, step) {
    return this.attempt(
      () => this.model.api.ask("POST", `${this.model.path}/cards/${card.id}/${step}`), (advanced) => this.accept(advanced));
  }

  /** @param {{body: unknown}} answer a card as it is now */
  accept({ body }) {
    this.model.accept(/** @type {Card} */ (body));
    this.draw();
  }

  /**
   * Archive or delete a card, with a way back.
   *
   * @param {Card} card
   * @param {"archive" | "delete"} how
   * @param {() => void} gone called as soon as the card is not there any more
   */
  async putAway(card, how, gone) {
    const { api, path } = this.model;
    const own = `${path}/cards/${card.id}`;
    const answer = await this.attempt(
      () => (how === "archive" ? api.ask("POST", `${own}/archive`) : api.ask("DELETE", own, { version: "*" })), () => this.drop(card.id, gone));
    if (!answer) return;
    const back = async () => {
      await this.attempt(() => api.ask("POST", `${own}/${how === "archive" ? "unarchive" : "restore"}`));
      await this.refresh();
    };
    note((how === "archive" ? words.cardArchived : words.cardDeleted)(card.title), { label: words.undo, act: back });
  }

  /** @param {string} cardId @param {() => void} gone */
  drop(cardId, gone) {
    this.model.drop(cardId);
    gone();
    this.draw();
  }

  /** @param {List} list @param {string} title @param {string} key */
  async add(list, title, key) {
    const body = { title, list_id: list.id };
    return this.attempt(() => this.model.api.ask("POST", `${this.model.path}/cards`, { body, key }), (made) => this.accept(made));
  }

  /** @param {string} cardId */
  open(cardId) {
    const card = this.model.card(cardId);
    if (!card) return;
    const opener = /** @type {HTMLElement | null} */ (document.activeElement);
    this.openCard = cardDialog(this, card, () => {
      this.openCard = undefined;
      this.draw();
      const again = this.lists.querySelector(`[data-key="${cardId}"] .card-open`);
      (/** @type {HTMLElement | null} */ (again) ?? opener)?.focus();
    });
  }

  // Drawing

  /** @param {List} list */
  column(list) {
    let current = list;
    const title = h("button", {
      type: "button", class: "list-title", "aria-describedby": this.model.canEdit ? "handle-help" : null,
      onclick: () => { if (this.model.canEdit) listDialog(this, current); },
    });
    const count = h("span", { class: "count" });
    const cards = h("ol", { class: "cards", dataset: { list: list.id } });
    const empty = h("p", { class: "hint" }, words.listEmpty);
    const element = h("section", { class: "list", "aria-label": list.name },
      h("div", { class: "list-head" }, h("h2", {}, title), count), empty, cards, ...(this.model.canEdit ? this.quickAdd(() => current) : []));

    const update = (/** @type {List} */ fresh, /** @type {Card[]} */ shown) => {
      current = fresh;
      const isFull = fresh.wip_limit !== null && fresh.card_count > fresh.wip_limit;
      element.setAttribute("aria-label", fresh.name);
      element.dataset.stage = fresh.stage;
      element.classList.toggle("full", isFull);
      write(title, fresh.name);
      const shape = fresh.wip_limit === null ? String(fresh.card_count) : `${fresh.card_count}/${fresh.wip_limit}`;
      const said = words.listCount(fresh.card_count, fresh.wip_limit);
      refill(count, [shape, said, isFull], () => [
        h("span", { "aria-hidden": "true" }, shape), h("span", { class: "unseen" }, isFull ? `${said}, ${words.listFull}` : said)]);
      empty.hidden = shown.length > 0;
      align(cards, shown, {
        key: (card) => card.id,
        print: (card) => this.print(card),
        make: (card) => this.face(card),
      });
    };
    return { element, update };
  }

  /** All that a card shows on the board. @param {Card} card */
  print(card) {
    const { elapsed_seconds, elapsed, cost, updated_at, description, ...shown } = card;
    const labels = this.model.labels.filter((label) => card.label_ids.includes(label.id));
    const people = this.model.members.filter((member) => card.assignee_ids.includes(member.user_id));
    return JSON.stringify([shown, labels, people, Boolean(description)]);
  }

  /** @param {Card} card */
  face(card) {
    const labels = this.model.labels.filter((label) => card.label_ids.includes(label.id));
    const people = this.model.members.filter((member) => card.assignee_ids.includes(member.user_id));
    const { done, total } = card.checklist_progress;
    const isOpen = !card.due_complete && card.status !== "done";
    return h("li", { class: "card" },
      h("button", {
        type: "button", class: "card-open", "aria-describedby": this.model.canEdit ? "card-help" : null, onclick: () => this.open(card.id),
      },
        labels.length ? h("span", { class: "labels" }, labels.map(chip)) : null,
        h("span", { class: "title", dir: "auto" }, card.title),
        h("span", { class: "meta" },
          card.due_at ? showDue(h("time", { datetime: card.due_at, dataset: isOpen ? { late: "" } : {}, title: when(card.due_at) })) : null,
          total ? h("span", { title: words.checklistDone(done, total) }, `☑ ${done}/${total}`) : null,
          card.comment_count ? h("span", {}, `✎ ${card.comment_count}`) : null,
          card.running_since ? h("span", { class: "running", dataset: { clock: card.id } }, clock(this.model.elapsed(card))) : null,
          people.length ? h("span", { class: "faces" }, people.map((member) => h("span", { class: "person", title: member.name }, initials(member.name)))) : null)));
  }

  /** @param {() => List} list */
  quickAdd(list) {
    const input = h("input", { "aria-label": words.cardTitle, placeholder: words.cardNew, maxlength: 500, autocomplete: "off" });
    const send = async (/** @type {string[]} */ [title = ""], /** @type {string} */ key) => {
      const answer = await this.add(list(), title, key);
      if (answer && document.activeElement === input) input.scrollIntoView({ block: "nearest" });
      return answer;
    };
    const { submit, unsaved } = composer(`${this.model.path}/lists/${list().id}`, [input], send);
    return [unsaved, h("form", { class: "quick-add", onsubmit: submit }, input, h("button", {}, words.add))];
  }

  adder() {
    const input = h("input", { "aria-label": words.listName, placeholder: words.listNew, maxlength: 100, autocomplete: "off" });
    const stage = h("select", { "aria-label": words.listStage },
      Object.entries(words.stages).map(([value, word]) => h("option", { value }, word)));
    const send = async (/** @type {string[]} */ [name, chosen], /** @type {string} */ key) => {
      const body = { name, stage: chosen };
      const answer = await this.attempt(() => this.model.api.ask("POST", `${this.model.path}/lists`, { body, key }));
      if (answer) await this.refresh();
      return answer;
    };
    const { submit, unsaved } = composer(`${this.model.path}/lists`, [input, stage], send);
    return h("form", { class: "adder", onsubmit: submit }, unsaved, input, stage, h("button", {}, words.add));
  }

  // Tools

  makeTools() {
    const search = h("input", { type: "search", placeholder: words.search, "aria-label": words.search, maxlength: 100 });
    let timer = 0;
    search.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => { this.filter.q = search.value.trim(); void this.look(); }, TYPING);
    });
    this.labelFilter = h("select", { "aria-label": words.filterLabel, onchange: (/** @type {Event} */ event) => {
      this.filter.label = /** @type {HTMLSelectElement} */ (event.target).value;
      this.filtered();
    } });
    this.memberFilter = h("select", { "aria-label": words.filterMember, onchange: (/** @type {Event} */ event) => {
      this.filter.member = /** @type {HTMLSelectElement} */ (event.target).value;
      this.filtered();
    } });
    this.fillFilters();
    const members = h("button", { type: "button", onclick: () => membersDialog(this) }, words.members);
    return [
      h("strong", { class: "board-name" }, this.model.board.name), search, this.labelFilter, this.memberFilter, members,
      h("a", { href: `#/${this.model.path}/flow`, class: "button" }, words.flow),
    ];
  }

  fillFilters() {
    /** @type {(select: HTMLSelectElement | undefined, word: string, choices: string[][], chosen: string) => void} */
    const offer = (select, word, choices, chosen) => {
      if (!select) return;
      const all = [["", `${word}: ${words.filterAny}`], ...choices];
      refill(select, all, () => [all.map(([value, name]) => h("option", { value }, name ?? ""))]);
      select.value = chosen;
    };
    const { labels, members } = this.model;
    offer(this.labelFilter, words.filterLabel, labels.map(({ id, name }) => [id, name]), this.filter.label);
    offer(this.memberFilter, words.filterMember, members.map(({ user_id, name }) => [user_id, name]), this.filter.member);
  }

  /** Let the server look for the words: it finds them in comments too. @param {boolean} [isAnnounced] */
  async look(isAnnounced = true) {
    const { q } = this.filter;
    try {
      const cards = q ? /** @type {Card[]} */ (await this.model.api.all(`${this.model.path}/cards`, undefined, { q })) : null;
      if (q !== this.filter.q) return;
      this.found = cards && new Set(cards.map((card) => card.id));
      if (isAnnounced) this.filtered();
      else this.draw();
    } catch (error) {
      trouble(error);
    }
  }

  filtered() {
    this.draw();
    announce(words.filterFound(this.model.cards.filter((card) => this.fits(card)).length));
  }

  /** @param {Card} card */
  fits(card) {
    const { label, member } = this.filter;
    return (!this.found || this.found.has(card.id))
      && (!label || card.label_ids.includes(label)) && (!member || card.assignee_ids.includes(member));
  }

  // Moving

  makeMovable() {
    const listName = (/** @type {HTMLElement} */ element) => this.model.list(element.dataset.list ?? element.dataset.key ?? "")?.name ?? "";
    sortable(this.lists, {
      item: ".card", handle: ".card-open", container: ".cards", direction: "down",
      name: (item) => this.model.card(item.dataset.key ?? "")?.title ?? "",
      containerName: listName,
      isAllowed: () => this.model.canEdit,
      drop: (item, container) => {
        const card = this.model.card(item.dataset.key ?? "");
        if (card) void this.move(card, { list_id: container.dataset.list ?? "", ...beside(item, ".card") });
        else void this.refresh();
      },
    });
    sortable(this.lists, {
      item: ".list", handle: ".list-title", container: ".lists", direction: "across",
      name: listName,
      containerName: () => this.model.board.name,
      isAllowed: () => this.model.canEdit,
      drop: (item) => void this.moveList(item),
    });
  }

  /** @param {HTMLElement} item */
  async moveList(item) {
    const id = item.dataset.key ?? "";
    const body = beside(item, ".list");
    const list = this.model.list(id);
    if (list) {
      this.model.lists = [...this.lists.querySelectorAll(".list")].flatMap(
        (element) => this.model.list(/** @type {HTMLElement} */ (element).dataset.key ?? "") ?? []);
      this.draw();
    }
    await this.attempt(() => this.model.api.ask("POST", `${this.model.path}/lists/${id}/move`, { body }));
  }
}

/** Where an element stands, in the words of a move. @param {HTMLElement} item @param {string} selector */
function beside(item, selector) {
  const [next, previous] = [item.nextElementSibling, item.previousElementSibling];
  if (next?.matches(selector)) return { before: /** @type {HTMLElement} */ (next).dataset.key ?? "" };
  if (previous?.matches(selector)) return { after: /** @type {HTMLElement} */ (previous).dataset.key ?? "" };
  return { position: "bottom" };
}

/**
 * Write a text, unless it stands there already: the browser would lay out the page again for the same text.
 *
 * @param {Element} element
 * @param {string} text
 */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Write when something is due, and that it is overdue if it is. @param {HTMLTimeElement} time */
function showDue(time) {
  const isOverdue = time.dataset.late !== undefined && Date.parse(time.dateTime) < Date.now();
  time.classList.toggle("overdue", isOverdue);
  write(time, `${isOverdue ? `${words.overdue}: ` : ""}${dayNear(time.dateTime)}`);
  return time;
}

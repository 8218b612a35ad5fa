// One board: its lists side by side, its cards in them, search, filters and dragging.

import { openCardDialog } from "./card-dialog.js";
import { createComposer } from "./composer.js";
import { isDragging, makeSortable } from "./drag.js";
import { reconcile, setChildren, h, updateChildren } from "./dom.js";
import { createLabelChip, getInitials } from "./components.js";
import { pollEvents } from "./polling.js";
import { formatDuration, formatDateBriefly, formatDateTime } from "./format.js";
import { openListDialog } from "./list-dialog.js";
import { openMembersDialog } from "./members-dialog.js";
import { Model } from "./model.js";
import { announce, notify, reportError } from "./notifications.js";
import { texts } from "./texts.js";

/**
 * @typedef {import("./model.js").Card} Card
 * @typedef {import("./model.js").List} List
 */

const CLOCK_INTERVAL_MS = 1_000;
const SEARCH_DELAY_MS = 250;

/**
 * Show a board and keep it up to date until the view is closed.
 *
 * @type {import("./app.js").View}
 */
export async function showBoard({ api, me, main, tools, setTitle, isClosed }, id) {
  const model = new Model(api, id);
  const snapshot = await model.fetchIfChanged();
  if (isClosed()) return;
  if (snapshot) model.applySnapshot(snapshot);
  const view = new BoardView(model, me);
  setTitle(model.board.name);
  setChildren(main, view.element);
  setChildren(tools, ...view.tools);
  view.draw();
  const ticker = setInterval(() => view.tick(), CLOCK_INTERVAL_MS);
  // A stale view counts as one event behind, so that the next poll reloads it.
  const getDisplayed = () => ({ after: Math.max(0, model.board.seq - Number(view.isStale)), history: model.board.history });
  const readAnew = () => {
    // In another history, seq counts other events, and the tag can be the same for another state.
    model.board.seq = 0;
    model.etag = null;
    return view.reload();
  };
  const stopPolling = pollEvents(api, id, getDisplayed, () => view.reload(), readAnew, (error) => {
    const isTokenRefused = error.status === 401;
    window.dispatchEvent(isTokenRefused ? new Event("tackboard:signed-out") : new CustomEvent("tackboard:board-lost", { detail: error }));
  });
  return () => {
    clearInterval(ticker);
    stopPolling();
    for (const dialog of document.querySelectorAll("dialog")) dialog.remove();
  };
}

/** Draws a board and sends what the user does on it. */
export class BoardView {
  /** @param {Model} model @param {{id: string, name: string}} me */
  constructor(model, me) {
    this.model = model;
    this.me = me;
    /** @type {Map<string, ReturnType<BoardView["createColumn"]>>} */
    this.columns = new Map();
    this.pendingRequests = 0;
    /** How many changes have been attempted. A snapshot that was requested before the last one is out of date. */
    this.attemptCount = 0;
    this.isStale = false;
    /** @type {((card: Card | undefined) => void) | undefined} updates the open card dialog */
    this.updateOpenDialog = undefined;
    /** @type {Set<string> | null} */
    this.matchingCardIds = null;
    this.filter = { q: "", label: "", member: "" };
    this.lists = h("div", { class: "lists" });
    this.element = h("div", { class: "board" },
      h("h1", { class: "visually-hidden" }, model.board.name),
      model.canEdit ? null : h("p", { class: "banner" }, texts.viewerHint),
      h("p", { id: "card-help", class: "visually-hidden" }, texts.cardHelp),
      h("p", { id: "handle-help", class: "visually-hidden" }, texts.listHelp),
      this.lists);
    this.tools = this.createTools();
    if (model.canEdit) this.lists.append(this.createListForm());
    this.enableDragging();
  }

  /** Draw the model. During a drag nothing is drawn, because that would end the drag; the board is reloaded afterwards. */
  draw() {
    const { model, lists } = this;
    if (isDragging()) {
      this.isStale = true;
      model.etag = null;
      return;
    }
    const cardsByList = new Map(model.lists.map((list) => [list.id, /** @type {Card[]} */ ([])]));
    for (const card of model.cards) if (this.matchesFilters(card)) cardsByList.get(card.list_id)?.push(card);
    for (const list of model.lists) if (!this.columns.has(list.id)) this.columns.set(list.id, this.createColumn(list));
    reconcile(lists, model.lists, {
      key: (list) => list.id,
      fingerprint: () => "",
      make: (list) => /** @type {ReturnType<BoardView["createColumn"]>} */ (this.columns.get(list.id)).element,
    });
    for (const list of model.lists) this.columns.get(list.id)?.update(list, cardsByList.get(list.id) ?? []);
    this.tick();
  }

  /** Reload the board. A failure is only reported, because the change before it has succeeded. */
  async reloadOrReport() {
    try {
      await this.reload();
    } catch (error) {
      this.isStale = true;
      reportError(error);
    }
  }

  /** Fetch the board again and draw it. During a drag or a request it is only marked as stale, to be reloaded afterwards. */
  async reload() {
    for (;;) {
      this.isStale = isDragging() || this.pendingRequests > 0;
      if (this.isStale) return;
      const { attemptCount } = this;
      const snapshot = await this.model.fetchIfChanged();
      if (!snapshot) return;
      if (attemptCount !== this.attemptCount || isDragging()) continue;
      // Responses can arrive out of order.
      if (snapshot.board.seq >= this.model.board.seq) this.model.applySnapshot(snapshot);
      break;
    }
    this.draw();
    this.fillFilters();
    this.updateOpenDialog?.(undefined);
    // Only the server knows whether new cards match the search.
    if (this.filter.q) void this.search(false);
  }

  /** Update the running clocks and mark cards that have become overdue. */
  tick() {
    for (const element of this.lists.querySelectorAll("[data-clock]")) {
      const card = this.model.card(/** @type {HTMLElement} */ (element).dataset.clock ?? "");
      if (card) setText(element, formatDuration(this.model.elapsed(card)));
    }
    for (const element of this.lists.querySelectorAll("time[data-can-be-overdue]")) {
      const time = /** @type {HTMLTimeElement} */ (element);
      if (!time.classList.contains("overdue") && Date.parse(time.dateTime) < Date.now()) updateDueDate(time);
    }
  }

  /**
   * Send a change. If it fails, report the error and reload the board, which reverts what was drawn optimistically.
   *
   * @template Result
   * @param {() => Promise<Result>} action
   * @param {(result: Result) => void} [applyResult] called with the result, before the board is reloaded
   * @returns {Promise<Result | undefined>} the result; undefined after an error
   */
  async attempt(action, applyResult) {
    this.pendingRequests += 1;
    this.attemptCount += 1;
    let result;
    let hasFailed = false;
    try {
      result = await action();
      applyResult?.(result);
    } catch (error) {
      hasFailed = true;
      reportError(error);
      this.model.etag = null;
    }
    this.pendingRequests -= 1;
    // The caller doesn't wait for the reload.
    if (hasFailed || this.isStale) {
      void this.reload().catch(() => {
        this.isStale = true;
        this.draw();
      });
    }
    return result;
  }

  // Cards

  /**
   * Move a card, optimistically, and offer to undo it.
   *
   * @param {Card} card
   * @param {{list_id: string, before?: string, after?: string, position?: string}} target
   * @param {boolean} [isUndo]
   */
  async moveCard(card, target, isUndo = false) {
    const previousPosition = this.model.getPosition(card);
    this.model.applyMove(card, target);
    this.draw();
    const response = await this.attempt(
      () => this.model.api.request("POST", `${this.model.path}/cards/${card.id}/move`, { body: target }), (moveResponse) => this.applyCard(moveResponse));
    if (!response || isUndo) return;
    const moved = /** @type {Card} */ (response.body);
    const text = texts.cardMoved(card.title, this.model.list(target.list_id)?.name ?? "");
    announce(text);
    notify(text, { label: texts.undo, run: () => this.moveCard(this.model.card(card.id) ?? moved, previousPosition, true) });
  }

  /** Start, resolve or reopen a card. @param {Card} card @param {"start" | "resolve" | "reopen"} transition */
  async changeStage(card, transition) {
    return this.attempt(
      () => this.model.api.request("POST", `${this.model.path}/cards/${card.id}/${transition}`), (response) => this.applyCard(response));
  }

  /** Draw a card as the server has returned it. @param {{body: unknown}} response */
  applyCard({ body }) {
    this.model.updateCard(/** @type {Card} */ (body));
    this.draw();
  }

  /**
   * Archive or delete a card and offer to undo it.
   *
   * @param {Card} card
   * @param {"archive" | "delete"} action
   * @param {() => void} onRemoved called when the card has been removed
   */
  async archiveOrDelete(card, action, onRemoved) {
    const { api, path } = this.model;
    const cardPath = `${path}/cards/${card.id}`;
    const response = await this.attempt(
      () => (action === "archive" ? api.request("POST", `${cardPath}/archive`) : api.request("DELETE", cardPath, { version: "*" })), () => this.removeCard(card.id, onRemoved));
    if (!response) return;
    const undo = async () => {
      await this.attempt(() => api.request("POST", `${cardPath}/${action === "archive" ? "unarchive" : "restore"}`));
      await this.reloadOrReport();
    };
    notify((action === "archive" ? texts.cardArchived : texts.cardDeleted)(card.title), { label: texts.undo, run: undo });
  }

  /** Remove a card from the view only. @param {string} cardId @param {() => void} onRemoved */
  removeCard(cardId, onRemoved) {
    this.model.removeCard(cardId);
    onRemoved();
    this.draw();
  }

  /** Create a card. @param {List} list @param {string} title @param {string} key idempotency key */
  async addCard(list, title, key) {
    const body = { title, list_id: list.id };
    return this.attempt(() => this.model.api.request("POST", `${this.model.path}/cards`, { body, idempotencyKey: key }), (response) => this.applyCard(response));
  }

  /** Open the dialog of a card; closing it returns the focus to the card. @param {string} cardId */
  openDialog(cardId) {
    const card = this.model.card(cardId);
    if (!card) return;
    const opener = /** @type {HTMLElement | null} */ (document.activeElement);
    this.updateOpenDialog = openCardDialog(this, card, () => {
      this.updateOpenDialog = undefined;
      this.draw();
      const button = this.lists.querySelector(`[data-key="${cardId}"] .card-open`);
      (/** @type {HTMLElement | null} */ (button) ?? opener)?.focus();
    });
  }

  // Drawing

  /** Create the element of a list, and the function that updates it. @param {List} list */
  createColumn(list) {
    let currentList = list;
    const title = h("button", {
      type: "button", class: "list-title", "aria-describedby": this.model.canEdit ? "handle-help" : null,
      onclick: () => { if (this.model.canEdit) openListDialog(this, currentList); },
    });
    const count = h("span", { class: "count" });
    const cardList = h("ol", { class: "cards", dataset: { listId: list.id } });
    const empty = h("p", { class: "hint" }, texts.listEmpty);
    const element = h("section", { class: "list", "aria-label": list.name },
      h("div", { class: "list-head" }, h("h2", {}, title), count), empty, cardList, ...(this.model.canEdit ? this.createCardForm(() => currentList) : []));

    const updateColumn = (/** @type {List} */ newList, /** @type {Card[]} */ cards) => {
      currentList = newList;
      const isOverLimit = newList.wip_limit !== null && newList.card_count > newList.wip_limit;
      element.setAttribute("aria-label", newList.name);
      element.dataset.stage = newList.stage;
      element.classList.toggle("over-limit", isOverLimit);
      setText(title, newList.name);
      const countText = newList.wip_limit === null ? String(newList.card_count) : `${newList.card_count}/${newList.wip_limit}`;
      const countDescription = texts.listCount(newList.card_count, newList.wip_limit);
      updateChildren(count, [countText, countDescription, isOverLimit], () => [
        h("span", { "aria-hidden": "true" }, countText), h("span", { class: "visually-hidden" }, isOverLimit ? `${countDescription}, ${texts.listFull}` : countDescription)]);
      empty.hidden = cards.length > 0;
      reconcile(cardList, cards, {
        key: (card) => card.id,
        fingerprint: (card) => this.fingerprint(card),
        make: (card) => this.createCard(card),
      });
    };
    return { element, update: updateColumn };
  }

  /** Return everything that the board displays of a card, as JSON. @param {Card} card */
  fingerprint(card) {
    const { elapsed_seconds, elapsed, cost, updated_at, description, ...displayedFields } = card;
    const labels = this.model.labels.filter((label) => card.label_ids.includes(label.id));
    const assignees = this.model.members.filter((member) => card.assignee_ids.includes(member.user_id));
    return JSON.stringify([displayedFields, labels, assignees, Boolean(description)]);
  }

  /** Create the element of a card. @param {Card} card */
  createCard(card) {
    const labels = this.model.labels.filter((label) => card.label_ids.includes(label.id));
    const assignees = this.model.members.filter((member) => card.assignee_ids.includes(member.user_id));
    const { done, total } = card.checklist_progress;
    const isOpen = !card.due_complete && card.status !== "done";
    return h("li", { class: "card" },
      h("button", {
        type: "button", class: "card-open", "aria-describedby": this.model.canEdit ? "card-help" : null, onclick: () => this.openDialog(card.id),
      },
        labels.length ? h("span", { class: "labels" }, labels.map(createLabelChip)) : null,
        h("span", { class: "title", dir: "auto" }, card.title),
        h("span", { class: "meta" },
          card.due_at ? updateDueDate(h("time", { datetime: card.due_at, dataset: isOpen ? { canBeOverdue: "" } : {}, title: formatDateTime(card.due_at) })) : null,
          total ? h("span", { title: texts.checklistDone(done, total) }, `☑ ${done}/${total}`) : null,
          card.comment_count ? h("span", {}, `✎ ${card.comment_count}`) : null,
          card.running_since ? h("span", { class: "running", dataset: { clock: card.id } }, formatDuration(this.model.elapsed(card))) : null,
          assignees.length ? h("span", { class: "assignees" }, assignees.map((member) => h("span", { class: "initials", title: member.name }, getInitials(member.name)))) : null)));
  }

  /** Create the form that adds cards to a list. @param {() => List} getList */
  createCardForm(getList) {
    const input = h("input", { "aria-label": texts.cardTitle, placeholder: texts.cardNew, maxlength: 500, autocomplete: "off" });
    const send = async (/** @type {string[]} */ [title = ""], /** @type {string} */ key) => {
      const response = await this.addCard(getList(), title, key);
      if (response && document.activeElement === input) input.scrollIntoView({ block: "nearest" });
      return response;
    };
    const { submit, unsavedList } = createComposer(`${this.model.path}/lists/${getList().id}`, [input], send);
    return [unsavedList, h("form", { class: "card-form", onsubmit: submit }, input, h("button", {}, texts.add))];
  }

  /** Create the form that adds lists. */
  createListForm() {
    const input = h("input", { "aria-label": texts.listName, placeholder: texts.listNew, maxlength: 100, autocomplete: "off" });
    const stage = h("select", { "aria-label": texts.listStage },
      Object.entries(texts.stages).map(([value, label]) => h("option", { value }, label)));
    const send = async (/** @type {string[]} */ [name, stage], /** @type {string} */ key) => {
      const body = { name, stage };
      const response = await this.attempt(() => this.model.api.request("POST", `${this.model.path}/lists`, { body, idempotencyKey: key }));
      if (response) await this.reloadOrReport();
      return response;
    };
    const { submit, unsavedList } = createComposer(`${this.model.path}/lists`, [input, stage], send);
    return h("form", { class: "list-form", onsubmit: submit }, unsavedList, input, stage, h("button", {}, texts.add));
  }

  // Toolbar

  /** Create the search field, the filters and the links in the header. */
  createTools() {
    const search = h("input", { type: "search", placeholder: texts.search, "aria-label": texts.search, maxlength: 100 });
    let timer = 0;
    search.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => { this.filter.q = search.value.trim(); void this.search(); }, SEARCH_DELAY_MS);
    });
    this.labelFilter = h("select", { "aria-label": texts.filterLabel, onchange: (/** @type {Event} */ event) => {
      this.filter.label = /** @type {HTMLSelectElement} */ (event.target).value;
      this.applyFilters();
    } });
    this.memberFilter = h("select", { "aria-label": texts.filterMember, onchange: (/** @type {Event} */ event) => {
      this.filter.member = /** @type {HTMLSelectElement} */ (event.target).value;
      this.applyFilters();
    } });
    this.fillFilters();
    const members = h("button", { type: "button", onclick: () => openMembersDialog(this) }, texts.members);
    return [
      h("strong", { class: "board-name" }, this.model.board.name), search, this.labelFilter, this.memberFilter, members,
      h("a", { href: `#/${this.model.path}/flow`, class: "button" }, texts.flow),
    ];
  }

  /** Fill the filters with the labels and members of the board. */
  fillFilters() {
    /** @type {(select: HTMLSelectElement | undefined, label: string, choices: string[][], selectedId: string) => void} */
    const updateOptions = (select, label, choices, selectedId) => {
      if (!select) return;
      const options = [["", `${label}: ${texts.filterAny}`], ...choices];
      updateChildren(select, options, () => [options.map(([value, name]) => h("option", { value }, name ?? ""))]);
      select.value = selectedId;
    };
    const { labels, members } = this.model;
    updateOptions(this.labelFilter, texts.filterLabel, labels.map(({ id, name }) => [id, name]), this.filter.label);
    updateOptions(this.memberFilter, texts.filterMember, members.map(({ user_id, name }) => [user_id, name]), this.filter.member);
  }

  /** Search on the server, which also searches comments. @param {boolean} [shouldAnnounce] */
  async search(shouldAnnounce = true) {
    const { q } = this.filter;
    try {
      const cards = q ? /** @type {Card[]} */ (await this.model.api.fetchAll(`${this.model.path}/cards`, undefined, { q })) : null;
      if (q !== this.filter.q) return;
      this.matchingCardIds = cards && new Set(cards.map((card) => card.id));
      if (shouldAnnounce) this.applyFilters();
      else this.draw();
    } catch (error) {
      reportError(error);
    }
  }

  /** Draw the matching cards and announce how many there are. */
  applyFilters() {
    this.draw();
    announce(texts.filterMatches(this.model.cards.filter((card) => this.matchesFilters(card)).length));
  }

  /** @param {Card} card */
  matchesFilters(card) {
    const { label, member } = this.filter;
    return (!this.matchingCardIds || this.matchingCardIds.has(card.id))
      && (!label || card.label_ids.includes(label)) && (!member || card.assignee_ids.includes(member));
  }

  // Moving

  enableDragging() {
    const listName = (/** @type {HTMLElement} */ element) => this.model.list(element.dataset.listId ?? element.dataset.key ?? "")?.name ?? "";
    makeSortable(this.lists, {
      item: ".card", handle: ".card-open", container: ".cards", direction: "down",
      name: (item) => this.model.card(item.dataset.key ?? "")?.title ?? "",
      containerName: listName,
      isAllowed: () => this.model.canEdit,
      drop: (item, container) => {
        const card = this.model.card(item.dataset.key ?? "");
        if (card) void this.moveCard(card, { list_id: container.dataset.listId ?? "", ...readPosition(item, ".card") });
        else void this.reloadOrReport();
      },
    });
    makeSortable(this.lists, {
      item: ".list", handle: ".list-title", container: ".lists", direction: "across",
      name: listName,
      containerName: () => this.model.board.name,
      isAllowed: () => this.model.canEdit,
      drop: (item) => void this.moveList(item),
    });
  }

  /** Send the new position of a list that has been dragged. @param {HTMLElement} item */
  async moveList(item) {
    const id = item.dataset.key ?? "";
    const body = readPosition(item, ".list");
    const list = this.model.list(id);
    if (list) {
      this.model.lists = [...this.lists.querySelectorAll(".list")].flatMap(
        (element) => this.model.list(/** @type {HTMLElement} */ (element).dataset.key ?? "") ?? []);
      this.draw();
    }
    await this.attempt(() => this.model.api.request("POST", `${this.model.path}/lists/${id}/move`, { body }));
  }
}

/** Return the position of an element as the body of a move. @param {HTMLElement} item @param {string} selector */
function readPosition(item, selector) {
  const [next, previous] = [item.nextElementSibling, item.previousElementSibling];
  if (next?.matches(selector)) return { before: /** @type {HTMLElement} */ (next).dataset.key ?? "" };
  if (previous?.matches(selector)) return { after: /** @type {HTMLElement} */ (previous).dataset.key ?? "" };
  return { position: "bottom" };
}

/**
 * Set the text of an element. An equal text is not set again, because that would cost a layout.
 *
 * @param {Element} element
 * @param {string} text
 */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Write the due date, with a mark if it is overdue. @param {HTMLTimeElement} time */
function updateDueDate(time) {
  const isOverdue = time.dataset.canBeOverdue !== undefined && Date.parse(time.dateTime) < Date.now();
  time.classList.toggle("overdue", isOverdue);
  setText(time, `${isOverdue ? `${texts.overdue}: ` : ""}${formatDateBriefly(time.dateTime)}`);
  return time;
}

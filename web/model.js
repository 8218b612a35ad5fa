// A board as it is on the screen: read in one call, changed at once when someone moves a card, corrected by the server.

/**
 * @typedef {import("./api.js").Api} Api
 * @typedef {import("./api.js").Board} Board
 * @typedef {import("./api.js").List} List
 * @typedef {import("./api.js").Card} Card
 * @typedef {import("./api.js").Schemas} Schemas
 * @typedef {Schemas["Label"]} Label
 * @typedef {Schemas["Member"]} Member
 */

const EMBEDDED = "lists,cards,labels,members";

/** Everything about one board that the page knows. */
export class Model {
  /**
   * @param {Api} api
   * @param {string} id
   */
  constructor(api, id) {
    this.api = api;
    this.path = `boards/${id}`;
    /** @type {Board} */
    this.board = /** @type {any} */ (undefined);
    /** @type {List[]} */
    this.lists = [];
    /** @type {Card[]} in the order of their lists, and within them */
    this.cards = [];
    /** @type {Label[]} */
    this.labels = [];
    /** @type {Member[]} */
    this.members = [];
    /** When the cards were read, on the clock that never jumps: running clocks go on from there. */
    this.readAt = 0;
    /** @type {string | null} */
    this.tag = null;
  }

  /** Look at all of it, unless it is still the same: then null. What is found is for `take`. */
  async look() {
    const answer = await this.api.ask("GET", this.path, { query: { embed: EMBEDDED }, known: this.tag });
    if (answer.status === 304) return null;
    const board = /** @type {any} */ (answer.body);
    const cards = /** @type {Card[]} */ (await this.api.all(`${this.path}/cards`, board.cards));
    return { board, cards, tag: answer.tag, at: performance.now() };
  }

  /** @param {{board: any, cards: Card[], tag: string | null, at: number}} found */
  take({ board, cards, tag, at }) {
    this.board = board;
    this.lists = board.lists.filter((/** @type {List} */ list) => !list.archived_at);
    this.labels = board.labels ?? [];
    this.members = board.members ?? [];
    this.cards = cards;
    this.tag = tag;
    this.readAt = at;
  }

  get canEdit() {
    return this.board.role !== "viewer";
  }

  get isOwner() {
    return this.board.role === "owner";
  }

  /** @param {string} listId */
  cardsIn(listId) {
    return this.cards.filter((card) => card.list_id === listId);
  }

  /** @param {string} cardId */
  card(cardId) {
    return this.cards.find((card) => card.id === cardId);
  }

  /** @param {string} listId */
  list(listId) {
    return this.lists.find((list) => list.id === listId);
  }

  /** Seconds on a card's clock by now. @param {Card} card */
  elapsed(card) {
    return card.elapsed_seconds + (card.running_since ? (performance.now() - this.readAt) / 1000 : 0);
  }

  /**
   * Where a card stands, as a move back to there would say it.
   *
   * @param {Card} card
   */
  place(card) {
    const cards = this.cardsIn(card.list_id);
    const next = cards[cards.indexOf(card) + 1];
    return { list_id: card.list_id, ...(next ? { before: next.id } : { position: "bottom" }) };
  }

  /**
   * Show a card in another place, ahead of the server's answer.
   *
   * @param {Card} card
   * @param {{list_id: string, before?: string, after?: string, position?: string}} to
   */
  anticipate(card, to) {
    const status = this.list(to.list_id)?.stage ?? card.status;
    const running_since = status === card.status ? card.running_since : status === "in_progress" ? card.updated_at : null;
    const moved = { ...card, list_id: to.list_id, status, running_since };
    const others = this.cards.filter((each) => each.id !== card.id);
    let at = others.findIndex((each) => each.id === (to.before ?? to.after));
    if (at >= 0 && to.after) at += 1;
    if (at < 0) {
      const inList = others.filter((each) => each.list_id === to.list_id);
      const edge = to.position === "top" ? inList[0] : inList.at(-1);
      at = edge ? others.indexOf(edge) + (to.position === "top" ? 0 : 1) : others.length;
    }
    others.splice(at, 0, moved);
    this.cards = others;
    for (const list of this.lists) list.card_count = this.cardsIn(list.id).length;
  }

  /** Put in what the server answered for a card, unless something newer is known of it. @param {Card} card */
  accept(card) {
    const at = this.cards.findIndex((each) => each.id === card.id);
    if ((this.cards[at]?.version ?? 0) > card.version) return;
    // Its clock counted from now on, while the others counted since they were read.
    const shift = card.running_since ? (performance.now() - this.readAt) / 1000 : 0;
    const shown = { ...card, elapsed_seconds: card.elapsed_seconds - shift };
    if (at >= 0 && this.cards[at]?.list_id === card.list_id) this.cards[at] = shown;
    else this.anticipate(shown, { list_id: card.list_id, position: "bottom" });
  }

  /** @param {string} cardId */
  drop(cardId) {
    this.cards = this.cards.filter((card) => card.id !== cardId);
  }
}

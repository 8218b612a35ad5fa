// The state of a board in the page: read from the server, changed optimistically when a card moves, and then corrected.

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

/** A board with its lists, cards, labels and members. */
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
    /** @type {Card[]} in order of position within each list */
    this.cards = [];
    /** @type {Label[]} */
    this.labels = [];
    /** @type {Member[]} */
    this.members = [];
    /** When the cards were read, by the monotonic clock (milliseconds): running clocks are counted from then. */
    this.readAt = 0;
    /** @type {string | null} */
    this.etag = null;
  }

  /** Fetch a snapshot for `applySnapshot`; null if the board has not changed. */
  async fetchIfChanged() {
    const response = await this.api.request("GET", this.path, { query: { embed: EMBEDDED }, etag: this.etag });
    if (response.status === 304) return null;
    const board = /** @type {any} */ (response.body);
    const cards = /** @type {Card[]} */ (await this.api.fetchAll(`${this.path}/cards`, board.cards));
    return { board, cards, etag: response.etag, readAt: performance.now() };
  }

  /** @param {{board: any, cards: Card[], etag: string | null, readAt: number}} snapshot */
  applySnapshot({ board, cards, etag, readAt }) {
    this.board = board;
    this.lists = board.lists.filter((/** @type {List} */ list) => !list.archived_at);
    this.labels = board.labels ?? [];
    this.members = board.members ?? [];
    this.cards = cards;
    this.etag = etag;
    this.readAt = readAt;
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

  /** Return the seconds on a card's clock now. @param {Card} card */
  elapsed(card) {
    return card.elapsed_seconds + (card.running_since ? (performance.now() - this.readAt) / 1000 : 0);
  }

  /**
   * Return the position of a card, as the body of a move back to it.
   *
   * @param {Card} card
   */
  getPosition(card) {
    const cards = this.cardsIn(card.list_id);
    const next = cards[cards.indexOf(card) + 1];
    return { list_id: card.list_id, ...(next ? { before: next.id } : { position: "bottom" }) };
  }

  /**
   * Move a card in the model, ahead of the server's response.
   *
   * @param {Card} card
   * @param {{list_id: string, before?: string, after?: string, position?: string}} target
   */
  applyMove(card, target) {
    const status = this.list(target.list_id)?.stage ?? card.status;
    const running_since = status === card.status ? card.running_since : status === "in_progress" ? card.updated_at : null;
    const moved = { ...card, list_id: target.list_id, status, running_since };
    const others = this.cards.filter((other) => other.id !== card.id);
    let index = others.findIndex((other) => other.id === (target.before ?? target.after));
    if (index >= 0 && target.after) index += 1;
    if (index < 0) {
      const inList = others.filter((other) => other.list_id === target.list_id);
      const neighbour = target.position === "top" ? inList[0] : inList.at(-1);
      index = neighbour ? others.indexOf(neighbour) + (target.position === "top" ? 0 : 1) : others.length;
    }
    others.splice(index, 0, moved);
    this.cards = others;
    for (const list of this.lists) list.card_count = this.cardsIn(list.id).length;
  }

  /** Update or add a card that the server has returned, unless a newer version is known. @param {Card} card */
  updateCard(card) {
    const index = this.cards.findIndex((other) => other.id === card.id);
    if ((this.cards[index]?.version ?? 0) > card.version) return;
    // Clocks are counted from `readAt`, but this card was read just now.
    const secondsSinceRead = card.running_since ? (performance.now() - this.readAt) / 1000 : 0;
    const updated = { ...card, elapsed_seconds: card.elapsed_seconds - secondsSinceRead };
    if (index >= 0 && this.cards[index]?.list_id === card.list_id) this.cards[index] = updated;
    else this.applyMove(updated, { list_id: card.list_id, position: "bottom" });
  }

  /** @param {string} cardId */
  removeCard(cardId) {
    this.cards = this.cards.filter((card) => card.id !== cardId);
  }
}

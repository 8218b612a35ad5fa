// The latest events of a card. The feed belongs to the board, so it is read backwards from its end, page by page.

import { setChildren, h } from "./dom.js";
import { formatDateTime } from "./format.js";
import { reportError } from "./notifications.js";
import { ignoreOutdated, ignoreDoubleClicks } from "./async-handlers.js";
import { texts } from "./texts.js";

/** @typedef {import("./api.js").Event} Event */

const PAGE_SIZE = 100;
const EVENTS_PER_STEP = 20;

/** Create the section with the latest events. @param {{card: import("./model.js").Card, model: import("./model.js").Model}} dialog */
export function createActivitySection({ card, model }) {
  /** @type {Map<number, Event>} the events of this card by seq, as far as they have been read */
  const eventsBySeq = new Map();
  let firstReadSeq = Math.max(0, model.board.seq - PAGE_SIZE);
  let lastReadSeq = firstReadSeq;
  let displayLimit = EVENTS_PER_STEP;

  const keepCardEvents = (/** @type {Event[]} */ events) => {
    for (const event of events) if ("card_id" in event && event.card_id === card.id) eventsBySeq.set(event.seq, event);
  };
  const fetchEvents = async (/** @type {number} */ after) => {
    const response = await model.api.request("GET", `${model.path}/events`, { query: { after, limit: PAGE_SIZE } });
    return /** @type {{items: Event[], last_seq: number, has_more: boolean}} */ (response.body);
  };
  /** Read the events since the last one that was read. */
  const readNewEvents = ignoreOutdated(async () => {
    for (;;) {
      const { items, last_seq, has_more } = await fetchEvents(lastReadSeq);
      keepCardEvents(items);
      lastReadSeq = Math.max(lastReadSeq, last_seq);
      if (!has_more) break;
    }
  }, () => draw());
  const readOlderEvents = async () => {
    displayLimit += EVENTS_PER_STEP;
    try {
      if (eventsBySeq.size >= displayLimit || !firstReadSeq) return;
      const after = Math.max(0, firstReadSeq - PAGE_SIZE);
      keepCardEvents((await fetchEvents(after)).items);
      firstReadSeq = after;
    } catch (error) {
      reportError(error);
    } finally {
      draw();
    }
  };

  const list = h("ul", { class: "activity" });
  const emptyHint = h("p", { class: "hint" });
  const olderButton = h("button", { type: "button", onclick: ignoreDoubleClicks(readOlderEvents) }, texts.activityMore);
  const element = h("section", { "aria-label": texts.activity }, h("h3", {}, texts.activity), list, emptyHint, olderButton);
  const nameOfUser = (/** @type {string} */ id) => model.members.find((member) => member.user_id === id)?.name ?? id;
  const targetListName = (/** @type {Event} */ event) => (event.type === "card.moved" ? model.list(event.list_id)?.name : undefined);
  const draw = () => {
    const events = [...eventsBySeq.values()].sort((first, second) => second.seq - first.seq);
    setChildren(list, events.slice(0, displayLimit).map((event) => h("li", {},
      h("span", { dir: "auto" }, texts.describeEvent(nameOfUser(event.actor_id), event.type, targetListName(event))), " ",
      h("time", { class: "hint", datetime: event.at }, formatDateTime(event.at)))));
    emptyHint.hidden = eventsBySeq.size > 0;
    setChildren(emptyHint, texts.activityNone(lastReadSeq - firstReadSeq));
    const isWhole = firstReadSeq === 0 || events.at(-1)?.type === "card.created";
    olderButton.hidden = isWhole && eventsBySeq.size <= displayLimit;
  };
  draw();
  return { element, read: readNewEvents };
}

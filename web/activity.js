// What happened to a card lately. The feed is the board's, so it is read back from its end, a page at a time.

import { fill, h } from "./dom.js";
import { when } from "./format.js";
import { trouble } from "./notice.js";
import { latest, once } from "./turns.js";
import { words } from "./words.js";

/** @typedef {import("./api.js").Event} Event */

const PAGE = 100;
const SHOWN = 20;

/** @param {{card: import("./model.js").Card, model: import("./model.js").Model}} view */
export function activity({ card, model }) {
  /** @type {Map<number, Event>} the events of this card that have been read, by seq */
  const own = new Map();
  let from = Math.max(0, model.board.seq - PAGE);
  let until = from;
  let shown = SHOWN;

  const take = (/** @type {Event[]} */ events) => {
    for (const event of events) if ("card_id" in event && event.card_id === card.id) own.set(event.seq, event);
  };
  const page = async (/** @type {number} */ after) => {
    const answer = await model.api.ask("GET", `${model.path}/events`, { query: { after, limit: PAGE } });
    return /** @type {{items: Event[], last_seq: number, has_more: boolean}} */ (answer.body);
  };
  /** Read on from where reading ended. */
  const read = latest(async () => {
    for (;;) {
      const { items, last_seq, has_more } = await page(until);
      take(items);
      until = Math.max(until, last_seq);
      if (!has_more) break;
    }
  }, () => draw());
  const lookBack = async () => {
    shown += SHOWN;
    try {
      if (own.size >= shown || !from) return;
      const after = Math.max(0, from - PAGE);
      take((await page(after)).items);
      from = after;
    } catch (error) {
      trouble(error);
    } finally {
      draw();
    }
  };

  const list = h("ul", { class: "activity" });
  const none = h("p", { class: "hint" });
  const back = h("button", { type: "button", onclick: once(lookBack) }, words.activityMore);
  const element = h("section", { "aria-label": words.activity }, h("h3", {}, words.activity), list, none, back);
  const name = (/** @type {string} */ id) => model.members.find((member) => member.user_id === id)?.name ?? id;
  const where = (/** @type {Event} */ event) => (event.type === "card.moved" ? model.list(event.list_id)?.name : undefined);
  const draw = () => {
    const events = [...own.values()].sort((one, other) => other.seq - one.seq);
    fill(list, events.slice(0, shown).map((event) => h("li", {},
      h("span", { dir: "auto" }, words.happened(name(event.actor_id), event.type, where(event))), " ",
      h("time", { class: "hint", datetime: event.at }, when(event.at)))));
    none.hidden = own.size > 0;
    fill(none, words.activityNone(until - from));
    const isWhole = from === 0 || events.at(-1)?.type === "card.created";
    back.hidden = isWhole && own.size <= shown;
  };
  draw();
  return { element, read };
}

// What happened to a card, the newest first, with what was changed from what to what.

import { setChildren, h } from "./dom.js";
import { formatDateTime, formatMoney } from "./format.js";
import { reportError } from "./notifications.js";
import { ignoreOutdated, ignoreDoubleClicks } from "./async-handlers.js";
import { texts } from "./texts.js";

/** @typedef {import("./api.js").Event} Event */
/** @typedef {import("./api.js").FieldChange} FieldChange */

const EVENTS_PER_PAGE = 20;
const TIME_FIELDS = new Set(["start_at", "due_at", "started_at", "ended_at"]);

/** Create the section with the latest events. @param {{path: string, model: import("./model.js").Model}} dialog */
export function createActivitySection({ path, model }) {
  /** @type {Event[]} the newest first */
  let events = [];
  let oldestSeq = 0;
  let hasOlder = false;

  const fetchPage = async (/** @type {number | undefined} */ before) => {
    const query = { sort: "-seq", limit: EVENTS_PER_PAGE, ...(before ? { before } : {}) };
    const response = await model.api.request("GET", `${path}/events`, { query });
    return /** @type {{items: Event[], last_seq: number, has_more: boolean}} */ (response.body);
  };
  const readNewEvents = ignoreOutdated(async () => {
    const page = await fetchPage(undefined);
    // What was read before stays if the newest page reaches it.
    const known = page.has_more ? events.findIndex((event) => event.seq === page.last_seq) : -1;
    if (known < 0) ({ last_seq: oldestSeq, has_more: hasOlder } = page);
    events = known < 0 ? page.items : [...page.items, ...events.slice(known + 1)];
  }, () => draw());
  const readOlderEvents = async () => {
    try {
      const page = await fetchPage(oldestSeq);
      events = [...events, ...page.items.filter((event) => event.seq < oldestSeq)];
      ({ last_seq: oldestSeq, has_more: hasOlder } = page);
    } catch (error) {
      reportError(error);
    } finally {
      draw();
    }
  };

  const list = h("ul", { class: "activity" });
  const emptyHint = h("p", { class: "hint" }, texts.activityNone);
  const olderButton = h("button", { type: "button", onclick: ignoreDoubleClicks(readOlderEvents) }, texts.activityMore);
  const element = h("section", { "aria-label": texts.activity }, h("h3", {}, texts.activity), list, emptyHint, olderButton);
  const nameOfUser = (/** @type {string} */ id) => model.members.find((member) => member.user_id === id)?.name ?? id;
  const nameOfLabel = (/** @type {string} */ id) => model.labels.find((label) => label.id === id)?.name ?? texts.activityDeletedLabel;

  const showValue = (/** @type {string} */ field, /** @type {unknown} */ value) => {
    if (value === null || value === "") return texts.activityNothing;
    if (typeof value === "boolean") return value ? texts.activityYes : texts.activityNo;
    if (field === "hourly_rate_minor") return formatMoney(Number(value), model.board.currency);
    if (field === "assignee_id" || field === "user_id") return nameOfUser(String(value));
    return TIME_FIELDS.has(field) ? formatDateTime(String(value)) : String(value);
  };
  const describeChange = (/** @type {FieldChange} */ change) => {
    const { field, added, removed } = change;
    const label = texts.activityFields[/** @type {keyof typeof texts.activityFields} */ (field)] ?? field;
    if (added && removed) {
      const nameOf = field === "label_ids" ? nameOfLabel : nameOfUser;
      return texts.activitySet(label, added.map(nameOf), removed.map(nameOf));
    }
    if (!("from" in change && "to" in change)) return label;
    return texts.activityValue(label, showValue(field, change.from), showValue(field, change.to));
  };
  const describe = (/** @type {Event} */ event) => {
    const target = event.type === "card.moved" ? model.list(event.list_id)?.name : undefined;
    return texts.describeEvent(nameOfUser(event.actor_id), event.type, target);
  };
  const draw = () => {
    setChildren(list, events.map((event) => h("li", {},
      h("span", { dir: "auto" }, describe(event)), " ",
      h("time", { class: "hint", datetime: event.at }, formatDateTime(event.at)),
      // The text says what any other event has done.
      ...(event.type.endsWith(".updated") ? event.changes ?? [] : []).map((change) => h("div", { class: "change", dir: "auto" }, describeChange(change))))));
    emptyHint.hidden = events.length > 0;
    olderButton.hidden = !hasOlder;
  };
  draw();
  return { element, read: readNewEvents };
}

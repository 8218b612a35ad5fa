// The time that was spent on a card, and what it cost: entries of its clock, and those written down by hand.

import { Problem } from "./api.js";
import { fill, h, refill } from "./dom.js";
import { draft, hasDraft } from "./drafts.js";
import { confirming, field } from "./faces.js";
import { clock, forInput, fromInput, money, oneLine, toMajor, toMinor, when } from "./format.js";
import { note, trouble } from "./notice.js";
import { latest, saving } from "./turns.js";
import { words } from "./words.js";

/**
 * @typedef {import("./api.js").Schemas["TimeEntry"]} Entry
 * @typedef {import("./api.js").Schemas["CardTime"]} CardTime
 * @typedef {(answer: {body: unknown}) => void} Saved
 * @typedef {(body: object, saved: Saved) => Promise<void>} Save
 */

const SHOWN = 50;

/**
 * @param {{path: string, card: import("./model.js").Card, model: import("./model.js").Model,
 *     screen: import("./board.js").Screen, read: () => Promise<void>,
 *     inTurn: <Result>(act: () => Promise<Result>) => Promise<Result>}} card
 */
export function timeSpent(card) {
  const { api, canEdit, members } = card.model;
  const { currency, hourly_rate_minor: usual } = card.model.board;
  const total = h("p");
  const entries = h("div");
  const place = h("div");
  const element = h("section", { "aria-label": words.time }, h("h3", {}, words.time), total, entries, place);

  const read = latest(async () => {
    const answer = await api.ask("GET", `${card.path}/time`, { query: { limit: SHOWN } });
    return /** @type {CardTime} */ (answer.body);
  }, (time) => {
    const isAny = time.items.length > 0;
    total.classList.toggle("hint", !isAny);
    fill(total, isAny ? words.timeTotal(time.elapsed, money(time.cost.amount_minor, time.cost.currency)) : words.timeNone);
    refill(entries, time.items, () => [isAny ? table(time.items) : null]);
  });
  // Time that is written down is a change of its card: what is done to the card next waits for it.
  const change = (/** @type {() => Promise<any>} */ act, /** @type {Saved} */ saved = () => {}) => card.inTurn(async () => {
    if (await card.screen.attempt(act, saved)) await readAgain();
  });
  const readAgain = async () => {
    await card.read();
    await card.screen.refresh();
  };

  /** @param {Entry[]} items */
  const table = (items) => {
    const heads = [words.timeFrom, words.timeTo, words.timeSpent, words.timeRate, words.timeWho];
    const rows = items.map((entry) => h("tr", {},
      h("td", {}, when(entry.started_at)), h("td", {}, entry.ended_at ? when(entry.ended_at) : words.timeRunning),
      h("td", {}, clock(entry.elapsed_seconds)), h("td", {}, money(entry.hourly_rate_minor, currency)),
      h("td", { dir: "auto" }, members.find((member) => member.user_id === entry.user_id)?.name ?? entry.user_id,
        entry.note ? h("small", {}, ` – ${entry.note}`) : null),
      canEdit ? h("td", {},
        h("button", { type: "button", class: "quiet", onclick: () => void correct(entry) }, words.edit),
        confirming(words.delete, () => change(() => api.ask("DELETE", `${card.path}/time-entries/${entry.id}`, { version: "*" })))) : null));
    return h("div", { class: "scrolls", tabindex: 0, role: "region", "aria-label": words.timeEntries },
      h("table", {}, h("thead", {}, h("tr", {}, heads.map((word) => h("th", { scope: "col" }, word)), canEdit ? h("td") : null)), h("tbody", {}, rows)));
  };

  const closed = () => {
    fill(place, canEdit ? h("button", { type: "button", onclick: () => write() }, words.timeAdd) : null);
  };
  /** @type {Save} */
  const add = (body, saved) => change(() => api.ask("POST", `${card.path}/time-entries`, { body }), saved);

  /** @param {Entry} entry */
  const correct = async (entry) => {
    const own = `${card.path}/time-entries/${entry.id}`;
    const found = /** @type {Entry | undefined} */ ((await card.screen.attempt(() => api.ask("GET", own)))?.body);
    if (found) write(found, correcting(own, found.version));
  };

  /** @param {string} own path of the entry @param {number} first its version as it was read @returns {Save} */
  const correcting = (own, first) => {
    let version = first;
    return (body, saved) => card.inTurn(async () => {
      try {
        const answer = await api.ask("PATCH", own, { body, version });
        version = /** @type {Entry} */ (answer.body).version;
        saved(answer);
        await readAgain();
      } catch (error) {
        if (!(error instanceof Problem) || error.status !== 412) trouble(error);
        else {
          const now = await api.ask("GET", own).catch(() => null);
          if (now) version = /** @type {Entry} */ (now.body).version;
          note(words.changedElsewhere, undefined, "trouble");
        }
      }
    });
  };

  /** @param {Entry} [entry] @param {Save} [save] */
  const write = (entry, save = add) => {
    const isRunning = entry && !entry.ended_at;
    const from = h("input", { type: "datetime-local", required: true, value: entry ? forInput(entry.started_at) : "" });
    const to = h("input", { type: "datetime-local", required: !isRunning, disabled: isRunning, value: entry?.ended_at ? forInput(entry.ended_at) : "" });
    const rate = h("input", {
      type: "number", min: 0, step: "any", inputmode: "decimal", required: true,
      value: toMajor(entry ? entry.hourly_rate_minor : card.card.hourly_rate_minor ?? usual, currency),
    });
    const said = h("input", { maxlength: 1000, value: entry?.note ?? "", dir: "auto" });
    const [wasFrom, wasTo] = [from.value, to.value];
    const forget = [from, to, rate, said].map((input, at) => draft(`${entryPath(entry)}#${at}`, input));
    const leave = () => {
      for (const each of forget) each();
      closed();
      place.querySelector("button")?.focus();
    };
    let saveIt = save;
    /** @returns {Promise<boolean>} */
    const send = () => new Promise((resolve) => {
      /** @type {Saved} */
      const saved = (answer) => {
        const made = /** @type {Entry} */ (answer.body);
        // Whatever is typed from now on corrects what has been saved.
        if (!entry) saveIt = correcting(entryPath(made), made.version);
        resolve(true);
      };
      const body = {
        // A field shows minutes: what wasn't touched keeps its seconds.
        ...(entry && from.value === wasFrom ? {} : { started_at: fromInput(from.value) }),
        ...(isRunning || (entry && to.value === wasTo) ? {} : { ended_at: fromInput(to.value) }),
        hourly_rate_minor: toMinor(rate.valueAsNumber, currency), note: oneLine(said.value),
      };
      void saveIt(body, saved).then(() => resolve(false));
    });
    fill(place, h("form", { class: "panel-in", onsubmit: saving(send, leave) },
      h("div", { class: "pair" }, field(words.timeFrom, from), field(words.timeTo, to)),
      h("div", { class: "pair" }, field(words.timeRateIn(currency), rate), field(words.timeNote, said)),
      h("div", { class: "row" }, h("button", { class: "primary" }, words.save), h("button", { type: "button", onclick: leave }, words.cancel))));
    from.focus();
  };
  const entryPath = (/** @type {Entry | undefined} */ entry) => `${card.path}/time-entries/${entry?.id ?? "new"}`;
  closed();
  if (canEdit && [0, 1, 3].some((at) => hasDraft(`${entryPath(undefined)}#${at}`))) write();
  return { element, read };
}

// The time and cost of a card: entries of its clock and entries added by hand.

import { Problem } from "./api.js";
import { setChildren, h, updateChildren } from "./dom.js";
import { trackDraft, hasDraft } from "./drafts.js";
import { createConfirmButton, createField } from "./components.js";
import { formatDuration, toInputValue, fromInputValue, formatMoney, toOneLine, toMajorUnits, toMinorUnits, formatDateTime } from "./format.js";
import { notify, reportError } from "./notifications.js";
import { ignoreOutdated, submitAndClose } from "./async-handlers.js";
import { texts } from "./texts.js";

/**
 * @typedef {import("./api.js").Schemas["TimeEntry"]} TimeEntry
 * @typedef {import("./api.js").Schemas["CardTime"]} CardTime
 * @typedef {(response: {body: unknown}) => void} OnSaved
 * @typedef {(body: object, onSaved: OnSaved) => Promise<void>} Save
 */

const PAGE_SIZE = 50;

/**
 * Create the section with the total, the entries and the form.
 *
 * @param {{path: string, card: import("./model.js").Card, model: import("./model.js").Model,
 *     boardView: import("./board.js").BoardView, read: () => Promise<void>,
 *     enqueue: <Result>(action: () => Promise<Result>) => Promise<Result>}} dialog
 */
export function createTimeSection(dialog) {
  const { api, canEdit, members } = dialog.model;
  const { currency, hourly_rate_minor: defaultRate } = dialog.model.board;
  const total = h("p");
  const entries = h("div");
  const formArea = h("div");
  const element = h("section", { "aria-label": texts.time }, h("h3", {}, texts.time), total, entries, formArea);

  const readTime = ignoreOutdated(async () => {
    const response = await api.request("GET", `${dialog.path}/time`, { query: { limit: PAGE_SIZE } });
    return /** @type {CardTime} */ (response.body);
  }, (time) => {
    const hasEntries = time.items.length > 0;
    total.classList.toggle("hint", !hasEntries);
    setChildren(total, hasEntries ? texts.timeTotal(time.elapsed, formatMoney(time.cost.amount_minor, time.cost.currency)) : texts.timeNone);
    updateChildren(entries, time.items, () => [hasEntries ? createTable(time.items) : null]);
  });
  // A time entry changes its card, so the next change of the card waits for it.
  const applyChange = (/** @type {() => Promise<any>} */ action, /** @type {OnSaved} */ onSaved = () => {}) => dialog.enqueue(async () => {
    if (await dialog.boardView.attempt(action, onSaved)) await reloadCardAndBoard();
  });
  const reloadCardAndBoard = async () => {
    await dialog.read();
    await dialog.boardView.reloadOrReport();
  };

  /** @param {TimeEntry[]} items */
  const createTable = (items) => {
    const headings = [texts.timeFrom, texts.timeTo, texts.timeSpent, texts.timeRate, texts.timeUser];
    const nameOfUser = (/** @type {string} */ id) => members.find((member) => member.user_id === id)?.name ?? texts.formerMember(id);
    const rows = items.map((entry) => h("tr", {},
      h("td", {}, formatDateTime(entry.started_at)), h("td", {}, entry.ended_at ? formatDateTime(entry.ended_at) : texts.timeRunning),
      h("td", {}, formatDuration(entry.elapsed_seconds)), h("td", {}, formatMoney(entry.hourly_rate_minor, currency)),
      h("td", { dir: "auto" }, nameOfUser(entry.user_id),
        entry.note ? h("small", {}, ` – ${entry.note}`) : null,
        entry.recorded_by && entry.recorded_by !== entry.user_id ? h("small", {}, texts.timeRecordedBy(nameOfUser(entry.recorded_by))) : null),
      canEdit ? h("td", {},
        h("button", { type: "button", class: "quiet", onclick: () => void editEntry(entry) }, texts.edit),
        createConfirmButton(texts.delete, () => applyChange(() => api.request("DELETE", `${dialog.path}/time-entries/${entry.id}`, { version: "*" })))) : null));
    return h("div", { class: "scrollable", tabindex: 0, role: "region", "aria-label": texts.timeEntries },
      h("table", {}, h("thead", {}, h("tr", {}, headings.map((heading) => h("th", { scope: "col" }, heading)), canEdit ? h("td") : null)), h("tbody", {}, rows)));
  };

  const showAddButton = () => {
    setChildren(formArea, canEdit ? h("button", { type: "button", onclick: () => openForm() }, texts.timeAdd) : null);
  };
  /** @type {Save} */
  const addEntry = (body, onSaved) => applyChange(() => api.request("POST", `${dialog.path}/time-entries`, { body }), onSaved);

  /** @param {TimeEntry} entry */
  const editEntry = async (entry) => {
    const path = `${dialog.path}/time-entries/${entry.id}`;
    const current = /** @type {TimeEntry | undefined} */ ((await dialog.boardView.attempt(() => api.request("GET", path)))?.body);
    if (current) openForm(current, createUpdate(path, current.version));
  };

  /** Create a function that saves changes of an entry. @param {string} path of the entry @param {number} firstVersion the version that was read @returns {Save} */
  const createUpdate = (path, firstVersion) => {
    let version = firstVersion;
    return (body, onSaved) => dialog.enqueue(async () => {
      try {
        const response = await api.request("PATCH", path, { body, version });
        version = /** @type {TimeEntry} */ (response.body).version;
        onSaved(response);
        await reloadCardAndBoard();
      } catch (error) {
        if (!(error instanceof Problem) || error.status !== 412) reportError(error);
        else {
          const response = await api.request("GET", path).catch(() => null);
          if (response) version = /** @type {TimeEntry} */ (response.body).version;
          notify(texts.changedByOther, undefined, "error");
        }
      }
    });
  };

  /** @param {TimeEntry} [entry] @param {Save} [save] */
  const openForm = (entry, save = addEntry) => {
    const isRunning = entry && !entry.ended_at;
    const from = h("input", { type: "datetime-local", required: true, value: entry ? toInputValue(entry.started_at) : "" });
    const to = h("input", { type: "datetime-local", required: !isRunning, disabled: isRunning, value: entry?.ended_at ? toInputValue(entry.ended_at) : "" });
    const rate = h("input", {
      type: "number", min: 0, step: "any", inputmode: "decimal", required: true,
      value: toMajorUnits(entry ? entry.hourly_rate_minor : dialog.card.hourly_rate_minor ?? defaultRate, currency),
    });
    const noteInput = h("input", { maxlength: 1000, value: entry?.note ?? "", dir: "auto" });
    const [initialFrom, initialTo] = [from.value, to.value];
    const forgetDrafts = [from, to, rate, noteInput].map((input, index) => trackDraft(`${getEntryPath(entry)}#${index}`, input));
    const closeForm = () => {
      for (const forgetDraft of forgetDrafts) forgetDraft();
      showAddButton();
      formArea.querySelector("button")?.focus();
    };
    let saveEntry = save;
    /** @returns {Promise<boolean>} */
    const submit = () => new Promise((resolve) => {
      /** @type {OnSaved} */
      const onSaved = (response) => {
        const savedEntry = /** @type {TimeEntry} */ (response.body);
        // Another save corrects the saved entry instead of adding a second one.
        if (!entry) saveEntry = createUpdate(getEntryPath(savedEntry), savedEntry.version);
        resolve(true);
      };
      const body = {
        // The fields show minutes only. A time that wasn't edited keeps its seconds.
        ...(entry && from.value === initialFrom ? {} : { started_at: fromInputValue(from.value) }),
        ...(isRunning || (entry && to.value === initialTo) ? {} : { ended_at: fromInputValue(to.value) }),
        hourly_rate_minor: toMinorUnits(rate.valueAsNumber, currency), note: toOneLine(noteInput.value),
      };
      void saveEntry(body, onSaved).then(() => resolve(false));
    });
    setChildren(formArea, h("form", { class: "inset-panel", onsubmit: submitAndClose(submit, closeForm) },
      h("div", { class: "two-columns" }, createField(texts.timeFrom, from), createField(texts.timeTo, to)),
      h("div", { class: "two-columns" }, createField(texts.timeRateIn(currency), rate), createField(texts.timeNote, noteInput)),
      h("div", { class: "row" }, h("button", { class: "primary" }, texts.save), h("button", { type: "button", onclick: closeForm }, texts.cancel))));
    from.focus();
  };
  const getEntryPath = (/** @type {TimeEntry | undefined} */ entry) => `${dialog.path}/time-entries/${entry?.id ?? "new"}`;
  showAddButton();
  if (canEdit && [0, 1, 3].some((index) => hasDraft(`${getEntryPath(undefined)}#${index}`))) openForm();
  return { element, read: readTime };
}

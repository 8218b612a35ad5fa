// Forms for several entries in a row. The fields are cleared as soon as they are submitted, and no response touches them
// afterwards. An entry that could not be saved is listed beside the form, to be sent again, edited or discarded.

import { createIdempotencyKey } from "./api.js";
import { setChildren, h } from "./dom.js";
import { trackDraft, setDraft } from "./drafts.js";
import { toOneLine } from "./format.js";
import { reportError } from "./notifications.js";
import { texts } from "./texts.js";

/**
 * @typedef {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} Field
 * @typedef {{values: string[], name: string, key: string, state: "sending" | "slow" | "failed"}} Entry the values of one submit; `key` is the idempotency key
 * @typedef {{show: () => void, edit: (entry: Entry) => void, send: (values: string[], key: string) => Promise<unknown>}} ComposerFields
 * @typedef {{entries: Entry[], lastSend: Promise<unknown>, editedEntry: Entry | null, fields: ComposerFields}} Outbox
 */

const SLOW_AFTER_MS = 300;

/** @type {Map<string, Outbox>} unsaved entries by path; they outlive the form */
const outboxes = new Map();

/** Forget all unsaved entries, when the user signs out. */
export const forgetUnsaved = () => outboxes.clear();

/** Return whether any entry for this path or a path below it is unsaved. @param {string} path */
export const hasUnsavedBelow = (path) => [...outboxes].some(([key, { entries }]) => entries.length > 0 && key.startsWith(path));

/**
 * Make a form of fields whose entries are sent one after the other.
 *
 * @param {string} path under which unsaved entries and drafts are kept
 * @param {[Field, ...Field[]]} fields the first one is required; a select keeps its value
 * @param {(values: string[], key: string) => Promise<unknown>} send resolves to something truthy if the entry was
 *     saved; a retry has the same key
 * @returns {{submit: (event: Event) => void, unsavedList: HTMLElement}} the form's handler, and the list to put beside the form
 */
export function createComposer(path, fields, send) {
  const unsavedList = h("ul", { class: "unsaved" });
  const textFields = /** @type {(HTMLInputElement | HTMLTextAreaElement)[]} */ (fields.filter((field) => !(field instanceof HTMLSelectElement)));
  const forgetDrafts = textFields.map((field, index) => trackDraft(`${path}#${index}`, field));
  /** @type {(state: Entry["state"]) => Entry} the contents of the fields */
  const readEntry = (state) => {
    const values = fields.map((field) => (field instanceof HTMLInputElement ? toOneLine(field.value) : field.value));
    const name = values.filter((value, index) => value && !(fields[index] instanceof HTMLSelectElement)).join(" ");
    return { values, name, key: createIdempotencyKey(), state };
  };
  const writeEntry = (/** @type {Entry} */ entry) => {
    fields.forEach((field, index) => { field.value = entry.values[index] ?? ""; });
    textFields.forEach((field, index) => setDraft(`${path}#${index}`, field.value));
  };

  const composerFields = {
    send,
    show: () => setChildren(unsavedList, outbox.entries.filter(({ state }) => state !== "sending").map((entry) => createEntryRow(path, entry))),
    /** Put an entry back into the fields; what was typed there in the meantime takes its place in the list. @param {Entry} entry */
    edit: (entry) => {
      const currentEntry = readEntry("failed");
      outbox.entries = outbox.entries.flatMap((other) => (other !== entry ? [other] : currentEntry.name ? [currentEntry] : []));
      outbox.editedEntry = entry;
      writeEntry(entry);
      fields[0].focus();
      composerFields.show();
    },
  };
  const outbox = outboxes.get(path) ?? { entries: [], lastSend: Promise.resolve(), editedEntry: null, fields: composerFields };
  outbox.fields = composerFields;
  outboxes.set(path, outbox);
  composerFields.show();

  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const [firstField] = fields;
    const entry = readEntry("sending");
    if (firstField instanceof HTMLInputElement) firstField.focus();
    if (!entry.values[0]?.trim()) return;
    // An entry that is submitted again unchanged keeps its key: if it had arrived the first time, it is not created twice.
    if (outbox.editedEntry && JSON.stringify(entry.values) === JSON.stringify(outbox.editedEntry.values)) entry.key = outbox.editedEntry.key;
    outbox.editedEntry = null;
    textFields.forEach((field, index) => { field.value = ""; forgetDrafts[index]?.(); });
    outbox.entries.push(entry);
    sendEntry(path, outbox, entry);
  };
  return { submit, unsavedList };
}

/**
 * Send an entry when all entries before it have been sent.
 *
 * @param {string} path
 * @param {Outbox} outbox
 * @param {Entry} entry
 */
function sendEntry(path, outbox, entry) {
  entry.state = "sending";
  const timer = setTimeout(() => { entry.state = "slow"; outbox.fields.show(); }, SLOW_AFTER_MS);
  outbox.fields.show();
  outbox.lastSend = outbox.lastSend.then(async () => {
    let isSaved;
    try {
      isSaved = await outbox.fields.send(entry.values, entry.key);
    } catch (error) {
      reportError(error);
    }
    clearTimeout(timer);
    entry.state = "failed";
    if (outboxes.get(path) !== outbox) return;
    if (isSaved) removeEntry(outbox, entry);
    outbox.fields.show();
  });
}

/** @param {Outbox} outbox @param {Entry} entry */
function removeEntry(outbox, entry) {
  outbox.entries = outbox.entries.filter((other) => other !== entry);
}

/** Create the element of an unsaved entry. @param {string} path @param {Entry} entry */
function createEntryRow(path, entry) {
  const text = h("span", { dir: "auto" }, entry.name);
  if (entry.state !== "failed") return h("li", {}, text, h("small", {}, texts.saving));
  const outbox = /** @type {Outbox} */ (outboxes.get(path));
  const discard = () => {
    removeEntry(outbox, entry);
    outbox.fields.show();
  };
  return h("li", {}, text, h("small", { class: "error" }, texts.notSaved),
    h("button", { type: "button", class: "quiet", onclick: () => sendEntry(path, outbox, entry) }, texts.retry),
    h("button", { type: "button", class: "quiet", onclick: () => outbox.fields.edit(entry) }, texts.edit),
    h("button", { type: "button", class: "quiet", onclick: discard }, texts.discard));
}

// Fields that are used again and again: what is in them is taken out the moment it is sent, so what is typed next is
// another text, and no answer touches the fields any more. What could not be saved is shown beside them, to be sent again.

import { newKey } from "./api.js";
import { fill, h } from "./dom.js";
import { draft, keepDraft } from "./drafts.js";
import { oneLine } from "./format.js";
import { trouble } from "./notice.js";
import { words } from "./words.js";

/**
 * @typedef {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} Field
 * @typedef {{values: string[], name: string, key: string, state: "sending" | "slow" | "failed"}} Entry a text on its way
 * @typedef {{show: () => void, edit: (entry: Entry) => void, send: (values: string[], key: string) => Promise<unknown>}} Fields
 * @typedef {{entries: Entry[], turn: Promise<unknown>, returned: Entry | null, fields: Fields}} Outbox
 */

const NOTICEABLE = 300;

/** @type {Map<string, Outbox>} what is on its way, by what it is for: it outlives the fields */
const outboxes = new Map();

/** Whoever signs out leaves nothing behind. */
export const forgetUnsaved = () => outboxes.clear();

/** Whether any text for this or for what is below it is on its way or could not be saved. @param {string} path */
export const hasUnsavedBelow = (path) => [...outboxes].some(([key, { entries }]) => entries.length > 0 && key.startsWith(path));

/**
 * Send what is in these fields, one text after the other.
 *
 * @param {string} path what it is for: what is typed and not saved is kept under it
 * @param {[Field, ...Field[]]} fields the first one names the text; a choice stays as it is
 * @param {(values: string[], key: string) => Promise<unknown>} send answers something true if it was saved; the same key
 *     comes again with a text that is sent again
 * @returns {{submit: (event: Event) => void, unsaved: HTMLElement}} the form's handler, and a list to put beside it
 */
export function composer(path, fields, send) {
  const unsaved = h("ul", { class: "unsaved" });
  const texts = /** @type {(HTMLInputElement | HTMLTextAreaElement)[]} */ (fields.filter((field) => !(field instanceof HTMLSelectElement)));
  const forget = texts.map((field, at) => draft(`${path}#${at}`, field));
  /** @type {(state: Entry["state"]) => Entry} what stands in the fields now */
  const gather = (state) => {
    const values = fields.map((field) => (field instanceof HTMLInputElement ? oneLine(field.value) : field.value));
    const name = values.filter((value, at) => value && !(fields[at] instanceof HTMLSelectElement)).join(" ");
    return { values, name, key: newKey(), state };
  };
  const put = (/** @type {Entry} */ entry) => {
    fields.forEach((field, at) => { field.value = entry.values[at] ?? ""; });
    texts.forEach((field, at) => keepDraft(`${path}#${at}`, field.value));
  };

  const own = {
    send,
    show: () => fill(unsaved, outbox.entries.filter(({ state }) => state !== "sending").map((entry) => row(path, entry))),
    /** Put a text into the fields again; what was typed there since takes its place. @param {Entry} entry */
    edit: (entry) => {
      const typed = gather("failed");
      outbox.entries = outbox.entries.flatMap((other) => (other !== entry ? [other] : typed.name ? [typed] : []));
      outbox.returned = entry;
      put(entry);
      fields[0].focus();
      own.show();
    },
  };
  const outbox = outboxes.get(path) ?? { entries: [], turn: Promise.resolve(), returned: null, fields: own };
  outbox.fields = own;
  outboxes.set(path, outbox);
  own.show();

  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const [first] = fields;
    const entry = gather("sending");
    if (first instanceof HTMLInputElement) first.focus();
    if (!entry.values[0]?.trim()) return;
    // Sent again unchanged, it is still the same: had it arrived the first time, it would not be made twice.
    if (outbox.returned && JSON.stringify(entry.values) === JSON.stringify(outbox.returned.values)) entry.key = outbox.returned.key;
    outbox.returned = null;
    texts.forEach((field, at) => { field.value = ""; forget[at]?.(); });
    outbox.entries.push(entry);
    deliver(path, outbox, entry);
  };
  return { submit, unsaved };
}

/**
 * Send a text when its turn has come.
 *
 * @param {string} path
 * @param {Outbox} outbox
 * @param {Entry} entry
 */
function deliver(path, outbox, entry) {
  entry.state = "sending";
  const timer = setTimeout(() => { entry.state = "slow"; outbox.fields.show(); }, NOTICEABLE);
  outbox.fields.show();
  outbox.turn = outbox.turn.then(async () => {
    let isSaved;
    try {
      isSaved = await outbox.fields.send(entry.values, entry.key);
    } catch (error) {
      trouble(error);
    }
    clearTimeout(timer);
    entry.state = "failed";
    if (outboxes.get(path) !== outbox) return;
    if (isSaved) remove(outbox, entry);
    outbox.fields.show();
  });
}

/** @param {Outbox} outbox @param {Entry} entry */
function remove(outbox, entry) {
  outbox.entries = outbox.entries.filter((other) => other !== entry);
}

/** @param {string} path @param {Entry} entry */
function row(path, entry) {
  const text = h("span", { dir: "auto" }, entry.name);
  if (entry.state !== "failed") return h("li", {}, text, h("small", {}, words.saving));
  const outbox = /** @type {Outbox} */ (outboxes.get(path));
  const discard = () => {
    remove(outbox, entry);
    outbox.fields.show();
  };
  return h("li", {}, text, h("small", { class: "trouble" }, words.notSaved),
    h("button", { type: "button", class: "quiet", onclick: () => deliver(path, outbox, entry) }, words.retry),
    h("button", { type: "button", class: "quiet", onclick: () => outbox.fields.edit(entry) }, words.edit),
    h("button", { type: "button", class: "quiet", onclick: discard }, words.discard));
}

// What the page says by the way: announcements for screen readers, and notes with a button to take something back.

import { Problem } from "./api.js";
import { fill, h } from "./dom.js";
import { words } from "./words.js";

const SHOWN_FOR = 8_000;

const spoken = /** @type {HTMLElement} */ (document.querySelector("#spoken"));
const notes = /** @type {HTMLElement} */ (document.querySelector("#notes"));
const state = /** @type {HTMLElement} */ (document.querySelector("#state"));

/**
 * Say something to screen readers alone.
 *
 * @param {string} text
 */
export function announce(text) {
  // The same text twice is said twice only if it differs.
  spoken.textContent = spoken.textContent === text ? `${text}\u00a0` : text;
}

/** Put the notes where they can be read and clicked: into the dialog on top, as all else is out of reach then. */
export function bringNotes() {
  const open = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;
  if (notes.parentElement !== open) open.append(notes);
}

/**
 * Show a note for a while, with a button if something can be done about it.
 *
 * @param {string} text
 * @param {{label: string, act: () => unknown}} [action]
 * @param {"note" | "trouble"} [kind]
 */
export function note(text, action, kind = "note") {
  const away = () => element.remove();
  const button = action && h("button", { type: "button", onclick: () => { away(); void action.act(); } }, action.label);
  const closing = h("button", { type: "button", class: "quiet", "aria-label": words.dismiss, onclick: away }, "×");
  const element = h("div", { class: `note ${kind}` }, h("span", {}, text), button ?? null, closing);
  notes.append(element);
  while (notes.children.length > 3) notes.firstElementChild?.remove();
  const leave = () => {
    if (element.matches(":hover, :focus-within")) setTimeout(leave, 1_000);
    else away();
  };
  setTimeout(leave, SHOWN_FOR);
}

/**
 * Say what went wrong, in the server's words where it had some.
 *
 * @param {unknown} error
 */
export function trouble(error) {
  note(sentence(error), undefined, "trouble");
  if (!(error instanceof Problem)) console.error(error);
}

/**
 * @param {unknown} error
 * @returns {string}
 */
export function sentence(error) {
  if (!(error instanceof Problem)) return words.failed;
  if (error.status === 0) return navigator.onLine ? words.unreachableNow : words.offline;
  // The API speaks of its document; people have fields.
  const [first] = error.errors;
  if (error.code === "invalid_body" && first) return `${fieldOf(first.pointer)} ${first.message}.`;
  if (error.code === "unknown_reference") return words.changedAround;
  return error.message || (error.status === 503 ? words.busy : words.failed);
}

/** The name of the field at a JSON Pointer such as /links/0/url. @param {string} pointer */
function fieldOf(pointer) {
  const name = pointer.split("/").findLast((part) => /[a-z]/.test(part)) ?? "";
  /** @type {Record<string, string>} */
  const known = words.fields;
  return known[name] ?? words.fieldOther;
}

/**
 * Show what state the connection is in, or nothing.
 *
 * @param {string} text
 */
export function condition(text) {
  if (state.textContent !== text) fill(state, text);
  // Even the same value, written again, makes the browser work.
  if (state.hidden !== !text) state.hidden = !text;
}

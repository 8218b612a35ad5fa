// Announcements for screen readers, notifications with an optional button such as Undo, and the state of the connection.

import { Problem } from "./api.js";
import { setChildren, h } from "./dom.js";
import { texts } from "./texts.js";

const DISPLAY_MS = 8_000;

const announcements = /** @type {HTMLElement} */ (document.querySelector("#announcements"));
const container = /** @type {HTMLElement} */ (document.querySelector("#notifications"));
const connectionState = /** @type {HTMLElement} */ (document.querySelector("#connection"));

/**
 * Announce a text to screen readers only.
 *
 * @param {string} text
 */
export function announce(text) {
  // Screen readers announce only changes, so a repeated text gets an invisible difference.
  announcements.textContent = announcements.textContent === text ? `${text}\u00a0` : text;
}

/** Move the notifications into the topmost dialog: everything outside of a modal dialog is inert. */
export function raiseNotifications() {
  const open = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;
  if (container.parentElement !== open) open.append(container);
}

/**
 * Show a notification for a while, with a button if an action is given.
 *
 * @param {string} text
 * @param {{label: string, run: () => unknown}} [action]
 * @param {"info" | "error"} [kind]
 */
export function notify(text, action, kind = "info") {
  const remove = () => element.remove();
  const button = action && h("button", { type: "button", onclick: () => { remove(); void action.run(); } }, action.label);
  const closeButton = h("button", { type: "button", class: "quiet", "aria-label": texts.dismiss, onclick: remove }, "×");
  const element = h("div", { class: `notification ${kind}` }, h("span", {}, text), button ?? null, closeButton);
  container.append(element);
  while (container.children.length > 3) container.firstElementChild?.remove();
  const removeUnlessInUse = () => {
    if (element.matches(":hover, :focus-within")) setTimeout(removeUnlessInUse, 1_000);
    else remove();
  };
  setTimeout(removeUnlessInUse, DISPLAY_MS);
}

/**
 * Show an error as a notification, and log it unless it is a Problem.
 *
 * @param {unknown} error
 */
export function reportError(error) {
  notify(describeError(error), undefined, "error");
  if (!(error instanceof Problem)) console.error(error);
}

/**
 * Describe an error to the user, with the server's message if it has one.
 *
 * @param {unknown} error
 * @returns {string}
 */
export function describeError(error) {
  if (!(error instanceof Problem)) return texts.failed;
  if (error.status === 0) return navigator.onLine ? texts.unreachableNow : texts.offline;
  // These messages of the API refer to its document, so they are replaced by the names of the page's fields.
  const [firstError] = error.errors;
  if (error.code === "invalid_body" && firstError) return `${findFieldName(firstError.pointer)} ${firstError.message}.`;
  if (error.code === "unknown_reference") return texts.boardChanged;
  return error.message || (error.status === 503 ? texts.busy : texts.failed);
}

/** Return the displayed name of the field at a JSON Pointer such as /links/0/url. @param {string} pointer */
function findFieldName(pointer) {
  const name = pointer.split("/").findLast((part) => /[a-z]/.test(part)) ?? "";
  /** @type {Record<string, string>} */
  const names = texts.fields;
  return names[name] ?? texts.fieldOther;
}

/**
 * Show the state of the connection above the page.
 *
 * @param {string} text empty to hide it
 */
export function showConnectionState(text) {
  if (connectionState.textContent !== text) setChildren(connectionState, text);
  // Setting the same value again would cost a layout.
  if (connectionState.hidden !== !text) connectionState.hidden = !text;
}

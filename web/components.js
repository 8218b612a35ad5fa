// Small parts of the user interface that several modules use.

import { setChildren, h, svg } from "./dom.js";
import { announce, raiseNotifications } from "./notifications.js";
import { encodeQr } from "./qr.js";
import { texts } from "./texts.js";

/** Create the coloured chip of a label. @param {{name: string, color: string}} label */
export function createLabelChip(label) {
  return h("span", { class: `chip ${label.color}`, dir: "auto" }, label.name);
}

/** Return the initials of a user, two letters at most. @param {string} name */
export function getInitials(name) {
  return name.split(/\s+/).slice(0, 2).map((word) => [...word][0] ?? "").join("").toUpperCase();
}

/**
 * Open a modal dialog. It is removed from the page when it is closed.
 *
 * @param {string} label
 * @param {...(import("./dom.js").Child | import("./dom.js").Child[])} children
 */
export function openDialog(label, ...children) {
  const element = h("dialog", { "aria-label": label }, ...children);
  element.addEventListener("close", () => {
    element.remove();
    raiseNotifications();
  });
  // A click outside of the dialog closes it. A click that began inside (selecting text) does not, nor does the second
  // click of a double click that opened the dialog.
  element.addEventListener("mousedown", (event) => {
    if (event.target !== element || event.detail > 1) return;
    element.addEventListener("mouseup", (end) => { if (end.target === element) element.close(); }, { once: true });
  });
  document.body.append(element);
  element.showModal();
  raiseNotifications();
  return element;
}

/**
 * Create the button that closes a dialog.
 *
 * @param {string} label
 * @param {() => void} close
 */
export function createCloseButton(label, close) {
  return h("button", { type: "button", class: "quiet close", "aria-label": label, onclick: close }, "×");
}

/**
 * Create a field with its label.
 *
 * @param {string} label
 * @param {HTMLElement} input
 */
export function createField(label, input) {
  return h("label", { class: "field" }, h("span", {}, label), input);
}

/**
 * Create a button for an action that can't be undone. The first click asks, the second one acts; blur cancels.
 *
 * @param {string} label
 * @param {() => unknown} action
 * @param {string} [name] the label with what it acts on, for screen readers, if there are several such buttons
 */
export function createConfirmButton(label, action, name) {
  const reset = () => {
    delete button.dataset.isConfirming;
    setChildren(button, label);
    if (name) button.setAttribute("aria-label", name);
  };
  const handleClick = (/** @type {MouseEvent} */ event) => {
    // The second click of a double click does not count as a confirmation.
    if (event.detail > 1) return;
    if (button.dataset.isConfirming) {
      reset();
      void action();
      return;
    }
    button.dataset.isConfirming = "yes";
    setChildren(button, texts.confirm(label));
    if (name) button.setAttribute("aria-label", texts.confirm(name));
    announce(texts.confirm(label));
  };
  const button = h("button", { type: "button", class: "quiet", "aria-label": name, onclick: handleClick, onblur: reset }, label);
  return button;
}

/**
 * Create a field with a text to copy, such as a link or a secret. It works on plain http too, where browsers have no
 * other way to copy.
 *
 * @param {string} label
 * @param {string} text
 */
export function createCopyField(label, text) {
  const input = h("input", { value: text, readonly: true, spellcheck: "false", dir: "ltr", onfocus: () => input.select() });
  const copy = () => {
    input.focus();
    input.select();
    const isCopied = document.execCommand("copy");
    setChildren(state, isCopied ? texts.copied : texts.copyByHand);
    if (isCopied) button.focus();
  };
  const button = h("button", { type: "button", "aria-label": texts.copyOf(label), onclick: copy }, texts.copy);
  const state = h("small", { role: "status" });
  return h("div", { class: "copy-field" }, createField(label, input), button, state);
}

/** The light modules around a QR code. */
const QUIET_ZONE = 4;

/**
 * Create the QR code of a text.
 *
 * @param {string} text
 * @param {string} label what the code leads to
 */
export function createQrCode(text, label) {
  const modules = encodeQr(text);
  const size = modules.length + 2 * QUIET_ZONE;
  const path = modules.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? `M${x + QUIET_ZONE} ${y + QUIET_ZONE}h1v1h-1z` : []))).join("");
  return svg("svg", { class: "qr", viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": label, "shape-rendering": "crispEdges" },
    svg("rect", { width: size, height: size }), svg("path", { d: path }));
}

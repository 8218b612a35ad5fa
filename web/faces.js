// Small things that stand for others: a label, a person, a choice.

import { fill, h } from "./dom.js";
import { announce, bringNotes } from "./notice.js";
import { words } from "./words.js";

/** @param {{name: string, color: string}} label */
export function chip(label) {
  return h("span", { class: `chip ${label.color}`, dir: "auto" }, label.name);
}

/** @param {string} name */
export function initials(name) {
  return name.split(/\s+/).slice(0, 2).map((word) => [...word][0] ?? "").join("").toUpperCase();
}

/**
 * A dialog that is gone when it is closed.
 *
 * @param {string} label
 * @param {...(import("./dom.js").Child | import("./dom.js").Child[])} children
 */
export function dialog(label, ...children) {
  const element = h("dialog", { "aria-label": label }, ...children);
  element.addEventListener("close", () => {
    element.remove();
    bringNotes();
  });
  // A click beside the dialog closes it; one that began inside, such as a selection of text, does not, and neither does
  // the second half of the double click that opened it.
  element.addEventListener("mousedown", (event) => {
    if (event.target !== element || event.detail > 1) return;
    element.addEventListener("mouseup", (end) => { if (end.target === element) element.close(); }, { once: true });
  });
  document.body.append(element);
  element.showModal();
  bringNotes();
  return element;
}

/**
 * @param {string} label
 * @param {() => void} close
 */
export function closing(label, close) {
  return h("button", { type: "button", class: "quiet close", "aria-label": label, onclick: close }, "×");
}

/**
 * A field with its label.
 *
 * @param {string} label
 * @param {HTMLElement} input
 */
export function field(label, input) {
  return h("label", { class: "field" }, h("span", {}, label), input);
}

/**
 * A button for what can't be undone: the first click asks, the second one acts; whoever looks elsewhere has changed
 * their mind.
 *
 * @param {string} word
 * @param {() => unknown} act
 */
export function confirming(word, act) {
  const reset = () => {
    delete button.dataset.asked;
    fill(button, word);
  };
  const click = (/** @type {MouseEvent} */ event) => {
    // A double click is one answer, not two.
    if (event.detail > 1) return;
    if (button.dataset.asked) {
      reset();
      void act();
      return;
    }
    button.dataset.asked = "yes";
    fill(button, words.sure(word));
    announce(words.sure(word));
  };
  const button = h("button", { type: "button", class: "quiet", onclick: click, onblur: reset }, word);
  return button;
}

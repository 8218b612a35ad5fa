// The menu under the user's name.

import { getInitials } from "./components.js";
import { h } from "./dom.js";
import { texts } from "./texts.js";

/**
 * Create the button with the user's name, and the menu that it opens. Escape and a click elsewhere close the menu.
 *
 * @param {{name: string}} me
 * @param {[label: string, run: () => unknown][]} items
 * @returns {HTMLElement[]}
 */
export function createAccountMenu(me, items) {
  const menu = h("div", { id: "account-menu", popover: "auto" },
    h("p", { class: "hint", dir: "auto" }, texts.signedInAs(me.name)),
    items.map(([label, run]) => h("button", { type: "button", class: "quiet", onclick: () => { menu.hidePopover(); void run(); } }, label)));
  const button = h("button", { type: "button", popovertarget: "account-menu" },
    h("span", { class: "initials", "aria-hidden": true }, getInitials(me.name)), h("span", { class: "user-name", dir: "auto", "aria-hidden": true }, me.name),
    h("span", { class: "visually-hidden" }, texts.account(me.name)));
  return [button, menu];
}

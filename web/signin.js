// Signing in: a token, and nothing else.

import { Api } from "./api.js";
import { fill, h } from "./dom.js";
import { sentence } from "./notice.js";
import { once } from "./turns.js";
import { words } from "./words.js";

/**
 * Ask for a token until one is accepted.
 *
 * @param {HTMLElement} main
 * @param {string} reason why one is asked for, or nothing
 * @param {(token: string) => void} accepted
 */
export function signIn(main, reason, accepted) {
  const input = h("input", {
    id: "token", type: "password", required: true, autocomplete: "off", spellcheck: "false", "aria-describedby": "token-hint sign-in-state",
  });
  const state = h("p", { id: "sign-in-state", role: "status" }, reason);
  const send = async () => {
    const token = input.value.trim();
    try {
      await new Api(token).ask("GET", "users/me");
      accepted(token);
    } catch (error) {
      const isRefused = /** @type {{status?: number}} */ (error).status === 401;
      fill(state, isRefused ? words.tokenRefused : sentence(error));
      input.focus();
    }
  };
  fill(
    main,
    h("form", { class: "centred", onsubmit: once(send) },
      h("h1", {}, words.product),
      state,
      h("label", { for: "token" }, words.token),
      input,
      h("p", { id: "token-hint", class: "hint" }, words.tokenHint),
      h("button", { class: "primary" }, words.signIn)),
  );
  input.focus();
}

// The sign-in form. It asks for a token only.

import { Api } from "./api.js";
import { setChildren, h } from "./dom.js";
import { describeError } from "./notifications.js";
import { ignoreDoubleClicks } from "./async-handlers.js";
import { texts } from "./texts.js";

/**
 * Show the form until a token is accepted.
 *
 * @param {HTMLElement} main
 * @param {string} reason why the user is signed out, or an empty text
 * @param {(token: string) => void} onAccepted
 */
export function showSignInForm(main, reason, onAccepted) {
  const input = h("input", {
    id: "token", type: "password", required: true, autocomplete: "off", spellcheck: "false", "aria-describedby": "token-hint sign-in-state",
  });
  const status = h("p", { id: "sign-in-state", role: "status" }, reason);
  const submit = async () => {
    const token = input.value.trim();
    try {
      await new Api(token).request("GET", "users/me");
      onAccepted(token);
    } catch (error) {
      const isTokenRefused = /** @type {{status?: number}} */ (error).status === 401;
      setChildren(status, isTokenRefused ? texts.tokenRejected : describeError(error));
      input.focus();
    }
  };
  setChildren(
    main,
    h("form", { class: "centred", onsubmit: ignoreDoubleClicks(submit) },
      h("h1", {}, texts.product),
      status,
      h("label", { for: "token" }, texts.token),
      input,
      h("p", { id: "token-hint", class: "hint" }, texts.tokenHint),
      h("button", { class: "primary" }, texts.signIn)),
  );
  input.focus();
}

// The sign-in page: by a code from another device, by a link with one, with an account at a provider, or by a token.

import { Api, Problem } from "./api.js";
import { setChildren, h } from "./dom.js";
import { describeError } from "./notifications.js";
import { ignoreDoubleClicks } from "./async-handlers.js";
import { createProviderButtons, fetchProviders } from "./providers.js";
import { createSession, isCode, readCode } from "./session.js";
import { texts } from "./texts.js";

const TOKEN_PREFIX = "tkb_";

/**
 * Show the forms until a code or a token is accepted.
 *
 * @param {HTMLElement} main
 * @param {string} reason why the user is signed out, or an empty text
 * @param {{onSession: (token: string) => void, onToken: (token: string) => Promise<void>, back?: HTMLElement | null}} options
 *     what to do with the token of a new session, and with one that was typed; `back` leads to where the user came from
 */
export function showSignInForm(main, reason, { onSession, onToken, back }) {
  const status = h("p", { id: "sign-in-state", role: "status" }, reason);
  const codeInput = h("input", {
    id: "code", required: true, autocomplete: "one-time-code", autocapitalize: "characters", spellcheck: "false", dir: "ltr",
    enterkeyhint: "go", "aria-describedby": "code-hint sign-in-state",
  });
  const tokenInput = h("input", {
    id: "token", type: "password", required: true, autocomplete: "off", spellcheck: "false", "aria-describedby": "token-hint sign-in-state",
  });
  const showFailure = (/** @type {HTMLInputElement} */ input, /** @type {string} */ message) => {
    setChildren(status, h("span", { class: "error" }, message));
    input.setAttribute("aria-invalid", "true");
    input.focus();
    input.select();
  };
  const tryToken = async (/** @type {HTMLInputElement} */ input) => {
    const token = input.value.trim();
    setChildren(status, texts.signingIn);
    try {
      await new Api(token).request("GET", "users/me");
      await onToken(token);
    } catch (error) {
      showFailure(input, isRejected(error) ? texts.tokenRejected : describeError(error));
    }
  };
  const tryCode = async () => {
    if (codeInput.value.trim().startsWith(TOKEN_PREFIX)) {
      await tryToken(codeInput);
      return;
    }
    const code = readCode(codeInput.value);
    if (!isCode(code)) {
      showFailure(codeInput, texts.codeRejected);
      return;
    }
    setChildren(status, texts.signingIn);
    try {
      onSession((await createSession(code)).token);
    } catch (error) {
      showFailure(codeInput, isRejected(error) ? texts.codeRejected : describeError(error));
    }
  };
  // They come later, below what may be typed by then.
  const providerHolder = h("div");
  void fetchProviders().then((providers) => setChildren(providerHolder, createProviderButtons(providers, status)));
  setChildren(
    main,
    h("div", { class: "centred" },
      h("h1", {}, texts.signIn),
      status,
      h("form", { class: "stacked", onsubmit: ignoreDoubleClicks(tryCode) },
        h("label", { for: "code" }, texts.code),
        codeInput,
        h("p", { id: "code-hint", class: "hint" }, texts.codeHint),
        h("button", { class: "primary" }, texts.signIn)),
      providerHolder,
      h("details", {},
        h("summary", {}, texts.signInByToken),
        h("form", { class: "stacked", onsubmit: ignoreDoubleClicks(() => tryToken(tokenInput)) },
          h("label", { for: "token" }, texts.token),
          tokenInput,
          h("p", { id: "token-hint", class: "hint" }, texts.tokenHint),
          h("button", { class: "primary" }, texts.signInWithToken))),
      h("details", {}, h("summary", {}, texts.signInLost), h("p", { class: "hint" }, texts.signInLostHint)),
      back),
  );
  codeInput.focus();
}

/** @param {unknown} error */
const isRejected = (error) => error instanceof Problem && error.status === 401;

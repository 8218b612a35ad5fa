// The panel that lets another device in: a code to type, a link and a QR code, until one of them was used.

import { createCopyField, createQrCode } from "./components.js";
import { setChildren, h } from "./dom.js";
import { announce, describeError } from "./notifications.js";
import { isLocalAddress, makeLink } from "./session.js";
import { texts } from "./texts.js";

/**
 * @typedef {import("./api.js").Schemas["Session"]} Session
 * @typedef {import("./api.js").Schemas["SignInCode"]} SignInCode
 */

const POLL_INTERVAL_MS = 2_000;

/**
 * Create the panel. It asks for a code at once, and looks for the new session while it is in the page.
 *
 * @param {import("./api.js").Api} api
 * @param {(session: Session) => void} onUsed called with the new session
 * @returns {HTMLElement}
 */
export function createOtherDevicePanel(api, onUsed) {
  const panel = h("section", { class: "inset-panel other-device", "aria-label": texts.otherDevice }, h("p", {}, texts.loading));
  const fetchSessions = async () => /** @type {Session[]} */ (await api.fetchAll("users/me/sessions"));

  const start = async () => {
    try {
      const knownIds = new Set((await fetchSessions()).map(({ id }) => id));
      const { code, expires_at: expiresAt } = /** @type {SignInCode} */ ((await api.request("POST", "users/me/sign-in-codes")).body);
      const minutes = h("p", { class: "hint" });
      showCode(code, minutes);
      await waitForUse(knownIds, new Date(expiresAt).getTime(), minutes);
    } catch (error) {
      showMessage(describeError(error), texts.retry);
    }
  };
  const showMessage = (/** @type {string} */ message, /** @type {string} */ action) =>
    setChildren(panel, h("p", { role: "status" }, message), h("button", { type: "button", onclick: () => void start() }, action));
  const showCode = (/** @type {string} */ code, /** @type {HTMLElement} */ minutes) => {
    const link = makeLink("sign-in", code);
    setChildren(panel,
      h("p", {}, texts.otherDeviceSteps),
      h("div", { class: "beside" },
        createQrCode(link, texts.otherDeviceQr),
        h("div", {},
          h("p", { class: "hint" }, texts.otherDeviceCode(`${location.host}${location.pathname}`)),
          h("output", { class: "code", dir: "ltr" }, code),
          minutes)),
      createCopyField(texts.otherDeviceLink, link),
      isLocalAddress() ? h("p", { class: "hint" }, texts.localAddress) : null,
      h("p", { class: "hint" }, texts.otherDeviceWarning));
    announce(texts.otherDeviceReady(code));
  };
  const waitForUse = async (/** @type {Set<string>} */ knownIds, /** @type {number} */ expiresAt, /** @type {HTMLElement} */ minutes) => {
    for (;;) {
      const minutesLeft = Math.ceil((expiresAt - Date.now()) / 60_000);
      if (minutesLeft <= 0) {
        showMessage(texts.otherDeviceExpired, texts.otherDeviceAgain);
        return;
      }
      const text = texts.otherDeviceMinutes(minutesLeft);
      if (minutes.textContent !== text) setChildren(minutes, text);
      await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
      if (!panel.isConnected) return;
      const newSession = (await fetchSessions()).find(({ id }) => !knownIds.has(id));
      if (!panel.isConnected) return;
      if (newSession) {
        showMessage(texts.otherDeviceUsed(newSession.name), texts.otherDeviceAnother);
        onUsed(newSession);
        return;
      }
    }
  };
  void start();
  return panel;
}

// The dialog with the devices on which the user is signed in, their accounts at providers, and the tokens of their programs.

import { createAccountsSection } from "./accounts.js";
import { createCloseButton, createConfirmButton, openDialog } from "./components.js";
import { h, reconcile, setChildren } from "./dom.js";
import { formatDate, formatDateTime } from "./format.js";
import { describeError, notify, reportError } from "./notifications.js";
import { createOtherDevicePanel } from "./other-device.js";
import { createTokensSection } from "./tokens.js";
import { texts } from "./texts.js";

/** @typedef {import("./api.js").Schemas["Session"]} Session */

/**
 * Open the dialog.
 *
 * @param {import("./api.js").Api} api
 * @param {{showsCode?: boolean}} [options] whether to show a code for another device at once
 */
export function openDevicesDialog(api, { showsCode = false } = {}) {
  const deviceList = h("ul", { class: "rows devices" }, h("li", { class: "hint" }, texts.loading));
  const deviceState = h("p", { class: "hint", role: "status" });
  const codeHolder = h("div");
  const codeButton = h("button", { type: "button", onclick: () => showCode() }, texts.otherDevice);

  const draw = async () => {
    try {
      const sessions = /** @type {Session[]} */ (await api.fetchAll("users/me/sessions"));
      if (deviceList.querySelector(":scope > .hint")) setChildren(deviceList);
      reconcile(deviceList, sessions, { key: ({ id }) => id, fingerprint: JSON.stringify, make: createRow });
      setChildren(deviceState, sessions.some((session) => session.is_current) ? "" : texts.devicesNoSession);
    } catch (error) {
      setChildren(deviceList);
      setChildren(deviceState, describeError(error));
    }
  };
  const end = async (/** @type {Session} */ session) => {
    try {
      await api.request("DELETE", `users/me/sessions/${session.id}`);
      notify(texts.deviceSignedOut(session.name));
    } catch (error) {
      reportError(error);
    }
    await draw();
    codeButton.focus();
  };
  const createRow = (/** @type {Session} */ session) => h("li", {},
    h("span", {},
      h("strong", { dir: "auto" }, session.name),
      session.is_current ? h("span", { class: "chip" }, texts.deviceThis) : null,
      h("small", {}, [
        session.last_used_at ? texts.lastUsed(formatDateTime(session.last_used_at), session.last_used_from?.address ?? "") : texts.neverUsed,
        texts.deviceSince(formatDate(session.created_at)),
      ].join(" · "))),
    session.is_current ? null : createConfirmButton(texts.signOut, () => end(session), texts.deviceSignOut(session.name)));
  const showCode = () => {
    codeButton.hidden = true;
    setChildren(codeHolder, createOtherDevicePanel(api, () => void draw()));
  };

  const element = openDialog(texts.devicesAndKeys,
    createCloseButton(texts.close, () => element.close()),
    h("h2", {}, texts.devicesAndKeys),
    h("section", { "aria-label": texts.devices },
      h("h3", {}, texts.devices), deviceList, deviceState, codeButton, codeHolder),
    createAccountsSection(api),
    createTokensSection(api));
  if (showsCode) showCode();
  void draw();
  return element;
}

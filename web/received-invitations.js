// The section of the boards page with the boards that somebody has asked the user to join.

import { ignoreDoubleClicks } from "./async-handlers.js";
import { h, setChildren } from "./dom.js";
import { notify, reportError } from "./notifications.js";
import { texts } from "./texts.js";

/**
 * @typedef {import("./api.js").Schemas["ReceivedInvitation"]} ReceivedInvitation
 */

/**
 * Create the section. It is hidden while there is nothing to answer.
 *
 * @param {import("./api.js").Api} api
 * @param {() => boolean} isClosed whether another view is shown
 * @returns {{section: HTMLElement, draw: () => Promise<void>}}
 */
export function createReceivedInvitationsSection(api, isClosed) {
  const list = h("ul", { class: "rows devices" });
  const heading = h("h2", { tabindex: -1 }, texts.received);
  const section = h("section", { class: "panel", "aria-label": texts.received, hidden: true }, heading, list);

  const draw = async () => {
    const invitations = /** @type {ReceivedInvitation[]} */ (await api.fetchAll("users/me/invitations"));
    setChildren(list, invitations.map(createRow));
    section.hidden = !invitations.length;
  };
  const answer = async (/** @type {() => Promise<unknown>} */ send, /** @type {() => unknown} */ onAnswered) => {
    try {
      await send();
      onAnswered();
    } catch (error) {
      reportError(error);
    }
    if (isClosed()) return;
    // One that is over is not listed any more.
    await draw().catch(reportError);
    if (!section.hidden) heading.focus();
  };
  const accept = (/** @type {ReceivedInvitation} */ invitation) => answer(
    () => api.request("POST", `users/me/invitations/${invitation.id}/accept`),
    () => {
      notify(texts.invitationAccepted(invitation.board_name, texts.roles[invitation.role]));
      if (!isClosed()) location.hash = `#/boards/${invitation.board_id}`;
    });
  const decline = (/** @type {ReceivedInvitation} */ invitation) => answer(
    () => api.request("DELETE", `users/me/invitations/${invitation.id}`),
    () => notify(texts.receivedDeclined(invitation.board_name)));
  const createRow = (/** @type {ReceivedInvitation} */ invitation) => h("li", {},
    h("span", {},
      h("strong", { dir: "auto" }, invitation.board_name),
      h("small", { dir: "auto" }, texts.receivedFrom(invitation.invited_by, texts.roles[invitation.role]))),
    h("button", { type: "button", class: "primary", "aria-label": texts.receivedAcceptOf(invitation.board_name), onclick: ignoreDoubleClicks(() => accept(invitation)) }, texts.receivedAccept),
    h("button", { type: "button", class: "quiet", "aria-label": texts.receivedDeclineOf(invitation.board_name), onclick: ignoreDoubleClicks(() => decline(invitation)) }, texts.receivedDecline));
  return { section, draw };
}

// The page of an invitation: what it is to, and how to accept it, as who one is or as a new user.

import { Api, Problem } from "./api.js";
import { createField } from "./components.js";
import { setChildren, h } from "./dom.js";
import { formatDate, toOneLine } from "./format.js";
import { describeError, notify } from "./notifications.js";
import { ignoreDoubleClicks } from "./async-handlers.js";
import { createProviderButtons, fetchProviders } from "./providers.js";
import { describeDevice } from "./session.js";
import { texts } from "./texts.js";

/**
 * @typedef {import("./api.js").Schemas["InvitationPreview"]} InvitationPreview
 * @typedef {import("./api.js").Schemas["InvitationAccepted"]} InvitationAccepted
 * @typedef {{id: string, secret: string}} InvitationLink
 */

const MAX_NAME_LENGTH = 100;

/** Return the id and the secret in a link's fragment; null if it has another form. @param {string} text @returns {InvitationLink | null} */
export function readInvitationLink(text) {
  const match = /^(inv_[0-9a-z]{26})\.([0-9A-Za-z]{1,64})$/.exec(text.trim());
  return match && { id: match[1] ?? "", secret: match[2] ?? "" };
}

/**
 * Show an invitation.
 *
 * @param {HTMLElement} main
 * @param {string} link the id and the secret, as in the fragment of the link
 * @param {object} options
 * @param {Api | null} options.api of the signed-in user
 * @param {{name: string} | null} options.me
 * @param {string} [options.reason] why nobody was signed in just now
 * @param {() => boolean} options.isClosed whether something else is shown by now
 * @param {(accepted: InvitationAccepted) => void} options.onAccepted
 * @param {() => void} options.onSignIn the user wants to sign in, perhaps as someone else, and to come back
 * @param {() => void} options.onLeave the user does not want it, or it is over
 */
export async function showInvitation(main, link, { api, me, reason, isClosed, onAccepted, onSignIn, onLeave }) {
  const parts = readInvitationLink(link);
  const leaveButton = (/** @type {string} */ label) => h("button", { type: "button", class: "quiet", onclick: onLeave }, label);
  const showHeading = (/** @type {string} */ title, /** @type {(import("./dom.js").Child | import("./dom.js").Child[])[]} */ ...children) => {
    const heading = h("h1", { tabindex: -1, dir: "auto" }, title);
    setChildren(main, h("div", { class: "centred invitation" }, heading, ...children));
    heading.focus();
  };
  const showOver = () => showHeading(texts.invitationOver, h("p", {}, texts.invitationOverHint), leaveButton(me ? texts.boards : texts.signIn));

  const showPreview = (/** @type {InvitationPreview} */ invitation, /** @type {import("./providers.js").Provider[]} */ providers) => {
    const status = h("p", { role: "status" }, reason ? h("span", { class: "error" }, reason) : null);
    const accept = async (/** @type {Api} */ acceptingApi, /** @type {object} */ body) => {
      setChildren(status, texts.invitationJoining);
      try {
        const response = await acceptingApi.request("POST", `invitations/${invitation.id}/accept`, { body: { secret: parts?.secret, ...body } });
        if (!isClosed()) onAccepted(/** @type {InvitationAccepted} */ (response.body));
      } catch (error) {
        if (isClosed()) return;
        if (error instanceof Problem && error.code === "invitation_not_found") showOver();
        else setChildren(status, h("span", { class: "error" }, describeError(error)));
      }
    };
    const signInButton = (/** @type {string} */ label) => h("button", { type: "button", onclick: onSignIn }, label);
    const createNewcomerForm = () => {
      const nameInput = h("input", { required: true, maxlength: MAX_NAME_LENGTH, autocomplete: "name", dir: "auto" });
      const join = () => accept(new Api(""), { user: { name: toOneLine(nameInput.value) }, session_name: describeDevice() });
      return h("form", { class: "stacked", onsubmit: ignoreDoubleClicks(join) },
        createField(texts.invitationName, nameInput), h("button", { class: "primary" }, texts.invitationNew));
    };
    const createChoices = () => {
      if (api && me && invitation.board_name === null) return [h("p", {}, texts.invitationUserAlready(me.name)), leaveButton(texts.boards)];
      if (api && me) {
        return [
          h("button", { type: "button", class: "primary", dir: "auto", onclick: ignoreDoubleClicks(() => accept(api, {})) }, texts.invitationJoinAs(me.name)),
          signInButton(texts.invitationOtherUser), leaveButton(texts.invitationLater)];
      }
      const providerButtons = createProviderButtons(providers, status);
      if (!invitation.makes_users) return [h("p", {}, texts.invitationUsersOnly), providerButtons, signInButton(texts.invitationSignIn), leaveButton(texts.invitationLater)];
      return [createNewcomerForm(), providerButtons, invitation.board_name === null ? null : signInButton(texts.invitationSignIn), leaveButton(texts.invitationLater)];
    };
    showHeading(texts.invitation(invitation.invited_by, invitation.board_name ?? texts.product),
      invitation.role ? h("p", {}, texts.invitationRoles[invitation.role]) : null,
      h("p", { class: "hint" }, texts.invitationOpenUntil(formatDate(invitation.expires_at))),
      status,
      ...createChoices());
  };

  setChildren(main, h("p", { class: "loading" }, texts.loading));
  if (!parts) {
    showOver();
    return;
  }
  try {
    const [response, providers] = await Promise.all([
      new Api("").request("GET", `invitations/${parts.id}`, { headers: { "invitation-secret": parts.secret } }),
      me ? [] : fetchProviders(),
    ]);
    if (!isClosed()) showPreview(/** @type {InvitationPreview} */ (response.body), providers);
  } catch (error) {
    if (isClosed()) return;
    if (error instanceof Problem && error.status === 404) showOver();
    else {
      const retry = () => void showInvitation(main, link, { api, me, reason, isClosed, onAccepted, onSignIn, onLeave });
      showHeading(describeError(error), h("button", { type: "button", class: "primary", onclick: retry }, texts.retry));
    }
  }
}

/** Tell who has just accepted an invitation what came of it. @param {InvitationAccepted} accepted @param {() => unknown} showOtherDevice */
export function greetAccepted(accepted, showOtherDevice) {
  const role = accepted.role && accepted.board ? texts.invitationAccepted(accepted.board.name, texts.roles[accepted.role]) : texts.invitationUserNew;
  notify(role, accepted.token ? { label: texts.otherDevice, run: showOtherDevice } : undefined);
}

// The section of a dialog in which owners invite people by a link: to a board, or to the installation only.

import { createConfirmButton, createCopyField, createField, createQrCode } from "./components.js";
import { h, reconcile, setChildren } from "./dom.js";
import { formatDate } from "./format.js";
import { describeError, notify, reportError } from "./notifications.js";
import { ignoreDoubleClicks } from "./async-handlers.js";
import { isLocalAddress, makeLink } from "./session.js";
import { texts } from "./texts.js";

/**
 * @typedef {import("./api.js").Schemas["Invitation"]} Invitation
 * @typedef {import("./api.js").Schemas["InvitationCreated"]} InvitationCreated
 */

const MAX_USES = 100;
const DAY_MS = 86_400_000;
const LIFETIMES_DAYS = [1, 7, 30];
const DEFAULT_LIFETIME_DAYS = 7;
/** What is taken off a lifetime, so that a clock that is a little fast doesn't exceed the longest one. */
const MARGIN_MS = 600_000;
const POLL_INTERVAL_MS = 3_000;

/**
 * Create the section.
 *
 * @param {import("./api.js").Api} api
 * @param {string} path of the invitations
 * @param {object} [options]
 * @param {HTMLSelectElement | null} [options.roleSelect] for the role on the board, if they are to one
 * @param {() => Promise<unknown>} [options.onUsed] called when someone has accepted an invitation
 * @returns {HTMLElement}
 */
export function createInvitationsSection(api, path, { roleSelect = null, onUsed = async () => {} } = {}) {
  const list = h("ul", { class: "rows devices" });
  const status = h("p", { role: "status" });
  const linkHolder = h("div");
  const usesInput = h("input", { type: "number", min: 1, max: MAX_USES, required: true, value: 1, inputmode: "numeric" });
  const daysSelect = h("select", {}, LIFETIMES_DAYS.map((days) => h("option", { value: days, selected: days === DEFAULT_LIFETIME_DAYS }, texts.invitationDays(days))));
  /** The uses of each live invitation, to notice new ones. @type {string | null} */
  let lastUses = null;

  const draw = async () => {
    const all = /** @type {{items: Invitation[]}} */ ((await api.request("GET", path)).body).items;
    // Those for a user have no link, and stand among the members.
    const items = all.filter(({ invitee_id: inviteeId }) => inviteeId === null);
    reconcile(list, items, { key: ({ id }) => id, fingerprint: JSON.stringify, make: createRow });
    const uses = JSON.stringify(all.map((invitation) => [invitation.id, invitation.uses]));
    if (lastUses !== null && uses !== lastUses) await onUsed();
    lastUses = uses;
  };
  const drawOrReport = async () => {
    try {
      await draw();
    } catch (error) {
      setChildren(status, describeError(error));
    }
  };
  const revoke = async (/** @type {Invitation} */ invitation) => {
    try {
      await api.request("DELETE", `${path}/${invitation.id}`);
      if (linkHolder.dataset.id === invitation.id) setChildren(linkHolder);
      notify(texts.invitationRevoked);
    } catch (error) {
      reportError(error);
    }
    await drawOrReport();
    createButton.focus();
  };
  const createRow = (/** @type {Invitation} */ invitation) => {
    const uses = texts.invitationUses(invitation.max_uses - invitation.uses, invitation.max_uses);
    const role = invitation.role ? texts.roles[invitation.role] : texts.invitationOfUsers;
    return h("li", {},
      h("span", {}, h("strong", {}, role), h("small", {}, `${uses} · ${texts.invitationUntil(formatDate(invitation.expires_at))}`)),
      createConfirmButton(texts.tokenRevoke, () => revoke(invitation), texts.invitationRevoke(role)));
  };
  const submit = async () => {
    const expiresAt = new Date(Date.now() + Number(daysSelect.value) * DAY_MS - MARGIN_MS);
    const body = { ...(roleSelect ? { role: roleSelect.value } : {}), max_uses: Number(usesInput.value), expires_at: `${expiresAt.toISOString().slice(0, 19)}Z` };
    try {
      const { invitation, secret } = /** @type {InvitationCreated} */ ((await api.request("POST", path, { body })).body);
      showLink(invitation, `${invitation.id}.${secret}`);
      setChildren(status);
    } catch (error) {
      setChildren(status, h("span", { class: "error" }, describeError(error)));
    }
    await drawOrReport();
  };
  const showLink = (/** @type {Invitation} */ invitation, /** @type {string} */ idAndSecret) => {
    const link = makeLink("invite", idAndSecret);
    linkHolder.dataset.id = invitation.id;
    const field = createCopyField(texts.invitationLink, link);
    setChildren(linkHolder, h("div", { class: "inset-panel" },
      field,
      h("div", { class: "beside" },
        createQrCode(link, texts.invitationQr),
        h("div", {}, h("p", {}, texts.invitationLinkHint), isLocalAddress() ? h("p", { class: "hint" }, texts.localAddress) : null))));
    field.querySelector("button")?.focus();
    linkHolder.scrollIntoView({ block: "nearest" });
  };
  const createButton = h("button", { class: "primary" }, texts.invitationCreate);

  const section = h("section", { "aria-label": texts.invitations },
    h("h3", {}, texts.invitations),
    roleSelect ? null : h("p", { class: "hint" }, texts.invitationsOfUsersHint),
    h("form", { onsubmit: ignoreDoubleClicks(submit) },
      h("div", { class: "two-columns" },
        roleSelect ? createField(texts.role, roleSelect) : null, createField(texts.invitationPeople, usesInput), createField(texts.invitationValid, daysSelect)),
      createButton),
    status, linkHolder, list);
  const watch = async () => {
    await drawOrReport();
    while (section.isConnected) {
      await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
      // A request that fails is repeated after the next interval.
      if (section.isConnected && !document.hidden) await draw().catch(() => {});
    }
  };
  void watch();
  return section;
}

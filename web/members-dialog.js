// The dialog with the members of a board and their roles.

import { createComposer } from "./composer.js";
import { reconcile, h } from "./dom.js";
import { notify, reportError } from "./notifications.js";
import { createCloseButton, openDialog, createField } from "./components.js";
import { createInvitationsSection } from "./invitations.js";
import { texts } from "./texts.js";

/** @typedef {import("./api.js").Schemas["Member"]} Member */

/** Open the dialog. @param {import("./board.js").BoardView} view */
export function openMembersDialog(view) {
  const { model } = view;
  const memberList = h("ul", { class: "rows" });
  /** Users who were asked to join. @type {Member[]} */
  let invited = [];
  const userInput = h("input", { minlength: 3, maxlength: 64, pattern: "[a-z0-9][a-z0-9_\\-]{2,63}", autocomplete: "off" });
  const roleSelect = createRoleSelect("editor");

  const setRole = async (/** @type {string} */ userId, /** @type {string} */ newRole) => {
    const body = { role: newRole };
    const response = await view.attempt(() => model.api.request("PUT", `${model.path}/members/${userId}`, { body }));
    await redraw();
    const member = /** @type {Member | undefined} */ (response?.body);
    if (member?.state === "invited") notify(texts.memberAsked(member.name));
    return Boolean(response);
  };
  const removeMember = async (/** @type {string} */ userId) => {
    const response = await view.attempt(() => model.api.request("DELETE", `${model.path}/members/${userId}`));
    if (response && userId === view.me.id) location.hash = "#/";
    else await redraw();
  };
  const draw = () => reconcile(memberList, [...model.members, ...invited], { key: (member) => member.user_id, fingerprint: JSON.stringify, make: (member) => {
    if (member.state === "invited") return createInvitedRow(member);
    const memberRole = createRoleSelect(member.role, member.name);
    memberRole.disabled = !model.isOwner;
    memberRole.addEventListener("change", async () => {
      if (!(await setRole(member.user_id, memberRole.value))) memberRole.value = member.role;
    });
    const canRemove = model.isOwner || member.user_id === view.me.id;
    return h("li", {},
      h("span", { dir: "auto" }, member.name), memberRole,
      canRemove ? h("button", { type: "button", "aria-label": texts.memberRemove(member.name), onclick: () => void removeMember(member.user_id) }, "×") : null);
  } });
  const createInvitedRow = (/** @type {Member} */ member) => h("li", {},
    h("span", { dir: "auto" }, member.name, " ", h("span", { class: "chip" }, texts.memberInvited)),
    h("span", { class: "hint" }, texts.roles[member.role]),
    model.isOwner ? h("button", { type: "button", "aria-label": texts.memberUninvite(member.name), onclick: () => void removeMember(member.user_id) }, "×") : null);
  const loadInvited = async () => {
    try {
      const { items } = /** @type {{items: Member[]}} */ ((await model.api.request("GET", `${model.path}/members`)).body);
      invited = items.filter(({ state }) => state === "invited");
    } catch (error) {
      reportError(error);
    }
  };
  const redraw = async () => {
    await Promise.all([view.reloadOrReport(), loadInvited()]);
    draw();
  };
  draw();
  void redraw();

  const { submit, unsavedList } = createComposer(`${model.path}/members`, [userInput, roleSelect], ([userId = "", newRole = ""]) => setRole(userId, newRole));
  const element = openDialog(texts.members,
    createCloseButton(texts.close, () => element.close()),
    h("h2", {}, texts.members),
    memberList,
    model.isOwner ? createInvitationsSection(model.api, `${model.path}/invitations`, { roleSelect: createRoleSelect("editor"), onUsed: redraw }) : null,
    model.isOwner
      ? h("details", {}, h("summary", {}, texts.memberAddById),
        h("form", { onsubmit: submit }, unsavedList, createField(texts.memberUser, userInput), createField(texts.role, roleSelect), h("button", { class: "primary" }, texts.memberAdd)))
      : null);
}

/** Create a select for a role. @param {string} selectedRole @param {string} [name] of the member */
function createRoleSelect(selectedRole, name) {
  const options = Object.entries(texts.roles).map(([value, label]) => h("option", { value, selected: value === selectedRole }, label));
  return h("select", { "aria-label": name ? `${texts.role}: ${name}` : null }, options);
}

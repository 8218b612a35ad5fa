// Who is on a board, and what they may do there.

import { composer } from "./composer.js";
import { align, h } from "./dom.js";
import { closing, dialog, field } from "./faces.js";
import { words } from "./words.js";

/** @param {import("./board.js").Screen} screen */
export function membersDialog(screen) {
  const { model } = screen;
  const people = h("ul", { class: "people" });
  const user = h("input", { minlength: 3, maxlength: 64, pattern: "[a-z0-9][a-z0-9_\\-]{2,63}", autocomplete: "off" });
  const role = roleChoice("editor");

  const put = async (/** @type {string} */ userId, /** @type {string} */ wanted) => {
    const body = { role: wanted };
    const answer = await screen.attempt(() => model.api.ask("PUT", `${model.path}/members/${userId}`, { body }));
    await screen.refresh();
    draw();
    return Boolean(answer);
  };
  const remove = async (/** @type {string} */ userId) => {
    const answer = await screen.attempt(() => model.api.ask("DELETE", `${model.path}/members/${userId}`));
    if (answer && userId === screen.me.id) location.hash = "#/";
    else await screen.refresh();
    draw();
  };
  const draw = () => align(people, model.members, { key: (member) => member.user_id, print: JSON.stringify, make: (member) => {
    const choice = roleChoice(member.role, member.name);
    choice.disabled = !model.isOwner;
    choice.addEventListener("change", async () => {
      if (!(await put(member.user_id, choice.value))) choice.value = member.role;
    });
    const mayRemove = model.isOwner || member.user_id === screen.me.id;
    return h("li", {},
      h("span", { dir: "auto" }, member.name), choice,
      mayRemove ? h("button", { type: "button", "aria-label": words.memberRemove(member.name), onclick: () => void remove(member.user_id) }, "×") : null);
  } });
  draw();

  const { submit, unsaved } = composer(`${model.path}/members`, [user, role], ([userId = "", wanted = ""]) => put(userId, wanted));
  const element = dialog(words.members,
    closing(words.close, () => element.close()),
    h("h2", {}, words.members),
    people,
    model.isOwner
      ? h("form", { onsubmit: submit }, unsaved, field(words.memberUser, user), field(words.role, role), h("button", { class: "primary" }, words.memberAdd))
      : null);
}

/** @param {string} chosen @param {string} [name] of the member it is about */
function roleChoice(chosen, name) {
  const options = Object.entries(words.roles).map(([value, word]) => h("option", { value, selected: value === chosen }, word));
  return h("select", { "aria-label": name ? `${words.role}: ${name}` : null }, options);
}

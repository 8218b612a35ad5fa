// What can be changed about a list.

import { h } from "./dom.js";
import { closing, dialog, field } from "./faces.js";
import { oneLine } from "./format.js";
import { note } from "./notice.js";
import { saving } from "./turns.js";
import { words } from "./words.js";

/**
 * @param {import("./board.js").Screen} screen
 * @param {import("./model.js").List} list
 */
export function listDialog(screen, list) {
  const { api, path } = screen.model;
  const own = `${path}/lists/${list.id}`;
  const name = h("input", { value: list.name, maxlength: 100, required: true });
  const limit = h("input", { type: "number", min: 1, max: 5000, value: list.wip_limit ?? "" });
  const blocks = h("input", { type: "checkbox", checked: list.wip_enforcement === "block" });

  const save = async () => {
    const body = {
      name: oneLine(name.value),
      wip_limit: limit.value ? Number(limit.value) : null,
      wip_enforcement: blocks.checked ? "block" : "warn",
    };
    const now = await screen.attempt(() => api.ask("GET", own));
    if (!now) return false;
    const { version } = /** @type {import("./api.js").List} */ (now.body);
    return Boolean(await screen.attempt(() => api.ask("PATCH", own, { body, version })));
  };
  const archive = async () => {
    if (!(await screen.attempt(() => api.ask("POST", `${own}/archive`)))) return;
    done();
    const back = async () => {
      await screen.attempt(() => api.ask("POST", `${own}/unarchive`));
      await screen.refresh();
    };
    note(words.listArchived(list.name), { label: words.undo, act: back });
  };
  const move = async (/** @type {number} */ step) => {
    const others = screen.model.lists.filter((each) => each.id !== list.id);
    const at = screen.model.lists.findIndex((each) => each.id === list.id) + step;
    const next = others[at];
    if (at < 0) return;
    const body = next ? { before: next.id } : { position: "bottom" };
    if (await screen.attempt(() => api.ask("POST", `${own}/move`, { body }))) void screen.refresh();
  };
  const done = () => {
    element.close();
    void screen.refresh();
  };

  const element = dialog(words.listMenu(list.name),
    closing(words.close, () => element.close()),
    h("form", { onsubmit: saving(save, () => done()) },
      h("h2", { dir: "auto" }, list.name),
      field(words.listName, name),
      field(words.listLimit, limit),
      h("label", { class: "check" }, blocks, words.listLimitBlocks),
      h("div", { class: "row" },
        h("button", { class: "primary" }, words.save),
        h("button", { type: "button", onclick: () => void move(-1) }, words.listMoveLeft),
        h("button", { type: "button", onclick: () => void move(1) }, words.listMoveRight),
        h("button", { type: "button", onclick: () => void archive() }, words.listArchive))));
}

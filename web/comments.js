// What people said about a card, newest first.

import { Problem } from "./api.js";
import { align, fill, h } from "./dom.js";
import { draft } from "./drafts.js";
import { confirming } from "./faces.js";
import { when } from "./format.js";
import { markdown } from "./markdown.js";
import { note, trouble } from "./notice.js";
import { latest, once } from "./turns.js";
import { words } from "./words.js";

/** @typedef {import("./api.js").Schemas["Comment"]} Comment */

/**
 * @param {{path: string, model: import("./model.js").Model, screen: import("./board.js").Screen}} card
 */
export function comments(card) {
  const { api, canEdit, isOwner, members } = card.model;
  const all = h("ul", { class: "comments" });
  const none = h("p", { class: "hint" }, words.commentsNone);
  const more = h("button", { type: "button", hidden: true, onclick: () => void read(true) }, words.more);
  const text = h("textarea", { rows: 3, "aria-label": words.commentNew, placeholder: words.commentNew, maxlength: 10000, required: true, dir: "auto" });
  const sent = draft(`${card.path}/comments`, text);
  const send = async () => {
    const answer = await card.screen.attempt(() => api.ask("POST", `${card.path}/comments`, { body: { text: text.value } }));
    if (!answer) return;
    sent();
    text.value = "";
    await read();
  };
  const remove = async (/** @type {Comment} */ comment) => {
    const answer = await card.screen.attempt(() => api.ask("DELETE", `${card.path}/comments/${comment.id}`, { tag: "*" }));
    if (answer) await read();
  };
  /** @type {Comment[]} */
  let known = [];
  /** @type {string | null} */
  let next = null;
  const read = latest(async (isMore = false) => {
    const query = { limit: 20, cursor: isMore && next ? next : undefined };
    const page = /** @type {any} */ ((await api.ask("GET", `${card.path}/comments`, { query })).body);
    return { page, isMore };
  }, ({ page, isMore }) => {
    known = isMore ? [...known, ...page.items] : page.items;
    next = page.next_cursor;
    more.hidden = !next;
    none.hidden = known.length > 0;
    align(all, known, { key: (each) => each.id, print, make: drawn });
  });
  /** What is being edited stays as it is, whatever others do to it. @param {Comment} comment */
  const print = (comment) => {
    const element = /** @type {HTMLElement | null} */ (all.querySelector(`[data-key="${comment.id}"]`));
    return element?.querySelector("form") ? element.dataset.print ?? "" : JSON.stringify(comment);
  };
  /** @param {Comment} comment */
  const drawn = (comment) => {
    const element = h("li");
    const show = () => fill(element, ...shown(comment, () => void edit()));
    const edit = async () => {
      const input = h("textarea", { rows: 4, "aria-label": words.commentEdit, maxlength: 10000, required: true, dir: "auto", value: comment.text });
      const done = draft(`${card.path}/comments/${comment.id}`, input);
      const end = () => {
        done();
        show();
        element.querySelector("button")?.focus();
      };
      const save = async () => {
        if (await revise(comment, input.value)) {
          end();
          await read();
        }
      };
      fill(element, h("form", { onsubmit: once(save) }, input,
        h("div", { class: "row" }, h("button", { class: "primary" }, words.save), h("button", { type: "button", onclick: end }, words.cancel))));
      input.focus();
    };
    show();
    return element;
  };
  /** @type {Map<string, string | null>} the version of a comment that someone has been told is newer than theirs */
  const tags = new Map();
  /** @param {Comment} comment @param {string} wanted */
  const revise = async (comment, wanted) => {
    const own = `${card.path}/comments/${comment.id}`;
    try {
      const now = await api.ask("GET", own);
      const isSame = /** @type {Comment} */ (now.body).text === comment.text || tags.get(comment.id) === now.tag;
      if (!isSame) throw new Problem(412, "precondition_failed", "");
      await api.ask("PATCH", own, { body: { text: wanted }, tag: now.tag });
      return true;
    } catch (error) {
      if (error instanceof Problem && error.status === 412) {
        tags.set(comment.id, (await api.ask("GET", own).catch(() => null))?.tag ?? null);
        note(words.changedElsewhere, undefined, "trouble");
      } else trouble(error);
      return false;
    }
  };
  /** @param {Comment} comment @param {() => void} edit */
  const shown = (comment, edit) => {
    const isMine = comment.author_id === card.screen.me.id;
    const author = members.find((member) => member.user_id === comment.author_id)?.name ?? comment.author_id;
    const body = h("div", { class: "markdown", dir: "auto" });
    fill(body, markdown(comment.text));
    return [
      h("div", { class: "said" },
        h("strong", { dir: "auto" }, author),
        h("time", { class: "hint", datetime: comment.created_at }, when(comment.created_at)),
        canEdit && isMine ? h("button", { type: "button", class: "quiet", onclick: edit }, words.edit) : null,
        canEdit && (isMine || isOwner) ? confirming(words.delete, () => remove(comment)) : null),
      body,
    ];
  };
  const form = h("form", { class: "say", onsubmit: once(send) }, text, h("button", {}, words.commentSend));
  const element = h("section", { "aria-label": words.comments }, h("h3", {}, words.comments), canEdit ? form : null, none, all, more);
  return { element, read: () => read() };
}

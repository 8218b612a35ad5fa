// What people said about a card, newest first.

import { align, fill, h } from "./dom.js";
import { when } from "./format.js";
import { markdown } from "./markdown.js";
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
  const send = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const answer = await card.screen.attempt(() => api.ask("POST", `${card.path}/comments`, { body: { text: text.value } }));
    if (!answer) return;
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
  const read = async (isMore = false) => {
    const query = { limit: 20, cursor: isMore && next ? next : undefined };
    const page = /** @type {any} */ ((await api.ask("GET", `${card.path}/comments`, { query })).body);
    known = isMore ? [...known, ...page.items] : page.items;
    next = page.next_cursor;
    more.hidden = !next;
    none.hidden = known.length > 0;
    align(all, known, { key: (each) => each.id, print: JSON.stringify, make: drawn });
  };
  /** @param {Comment} comment */
  const drawn = (comment) => {
    const author = members.find((member) => member.user_id === comment.author_id)?.name ?? comment.author_id;
    const mayRemove = canEdit && (isOwner || comment.author_id === card.screen.me.id);
    const body = h("div", { class: "markdown", dir: "auto" });
    fill(body, markdown(comment.text));
    return h("li", {}, h("p", { class: "hint" }, `${author}, ${when(comment.created_at)} `,
      mayRemove ? h("button", { type: "button", class: "quiet", onclick: () => void remove(comment) }, words.delete) : null), body);
  };
  const form = h("form", { onsubmit: send }, text, h("button", {}, words.commentSend));
  const element = h("section", { "aria-label": words.comments }, h("h3", {}, words.comments), canEdit ? form : null, none, all, more);
  return { element, read: () => read() };
}

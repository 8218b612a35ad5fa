// What people said about a card, newest first.

import { Problem } from "./api.js";
import { composer } from "./composer.js";
import { align, fill, h } from "./dom.js";
import { draft } from "./drafts.js";
import { confirming } from "./faces.js";
import { when } from "./format.js";
import { markdown } from "./markdown.js";
import { note, trouble } from "./notice.js";
import { latest, saving } from "./turns.js";
import { words } from "./words.js";

/** @typedef {import("./api.js").Schemas["Comment"]} Comment */

const SHOWN = 20;
const MOST_AT_ONCE = 100;

/**
 * @param {{path: string, model: import("./model.js").Model, screen: import("./board.js").Screen}} card
 */
export function comments(card) {
  const { api, canEdit, isOwner, members } = card.model;
  const all = h("ul", { class: "comments" });
  const none = h("p", { class: "hint" }, words.commentsNone);
  const more = h("button", { type: "button", hidden: true, onclick: () => void read(true) }, words.more);
  const text = h("textarea", { rows: 3, "aria-label": words.commentNew, placeholder: words.commentNew, maxlength: 10000, dir: "auto" });
  const { submit, unsaved } = composer(`${card.path}/comments`, [text], async ([typed], key) => {
    const answer = await card.screen.attempt(() => api.ask("POST", `${card.path}/comments`, { body: { text: typed }, key }));
    if (answer) await read();
    return answer;
  });
  const remove = async (/** @type {Comment} */ comment) => {
    const answer = await card.screen.attempt(() => api.ask("DELETE", `${card.path}/comments/${comment.id}`, { version: "*" }));
    if (answer) await read();
  };
  /** @type {Comment[]} */
  let known = [];
  /** @type {string | null} */
  let next = null;
  const read = latest(async (isMore = false) => {
    // As many as are shown are read again.
    const limit = isMore ? SHOWN : Math.min(Math.max(known.length, SHOWN), MOST_AT_ONCE);
    const query = { limit, cursor: isMore && next ? next : undefined };
    const page = /** @type {any} */ ((await api.ask("GET", `${card.path}/comments`, { query })).body);
    return { page, isMore };
  }, ({ page, isMore }) => {
    const found = isMore ? [...known, ...page.items] : page.items;
    // What is being corrected stays, even if the comment is gone: nothing takes away what is being typed.
    known = [...found, ...known.filter((comment) => isEdited(comment) && !found.some((/** @type {Comment} */ other) => other.id === comment.id))];
    next = page.next_cursor;
    more.hidden = !next;
    none.hidden = known.length > 0;
    align(all, known, { key: (each) => each.id, print, make: drawn });
  });
  const elementOf = (/** @type {Comment} */ comment) => /** @type {HTMLElement | null} */ (all.querySelector(`[data-key="${comment.id}"]`));
  const isEdited = (/** @type {Comment} */ comment) => Boolean(elementOf(comment)?.querySelector("form"));
  /** What is being edited stays as it is, whatever others do to it. @param {Comment} comment */
  const print = (comment) => (isEdited(comment) ? elementOf(comment)?.dataset.print ?? "" : JSON.stringify(comment));
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
      const leave = () => {
        end();
        void read().catch(trouble);
      };
      fill(element, h("form", { onsubmit: saving(() => revise(comment, input.value), leave) }, input,
        h("div", { class: "row" }, h("button", { class: "primary" }, words.save), h("button", { type: "button", onclick: end }, words.cancel))));
      input.focus();
    };
    show();
    return element;
  };
  /** @type {Map<string, number>} the version of a comment that someone has been told is newer than theirs */
  const versions = new Map();
  /** @param {string} own path of the comment @returns {Promise<Comment>} */
  const readOne = async (own) => /** @type {Comment} */ ((await api.ask("GET", own)).body);
  /** @param {Comment} comment @param {string} wanted */
  const revise = async (comment, wanted) => {
    const own = `${card.path}/comments/${comment.id}`;
    try {
      const now = await readOne(own);
      const isSame = now.text === comment.text || versions.get(comment.id) === now.version;
      if (!isSame) throw new Problem(412, "precondition_failed", "");
      const { body } = await api.ask("PATCH", own, { body: { text: wanted }, version: now.version });
      versions.set(comment.id, /** @type {Comment} */ (body).version);
      return true;
    } catch (error) {
      if (error instanceof Problem && error.status === 412) {
        const now = await readOne(own).catch(() => null);
        if (now) versions.set(comment.id, now.version);
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
  const form = h("form", { class: "say", onsubmit: submit }, text, h("button", {}, words.commentSend));
  const element = h("section", { "aria-label": words.comments }, h("h3", {}, words.comments), ...(canEdit ? [form, unsaved] : []), none, all, more);
  return { element, read: () => read() };
}

// The comments of a card, newest first.

import { Problem } from "./api.js";
import { createComposer } from "./composer.js";
import { reconcile, setChildren, h } from "./dom.js";
import { trackDraft } from "./drafts.js";
import { createConfirmButton } from "./components.js";
import { formatDateTime } from "./format.js";
import { markdown } from "./markdown.js";
import { notify, reportError } from "./notifications.js";
import { ignoreOutdated, submitAndClose } from "./async-handlers.js";
import { texts } from "./texts.js";

/** @typedef {import("./api.js").Schemas["Comment"]} Comment */

const PAGE_SIZE = 20;
const MAX_PAGE_SIZE = 100;

/**
 * Create the section with the comments and the form that adds one.
 *
 * @param {{path: string, model: import("./model.js").Model, boardView: import("./board.js").BoardView}} dialog
 */
export function createCommentsSection(dialog) {
  const { api, canEdit, isOwner, members } = dialog.model;
  const list = h("ul", { class: "comments" });
  const emptyHint = h("p", { class: "hint" }, texts.commentsNone);
  const moreButton = h("button", { type: "button", hidden: true, onclick: () => void readComments(true) }, texts.more);
  const textInput = h("textarea", { rows: 3, "aria-label": texts.commentNew, placeholder: texts.commentNew, maxlength: 10000, dir: "auto" });
  const { submit, unsavedList } = createComposer(`${dialog.path}/comments`, [textInput], async ([typed], key) => {
    const response = await dialog.boardView.attempt(() => api.request("POST", `${dialog.path}/comments`, { body: { text: typed }, idempotencyKey: key }));
    if (response) await readComments();
    return response;
  });
  const deleteComment = async (/** @type {Comment} */ comment) => {
    const response = await dialog.boardView.attempt(() => api.request("DELETE", `${dialog.path}/comments/${comment.id}`, { version: "*" }));
    if (response) await readComments();
  };
  /** @type {Comment[]} */
  let comments = [];
  /** @type {string | null} */
  let nextCursor = null;
  const readComments = ignoreOutdated(async (isNextPage = false) => {
    // A reload fetches as many comments as are displayed.
    const limit = isNextPage ? PAGE_SIZE : Math.min(Math.max(comments.length, PAGE_SIZE), MAX_PAGE_SIZE);
    const query = { limit, cursor: isNextPage && nextCursor ? nextCursor : undefined };
    const page = /** @type {any} */ ((await api.request("GET", `${dialog.path}/comments`, { query })).body);
    return { page, isNextPage };
  }, ({ page, isNextPage }) => {
    const newComments = isNextPage ? [...comments, ...page.items] : page.items;
    // A comment that is being edited stays, even if it has been deleted, so that its text is not lost.
    comments = [...newComments, ...comments.filter((comment) => isEdited(comment) && !newComments.some((/** @type {Comment} */ other) => other.id === comment.id))];
    nextCursor = page.next_cursor;
    moreButton.hidden = !nextCursor;
    emptyHint.hidden = comments.length > 0;
    reconcile(list, comments, { key: (comment) => comment.id, fingerprint, make: createComment });
  });
  const findElement = (/** @type {Comment} */ comment) => /** @type {HTMLElement | null} */ (list.querySelector(`[data-key="${comment.id}"]`));
  const isEdited = (/** @type {Comment} */ comment) => Boolean(findElement(comment)?.querySelector("form"));
  /** Return what is displayed of a comment. It stays the same during an edit, so that the editor is kept. @param {Comment} comment */
  const fingerprint = (comment) => (isEdited(comment) ? findElement(comment)?.dataset.fingerprint ?? "" : JSON.stringify(comment));
  /** @param {Comment} comment */
  const createComment = (comment) => {
    const element = h("li");
    const showContent = () => setChildren(element, ...createContent(comment, () => void openEditor()));
    const openEditor = async () => {
      const input = h("textarea", { rows: 4, "aria-label": texts.commentEdit, maxlength: 10000, required: true, dir: "auto", value: comment.text });
      const forgetDraft = trackDraft(`${dialog.path}/comments/${comment.id}`, input);
      const closeEditor = () => {
        forgetDraft();
        showContent();
        element.querySelector("button")?.focus();
      };
      const closeAndReload = () => {
        closeEditor();
        void readComments().catch(reportError);
      };
      setChildren(element, h("form", { onsubmit: submitAndClose(() => saveText(comment, input.value), closeAndReload) }, input,
        h("div", { class: "row" }, h("button", { class: "primary" }, texts.save), h("button", { type: "button", onclick: closeEditor }, texts.cancel))));
      input.focus();
    };
    showContent();
    return element;
  };
  /** @type {Map<string, number>} the newest version of each comment that the user knows of or has saved */
  const knownVersions = new Map();
  /** @param {string} path of the comment @returns {Promise<Comment>} */
  const fetchComment = async (path) => /** @type {Comment} */ ((await api.request("GET", path)).body);
  /** Save a text, unless someone else has changed the comment. @param {Comment} comment @param {string} newText */
  const saveText = async (comment, newText) => {
    const path = `${dialog.path}/comments/${comment.id}`;
    try {
      const current = await fetchComment(path);
      const isUnchanged = current.text === comment.text || knownVersions.get(comment.id) === current.version;
      if (!isUnchanged) throw new Problem(412, "precondition_failed", "");
      const { body } = await api.request("PATCH", path, { body: { text: newText }, version: current.version });
      knownVersions.set(comment.id, /** @type {Comment} */ (body).version);
      return true;
    } catch (error) {
      if (error instanceof Problem && error.status === 412) {
        const current = await fetchComment(path).catch(() => null);
        if (current) knownVersions.set(comment.id, current.version);
        notify(texts.changedByOther, undefined, "error");
      } else reportError(error);
      return false;
    }
  };
  /** @param {Comment} comment @param {() => void} openEditor */
  const createContent = (comment, openEditor) => {
    const isOwnComment = comment.author_id === dialog.boardView.me.id;
    const author = members.find((member) => member.user_id === comment.author_id)?.name ?? texts.formerMember(comment.author_id);
    const body = h("div", { class: "markdown", dir: "auto" });
    setChildren(body, markdown(comment.text));
    return [
      h("div", { class: "heading-row" },
        h("strong", { dir: "auto" }, author),
        h("time", { class: "hint", datetime: comment.created_at }, formatDateTime(comment.created_at)),
        canEdit && isOwnComment ? h("button", { type: "button", class: "quiet", onclick: openEditor }, texts.edit) : null,
        canEdit && (isOwnComment || isOwner) ? createConfirmButton(texts.delete, () => deleteComment(comment)) : null),
      body,
    ];
  };
  const form = h("form", { class: "comment-form", onsubmit: submit }, textInput, h("button", {}, texts.commentSend));
  const element = h("section", { "aria-label": texts.comments }, h("h3", {}, texts.comments), ...(canEdit ? [form, unsavedList] : []), emptyHint, list, moreButton);
  return { element, read: () => readComments() };
}

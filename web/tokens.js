// The section with the user's API tokens: what they may do, when they were used, and new ones.

import { createConfirmButton, createCopyField, createField } from "./components.js";
import { h, reconcile, setChildren } from "./dom.js";
import { formatDate, formatDateTime, toOneLine } from "./format.js";
import { describeError, notify, reportError } from "./notifications.js";
import { ignoreDoubleClicks } from "./async-handlers.js";
import { texts } from "./texts.js";

/**
 * @typedef {import("./api.js").Schemas["Token"]} Token
 * @typedef {import("./api.js").Schemas["TokenCreated"]} TokenCreated
 * @typedef {import("./api.js").Board} Board
 */

const MAX_NAME_LENGTH = 100;
const DAY_MS = 86_400_000;
const LIFETIMES_DAYS = [30, 90, 365];

/**
 * Create the section.
 *
 * @param {import("./api.js").Api} api
 * @returns {HTMLElement}
 */
export function createTokensSection(api) {
  const list = h("ul", { class: "rows devices" }, h("li", { class: "hint" }, texts.loading));
  const state = h("p", { class: "hint", role: "status" });
  const secretHolder = h("div", { role: "status" });
  /** @type {Map<string, string>} */
  const boardNames = new Map();

  const draw = async () => {
    try {
      const tokens = /** @type {Token[]} */ (await api.fetchAll("users/me/tokens"));
      if (list.querySelector(":scope > .hint")) setChildren(list);
      reconcile(list, tokens, { key: ({ id }) => id, fingerprint: (token) => JSON.stringify([token, ...boardNames]), make: createRow });
      setChildren(state, tokens.length ? "" : texts.tokensNone);
    } catch (error) {
      setChildren(list);
      setChildren(state, describeError(error));
    }
  };
  const revoke = async (/** @type {Token} */ token) => {
    try {
      await api.request("DELETE", `users/me/tokens/${token.id}`);
      notify(texts.tokenRevoked(token.name));
    } catch (error) {
      reportError(error);
    }
    await draw();
    summary.focus();
  };
  const createRow = (/** @type {Token} */ token) => h("li", {},
    h("span", {},
      h("strong", { dir: "auto" }, token.name),
      h("small", {}, describeRights(token)),
      h("small", {}, [
        token.last_used_at ? texts.lastUsed(formatDateTime(token.last_used_at), describeOrigin(token)) : texts.neverUsed,
        token.expires_at ? texts.tokenExpires(formatDate(token.expires_at)) : texts.tokenForever,
      ].join(" · "))),
    createConfirmButton(texts.tokenRevoke, () => revoke(token), texts.tokenRevokeOf(token.name)));
  const describeRights = (/** @type {Token} */ token) => [
    token.scopes.map((scope) => texts.scopes[scope]).join(", "),
    token.board_ids?.map((id) => boardNames.get(id) ?? texts.tokenOtherBoard).join(", "),
    token.max_role && texts.tokenAtMost(texts.roles[token.max_role]),
    token.resources?.map(nameResource).join(", "),
  ].filter(Boolean).join(" · ");

  const { form, showBoards } = createTokenForm(api, (created) => {
    setChildren(secretHolder,
      h("p", {}, texts.tokenSecretHint),
      createCopyField(texts.tokenSecret(created.token.name), created.secret));
    secretHolder.querySelector("input")?.focus();
    details.open = false;
    void draw();
  });
  const loadBoards = async () => {
    try {
      const boards = /** @type {Board[]} */ (await api.fetchAll("boards"));
      for (const { id, name } of boards) boardNames.set(id, name);
      showBoards(boards);
      await draw();
    } catch {
      // A token that may not read boards shows their tokens without names.
    }
  };
  const summary = h("summary", {}, texts.tokenNew);
  const details = h("details", {}, summary, form);
  void draw();
  void loadBoards();
  return h("section", { "aria-label": texts.tokens },
    h("h3", {}, texts.tokens), h("p", { class: "hint" }, texts.tokensHint), list, state, secretHolder, details);
}

/** @param {Token} token */
function describeOrigin(token) {
  const origin = token.last_used_from;
  return [origin?.address, origin?.client && `(${origin.client})`].filter(Boolean).join(" ");
}

/** Name a resource; one of a later version of the server has no text here. @param {string} resource */
function nameResource(resource) {
  /** @type {Record<string, string>} */
  const names = texts.resources;
  return names[resource] ?? resource;
}

/**
 * Create the form for a new token.
 *
 * @param {import("./api.js").Api} api
 * @param {(created: TokenCreated) => void} onCreated
 */
function createTokenForm(api, onCreated) {
  const createCheck = (/** @type {string} */ name, /** @type {string} */ value, /** @type {string} */ label, isChecked = false) =>
    h("label", { class: "check" }, h("input", { type: "checkbox", name, value, checked: isChecked }), h("span", { dir: "auto" }, label));
  const nameInput = h("input", { required: true, maxlength: MAX_NAME_LENGTH, autocomplete: "off" });
  const roleSelect = h("select", {}, h("option", { value: "" }, texts.tokenAnyRole),
    Object.entries(texts.roles).map(([value, label]) => h("option", { value }, label)));
  const expirySelect = h("select", {}, LIFETIMES_DAYS.map((days) => h("option", { value: days }, texts.inDays(days))), h("option", { value: "" }, texts.never));
  const boardChecks = h("div", { class: "choices" });
  const status = h("p", { class: "error", role: "status" });

  const submit = async () => {
    const choices = new FormData(form);
    const list = (/** @type {string} */ name) => (choices.getAll(name).length ? choices.getAll(name) : null);
    const scopes = list("scope");
    if (!scopes) {
      setChildren(status, texts.tokenNeedsScope);
      return;
    }
    const body = {
      name: toOneLine(nameInput.value), scopes, board_ids: list("board"), max_role: roleSelect.value || null, resources: list("resource"),
      expires_at: expirySelect.value ? `${new Date(Date.now() + Number(expirySelect.value) * DAY_MS).toISOString().slice(0, 19)}Z` : null,
    };
    setChildren(status);
    try {
      onCreated(/** @type {TokenCreated} */ ((await api.request("POST", "users/me/tokens", { body })).body));
      form.reset();
    } catch (error) {
      setChildren(status, describeError(error));
    }
  };
  const form = h("form", { class: "inset-panel", onsubmit: ignoreDoubleClicks(submit) },
    createField(texts.tokenName, nameInput),
    h("fieldset", {}, h("legend", {}, texts.tokenScopes),
      Object.entries(texts.scopes).map(([value, label]) => createCheck("scope", value, label, value === "read"))),
    h("fieldset", {}, h("legend", {}, texts.tokenBoards), h("p", { class: "hint" }, texts.tokenAllHint), boardChecks),
    createField(texts.tokenMaxRole, roleSelect),
    h("details", {}, h("summary", {}, texts.tokenResources), h("p", { class: "hint" }, texts.tokenAllHint),
      h("div", { class: "choices two-columns" }, Object.entries(texts.resources).map(([value, label]) => createCheck("resource", value, label)))),
    createField(texts.tokenExpiry, expirySelect),
    status,
    h("button", { class: "primary" }, texts.tokenCreate));
  const showBoards = (/** @type {Board[]} */ boards) => setChildren(boardChecks, boards.map((board) => createCheck("board", board.id, board.name)));
  return { form, showBoards };
}

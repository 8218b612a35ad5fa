// The dialog in which an owner of the installation lets people in: by an invitation to no board, and by a sign-in link.

import { ignoreOutdated, ignoreDoubleClicks } from "./async-handlers.js";
import { createCloseButton, createCopyField, createField, createQrCode, openDialog } from "./components.js";
import { h, reconcile, setChildren } from "./dom.js";
import { createInvitationsSection } from "./invitations.js";
import { describeError, reportError } from "./notifications.js";
import { isLocalAddress, makeLink } from "./session.js";
import { texts } from "./texts.js";

/**
 * @typedef {import("./api.js").Schemas["User"]} User
 * @typedef {{items: User[], next_cursor: string | null}} UserPage
 */

const MAX_RESULTS = 20;
/** How many pages of users are looked through; one may be empty while more follow. */
const MAX_PAGES = 10;
const TYPING_PAUSE_MS = 250;

/** Open the dialog. @param {import("./api.js").Api} api */
export function openPeopleDialog(api) {
  const element = openDialog(texts.people,
    createCloseButton(texts.close, () => element.close()),
    h("h2", {}, texts.people),
    createInvitationsSection(api, "invitations"),
    createLetInSection(api));
  return element;
}

/** Create the section with the search for a user, and the sign-in link. @param {import("./api.js").Api} api */
function createLetInSection(api) {
  const searchInput = h("input", { type: "search", maxlength: 100, autocomplete: "off", spellcheck: "false", dir: "auto" });
  const list = h("ul", { class: "rows devices" });
  const status = h("p", { class: "hint", role: "status" });
  const linkHolder = h("div");

  const createLink = async (/** @type {User} */ user) => {
    try {
      const response = await api.request("POST", `users/${user.id}/sign-in-codes`);
      showLink(user, /** @type {import("./api.js").Schemas["SignInCode"]} */ (response.body).code);
    } catch (error) {
      reportError(error);
    }
  };
  const showLink = (/** @type {User} */ user, /** @type {string} */ code) => {
    const link = makeLink("sign-in", code);
    const field = createCopyField(texts.letInLinkOf(user.name), link);
    setChildren(linkHolder, h("div", { class: "inset-panel" },
      field,
      h("div", { class: "beside" },
        createQrCode(link, texts.otherDeviceQr),
        h("div", {}, h("p", { dir: "auto" }, texts.letInLinkHint(user.name)), isLocalAddress() ? h("p", { class: "hint" }, texts.localAddress) : null))));
    field.querySelector("button")?.focus();
    linkHolder.scrollIntoView({ block: "nearest" });
  };
  const createRow = (/** @type {User} */ user) => h("li", {},
    h("span", {},
      h("strong", { dir: "auto" }, user.name),
      user.kind === "bot" ? h("span", { class: "chip" }, texts.userBot) : null,
      user.state === "deactivated" ? h("span", { class: "chip" }, texts.userDeactivated) : null,
      h("small", {}, user.id)),
    // A bot doesn't sign in.
    user.state === "deactivated" || user.kind === "bot" ? null
      : h("button", { type: "button", "aria-label": texts.letInLinkOf(user.name), onclick: ignoreDoubleClicks(() => createLink(user)) }, texts.letInLink));

  const search = ignoreOutdated(
    async (/** @type {string} */ text) => {
      try {
        return { text, ...(await fetchUsers(api, text)), error: null };
      } catch (error) {
        return { text, users: [], hasMore: false, error };
      }
    },
    ({ text, users, hasMore, error }) => {
      reconcile(list, users, { key: ({ id }) => id, fingerprint: JSON.stringify, make: createRow });
      const isWithoutResult = text && !users.length;
      setChildren(status, error ? describeError(error) : hasMore ? texts.letInMore : isWithoutResult ? texts.letInNone : "");
    });
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  searchInput.addEventListener("input", () => {
    clearTimeout(timer);
    setChildren(linkHolder);
    timer = setTimeout(() => void search(searchInput.value.trim()), TYPING_PAUSE_MS);
  });
  return h("section", { "aria-label": texts.letIn },
    h("h3", {}, texts.letIn),
    h("p", { class: "hint" }, texts.letInHint),
    createField(texts.letInSearch, searchInput),
    status, list, linkHolder);
}

/**
 * Return the first users whose name or id has a text; none for an empty one.
 *
 * @param {import("./api.js").Api} api
 * @param {string} text
 * @returns {Promise<{users: User[], hasMore: boolean}>}
 */
async function fetchUsers(api, text) {
  if (!text) return { users: [], hasMore: false };
  /** @type {User[]} */
  const users = [];
  /** @type {string | undefined} */
  let cursor;
  for (let page = 1; page <= MAX_PAGES; page += 1) {
    const query = { q: text, limit: MAX_RESULTS, cursor };
    const { items, next_cursor: next } = /** @type {UserPage} */ ((await api.request("GET", "users", { query })).body);
    users.push(...items);
    if (next === null || users.length >= MAX_RESULTS) return { users: users.slice(0, MAX_RESULTS), hasMore: next !== null || users.length > MAX_RESULTS };
    cursor = next;
  }
  return { users, hasMore: true };
}

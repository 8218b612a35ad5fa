// The section with the user's accounts at providers, with which they sign in: adding one, and removing one.

import { Problem } from "./api.js";
import { createConfirmButton } from "./components.js";
import { h, reconcile, setChildren } from "./dom.js";
import { formatDate } from "./format.js";
import { describeError, notify, reportError } from "./notifications.js";
import { createProviderButtons, fetchProviders } from "./providers.js";
import { ask } from "./sign-out.js";
import { texts } from "./texts.js";

/**
 * @typedef {import("./api.js").Schemas["Identity"]} Identity
 * @typedef {import("./api.js").Schemas["SignInProvider"]} Provider
 */

/**
 * Create the section. It stays hidden if no provider is configured and the user has no account.
 *
 * @param {import("./api.js").Api} api
 * @returns {HTMLElement}
 */
export function createAccountsSection(api) {
  const list = h("ul", { class: "rows devices" });
  const state = h("p", { class: "hint", role: "status" });
  const buttonHolder = h("div");
  const section = h("section", { "aria-label": texts.accounts, hidden: true },
    h("h3", {}, texts.accounts), h("p", { class: "hint" }, texts.accountsHint), list, state, buttonHolder);
  /** @type {Map<string | null, string>} */
  const names = new Map();

  const draw = async () => {
    try {
      const { items: identities } = /** @type {import("./api.js").Schemas["IdentityPage"]} */ ((await api.request("GET", "users/me/identities")).body);
      reconcile(list, identities, { key: ({ id }) => id, fingerprint: JSON.stringify, make: createRow });
      if (identities.length) section.hidden = false;
    } catch (error) {
      setChildren(state, describeError(error));
    }
  };
  const createRow = (/** @type {Identity} */ identity) => {
    const name = names.get(identity.provider_id) ?? identity.issuer;
    return h("li", {},
      h("span", {},
        h("strong", { dir: "auto" }, name),
        identity.provider_id ? null : h("span", { class: "chip" }, texts.accountUnusable),
        h("small", { dir: "auto" }, identity.subject),
        h("small", {}, texts.accountSince(formatDate(identity.created_at)))),
      createConfirmButton(texts.remove, () => remove(identity, name), texts.accountRemove(name)));
  };
  const remove = async (/** @type {Identity} */ identity, /** @type {string} */ name, allowsLast = false) => {
    try {
      await api.request("DELETE", `users/me/identities/${identity.id}`, { query: { allow_last: allowsLast || undefined } });
      notify(texts.accountRemoved(name));
    } catch (error) {
      if (error instanceof Problem && error.code === "last_way_in") {
        ask(texts.signOutLast, texts.accountLastHint, [[texts.accountKeep, () => {}], [texts.accountLastYes, () => remove(identity, name, true)]]);
        return;
      }
      reportError(error);
    }
    await draw();
    buttonHolder.querySelector("button")?.focus();
  };
  const findUser = async () => /** @type {{id: string}} */ ((await api.request("GET", "users/me")).body).id;

  void fetchProviders().then((providers) => {
    for (const { id, name } of providers) names.set(id, name);
    setChildren(buttonHolder, createProviderButtons(providers, state, { label: texts.accountsAdd, describe: texts.accountAdd, findUser }));
    section.hidden = !providers.length;
    return draw();
  });
  return section;
}

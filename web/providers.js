// Signing in with a provider: the buttons, the way there, and the way back.
//
// The provider sends the browser back to this page with ?code=…&state=… or ?error=…&state=… What belongs to it is kept for
// the tab in sessionStorage, so a return that began in another browser signs nobody in. An invitation of the tab stays there
// too: the provider never sees it.

import { Api, Problem } from "./api.js";
import { ignoreDoubleClicks } from "./async-handlers.js";
import { h, setChildren } from "./dom.js";
import { describeError } from "./notifications.js";
import { describeDevice } from "./session.js";
import { texts } from "./texts.js";

/**
 * @typedef {import("./api.js").Schemas["SignInProvider"]} Provider
 * @typedef {import("./api.js").Schemas["ProviderSessionCreated"]} ProviderSessionCreated
 * @typedef {{provider: Provider, attempt: string, state: string | null, address: string, addTo: string | null}} Attempt
 *     `addTo` is the id of the signed-in user who adds the account, null if it signs in
 * @typedef {{state: string, code: string | null, issuer: string | null, error: string | null}} Return
 */

/** Where this tab keeps the sign-in that has begun. */
const ATTEMPT_KEY = "tackboard.attempt";

/** Fetch the providers; none if the server does not answer, because there are other ways in. @returns {Promise<Provider[]>} */
export async function fetchProviders() {
  try {
    const response = await new Api("").request("GET", "sign-in");
    return /** @type {import("./api.js").Schemas["SignIn"]} */ (response.body).providers;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return [];
  }
}

/**
 * Create the buttons that lead to the providers.
 *
 * @param {Provider[]} providers
 * @param {HTMLElement} status where an error is shown
 * @param {{label: string, describe: (name: string) => string, findUser?: () => Promise<string>}} [options] the label of the
 *     group and those of its buttons; `findUser` returns the id of the user to whom the account is added
 * @returns {HTMLElement | null} null if there are none
 */
export function createProviderButtons(providers, status, { label, describe, findUser } = { label: texts.providers, describe: texts.signInWith }) {
  if (!providers.length) return null;
  const leave = async (/** @type {Provider} */ provider) => {
    setChildren(status, texts.providerLeaving(provider.name));
    // A browser may keep the page as it was and show it again when the user comes back without signing in.
    window.addEventListener("pageshow", () => setChildren(status), { once: true });
    try {
      location.assign(await begin(provider, findUser ? await findUser() : null));
    } catch (error) {
      setChildren(status, h("span", { class: "error" }, describeError(error)));
    }
  };
  return h("div", { class: "stacked", role: "group", "aria-label": label },
    providers.map((provider) => h("button", { type: "button", dir: "auto", onclick: ignoreDoubleClicks(() => leave(provider)) }, describe(provider.name))));
}

/** Begin to sign in, or to add an account; return the address of the provider. @param {Provider} provider @param {string | null} addTo @returns {Promise<string>} */
async function begin(provider, addTo) {
  const body = { redirect_uri: new URL(".", location.href).href };
  const response = await new Api("").request("POST", `sign-in/${provider.id}/authorizations`, { body });
  const begun = /** @type {import("./api.js").Schemas["Authorization"]} */ (response.body);
  const state = new URL(begun.authorization_url).searchParams.get("state");
  /** @type {Attempt} */
  const attempt = { provider, attempt: begun.attempt, state, address: location.hash, addTo };
  sessionStorage.setItem(ATTEMPT_KEY, JSON.stringify(attempt));
  return begun.authorization_url;
}

/** Return what the provider has put into the address of this page; null if the browser comes from elsewhere. @returns {Return | null} */
export function readReturn() {
  const parameters = new URLSearchParams(location.search);
  const state = parameters.get("state");
  const [code, issuer, error] = ["code", "iss", "error"].map((name) => parameters.get(name));
  return state !== null && (code || error) ? { state, code: code ?? null, issuer: issuer ?? null, error: error ?? null } : null;
}

/** Return the sign-in that a return belongs to, and forget it; null if it is none of this tab. @param {Return} returned @returns {Attempt | null} */
export function takeAttempt(returned) {
  const stored = sessionStorage.getItem(ATTEMPT_KEY);
  const attempt = /** @type {Attempt | null} */ (stored && JSON.parse(stored));
  if (attempt?.state !== returned.state) return null;
  sessionStorage.removeItem(ATTEMPT_KEY);
  return attempt;
}

/** Forget a sign-in that has begun. */
export function forgetAttempt() {
  sessionStorage.removeItem(ATTEMPT_KEY);
}

/**
 * Sign in with what the provider has sent, and accept an invitation at once.
 *
 * @param {Attempt} attempt
 * @param {Return} returned with a code
 * @param {{id: string, secret: string} | null} invitation
 * @returns {Promise<ProviderSessionCreated>}
 * @throws {Problem}
 */
export async function createProviderSession({ provider, attempt }, { state, code, issuer }, invitation) {
  const body = { attempt, state, code, issuer, name: describeDevice(), invitation };
  const response = await new Api("").request("POST", `sign-in/${provider.id}/sessions`, { body });
  return /** @type {ProviderSessionCreated} */ (response.body);
}

/**
 * Add the account with which the provider has sent the browser back to the signed-in user.
 *
 * @param {Api} api of that user
 * @param {Attempt} attempt
 * @param {Return} returned with a code
 * @throws {Problem}
 */
export async function createIdentity(api, { provider, attempt }, { state, code, issuer }) {
  await api.request("POST", "users/me/identities", { body: { provider_id: provider.id, attempt, state, code, issuer } });
}

/** Say why nobody was signed in, or why an account was not added. @param {Attempt} attempt @param {unknown} error */
export function describeProviderError({ provider }, error) {
  if (!(error instanceof Problem)) return texts.failed;
  if (error.code === "sign_in_failed") return texts.providerFailed(provider.name);
  if (error.code === "identity_taken") return texts.accountTaken(provider.name);
  if (error.code === "not_invited") return provider.sign_up === "none" ? texts.providerUsersOnly(provider.name) : texts.providerNotInvited(provider.name);
  return describeError(error);
}

/** Say what an error of the provider means. Its own description could be any text. @param {Attempt} attempt @param {string} error */
export function describeReturnedError({ provider }, error) {
  if (["access_denied", "consent_required", "interaction_required", "login_required"].includes(error)) return texts.providerDeclined(provider.name);
  if (["server_error", "temporarily_unavailable"].includes(error)) return texts.providerUnavailable(provider.name);
  return texts.providerMisconfigured(provider.name, /^[a-z_]{1,40}$/.test(error) ? error : "?");
}

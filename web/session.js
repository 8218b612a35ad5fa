// Sessions: how a browser gets one, and how it ends. A session is kept as its token, in localStorage.

import { Api, Problem } from "./api.js";
import { texts } from "./texts.js";

/**
 * @typedef {import("./api.js").Schemas["SessionCreated"]} SessionCreated
 * @typedef {import("./api.js").Schemas["SignInCode"]} SignInCode
 * @typedef {{id: string, name: string}} User
 */

const MAX_CODE_LENGTH = 64;

/** @type {[RegExp, string][]} browsers in the order in which their names exclude the others, which they all mention */
const BROWSERS = [[/\bEdg/, "Edge"], [/\bOPR\//, "Opera"], [/\bSamsungBrowser\//, "Samsung Internet"], [/\b(Firefox|FxiOS)\//, "Firefox"], [/(Chrome|CriOS)\//, "Chrome"], [/\bSafari\//, "Safari"]];
/** @type {[RegExp, string][]} */
const SYSTEMS = [[/\bAndroid\b/, "Android"], [/\biPhone\b/, "iPhone"], [/\biPad\b/, "iPad"], [/\bWindows\b/, "Windows"], [/\bMac OS X\b/, "Mac"], [/\bCrOS\b/, "ChromeOS"], [/\bLinux\b/, "Linux"]];

/** Name this device, such as "Firefox on Linux". */
export function describeDevice() {
  const find = (/** @type {[RegExp, string][]} */ names) => names.find(([pattern]) => pattern.test(navigator.userAgent))?.[1];
  return texts.deviceName(find(BROWSERS) ?? texts.deviceBrowser, find(SYSTEMS));
}

/** Return the code in what was typed or pasted: a code, or a link with one. @param {string} text */
export function readCode(text) {
  const code = /#sign-in=([^&\s]*)/.exec(text)?.[1] ?? text;
  return code.replace(/[\p{Pd}\s]+/gu, "-").replace(/^-+|-+$/g, "").slice(0, MAX_CODE_LENGTH);
}

/** Return whether a text has the form of a code. @param {string} code */
export const isCode = (code) => /^[0-9A-Za-z-]+$/.test(code);

/**
 * Sign in with a code, which is used up.
 *
 * @param {string} code
 * @returns {Promise<SessionCreated>}
 * @throws {Problem} status 401: the code is wrong, used or expired
 */
export async function createSession(code) {
  const response = await new Api("").request("POST", "sessions", { body: { code, name: describeDevice() } });
  return /** @type {SessionCreated} */ (response.body);
}

/**
 * Get a session with a token, so that the browser keeps none that outlives signing out. A token that may not do this, such
 * as a narrow one, is returned itself.
 *
 * @param {string} token
 * @returns {Promise<{token: string, isNewSession: boolean}>}
 */
export async function exchangeToken(token) {
  try {
    const { code } = /** @type {SignInCode} */ ((await new Api(token).request("POST", "users/me/sign-in-codes")).body);
    return { token: (await createSession(code)).token, isNewSession: true };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { token, isNewSession: false };
  }
}

/** Fetch the user of a token; null if the server rejects the token. @param {string} token @returns {Promise<User | null>} */
export async function fetchUser(token) {
  try {
    return /** @type {User} */ ((await new Api(token).request("GET", "users/me")).body);
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return null;
    throw error;
  }
}

/**
 * End the session of a token on the server. There is nothing to end if it has ended, or if the token is not that of a
 * session.
 *
 * @param {string} token
 * @param {boolean} [allowsLast] whether the user may lose the last way to sign in
 * @throws {Problem} code last_way_in, or the server could not be reached
 */
export async function endSession(token, allowsLast = false) {
  try {
    await new Api(token).request("DELETE", "users/me/sessions/current", { query: allowsLast ? { allow_last: true } : {} });
  } catch (error) {
    if (!(error instanceof Problem) || ![401, 403, 404].includes(error.status)) throw error;
  }
}

/** End a session that is replaced by another one. If that fails, it stays in the list of devices. @param {string} token */
export async function endReplacedSession(token) {
  try {
    await endSession(token);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
  }
}

/** Return an address of this page with a secret in its fragment, which is sent to no server. @param {string} name @param {string} secret */
export const makeLink = (name, secret) => `${location.origin}${location.pathname}#${name}=${secret}`;

/** Return whether this page's address leads other devices to themselves. */
export const isLocalAddress = () => /^(localhost|127\..*|\[::1\])$/.test(location.hostname);

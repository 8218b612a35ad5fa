// The entry point of the page: sign-in and routing.
//
// Addresses: #/ (boards), #/boards/{id}, #/boards/{id}/flow. An address can contain #token=…, which is removed from it
// first, so that it is neither copied nor bookmarked. The token signs in if nobody is signed in; otherwise the user is
// asked first.

import { Api, Problem } from "./api.js";
import { showBoard } from "./board.js";
import { showBoards } from "./boards.js";
import { forgetUnsaved } from "./composer.js";
import { setChildren, h } from "./dom.js";
import { forgetDrafts } from "./drafts.js";
import { openDialog } from "./components.js";
import { showFlow } from "./flow.js";
import { showConnectionState, notify, describeError } from "./notifications.js";
import { showSignInForm } from "./sign-in.js";
import { texts } from "./texts.js";

/**
 * @typedef {object} ViewContext what every view is called with
 * @property {Api} api
 * @property {{id: string, name: string}} me
 * @property {HTMLElement} main the element to draw in
 * @property {HTMLElement} tools the element in the header for controls of the view
 * @property {(title: string) => void} setTitle
 * @property {() => boolean} isClosed whether another view is shown; the view must not draw any more then
 * @typedef {(context: ViewContext, id: string) => Promise<(() => void) | void>} View draws, and returns a function that closes the view
 */

const TOKEN_KEY = "tackboard.token";
/** Where Swagger UI stores the token, on the documentation page. */
const DOCS_AUTHORIZATION_KEY = "authorized";
/** @type {[RegExp, View][]} */
const VIEWS = [
  [/^#\/boards\/([a-z0-9_]+)\/flow$/, showFlow],
  [/^#\/boards\/([a-z0-9_]+)$/, showBoard],
  [/^(?:#\/)?$/, showBoards],
];

const main = /** @type {HTMLElement} */ (document.querySelector("main"));
const tools = /** @type {HTMLElement} */ (document.querySelector("#toolbar"));
const account = /** @type {HTMLElement} */ (document.querySelector("#account"));

/** @type {(() => void) | void} */
let closeView;
let navigationCount = 0;

/** The token of this page; another tab may have signed in or out since. */
let currentToken = "";
/** The user who was signed in last. */
let lastUserId = "";
/** The last address without a token, which replaces an address with one. */
let addressWithoutToken = "";

/** Remove the token from the address, if there is one, and return it. @returns {string | null} */
function takeTokenFromAddress() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token) history.replaceState(null, "", `${location.pathname}${location.search}${addressWithoutToken}`);
  else addressWithoutToken = location.hash;
  return token;
}

/** Fetch the user of a token; null if the server rejects the token. @param {string} token @returns {Promise<ViewContext["me"] | null>} */
async function fetchUser(token) {
  try {
    return /** @type {ViewContext["me"]} */ ((await new Api(token).request("GET", "users/me")).body);
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return null;
    throw error;
  }
}

/**
 * Sign in with a token from the address. A signed-in user stays signed in until the server has accepted the token and
 * the user has agreed, because a link can come from anybody.
 *
 * @param {string} token
 * @returns {Promise<boolean>} whether the token is in use now
 */
async function signInFromAddress(token) {
  const storedToken = localStorage.getItem(TOKEN_KEY);
  if (storedToken === token) return false;
  const storeToken = () => {
    localStorage.setItem(TOKEN_KEY, token);
    return true;
  };
  if (!storedToken) return storeToken();
  try {
    const [currentUser, newUser] = await Promise.all([fetchUser(storedToken), fetchUser(token)]);
    if (newUser && !currentUser) return storeToken();
    if (newUser && currentUser) confirmSwitch(currentUser, newUser, token);
    else notify(currentUser ? texts.addressTokenRejected(currentUser.name) : texts.tokenRejected, undefined, "error");
    return false;
  } catch (error) {
    notify(`${texts.addressTokenUnchecked} ${describeError(error)}`, undefined, "error");
    return false;
  }
}

/** Ask whether to switch to another token. @param {ViewContext["me"]} currentUser @param {ViewContext["me"]} newUser @param {string} token */
function confirmSwitch(currentUser, newUser, token) {
  const createChoice = (/** @type {string} */ label, /** @type {() => void} */ choose) =>
    h("button", { type: "button", onclick: () => { question.close(); choose(); } }, label);
  const isSameUser = currentUser.id === newUser.id;
  const switchToken = () => {
    localStorage.setItem(TOKEN_KEY, token);
    void showCurrentView();
  };
  const question = openDialog(texts.signIn,
    h("h2", {}, isSameUser ? texts.switchToken : texts.switchTo(newUser.name)),
    h("p", { dir: "auto" }, isSameUser ? texts.switchTokenHint(currentUser.name) : texts.switchHint(currentUser.name, newUser.name)),
    h("div", { class: "row" }, createChoice(isSameUser ? texts.switchTokenNo : texts.switchNo(currentUser.name), () => {}),
      createChoice(isSameUser ? texts.switchTokenYes : texts.switchYes(newUser.name), switchToken)));
}

/** Forget all text that has not been sent. */
function forgetUnsent() {
  forgetDrafts();
  forgetUnsaved();
}

/** Set the title of the browser's tab. @param {string} title */
function setTitle(title) {
  document.title = title ? `${title} – ${texts.product}` : texts.product;
}

/** Show the sign-in form. @param {string} [reason] why the user was signed out */
function showSignedOut(reason) {
  navigationCount += 1;
  closeCurrentView();
  // Another tab may have stored a newer token.
  if (localStorage.getItem(TOKEN_KEY) === currentToken) localStorage.removeItem(TOKEN_KEY);
  setChildren(account);
  setChildren(tools);
  setTitle(texts.signIn);
  showSignInForm(main, reason ?? "", (token) => {
    localStorage.setItem(TOKEN_KEY, token);
    void showCurrentView();
  });
}

/** Sign out and forget everything that was typed. */
function signOut() {
  forgetUnsent();
  localStorage.removeItem(TOKEN_KEY);
  localStorage.removeItem(DOCS_AUTHORIZATION_KEY);
  showSignedOut(texts.signedOut);
}

/** Close the current view and its dialogs. */
function closeCurrentView() {
  closeView?.();
  closeView = undefined;
}

/** Show that the page is loading. */
function showLoading() {
  setChildren(main, h("p", { class: "loading" }, texts.loading));
}

/** Show the view of the current address, or the sign-in form. */
async function showCurrentView() {
  const navigation = (navigationCount += 1);
  closeCurrentView();
  showConnectionState("");
  setChildren(tools);
  showLoading();
  const token = localStorage.getItem(TOKEN_KEY);
  if (!token) {
    showSignedOut();
    return;
  }
  currentToken = token;
  const api = new Api(token);
  try {
    const me = /** @type {ViewContext["me"]} */ ((await api.request("GET", "users/me")).body);
    // Nobody may see what another user has typed.
    if (lastUserId && lastUserId !== me.id) forgetUnsent();
    lastUserId = me.id;
    setChildren(account, h("span", { class: "user-name" }, me.name), h("button", { type: "button", onclick: signOut }, texts.signOut));
    const route = VIEWS.map(([pattern, view]) => ({ view, match: pattern.exec(location.hash) })).find(({ match }) => match);
    if (navigation !== navigationCount) return;
    if (!route) throw new Problem(404, "not_found", texts.notFound);
    const isClosed = () => navigation !== navigationCount;
    const close = await route.view({ api, me, main, tools, setTitle, isClosed }, route.match?.[1] ?? "");
    if (navigation === navigationCount) closeView = close;
    else close?.();
  } catch (error) {
    if (navigation === navigationCount) showError(error);
  }
}

/** Show an error in place of the view. @param {unknown} error */
function showError(error) {
  if (error instanceof Problem && error.status === 401) {
    showSignedOut(texts.tokenRejected);
    return;
  }
  closeCurrentView();
  const isNotFound = error instanceof Problem && error.status === 404;
  setTitle("");
  setChildren(
    main,
    h("div", { class: "centred", role: "alert" },
      h("h1", {}, isNotFound ? texts.notFound : describeError(error)),
      h("p", {}, isNotFound
        ? h("a", { href: "#/" }, texts.boards)
        : h("button", { type: "button", class: "primary", onclick: () => void showCurrentView() }, texts.retry))),
  );
  if (!(error instanceof Problem)) console.error(error);
}

document.documentElement.lang = texts.language;
setChildren(/** @type {HTMLElement} */ (document.querySelector(".skip-link")), texts.skip);
window.addEventListener("hashchange", () => {
  const addressToken = takeTokenFromAddress();
  if (!addressToken) void showCurrentView();
  else void signInFromAddress(addressToken).then((isNew) => { if (isNew) void showCurrentView(); });
});
// Signing in or out takes effect in all tabs of this browser.
window.addEventListener("storage", ({ key, newValue }) => {
  if (key !== TOKEN_KEY || newValue === currentToken) return;
  if (newValue) void showCurrentView();
  else showSignedOut(texts.signedOut);
});
window.addEventListener("tackboard:signed-out", () => showSignedOut(texts.tokenRejected));
window.addEventListener("tackboard:board-lost", (event) => showError(/** @type {CustomEvent} */ (event).detail));
showLoading();
const addressToken = takeTokenFromAddress();
if (addressToken) await signInFromAddress(addressToken);
void showCurrentView();

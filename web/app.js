// The entry point of the page: sign-in and routing.
//
// Addresses: #/ (boards), #/boards/{id}, #/boards/{id}/flow. An address can contain a secret: #token=… or #sign-in=… It is
// removed from the address first, so that it is neither copied nor bookmarked. It signs in if nobody is signed in;
// otherwise the user is asked first. #invite=… shows an invitation in place of the view, until it is accepted or left.
// A provider sends the browser back with ?code=… or ?error=…, which is removed in the same way.

import { createAccountMenu } from "./account-menu.js";
import { Api, Problem } from "./api.js";
import { showBoard } from "./board.js";
import { showBoards } from "./boards.js";
import { forgetUnsaved } from "./composer.js";
import { openDevicesDialog } from "./devices-dialog.js";
import { setChildren, h } from "./dom.js";
import { forgetDrafts } from "./drafts.js";
import { showFlow } from "./flow.js";
import { greetAccepted, readInvitationLink, showInvitation } from "./invitation.js";
import { showConnectionState, notify, describeError } from "./notifications.js";
import { openPeopleDialog } from "./people-dialog.js";
import { createIdentity, createProviderSession, describeProviderError, describeReturnedError, forgetAttempt, readReturn, takeAttempt } from "./providers.js";
import { createSession, endReplacedSession, endSession, exchangeToken, fetchUser, isCode, readCode } from "./session.js";
import { showSignInForm } from "./sign-in.js";
import { ask, signOut } from "./sign-out.js";
import { texts } from "./texts.js";

/**
 * @typedef {object} ViewContext what every view is called with
 * @property {Api} api
 * @property {{id: string, name: string, installation_role?: string | null}} me
 * @property {HTMLElement} main the element to draw in
 * @property {HTMLElement} tools the element in the header for controls of the view
 * @property {(title: string) => void} setTitle
 * @property {() => boolean} isClosed whether another view is shown; the view must not draw any more then
 * @typedef {(context: ViewContext, id: string) => Promise<(() => void) | void>} View draws, and returns a function that closes the view
 */

const TOKEN_KEY = "tackboard.token";
/** Where this tab keeps the invitation that it shows, so that signing in or reloading does not lose it. */
const INVITATION_KEY = "tackboard.invitation";
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
/** The last address without a secret, which replaces an address with one. */
let addressWithoutSecret = "";
/** Why the user is signed out, for the sign-in form. */
let signedOutReason = "";
/** Whether the user has just signed in with a token, perhaps for the first time. */
let isNewHere = false;

/** Remove the secret from the address, if there is one, and return it. @returns {{kind: "token" | "sign-in" | "invite", value: string} | null} */
function takeSecretFromAddress() {
  const parameters = new URLSearchParams(location.hash.slice(1));
  for (const kind of /** @type {const} */ (["token", "sign-in", "invite"])) {
    const value = parameters.get(kind);
    if (!value) continue;
    history.replaceState(null, "", `${location.pathname}${location.search}${addressWithoutSecret}`);
    return { kind, value };
  }
  addressWithoutSecret = location.hash;
  return null;
}

/** Keep the token of a session, or one that can't get a session. @param {string} token @param {string} [replacedToken] */
function storeToken(token, replacedToken) {
  localStorage.setItem(TOKEN_KEY, token);
  if (replacedToken) void endReplacedSession(replacedToken);
}

/** Get a session with a token and keep it. @param {string} token @param {string} [replacedToken] */
async function signInWithToken(token, replacedToken) {
  const exchanged = await exchangeToken(token);
  isNewHere = exchanged.isNewSession;
  storeToken(exchanged.token, replacedToken);
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
  if (!storedToken) {
    await signInWithToken(token);
    return true;
  }
  try {
    const [currentUser, newUser] = await Promise.all([fetchUser(storedToken), fetchUser(token)]);
    if (newUser && !currentUser) {
      await signInWithToken(token);
      return true;
    }
    if (newUser && currentUser) {
      confirmSwitch(currentUser, newUser, async () => {
        await signInWithToken(token, storedToken);
        void showCurrentView();
      });
    } else notify(currentUser ? texts.addressTokenRejected(currentUser.name) : texts.tokenRejected, undefined, "error");
    return false;
  } catch (error) {
    notify(`${texts.addressTokenUnchecked} ${describeError(error)}`, undefined, "error");
    return false;
  }
}

/** Ask whether to switch to another token. @param {ViewContext["me"]} currentUser @param {ViewContext["me"]} newUser @param {() => unknown} switchToken @param {() => unknown} [stay] */
function confirmSwitch(currentUser, newUser, switchToken, stay = () => {}) {
  const isSameUser = currentUser.id === newUser.id;
  const dialog = ask(isSameUser ? texts.switchToken : texts.switchTo(newUser.name),
    isSameUser ? texts.switchTokenHint(currentUser.name) : texts.switchHint(currentUser.name, newUser.name),
    [[isSameUser ? texts.switchTokenNo : texts.switchNo(currentUser.name), stay], [isSameUser ? texts.switchTokenYes : texts.switchYes(newUser.name), switchToken]]);
  dialog.addEventListener("cancel", () => void stay());
}

/**
 * Sign in with the code of a link. A signed-in user is asked before the code is used, and again before becoming someone
 * else: only a used code says whose it was.
 *
 * @param {string} linkCode
 * @returns {Promise<boolean>} whether a new session is in use now
 */
async function signInByLink(linkCode) {
  const code = readCode(linkCode);
  const storedToken = localStorage.getItem(TOKEN_KEY);
  try {
    const currentUser = storedToken && (await fetchUser(storedToken));
    if (currentUser) {
      ask(texts.linkUse, texts.linkUseHint(currentUser.name),
        [[texts.switchNo(currentUser.name), () => {}], [texts.linkUseYes, () => switchByCode(code, currentUser, storedToken)]]);
      return false;
    }
    storeToken((await useCode(code)).token);
    return true;
  } catch (error) {
    signedOutReason = describeCodeError(error);
    if (storedToken) notify(signedOutReason, undefined, "error");
    return false;
  }
}

/** Use a code while somebody is signed in. @param {string} code @param {ViewContext["me"]} currentUser @param {string} storedToken */
async function switchByCode(code, currentUser, storedToken) {
  try {
    const { user, token } = await useCode(code);
    const switchSession = () => {
      storeToken(token, storedToken);
      void showCurrentView();
    };
    if (user.id === currentUser.id) switchSession();
    else confirmSwitch(currentUser, user, switchSession, () => endSession(token, true));
  } catch (error) {
    notify(`${describeCodeError(error)} ${texts.stillSignedIn(currentUser.name)}`, undefined, "error");
  }
}

/** @param {string} code */
function useCode(code) {
  if (!isCode(code)) throw new Problem(401, "sign_in_failed", "");
  return createSession(code);
}

/** @param {unknown} error */
const describeCodeError = (error) => (error instanceof Problem && error.status === 401 ? texts.linkRejected : describeError(error));

/**
 * End what a provider has sent the browser back with: a sign-in, or an account that a user adds. A signed-in user stays so
 * if it fails.
 *
 * @param {import("./providers.js").Return} returned
 */
async function finishProviderSignIn(returned) {
  const attempt = takeAttempt(returned);
  history.replaceState(null, "", `${location.pathname}${attempt?.address ?? location.hash}`);
  addressWithoutSecret = location.hash;
  const storedToken = localStorage.getItem(TOKEN_KEY) ?? undefined;
  const explain = (/** @type {string} */ reason) => {
    if (storedToken) notify(reason, undefined, "error");
    else signedOutReason = reason;
  };
  if (!attempt || returned.error) {
    explain(attempt ? describeReturnedError(attempt, returned.error ?? "") : texts.providerElsewhere);
    return;
  }
  if (attempt.addTo) {
    await addAccount(attempt, returned, explain);
    return;
  }
  const invitation = readInvitationLink(sessionStorage.getItem(INVITATION_KEY) ?? "");
  setChildren(main, h("p", { class: "loading", role: "status" }, texts.signingIn));
  try {
    const created = await createProviderSession(attempt, returned, invitation);
    storeToken(created.token, storedToken);
    if (invitation) sessionStorage.removeItem(INVITATION_KEY);
    if (created.board) {
      history.replaceState(null, "", `${location.pathname}#/boards/${created.board.id}`);
      greetAccepted(created, showOtherDevice);
    }
  } catch (error) {
    explain(describeProviderError(attempt, error));
  }
}

/**
 * Add an account to the user who has begun to, unless somebody else has signed in here since.
 *
 * @param {import("./providers.js").Attempt} attempt
 * @param {import("./providers.js").Return} returned
 * @param {(reason: string) => void} explain shows why it was not added
 */
async function addAccount(attempt, returned, explain) {
  const api = new Api(localStorage.getItem(TOKEN_KEY) ?? "");
  const { name } = attempt.provider;
  try {
    const user = await fetchUser(api.token);
    if (user?.id !== attempt.addTo) {
      explain(texts.accountOtherUser(name));
      return;
    }
    await createIdentity(api, attempt, returned);
    notify(texts.accountAdded(name), { label: texts.accounts, run: () => openDevicesDialog(api) });
  } catch (error) {
    explain(describeProviderError(attempt, error));
  }
}

/** Show the signed-in user how to sign in on another device. */
function showOtherDevice() {
  openDevicesDialog(new Api(localStorage.getItem(TOKEN_KEY) ?? ""), { showsCode: true });
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
function showSignedOut(reason = "") {
  navigationCount += 1;
  closeCurrentView();
  // Another tab may have stored a newer token.
  if (localStorage.getItem(TOKEN_KEY) === currentToken) localStorage.removeItem(TOKEN_KEY);
  setChildren(account);
  setChildren(tools);
  setTitle(texts.signIn);
  if (sessionStorage.getItem(INVITATION_KEY)) {
    showInvitationTo(null, null, reason);
    return;
  }
  showSignIn(reason);
}

/** Show the sign-in form. @param {string} [reason] @param {HTMLElement | null} [back] leads to where the user came from */
function showSignIn(reason = "", back = null) {
  // A session that is replaced ends.
  const replacedToken = localStorage.getItem(TOKEN_KEY) ?? undefined;
  showSignInForm(main, reason, {
    back,
    onSession: (token) => {
      storeToken(token, replacedToken);
      void showCurrentView();
    },
    onToken: async (token) => {
      await signInWithToken(token, replacedToken);
      void showCurrentView();
    },
  });
}

/** Show the invitation of this tab. @param {Api | null} api @param {ViewContext["me"] | null} me @param {string} [reason] why nobody was signed in just now */
function showInvitationTo(api, me, reason = "") {
  const navigation = navigationCount;
  setTitle(texts.invitationTitle);
  const leave = () => {
    sessionStorage.removeItem(INVITATION_KEY);
    void showCurrentView();
  };
  void showInvitation(main, sessionStorage.getItem(INVITATION_KEY) ?? "", {
    api, me, reason, isClosed: () => navigation !== navigationCount, onLeave: leave,
    onSignIn: () => {
      navigationCount += 1;
      showSignIn("", h("button", { type: "button", class: "quiet", onclick: () => void showCurrentView() }, texts.invitationBack));
    },
    onAccepted: (accepted) => {
      sessionStorage.removeItem(INVITATION_KEY);
      if (accepted.token) storeToken(accepted.token);
      const address = accepted.board ? `#/boards/${accepted.board.id}` : "#/";
      if (location.hash === address) void showCurrentView();
      else location.hash = address;
      greetAccepted(accepted, showOtherDevice);
    },
  });
}

/** Forget the session and everything that was typed. */
function forgetSession() {
  forgetUnsent();
  localStorage.removeItem(TOKEN_KEY);
  localStorage.removeItem(DOCS_AUTHORIZATION_KEY);
  sessionStorage.removeItem(INVITATION_KEY);
  forgetAttempt();
  showSignedOut(texts.signedOut);
}

/** Show the name of the user and the menu under it. @param {Api} api @param {ViewContext["me"]} me */
function showAccount(api, me) {
  setChildren(account, createAccountMenu(me, [
    [texts.devicesAndKeys, () => openDevicesDialog(api)],
    [texts.otherDevice, showOtherDevice],
    .../** @type {[string, () => unknown][]} */ (me.installation_role === "owner" ? [[texts.people, () => openPeopleDialog(api)]] : []),
    [texts.signOut, () => signOut(api.token, { forget: forgetSession, showOtherDevice })],
  ]));
}

/** Tell the user of a first session how to sign in elsewhere. @param {Api} api @param {() => boolean} isClosed */
async function showWelcome(api, isClosed) {
  isNewHere = false;
  const { items } = /** @type {{items: unknown[]}} */ ((await api.request("GET", "users/me/sessions", { query: { limit: 2 } })).body);
  const page = main.querySelector(".page");
  if (items.length !== 1 || isClosed() || !page) return;
  const welcome = h("section", { class: "panel", "aria-label": texts.welcome },
    h("p", {}, texts.welcomeHint),
    h("div", { class: "row" },
      h("button", { type: "button", onclick: () => openDevicesDialog(api, { showsCode: true }) }, texts.otherDevice),
      h("button", { type: "button", class: "quiet", onclick: () => welcome.remove() }, texts.welcomeClose)));
  page.prepend(welcome);
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
    showSignedOut(signedOutReason);
    signedOutReason = "";
    return;
  }
  currentToken = token;
  const api = new Api(token);
  try {
    const me = /** @type {ViewContext["me"]} */ ((await api.request("GET", "users/me")).body);
    // Nobody may see what another user has typed.
    if (lastUserId && lastUserId !== me.id) forgetUnsent();
    lastUserId = me.id;
    if (sessionStorage.getItem(INVITATION_KEY)) {
      if (navigation !== navigationCount) return;
      showAccount(api, me);
      showInvitationTo(api, me);
      return;
    }
    const route = VIEWS.map(([pattern, view]) => ({ view, match: pattern.exec(location.hash) })).find(({ match }) => match);
    if (navigation !== navigationCount) return;
    if (!route) throw new Problem(404, "not_found", texts.notFound);
    const isClosed = () => navigation !== navigationCount;
    const context = { api, me, main, tools, setTitle, isClosed };
    showAccount(api, me);
    const close = await route.view(context, route.match?.[1] ?? "");
    if (isClosed()) close?.();
    else closeView = close;
    if (isNewHere) await showWelcome(api, isClosed);
  } catch (error) {
    if (navigation === navigationCount) showError(error);
  }
}

/** Show an error in place of the view. @param {unknown} error */
function showError(error) {
  if (error instanceof Problem && error.status === 401) {
    showSignedOut(texts.sessionEnded);
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
window.addEventListener("hashchange", () => void openAddress(false));
// Signing in or out takes effect in all tabs of this browser.
window.addEventListener("storage", ({ key, newValue }) => {
  if (key !== TOKEN_KEY || newValue === currentToken) return;
  if (newValue) void showCurrentView();
  else showSignedOut(texts.signedOut);
});
window.addEventListener("tackboard:signed-out", () => showSignedOut(texts.sessionEnded));
window.addEventListener("tackboard:board-lost", (event) => showError(/** @type {CustomEvent} */ (event).detail));
showLoading();
void openAddress(true);

/** Use the secret of the address if there is one, and show the view of the address. @param {boolean} isFirst whether nothing is shown yet */
async function openAddress(isFirst) {
  const returned = isFirst && readReturn();
  if (returned) {
    await finishProviderSignIn(returned);
    void showCurrentView();
    return;
  }
  const secret = takeSecretFromAddress();
  if (secret?.kind === "invite") {
    sessionStorage.setItem(INVITATION_KEY, secret.value);
    void showCurrentView();
    return;
  }
  // Whoever goes elsewhere leaves the invitation; a reload does not.
  if (!isFirst && !secret) sessionStorage.removeItem(INVITATION_KEY);
  const isNew = secret && (await (secret.kind === "token" ? signInFromAddress(secret.value) : signInByLink(secret.value)));
  // A question, or an error, is shown above the view that is open.
  if (!secret || isNew || isFirst || signedOutReason) void showCurrentView();
}

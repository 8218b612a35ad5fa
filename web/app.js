// Where the page begins: who is signed in, and which view the address asks for.
//
// Addresses: #/ (boards), #/boards/{id}, #/boards/{id}/flow. An address may carry #token=…, which is taken out of it
// before anything else happens, so that it is neither copied nor bookmarked. It signs in where nobody is signed in; where
// somebody is, they are asked first.

import { Api, Problem } from "./api.js";
import { board } from "./board.js";
import { boards } from "./boards.js";
import { forgetUnsaved } from "./composer.js";
import { fill, h } from "./dom.js";
import { forgetDrafts } from "./drafts.js";
import { dialog } from "./faces.js";
import { flow } from "./flow.js";
import { condition, note, sentence } from "./notice.js";
import { signIn } from "./signin.js";
import { words } from "./words.js";

/**
 * @typedef {object} Desk what every view gets
 * @property {Api} api
 * @property {{id: string, name: string}} me
 * @property {HTMLElement} main to draw in
 * @property {HTMLElement} tools a place in the header
 * @property {(title: string) => void} entitle
 * @property {() => boolean} isLeft whether the reader has gone elsewhere: then nothing may be drawn any more
 * @typedef {(desk: Desk, id: string) => Promise<(() => void) | void>} View draws, and answers how to stop
 */

const KEPT = "tackboard.token";
/** Where the page of the API's documentation keeps what its reader has signed in with. */
const KEPT_BY_DOCS = "authorized";
/** @type {[RegExp, View][]} */
const VIEWS = [
  [/^#\/boards\/([a-z0-9_]+)\/flow$/, flow],
  [/^#\/boards\/([a-z0-9_]+)$/, board],
  [/^(?:#\/)?$/, boards],
];

const main = /** @type {HTMLElement} */ (document.querySelector("main"));
const tools = /** @type {HTMLElement} */ (document.querySelector("#tools"));
const account = /** @type {HTMLElement} */ (document.querySelector("#account"));

/** @type {(() => void) | void} */
let leave;
let visit = 0;

/** The token that is signed in with, as far as this page knows: another page may have signed in or out since. */
let current = "";
/** Who was signed in last. */
let last = "";
/** The address without a token, to go back to from one with a token. */
let address = "";

/** Take the token out of the address, if it carries one. @returns {string | null} */
function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) history.replaceState(null, "", `${location.pathname}${location.search}${address}`);
  else address = location.hash;
  return given;
}

/** Who a token belongs to, or null if the server refuses it. @param {string} token @returns {Promise<Desk["me"] | null>} */
async function ownerOf(token) {
  try {
    return /** @type {Desk["me"]} */ ((await new Api(token).ask("GET", "users/me")).body);
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return null;
    throw error;
  }
}

/**
 * Sign in with a token that came with the address. Whoever is signed in stays so until the new token has been accepted
 * and they have agreed: a link may come from anybody.
 *
 * @param {string} token
 * @returns {Promise<boolean>} whether it is signed in with now
 */
async function arrive(token) {
  const kept = localStorage.getItem(KEPT);
  if (kept === token) return false;
  const take = () => {
    localStorage.setItem(KEPT, token);
    return true;
  };
  if (!kept) return take();
  try {
    const [old, given] = await Promise.all([ownerOf(kept), ownerOf(token)]);
    if (given && !old) return take();
    if (given && old) askToSwitch(old, given, token);
    else note(old ? words.tokenGivenRefused(old.name) : words.tokenRefused, undefined, "trouble");
    return false;
  } catch (error) {
    note(`${words.tokenGivenUnchecked} ${sentence(error)}`, undefined, "trouble");
    return false;
  }
}

/** @param {Desk["me"]} old @param {Desk["me"]} given @param {string} token */
function askToSwitch(old, given, token) {
  const button = (/** @type {string} */ word, /** @type {() => void} */ act) =>
    h("button", { type: "button", onclick: () => { element.close(); act(); } }, word);
  const isSame = old.id === given.id;
  const switched = () => {
    localStorage.setItem(KEPT, token);
    void show();
  };
  const element = dialog(words.signIn,
    h("h2", {}, isSame ? words.switchToken : words.switchTo(given.name)),
    h("p", { dir: "auto" }, isSame ? words.switchTokenHint(old.name) : words.switchHint(old.name, given.name)),
    h("div", { class: "row" }, button(isSame ? words.switchTokenNo : words.switchNo(old.name), () => {}),
      button(isSame ? words.switchTokenYes : words.switchYes(given.name), switched)));
}

/** Forget what was typed and not sent. */
function forgetAll() {
  forgetDrafts();
  forgetUnsaved();
}

/** @param {string} title */
function entitle(title) {
  document.title = title ? `${title} – ${words.product}` : words.product;
}

/** @param {string} [reason] */
function signedOut(reason) {
  visit += 1;
  stop();
  // Another page of this browser may have signed in with a newer one.
  if (localStorage.getItem(KEPT) === current) localStorage.removeItem(KEPT);
  fill(account);
  fill(tools);
  entitle(words.signIn);
  signIn(main, reason ?? "", (token) => {
    localStorage.setItem(KEPT, token);
    void show();
  });
}

function leaveForGood() {
  forgetAll();
  localStorage.removeItem(KEPT);
  localStorage.removeItem(KEPT_BY_DOCS);
  signedOut(words.signedOut);
}

/** Stop the view that is shown, and take its dialogs away. */
function stop() {
  leave?.();
  leave = undefined;
}

function load() {
  fill(main, h("p", { class: "loading" }, words.loading));
}

async function show() {
  const turn = (visit += 1);
  stop();
  condition("");
  fill(tools);
  load();
  const token = localStorage.getItem(KEPT);
  if (!token) {
    signedOut();
    return;
  }
  current = token;
  const api = new Api(token);
  try {
    const me = /** @type {Desk["me"]} */ ((await api.ask("GET", "users/me")).body);
    // What somebody typed is for nobody else.
    if (last && last !== me.id) forgetAll();
    last = me.id;
    fill(account, h("span", { class: "who" }, me.name), h("button", { type: "button", onclick: leaveForGood }, words.signOut));
    const found = VIEWS.map(([pattern, view]) => ({ view, match: pattern.exec(location.hash) })).find(({ match }) => match);
    if (turn !== visit) return;
    if (!found) throw new Problem(404, "not_found", words.notThere);
    const isLeft = () => turn !== visit;
    const left = await found.view({ api, me, main, tools, entitle, isLeft }, found.match?.[1] ?? "");
    if (turn === visit) leave = left;
    else left?.();
  } catch (error) {
    if (turn === visit) failed(error);
  }
}

/** @param {unknown} error */
function failed(error) {
  if (error instanceof Problem && error.status === 401) {
    signedOut(words.tokenRefused);
    return;
  }
  stop();
  const isAbsent = error instanceof Problem && error.status === 404;
  entitle("");
  fill(
    main,
    h("div", { class: "centred", role: "alert" },
      h("h1", {}, isAbsent ? words.notThere : sentence(error)),
      h("p", {}, isAbsent
        ? h("a", { href: "#/" }, words.boards)
        : h("button", { type: "button", class: "primary", onclick: () => void show() }, words.retry))),
  );
  if (!(error instanceof Problem)) console.error(error);
}

document.documentElement.lang = words.language;
fill(/** @type {HTMLElement} */ (document.querySelector(".skip")), words.skip);
window.addEventListener("hashchange", () => {
  const given = takeToken();
  if (!given) void show();
  else void arrive(given).then((isNew) => { if (isNew) void show(); });
});
// Who signs out, or signs in as someone else, does so in all pages of this browser.
window.addEventListener("storage", ({ key, newValue }) => {
  if (key !== KEPT || newValue === current) return;
  if (newValue) void show();
  else signedOut(words.signedOut);
});
window.addEventListener("tackboard:signed-out", () => signedOut(words.tokenRefused));
window.addEventListener("tackboard:lost", (event) => failed(/** @type {CustomEvent} */ (event).detail));
load();
const given = takeToken();
if (given) await arrive(given);
void show();

// Where the page begins: who is signed in, and which view the address asks for.
//
// Addresses: #/ (boards), #/boards/{id}, #/boards/{id}/flow. A first address may carry #token=…, which is taken out
// of it before anything else happens, so that it is neither copied nor bookmarked.

import { Api, Problem } from "./api.js";
import { board } from "./board.js";
import { boards } from "./boards.js";
import { fill, h } from "./dom.js";
import { forgetDrafts } from "./drafts.js";
import { flow } from "./flow.js";
import { condition, sentence } from "./notice.js";
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

const given = new URLSearchParams(location.hash.slice(1)).get("token");
if (given) {
  localStorage.setItem(KEPT, given);
  history.replaceState(null, "", `${location.pathname}${location.search}`);
}

/** @param {string} title */
function entitle(title) {
  document.title = title ? `${title} – ${words.product}` : words.product;
}

/** @param {string} [reason] */
function signedOut(reason) {
  visit += 1;
  stop();
  localStorage.removeItem(KEPT);
  fill(account);
  fill(tools);
  entitle(words.signIn);
  signIn(main, reason ?? "", (token) => {
    localStorage.setItem(KEPT, token);
    void show();
  });
}

function leaveForGood() {
  forgetDrafts();
  signedOut(words.signedOut);
}

/** Stop the view that is shown, and take its dialogs away. */
function stop() {
  leave?.();
  leave = undefined;
}

async function show() {
  const turn = (visit += 1);
  stop();
  condition("");
  fill(tools);
  fill(main, h("p", { class: "loading" }, words.loading));
  const token = localStorage.getItem(KEPT);
  if (!token) {
    signedOut();
    return;
  }
  const api = new Api(token);
  try {
    const me = /** @type {Desk["me"]} */ ((await api.ask("GET", "users/me")).body);
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
window.addEventListener("hashchange", () => void show());
window.addEventListener("tackboard:signed-out", () => signedOut(words.tokenRefused));
window.addEventListener("tackboard:lost", (event) => failed(/** @type {CustomEvent} */ (event).detail));
void show();

// Signing out: the session ends on the server first, and the user is asked if that needs a decision.

import { Problem } from "./api.js";
import { openDialog } from "./components.js";
import { h } from "./dom.js";
import { describeError } from "./notifications.js";
import { endSession } from "./session.js";
import { texts } from "./texts.js";

/**
 * End a session and forget it. If the user could not sign in again, or if the server does not answer, ask first.
 *
 * @param {string} token
 * @param {{forget: () => void, showOtherDevice: () => void}} actions what this browser does then, and what leads to another way in
 */
export async function signOut(token, { forget, showOtherDevice }) {
  try {
    await endSession(token);
    forget();
  } catch (error) {
    if (error instanceof Problem && error.code === "last_way_in") askBeforeLast(token, forget, showOtherDevice);
    else ask(texts.signOutFailed, `${describeError(error)} ${texts.signOutFailedHint}`, [[texts.signOutHere, forget], [texts.stay, () => {}]]);
  }
}

/** @param {string} token @param {() => void} forget @param {() => void} showOtherDevice */
function askBeforeLast(token, forget, showOtherDevice) {
  const signOutForGood = async () => {
    try {
      await endSession(token, true);
      forget();
    } catch (error) {
      ask(texts.signOutFailed, `${describeError(error)} ${texts.signOutFailedHint}`, [[texts.signOutHere, forget], [texts.stay, () => {}]]);
    }
  };
  ask(texts.signOutLast, texts.signOutLastHint, [[texts.signOutLastOther, showOtherDevice], [texts.stay, () => {}], [texts.signOutLastYes, signOutForGood]]);
}

/**
 * Ask a question; Escape chooses nothing.
 *
 * @param {string} question
 * @param {string} hint
 * @param {[label: string, choose: () => unknown][]} choices
 */
export function ask(question, hint, choices) {
  const dialog = openDialog(question,
    h("h2", { dir: "auto" }, question),
    h("p", { dir: "auto" }, hint),
    h("div", { class: "row" }, choices.map(([label, choose]) =>
      h("button", { type: "button", onclick: () => { dialog.close(); void choose(); } }, label))));
  return dialog;
}

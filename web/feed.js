// Following a board: asks for events after the last one that was seen, and tells when there are any.
//
// An unchanged board costs the server a 304. Hidden, idle or failing, it asks less often.

import { Problem } from "./api.js";
import { condition } from "./notice.js";
import { words } from "./words.js";

const LIVELY = 1_200;
const IDLE = 5_000;
const IDLE_AFTER = 120_000;
const LONGEST = 30_000;

/**
 * Follow a board until the function that this answers is called.
 *
 * @param {import("./api.js").Api} api
 * @param {string} boardId
 * @param {() => number} seen the seq that is on the screen
 * @param {() => Promise<unknown>} changed called when there is more
 * @param {(error: Problem) => void} lost called when the board, or the right to see it, is gone; the end
 * @returns {() => void}
 */
export function follow(api, boardId, seen, changed, lost) {
  const stopping = new AbortController();
  const { signal } = stopping;
  /** @type {string | null} */
  let tag = null;
  let asked = -1;
  let failures = 0;
  let active = Date.now();
  /** @type {(() => void) | undefined} */
  let wake;

  const stir = () => {
    active = Date.now();
    if (!document.hidden) wake?.();
  };
  for (const name of ["online", "focus"]) window.addEventListener(name, stir, { signal });
  document.addEventListener("visibilitychange", stir, { signal });
  for (const name of ["pointerdown", "keydown"]) {
    document.addEventListener(name, () => { active = Date.now(); }, { signal, passive: true });
  }
  window.addEventListener("offline", () => condition(words.offline), { signal });

  const pause = () => {
    if (failures) return Math.min(LIVELY * 2 ** failures, LONGEST);
    if (document.hidden) return LONGEST;
    return Date.now() - active > IDLE_AFTER ? IDLE : LIVELY;
  };

  const look = async () => {
    const after = seen();
    const known = after === asked ? tag : null;
    const answer = await api.ask("GET", `boards/${boardId}/events`, { query: { after, limit: 1 }, known, signal });
    const page = /** @type {{items: unknown[]} | null} */ (answer.status === 304 ? null : answer.body);
    const isMore = Boolean(page?.items.length);
    asked = after;
    // What there is more of is asked for until it has been seen: reading it may fail.
    tag = isMore ? null : answer.tag;
    if (isMore) await changed();
  };

  const run = async () => {
    while (!signal.aborted) {
      try {
        await look();
        failures = 0;
        condition("");
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Problem && [401, 403, 404].includes(error.status)) {
          lost(error);
          return;
        }
        failures += 1;
        condition(navigator.onLine ? words.unreachable : words.offline);
      }
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, pause());
        wake = () => { clearTimeout(timer); resolve(undefined); };
      });
    }
  };
  void run();
  return () => { stopping.abort(); wake?.(); condition(""); };
}

// Poll the events of a board after the last one that is displayed, in the history that is displayed.
//
// For an unchanged board the server answers 304. A page that is hidden, idle or offline polls less often. A visible page
// without input for five minutes lets the server hold its requests until there is news. A server that can't, such as a
// function of AWS Lambda, answers at once, and each answer costs its operator money: then the page asks once a minute.

import { Problem } from "./api.js";
import { showConnectionState } from "./notifications.js";
import { texts } from "./texts.js";

const ACTIVE_INTERVAL_MS = 1_200;
const IDLE_INTERVAL_MS = 5_000;
const IDLE_AFTER_MS = 120_000;
const AWAY_INTERVAL_MS = 60_000;
const AWAY_AFTER_MS = 300_000;
const MAX_RETRY_INTERVAL_MS = 30_000;
// Shorter than the timeout of a request in api.js.
const WAIT_SECONDS = 10;

/**
 * Poll a board until the returned function is called.
 *
 * @param {import("./api.js").Api} api
 * @param {string} boardId
 * @param {() => {after: number, history: string}} getDisplayed the seq that the page displays, and its history
 * @param {() => Promise<unknown>} onChange called when there are newer events
 * @param {() => Promise<unknown>} onOtherHistory called when the board was restored from a backup
 * @param {(error: Problem) => void} onLost called, and polling stops, when the board or the access to it is gone
 * @returns {() => void} stops polling
 */
export function pollEvents(api, boardId, getDisplayed, onChange, onOtherHistory, onLost) {
  const controller = new AbortController();
  const { signal } = controller;
  /** @type {string | null} */
  let etag = null;
  let etagSeq = -1;
  let failures = 0;
  let lastActivityAt = Date.now();
  let serverWaits = false;
  /** @type {(() => void) | undefined} */
  let pollNow;

  const isAway = () => Date.now() - lastActivityAt > AWAY_AFTER_MS;
  const handleReturn = () => {
    lastActivityAt = Date.now();
    if (!document.hidden) pollNow?.();
  };
  const handleInput = () => {
    if (isAway()) handleReturn();
    else lastActivityAt = Date.now();
  };
  for (const name of ["online", "focus"]) window.addEventListener(name, handleReturn, { signal });
  document.addEventListener("visibilitychange", handleReturn, { signal });
  for (const name of ["pointerdown", "pointermove", "wheel", "keydown"]) {
    document.addEventListener(name, handleInput, { signal, passive: true });
  }
  window.addEventListener("offline", () => showConnectionState(texts.offline), { signal });

  const computeInterval = () => {
    if (failures) return Math.min(ACTIVE_INTERVAL_MS * 2 ** failures, MAX_RETRY_INTERVAL_MS);
    if (document.hidden) return AWAY_INTERVAL_MS;
    if (isAway()) return serverWaits ? ACTIVE_INTERVAL_MS : AWAY_INTERVAL_MS;
    return Date.now() - lastActivityAt > IDLE_AFTER_MS ? IDLE_INTERVAL_MS : ACTIVE_INTERVAL_MS;
  };

  const poll = async () => {
    const { after, history } = getDisplayed();
    const knownEtag = after === etagSeq ? etag : null;
    const wait = isAway() && !document.hidden ? WAIT_SECONDS : undefined;
    const query = { after, history, limit: 1, wait };
    const askedAt = Date.now();
    const response = await api.request("GET", `boards/${boardId}/events`, { query, etag: knownEtag, signal });
    const page = /** @type {{items: unknown[]} | null} */ (response.status === 304 ? null : response.body);
    const hasEvents = Boolean(page?.items.length);
    // News may come at once from any server.
    if (wait && !hasEvents) serverWaits = Date.now() - askedAt > WAIT_SECONDS * 500;
    etagSeq = after;
    // The tag is kept only when there are no events: if loading them fails, the next poll must report them again.
    etag = hasEvents ? null : response.etag;
    if (hasEvents) await onChange();
  };

  const run = async () => {
    while (!signal.aborted) {
      try {
        await poll().catch((error) => {
          if (!(error instanceof Problem && error.code === "other_history")) throw error;
          return onOtherHistory();
        });
        failures = 0;
        showConnectionState("");
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Problem && [401, 403, 404].includes(error.status)) {
          onLost(error);
          return;
        }
        failures += 1;
        showConnectionState(navigator.onLine ? texts.unreachable : texts.offline);
      }
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, computeInterval());
        pollNow = () => { clearTimeout(timer); resolve(undefined); };
      });
    }
  };
  void run();
  return () => { controller.abort(); pollNow?.(); showConnectionState(""); };
}

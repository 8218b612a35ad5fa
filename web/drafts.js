// What was typed and not yet sent: it outlives the dialog, the view and the token it was typed under, until it is sent.

/** @type {Map<string, string>} */
const kept = new Map();

/**
 * Keep what is typed here, and put in what was typed before.
 *
 * @param {string} key what it is for, such as the path that it will be sent to
 * @param {HTMLInputElement | HTMLTextAreaElement} input
 * @returns {() => void} to be called when it was sent or is not wanted any more
 */
export function draft(key, input) {
  const before = kept.get(key);
  if (before !== undefined) input.value = before;
  input.addEventListener("input", () => kept.set(key, input.value));
  return () => kept.delete(key);
}

/** Whether something is kept for this. @param {string} key */
export const hasDraft = (key) => kept.has(key);

/** Whoever signs out leaves nothing behind. */
export const forgetDrafts = () => kept.clear();

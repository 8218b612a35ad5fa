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

/** Keep a text that was not typed just now, such as one that comes back unsaved. @param {string} key @param {string} text */
export const keepDraft = (key, text) => kept.set(key, text);

/** Whether something is kept for this. @param {string} key */
export const hasDraft = (key) => kept.has(key);

/** Whether any text is kept for this or for what is below it. @param {string} path */
export const hasDraftsBelow = (path) => [...kept].some(([key, text]) => text && key.startsWith(path));

/** Whoever signs out leaves nothing behind. */
export const forgetDrafts = () => kept.clear();

/**
 * Let a field show a value, and save it when it is left or at Enter. Nothing replaces what is being typed; what could
 * not be saved stays, is marked as invalid, and is saved the next time.
 *
 * @param {HTMLInputElement | HTMLTextAreaElement} input
 * @param {{key: string, shown: () => string, save: (typed: string) => Promise<boolean>}} how `shown` is the value as
 *     it is stored; `save` answers whether that one is to be shown again, saved or not
 * @returns {() => void} shows the stored value, unless something has been typed
 */
export function editing(input, { key, shown, save }) {
  const forget = draft(key, input);
  let isTyped = hasDraft(key);
  if (isTyped) input.setAttribute("aria-invalid", "true");
  /** @type {string | undefined} what is being saved */
  let sent;
  const show = () => { if (!isTyped && input.value !== shown()) input.value = shown(); };
  const leave = async () => {
    const typed = input.value;
    if (!isTyped || typed === sent) return;
    if (sent === undefined && typed === shown() && input.validity.valid) {
      isTyped = false;
      forget();
      input.removeAttribute("aria-invalid");
      return;
    }
    sent = typed;
    const isDone = await save(typed);
    if (sent === typed) sent = undefined;
    input.setAttribute("aria-invalid", String(!isDone));
    // It was typed on while it was being saved: that is saved the next time.
    if (!isDone || input.value !== typed) return;
    isTyped = false;
    forget();
    show();
  };
  input.addEventListener("input", () => { isTyped = true; });
  input.addEventListener("blur", () => void leave());
  input.addEventListener("keydown", (event) => {
    const pressed = /** @type {KeyboardEvent} */ (event);
    if (pressed.key === "Enter" && !pressed.isComposing) {
      event.preventDefault();
      input.blur();
    }
    // A date has no value, and tells of no input, until the last part of it is typed.
    if (input.type === "datetime-local" && /^(\d|Backspace|Delete)$/.test(pressed.key)) isTyped = true;
  });
  show();
  return show;
}

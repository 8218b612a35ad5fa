// Drafts: typed text that has not been sent. They outlive the dialog, the view and an expired token.

/** @type {Map<string, string>} */
const drafts = new Map();

/**
 * Keep the text of a field as a draft, and restore the draft that exists already.
 *
 * @param {string} key such as the path that the text will be sent to
 * @param {HTMLInputElement | HTMLTextAreaElement} input
 * @returns {() => unknown} forgets the draft; call it when the text has been sent or dropped
 */
export function trackDraft(key, input) {
  const storedText = drafts.get(key);
  if (storedText !== undefined) input.value = storedText;
  input.addEventListener("input", () => drafts.set(key, input.value));
  return () => drafts.delete(key);
}

/** Set a draft that was not typed, such as an entry that is edited again. @param {string} key @param {string} text */
export const setDraft = (key, text) => drafts.set(key, text);

/** Return whether there is a draft. @param {string} key */
export const hasDraft = (key) => drafts.has(key);

/** Return whether there is a draft for this path or a path below it. @param {string} path */
export const hasDraftsBelow = (path) => [...drafts].some(([key, text]) => text && key.startsWith(path));

/** Forget all drafts, when the user signs out. */
export const forgetDrafts = () => drafts.clear();

/**
 * Make a field show a value and save it on blur or Enter. A text that is being typed is never replaced. One that could
 * not be saved stays, is marked as invalid, and is saved the next time.
 *
 * @param {HTMLInputElement | HTMLTextAreaElement} input
 * @param {{key: string, getSavedValue: () => string, save: (value: string) => Promise<boolean>}} options
 *     `save` resolves to true if the saved value is to be shown again, either because it is the new one or because the
 *     new one was rejected
 * @returns {() => void} shows the saved value, unless the field has been edited
 */
export function autosave(input, { key, getSavedValue, save }) {
  const forgetDraft = trackDraft(key, input);
  let isEdited = hasDraft(key);
  if (isEdited) input.setAttribute("aria-invalid", "true");
  /** @type {string | undefined} the value that is being saved */
  let savingValue;
  const showSavedValue = () => { if (!isEdited && input.value !== getSavedValue()) input.value = getSavedValue(); };
  const saveIfChanged = async () => {
    const value = input.value;
    if (!isEdited || value === savingValue) return;
    if (savingValue === undefined && value === getSavedValue() && input.validity.valid) {
      isEdited = false;
      forgetDraft();
      input.removeAttribute("aria-invalid");
      return;
    }
    savingValue = value;
    const isSettled = await save(value);
    if (savingValue === value) savingValue = undefined;
    input.setAttribute("aria-invalid", String(!isSettled));
    // Changes that were typed during the save are saved the next time.
    if (!isSettled || input.value !== value) return;
    isEdited = false;
    forgetDraft();
    showSavedValue();
  };
  input.addEventListener("input", () => { isEdited = true; });
  input.addEventListener("blur", () => void saveIfChanged());
  input.addEventListener("keydown", (event) => {
    const keyEvent = /** @type {KeyboardEvent} */ (event);
    if (keyEvent.key === "Enter" && !keyEvent.isComposing) {
      event.preventDefault();
      input.blur();
    }
    // A date field has no value and sends no input event until it is complete.
    if (input.type === "datetime-local" && /^(\d|Backspace|Delete)$/.test(keyEvent.key)) isEdited = true;
  });
  showSavedValue();
  return showSavedValue;
}

// Wrappers for asynchronous handlers: responses out of order, double clicks, and edits during a save.

/**
 * Wrap a function so that only the result of its latest call is drawn: a result that arrives after a later call has
 * started is dropped. Errors are passed on.
 *
 * @template {unknown[]} Arguments
 * @template Result
 * @param {(...args: Arguments) => Promise<Result>} fetch
 * @param {(result: Result) => void} draw
 * @returns {(...args: Arguments) => Promise<void>}
 */
export function ignoreOutdated(fetch, draw) {
  let latestCall = 0;
  return async (...args) => {
    const call = (latestCall += 1);
    const result = await fetch(...args);
    if (call === latestCall) draw(result);
  };
}

/**
 * Wrap the handler of a form or button so that it does not run twice at the same time. The second click of a double
 * click is ignored too, because another button may be at that position by then.
 *
 * @param {(event: Event) => unknown} action
 * @returns {(event: Event) => Promise<void>}
 */
export function ignoreDoubleClicks(action) {
  let isRunning = false;
  return async (event) => {
    event.preventDefault();
    if (isRunning || /** @type {UIEvent} */ (event).detail > 1) return;
    isRunning = true;
    try {
      await action(event);
    } finally {
      isRunning = false;
    }
  };
}

/**
 * Handle a form that closes after saving. It stays open if it was edited during the save, and saves again if it was
 * submitted again in the meantime.
 *
 * @param {() => Promise<boolean>} save resolves to whether it was saved
 * @param {() => void} close
 * @returns {(event: Event) => Promise<void>}
 */
export function submitAndClose(save, close) {
  let isRunning = false;
  let shouldSave = false;
  return async (event) => {
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    event.preventDefault();
    shouldSave = true;
    if (isRunning) return;
    isRunning = true;
    try {
      while (shouldSave) {
        shouldSave = false;
        const sentContents = serializeForm(form);
        const isSaved = await save();
        if (serializeForm(form) !== sentContents) continue;
        if (isSaved) close();
        break;
      }
    } finally {
      isRunning = false;
    }
  };
}

/**
 * Return the contents of a form as JSON, to find out later whether they have changed.
 *
 * @param {HTMLFormElement} form
 * @returns {string}
 */
function serializeForm(form) {
  const fields = /** @type {HTMLInputElement[]} */ ([...form.elements]);
  return JSON.stringify(fields.map(({ value, checked }) => [value, checked]));
}

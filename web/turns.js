// People who are quicker than the server, and answers that come in another order than they were asked for.

/**
 * A reading that draws what was asked for last: an answer that a later question has overtaken is dropped, so that
 * nothing older is ever drawn over something newer. What the question raises is raised.
 *
 * @template {unknown[]} Given
 * @template Found
 * @param {(...given: Given) => Promise<Found>} ask
 * @param {(found: Found) => void} draw
 * @returns {(...given: Given) => Promise<void>}
 */
export function latest(ask, draw) {
  let turn = 0;
  return async (...given) => {
    const mine = (turn += 1);
    const found = await ask(...given);
    if (mine === turn) draw(found);
  };
}

/**
 * Handle a submitted form or a clicked button: nothing is done twice because somebody clicked twice. The second click
 * of a double click does nothing either, as another button may stand there by then.
 *
 * @param {(event: Event) => unknown} act
 * @returns {(event: Event) => Promise<void>}
 */
export function once(act) {
  let isUnderWay = false;
  return async (event) => {
    event.preventDefault();
    if (isUnderWay || /** @type {UIEvent} */ (event).detail > 1) return;
    isUnderWay = true;
    try {
      await act(event);
    } finally {
      isUnderWay = false;
    }
  };
}

/**
 * Handle a submitted form that goes away once it is saved: it stays if something was typed in it after it was sent, and
 * if it was sent again meanwhile, that is saved, too.
 *
 * @param {() => Promise<boolean>} save answers whether it was saved
 * @param {() => void} leave
 * @returns {(event: Event) => Promise<void>}
 */
export function saving(save, leave) {
  let isUnderWay = false;
  let isSentAgain = false;
  return async (event) => {
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    event.preventDefault();
    isSentAgain = true;
    if (isUnderWay) return;
    isUnderWay = true;
    try {
      while (isSentAgain) {
        isSentAgain = false;
        const sent = contents(form);
        const isSaved = await save();
        if (contents(form) !== sent) continue;
        if (isSaved) leave();
        break;
      }
    } finally {
      isUnderWay = false;
    }
  };
}

/**
 * Return all that a form holds, to compare it with what it holds later.
 *
 * @param {HTMLFormElement} form
 * @returns {string}
 */
function contents(form) {
  const fields = /** @type {HTMLInputElement[]} */ ([...form.elements]);
  return JSON.stringify(fields.map(({ value, checked }) => [value, checked]));
}

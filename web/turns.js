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
 * What a form does when it is sent: nothing is sent twice because somebody clicked twice.
 *
 * @param {() => unknown} act
 * @returns {(event: Event) => Promise<void>}
 */
export function once(act) {
  let isUnderWay = false;
  return async (event) => {
    event.preventDefault();
    if (isUnderWay) return;
    isUnderWay = true;
    try {
      await act();
    } finally {
      isUnderWay = false;
    }
  };
}

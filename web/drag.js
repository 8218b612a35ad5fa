// Putting things into another order: by mouse, by touch (hold, then move) and by keyboard, with the same result.
//
// While something is in the air it already stands where it would land; dropping it only tells the owner about it.

import { h } from "./dom.js";
import { announce } from "./notice.js";
import { words } from "./words.js";

const FAR_ENOUGH = 6;
const HOLD = 280;
const EDGE = 48;

/**
 * @typedef {object} How
 * @property {string} item selects what can be moved
 * @property {string} handle selects where it is taken, within an item or the item itself
 * @property {string} container selects what items stand in, as direct children
 * @property {"down" | "across"} direction in which items follow each other
 * @property {(item: HTMLElement) => string} name
 * @property {(container: HTMLElement) => string} containerName
 * @property {() => boolean} isAllowed
 * @property {(item: HTMLElement, container: HTMLElement) => void} drop
 */

let inTheAir = 0;
/** @type {(() => void)[]} */
let waiting = [];

/** Whether anything is being moved: then the page must not be drawn anew. */
export const isMoving = () => inTheAir > 0;

/** Wait until nothing is being moved. @returns {Promise<void>} */
export const whenStill = () => (isMoving() ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve());

function putDown() {
  inTheAir -= 1;
  if (inTheAir) return;
  const all = waiting;
  waiting = [];
  for (const resolve of all) resolve();
}

/**
 * @param {HTMLElement} root
 * @param {How} how
 */
export function sortable(root, how) {
  byPointer(root, how);
  byKeyboard(root, how);
}

/** Where an item was taken from, and how to bring it back. @param {HTMLElement} item */
function origin(item) {
  const { parentElement: parent, nextElementSibling: next } = item;
  return {
    isHere: () => item.parentElement === parent && item.nextElementSibling === next,
    restore: () => parent?.insertBefore(item, next?.parentElement === parent ? next : null),
  };
}

/** @param {HTMLElement} root @param {How} how */
function byPointer(root, how) {
  root.addEventListener("pointerdown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const handle = /** @type {HTMLElement | null} */ (target.closest(how.handle));
    const item = /** @type {HTMLElement | null} */ (handle?.closest(how.item));
    if (!item || event.button !== 0 || !event.isPrimary || !how.isAllowed() || inTheAir) return;
    if (target.closest("a, input, select, textarea")) return;
    begin(event, item, root, how);
  });
}

/**
 * Wait until it is clear that this is a drag, then follow the pointer.
 *
 * @param {PointerEvent} down
 * @param {HTMLElement} item
 * @param {HTMLElement} root
 * @param {How} how
 */
function begin(down, item, root, how) {
  const ending = new AbortController();
  const { signal } = ending;
  const isTouch = down.pointerType !== "mouse";
  /** @type {ReturnType<typeof follower> | undefined} */
  let drag;
  const lift = () => { drag = follower(down, item, root, how); };
  const hold = isTouch ? setTimeout(lift, HOLD) : undefined;
  const end = (/** @type {boolean} */ isDrop) => {
    clearTimeout(hold);
    ending.abort();
    drag?.end(isDrop);
  };
  window.addEventListener("pointermove", (move) => {
    if (move.pointerId !== down.pointerId) return;
    const distance = Math.hypot(move.clientX - down.clientX, move.clientY - down.clientY);
    if (!drag && distance > FAR_ENOUGH) {
      // A finger that moves at once wants to scroll.
      if (isTouch) end(false);
      else lift();
    }
    drag?.to(move.clientX, move.clientY);
  }, { signal });
  window.addEventListener("pointerup", () => end(true), { signal });
  window.addEventListener("pointercancel", () => end(false), { signal });
  window.addEventListener("keydown", (key) => {
    if (key.key !== "Escape") return;
    // It puts the thing back, and closes no dialog.
    if (drag) key.preventDefault();
    end(false);
  }, { signal });
  // The browser would select text, and then drag that.
  for (const name of ["selectstart", "dragstart"]) window.addEventListener(name, (event) => event.preventDefault(), { signal });
  // Once lifted, the finger moves the card and not the page.
  window.addEventListener("touchmove", (touch) => { if (drag) touch.preventDefault(); }, { signal, passive: false });
  window.addEventListener("contextmenu", (menu) => { if (drag) menu.preventDefault(); }, { signal });
}

/** @param {PointerEvent} down @param {HTMLElement} item @param {HTMLElement} root @param {How} how */
function follower(down, item, root, how) {
  const home = origin(item);
  const box = item.getBoundingClientRect();
  const ghost = /** @type {HTMLElement} */ (item.cloneNode(true));
  ghost.removeAttribute("id");
  const layer = h("div", { class: "ghost", "aria-hidden": "true", inert: true }, ghost);
  Object.assign(layer.style, { width: `${box.width}px`, left: `${box.left}px`, top: `${box.top}px` });
  // A dialog is above all else, so what moves within it must be in it.
  (item.closest("dialog") ?? document.body).append(layer);
  item.classList.add("lifted");
  inTheAir += 1;
  let timer = 0;
  let [x, y] = [down.clientX, down.clientY];

  /** Where it would land: what is under the pointer, or nearest to it. */
  const goal = () => {
    const under = /** @type {HTMLElement | null} */ (document.elementFromPoint(x, y)?.closest(how.container));
    const all = containers(root, how);
    return under && all.includes(under) ? under : nearest(all, x);
  };
  const place = () => {
    const container = goal();
    if (!container) return;
    const box = container.getBoundingClientRect();
    // Beyond its edge, it lands at the edge, among what can be seen.
    const [atX, atY] = [between(x, box.left, box.right), between(y, box.top, box.bottom)];
    const others = [...container.children].filter((other) => other !== item && other.matches(how.item));
    const next = others.find((other) => {
      const { left, top, width, height } = other.getBoundingClientRect();
      return how.direction === "down" ? atY < top + height / 2 : atX < left + width / 2;
    });
    // What stands behind the last one, such as a form, stays there.
    const before = next ?? after(others.at(-1), item);
    if (item.parentElement === container && item.nextElementSibling === before) return;
    container.insertBefore(item, before);
  };
  const scroll = () => {
    timer = requestAnimationFrame(scroll);
    const hasScrolled = scrollers(goal()).map((element) => {
      const { left, right, top, bottom } = element.getBoundingClientRect();
      const [wasLeft, wasTop] = [element.scrollLeft, element.scrollTop];
      element.scrollLeft += pull(x, left, right);
      element.scrollTop += pull(y, top, bottom);
      return element.scrollLeft !== wasLeft || element.scrollTop !== wasTop;
    });
    // What is under the pointer has changed although the pointer has not moved.
    if (hasScrolled.includes(true)) place();
  };
  timer = requestAnimationFrame(scroll);

  return {
    to: (/** @type {number} */ toX, /** @type {number} */ toY) => {
      [x, y] = [toX, toY];
      layer.style.transform = `translate(${x - down.clientX}px, ${y - down.clientY}px) rotate(2deg)`;
      place();
    },
    end: (/** @type {boolean} */ isDrop) => {
      cancelAnimationFrame(timer);
      layer.remove();
      item.classList.remove("lifted");
      putDown();
      // The click that ends a drag opens nothing.
      window.addEventListener("click", stop, { capture: true, once: true });
      setTimeout(() => window.removeEventListener("click", stop, { capture: true }));
      if (!isDrop) home.restore();
      else if (!home.isHere()) how.drop(item, /** @type {HTMLElement} */ (item.parentElement));
    },
  };
}

/** @param {Event} event */
function stop(event) {
  event.preventDefault();
  event.stopPropagation();
}

/**
 * By how much to scroll in one frame: the nearer to an edge, the more, and beyond it no more than at it.
 *
 * @param {number} at @param {number} from @param {number} to
 */
function pull(at, from, to) {
  if (to - from < 2 * EDGE) return 0;
  const within = between(at, from, to);
  if (within < from + EDGE) return (within - from - EDGE) / 4;
  return within > to - EDGE ? (within - to + EDGE) / 4 : 0;
}

/** @param {number} at @param {number} from @param {number} to */
function between(at, from, to) {
  return Math.min(Math.max(at, from), to);
}

/** What follows an element, leaving out the one that is moved. @param {Element | undefined} last @param {Element} moved */
function after(last, moved) {
  const next = last?.nextElementSibling ?? null;
  return next === moved ? moved.nextElementSibling : next;
}

/** The element and those around it that people can scroll. @param {Element | undefined} element @returns {Element[]} */
function scrollers(element) {
  const all = [];
  for (let each = element; each; each = each.parentElement ?? undefined) {
    const { overflowX, overflowY } = getComputedStyle(each);
    if (/auto|scroll/.test(overflowX + overflowY)) all.push(each);
  }
  return all;
}

/** Where an item may land. @param {HTMLElement} root @param {How} how @returns {HTMLElement[]} */
function containers(root, how) {
  return root.matches(how.container) ? [root] : [...root.querySelectorAll(how.container)].map((each) => /** @type {HTMLElement} */ (each));
}

/** The container that is nearest to the left or right. @param {HTMLElement[]} all @param {number} x */
function nearest(all, x) {
  const away = (/** @type {HTMLElement} */ element) => {
    const { left, right } = element.getBoundingClientRect();
    return Math.max(left - x, x - right, 0);
  };
  return [...all].sort((one, other) => away(one) - away(other))[0];
}

/** @param {HTMLElement} root @param {How} how */
function byKeyboard(root, how) {
  /** @type {{item: HTMLElement, handle: HTMLElement, home: ReturnType<typeof origin>} | undefined} */
  let held;

  const settle = (/** @type {boolean} */ isDrop) => {
    if (!held) return;
    const { item, handle, home } = held;
    held = undefined;
    putDown();
    item.classList.remove("lifted");
    if (!isDrop) home.restore();
    handle.focus();
    announce((isDrop ? words.dragDropped : words.dragCancelled)(how.name(item)));
    if (isDrop && !home.isHere()) how.drop(item, /** @type {HTMLElement} */ (item.parentElement));
  };

  root.addEventListener("keydown", (event) => {
    const handle = /** @type {HTMLElement | null} */ (/** @type {HTMLElement} */ (event.target).closest(how.handle));
    if (!handle) return;
    if (!held) {
      const item = /** @type {HTMLElement | null} */ (handle.closest(how.item));
      if (event.key !== " " || !item || !how.isAllowed() || inTheAir) return;
      event.preventDefault();
      held = { item, handle, home: origin(item) };
      inTheAir += 1;
      item.classList.add("lifted");
      announce(`${words.dragLifted(how.name(item))} ${position(item, how)}`);
      return;
    }
    if (handle !== held.handle) return;
    if (event.key === " " || event.key === "Enter") settle(true);
    else if (event.key === "Escape") settle(false);
    else if (event.key === "Tab") return;
    else if (step(held.item, event.key, root, how)) {
      handle.focus();
      held.item.scrollIntoView({ block: "nearest", inline: "nearest" });
      announce(position(held.item, how));
    }
    event.preventDefault();
    event.stopPropagation();
  });
  // A space on a button clicks when it is let go; whoever leaves puts the thing down where it was.
  root.addEventListener("keyup", (event) => {
    const handle = /** @type {HTMLElement} */ (event.target).closest(how.handle);
    if (event.key === " " && handle && how.isAllowed()) event.preventDefault();
  });
  root.addEventListener("focusout", () => {
    setTimeout(() => { if (held && document.activeElement !== held.handle) settle(false); });
  });
}

/** @param {HTMLElement} item @param {string} key @param {HTMLElement} root @param {How} how */
function step(item, key, root, how) {
  const all = containers(root, how);
  const parent = /** @type {HTMLElement} */ (item.parentElement);
  const [back, on] = how.direction === "down" ? ["ArrowUp", "ArrowDown"] : ["ArrowLeft", "ArrowRight"];
  if (key === back && item.previousElementSibling?.matches(how.item)) {
    parent.insertBefore(item, item.previousElementSibling);
    return true;
  }
  if (key === on && item.nextElementSibling?.matches(how.item)) {
    parent.insertBefore(item, item.nextElementSibling.nextElementSibling);
    return true;
  }
  if (how.direction === "down" && (key === "ArrowLeft" || key === "ArrowRight")) {
    const target = all[all.indexOf(parent) + (key === "ArrowLeft" ? -1 : 1)];
    const place = [...parent.children].indexOf(item);
    target?.insertBefore(item, target.children[place] ?? null);
    return Boolean(target);
  }
  return false;
}

/** @param {HTMLElement} item @param {How} how */
function position(item, how) {
  const container = /** @type {HTMLElement} */ (item.parentElement);
  const items = [...container.children].filter((each) => each.matches(how.item));
  return words.dragOver(how.name(item), how.containerName(container), items.indexOf(item) + 1, items.length);
}

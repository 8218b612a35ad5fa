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

/** Whether anything is being moved: then the page must not be drawn anew. */
export const isMoving = () => inTheAir > 0;

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

  const place = () => {
    const under = /** @type {HTMLElement | null} */ (document.elementFromPoint(x, y)?.closest(how.container));
    const all = containers(root, how);
    const container = under && all.includes(under) ? under : nearest(all, x);
    if (!container) return;
    const next = [...container.children].find((other) => {
      if (other === item || !other.matches(how.item)) return false;
      const { left, top, width, height } = other.getBoundingClientRect();
      return how.direction === "down" ? y < top + height / 2 : x < left + width / 2;
    });
    if (item.parentElement !== container || item.nextElementSibling !== (next ?? null)) {
      container.insertBefore(item, next ?? null);
    }
  };
  const scroll = () => {
    timer = requestAnimationFrame(scroll);
    for (const element of document.elementsFromPoint(x, y)) {
      const { left, right, top, bottom } = element.getBoundingClientRect();
      if (element.scrollWidth > element.clientWidth) element.scrollLeft += pull(x, left, right);
      if (element.scrollHeight > element.clientHeight) element.scrollTop += pull(y, top, bottom);
    }
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
      inTheAir -= 1;
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

/** @param {number} at @param {number} from @param {number} to */
function pull(at, from, to) {
  if (to - from < 2 * EDGE) return 0;
  if (at < from + EDGE) return (at - from - EDGE) / 4;
  return at > to - EDGE ? (at - to + EDGE) / 4 : 0;
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
    inTheAir -= 1;
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

// Sort elements by mouse, by touch (press and hold, then move) or by keyboard.
//
// During a drag the element is moved in the page already; `drop` is called at its end if the position has changed.

import { h } from "./dom.js";
import { announce } from "./notifications.js";
import { texts } from "./texts.js";

const DRAG_THRESHOLD_PX = 6;
const LONG_PRESS_MS = 280;
const SCROLL_EDGE_PX = 48;

/**
 * @typedef {object} SortableOptions
 * @property {string} item selector of the elements that can be moved
 * @property {string} handle selector of what starts the drag, within an item or the item itself
 * @property {string} container selector of the parents of items
 * @property {"down" | "across"} direction in which the items of a container are laid out
 * @property {(item: HTMLElement) => string} name
 * @property {(container: HTMLElement) => string} containerName
 * @property {() => boolean} isAllowed
 * @property {(item: HTMLElement, container: HTMLElement) => void} drop called after an item has been moved
 */

let activeDrags = 0;
/** @type {(() => void)[]} */
let dragEndListeners = [];

/** Return whether anything is being dragged. The page must not be redrawn then. */
export const isDragging = () => activeDrags > 0;

/** Wait until nothing is being dragged. @returns {Promise<void>} */
export const waitForDragEnd = () => (isDragging() ? new Promise((resolve) => dragEndListeners.push(resolve)) : Promise.resolve());

function endDrag() {
  activeDrags -= 1;
  if (activeDrags) return;
  const listeners = dragEndListeners;
  dragEndListeners = [];
  for (const resolve of listeners) resolve();
}

/**
 * Make the items within an element sortable.
 *
 * @param {HTMLElement} root
 * @param {SortableOptions} options
 */
export function makeSortable(root, options) {
  enablePointerDrag(root, options);
  enableKeyboardDrag(root, options);
}

/** Remember the position of an item, to restore it after a cancelled drag. @param {HTMLElement} item */
function captureOrigin(item) {
  const { parentElement: oldParent, nextElementSibling: oldNext } = item;
  return {
    isUnmoved: () => item.parentElement === oldParent && item.nextElementSibling === oldNext,
    restore: () => oldParent?.insertBefore(item, oldNext?.parentElement === oldParent ? oldNext : null),
  };
}

/** Start drags by mouse and touch. @param {HTMLElement} root @param {SortableOptions} options */
function enablePointerDrag(root, options) {
  root.addEventListener("pointerdown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const handle = /** @type {HTMLElement | null} */ (target.closest(options.handle));
    const item = /** @type {HTMLElement | null} */ (handle?.closest(options.item));
    if (!item || event.button !== 0 || !event.isPrimary || !options.isAllowed() || activeDrags) return;
    if (target.closest("a, input, select, textarea")) return;
    trackPointer(event, item, root, options);
  });
}

/**
 * Follow a pointer that is down until it is up: a drag starts after a distance or, by touch, after a long press.
 *
 * @param {PointerEvent} down
 * @param {HTMLElement} item
 * @param {HTMLElement} root
 * @param {SortableOptions} options
 */
function trackPointer(down, item, root, options) {
  const controller = new AbortController();
  const { signal } = controller;
  const isTouch = down.pointerType !== "mouse";
  /** @type {ReturnType<typeof startPointerDrag> | undefined} */
  let activeDrag;
  const startDrag = () => { activeDrag = startPointerDrag(down, item, root, options); };
  const holdTimer = isTouch ? setTimeout(startDrag, LONG_PRESS_MS) : undefined;
  const finish = (/** @type {boolean} */ isDrop) => {
    clearTimeout(holdTimer);
    controller.abort();
    activeDrag?.end(isDrop);
  };
  window.addEventListener("pointermove", (move) => {
    if (move.pointerId !== down.pointerId) return;
    const distance = Math.hypot(move.clientX - down.clientX, move.clientY - down.clientY);
    if (!activeDrag && distance > DRAG_THRESHOLD_PX) {
      // A touch that moves at once scrolls the page.
      if (isTouch) finish(false);
      else startDrag();
    }
    activeDrag?.to(move.clientX, move.clientY);
  }, { signal });
  window.addEventListener("pointerup", () => finish(true), { signal });
  window.addEventListener("pointercancel", () => finish(false), { signal });
  window.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    // Escape cancels the drag. It must not close the dialog around it.
    if (activeDrag) event.preventDefault();
    finish(false);
  }, { signal });
  // The browser would otherwise select text or start its own drag.
  for (const name of ["selectstart", "dragstart"]) window.addEventListener(name, (event) => event.preventDefault(), { signal });
  // During a drag the touch must not scroll the page.
  window.addEventListener("touchmove", (event) => { if (activeDrag) event.preventDefault(); }, { signal, passive: false });
  window.addEventListener("contextmenu", (event) => { if (activeDrag) event.preventDefault(); }, { signal });
}

/** Start a drag, with a copy of the item that follows the pointer. @param {PointerEvent} down @param {HTMLElement} item @param {HTMLElement} root @param {SortableOptions} options */
function startPointerDrag(down, item, root, options) {
  const origin = captureOrigin(item);
  const box = item.getBoundingClientRect();
  const ghost = /** @type {HTMLElement} */ (item.cloneNode(true));
  ghost.removeAttribute("id");
  const ghostLayer = h("div", { class: "ghost", "aria-hidden": "true", inert: true }, ghost);
  Object.assign(ghostLayer.style, { width: `${box.width}px`, left: `${box.left}px`, top: `${box.top}px` });
  // A modal dialog covers everything outside of it, so the copy of an item in a dialog goes into that dialog.
  (item.closest("dialog") ?? document.body).append(ghostLayer);
  item.classList.add("dragged");
  activeDrags += 1;
  let timer = 0;
  let [x, y] = [down.clientX, down.clientY];

  /** Return the container under the pointer, or the nearest one. */
  const findTarget = () => {
    const hovered = /** @type {HTMLElement | null} */ (document.elementFromPoint(x, y)?.closest(options.container));
    const containers = findContainers(root, options);
    return hovered && containers.includes(hovered) ? hovered : findNearestContainer(containers, x);
  };
  const updatePosition = () => {
    const container = findTarget();
    if (!container) return;
    const box = container.getBoundingClientRect();
    // A pointer outside of the container counts as being at its edge, so that the item stays visible.
    const [clampedX, clampedY] = [clamp(x, box.left, box.right), clamp(y, box.top, box.bottom)];
    const others = [...container.children].filter((other) => other !== item && other.matches(options.item));
    const next = others.find((other) => {
      const { left, top, width, height } = other.getBoundingClientRect();
      return options.direction === "down" ? clampedY < top + height / 2 : clampedX < left + width / 2;
    });
    // Elements behind the last item, such as a form, stay last.
    const before = next ?? nextSiblingExcept(others.at(-1), item);
    if (item.parentElement === container && item.nextElementSibling === before) return;
    container.insertBefore(item, before);
  };
  const scrollAtEdges = () => {
    timer = requestAnimationFrame(scrollAtEdges);
    const hasScrolled = findScrollableAncestors(findTarget()).map((element) => {
      const { left, right, top, bottom } = element.getBoundingClientRect();
      const [wasLeft, wasTop] = [element.scrollLeft, element.scrollTop];
      element.scrollLeft += computeScrollStep(x, left, right);
      element.scrollTop += computeScrollStep(y, top, bottom);
      return element.scrollLeft !== wasLeft || element.scrollTop !== wasTop;
    });
    // Scrolling changes what is under the pointer.
    if (hasScrolled.includes(true)) updatePosition();
  };
  timer = requestAnimationFrame(scrollAtEdges);

  return {
    to: (/** @type {number} */ toX, /** @type {number} */ toY) => {
      [x, y] = [toX, toY];
      ghostLayer.style.transform = `translate(${x - down.clientX}px, ${y - down.clientY}px) rotate(2deg)`;
      updatePosition();
    },
    end: (/** @type {boolean} */ isDrop) => {
      cancelAnimationFrame(timer);
      ghostLayer.remove();
      item.classList.remove("dragged");
      endDrag();
      // The browser sends a click at the end of a drag. It must not open the card.
      window.addEventListener("click", suppressEvent, { capture: true, once: true });
      setTimeout(() => window.removeEventListener("click", suppressEvent, { capture: true }));
      if (!isDrop) origin.restore();
      else if (!origin.isUnmoved()) options.drop(item, /** @type {HTMLElement} */ (item.parentElement));
    },
  };
}

/** Keep an event from having any effect. @param {Event} event */
function suppressEvent(event) {
  event.preventDefault();
  event.stopPropagation();
}

/**
 * Return how many pixels to scroll in one frame: more near an edge, and no more beyond it.
 *
 * @param {number} at @param {number} from @param {number} to
 */
function computeScrollStep(at, from, to) {
  if (to - from < 2 * SCROLL_EDGE_PX) return 0;
  const within = clamp(at, from, to);
  if (within < from + SCROLL_EDGE_PX) return (within - from - SCROLL_EDGE_PX) / 4;
  return within > to - SCROLL_EDGE_PX ? (within - to + SCROLL_EDGE_PX) / 4 : 0;
}

/** Limit a number to a range. @param {number} at @param {number} from @param {number} to */
function clamp(at, from, to) {
  return Math.min(Math.max(at, from), to);
}

/** Return the next sibling of an element, skipping the item that is moved. @param {Element | undefined} last @param {Element} moved */
function nextSiblingExcept(last, moved) {
  const next = last?.nextElementSibling ?? null;
  return next === moved ? moved.nextElementSibling : next;
}

/** Return the element and its ancestors that can be scrolled. @param {Element | undefined} element @returns {Element[]} */
function findScrollableAncestors(element) {
  const ancestors = [];
  for (let ancestor = element; ancestor; ancestor = ancestor.parentElement ?? undefined) {
    const { overflowX, overflowY } = getComputedStyle(ancestor);
    if (/auto|scroll/.test(overflowX + overflowY)) ancestors.push(ancestor);
  }
  return ancestors;
}

/** Return the containers that an item can be dropped into. @param {HTMLElement} root @param {SortableOptions} options @returns {HTMLElement[]} */
function findContainers(root, options) {
  return root.matches(options.container) ? [root] : [...root.querySelectorAll(options.container)].map((container) => /** @type {HTMLElement} */ (container));
}

/** Return the container that is nearest horizontally. @param {HTMLElement[]} candidates @param {number} x */
function findNearestContainer(candidates, x) {
  const distanceTo = (/** @type {HTMLElement} */ element) => {
    const { left, right } = element.getBoundingClientRect();
    return Math.max(left - x, x - right, 0);
  };
  return [...candidates].sort((first, second) => distanceTo(first) - distanceTo(second))[0];
}

/** Start drags by the keyboard. @param {HTMLElement} root @param {SortableOptions} options */
function enableKeyboardDrag(root, options) {
  /** @type {{item: HTMLElement, handle: HTMLElement, origin: ReturnType<typeof captureOrigin>} | undefined} */
  let lifted;

  const finish = (/** @type {boolean} */ isDrop) => {
    if (!lifted) return;
    const { item, handle, origin } = lifted;
    lifted = undefined;
    endDrag();
    item.classList.remove("dragged");
    if (!isDrop) origin.restore();
    handle.focus();
    announce((isDrop ? texts.dragDropped : texts.dragCancelled)(options.name(item)));
    if (isDrop && !origin.isUnmoved()) options.drop(item, /** @type {HTMLElement} */ (item.parentElement));
  };

  root.addEventListener("keydown", (event) => {
    const handle = /** @type {HTMLElement | null} */ (/** @type {HTMLElement} */ (event.target).closest(options.handle));
    if (!handle) return;
    if (!lifted) {
      const item = /** @type {HTMLElement | null} */ (handle.closest(options.item));
      if (event.key !== " " || !item || !options.isAllowed() || activeDrags) return;
      event.preventDefault();
      lifted = { item, handle, origin: captureOrigin(item) };
      activeDrags += 1;
      item.classList.add("dragged");
      announce(`${texts.dragLifted(options.name(item))} ${describePosition(item, options)}`);
      return;
    }
    if (handle !== lifted.handle) return;
    if (event.key === " " || event.key === "Enter") finish(true);
    else if (event.key === "Escape") finish(false);
    else if (event.key === "Tab") return;
    else if (moveByKey(lifted.item, event.key, root, options)) {
      handle.focus();
      lifted.item.scrollIntoView({ block: "nearest", inline: "nearest" });
      announce(describePosition(lifted.item, options));
    }
    event.preventDefault();
    event.stopPropagation();
  });
  // Space clicks a button on keyup, which would open the card.
  root.addEventListener("keyup", (event) => {
    const handle = /** @type {HTMLElement} */ (event.target).closest(options.handle);
    if (event.key === " " && handle && options.isAllowed()) event.preventDefault();
  });
  // Leaving the handle cancels the move.
  root.addEventListener("focusout", () => {
    setTimeout(() => { if (lifted && document.activeElement !== lifted.handle) finish(false); });
  });
}

/** Move an item by an arrow key; false if the key does nothing here. @param {HTMLElement} item @param {string} key @param {HTMLElement} root @param {SortableOptions} options */
function moveByKey(item, key, root, options) {
  const containers = findContainers(root, options);
  const parent = /** @type {HTMLElement} */ (item.parentElement);
  const [previousKey, nextKey] = options.direction === "down" ? ["ArrowUp", "ArrowDown"] : ["ArrowLeft", "ArrowRight"];
  if (key === previousKey && item.previousElementSibling?.matches(options.item)) {
    parent.insertBefore(item, item.previousElementSibling);
    return true;
  }
  if (key === nextKey && item.nextElementSibling?.matches(options.item)) {
    parent.insertBefore(item, item.nextElementSibling.nextElementSibling);
    return true;
  }
  if (options.direction === "down" && (key === "ArrowLeft" || key === "ArrowRight")) {
    const target = containers[containers.indexOf(parent) + (key === "ArrowLeft" ? -1 : 1)];
    const index = [...parent.children].indexOf(item);
    target?.insertBefore(item, target.children[index] ?? null);
    return Boolean(target);
  }
  return false;
}

/** Return the position of an item in words, for screen readers. @param {HTMLElement} item @param {SortableOptions} options */
function describePosition(item, options) {
  const container = /** @type {HTMLElement} */ (item.parentElement);
  const items = [...container.children].filter((child) => child.matches(options.item));
  return texts.dragPosition(options.name(item), options.containerName(container), items.indexOf(item) + 1, items.length);
}

// All elements are created here. Text is always inserted as text, never parsed as HTML.

/**
 * @typedef {Node | string | number | null | undefined | false} Child
 * @typedef {Record<string, unknown>} Attributes
 */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Create an HTML element. Attributes that begin with `on` are event listeners, `dataset` is an object, and true is an
 * attribute without a value. Attributes and children that are null, undefined or false are left out.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} [attributes]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  setAttributes(element, attributes);
  setChildren(element, ...children);
  return element;
}

/**
 * Create an SVG element; see `h`.
 *
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} [attributes]
 * @param {...(Child | Child[])} children
 * @returns {SVGElementTagNameMap[Tag]}
 */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  setAttributes(element, attributes);
  setChildren(element, ...children);
  return element;
}

/**
 * Replace all children of an element.
 *
 * @param {Element} element
 * @param {...(Child | Child[])} children
 */
export function setChildren(element, ...children) {
  element.replaceChildren(...children.flat().flatMap((child) => (isRendered(child) ? [toNode(child)] : [])));
}

/**
 * Update the children of an element to match a list. An item whose fingerprint is unchanged keeps its element, and with
 * it the focus and the scroll position. Children without a key are left alone.
 *
 * @template Item
 * @param {Element} parent
 * @param {readonly Item[]} items
 * @param {{key: (item: Item) => string, fingerprint: (item: Item) => string, make: (item: Item) => HTMLElement}} options
 *     `fingerprint` returns everything that the element displays; when it changes, the element is created again
 */
export function reconcile(parent, items, { key, fingerprint, make }) {
  const keyedChildren = /** @type {HTMLElement[]} */ ([...parent.children]).filter((child) => child.dataset.key !== undefined);
  const elementsByKey = new Map(keyedChildren.map((child) => [child.dataset.key, child]));
  const newKeys = new Set(items.map(key));
  // Removing first saves moving the elements that stay.
  for (const child of keyedChildren) if (!newKeys.has(child.dataset.key ?? "")) child.remove();
  /** @type {Element | null} */
  let before = parent.firstElementChild;
  for (const item of items) {
    const itemKey = key(item);
    const oldElement = elementsByKey.get(itemKey);
    let element = oldElement;
    if (!oldElement || oldElement.dataset.fingerprint !== fingerprint(item)) {
      element = make(item);
      element.dataset.key = itemKey;
      element.dataset.fingerprint = fingerprint(item);
      if (oldElement) {
        const focused = oldElement.contains(document.activeElement) ? document.activeElement : null;
        if (before === oldElement) before = element;
        oldElement.replaceWith(element);
        if (focused) restoreFocus(element, focused);
      }
    }
    if (!element) continue;
    if (element === before) before = element.nextElementSibling;
    else {
      const focused = element.contains(document.activeElement) ? document.activeElement : null;
      parent.insertBefore(element, before);
      // Moving an element takes its focus away.
      /** @type {HTMLElement | null} */ (focused)?.focus({ preventScroll: true });
    }
  }
}

/**
 * Focus the element that corresponds to the one that had the focus before an element was replaced.
 *
 * @param {HTMLElement} element
 * @param {Element} oldFocus
 */
function restoreFocus(element, oldFocus) {
  const candidates = [element, ...element.querySelectorAll("*")].filter((candidate) => candidate.matches("button, a, input, select, textarea"));
  const describe = (/** @type {Element} */ element) => [element.tagName, element.className, element.getAttribute("type"), element.textContent].join();
  const match = candidates.find((candidate) => describe(candidate) === describe(oldFocus)) ?? candidates.find((candidate) => candidate.tagName === oldFocus.tagName) ?? candidates[0];
  /** @type {HTMLElement | undefined} */ (match)?.focus({ preventScroll: true });
}

/**
 * Replace the children of an element only if their content has changed since the last call, so that focus and clicks
 * are not lost.
 *
 * @param {HTMLElement} element
 * @param {unknown} content everything that the children display, as a JSON value
 * @param {() => (Child | Child[])[]} make
 */
export function updateChildren(element, content, make) {
  const fingerprint = JSON.stringify(content);
  if (element.dataset.content === fingerprint) return;
  element.dataset.content = fingerprint;
  const focused = element.contains(document.activeElement) ? document.activeElement : null;
  setChildren(element, ...make());
  if (focused) restoreFocus(element, focused);
}

/**
 * @param {Element} element
 * @param {Attributes} attributes
 */
function setAttributes(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) {
      element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    } else if (name === "dataset") {
      Object.assign(/** @type {HTMLElement} */ (element).dataset, value);
    } else if (name === "value" && "value" in element) {
      element.value = value;
    } else {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
}

/**
 * @param {Child} child
 * @returns {child is Node | string | number}
 */
function isRendered(child) {
  return child !== null && child !== undefined && child !== false;
}

/**
 * @param {Node | string | number} child
 * @returns {Node | string}
 */
function toNode(child) {
  return child instanceof Node ? child : String(child);
}

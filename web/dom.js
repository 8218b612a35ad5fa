// Elements are made here and nowhere else, and text only ever becomes text: there is no way to write HTML.

/**
 * @typedef {Node | string | number | null | undefined | false} Child
 * @typedef {Record<string, unknown>} Attributes
 */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Make an HTML element. `onclick` and its like are listeners, `dataset` and true or false attributes are what they
 * say, anything else is an attribute; what is null, undefined or false is left out.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} [attributes]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  dress(element, attributes);
  fill(element, ...children);
  return element;
}

/**
 * Make an SVG element, as `h` does.
 *
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} [attributes]
 * @param {...(Child | Child[])} children
 * @returns {SVGElementTagNameMap[Tag]}
 */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  dress(element, attributes);
  fill(element, ...children);
  return element;
}

/**
 * Put these children in, in place of all that was there.
 *
 * @param {Element} element
 * @param {...(Child | Child[])} children
 */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().flatMap((child) => (isThere(child) ? [node(child)] : [])));
}

/**
 * Bring the children of an element into line with a list: each item keeps its element for as long as it stays the
 * same, so that focus and scrolling survive what others change. Children without a key are somebody else's, and stay.
 *
 * @template Item
 * @param {Element} parent
 * @param {readonly Item[]} items
 * @param {{key: (item: Item) => string, print: (item: Item) => string, make: (item: Item) => HTMLElement}} how
 *     `print` tells all that the element shows; when it changes, the element is made anew
 */
export function align(parent, items, { key, print, make }) {
  const own = /** @type {HTMLElement[]} */ ([...parent.children]).filter((child) => child.dataset.key !== undefined);
  const known = new Map(own.map((child) => [child.dataset.key, child]));
  const wanted = new Set(items.map(key));
  // What goes, goes first: so that nothing has to be moved that stays.
  for (const child of own) if (!wanted.has(child.dataset.key ?? "")) child.remove();
  /** @type {Element | null} */
  let before = parent.firstElementChild;
  for (const item of items) {
    const name = key(item);
    const old = known.get(name);
    let element = old;
    if (!old || old.dataset.print !== print(item)) {
      element = make(item);
      element.dataset.key = name;
      element.dataset.print = print(item);
      if (old) {
        const focused = old.contains(document.activeElement) ? document.activeElement : null;
        if (before === old) before = element;
        old.replaceWith(element);
        if (focused) refocus(element, focused);
      }
    }
    if (!element) continue;
    if (element === before) before = element.nextElementSibling;
    else {
      const focused = element.contains(document.activeElement) ? document.activeElement : null;
      parent.insertBefore(element, before);
      // What is typed next still goes where the last letter went.
      /** @type {HTMLElement | null} */ (focused)?.focus({ preventScroll: true });
    }
  }
}

/**
 * Focus what stands where the focus was before an element was made anew.
 *
 * @param {HTMLElement} element
 * @param {Element} was
 */
function refocus(element, was) {
  const all = [element, ...element.querySelectorAll("*")].filter((each) => each.matches("button, a, input, select, textarea"));
  const look = (/** @type {Element} */ each) => [each.tagName, each.className, each.getAttribute("type"), each.textContent].join();
  const same = all.find((each) => look(each) === look(was)) ?? all.find((each) => each.tagName === was.tagName) ?? all[0];
  /** @type {HTMLElement | undefined} */ (same)?.focus({ preventScroll: true });
}

/**
 * Put these children in if what they show has changed since the last time; else everything stays as it is, so that
 * nobody's focus or half a click is lost.
 *
 * @param {HTMLElement} element
 * @param {unknown} shown all that the children show, as something that becomes JSON
 * @param {() => (Child | Child[])[]} make
 */
export function refill(element, shown, make) {
  const print = JSON.stringify(shown);
  if (element.dataset.shown === print) return;
  element.dataset.shown = print;
  const focused = element.contains(document.activeElement) ? document.activeElement : null;
  fill(element, ...make());
  if (focused) refocus(element, focused);
}

/**
 * @param {Element} element
 * @param {Attributes} attributes
 */
function dress(element, attributes) {
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
function isThere(child) {
  return child !== null && child !== undefined && child !== false;
}

/**
 * @param {Node | string | number} child
 * @returns {Node | string}
 */
function node(child) {
  return child instanceof Node ? child : String(child);
}

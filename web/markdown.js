// Render a subset of Markdown, which docs/web.md describes. Everything else is shown as it was written.
//
// A text is parsed into a tree, and elements are created from the tree; no HTML is ever parsed. The depth of the tree is
// limited and the parser takes linear time, so no text can run code or take long.

import { h } from "./dom.js";
import { parse } from "./markdown-blocks.js";
import { texts } from "./texts.js";

// The parser imports these itself. They are listed here so that the browser loads them in parallel.
import "./markdown-inline.js";
import "./markdown-links.js";
import "./markdown-tables.js";
import "./markdown-tree.js";

/**
 * @typedef {import("./markdown-tree.js").Block} Block
 * @typedef {import("./markdown-tree.js").Inline} Inline
 * @typedef {import("./markdown-tree.js").Item} Item
 * @typedef {import("./markdown-tree.js").List} List
 * @typedef {import("./markdown-tree.js").Link} Link
 * @typedef {import("./markdown-tree.js").Table} Table
 */

const SAFE_ADDRESS = /^(https?:\/\/|mailto:)/i;
const INLINE = /** @type {const} */ ({ emphasis: "em", strong: "strong", strike: "s" });
// The page itself uses headings up to the third level. Most texts begin with the first or the second level.
const HEADINGS = /** @type {const} */ (["h4", "h4", "h5", "h6", "h6", "h6"]);

/**
 * Render a text.
 *
 * @param {string} text
 * @returns {DocumentFragment}
 */
export function markdown(text) {
  const result = document.createDocumentFragment();
  result.append(...parse(text).children.map((block) => drawBlock(block)));
  return result;
}

/**
 * Create a link that sends no referrer. If the address is not http, https or mailto, return the content without a link.
 *
 * @param {string} address
 * @param {...(Node | string)} content
 */
export function createLink(address, ...content) {
  if (!SAFE_ADDRESS.test(address)) return h("span", {}, ...content);
  return h("a", { href: address, rel: "noopener noreferrer nofollow", target: "_blank" }, ...content);
}

/**
 * Create the element of a block.
 *
 * @param {Block} block
 * @returns {HTMLElement}
 */
function drawBlock(block) {
  switch (block.type) {
    case "paragraph": return h("p", {}, drawInline(block.children));
    case "heading": return h(HEADINGS[block.level - 1] ?? "h6", {}, drawInline(block.children));
    case "pre": return h("pre", {}, h("code", {}, block.children.map((leaf) => leaf.text)));
    case "rule": return h("hr");
    case "table": return drawTable(block);
    case "list": return drawList(block);
    case "item": return h("li", {}, block.children.map(drawBlock));
    default: return h("blockquote", {}, block.children.map(drawBlock));
  }
}

/** @param {List} list */
function drawList(list) {
  let number = list.start ?? 0;
  const items = list.children.map((item, index) => {
    const repeats = item.number === list.children[index - 1]?.number;
    const isExpectedNumber = list.start === null || repeats || item.number === number;
    if (!isExpectedNumber) number = item.number;
    number += 1;
    return drawItem(item, list.isTight, isExpectedNumber ? null : item.number);
  });
  return list.start === null ? h("ul", {}, items) : h("ol", { start: list.start === 1 ? null : list.start }, items);
}

/**
 * @param {Item} item
 * @param {boolean} isTight
 * @param {number | null} number  Null if it follows the number of the item before
 */
function drawItem(item, isTight, number) {
  const box = item.task === null ? null : drawBox(item.task);
  const children = item.children.flatMap((block) => (isTight && block.type === "paragraph" ? drawInline(block.children) : [drawBlock(block)]));
  return h("li", { value: number, class: box ? "task" : null }, box, children);
}

/** @param {boolean} isDone */
function drawBox(isDone) {
  return h("input", { type: "checkbox", disabled: true, checked: isDone, "aria-label": isDone ? texts.taskDone : texts.taskOpen });
}

/** @param {Table} table */
function drawTable({ aligns, rows: [head = [], ...rows] }) {
  const align = (/** @type {number} */ column) => ({ class: aligns[column] && `to-${aligns[column]}` });
  // A wide table scrolls, so its container can be focused by the keyboard.
  return h("div", { class: "scrollable", tabindex: 0, role: "region", "aria-label": texts.table }, h("table", {},
    h("thead", {}, h("tr", {}, head.map((cell, column) => h("th", align(column), drawInline(cell))))),
    h("tbody", {}, rows.map((row) => h("tr", {}, row.map((cell, column) => h("td", align(column), drawInline(cell))))))));
}

/**
 * @param {Inline[]} nodes
 * @param {boolean} [isLinked]  Whether they are inside a link; links don't nest
 * @returns {(Node | string)[]}
 */
function drawInline(nodes, isLinked = false) {
  return nodes.flatMap((node) => {
    switch (node.type) {
      case "text": return [node.text];
      case "break": return [h("br")];
      case "code": return [h("code", {}, node.children.map((leaf) => leaf.text))];
      case "link": return drawLink(node, isLinked);
      default: return [h(INLINE[node.type], {}, drawInline(node.children, isLinked))];
    }
  });
}

/**
 * Create a link. An image becomes a link to it, because the page loads nothing from other servers. A link to an address
 * that is not allowed is shown as it was written.
 *
 * @param {Link} node
 * @param {boolean} isLinked
 */
function drawLink(node, isLinked) {
  const isSafe = SAFE_ADDRESS.test(node.href);
  const content = drawInline(node.children, isLinked || isSafe);
  if (!isSafe) return [node.open, ...content, node.close];
  if (isLinked) return content;
  const element = createLink(node.href, ...content);
  // Trello stores in the title how to display a link.
  if (node.title && !node.title.startsWith("smartCard-")) element.title = node.title;
  return [element];
}

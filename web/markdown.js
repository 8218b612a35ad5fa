// A part of Markdown as nodes: docs/web.md says which. Everything else stands as it was written.
//
// A text is parsed into a tree and the tree is drawn. Neither makes HTML of anything; how deep the tree goes is
// bounded, and so is every step of the parser, so that no text, however made, takes long or runs anything.

import { h } from "./dom.js";
import { parse } from "./markdown-blocks.js";
import { words } from "./words.js";

// The parser imports these itself. Named here, they are asked for together and not one after the other.
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

const SAFE = /^(https?:\/\/|mailto:)/i;
const INLINE = /** @type {const} */ ({ emphasis: "em", strong: "strong", strike: "s" });
// The page's own headings end at the third level. Most texts begin with the first or the second.
const HEADINGS = /** @type {const} */ (["h4", "h4", "h5", "h6", "h6", "h6"]);

/**
 * The text as nodes.
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
 * A link that tells the other side nothing about where it was clicked; the words alone for an address of any other kind.
 *
 * @param {string} address
 * @param {...(Node | string)} content
 */
export function link(address, ...content) {
  if (!SAFE.test(address)) return h("span", {}, ...content);
  return h("a", { href: address, rel: "noopener noreferrer nofollow", target: "_blank" }, ...content);
}

/**
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
  const items = list.children.map((item, place) => {
    const repeats = item.number === list.children[place - 1]?.number;
    const isAsCounted = list.start === null || repeats || item.number === number;
    if (!isAsCounted) number = item.number;
    number += 1;
    return drawItem(item, list.isTight, isAsCounted ? null : item.number);
  });
  return list.start === null ? h("ul", {}, items) : h("ol", { start: list.start === 1 ? null : list.start }, items);
}

/**
 * @param {Item} item
 * @param {boolean} isTight
 * @param {number | null} number  Where it is not the next one
 */
function drawItem(item, isTight, number) {
  const box = item.task === null ? null : drawBox(item.task);
  const children = item.children.flatMap((block) => (isTight && block.type === "paragraph" ? drawInline(block.children) : [drawBlock(block)]));
  return h("li", { value: number, class: box ? "task" : null }, box, children);
}

/** @param {boolean} isDone */
function drawBox(isDone) {
  return h("input", { type: "checkbox", disabled: true, checked: isDone, "aria-label": isDone ? words.taskDone : words.taskOpen });
}

/** @param {Table} table */
function drawTable({ aligns, rows: [head = [], ...rows] }) {
  const align = (/** @type {number} */ column) => ({ class: aligns[column] && `to-${aligns[column]}` });
  // The table scrolls by itself, so its place takes the focus of a keyboard.
  return h("div", { class: "scrolls", tabindex: 0, role: "region", "aria-label": words.table }, h("table", {},
    h("thead", {}, h("tr", {}, head.map((cell, column) => h("th", align(column), drawInline(cell))))),
    h("tbody", {}, rows.map((row) => h("tr", {}, row.map((cell, column) => h("td", align(column), drawInline(cell))))))));
}

/**
 * @param {Inline[]} nodes
 * @param {boolean} [isLinked]  Whether they stand in a link, which holds no other
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
 * A link; an image is a link to it, because the page loads nothing from elsewhere. One that may lead nowhere stands as
 * it was written.
 *
 * @param {Link} node
 * @param {boolean} isLinked
 */
function drawLink(node, isLinked) {
  const isSafe = SAFE.test(node.href);
  const content = drawInline(node.children, isLinked || isSafe);
  if (!isSafe) return [node.open, ...content, node.close];
  if (isLinked) return content;
  const element = link(node.href, ...content);
  // Trello writes into the title how it draws a link.
  if (node.title && !node.title.startsWith("smartCard-")) element.title = node.title;
  return [element];
}

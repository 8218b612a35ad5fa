// A small part of Markdown, as nodes: paragraphs, headings, lists, quotes, code, bold, italic, links and line breaks.
//
// Everything else stands as it was written. Nothing nests deeper than bold within italic, and every step of reading
// takes at least one character, so that no text, however made, takes long or runs anything.

import { h } from "./dom.js";

const INLINE = /`([^`\n]+)`|\*\*([^*\n]+)\*\*|[*_]([^*_\n]+)[*_]|\[([^\]\n]{1,200})\]\(([^)\s]{1,2000})\)|(https?:\/\/[^\s<>"')\]]+)/;
const SAFE = /^(https?:\/\/|mailto:)/i;

/**
 * The text as nodes.
 *
 * @param {string} text
 * @returns {DocumentFragment}
 */
export function markdown(text) {
  const result = document.createDocumentFragment();
  const lines = text.split("\n");
  let at = 0;
  while (at < lines.length) {
    const line = lines[at] ?? "";
    const kind = kindOf(line);
    const block = [];
    if (kind === "blank") {
      at += 1;
      continue;
    }
    if (kind === "fence") {
      at += 1;
      while (at < lines.length && kindOf(lines[at] ?? "") !== "fence") block.push(lines[at++] ?? "");
      at += 1;
      result.append(h("pre", {}, h("code", {}, block.join("\n"))));
      continue;
    }
    if (kind === "heading") {
      at += 1;
      result.append(h("h4", {}, ...inline(line.replace(/^#{1,6}\s+/, ""))));
      continue;
    }
    while (at < lines.length && kindOf(lines[at] ?? "") === kind) block.push(lines[at++] ?? "");
    result.append(blockOf(kind, block));
  }
  return result;
}

/** @param {string} line */
function kindOf(line) {
  if (!line.trim()) return "blank";
  if (line.startsWith("```")) return "fence";
  if (/^#{1,6}\s/.test(line)) return "heading";
  if (/^\s{0,3}[-*+]\s/.test(line)) return "bullets";
  if (/^\s{0,3}\d{1,9}[.)]\s/.test(line)) return "numbers";
  if (line.startsWith(">")) return "quote";
  return "text";
}

/**
 * @param {string} kind
 * @param {string[]} lines
 */
function blockOf(kind, lines) {
  if (kind === "bullets" || kind === "numbers") {
    const items = lines.map((line) => h("li", {}, ...inline(line.replace(/^\s*([-*+]|\d+[.)])\s+/, ""))));
    return kind === "bullets" ? h("ul", {}, items) : h("ol", {}, items);
  }
  const cleaned = kind === "quote" ? lines.map((line) => line.replace(/^>\s?/, "")) : lines;
  const content = cleaned.flatMap((line, place) => [...(place ? [h("br")] : []), ...inline(line)]);
  return kind === "quote" ? h("blockquote", {}, ...content) : h("p", {}, ...content);
}

/**
 * @param {string} text
 * @param {number} [depth]
 * @returns {(Node | string)[]}
 */
function inline(text, depth = 0) {
  /** @type {(Node | string)[]} */
  const nodes = [];
  let rest = text;
  for (let found = INLINE.exec(rest); found && depth < 2; found = INLINE.exec(rest)) {
    nodes.push(rest.slice(0, found.index));
    nodes.push(made(found, depth));
    rest = rest.slice(found.index + found[0].length);
  }
  nodes.push(rest);
  return nodes.filter((node) => node !== "");
}

/**
 * @param {RegExpExecArray} found
 * @param {number} depth
 */
function made(found, depth) {
  const [all, code, bold, italic, words, address, bare] = found;
  if (code) return h("code", {}, code);
  if (bold) return h("strong", {}, ...inline(bold, depth + 1));
  if (italic) return h("em", {}, ...inline(italic, depth + 1));
  if (words && address) return SAFE.test(address) ? link(address, words) : all;
  return bare ? link(bare, bare) : all;
}

/**
 * A link that tells the other side nothing about where it was clicked; the words alone for an address of any other kind.
 *
 * @param {string} address
 * @param {string} words
 */
export function link(address, words) {
  return SAFE.test(address) ? h("a", { href: address, rel: "noopener noreferrer nofollow", target: "_blank" }, words) : h("span", {}, words);
}

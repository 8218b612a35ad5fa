// What stands within a block: emphasis, code, links and line breaks, by the rules of CommonMark and GFM.
//
// The strategy is that of CommonMark's appendix: one pass from left to right, with a stack of delimiters and one of
// brackets. What finds no other half is text. Every step consumes a character or removes an entry of a stack, so the
// time is linear.

import { MAX_EMPHASIS, MAX_IMAGES } from "./markdown-tree.js";
import { autolinkAt, bareAddressEnd, linkTailAt } from "./markdown-links.js";

/**
 * @typedef {import("./markdown-tree.js").Inline} Inline
 * @typedef {import("./markdown-tree.js").Text} Text
 * @typedef {import("./markdown-tree.js").Content} Content
 *
 * @typedef {object} Cell  One node of the row that is parsed, in a list that is linked both ways
 * @property {Inline | null} node
 * @property {number} start  From here in the content; what has no node yet is text
 * @property {number} end
 * @property {number} depth  How many emphases, links and images lie within each other
 * @property {Cell | null} previous
 * @property {Cell | null} next
 *
 * @typedef {object} Delimiter
 * @property {Cell} cell
 * @property {string} mark
 * @property {number} at  Where it begins
 * @property {number} length  As written, when it begins and ends nothing yet
 * @property {boolean} canOpen
 * @property {boolean} canClose
 * @property {Delimiter | null} below
 * @property {Delimiter | null} above
 *
 * @typedef {{cell: Cell, isImage: boolean, images: number, delimiter: Delimiter | null}} Bracket  `images` is how many
 *     lie within each other in it, `delimiter` the last one before it
 */

const PLAIN = /[^\n\\`*_~[\]!<Hh]+/y;
const ESCAPABLE = /[!-/:-@[-`{-~]/;
const SPACE = /[\s\p{Zs}]/u;
const PUNCTUATION = /[\p{P}\p{S}]/u;

/**
 * @param {Content} content
 * @returns {Inline[]}
 */
export function parseInline(content) {
  return new InlineParser(content).parse();
}

class InlineParser {
  /** @param {Content} content */
  constructor({ text, offsets }) {
    this.text = text;
    this.offsets = offsets;
    this.at = 0;
    this.first = newCell(0, 0);
    this.last = this.first;
    /** @type {Delimiter | null} */
    this.top = null;
    /** @type {Bracket[]} */
    this.brackets = [];
    /** Links hold no links: brackets below this place of the stack, unless of images, open none. */
    this.inert = 0;
    /** @type {Map<number, number> | null} */
    this.lastTicks = null;
  }

  parse() {
    while (this.at < this.text.length) this.step();
    this.resolve(null);
    return this.collect(this.first, null).nodes;
  }

  step() {
    PLAIN.lastIndex = this.at;
    const plain = PLAIN.exec(this.text);
    if (plain) return this.add(plain[0].length);
    switch (this.text[this.at]) {
      case "\n": return this.lineBreak(0);
      case "\\": return this.escape();
      case "`": return this.codeSpan();
      case "*": case "_": case "~": return this.delimiters();
      case "!": return this.text[this.at + 1] === "[" ? this.bracket(2) : this.add(1);
      case "[": return this.bracket(1);
      case "]": return this.closeBracket();
      case "<": return this.autolink();
      default: return this.bareAddress();
    }
  }

  /**
   * Add the next characters, as text unless they have a node.
   *
   * @param {number} length
   * @param {Inline | null} [node]
   */
  add(length, node = null) {
    const added = newCell(this.at, this.at + length, node);
    this.at += length;
    added.previous = this.last;
    this.last.next = added;
    this.last = added;
    return added;
  }

  /** @param {number} markers How many characters before the line feed belong to the break. */
  lineBreak(markers) {
    const before = this.last;
    let end = before.node ? before.start : before.end;
    while (!markers && end > before.start && this.text[end - 1] === " ") end -= 1;
    const isHard = markers > 0 || (!before.node && before.end - end >= 2);
    if (!before.node) before.end = end;
    this.add(markers + 1, { type: "break", isHard, ...this.span(this.at, this.at + markers + 1) });
  }

  escape() {
    const next = this.text[this.at + 1] ?? "";
    if (next === "\n") this.lineBreak(1);
    else if (ESCAPABLE.test(next)) {
      this.at += 1;
      this.add(1);
    } else this.add(1);
  }

  codeSpan() {
    const length = this.run("`");
    const start = this.at + length;
    const close = this.closingTicks(start, length);
    if (close < 0) return void this.add(length);
    let from = start;
    let to = close;
    const inside = this.text.slice(from, to);
    if (/^[ \n]/.test(inside) && /[ \n]$/.test(inside) && /[^ \n]/.test(inside)) {
      from += 1;
      to -= 1;
    }
    this.add(close + length - this.at, { type: "code", children: this.leaves(from, to, true), ...this.span(this.at, close + length) });
  }

  /**
   * Where the next run of exactly so many backticks begins, or -1. The last run of each length is known, so that no
   * search is in vain.
   *
   * @param {number} from
   * @param {number} length
   */
  closingTicks(from, length) {
    this.lastTicks ??= new Map([...this.text.matchAll(/`+/g)].map((run) => [run[0].length, run.index]));
    if ((this.lastTicks.get(length) ?? -1) < from) return -1;
    for (let at = this.text.indexOf("`", from); at >= 0; ) {
      let end = at;
      while (this.text[end] === "`") end += 1;
      if (end - at === length) return at;
      at = this.text.indexOf("`", end);
    }
    return -1;
  }

  delimiters() {
    const mark = this.text[this.at] ?? "";
    const length = this.run(mark);
    const before = characterBefore(this.text, this.at);
    const after = characterAt(this.text, this.at + length);
    const added = this.add(length);
    // One tilde means "about" more often than anything else, and an asterisk between digits multiplies.
    const isText = mark === "~" ? length !== 2 : mark === "*" && length === 1 && /\d/.test(before) && /\d/.test(after);
    if (isText) return;
    const isLeft = !isSpace(after) && (!isPunctuation(after) || isSpace(before) || isPunctuation(before));
    const isRight = !isSpace(before) && (!isPunctuation(before) || isSpace(after) || isPunctuation(after));
    const isWord = mark === "_" && isLeft && isRight;
    const canOpen = isLeft && (!isWord || isPunctuation(before));
    const canClose = isRight && (!isWord || isPunctuation(after));
    if (!canOpen && !canClose) return;
    /** @type {Delimiter} */
    const delimiter = { cell: added, mark, at: added.start, length, canOpen, canClose, below: this.top, above: null };
    if (this.top) this.top.above = delimiter;
    this.top = delimiter;
  }

  /** @param {number} length */
  bracket(length) {
    this.brackets.push({ cell: this.add(length), isImage: length === 2, images: 0, delimiter: this.top });
  }

  closeBracket() {
    const bracket = this.brackets.pop();
    const isInert = this.brackets.length < this.inert;
    this.inert = Math.min(this.inert, this.brackets.length);
    const canBe = bracket && (bracket.isImage ? bracket.images < MAX_IMAGES : !isInert);
    const tail = canBe ? linkTailAt(this.text, this.at + 1) : null;
    if (bracket) this.passOn(bracket, tail !== null);
    if (!bracket || !tail) return void this.add(1);
    this.resolve(bracket.delimiter);
    const { start, end } = bracket.cell;
    const { nodes, depth } = this.collect(bracket.cell.next, null);
    this.last = bracket.cell;
    this.last.next = null;
    const children = nodes.length ? nodes : tail.words && this.leaves(...tail.words);
    this.at = tail.end;
    Object.assign(this.last, { end: tail.end, depth: depth + 1 });
    this.last.node = {
      type: "link", kind: bracket.isImage ? "image" : "link", href: tail.href, title: tail.title,
      open: this.text.slice(start, end), close: this.text.slice(tail.start, tail.end), children: children || [], ...this.span(start, tail.end),
    };
  }

  /**
   * Pass on what the brackets around this one must know: how deep its images nest, and that it is a link.
   *
   * @param {Bracket} bracket
   * @param {boolean} isLink  Whether it has become a link or an image
   */
  passOn(bracket, isLink) {
    const outer = this.brackets.at(-1);
    if (outer) outer.images = Math.max(outer.images, bracket.images + (isLink && bracket.isImage ? 1 : 0));
    if (isLink && !bracket.isImage) this.inert = this.brackets.length;
  }

  autolink() {
    const address = autolinkAt(this.text, this.at);
    if (!address) return void this.add(1);
    const end = this.at + address.length + 2;
    const href = address.includes(":") ? address : `mailto:${address}`;
    this.add(end - this.at, {
      type: "link", kind: "auto", href, title: "", open: "<", close: ">", children: this.leaves(this.at + 1, end - 1), ...this.span(this.at, end),
    });
  }

  bareAddress() {
    const end = bareAddressEnd(this.text, this.at);
    if (end < 0) return void this.add(1);
    this.add(end - this.at, {
      type: "link", kind: "bare", href: this.text.slice(this.at, end), title: "", open: "", close: "", children: this.leaves(this.at, end), ...this.span(this.at, end),
    });
  }

  /**
   * Pair the delimiters above this one, the innermost first. Whatever is left of them is text.
   *
   * @param {Delimiter | null} bottom
   */
  resolve(bottom) {
    if (this.top === bottom) return;
    /** @type {Map<string, number>} */
    const floors = new Map();
    let closer = this.top;
    while (closer && closer.below !== bottom) closer = closer.below;
    while (closer) {
      const above = closer.above;
      if (!closer.canClose) closer = above;
      else {
        const kind = `${closer.mark}${closer.canOpen}${closer.length % 3}`;
        const opener = openerOf(closer, floors.get(kind) ?? 0, bottom);
        if (opener) {
          if (!this.pair(opener, closer)) break;
          if (!widthOf(closer)) closer = above;
        } else {
          floors.set(kind, closer.at);
          if (!closer.canOpen) this.drop(closer);
          closer = above;
        }
      }
    }
    this.top = bottom;
    if (bottom) bottom.above = null;
  }

  /**
   * Put what lies between the two into an emphasis. False, and nothing done, if it would nest too deep.
   *
   * @param {Delimiter} opener
   * @param {Delimiter} closer
   */
  pair(opener, closer) {
    const length = widthOf(opener) >= 2 && widthOf(closer) >= 2 ? 2 : 1;
    const { nodes, depth } = this.collect(opener.cell.next, closer.cell);
    if (depth >= MAX_EMPHASIS) return false;
    opener.cell.end -= length;
    const start = opener.cell.end;
    const end = closer.cell.start + length;
    closer.cell.start = end;
    const type = opener.mark === "~" ? "strike" : length === 2 ? "strong" : "emphasis";
    const emphasis = newCell(start, end, { type, children: nodes, ...this.span(start, end) }, depth + 1);
    joinCells(opener.cell, emphasis);
    joinCells(emphasis, closer.cell);
    opener.above = closer;
    closer.below = opener;
    if (!widthOf(opener)) this.drop(opener);
    if (!widthOf(closer)) this.drop(closer);
    return true;
  }

  /** @param {Delimiter} delimiter */
  drop(delimiter) {
    if (delimiter.below) delimiter.below.above = delimiter.above;
    if (delimiter.above) delimiter.above.below = delimiter.below;
    else this.top = delimiter.below;
  }

  /**
   * The nodes of a row of cells, and how deep they go.
   *
   * @param {Cell | null} first
   * @param {Cell | null} end
   */
  collect(first, end) {
    /** @type {Inline[]} */
    const nodes = [];
    let depth = 0;
    for (let current = first; current && current !== end; current = current.next) {
      depth = Math.max(depth, current.depth);
      if (current.node) nodes.push(current.node);
      else for (const leaf of this.leaves(current.start, current.end)) append(nodes, leaf);
    }
    return { nodes, depth };
  }

  /**
   * This part of the content as text; in code, where lines end there are spaces.
   *
   * @param {number} start
   * @param {number} end
   * @param {boolean} [isCode]
   */
  leaves(start, end, isCode = false) {
    /** @type {Text[]} */
    const leaves = [];
    let from = start;
    for (let at = start; at < end; at += 1) {
      const isLineEnd = isCode && this.text[at] === "\n";
      if (isLineEnd && from < at) leaves.push({ type: "text", text: this.text.slice(from, at), ...this.span(from, at) });
      if (isLineEnd) leaves.push({ type: "text", text: " ", ...this.span(at, at + 1) });
      if (isLineEnd) from = at + 1;
      else if (at > from && this.offsets[at] !== (this.offsets[at - 1] ?? 0) + 1) {
        leaves.push({ type: "text", text: this.text.slice(from, at), ...this.span(from, at) });
        from = at;
      }
    }
    if (from < end) leaves.push({ type: "text", text: this.text.slice(from, end), ...this.span(from, end) });
    return leaves;
  }

  /**
   * Where this part of the content stands in the source.
   *
   * @param {number} start
   * @param {number} end
   */
  span(start, end) {
    return { from: this.offsets[start] ?? 0, to: (this.offsets[end - 1] ?? 0) + 1 };
  }

  /**
   * How often the mark stands here in a row.
   *
   * @param {string} mark
   */
  run(mark) {
    let end = this.at;
    while (this.text[end] === mark) end += 1;
    return end - this.at;
  }
}

/**
 * @param {number} start
 * @param {number} end
 * @param {Inline | null} [node]
 * @param {number} [depth]
 * @returns {Cell}
 */
function newCell(start, end, node = null, depth = 0) {
  return { node, start, end, depth, previous: null, next: null };
}

/**
 * @param {Cell} before
 * @param {Cell} after
 */
function joinCells(before, after) {
  before.next = after;
  after.previous = before;
}

/**
 * Add text to nodes, to the last of them if it goes on there.
 *
 * @param {Inline[]} nodes
 * @param {Text} leaf
 */
function append(nodes, leaf) {
  const last = nodes.at(-1);
  if (last?.type === "text" && last.to === leaf.from) nodes[nodes.length - 1] = { ...last, text: last.text + leaf.text, to: leaf.to };
  else nodes.push(leaf);
}

/** @param {Delimiter} delimiter */
function widthOf({ cell: { start, end } }) {
  return end - start;
}

/**
 * The nearest delimiter that this one closes.
 *
 * @param {Delimiter} closer
 * @param {number} floor  Nothing before it matches
 * @param {Delimiter | null} bottom
 */
function openerOf(closer, floor, bottom) {
  for (let opener = closer.below; opener && opener !== bottom && opener.at >= floor; opener = opener.below) {
    if (opener.mark === closer.mark && opener.canOpen && canPair(opener, closer)) return opener;
  }
  return null;
}

/**
 * The rule of three: `**a*b**` and its like are ambiguous where one of the two can both open and close.
 *
 * @param {Delimiter} opener
 * @param {Delimiter} closer
 */
function canPair(opener, closer) {
  if (closer.mark === "~" || !(opener.canClose || closer.canOpen)) return true;
  return (opener.length + closer.length) % 3 !== 0 || (opener.length % 3 === 0 && closer.length % 3 === 0);
}

/**
 * @param {string} text
 * @param {number} at
 */
function characterAt(text, at) {
  const code = text.codePointAt(at);
  return code === undefined ? "\n" : String.fromCodePoint(code);
}

/**
 * @param {string} text
 * @param {number} at
 */
function characterBefore(text, at) {
  const isPair = at > 1 && /[\uDC00-\uDFFF]/.test(text[at - 1] ?? "");
  return at === 0 ? "\n" : characterAt(text, isPair ? at - 2 : at - 1);
}

/** @param {string} character */
function isSpace(character) {
  return SPACE.test(character);
}

/** @param {string} character */
function isPunctuation(character) {
  return PUNCTUATION.test(character);
}

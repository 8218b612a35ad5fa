// Parse the text within a block (emphasis, code, links and line breaks) by the rules of CommonMark and GFM.
//
// The strategy is that of CommonMark's appendix: one pass from left to right, with a stack of delimiters and one of
// brackets. A delimiter without a partner is text. Every step consumes a character or removes an entry of a stack, so
// parsing takes linear time.

import { MAX_EMPHASIS, MAX_IMAGES } from "./markdown-tree.js";
import { parseAutolink, findBareAddressEnd, parseLinkTail } from "./markdown-links.js";

/**
 * @typedef {import("./markdown-tree.js").Inline} Inline
 * @typedef {import("./markdown-tree.js").Text} Text
 * @typedef {import("./markdown-tree.js").Content} Content
 *
 * @typedef {object} Segment  A part of the content, in a doubly linked list
 * @property {Inline | null} node
 * @property {number} start  Offset in the content. A segment without a node is text
 * @property {number} end
 * @property {number} depth  How deep emphasis, links and images nest in it
 * @property {Segment | null} previous
 * @property {Segment | null} next
 *
 * @typedef {object} Delimiter
 * @property {Segment} segment
 * @property {string} mark
 * @property {number} at  Its offset
 * @property {number} length  As written, before any part of it is paired
 * @property {boolean} canOpen
 * @property {boolean} canClose
 * @property {Delimiter | null} below
 * @property {Delimiter | null} above
 *
 * @typedef {{segment: Segment, isImage: boolean, images: number, delimiter: Delimiter | null}} Bracket  `images` is how
 *     deep images nest in it, `delimiter` the last one before it
 */

const PLAIN = /[^\n\\`*_~[\]!<Hh]+/y;
const ESCAPABLE = /[!-/:-@[-`{-~]/;
const SPACE = /[\s\p{Zs}]/u;
const PUNCTUATION = /[\p{P}\p{S}]/u;

/**
 * Parse the text of a block.
 *
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
    this.first = createSegment(0, 0);
    this.last = this.first;
    /** @type {Delimiter | null} */
    this.top = null;
    /** @type {Bracket[]} */
    this.brackets = [];
    /** Links don't nest: below this index of the stack, only brackets of images can open a link. */
    this.inactiveBelow = 0;
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
   * Add the next characters, as a node or as text.
   *
   * @param {number} length
   * @param {Inline | null} [node]
   */
  add(length, node = null) {
    const added = createSegment(this.at, this.at + length, node);
    this.at += length;
    added.previous = this.last;
    this.last.next = added;
    this.last = added;
    return added;
  }

  /** @param {number} markers How many characters before the line feed are part of the break. */
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
    this.add(close + length - this.at, { type: "code", children: this.createTextNodes(from, to, true), ...this.span(this.at, close + length) });
  }

  /**
   * Return where the next run of exactly that many backticks begins; -1 if there is none. The last run of each length is
   * remembered, so that no search fails after reading the rest of the text.
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
    // A single tilde usually means "about", and an asterisk between digits is a multiplication sign.
    const isText = mark === "~" ? length !== 2 : mark === "*" && length === 1 && /\d/.test(before) && /\d/.test(after);
    if (isText) return;
    const isLeftFlanking = !isSpace(after) && (!isPunctuation(after) || isSpace(before) || isPunctuation(before));
    const isRightFlanking = !isSpace(before) && (!isPunctuation(before) || isSpace(after) || isPunctuation(after));
    const isWord = mark === "_" && isLeftFlanking && isRightFlanking;
    const canOpen = isLeftFlanking && (!isWord || isPunctuation(before));
    const canClose = isRightFlanking && (!isWord || isPunctuation(after));
    if (!canOpen && !canClose) return;
    /** @type {Delimiter} */
    const delimiter = { segment: added, mark, at: added.start, length, canOpen, canClose, below: this.top, above: null };
    if (this.top) this.top.above = delimiter;
    this.top = delimiter;
  }

  /** @param {number} length */
  bracket(length) {
    this.brackets.push({ segment: this.add(length), isImage: length === 2, images: 0, delimiter: this.top });
  }

  closeBracket() {
    const bracket = this.brackets.pop();
    const isInert = this.brackets.length < this.inactiveBelow;
    this.inactiveBelow = Math.min(this.inactiveBelow, this.brackets.length);
    const canBecomeLink = bracket && (bracket.isImage ? bracket.images < MAX_IMAGES : !isInert);
    const tail = canBecomeLink ? parseLinkTail(this.text, this.at + 1) : null;
    if (bracket) this.updateOuterBrackets(bracket, tail !== null);
    if (!bracket || !tail) return void this.add(1);
    this.resolve(bracket.delimiter);
    const { start, end } = bracket.segment;
    const { nodes, depth } = this.collect(bracket.segment.next, null);
    this.last = bracket.segment;
    this.last.next = null;
    const children = nodes.length ? nodes : tail.addressSpan && this.createTextNodes(...tail.addressSpan);
    this.at = tail.end;
    Object.assign(this.last, { end: tail.end, depth: depth + 1 });
    this.last.node = {
      type: "link", kind: bracket.isImage ? "image" : "link", href: tail.href, title: tail.title,
      open: this.text.slice(start, end), close: this.text.slice(tail.start, tail.end), children: children || [], ...this.span(start, tail.end),
    };
  }

  /**
   * Update the brackets around a closed one: how deep images nest in them, and that they can't become links.
   *
   * @param {Bracket} bracket
   * @param {boolean} isLink  Whether the closed one has become a link or an image
   */
  updateOuterBrackets(bracket, isLink) {
    const outer = this.brackets.at(-1);
    if (outer) outer.images = Math.max(outer.images, bracket.images + (isLink && bracket.isImage ? 1 : 0));
    if (isLink && !bracket.isImage) this.inactiveBelow = this.brackets.length;
  }

  autolink() {
    const address = parseAutolink(this.text, this.at);
    if (!address) return void this.add(1);
    const end = this.at + address.length + 2;
    const href = address.includes(":") ? address : `mailto:${address}`;
    this.add(end - this.at, {
      type: "link", kind: "auto", href, title: "", open: "<", close: ">", children: this.createTextNodes(this.at + 1, end - 1), ...this.span(this.at, end),
    });
  }

  bareAddress() {
    const end = findBareAddressEnd(this.text, this.at);
    if (end < 0) return void this.add(1);
    this.add(end - this.at, {
      type: "link", kind: "bare", href: this.text.slice(this.at, end), title: "", open: "", close: "", children: this.createTextNodes(this.at, end), ...this.span(this.at, end),
    });
  }

  /**
   * Pair the delimiters above one in the stack, the innermost first. Delimiters without a partner become text.
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
        const opener = findOpener(closer, floors.get(kind) ?? 0, bottom);
        if (opener) {
          if (!this.pair(opener, closer)) break;
          if (!getRemainingLength(closer)) closer = above;
        } else {
          floors.set(kind, closer.at);
          if (!closer.canOpen) this.removeDelimiter(closer);
          closer = above;
        }
      }
    }
    this.top = bottom;
    if (bottom) bottom.above = null;
  }

  /**
   * Put everything between two delimiters into an emphasis. Return false, and do nothing, if it would nest too deep.
   *
   * @param {Delimiter} opener
   * @param {Delimiter} closer
   */
  pair(opener, closer) {
    const length = getRemainingLength(opener) >= 2 && getRemainingLength(closer) >= 2 ? 2 : 1;
    const { nodes, depth } = this.collect(opener.segment.next, closer.segment);
    if (depth >= MAX_EMPHASIS) return false;
    opener.segment.end -= length;
    const start = opener.segment.end;
    const end = closer.segment.start + length;
    closer.segment.start = end;
    const type = opener.mark === "~" ? "strike" : length === 2 ? "strong" : "emphasis";
    const emphasis = createSegment(start, end, { type, children: nodes, ...this.span(start, end) }, depth + 1);
    joinSegments(opener.segment, emphasis);
    joinSegments(emphasis, closer.segment);
    opener.above = closer;
    closer.below = opener;
    if (!getRemainingLength(opener)) this.removeDelimiter(opener);
    if (!getRemainingLength(closer)) this.removeDelimiter(closer);
    return true;
  }

  /** @param {Delimiter} delimiter */
  removeDelimiter(delimiter) {
    if (delimiter.below) delimiter.below.above = delimiter.above;
    if (delimiter.above) delimiter.above.below = delimiter.below;
    else this.top = delimiter.below;
  }

  /**
   * Return the nodes of segments, and how deep they nest.
   *
   * @param {Segment | null} first
   * @param {Segment | null} end
   */
  collect(first, end) {
    /** @type {Inline[]} */
    const nodes = [];
    let depth = 0;
    for (let current = first; current && current !== end; current = current.next) {
      depth = Math.max(depth, current.depth);
      if (current.node) nodes.push(current.node);
      else for (const leaf of this.createTextNodes(current.start, current.end)) append(nodes, leaf);
    }
    return { nodes, depth };
  }

  /**
   * Create the text nodes of a part of the content. In code, line ends become spaces.
   *
   * @param {number} start
   * @param {number} end
   * @param {boolean} [isCode]
   */
  createTextNodes(start, end, isCode = false) {
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
   * Return the offsets of a part of the content in the source.
   *
   * @param {number} start
   * @param {number} end
   */
  span(start, end) {
    return { from: this.offsets[start] ?? 0, to: (this.offsets[end - 1] ?? 0) + 1 };
  }

  /**
   * Return how often a mark is repeated at the current offset.
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
 * @returns {Segment}
 */
function createSegment(start, end, node = null, depth = 0) {
  return { node, start, end, depth, previous: null, next: null };
}

/**
 * @param {Segment} before
 * @param {Segment} after
 */
function joinSegments(before, after) {
  before.next = after;
  after.previous = before;
}

/**
 * Append a text to nodes; join it with the last node if that is the text before it.
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
function getRemainingLength({ segment: { start, end } }) {
  return end - start;
}

/**
 * Find the nearest delimiter that another one closes.
 *
 * @param {Delimiter} closer
 * @param {number} floor  No delimiter before this offset matches
 * @param {Delimiter | null} bottom
 */
function findOpener(closer, floor, bottom) {
  for (let opener = closer.below; opener && opener !== bottom && opener.at >= floor; opener = opener.below) {
    if (opener.mark === closer.mark && opener.canOpen && canPair(opener, closer)) return opener;
  }
  return null;
}

/**
 * Return whether two delimiters form a pair. By CommonMark's rule of three they don't if one of them can both open and
 * close and their lengths add up to a multiple of three, unless both lengths are multiples of three.
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

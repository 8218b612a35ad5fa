// Parse the blocks of a text (paragraphs, headings, lists, quotes, code and tables) by the rules of CommonMark and GFM.
//
// The strategy is that of CommonMark's appendix. Each line is first matched against the open blocks, whose markers are
// removed from it. The rest can open new blocks. What remains is added to the innermost block.

import { parseInline } from "./markdown-inline.js";
import { parseAlignments, splitCells } from "./markdown-tables.js";
import { MAX_OPEN_BLOCKS } from "./markdown-tree.js";

/**
 * @typedef {import("./markdown-tree.js").Block} Block
 * @typedef {import("./markdown-tree.js").Container} Container
 * @typedef {import("./markdown-tree.js").Item} Item
 * @typedef {import("./markdown-tree.js").Text} Text
 * @typedef {import("./markdown-tree.js").Content} Content
 *
 * @typedef {{text: string, from: number, padding: number, end: number}} Line  `padding` is the number of spaces that are
 *     left of a tab before it, `end` the offset of the next line
 * @typedef {{block: Block, lines: Line[]}} Open
 */

const RULE = /^(?:(?:\*[ \t]*){3,}|(?:_[ \t]*){3,}|(?:-[ \t]*){3,})$/;
const UNDERLINE = /^(?:=+|-+)[ \t]*$/;
const HEADING = /^#{1,6}(?![^ \t])/;
const FENCE = /^(?:`{3,}(?=[^`]*$)|~{3,})/;
const MARKER = /^(?:[-+*]|(\d{1,9})[.)])(?![^ \t])/;
const TASK = /^\[([ xX])\][ \t\n]/;

/**
 * Parse a text into a tree.
 *
 * @param {string} source
 * @returns {Container}
 */
export function parse(source) {
  return new BlockParser().parse(source);
}

class BlockParser {
  constructor() {
    /** @type {Container} */
    this.document = { type: "document", children: [] };
    /** @type {Open[]} */
    this.open = [{ block: this.document, lines: [] }];
    this.line = "";
    this.lineFrom = 0;
    this.lineEnd = 0;
    this.at = 0;
    this.column = 0;
    /** How many columns of the tab before `at` have not been consumed. */
    this.padding = 0;
    this.wasBlank = false;
  }

  /** @param {string} source */
  parse(source) {
    const lines = source.matchAll(/([^\r\n]*)(\r\n|\r|\n|$)/g);
    for (const [all, line, lineFeed] of lines) {
      if (!all) break;
      this.line = line ?? "";
      this.lineEnd = this.lineFrom + all.length;
      this.readLine();
      this.lineFrom = this.lineEnd;
      if (!lineFeed) break;
    }
    this.close(0);
    return this.document;
  }

  readLine() {
    Object.assign(this, { at: 0, column: 0, padding: 0 });
    let depth = 1;
    while (depth < this.open.length && this.matches(this.openBlock(depth))) depth += 1;
    // The line of a closing fence contains nothing else.
    if (depth < this.open.length && this.closesFence(this.openBlock(depth))) return this.close(depth);
    const opened = this.openBlocks(depth);
    this.addRest(opened ?? depth, opened !== null);
  }

  /**
   * Add the rest of the line to the innermost block.
   *
   * @param {number} depth  How many of the open blocks the line belongs to
   * @param {boolean} isNew  Whether the line has opened any
   */
  addRest(depth, isNew) {
    const rest = this.rest();
    const isLazy = depth < this.open.length && !rest.isBlank && this.innermost().block.type === "paragraph";
    if (!isLazy) this.close(depth);
    const { block, lines } = this.innermost();
    if (block.type === "pre") {
      if (!(block.fence && isNew)) lines.push(this.remainder());
    } else if (!rest.isBlank) {
      this.skipSpace();
      const hasLines = block.type === "table" || block.type === "paragraph";
      (hasLines ? lines : this.push({ type: "paragraph", children: [] }).lines).push(this.remainder());
    }
    if (block.type === "heading" || block.type === "rule") this.close(this.open.length - 1);
    this.wasBlank = rest.isBlank && !isNew && block.type !== "quote" && !(block.type === "pre" && block.fence);
  }

  /**
   * Return whether the line continues an open block. If so, remove the block's markers from the line.
   *
   * @param {Open} open
   */
  matches({ block }) {
    const { indent, isBlank, text } = this.rest();
    switch (block.type) {
      case "quote":
        return indent < 4 && text.startsWith(">") && this.takeQuote();
      case "list":
        return true;
      case "item":
        if (isBlank) return block.children.length > 0 && this.skipSpace();
        return indent >= block.indent && this.skipColumns(block.indent);
      case "pre":
        if (block.fence) return !this.endsFence(block.fence) && this.skipColumns(Math.min(indent, block.fence.indent));
        return indent >= 4 ? this.skipColumns(4) : isBlank && this.skipSpace();
      case "paragraph":
      case "table":
        return !isBlank;
      default:
        return false;
    }
  }

  /** @param {import("./markdown-tree.js").Fence} fence */
  endsFence({ mark, length }) {
    const { indent, text } = this.rest();
    let run = 0;
    while (text[run] === mark) run += 1;
    return indent < 4 && run >= length && !text.slice(run).trim();
  }

  /** @param {Open} open */
  closesFence({ block }) {
    return block.type === "pre" && block.fence !== null && this.endsFence(block.fence);
  }

  /**
   * Open the blocks that begin in this line. Return the number of open blocks, or null if none begins.
   *
   * @param {number} depth  How many of the open blocks the line belongs to
   */
  openBlocks(depth) {
    let matched = depth;
    let isNew = false;
    while (this.openBlock(matched - 1).block.type !== "pre") {
      const { indent, isBlank, text } = this.rest();
      const container = this.openBlock(matched - 1);
      if (isBlank) break;
      if (indent >= 4) {
        // Indented code can't interrupt a paragraph: the line belongs to it.
        if (this.innermost().block.type === "paragraph" && !isNew) break;
        this.close(matched);
        this.skipColumns(4);
        this.push({ type: "pre", fence: null, children: [] });
        return this.open.length;
      }
      const isContainer = this.startContainer(matched, container, text);
      if (!isContainer && !this.startLeaf(matched, container, text)) break;
      isNew = true;
      matched = this.open.length;
      if (isContainer) continue;
      this.at = this.line.length;
      break;
    }
    return isNew ? matched : null;
  }

  /**
   * @param {number} matched
   * @param {Open} container
   * @param {string} text
   */
  startContainer(matched, container, text) {
    if (matched >= MAX_OPEN_BLOCKS) return false;
    if (text.startsWith(">")) {
      this.close(matched);
      this.push({ type: "quote", children: [] });
      return this.takeQuote();
    }
    return !RULE.test(text) && this.startItem(matched, container, text);
  }

  /**
   * @param {number} matched
   * @param {Open} container
   * @param {string} text
   */
  startItem(matched, container, text) {
    const marker = MARKER.exec(text);
    if (!marker) return false;
    const [{ length }, digits] = marker;
    const isEmpty = !text.slice(length).trim();
    if (container.block.type === "paragraph" && (isEmpty || (digits !== undefined && Number(digits) !== 1))) return false;
    const { indent } = this.rest();
    this.skipSpace();
    this.skip(length);
    // After five columns or more the item begins with indented code, and only one of them belongs to the marker.
    const spaces = this.rest().indent;
    const width = isEmpty || spaces > 4 ? 1 : spaces;
    this.skipColumns(isEmpty ? spaces : width);
    this.openList(matched, container, text[length - 1] ?? "", digits);
    this.push({ type: "item", number: Number(digits ?? 0), task: null, indent: indent + length + width, children: [] });
    return true;
  }

  /**
   * Open a list for an item, unless the item continues the open list.
   *
   * @param {number} matched
   * @param {Open} within
   * @param {string} delimiter
   * @param {string | undefined} digits
   */
  openList(matched, { block }, delimiter, digits) {
    if (block.type === "list" && block.delimiter === delimiter) return this.close(matched);
    this.close(block.type === "list" ? matched - 1 : matched);
    this.push({ type: "list", delimiter, start: digits === undefined ? null : Number(digits), isTight: true, children: [] });
  }

  /**
   * @param {number} matched
   * @param {Open} within
   * @param {string} text
   */
  startLeaf(matched, within, text) {
    if (within.block.type === "paragraph" && matched === this.open.length) {
      if (UNDERLINE.test(text)) return this.underline(within, text);
      if (this.startTable(within, text)) return true;
    }
    const heading = HEADING.exec(text);
    const fence = FENCE.exec(text);
    if (heading) return this.startHeading(matched, heading[0].length);
    if (fence) return this.startFence(matched, fence[0]);
    if (!RULE.test(text)) return false;
    this.close(matched);
    this.push({ type: "rule" });
    return true;
  }

  /**
   * Turn the open paragraph into a heading, because of the line below it.
   *
   * @param {Open} paragraph
   * @param {string} text
   */
  underline(paragraph, text) {
    const children = parseLines(paragraph.lines);
    this.open.pop();
    this.replaceLast({ type: "heading", level: text.startsWith("=") ? 1 : 2, children });
    return true;
  }

  /**
   * Turn the last line of the open paragraph into the head of a table, because of the line below it. Return whether it is.
   *
   * @param {Open} paragraph
   * @param {string} text
   */
  startTable(paragraph, text) {
    const head = paragraph.lines.at(-1);
    const aligns = parseAlignments(text);
    if (!aligns || !head || splitCells(head.text, head.from).length !== aligns.length) return false;
    paragraph.lines.pop();
    this.close(this.open.length - 1);
    this.push({ type: "table", aligns, rows: [] }).lines.push(head);
    return true;
  }

  /**
   * @param {number} matched
   * @param {number} level
   */
  startHeading(matched, level) {
    this.close(matched);
    this.skipSpace();
    this.skip(level);
    this.skipSpace();
    const line = this.remainder();
    let end = findTrimmedEnd(line.text, line.text.length);
    let hashes = end;
    while (line.text[hashes - 1] === "#") hashes -= 1;
    if (hashes === 0 || /[ \t]/.test(line.text[hashes - 1] ?? "")) end = findTrimmedEnd(line.text, hashes);
    this.push({ type: "heading", level, children: parseLines([{ ...line, text: line.text.slice(0, end) }]) });
    return true;
  }

  /**
   * @param {number} matched
   * @param {string} marks
   */
  startFence(matched, marks) {
    this.close(matched);
    const { indent } = this.rest();
    this.skipSpace();
    const span = { from: this.lineFrom + this.at, to: this.lineFrom + this.line.length };
    this.push({ type: "pre", fence: { mark: marks[0] ?? "", length: marks.length, indent, ...span }, children: [] });
    return true;
  }

  /**
   * Open a block in the innermost open block that can contain it.
   *
   * @param {Block} block
   */
  push(block) {
    let parent = this.innermost().block;
    while (!canHold(parent, block)) {
      this.close(this.open.length - 1);
      parent = this.innermost().block;
    }
    const siblings = /** @type {Block[]} */ (/** @type {Container} */ (parent).children);
    if (this.wasBlank && siblings.length) this.makeLoose(parent);
    siblings.push(block);
    const open = { block, lines: [] };
    this.open.push(open);
    return /** @type {Open} */ (open);
  }

  /**
   * Make a list loose: a blank line separates its items, or the blocks of one of them.
   *
   * @param {Block} parent
   */
  makeLoose(parent) {
    const list = parent.type === "item" ? this.open.at(-2)?.block : parent;
    if (list?.type === "list") list.isTight = false;
  }

  /** @param {Block} block */
  replaceLast(block) {
    /** @type {Block[]} */ (/** @type {Container} */ (this.innermost().block).children).splice(-1, 1, block);
  }

  /**
   * Close all open blocks but the outermost ones.
   *
   * @param {number} depth
   */
  close(depth) {
    while (this.open.length > depth) {
      const closed = this.open.pop();
      if (closed) this.finish(closed);
    }
  }

  /** @param {Open} closed */
  finish({ block, lines }) {
    if (block.type === "paragraph") {
      const parent = this.innermost().block;
      if (!lines.length) return void /** @type {Container} */ (parent).children.pop();
      block.children = parseLines(lines, parent.type === "item" && parent.children[0] === block ? parent : null);
    } else if (block.type === "pre") block.children = toTextNodes(block.fence ? lines : withoutBlankEnd(lines));
    else if (block.type === "table") {
      block.rows = lines.map((line) => splitCells(line.text, line.from).map((cell) => parseInline(cell)));
    }
  }

  /** @returns {Open} */
  innermost() {
    return this.openBlock(this.open.length - 1);
  }

  /**
   * @param {number} depth
   * @returns {Open}
   */
  openBlock(depth) {
    return this.open[depth] ?? { block: this.document, lines: [] };
  }

  /** Return the rest of the line: how many columns of white space, and the text after it. */
  rest() {
    let { at, column } = this;
    let indent = this.padding;
    for (; this.line[at] === " " || this.line[at] === "\t"; at += 1) {
      const width = this.line[at] === "\t" ? 4 - (column % 4) : 1;
      column += width;
      indent += width;
    }
    return { indent, text: this.line.slice(at), isBlank: at === this.line.length };
  }

  takeQuote() {
    this.skipSpace();
    this.skip(1);
    const next = this.line[this.at];
    if (next === " " || next === "\t") this.skipColumns(1);
    return true;
  }

  /** @param {number} length */
  skip(length) {
    this.at += length;
    this.column += length;
  }

  skipSpace() {
    return this.skipColumns(this.rest().indent);
  }

  /** @param {number} columns Of white space; the rest of a tab that is consumed in part becomes padding. */
  skipColumns(columns) {
    let left = columns - Math.min(columns, this.padding);
    this.padding -= columns - left;
    while (left > 0 && this.at < this.line.length) {
      const width = this.line[this.at] === "\t" ? 4 - (this.column % 4) : 1;
      this.at += 1;
      this.column += width;
      this.padding = Math.max(0, width - left);
      left -= Math.min(left, width);
    }
    return true;
  }

  /** @returns {Line} */
  remainder() {
    return { text: this.line.slice(this.at), from: this.lineFrom + this.at, padding: this.padding, end: this.lineEnd };
  }
}

/**
 * @param {Block} parent
 * @param {Block} block
 */
function canHold(parent, block) {
  if (parent.type === "list") return block.type === "item";
  return block.type !== "item" && (parent.type === "document" || parent.type === "quote" || parent.type === "item");
}

/**
 * Parse the text of lines. If it begins with a checkbox, the item becomes a task.
 *
 * @param {Line[]} lines
 * @param {Item | null} [item]
 */
function parseLines(lines, item = null) {
  let text = "";
  /** @type {number[]} */
  const offsets = [];
  for (const line of lines) {
    if (offsets.length) text += "\n";
    // The line feed has the offset of the end of the line before.
    if (offsets.length) offsets.push((offsets.at(-1) ?? 0) + 1);
    for (let at = 0; at < line.text.length; at += 1) offsets.push(line.from + at);
    text += line.text;
  }
  const end = findTrimmedEnd(text, text.length);
  const box = item && TASK.exec(text.slice(0, end));
  if (item && box) item.task = box[1] !== " ";
  const start = box ? box[0].length : 0;
  return parseInline({ text: text.slice(start, end), offsets: offsets.slice(start, end) });
}

/**
 * @param {Line[]} lines
 * @returns {Text[]}
 */
function toTextNodes(lines) {
  return lines.flatMap(({ text, from, padding, end }) => {
    /** @type {Text[]} */
    const leaves = [{ type: "text", text: `${text}\n`, from, to: end }];
    if (padding) leaves.unshift({ type: "text", text: " ".repeat(padding), from: from - 1, to: from });
    return leaves;
  });
}

/** @param {Line[]} lines */
function withoutBlankEnd(lines) {
  let end = lines.length;
  while (end > 0 && !lines[end - 1]?.text.trim()) end -= 1;
  return lines.slice(0, end);
}

/**
 * Return the offset of the end of a text without trailing white space.
 *
 * @param {string} text
 * @param {number} end
 */
function findTrimmedEnd(text, end) {
  let at = end;
  while (at > 0 && /[ \t\n]/.test(text[at - 1] ?? "")) at -= 1;
  return at;
}

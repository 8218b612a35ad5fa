// Accounts for every character of a source: it is shown, or it is a marker at a place where a marker may stand.

const LENGTHS = { emphasis: 1, strong: 2, strike: 2 };
const BLOCKS = String.raw`(?:[ \t]*(?:>|(?:[-+*]|\d{1,9}[.)])(?=[ \t]|$)))*[ \t]*`;
const BEFORE_TEXT = new RegExp(String.raw`^${BLOCKS}(?:#{1,6}[ \t]+|\[[ xX]\][ \t]+)?$`);
const BEFORE_CELL = new RegExp(String.raw`^${BLOCKS}(?:\|[ \t]*)*$`);
const AFTER_TEXT = /^[ \t]*(?:#+[ \t]*)?$/;
const BETWEEN_CELLS = /^[ \t]*(?:\|[ \t]*)*$/;
const WITHOUT_TEXT = new RegExp(String.raw`^${BLOCKS}(?:#{1,6}[ \t]*#*|=+|-+|(?:[*_-][ \t]*){3,}|[|:\- \t]+|\[[ xX]\][ \t]*)?[ \t]*$`);
const WORD = /[\p{L}\p{N}]/u;

/** What is wrong with the tree, in sentences: nothing, if every character is accounted for. */
export function account(source, tree) {
  const faults = [];
  const marks = new Array(source.length).fill("");
  const claim = (from, to, mark) => {
    for (let at = from; at < to; at += 1) {
      if (marks[at]) faults.push(`${JSON.stringify(source[at])} at ${at} is ${marks[at]} and ${mark}`);
      marks[at] = mark;
    }
  };
  let last = 0;
  for (const [node, isCell] of walk(tree)) {
    if (node.type === "text") {
      const written = source.slice(node.from, node.to);
      if (node.from < last) faults.push(`text at ${node.from} comes after ${last}`);
      last = node.to;
      const isKept = node.text === written || node.text === `${written}\n` || node.text === written.replace(/\r\n?$/, "\n") || !(node.text + written).trim();
      if (!isKept) faults.push(`${JSON.stringify(written)} is shown as ${JSON.stringify(node.text)}`);
      claim(node.from, node.to, isCell ? "cell" : "text");
    } else claimMarkers(node, source, claim, faults);
  }
  for (let at = source.length - 2; at >= 0; at -= 1) {
    // In a table the backslash before a pipe is taken off first, so that two may stand before one.
    const isBefore = marks[at + 1] === "text" || marks[at + 1] === "cell" || (marks[at + 1] === "escape" && source[at + 2] === "|");
    if (source[at] === "\\" && !marks[at] && isBefore && /[!-/:-@[-`{-~]/.test(source[at + 1])) marks[at] = "escape";
  }
  return [...faults, ...faultsOfLines(source, marks)];
}

function* walk(node, isCell = false) {
  yield [node, isCell];
  const isTable = node.type === "table";
  for (const child of isTable ? node.rows.flat(2) : (node.children ?? [])) yield* walk(child, isCell || isTable);
}

function claimMarkers(node, source, claim, faults) {
  const { type, from, to, children } = node;
  if (type in LENGTHS) {
    const length = LENGTHS[type];
    const [open, close] = [source.slice(from, from + length), source.slice(to - length, to)];
    const isPair = open === close && /^([*_]{1,2}|~~)$/.test(open);
    const cutsWord = open[0] === "_" && (isWord(source, from - 1) || isWord(source, to));
    if (!isPair || cutsWord) faults.push(`${open} and ${close} at ${from} and ${to} are no pair`);
    claim(from, from + length, type);
    claim(to - length, to, type);
  } else if (type === "code" || type === "link") {
    const [start, end] = inside(node, source);
    claim(from, start, type);
    claim(end, to, type);
    const before = source.slice(from, start);
    const after = source.slice(end, to);
    const isRight = type === "code" ? isCode(before, after) : isLink(node, before, after);
    if (!isRight) faults.push(`${JSON.stringify([before, after])} are not around ${type}`);
  } else if (type === "break") {
    if (!/^\\?[\r\n]$/.test(source.slice(from, to))) faults.push(`no line ends at ${from}`);
    claim(from, to, type);
  } else if (type === "pre" && node.fence) {
    claim(node.fence.from, node.fence.to, "fence");
    if (!/^(`{3,}[^`]*|~{3,}.*)$/.test(source.slice(node.fence.from, node.fence.to))) faults.push(`no fence at ${node.fence.from}`);
  }
}

function isWord(source, at) {
  return WORD.test(source[at] ?? "");
}

/** Where what a node shows begins and ends: the backslash of its first character and the markers of blocks around it are its own. */
function inside({ type, to, open, from, children }, source) {
  if (!children.length) return [to, to];
  let start = children[0].from;
  let end = children.at(-1).to;
  if (type === "link" && start === from + open.length + 1 && source[start - 1] === "\\") start -= 1;
  // In a table the backslash before a pipe is taken off, in code too.
  if (type === "code" && source[start] === "|" && source[start - 1] === "\\") start -= 1;
  // Spaces before the end of a line are left out.
  if (type === "link" && children[0].type === "break") while (source[start - 1] === " ") start -= 1;
  if (/[\r\n]/.test(source[end - 1])) while (/[ \t\n>]/.test(source[end] ?? "")) end += 1;
  return [start, end];
}

// Between the backticks and the code may stand one space, or the end of a line with the markers of blocks behind it.
function isCode(before, after) {
  const opening = /^(`+)(?: |[\r\n]+[ \t>]*)?$/.exec(before);
  const closing = /^(?: |[\r\n]+[ \t>]*)?(`+)$/.exec(after);
  return opening !== null && closing !== null && opening[1] === closing[1];
}

function isLink({ kind, open, close, href }, before, after) {
  const bare = (text) => text.replace(/[\s>\\]/g, "");
  if (kind === "bare") return before + after === "";
  if (kind === "auto") return before === "<" && after === ">";
  // Without words the address is what is shown, and stands within the closing marker.
  const shown = before.length > open.length ? href : "";
  return bare(before) + bare(shown) + bare(after) === bare(open) + bare(close);
}

function faultsOfLines(source, marks) {
  const faults = [];
  let at = 0;
  for (const line of source.split(/\r\n|\r|\n/)) {
    const own = marks.slice(at, at + line.length);
    const first = own.findIndex(Boolean);
    const last = own.findLastIndex(Boolean);
    if (first < 0) {
      if (!WITHOUT_TEXT.test(line) && !/^[\s>]*(`{3,}|~{3,})[ \t]*$/.test(line)) faults.push(`the line ${JSON.stringify(line)} is not shown`);
    } else {
      const isRow = own.includes("cell");
      const [before, between, after] = isRow ? [BEFORE_CELL, BETWEEN_CELLS, BETWEEN_CELLS] : [BEFORE_TEXT, /^$/, AFTER_TEXT];
      for (const [lost] of gaps(line, own, 0, first, before)) faults.push(`${JSON.stringify(lost)} is not shown`);
      for (const [lost] of gaps(line, own, first, last, between)) faults.push(`${JSON.stringify(lost)} is not shown`);
      for (const [lost] of gaps(line, own, last + 1, line.length, after)) faults.push(`${JSON.stringify(lost)} is not shown`);
    }
    at += line.length + (source.startsWith("\r\n", at + line.length) ? 2 : 1);
  }
  return faults;
}

/** What is not marked between these places, unless it may stand there. */
function gaps(line, own, from, to, allowed) {
  const kept = own.slice(from, to).map((mark, place) => (mark ? "\0" : line[from + place])).join("");
  return [...kept.matchAll(/[^\0]+/g)].filter(([part]) => !allowed.test(part));
}

// Checks every character of a source: it must be shown, or be a marker in a place where a marker is valid.

const LENGTHS = { emphasis: 1, strong: 2, strike: 2 };
const BLOCKS = String.raw`(?:[ \t]*(?:>|(?:[-+*]|\d{1,9}[.)])(?=[ \t]|$)))*[ \t]*`;
const BEFORE_TEXT = new RegExp(String.raw`^${BLOCKS}(?:#{1,6}[ \t]+|\[[ xX]\][ \t]+)?$`);
const BEFORE_CELL = new RegExp(String.raw`^${BLOCKS}(?:\|[ \t]*)*$`);
const AFTER_TEXT = /^[ \t]*(?:#+[ \t]*)?$/;
const BETWEEN_CELLS = /^[ \t]*(?:\|[ \t]*)*$/;
const WITHOUT_TEXT = new RegExp(String.raw`^${BLOCKS}(?:#{1,6}[ \t]*#*|=+|-+|(?:[*_-][ \t]*){3,}|[|:\- \t]+|\[[ xX]\][ \t]*)?[ \t]*$`);
const WORD = /[\p{L}\p{N}]/u;

/** Return descriptions of all characters of the source that are neither shown nor valid markers in the tree. */
export function findFaults(source, tree) {
  const faults = [];
  const roles = new Array(source.length).fill("");
  const assignRole = (from, to, role) => {
    for (let at = from; at < to; at += 1) {
      if (roles[at]) faults.push(`${JSON.stringify(source[at])} at ${at} is ${roles[at]} and ${role}`);
      roles[at] = role;
    }
  };
  let last = 0;
  for (const [node, isCell] of walk(tree)) {
    if (node.type === "text") {
      const original = source.slice(node.from, node.to);
      if (node.from < last) faults.push(`text at ${node.from} comes after ${last}`);
      last = node.to;
      const isShown = node.text === original || node.text === `${original}\n` || node.text === original.replace(/\r\n?$/, "\n") || !(node.text + original).trim();
      if (!isShown) faults.push(`${JSON.stringify(original)} is shown as ${JSON.stringify(node.text)}`);
      assignRole(node.from, node.to, isCell ? "cell" : "text");
    } else assignMarkerRoles(node, source, assignRole, faults);
  }
  for (let at = source.length - 2; at >= 0; at -= 1) {
    // In a table the backslash before a pipe is removed first, so two backslashes can precede one pipe.
    const isBefore = roles[at + 1] === "text" || roles[at + 1] === "cell" || (roles[at + 1] === "escape" && source[at + 2] === "|");
    if (source[at] === "\\" && !roles[at] && isBefore && /[!-/:-@[-`{-~]/.test(source[at + 1])) roles[at] = "escape";
  }
  return [...faults, ...findLineFaults(source, roles)];
}

function* walk(node, isCell = false) {
  yield [node, isCell];
  const isTable = node.type === "table";
  for (const child of isTable ? node.rows.flat(2) : (node.children ?? [])) yield* walk(child, isCell || isTable);
}

function assignMarkerRoles(node, source, assignRole, faults) {
  const { type, from, to, children } = node;
  if (type in LENGTHS) {
    const length = LENGTHS[type];
    const [open, close] = [source.slice(from, from + length), source.slice(to - length, to)];
    const isPair = open === close && /^([*_]{1,2}|~~)$/.test(open);
    const cutsWord = open[0] === "_" && (isWord(source, from - 1) || isWord(source, to));
    if (!isPair || cutsWord) faults.push(`${open} and ${close} at ${from} and ${to} are no pair`);
    assignRole(from, from + length, type);
    assignRole(to - length, to, type);
  } else if (type === "code" || type === "link") {
    const [start, end] = findContent(node, source);
    assignRole(from, start, type);
    assignRole(end, to, type);
    const before = source.slice(from, start);
    const after = source.slice(end, to);
    const isValid = type === "code" ? isCode(before, after) : isLink(node, before, after);
    if (!isValid) faults.push(`${JSON.stringify([before, after])} are not around ${type}`);
  } else if (type === "break") {
    if (!/^\\?[\r\n]$/.test(source.slice(from, to))) faults.push(`no line ends at ${from}`);
    assignRole(from, to, type);
  } else if (type === "pre" && node.fence) {
    assignRole(node.fence.from, node.fence.to, "fence");
    if (!/^(`{3,}[^`]*|~{3,}.*)$/.test(source.slice(node.fence.from, node.fence.to))) faults.push(`no fence at ${node.fence.from}`);
  }
}

function isWord(source, at) {
  return WORD.test(source[at] ?? "");
}

/** Return where the content of a node begins and ends, including the backslash of its first character and block markers. */
function findContent({ type, to, open, from, children }, source) {
  if (!children.length) return [to, to];
  let start = children[0].from;
  let end = children.at(-1).to;
  if (type === "link" && start === from + open.length + 1 && source[start - 1] === "\\") start -= 1;
  // In a table the backslash before a pipe is removed, in code too.
  if (type === "code" && source[start] === "|" && source[start - 1] === "\\") start -= 1;
  // Spaces before the end of a line are not shown.
  if (type === "link" && children[0].type === "break") while (source[start - 1] === " ") start -= 1;
  if (/[\r\n]/.test(source[end - 1])) while (/[ \t\n>]/.test(source[end] ?? "")) end += 1;
  return [start, end];
}

// Between the backticks and the code there can be a space, or a line end with the markers of blocks after it.
function isCode(before, after) {
  const opening = /^(`+)(?: |[\r\n]+[ \t>]*)?$/.exec(before);
  const closing = /^(?: |[\r\n]+[ \t>]*)?(`+)$/.exec(after);
  return opening !== null && closing !== null && opening[1] === closing[1];
}

function isLink({ kind, open, close, href }, before, after) {
  const normalize = (text) => text.replace(/[\s>\\]/g, "");
  if (kind === "bare") return before + after === "";
  if (kind === "auto") return before === "<" && after === ">";
  // A link without words shows its address, which is part of the closing marker.
  const address = before.length > open.length ? href : "";
  return normalize(before) + normalize(address) + normalize(after) === normalize(open) + normalize(close);
}

function findLineFaults(source, roles) {
  const faults = [];
  let at = 0;
  for (const line of source.split(/\r\n|\r|\n/)) {
    const lineRoles = roles.slice(at, at + line.length);
    const first = lineRoles.findIndex(Boolean);
    const last = lineRoles.findLastIndex(Boolean);
    if (first < 0) {
      if (!WITHOUT_TEXT.test(line) && !/^[\s>]*(`{3,}|~{3,})[ \t]*$/.test(line)) faults.push(`the line ${JSON.stringify(line)} is not shown`);
    } else {
      const isRow = lineRoles.includes("cell");
      const [before, between, after] = isRow ? [BEFORE_CELL, BETWEEN_CELLS, BETWEEN_CELLS] : [BEFORE_TEXT, /^$/, AFTER_TEXT];
      for (const [gap] of findGaps(line, lineRoles, 0, first, before)) faults.push(`${JSON.stringify(gap)} is not shown`);
      for (const [gap] of findGaps(line, lineRoles, first, last, between)) faults.push(`${JSON.stringify(gap)} is not shown`);
      for (const [gap] of findGaps(line, lineRoles, last + 1, line.length, after)) faults.push(`${JSON.stringify(gap)} is not shown`);
    }
    at += line.length + (source.startsWith("\r\n", at + line.length) ? 2 : 1);
  }
  return faults;
}

/** Return the parts of a line without a role, unless they match what is allowed there. */
function findGaps(line, lineRoles, from, to, allowed) {
  const masked = lineRoles.slice(from, to).map((role, index) => (role ? "\0" : line[from + index])).join("");
  return [...masked.matchAll(/[^\0]+/g)].filter(([part]) => !allowed.test(part));
}

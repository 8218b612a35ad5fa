// Find addresses: in the parentheses of a link, in angle brackets, and bare ones.

const SPACES = /[ \t\n]*/y;
const ESCAPED = /[!-/:-@[-`{-~]/;
const ESCAPE = /\\([!-/:-@[-`{-~])/g;
const ADDRESS = /<([A-Za-z][A-Za-z0-9+.-]{1,31}:[^\x00-\x20\x7F<>]*)>/y;
const EMAIL = /<([\w.!#$%&'*+/=?^`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*)>/y;
const SCHEME = /https?:\/\//iy;
const MAX_PARENTHESES = 32;

/**
 * What follows the words of a link: `(address "title")`. `addressSpan` is the start and end of the address, which is shown
 * for a link without words.
 *
 * @typedef {{href: string, title: string, addressSpan: [number, number] | null, start: number, end: number}} LinkTail
 */

/**
 * Parse the part of a link behind its words; null if there is none.
 *
 * @param {string} text
 * @param {number} at  The offset behind the closing bracket
 * @returns {LinkTail | null}
 */
export function parseLinkTail(text, at) {
  if (text[at] !== "(") return null;
  const from = skip(SPACES, text, at + 1);
  const to = text[from] === "<" ? findClosingEnd(text, from, ">", "<\n") : findAddressEnd(text, from);
  if (to < 0) return null;
  /** @type {[number, number]} */
  const addressSpan = text[from] === "<" ? [from + 1, to - 1] : [from, to];
  const afterSpace = skip(SPACES, text, to);
  const afterTitle = afterSpace > to ? findTitleEnd(text, afterSpace) : afterSpace;
  if (afterTitle < 0) return null;
  const end = skip(SPACES, text, afterTitle);
  if (text[end] !== ")") return null;
  const title = unescape(text.slice(afterSpace + 1, Math.max(afterSpace + 1, afterTitle - 1)));
  return { href: unescape(text.slice(...addressSpan)), title, addressSpan: addressSpan[0] < addressSpan[1] ? addressSpan : null, start: at - 1, end: end + 1 };
}

/**
 * Return the address in angle brackets that begins at an offset; an empty text if there is none.
 *
 * @param {string} text
 * @param {number} at
 */
export function parseAutolink(text, at) {
  ADDRESS.lastIndex = at;
  EMAIL.lastIndex = at;
  return (ADDRESS.exec(text) ?? EMAIL.exec(text))?.[1] ?? "";
}

/**
 * Return where the bare address that begins at an offset ends; -1 if there is none. Punctuation at its end is not part of
 * it, nor is a bracket or parenthesis that was opened before it.
 *
 * @param {string} text
 * @param {number} at
 */
export function findBareAddressEnd(text, at) {
  const start = skip(SCHEME, text, at);
  if (start === at || /[A-Za-z0-9]/.test(text[at - 1] ?? "")) return -1;
  let end = start;
  let brackets = 0;
  let parentheses = 0;
  for (; end < text.length; end += 1) {
    const character = text[end] ?? "";
    if (/[\s<>"`]/.test(character) || (character > "\x7F" && /\p{P}/u.test(character))) break;
    if (character === "[") brackets += 1;
    if (character === "]" && --brackets < 0) break;
    if (character === "(") parentheses += 1;
    if (character === ")") parentheses -= 1;
  }
  for (; end > start; end -= 1) {
    const last = text[end - 1] ?? "";
    if (last === ")" && parentheses < 0) parentheses += 1;
    else if (!/[?!.,:;*_~'\\|]/.test(last)) break;
  }
  return end > start ? end : -1;
}

/**
 * Return where an address without angle brackets ends: at a space, or at a parenthesis that it did not open. Return -1 if
 * a parenthesis stays open.
 *
 * @param {string} text
 * @param {number} from
 */
function findAddressEnd(text, from) {
  let open = 0;
  let at = from;
  for (; at < text.length; at += 1) {
    const character = text[at] ?? "";
    if (character <= " " || character === "\x7F") break;
    if (character === "\\" && ESCAPED.test(text[at + 1] ?? "")) at += 1;
    else if (character === "(" && ++open > MAX_PARENTHESES) return -1;
    else if (character === ")" && --open < 0) break;
  }
  return open > 0 ? -1 : at;
}

/**
 * Return where a title ends; the same offset if none begins there, -1 if it does not end.
 *
 * @param {string} text
 * @param {number} from
 */
function findTitleEnd(text, from) {
  const quote = text[from] ?? "";
  if (quote === "(") return findClosingEnd(text, from, ")", "(");
  return quote === '"' || quote === "'" ? findClosingEnd(text, from, quote, "") : from;
}

/**
 * Return the offset behind the first unescaped mark; -1 if a forbidden character comes before it.
 *
 * @param {string} text
 * @param {number} from
 * @param {string} mark
 * @param {string} forbidden
 */
function findClosingEnd(text, from, mark, forbidden) {
  for (let at = from + 1; at < text.length; at += 1) {
    const character = text[at] ?? "";
    if (character === mark) return at + 1;
    if (forbidden.includes(character)) return -1;
    if (character === "\\" && ESCAPED.test(text[at + 1] ?? "")) at += 1;
  }
  return -1;
}

/**
 * Return where a match that begins at an offset ends; the same offset if there is none.
 *
 * @param {RegExp} pattern
 * @param {string} text
 * @param {number} at
 */
function skip(pattern, text, at) {
  pattern.lastIndex = at;
  return at + (pattern.exec(text)?.[0].length ?? 0);
}

/** Remove the backslashes of escaped characters. @param {string} text */
function unescape(text) {
  return text.replace(ESCAPE, "$1");
}

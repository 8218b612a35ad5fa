// Where addresses begin and end: within the parentheses of a link, within angle brackets, and bare ones.

const SPACES = /[ \t\n]*/y;
const ESCAPED = /[!-/:-@[-`{-~]/;
const ESCAPE = /\\([!-/:-@[-`{-~])/g;
const ADDRESS = /<([A-Za-z][A-Za-z0-9+.-]{1,31}:[^\x00-\x20\x7F<>]*)>/y;
const EMAIL = /<([\w.!#$%&'*+/=?^`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*)>/y;
const SCHEME = /https?:\/\//iy;
const MAX_PARENTHESES = 32;

/**
 * What follows the words of a link: `(address "title")`. `words` is where the address stands, for a link without words.
 *
 * @typedef {{href: string, title: string, words: [number, number] | null, start: number, end: number}} LinkTail
 */

/**
 * @param {string} text
 * @param {number} at  Just behind the closing bracket
 * @returns {LinkTail | null}
 */
export function linkTailAt(text, at) {
  if (text[at] !== "(") return null;
  const from = skip(SPACES, text, at + 1);
  const to = text[from] === "<" ? closedEnd(text, from, ">", "<\n") : addressEnd(text, from);
  if (to < 0) return null;
  /** @type {[number, number]} */
  const words = text[from] === "<" ? [from + 1, to - 1] : [from, to];
  const afterSpace = skip(SPACES, text, to);
  const afterTitle = afterSpace > to ? titleEnd(text, afterSpace) : afterSpace;
  if (afterTitle < 0) return null;
  const end = skip(SPACES, text, afterTitle);
  if (text[end] !== ")") return null;
  const title = unescape(text.slice(afterSpace + 1, Math.max(afterSpace + 1, afterTitle - 1)));
  return { href: unescape(text.slice(...words)), title, words: words[0] < words[1] ? words : null, start: at - 1, end: end + 1 };
}

/**
 * The address between angle brackets that begins here, or an empty text.
 *
 * @param {string} text
 * @param {number} at
 */
export function autolinkAt(text, at) {
  ADDRESS.lastIndex = at;
  EMAIL.lastIndex = at;
  return (ADDRESS.exec(text) ?? EMAIL.exec(text))?.[1] ?? "";
}

/**
 * Where the bare address that begins here ends, or -1 if none does. What ends a sentence is not part of it, nor is a
 * bracket or parenthesis that was opened before it.
 *
 * @param {string} text
 * @param {number} at
 */
export function bareAddressEnd(text, at) {
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
 * Where an address without angle brackets ends: at a space, or at a parenthesis that it did not open. -1 if it opens
 * more than it closes.
 *
 * @param {string} text
 * @param {number} from
 */
function addressEnd(text, from) {
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
 * Where the title that begins here ends; here, if it is none; -1, if it does not end.
 *
 * @param {string} text
 * @param {number} from
 */
function titleEnd(text, from) {
  const quote = text[from] ?? "";
  if (quote === "(") return closedEnd(text, from, ")", "(");
  return quote === '"' || quote === "'" ? closedEnd(text, from, quote, "") : from;
}

/**
 * Where what begins here ends: behind the first mark that closes it. -1, if something forbidden comes before that.
 *
 * @param {string} text
 * @param {number} from
 * @param {string} mark
 * @param {string} forbidden
 */
function closedEnd(text, from, mark, forbidden) {
  for (let at = from + 1; at < text.length; at += 1) {
    const character = text[at] ?? "";
    if (character === mark) return at + 1;
    if (forbidden.includes(character)) return -1;
    if (character === "\\" && ESCAPED.test(text[at + 1] ?? "")) at += 1;
  }
  return -1;
}

/**
 * Where the match that begins here ends; here, if there is none.
 *
 * @param {RegExp} pattern
 * @param {string} text
 * @param {number} at
 */
function skip(pattern, text, at) {
  pattern.lastIndex = at;
  return at + (pattern.exec(text)?.[0].length ?? 0);
}

/** @param {string} text */
function unescape(text) {
  return text.replace(ESCAPE, "$1");
}

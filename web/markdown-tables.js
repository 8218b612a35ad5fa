// The cells of a table, by the rules of GFM: a pipe ends a cell, and stands in one behind a backslash.

/**
 * @typedef {import("./markdown-tree.js").Align} Align
 * @typedef {import("./markdown-tree.js").Content} Content
 */

/**
 * How the columns are aligned, if this is the line below the head of a table. It has a pipe, so that it is no rule.
 *
 * @param {string} text
 * @returns {Align[] | null}
 */
export function alignsOf(text) {
  if (!/^[ \t:|-]+$/.test(text) || !text.includes("|")) return null;
  const cells = cellsOf(text, 0).map((cell) => cell.text);
  if (!cells.every((cell) => /^:?-+:?$/.test(cell))) return null;
  return cells.map((cell) => {
    if (cell.endsWith(":")) return cell.startsWith(":") ? "center" : "end";
    return cell.startsWith(":") ? "start" : null;
  });
}

/**
 * The cells of a row, which begins at this place in the source.
 *
 * @param {string} text
 * @param {number} from
 * @returns {Content[]}
 */
export function cellsOf(text, from) {
  const row = text.trim();
  const first = from + text.indexOf(row);
  /** @type {Content[]} */
  const cells = [];
  let start = row.startsWith("|") ? 1 : 0;
  for (let at = start; at <= row.length; at += 1) {
    if (at === row.length ? start < at : row[at] === "|") {
      cells.push(cellOf(row, start, at, first));
      start = at + 1;
    } else if (row[at] === "\\") at += row[at + 1] === "|" ? 1 : 0;
  }
  return cells;
}

/**
 * @param {string} row
 * @param {number} start
 * @param {number} end
 * @param {number} first  Where the row begins in the source
 * @returns {Content}
 */
function cellOf(row, start, end, first) {
  let from = start;
  let to = end;
  while (from < to && /[ \t]/.test(row[from] ?? "")) from += 1;
  while (to > from && /[ \t]/.test(row[to - 1] ?? "")) to -= 1;
  /** @type {Content} */
  const cell = { text: "", offsets: [] };
  for (let at = from; at < to; at += 1) {
    if (row[at] === "\\" && row[at + 1] === "|") continue;
    cell.text += row[at];
    cell.offsets.push(first + at);
  }
  return cell;
}

// Split table rows into cells, by the rules of GFM: a pipe ends a cell, `\|` is a pipe in a cell.

/**
 * @typedef {import("./markdown-tree.js").Align} Align
 * @typedef {import("./markdown-tree.js").Content} Content
 */

/**
 * Parse the line below the head of a table into the alignment of its columns; null if it is none. It must contain a pipe,
 * because without one it could be a horizontal rule.
 *
 * @param {string} text
 * @returns {Align[] | null}
 */
export function parseAlignments(text) {
  if (!/^[ \t:|-]+$/.test(text) || !text.includes("|")) return null;
  const cells = splitCells(text, 0).map((cell) => cell.text);
  if (!cells.every((cell) => /^:?-+:?$/.test(cell))) return null;
  return cells.map((cell) => {
    if (cell.endsWith(":")) return cell.startsWith(":") ? "center" : "end";
    return cell.startsWith(":") ? "start" : null;
  });
}

/**
 * Split a row into its cells.
 *
 * @param {string} text
 * @param {number} from  The offset of the row in the source
 * @returns {Content[]}
 */
export function splitCells(text, from) {
  const row = text.trim();
  const first = from + text.indexOf(row);
  /** @type {Content[]} */
  const cells = [];
  let start = row.startsWith("|") ? 1 : 0;
  for (let at = start; at <= row.length; at += 1) {
    if (at === row.length ? start < at : row[at] === "|") {
      cells.push(createCell(row, start, at, first));
      start = at + 1;
    } else if (row[at] === "\\") at += row[at + 1] === "|" ? 1 : 0;
  }
  return cells;
}

/**
 * Create a cell from a part of a row, without the white space around it.
 *
 * @param {string} row
 * @param {number} start
 * @param {number} end
 * @param {number} first  The offset of the row in the source
 * @returns {Content}
 */
function createCell(row, start, end, first) {
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

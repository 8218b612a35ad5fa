// Charts: drawn as SVG with axes, units and a legend, each with the same figures as a table below it.

import { h, svg } from "./dom.js";
import { plain, shortDay } from "./format.js";
import { words } from "./words.js";

// As wide as there is room for, so that its letters are as large as those around it.
const WIDTH = Math.min(760, Math.max(300, window.innerWidth - 66));
const HEIGHT = 300;
const EDGE = { left: 44, right: 16, top: 28, bottom: 34 };
const INNER = { width: WIDTH - EDGE.left - EDGE.right, height: HEIGHT - EDGE.top - EDGE.bottom };
const MOST_TICKS = 5;
const MOST_DAYS = Math.floor(WIDTH / 90);

/**
 * @typedef {{head: string[], rows: (string | number)[][]}} Table
 * @typedef {{name: string, kind: string, values: number[]}} Series
 */

/**
 * Areas upon each other, the first one at the bottom.
 *
 * @param {string} title @param {string} help @param {string[]} days @param {Series[]} series
 */
export function stacked(title, help, days, series) {
  if (days.length === 1) {
    // A single day has no width: it is drawn from its morning to its evening.
    const wide = series.map((each) => ({ ...each, values: [each.values[0] ?? 0, each.values[0] ?? 0] }));
    return stacked(title, help, [days[0] ?? "", days[0] ?? ""], wide);
  }
  const tops = days.map((_, day) => series.reduce((sum, each) => sum + (each.values[day] ?? 0), 0));
  const y = scale(Math.max(1, ...tops));
  const x = (/** @type {number} */ day) => EDGE.left + (days.length > 1 ? (day / (days.length - 1)) * INNER.width : INNER.width / 2);
  const below = days.map(() => 0);
  const areas = series.map(({ kind, values, name }) => {
    const lower = below.map((sum, day) => `${x(day)},${y(sum)}`);
    values.forEach((value, day) => { below[day] = (below[day] ?? 0) + value; });
    const upper = below.map((sum, day) => `${x(day)},${y(sum)}`);
    return svg("polygon", { class: kind, points: [...upper, ...lower.reverse()].join(" ") }, svg("title", {}, name));
  });
  const table = { head: [words.day, ...series.map(({ name }) => name)], rows: days.map((day, at) => [day, ...series.map(({ values }) => values[at] ?? 0)]) };
  const legend = [...series].reverse().map(({ kind, name }) => key(kind, name));
  return figure(title, help, [...grid(y, words.cards), ...dates(days, x), ...areas], table, legend);
}

/**
 * A dot for each thing that happened, and lines across.
 *
 * @param {string} title @param {string} help
 * @param {{day: string, value: number, name: string}[]} points
 * @param {{value: number, name: string}[]} lines
 * @param {string[]} days from the first to the last
 */
export function scatter(title, help, points, lines, days) {
  const y = scale(Math.max(1, ...points.map(({ value }) => value), ...lines.map(({ value }) => value)));
  const at = new Map(days.map((day, place) => [day, place]));
  const x = (/** @type {number} */ day) => EDGE.left + ((day + 0.5) / days.length) * INNER.width;
  const dots = points.map(({ day, value, name }) => svg("circle", { class: "dot", cx: x(at.get(day) ?? 0), cy: y(value), r: 5 }, svg("title", {}, `${name}: ${plain(value)} ${words.days}`)));
  const marks = lines.flatMap(({ value, name }) => [
    svg("line", { class: "mark", x1: EDGE.left, x2: WIDTH - EDGE.right, y1: y(value), y2: y(value) }),
    svg("text", { x: WIDTH - EDGE.right, y: y(value) - 4, "text-anchor": "end" }, name),
  ]);
  const table = { head: [words.day, words.card, words.days], rows: points.map(({ day, name, value }) => [day, name, plain(value)]) };
  return figure(title, help, [...grid(y, words.days), ...dates(days, x), ...marks, ...dots], table, []);
}

/**
 * A bar for each thing.
 *
 * @param {string} title @param {string} help @param {string} unit
 * @param {{name: string, value: number}[]} bars
 * @param {string[]} head of the table
 */
export function bars(title, help, unit, bars, head) {
  const y = scale(Math.max(1, ...bars.map(({ value }) => value)));
  const step = INNER.width / Math.max(1, bars.length);
  const every = Math.ceil(bars.length / MOST_DAYS);
  const shapes = bars.flatMap(({ name, value }, at) => {
    const left = EDGE.left + at * step;
    return [
      svg("rect", { class: "bar", x: left + step * 0.15, width: step * 0.7, y: y(value), height: EDGE.top + INNER.height - y(value) }, svg("title", {}, `${name}: ${plain(value)} ${unit}`)),
      at % every === 0 ? svg("text", { x: left + step / 2, y: HEIGHT - 14, "text-anchor": "middle" }, name.length > 14 ? `${name.slice(0, 13)}…` : name) : null,
    ];
  });
  const table = { head, rows: bars.map(({ name, value }) => [name, plain(value)]) };
  return figure(title, help, [...grid(y, unit), ...shapes], table, []);
}

/**
 * @param {string} title @param {string} help @param {import("./dom.js").Child[]} shapes @param {Table} table
 * @param {Node[]} legend
 */
function figure(title, help, shapes, table, legend) {
  const picture = table.rows.length
    ? svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${title}. ${help}` }, shapes)
    : h("p", { class: "hint" }, words.flowNone);
  const data = h("details", { class: "no-print" }, h("summary", {}, words.flowData),
    h("div", { class: "scrolls", tabindex: 0, role: "region", "aria-label": title },
      h("table", {}, h("caption", { class: "unseen" }, title),
        h("thead", {}, h("tr", {}, table.head.map((word) => h("th", { scope: "col" }, word)))),
        h("tbody", {}, table.rows.map((row) => h("tr", {}, row.map((cell) => h("td", { dir: "auto" }, cell))))))));
  return h("figure", {},
    h("figcaption", {}, h("h2", {}, title), h("p", { class: "hint" }, help)),
    picture,
    legend.length ? h("p", { class: "legend" }, legend) : null,
    table.rows.length ? data : null);
}

/** @param {string} kind @param {string} name */
function key(kind, name) {
  return h("span", {}, svg("svg", { viewBox: "0 0 10 10", "aria-hidden": "true" }, svg("rect", { class: kind, width: 10, height: 10 })), ` ${name}`);
}

/** From a value to its height on the picture; the top is a round number. @param {number} most */
function scale(most) {
  const step = stepOf(most);
  const top = Math.ceil(most / step) * step;
  return Object.assign((/** @type {number} */ value) => EDGE.top + INNER.height * (1 - value / top), { step, top });
}

/** @param {number} most */
function stepOf(most) {
  const rough = most / MOST_TICKS;
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
  return Math.max(1, [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough) ?? power);
}

/** @param {ReturnType<typeof scale>} y @param {string} unit */
function grid(y, unit) {
  const ticks = Array.from({ length: Math.round(y.top / y.step) + 1 }, (_, at) => at * y.step);
  return [
    ...ticks.flatMap((value) => [
      svg("line", { class: value ? "grid" : "axis", x1: EDGE.left, x2: WIDTH - EDGE.right, y1: y(value), y2: y(value) }),
      svg("text", { x: EDGE.left - 6, y: y(value) + 4, "text-anchor": "end" }, plain(value)),
    ]),
    svg("text", { x: 2, y: 12 }, unit),
  ];
}

/** @param {string[]} days @param {(day: number) => number} x */
function dates(days, x) {
  const every = Math.ceil(days.length / MOST_DAYS);
  return days.map((day, at) => (at % every ? null : svg("text", { x: x(at), y: HEIGHT - 14, "text-anchor": "middle" }, shortDay(day))));
}

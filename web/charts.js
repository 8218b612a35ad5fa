// Charts in SVG with axes, units and a legend. Each has its data as a table below it.

import { h, svg } from "./dom.js";
import { formatNumber, formatShortDate } from "./format.js";
import { texts } from "./texts.js";

// The width of the page, so that the text in a chart is not scaled.
const WIDTH = Math.min(760, Math.max(300, window.innerWidth - 66));
const HEIGHT = 300;
const MARGIN = { left: 44, right: 16, top: 28, bottom: 34 };
const PLOT = { width: WIDTH - MARGIN.left - MARGIN.right, height: HEIGHT - MARGIN.top - MARGIN.bottom };
const MAX_TICKS = 5;
const MAX_DATE_LABELS = Math.floor(WIDTH / 90);

/**
 * @typedef {{head: string[], rows: (string | number)[][]}} Table
 * @typedef {{name: string, kind: string, values: number[]}} Series
 */

/**
 * Draw stacked areas, the first one at the bottom.
 *
 * @param {string} title @param {string} help @param {string[]} days @param {Series[]} series
 */
export function drawStackedAreas(title, help, days, series) {
  if (days.length === 1) {
    // A single day has no width, so it is drawn twice: at both ends of the axis.
    const doubled = series.map((band) => ({ ...band, values: [band.values[0] ?? 0, band.values[0] ?? 0] }));
    return drawStackedAreas(title, help, [days[0] ?? "", days[0] ?? ""], doubled);
  }
  const totals = days.map((_, day) => series.reduce((sum, band) => sum + (band.values[day] ?? 0), 0));
  const y = createScale(Math.max(1, ...totals));
  const x = (/** @type {number} */ day) => MARGIN.left + (days.length > 1 ? (day / (days.length - 1)) * PLOT.width : PLOT.width / 2);
  const sums = days.map(() => 0);
  const areas = series.map(({ kind, values, name }) => {
    const lowerEdge = sums.map((sum, day) => `${x(day)},${y(sum)}`);
    values.forEach((value, day) => { sums[day] = (sums[day] ?? 0) + value; });
    const upperEdge = sums.map((sum, day) => `${x(day)},${y(sum)}`);
    return svg("polygon", { class: kind, points: [...upperEdge, ...lowerEdge.reverse()].join(" ") }, svg("title", {}, name));
  });
  const table = { head: [texts.day, ...series.map(({ name }) => name)], rows: days.map((day, index) => [day, ...series.map(({ values }) => values[index] ?? 0)]) };
  const legend = [...series].reverse().map(({ kind, name }) => createLegendKey(kind, name));
  return createFigure(title, help, [...drawGrid(y, texts.cards), ...drawDates(days, x), ...areas], table, legend);
}

/**
 * Draw points, and horizontal lines.
 *
 * @param {string} title @param {string} help
 * @param {{day: string, value: number, name: string}[]} points
 * @param {{value: number, name: string}[]} lines
 * @param {string[]} days from the first to the last
 */
export function drawScatterPlot(title, help, points, lines, days) {
  const y = createScale(Math.max(1, ...points.map(({ value }) => value), ...lines.map(({ value }) => value)));
  const indexByDay = new Map(days.map((day, index) => [day, index]));
  const x = (/** @type {number} */ day) => MARGIN.left + ((day + 0.5) / days.length) * PLOT.width;
  const dots = points.map(({ day, value, name }) => svg("circle", { class: "dot", cx: x(indexByDay.get(day) ?? 0), cy: y(value), r: 5 }, svg("title", {}, `${name}: ${formatNumber(value)} ${texts.days}`)));
  const lineShapes = lines.flatMap(({ value, name }) => [
    svg("line", { class: "percentile", x1: MARGIN.left, x2: WIDTH - MARGIN.right, y1: y(value), y2: y(value) }),
    svg("text", { x: WIDTH - MARGIN.right, y: y(value) - 4, "text-anchor": "end" }, name),
  ]);
  const table = { head: [texts.day, texts.card, texts.days], rows: points.map(({ day, name, value }) => [day, name, formatNumber(value)]) };
  return createFigure(title, help, [...drawGrid(y, texts.days), ...drawDates(days, x), ...lineShapes, ...dots], table, []);
}

/**
 * Draw bars.
 *
 * @param {string} title @param {string} help @param {string} unit
 * @param {{name: string, value: number}[]} bars
 * @param {string[]} head of the table
 */
export function drawBarChart(title, help, unit, bars, head) {
  const y = createScale(Math.max(1, ...bars.map(({ value }) => value)));
  const step = PLOT.width / Math.max(1, bars.length);
  const labelInterval = Math.ceil(bars.length / MAX_DATE_LABELS);
  const shapes = bars.flatMap(({ name, value }, index) => {
    const left = MARGIN.left + index * step;
    return [
      svg("rect", { class: "bar", x: left + step * 0.15, width: step * 0.7, y: y(value), height: MARGIN.top + PLOT.height - y(value) }, svg("title", {}, `${name}: ${formatNumber(value)} ${unit}`)),
      index % labelInterval === 0 ? svg("text", { x: left + step / 2, y: HEIGHT - 14, "text-anchor": "middle" }, name.length > 14 ? `${name.slice(0, 13)}…` : name) : null,
    ];
  });
  const table = { head, rows: bars.map(({ name, value }) => [name, formatNumber(value)]) };
  return createFigure(title, help, [...drawGrid(y, unit), ...shapes], table, []);
}

/**
 * Create a figure with a chart, a legend and the data as a table.
 *
 * @param {string} title @param {string} help @param {import("./dom.js").Child[]} shapes @param {Table} table
 * @param {Node[]} legend
 */
function createFigure(title, help, shapes, table, legend) {
  const chart = table.rows.length
    ? svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${title}. ${help}` }, shapes)
    : h("p", { class: "hint" }, texts.flowNone);
  const dataTable = h("details", { class: "no-print" }, h("summary", {}, texts.flowData),
    h("div", { class: "scrollable", tabindex: 0, role: "region", "aria-label": title },
      h("table", {}, h("caption", { class: "visually-hidden" }, title),
        h("thead", {}, h("tr", {}, table.head.map((heading) => h("th", { scope: "col" }, heading)))),
        h("tbody", {}, table.rows.map((row) => h("tr", {}, row.map((cell) => h("td", { dir: "auto" }, cell))))))));
  return h("figure", {},
    h("figcaption", {}, h("h2", {}, title), h("p", { class: "hint" }, help)),
    chart,
    legend.length ? h("p", { class: "legend" }, legend) : null,
    table.rows.length ? dataTable : null);
}

/** Create an entry of a legend. @param {string} kind the CSS class @param {string} name */
function createLegendKey(kind, name) {
  return h("span", {}, svg("svg", { viewBox: "0 0 10 10", "aria-hidden": "true" }, svg("rect", { class: kind, width: 10, height: 10 })), ` ${name}`);
}

/** Create the function that maps a value to its y coordinate. The axis ends at a round number. @param {number} max */
function createScale(max) {
  const step = chooseTickStep(max);
  const top = Math.ceil(max / step) * step;
  return Object.assign((/** @type {number} */ value) => MARGIN.top + PLOT.height * (1 - value / top), { step, top });
}

/** Return the distance between ticks: 1, 2 or 5 times a power of ten. @param {number} max */
function chooseTickStep(max) {
  const roughStep = max / MAX_TICKS;
  const magnitude = 10 ** Math.floor(Math.log10(Math.max(roughStep, 1)));
  return Math.max(1, [1, 2, 5, 10].map((candidate) => candidate * magnitude).find((candidate) => candidate >= roughStep) ?? magnitude);
}

/** Draw the y axis: lines, numbers and the unit. @param {ReturnType<typeof createScale>} y @param {string} unit */
function drawGrid(y, unit) {
  const ticks = Array.from({ length: Math.round(y.top / y.step) + 1 }, (_, index) => index * y.step);
  return [
    ...ticks.flatMap((value) => [
      svg("line", { class: value ? "grid" : "axis", x1: MARGIN.left, x2: WIDTH - MARGIN.right, y1: y(value), y2: y(value) }),
      svg("text", { x: MARGIN.left - 6, y: y(value) + 4, "text-anchor": "end" }, formatNumber(value)),
    ]),
    svg("text", { x: 2, y: 12 }, unit),
  ];
}

/** Draw dates below the x axis, as many as there is room for. @param {string[]} days @param {(day: number) => number} x */
function drawDates(days, x) {
  const labelInterval = Math.ceil(days.length / MAX_DATE_LABELS);
  return days.map((day, index) => (index % labelInterval ? null : svg("text", { x: x(index), y: HEIGHT - 14, "text-anchor": "middle" }, formatShortDate(day))));
}

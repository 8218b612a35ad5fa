// The flow page: charts and tables of a board's flow, time and cost, for a range of dates.

import { drawBarChart, drawScatterPlot, drawStackedAreas } from "./charts.js";
import { setChildren, h } from "./dom.js";
import { createField } from "./components.js";
import { downloadText } from "./import-export.js";
import { formatDays, formatMoney, formatShortDate } from "./format.js";
import { reportError } from "./notifications.js";
import { ignoreDoubleClicks } from "./async-handlers.js";
import { texts } from "./texts.js";

/**
 * @typedef {import("./api.js").Schemas["Flow"]} Flow
 * @typedef {import("./api.js").Schemas["TimeReport"]} TimeReport
 */

const SECONDS_PER_DAY = 86_400;
const DEFAULT_DAYS = 30;

/**
 * Show the flow page of a board.
 *
 * @type {import("./app.js").View}
 */
export async function showFlow({ api, main, tools, setTitle, isClosed }, id) {
  const path = `boards/${id}`;
  const board = /** @type {import("./api.js").Board} */ ((await api.request("GET", path)).body);
  if (isClosed()) return;
  const tz = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const today = toIsoDate(new Date());
  const from = h("input", { type: "date", value: toIsoDate(new Date(Date.now() - (DEFAULT_DAYS - 1) * SECONDS_PER_DAY * 1000)), max: today, required: true });
  const to = h("input", { type: "date", value: today, max: today, required: true });
  const charts = h("div");

  const draw = async () => {
    const query = { from: from.value, to: to.value, tz };
    try {
      const [measures, report] = await Promise.all([
        api.request("GET", `${path}/flow`, { query }),
        api.request("GET", `${path}/time-report`, { query }),
      ]);
      const titleOf = await fetchTitles(api, path);
      setChildren(charts, drawFigures(/** @type {Flow} */ (measures.body), titleOf), ...createTimeTables(/** @type {TimeReport} */ (report.body)));
    } catch (error) {
      reportError(error);
    }
  };
  const download = async () => {
    try {
      const query = { from: from.value, to: to.value, tz };
      const response = await api.request("GET", `${path}/time-report`, { query, accept: "text/csv" });
      // Excel on Windows reads UTF-8 only after a byte order mark.
      downloadText(`${board.name}-${from.value}-${to.value}.csv`, "text/csv", `\ufeff${/** @type {string} */ (response.body)}`);
    } catch (error) {
      reportError(error);
    }
  };

  setTitle(texts.flowTitle(board.name));
  setChildren(tools, h("a", { class: "button", href: `#/${path}` }, texts.board));
  setChildren(main,
    h("div", { class: "page flow" },
      h("h1", { dir: "auto" }, texts.flowTitle(board.name)),
      h("form", { class: "row", onsubmit: ignoreDoubleClicks(draw) },
        createField(texts.flowFrom, from), createField(texts.flowTo, to), h("button", { class: "primary" }, texts.flowShow),
        h("button", { type: "button", onclick: () => void download() }, texts.flowCsv),
        h("button", { type: "button", onclick: () => print() }, texts.flowPrint)),
      charts));
  await draw();
}

/**
 * Fetch the titles of all cards, archived ones included, and return a function from id to title.
 *
 * @param {import("./api.js").Api} api
 * @param {string} path
 */
async function fetchTitles(api, path) {
  const cards = /** @type {import("./api.js").Card[]} */ (await api.fetchAll(`${path}/cards`));
  const archived = /** @type {import("./api.js").Card[]} */ (await api.fetchAll(`${path}/cards`, undefined, { archived: true }));
  const titles = new Map([...cards, ...archived].map((card) => [card.id, card.title]));
  return (/** @type {string} */ id) => titles.get(id) ?? id;
}

/**
 * Draw the four charts.
 *
 * @param {Flow} measures
 * @param {(id: string) => string} titleOf
 */
function drawFigures(measures, titleOf) {
  const { cumulative_flow: flow, cycle_time: cycleTime, throughput, in_progress: inProgress, points } = measures;
  const days = flow.days;
  const stages = /** @type {const} */ (["done", "in_progress", "todo"]);
  const series = stages.map((stage) => ({ name: texts.stages[stage], kind: stage, values: flow[stage] }));
  const dots = points.flatMap((point) => (point.cycle_seconds === null
    ? [] : [{ day: toIsoDate(new Date(point.resolved_at)), value: point.cycle_seconds / SECONDS_PER_DAY, name: titleOf(point.card_id) }]));
  const percentiles = /** @type {const} */ ([[50, cycleTime.p50_seconds], [85, cycleTime.p85_seconds], [95, cycleTime.p95_seconds]]);
  const lines = percentiles.flatMap(([percentile, seconds]) => (seconds === null
    ? [] : [{ value: seconds / SECONDS_PER_DAY, name: texts.percentile(percentile, formatDays(seconds)) }]));
  const finished = throughput.map((week) => ({ name: formatShortDate(week.from), value: week.finished }));
  const ages = inProgress.items.map((card) => ({ name: card.title, value: (card.age_seconds ?? 0) / SECONDS_PER_DAY }));
  return [
    drawStackedAreas(texts.flowCumulative, texts.flowCumulativeHelp, days, series),
    drawScatterPlot(texts.flowCycle, texts.flowCycleHelp, dots, lines, days),
    drawBarChart(texts.flowThroughput, texts.flowThroughputHelp, texts.cards, finished, [texts.day, texts.cards]),
    drawBarChart(texts.flowAge, texts.flowAgeHelp, texts.days, ages, [texts.card, texts.days]),
  ];
}

/** Create the tables of time and cost by list, member and label. @param {TimeReport} report */
function createTimeTables(report) {
  const formatTotals = (/** @type {{elapsed: string, cost: {amount_minor: number, currency: string}}} */ total) =>
    [total.elapsed, formatMoney(total.cost.amount_minor, total.cost.currency)];
  const createTable = (/** @type {string} */ head, /** @type {string[][]} */ rows) =>
    h("div", { class: "scrollable", tabindex: 0, role: "region", "aria-label": `${texts.flowTime}: ${head}` },
      h("table", {},
        h("thead", {}, h("tr", {}, [head, texts.timeSpent, texts.cost].map((heading) => h("th", { scope: "col" }, heading)))),
        h("tbody", {}, rows.map((row) => h("tr", {}, row.map((cell) => h("td", { dir: "auto" }, cell)))))));
  const hasEntries = report.by_list.length + report.by_member.length > 0;
  return [h("figure", {},
    h("figcaption", {}, h("h2", {}, texts.flowTime), h("p", { class: "hint" }, hasEntries ? texts.timeTotal(...toPair(formatTotals(report.total))) : texts.flowNone)),
    hasEntries ? createTable(texts.list, report.by_list.map((row) => [row.name, ...formatTotals(row)])) : null,
    hasEntries ? createTable(texts.filterMember, report.by_member.map((row) => [row.name ?? row.user_id, ...formatTotals(row)])) : null,
    hasEntries && report.by_label.length ? createTable(texts.filterLabel, report.by_label.map((row) => [row.name ?? texts.labelNone, ...formatTotals(row)])) : null)];
}

/** @param {string[]} values @returns {[string, string]} */
function toPair(values) {
  return [values[0] ?? "", values[1] ?? ""];
}

/** Return a date in local time, as YYYY-MM-DD. @param {Date} at */
function toIsoDate(at) {
  const parts = [at.getFullYear(), at.getMonth() + 1, at.getDate()];
  return parts.map((part) => String(part).padStart(2, "0")).join("-");
}

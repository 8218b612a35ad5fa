// How work flows over a board: drawn, and as tables; for a range of days that the reader chooses.

import { bars, scatter, stacked } from "./charts.js";
import { fill, h } from "./dom.js";
import { field } from "./faces.js";
import { save } from "./files.js";
import { inDays, money, shortDay } from "./format.js";
import { trouble } from "./notice.js";
import { once } from "./turns.js";
import { words } from "./words.js";

/**
 * @typedef {import("./api.js").Schemas["Flow"]} Flow
 * @typedef {import("./api.js").Schemas["TimeReport"]} TimeReport
 */

const DAY = 86_400;
const USUAL = 29;

/** @type {import("./app.js").View} */
export async function flow({ api, main, tools, entitle, isLeft }, id) {
  const path = `boards/${id}`;
  const board = /** @type {import("./api.js").Board} */ ((await api.ask("GET", path)).body);
  if (isLeft()) return;
  const tz = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const today = day(new Date());
  const from = h("input", { type: "date", value: day(new Date(Date.now() - USUAL * DAY * 1000)), max: today, required: true });
  const to = h("input", { type: "date", value: today, max: today, required: true });
  const charts = h("div");

  const draw = async () => {
    const query = { from: from.value, to: to.value, tz };
    try {
      const [measures, report] = await Promise.all([
        api.ask("GET", `${path}/flow`, { query }),
        api.ask("GET", `${path}/time-report`, { query }),
      ]);
      const titles = await named(api, path);
      fill(charts, figures(/** @type {Flow} */ (measures.body), titles), ...timeTables(/** @type {TimeReport} */ (report.body)));
    } catch (error) {
      trouble(error);
    }
  };
  const download = async () => {
    try {
      const query = { from: from.value, to: to.value, tz };
      const answer = await api.ask("GET", `${path}/time-report`, { query, accept: "text/csv" });
      // Excel on Windows reads UTF-8 only after a byte order mark.
      save(`${board.name}-${from.value}-${to.value}.csv`, "text/csv", `\ufeff${/** @type {string} */ (answer.body)}`);
    } catch (error) {
      trouble(error);
    }
  };

  entitle(words.flowTitle(board.name));
  fill(tools, h("a", { class: "button", href: `#/${path}` }, words.board));
  fill(main,
    h("div", { class: "page flow" },
      h("h1", { dir: "auto" }, words.flowTitle(board.name)),
      h("form", { class: "row", onsubmit: once(draw) },
        field(words.flowFrom, from), field(words.flowTo, to), h("button", { class: "primary" }, words.flowShow),
        h("button", { type: "button", onclick: () => void download() }, words.flowCsv),
        h("button", { type: "button", onclick: () => print() }, words.flowPrint)),
      charts));
  await draw();
}

/**
 * What the cards of the measures are called.
 *
 * @param {import("./api.js").Api} api
 * @param {string} path
 */
async function named(api, path) {
  const cards = /** @type {import("./api.js").Card[]} */ (await api.all(`${path}/cards`));
  const archived = /** @type {import("./api.js").Card[]} */ (await api.all(`${path}/cards`, undefined, { archived: true }));
  const titles = new Map([...cards, ...archived].map((card) => [card.id, card.title]));
  return (/** @type {string} */ id) => titles.get(id) ?? id;
}

/**
 * @param {Flow} measures
 * @param {(id: string) => string} title
 */
function figures(measures, title) {
  const { cumulative_flow: flow, cycle_time: cycle, throughput, in_progress: running, points } = measures;
  const days = flow.days;
  const stages = /** @type {const} */ (["done", "in_progress", "todo"]);
  const series = stages.map((stage) => ({ name: words.stages[stage], kind: stage, values: flow[stage] }));
  const dots = points.flatMap((point) => (point.cycle_seconds === null
    ? [] : [{ day: day(new Date(point.resolved_at)), value: point.cycle_seconds / DAY, name: title(point.card_id) }]));
  const marks = /** @type {const} */ ([[50, cycle.p50_seconds], [85, cycle.p85_seconds], [95, cycle.p95_seconds]]);
  const lines = marks.flatMap(([of, seconds]) => (seconds === null
    ? [] : [{ value: seconds / DAY, name: words.percentile(of, inDays(seconds)) }]));
  const finished = throughput.map((each) => ({ name: shortDay(each.from), value: each.finished }));
  const ages = running.items.map((each) => ({ name: each.title, value: (each.age_seconds ?? 0) / DAY }));
  return [
    stacked(words.flowCumulative, words.flowCumulativeHelp, days, series),
    scatter(words.flowCycle, words.flowCycleHelp, dots, lines, days),
    bars(words.flowThroughput, words.flowThroughputHelp, words.cards, finished, [words.day, words.cards]),
    bars(words.flowAge, words.flowAgeHelp, words.days, ages, [words.card, words.days]),
  ];
}

/** @param {TimeReport} report */
function timeTables(report) {
  const shown = (/** @type {{elapsed: string, cost: {amount_minor: number, currency: string}}} */ total) =>
    [total.elapsed, money(total.cost.amount_minor, total.cost.currency)];
  const table = (/** @type {string} */ head, /** @type {string[][]} */ rows) =>
    h("div", { class: "scrolls", tabindex: 0, role: "region", "aria-label": `${words.flowTime}: ${head}` },
      h("table", {},
        h("thead", {}, h("tr", {}, [head, words.timeSpent, words.cost].map((word) => h("th", { scope: "col" }, word)))),
        h("tbody", {}, rows.map((row) => h("tr", {}, row.map((cell) => h("td", { dir: "auto" }, cell)))))));
  const any = report.by_list.length + report.by_member.length > 0;
  return [h("figure", {},
    h("figcaption", {}, h("h2", {}, words.flowTime), h("p", { class: "hint" }, any ? words.timeTotal(...pair(shown(report.total))) : words.flowNone)),
    any ? table(words.list, report.by_list.map((each) => [each.name, ...shown(each)])) : null,
    any ? table(words.filterMember, report.by_member.map((each) => [each.name ?? each.user_id, ...shown(each)])) : null,
    any && report.by_label.length ? table(words.filterLabel, report.by_label.map((each) => [each.name ?? words.labelNone, ...shown(each)])) : null)];
}

/** @param {string[]} both @returns {[string, string]} */
function pair(both) {
  return [both[0] ?? "", both[1] ?? ""];
}

/** The reader's day. @param {Date} at */
function day(at) {
  const parts = [at.getFullYear(), at.getMonth() + 1, at.getDate()];
  return parts.map((part) => String(part).padStart(2, "0")).join("-");
}

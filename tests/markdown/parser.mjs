// Reads queries as lines of JSON and writes a line of JSON for each.

import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import "./fake_dom.mjs";
import { findFaults } from "./coverage.mjs";
import { toHtml } from "./html.mjs";
import { createStepCounter } from "./steps.mjs";
import { findFirstFault } from "./random_texts.mjs";

const { parse } = await import("../../web/markdown-blocks.js");
const { markdown } = await import("../../web/markdown.js");

const countSteps = await createStepCounter(process.argv[2]);

const QUERIES = {
  rendered: (text) => String(markdown(text)),
  examples: () => createRequire(import.meta.url)("commonmark-spec").tests,
  faults: (text) => findFaults(text, parse(text)),
  first_fault: (range) => findFirstFault(parse, range),
  html: (text) => toHtml(parse(text)),
  steps: ({ unit, length }) => countSteps(unit.repeat(Math.ceil(length / unit.length)).slice(0, length)),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { query, argument } = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(await QUERIES[query](argument))}\n`);
}

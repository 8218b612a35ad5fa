// Answers lines of JSON: a text in, and what becomes of it out.

import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import "./page.mjs";
import { account } from "./account.mjs";
import { htmlOf } from "./html.mjs";
import { countingParser } from "./steps.mjs";
import { firstFault } from "./texts.mjs";

const { parse } = await import("../../web/markdown-blocks.js");
const { markdown } = await import("../../web/markdown.js");

const count = await countingParser(process.argv[2]);

const ANSWERS = {
  drawn: (text) => String(markdown(text)),
  examples: () => createRequire(import.meta.url)("commonmark-spec").tests,
  faults: (text) => account(text, parse(text)),
  first_fault: (range) => firstFault(parse, range),
  html: (text) => htmlOf(parse(text)),
  steps: ({ unit, length }) => count(unit.repeat(Math.ceil(length / unit.length)).slice(0, length)),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { wanted, given } = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(await ANSWERS[wanted](given))}\n`);
}

// Random texts, which are the same for the same seed: ordinary words and all markers, in valid and invalid places.

import { findFaults } from "./coverage.mjs";

const PIECES = [
  "max_retry_count", "2*3*4 = 24", "word", "字", "é", "🎉", "a", " ", " ", " ", "  ", "   ", "\t", "    ",
  "\n", "\n", "\n", "\n", "\n\n", "\n\n", "\r\n", "\r", "*", "*", "**", "**", "***", "_", "_", "__", "~", "~~", "`", "`", "``", "\\",
  "\\_", "\\|", "!", "&amp;", "<b>", "'", '"', ":", ".", "[", "[", "]", "](", "](/u)", ")", "(", "![", "[x](https://a.example)",
  '[x](<a b> "t")', "[](https://a.example)", "<https://a.example>", "<mina@a.example>", "https://a.example/a_b",
  "https://en.example/Foo_(bar)", "http://", "https://a.example/x.", "www.a.example", "> ", ">", "> ", "- ", "- ", "* ", "+ ", "-",
  "1. ", "24. ", "2) ", "- [ ] ", "- [x] ", "# ", "## ", " ##", "---", "===", "***", "```", "```", "````", "~~~", "```js",
  "| a | b |", "\n|---|:-:|\n", "|", "a | b\n- | -\n", "a | b\n:-: | -\n", "|-|-|",
];

export function* generateTexts(seed, count) {
  let state = seed;
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  for (let index = 0; index < count; index += 1) {
    const length = 1 + Math.floor(random() * 30);
    yield Array.from({ length }, () => PIECES[Math.floor(random() * PIECES.length)]);
  }
}

/** Find the first text with a fault and shorten it as far as possible. Return it with its faults; null if there is none. */
export function findFirstFault(parse, { seed, count }) {
  const findFaultsIn = (pieces) => findFaults(pieces.join(""), parse(pieces.join("")));
  for (const pieces of generateTexts(seed, count)) {
    if (!findFaultsIn(pieces).length) continue;
    let shortest = pieces;
    for (let at = 0; at < shortest.length; ) {
      const shorter = shortest.toSpliced(at, 1);
      if (findFaultsIn(shorter).length) shortest = shorter;
      else at += 1;
    }
    return { text: shortest.join(""), faults: findFaultsIn(shortest) };
  }
  return null;
}

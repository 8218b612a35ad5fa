// Texts by chance, the same for the same seed: ordinary words, and every marker where it is one and where it is not.

import { account } from "./account.mjs";

const PIECES = [
  "max_retry_count", "2*3*4 = 24", "word", "字", "é", "🎉", "a", " ", " ", " ", "  ", "   ", "\t", "    ",
  "\n", "\n", "\n", "\n", "\n\n", "\n\n", "\r\n", "\r", "*", "*", "**", "**", "***", "_", "_", "__", "~", "~~", "`", "`", "``", "\\",
  "\\_", "\\|", "!", "&amp;", "<b>", "'", '"', ":", ".", "[", "[", "]", "](", "](/u)", ")", "(", "![", "[x](https://a.example)",
  '[x](<a b> "t")', "[](https://a.example)", "<https://a.example>", "<mina@a.example>", "https://a.example/a_b",
  "https://en.example/Foo_(bar)", "http://", "https://a.example/x.", "www.a.example", "> ", ">", "> ", "- ", "- ", "* ", "+ ", "-",
  "1. ", "24. ", "2) ", "- [ ] ", "- [x] ", "# ", "## ", " ##", "---", "===", "***", "```", "```", "````", "~~~", "```js",
  "| a | b |", "\n|---|:-:|\n", "|", "a | b\n- | -\n", "a | b\n:-: | -\n", "|-|-|",
];

export function* texts(seed, count) {
  let state = seed;
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  for (let made = 0; made < count; made += 1) {
    const length = 1 + Math.floor(random() * 30);
    yield Array.from({ length }, () => PIECES[Math.floor(random() * PIECES.length)]);
  }
}

/** The shortest text that can be cut out of the first with a fault, and its faults; null, if none has any. */
export function firstFault(parse, { seed, count }) {
  const faultsOf = (pieces) => account(pieces.join(""), parse(pieces.join("")));
  for (const pieces of texts(seed, count)) {
    if (!faultsOf(pieces).length) continue;
    let kept = pieces;
    for (let at = 0; at < kept.length; ) {
      const shorter = kept.toSpliced(at, 1);
      if (faultsOf(shorter).length) kept = shorter;
      else at += 1;
    }
    return { text: kept.join(""), faults: faultsOf(kept) };
  }
  return null;
}

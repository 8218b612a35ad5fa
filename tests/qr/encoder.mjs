// Encode the texts of a JSON array on the standard input with the page's module.

import { readFileSync } from "node:fs";

import { encodeQr } from "../../web/qr.js";

const texts = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(texts.map((text) => encodeQr(text).map((row) => row.map(Number)))));

// QR codes of short texts, after ISO/IEC 18004: byte mode, error correction level M, versions 1 to 10.
//
// The page has an encoder of its own because its files are served as they are, and running needs no other package.

/** Codewords for error correction in each block, by version. */
const CORRECTION_CODEWORDS = [10, 16, 26, 18, 24, 16, 18, 22, 22, 26];
/** Number of blocks, by version. */
const BLOCKS = [1, 1, 1, 2, 2, 4, 4, 4, 5, 5];
/** Codewords in all, by version. */
const CODEWORDS = [26, 44, 70, 100, 134, 172, 196, 242, 292, 346];
/** Rows and columns of the alignment patterns, by version. */
const ALIGNMENTS = [[], [6, 18], [6, 22], [6, 26], [6, 30], [6, 34], [6, 22, 38], [6, 24, 42], [6, 26, 46], [6, 28, 50]];

const BYTE_MODE = 0b0100;
const LEVEL_M = 0b00;
const FORMAT_MASK = 0b101010000010010;
const FORMAT_GENERATOR = 0b10100110111;
const VERSION_GENERATOR = 0b1111100100101;
const FIELD_POLYNOMIAL = 0x11d;

/** @type {((row: number, column: number) => boolean)[]} where a mask inverts a module */
const MASKS = [
  (row, column) => (row + column) % 2 === 0,
  (row) => row % 2 === 0,
  (_row, column) => column % 3 === 0,
  (row, column) => (row + column) % 3 === 0,
  (row, column) => (Math.floor(row / 2) + Math.floor(column / 3)) % 2 === 0,
  (row, column) => ((row * column) % 2) + ((row * column) % 3) === 0,
  (row, column) => (((row * column) % 2) + ((row * column) % 3)) % 2 === 0,
  (row, column) => (((row + column) % 2) + ((row * column) % 3)) % 2 === 0,
];

/** A position that is not part of a pattern and has no data yet is undefined. @typedef {(boolean | undefined)[][]} Modules */

/**
 * Encode a text as a QR code.
 *
 * @param {string} text
 * @returns {boolean[][]} the modules row by row, true for dark, without the quiet zone of 4 modules
 * @throws {RangeError} the text has more than 213 bytes of UTF-8
 */
export function encodeQr(text) {
  const bytes = new TextEncoder().encode(text);
  const version = findVersion(bytes.length);
  const codewords = addCorrection(version, makeDataCodewords(version, bytes));
  const patterns = drawPatterns(version);
  let best = { penalty: Infinity, modules: /** @type {boolean[][]} */ ([]) };
  for (let mask = 0; mask < MASKS.length; mask += 1) {
    const modules = patterns.map((row) => [...row]);
    drawFormat(modules, mask);
    drawData(modules, codewords, mask);
    const penalty = computePenalty(/** @type {boolean[][]} */ (modules));
    if (penalty < best.penalty) best = { penalty, modules: /** @type {boolean[][]} */ (modules) };
  }
  return best.modules;
}

/** Return the entry of a table for a version. @template Value @param {Value[]} table @param {number} version @returns {Value} */
const lookUp = (table, version) => /** @type {Value} */ (table[version - 1]);

/** @param {number} version */
const countDataCodewords = (version) => lookUp(CODEWORDS, version) - lookUp(BLOCKS, version) * lookUp(CORRECTION_CODEWORDS, version);

/** The number of bits that say how long the text is. @param {number} version */
const countLengthBits = (version) => (version < 10 ? 8 : 16);

/** Return the smallest version that has room for so many bytes. @param {number} byteCount */
function findVersion(byteCount) {
  for (let version = 1; version <= CODEWORDS.length; version += 1) {
    if (4 + countLengthBits(version) + 8 * byteCount <= 8 * countDataCodewords(version)) return version;
  }
  throw new RangeError(`A QR code of version 10 has no room for ${byteCount} bytes.`);
}

/** Return the header, the text and the padding. @param {number} version @param {Uint8Array} bytes @returns {number[]} */
function makeDataCodewords(version, bytes) {
  /** @type {number[]} */
  const bits = [];
  const append = (/** @type {number} */ value, /** @type {number} */ length) => {
    for (let bit = length - 1; bit >= 0; bit -= 1) bits.push((value >> bit) & 1);
  };
  append(BYTE_MODE, 4);
  append(bytes.length, countLengthBits(version));
  for (const byte of bytes) append(byte, 8);
  const capacity = 8 * countDataCodewords(version);
  append(0, Math.min(4, capacity - bits.length));
  append(0, (8 - (bits.length % 8)) % 8);
  for (let padding = 0xec; bits.length < capacity; padding ^= 0xec ^ 0x11) append(padding, 8);
  return Array.from({ length: bits.length / 8 }, (_, index) => bits.slice(8 * index, 8 * index + 8).reduce((byte, bit) => 2 * byte + bit, 0));
}

/** Multiply in the field with 256 elements. @param {number} left @param {number} right */
function multiply(left, right) {
  let product = 0;
  for (let bit = 7; bit >= 0; bit -= 1) {
    product = (product << 1) ^ ((product >> 7) * FIELD_POLYNOMIAL);
    if ((right >> bit) & 1) product ^= left;
  }
  return product;
}

/** Return the coefficients of the Reed-Solomon generator after the first one, which is 1. @param {number} degree */
function makeGenerator(degree) {
  let coefficients = [1];
  let root = 1;
  for (let step = 0; step < degree; step += 1) {
    const shifted = [...coefficients, 0];
    coefficients = shifted.map((coefficient, index) => coefficient ^ multiply(coefficients[index - 1] ?? 0, root));
    root = multiply(root, 2);
  }
  return coefficients.slice(1);
}

/** Return the codewords for the error correction of a block. @param {number[]} block @param {number[]} generator */
function computeCorrection(block, generator) {
  let remainder = generator.map(() => 0);
  for (const codeword of block) {
    const factor = codeword ^ (remainder[0] ?? 0);
    remainder = generator.map((coefficient, index) => (remainder[index + 1] ?? 0) ^ multiply(coefficient, factor));
  }
  return remainder;
}

/** Divide the data into blocks, and interleave these and their error correction. @param {number} version @param {number[]} data */
function addCorrection(version, data) {
  const blockCount = lookUp(BLOCKS, version);
  const generator = makeGenerator(lookUp(CORRECTION_CODEWORDS, version));
  const shortLength = Math.floor(data.length / blockCount);
  // The last blocks are one codeword longer if the data can't be divided evenly.
  const longCount = data.length % blockCount;
  /** @type {number[][]} */
  const blocks = [];
  for (let start = 0; start < data.length;) {
    const length = shortLength + (blocks.length >= blockCount - longCount ? 1 : 0);
    blocks.push(data.slice(start, start + length));
    start += length;
  }
  const corrections = blocks.map((block) => computeCorrection(block, generator));
  return [...interleave(blocks), ...interleave(corrections)];
}

/** @param {number[][]} blocks @returns {number[]} the first codeword of each block, then the second ones, and so on */
function interleave(blocks) {
  const length = Math.max(...blocks.map((block) => block.length));
  return Array.from({ length }, (_, index) => blocks.flatMap((block) => block[index] ?? [])).flat();
}

/** Draw what does not depend on the text. @param {number} version @returns {Modules} */
function drawPatterns(version) {
  const size = 17 + 4 * version;
  /** @type {Modules} */
  const modules = Array.from({ length: size }, () => new Array(size).fill(undefined));
  const draw = (/** @type {number} */ row, /** @type {number} */ column, /** @type {boolean} */ isDark) => {
    const line = modules[row];
    if (line && column >= 0 && column < size) line[column] = isDark;
  };
  for (let index = 0; index < size; index += 1) {
    draw(6, index, index % 2 === 0);
    draw(index, 6, index % 2 === 0);
  }
  const drawSquares = (/** @type {number} */ row, /** @type {number} */ column, /** @type {number} */ radius, /** @type {number[]} */ lightRings) => {
    for (let dy = -radius; dy <= radius; dy += 1) {
      for (let dx = -radius; dx <= radius; dx += 1) draw(row + dy, column + dx, !lightRings.includes(Math.max(Math.abs(dx), Math.abs(dy))));
    }
  };
  for (const [row, column] of [[3, 3], [3, size - 4], [size - 4, 3]]) drawSquares(Number(row), Number(column), 4, [2, 4]);
  const alignments = lookUp(ALIGNMENTS, version);
  const last = alignments.at(-1);
  for (const row of alignments) {
    for (const column of alignments) {
      const isInCorner = (row === 6 && (column === 6 || column === last)) || (row === last && column === 6);
      if (!isInCorner) drawSquares(row, column, 2, [1]);
    }
  }
  if (version >= 7) {
    const bits = (version << 12) | computeRemainder(version << 12, VERSION_GENERATOR);
    for (let bit = 0; bit < 18; bit += 1) {
      const isDark = ((bits >> bit) & 1) === 1;
      const position = size - 11 + (bit % 3);
      draw(Math.floor(bit / 3), position, isDark);
      draw(position, Math.floor(bit / 3), isDark);
    }
  }
  return modules;
}

/** Divide polynomials over the field with 2 elements. @param {number} value @param {number} divisor */
function computeRemainder(value, divisor) {
  const degree = 31 - Math.clz32(divisor);
  let remainder = value;
  while (remainder >> degree) remainder ^= divisor << (31 - Math.clz32(remainder) - degree);
  return remainder;
}

/** Draw the level of error correction and the mask, twice. @param {Modules} modules @param {number} mask */
function drawFormat(modules, mask) {
  const size = modules.length;
  const data = ((LEVEL_M << 3) | mask) << 10;
  const bits = (data | computeRemainder(data, FORMAT_GENERATOR)) ^ FORMAT_MASK;
  const draw = (/** @type {number} */ row, /** @type {number} */ column, /** @type {boolean} */ isDark) => {
    /** @type {(boolean | undefined)[]} */ (modules[row])[column] = isDark;
  };
  for (let bit = 0; bit < 15; bit += 1) {
    const isDark = ((bits >> bit) & 1) === 1;
    // The row and column 6 have the timing patterns.
    draw(bit < 6 ? bit : bit < 8 ? bit + 1 : size - 15 + bit, 8, isDark);
    draw(8, bit < 8 ? size - 1 - bit : bit === 8 ? 7 : 14 - bit, isDark);
  }
  draw(size - 8, 8, true);
}

/** Draw the codewords into the positions that are left, under a mask. @param {Modules} modules @param {number[]} codewords @param {number} mask */
function drawData(modules, codewords, mask) {
  const size = modules.length;
  const inverts = /** @type {(row: number, column: number) => boolean} */ (MASKS[mask]);
  let bit = 0;
  let isUpward = true;
  for (let right = size - 1; right > 0; right -= 2) {
    if (right === 6) right = 5;
    for (let step = 0; step < size; step += 1) {
      const row = isUpward ? size - 1 - step : step;
      const line = /** @type {(boolean | undefined)[]} */ (modules[row]);
      for (const column of [right, right - 1]) {
        if (line[column] !== undefined) continue;
        const isSet = (((codewords[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1) === 1;
        line[column] = isSet !== inverts(row, column);
        bit += 1;
      }
    }
    isUpward = !isUpward;
  }
}

/** Score what makes a code hard to read: runs, blocks, patterns like the finder's, and too many dark or light modules. @param {boolean[][]} modules */
function computePenalty(modules) {
  const size = modules.length;
  const lines = modules.map((row) => row.map(Number).join(""));
  const columns = lines.map((_, index) => lines.map((line) => line[index]).join(""));
  let penalty = 0;
  for (const line of [...lines, ...columns]) {
    for (const [run] of line.matchAll(/0{5,}|1{5,}/g)) penalty += run.length - 2;
    // Beyond the edge, the quiet zone is light.
    penalty += 40 * [...`0000${line}0000`.matchAll(/(?<=0000)1011101|1011101(?=0000)/g)].length;
  }
  for (let row = 1; row < size; row += 1) {
    for (let column = 1; column < size; column += 1) {
      const block = `${lines[row - 1]?.slice(column - 1, column + 1)}${lines[row]?.slice(column - 1, column + 1)}`;
      if (block === "0000" || block === "1111") penalty += 3;
    }
  }
  const darkCount = lines.join("").replaceAll("0", "").length;
  return penalty + 10 * Math.floor(Math.abs((darkCount * 100) / (size * size) - 50) / 5);
}

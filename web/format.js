// Moments, durations and money, as this reader's language writes them.

const dayAndTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const dayAlone = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const dayShort = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const number = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

/** Make a single line of a text: tabs and line breaks, which come with what is pasted, become spaces. @param {string} text */
export const oneLine = (text) => text.replace(/[\p{Cc}\u2028\u2029]+/gu, " ").trim();

/** @param {string} moment RFC 3339 */
export const when = (moment) => dayAndTime.format(new Date(moment));

/** @param {string} moment RFC 3339 */
export const onDay = (moment) => dayAlone.format(new Date(moment));

/** @param {string} day as in 2026-11-20 */
export const shortDay = (day) => dayShort.format(new Date(`${day.slice(0, 10)}T12:00:00`));

/** A day without its year where that goes without saying. @param {string} moment RFC 3339 */
export const dayNear = (moment) =>
  (new Date(moment).getFullYear() === new Date().getFullYear() ? dayShort : dayAlone).format(new Date(moment));

/** @param {number} value */
export const plain = (value) => number.format(value);

/** @param {number} seconds */
export const inDays = (seconds) => number.format(seconds / 86_400);

/** @param {number} seconds @returns {string} hours, minutes and seconds: 00:15:45 */
export function clock(seconds) {
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}

/** @param {number} minor in the smallest unit of the currency @param {string} currency */
export function money(minor, currency) {
  return new Intl.NumberFormat(undefined, { style: "currency", currency }).format(minor / unit(currency));
}

/** How many of its smallest units make one of a currency. @param {string} currency */
function unit(currency) {
  const style = new Intl.NumberFormat("en", { style: "currency", currency });
  return 10 ** (style.resolvedOptions().maximumFractionDigits ?? 2);
}

/** @param {number} minor @param {string} currency @returns {string} for an input of the type number */
export const toMajor = (minor, currency) => String(minor / unit(currency));

/** @param {number} major @param {string} currency @returns {number} a whole number of the smallest unit */
export const toMinor = (major, currency) => Math.round(major * unit(currency));

/** @param {string | null} moment @returns {string} for an input of the type datetime-local, in local time */
export function forInput(moment) {
  if (!moment) return "";
  const at = new Date(moment);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** @param {string} local from an input of the type datetime-local @returns {string | null} */
export function fromInput(local) {
  return local ? `${new Date(local).toISOString().slice(0, 19)}Z` : null;
}

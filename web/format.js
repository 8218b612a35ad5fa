// Dates, durations and money in the language of the browser.

const dateTimeFormat = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const dateFormat = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const shortDateFormat = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const numberFormat = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

/** Make a single line of a text: tabs and line breaks, as in pasted text, become spaces. @param {string} text */
export const toOneLine = (text) => text.replace(/[\p{Cc}\u2028\u2029]+/gu, " ").trim();

/** @param {string} timestamp RFC 3339 */
export const formatDateTime = (timestamp) => dateTimeFormat.format(new Date(timestamp));

/** @param {string} timestamp RFC 3339 */
export const formatDate = (timestamp) => dateFormat.format(new Date(timestamp));

/** @param {string} day as in 2026-11-20 */
export const formatShortDate = (day) => shortDateFormat.format(new Date(`${day.slice(0, 10)}T12:00:00`));

/** Format a date, without the year if it is the current one. @param {string} timestamp RFC 3339 */
export const formatDateBriefly = (timestamp) =>
  (new Date(timestamp).getFullYear() === new Date().getFullYear() ? shortDateFormat : dateFormat).format(new Date(timestamp));

/** @param {number} value */
export const formatNumber = (value) => numberFormat.format(value);

/** @param {number} seconds */
export const formatDays = (seconds) => numberFormat.format(seconds / 86_400);

/** @param {number} seconds @returns {string} hours, minutes and seconds: 00:15:45 */
export function formatDuration(seconds) {
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}

/** @param {number} amountMinor in the smallest unit of the currency @param {string} currency */
export function formatMoney(amountMinor, currency) {
  return new Intl.NumberFormat(undefined, { style: "currency", currency }).format(amountMinor / minorUnitsIn(currency));
}

/** Return how many of its smallest units make one unit of a currency: 100 for USD. @param {string} currency */
function minorUnitsIn(currency) {
  const style = new Intl.NumberFormat("en", { style: "currency", currency });
  return 10 ** (style.resolvedOptions().maximumFractionDigits ?? 2);
}

/** @param {number} amountMinor @param {string} currency @returns {string} for an input of the type number */
export const toMajorUnits = (amountMinor, currency) => String(amountMinor / minorUnitsIn(currency));

/** @param {number} amount @param {string} currency @returns {number} a whole number of the smallest unit */
export const toMinorUnits = (amount, currency) => Math.round(amount * minorUnitsIn(currency));

/** @param {string | null} timestamp @returns {string} for an input of the type datetime-local, in local time */
export function toInputValue(timestamp) {
  if (!timestamp) return "";
  const at = new Date(timestamp);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** @param {string} local from an input of the type datetime-local @returns {string | null} */
export function fromInputValue(local) {
  return local ? `${new Date(local).toISOString().slice(0, 19)}Z` : null;
}

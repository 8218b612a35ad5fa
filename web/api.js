// A client of the API: token, versions, entity tags, idempotency keys and problem documents.

/**
 * @typedef {import("./contract.js").components["schemas"]} Schemas
 * @typedef {Schemas["Board"]} Board
 * @typedef {Schemas["BoardList"]} List
 * @typedef {Schemas["Card"]} Card
 * @typedef {Schemas["Event"]} Event
 * @typedef {Schemas["FieldChange"]} FieldChange
 * @typedef {"GET" | "POST" | "PUT" | "PATCH" | "DELETE"} Method
 * @typedef {{query?: Record<string, string | number | boolean | undefined>, body?: unknown, version?: number | "*",
 *     etag?: string | null, signal?: AbortSignal, accept?: string, idempotencyKey?: string, headers?: Record<string, string>,
 *     timeoutMs?: number}} RequestOptions
 *     `version` is the version to change ("*" for any), `etag` the entity tag of the stored response
 */

/** An error response of the API; status 0 if there was no response. */
export class Problem extends Error {
  /**
   * @param {number} status
   * @param {string} code
   * @param {string} detail
   * @param {number} [retryAfterMs] after how many milliseconds the request can be repeated
   * @param {Schemas["ProblemError"][]} [errors] the violations in the request
   */
  constructor(status, code, detail, retryAfterMs = 0, errors = []) {
    super(detail);
    this.status = status;
    this.code = code;
    this.retryAfterMs = retryAfterMs;
    this.errors = errors;
  }
}

/**
 * @template Body
 * @typedef {{status: number, body: Body, etag: string | null}} ApiResponse
 */

/**
 * Create an idempotency key. `crypto.randomUUID` exists only on https and localhost, and a server in a local network often
 * has neither.
 *
 * @returns {string} 32 hexadecimal digits
 */
export function createIdempotencyKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const TIMEOUT_MS = 15_000;
const MAX_ATTEMPTS = 3;
const MAX_RETRY_AFTER_MS = 5_000;

/** Calls the API of the server that served this page. */
export class Api {
  /** @param {string} token empty for operations that need none */
  constructor(token) {
    this.token = token;
    this.base = new URL("v1/", document.baseURI);
  }

  /**
   * Send a request and return the response. Temporary failures are retried; a POST keeps its idempotency key, so it takes
   * effect once.
   *
   * @template [Body=unknown]
   * @param {Method} method
   * @param {string} path below the base path, without a slash in front
   * @param {RequestOptions} [options]
   * @returns {Promise<ApiResponse<Body>>}
   * @throws {Problem} the API returned an error, or did not answer
   */
  async request(method, path, options = {}) {
    const idempotencyKey = method === "POST" ? options.idempotencyKey ?? createIdempotencyKey() : null;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#send(method, path, options, idempotencyKey);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        const isTemporary = error.status === 503 || error.status === 429 || (error.status === 0 && method === "GET");
        if (!isTemporary || error.retryAfterMs > MAX_RETRY_AFTER_MS || attempt === MAX_ATTEMPTS || options.signal?.aborted) throw error;
        await new Promise((resolve) => setTimeout(resolve, Math.max(error.retryAfterMs, 300 * 2 ** attempt)));
      }
    }
  }

  /**
   * Fetch all items of a listing, page by page.
   *
   * @template Item
   * @param {string} path
   * @param {{items: Item[], next_cursor: string | null}} [firstPage] its first page, if another response has included it
   * @param {Record<string, string | number | boolean | undefined>} [query]
   * @returns {Promise<Item[]>}
   */
  async fetchAll(path, firstPage, query = {}) {
    let page = firstPage ?? (await this.#fetchPage(path, query));
    const items = [...page.items];
    while (page.next_cursor) {
      page = await this.#fetchPage(path, { ...query, cursor: page.next_cursor });
      items.push(...page.items);
    }
    return items;
  }

  /**
   * Fetch one page of a listing.
   *
   * @param {string} path
   * @param {Record<string, string | number | boolean | undefined>} query
   * @returns {Promise<{items: any[], next_cursor: string | null}>}
   */
  async #fetchPage(path, query) {
    return /** @type {any} */ ((await this.request("GET", path, { query: { limit: 100, ...query } })).body);
  }

  /**
   * Send a request once.
   *
   * @param {Method} method
   * @param {string} path
   * @param {RequestOptions} options
   * @param {string | null} idempotencyKey
   * @returns {Promise<ApiResponse<any>>}
   */
  async #send(method, path, options, idempotencyKey) {
    const url = new URL(path, this.base);
    for (const [name, value] of Object.entries(options.query ?? {})) {
      if (value !== undefined && value !== "") url.searchParams.set(name, String(value));
    }
    const headers = new Headers({ accept: options.accept ?? "application/json" });
    if (this.token) headers.set("authorization", `Bearer ${this.token}`);
    if (idempotencyKey) headers.set("idempotency-key", idempotencyKey);
    // The version and not the entity tag, because a proxy that compresses responses rewrites tags.
    if (options.version) headers.set("if-match", options.version === "*" ? "*" : `"${options.version}"`);
    if (options.etag) headers.set("if-none-match", options.etag);
    for (const [name, value] of Object.entries(options.headers ?? {})) headers.set(name, value);
    if (options.body !== undefined) headers.set("content-type", "application/json");
    const timeout = AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS);
    const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
    const body = options.body === undefined ? null : JSON.stringify(options.body);
    let response;
    let text;
    try {
      // With the browser's cache, a 304 of the API would become a 200.
      response = await fetch(url, { method, headers, body, signal, cache: "no-store", credentials: "omit" });
      text = response.status === 204 || response.status === 304 ? "" : await response.text();
    } catch (error) {
      if (options.signal?.aborted) throw error;
      throw new Problem(0, "unreachable", "");
    }
    const isJson = /[/+]json/.test(response.headers.get("content-type") ?? "");
    const parsed = text && isJson ? JSON.parse(text) : text || null;
    if (!response.ok && response.status !== 304) {
      const retryAfterMs = 1_000 * Number(response.headers.get("retry-after") ?? 0);
      throw new Problem(response.status, parsed?.code ?? "unknown", parsed?.detail ?? "", retryAfterMs || 0, parsed?.errors);
    }
    return { status: response.status, body: parsed, etag: response.headers.get("etag") };
  }
}

// The API, as any client may use it: a token, entity tags, idempotency keys, problem documents.

/**
 * @typedef {import("./contract.js").components["schemas"]} Schemas
 * @typedef {Schemas["Board"]} Board
 * @typedef {Schemas["BoardList"]} List
 * @typedef {Schemas["Card"]} Card
 * @typedef {Schemas["Event"]} Event
 * @typedef {"GET" | "POST" | "PUT" | "PATCH" | "DELETE"} Method
 * @typedef {{query?: Record<string, string | number | boolean | undefined>, body?: unknown, version?: number | "*",
 *     known?: string | null, signal?: AbortSignal, accept?: string, key?: string}} Wishes
 *     `version` is what is to be changed ("*" for any), `known` the tag that is held, `key` the idempotency key
 */

/** What the API refused, or what kept it from answering (status 0). */
export class Problem extends Error {
  /**
   * @param {number} status
   * @param {string} code
   * @param {string} detail
   * @param {number} [wait] after how many milliseconds it may be tried again
   * @param {Schemas["ProblemError"][]} [errors] what is wrong with what was sent
   */
  constructor(status, code, detail, wait = 0, errors = []) {
    super(detail);
    this.status = status;
    this.code = code;
    this.wait = wait;
    this.errors = errors;
  }
}

/**
 * @template Body
 * @typedef {{status: number, body: Body, tag: string | null}} Answer
 */

/**
 * Make an idempotency key. `crypto.randomUUID` would be shorter, but browsers have it on https and localhost alone, and
 * a server of a small team often has neither.
 *
 * @returns {string} 32 hexadecimal digits
 */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const PATIENCE = 15_000;
const TRIES = 3;
const LONGEST_WAIT = 5_000;

/** Calls the API of the server that this page came from. */
export class Api {
  /** @param {string} token */
  constructor(token) {
    this.token = token;
    this.base = new URL("v1/", document.baseURI);
  }

  /**
   * Ask, and answer what came; raises a Problem. What was lost on the way is sent again with the same idempotency key,
   * so it happens once.
   *
   * @template [Body=unknown]
   * @param {Method} method
   * @param {string} path below the base path, without a slash in front
   * @param {Wishes} [wishes]
   * @returns {Promise<Answer<Body>>}
   */
  async ask(method, path, wishes = {}) {
    const key = method === "POST" ? wishes.key ?? newKey() : null;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#once(method, path, wishes, key);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        const isPassing = error.status === 503 || error.status === 429 || (error.status === 0 && method === "GET");
        if (!isPassing || error.wait > LONGEST_WAIT || attempt === TRIES || wishes.signal?.aborted) throw error;
        await new Promise((resolve) => setTimeout(resolve, Math.max(error.wait, 300 * 2 ** attempt)));
      }
    }
  }

  /**
   * All items of a listing, page after page.
   *
   * @template Item
   * @param {string} path
   * @param {{items: Item[], next_cursor: string | null}} [first] its first page, if it came with something else
   * @param {Record<string, string | number | boolean | undefined>} [query]
   * @returns {Promise<Item[]>}
   */
  async all(path, first, query = {}) {
    let page = first ?? (await this.#page(path, query));
    const items = [...page.items];
    while (page.next_cursor) {
      page = await this.#page(path, { ...query, cursor: page.next_cursor });
      items.push(...page.items);
    }
    return items;
  }

  /**
   * @param {string} path
   * @param {Record<string, string | number | boolean | undefined>} query
   * @returns {Promise<{items: any[], next_cursor: string | null}>}
   */
  async #page(path, query) {
    return /** @type {any} */ ((await this.ask("GET", path, { query: { limit: 100, ...query } })).body);
  }

  /**
   * @param {Method} method
   * @param {string} path
   * @param {Wishes} wishes
   * @param {string | null} key
   * @returns {Promise<Answer<any>>}
   */
  async #once(method, path, wishes, key) {
    const url = new URL(path, this.base);
    for (const [name, value] of Object.entries(wishes.query ?? {})) {
      if (value !== undefined && value !== "") url.searchParams.set(name, String(value));
    }
    const headers = new Headers({ authorization: `Bearer ${this.token}`, accept: wishes.accept ?? "application/json" });
    if (key) headers.set("idempotency-key", key);
    // The version that was read and not its tag: a proxy that compresses rewrites tags.
    if (wishes.version) headers.set("if-match", wishes.version === "*" ? "*" : `"${wishes.version}"`);
    if (wishes.known) headers.set("if-none-match", wishes.known);
    if (wishes.body !== undefined) headers.set("content-type", "application/json");
    const patience = AbortSignal.timeout(PATIENCE);
    const signal = wishes.signal ? AbortSignal.any([wishes.signal, patience]) : patience;
    const body = wishes.body === undefined ? null : JSON.stringify(wishes.body);
    let response;
    let text;
    try {
      // The browser's own cache would answer 200 where the API says 304.
      response = await fetch(url, { method, headers, body, signal, cache: "no-store", credentials: "omit" });
      text = response.status === 204 || response.status === 304 ? "" : await response.text();
    } catch (error) {
      if (wishes.signal?.aborted) throw error;
      throw new Problem(0, "unreachable", "");
    }
    const isJson = /[/+]json/.test(response.headers.get("content-type") ?? "");
    const parsed = text && isJson ? JSON.parse(text) : text || null;
    if (!response.ok && response.status !== 304) {
      const wait = 1_000 * Number(response.headers.get("retry-after") ?? 0);
      throw new Problem(response.status, parsed?.code ?? "unknown", parsed?.detail ?? "", wait || 0, parsed?.errors);
    }
    return { status: response.status, body: parsed, tag: response.headers.get("etag") };
  }
}

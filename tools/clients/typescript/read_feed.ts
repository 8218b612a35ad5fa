// A reader of the feed, on both kinds of generated types: it goes on, whatever types events have.
import createClient from "openapi-fetch";
import type { components, paths } from "./document.js";
import type { Event as HeyEvent } from "./made/hey/types.gen.js";

type Event = components["schemas"]["Event"];

// What compares the type with a known one has that event, with all that is its own.
const known = (event: Event): string => (event.type === "card.moved" ? `: ${stageOf(event.data)}` : "");
const alsoKnown = (event: HeyEvent): string => (event.type === "card.moved" ? `: ${stageOf(event.data)}` : "");
const stageOf = (data: components["schemas"]["CardMovedData"]): components["schemas"]["Stage"] => data.to_stage;

// What is left over when all known types are: its data may hold anything.
const later = (event: Event): string => (event.type === "OtherEvent" ? `: ${JSON.stringify(event.data)}` : "");

// What takes a code takes any.
const explained = (code: components["schemas"]["ProblemCode"]): string => (code === "wrong_stage" ? "not here" : code);

const api = createClient<paths, "application/json" | "application/problem+json">({
  baseUrl: process.env.TACKBOARD_URL!,
  headers: { Authorization: `Bearer ${process.env.TACKBOARD_TOKEN}` },
});
const board_id = process.env.TACKBOARD_BOARD!;
const card_id = process.env.TACKBOARD_CARD!;

for (let after = 0, more = true; more; ) {
  const { data: page } = await api.GET("/boards/{board_id}/events", { params: { path: { board_id }, query: { after } } });
  if (!page) throw new Error("There is no feed.");
  for (const event of page.items) {
    if (!event.at || !event.actor_id) throw new Error("Every event has these.");
    if (known(event) !== alsoKnown(event as unknown as HeyEvent)) throw new Error("Both read the same.");
    console.log(`${event.seq} ${event.type}${known(event)}${later(event)}`);
  }
  [after, more] = [page.last_seq, page.has_more];
}

const { error } = await api.POST("/boards/{board_id}/cards/{card_id}/start", { params: { path: { board_id, card_id } } });
if (error) console.log(`${error.status} ${explained(error.code)}`);

// The main job with openapi-fetch, on the types that openapi-typescript makes from the document.
import createClient from "openapi-fetch";
import type { paths } from "./document.js";

// Cards and reports come as CSV, too: the two types that are named here make them objects, never `string`.
const api = createClient<paths, "application/json" | "application/problem+json">({
  baseUrl: process.env.TACKBOARD_URL!, // http://127.0.0.1:8080/v1
  headers: { Authorization: `Bearer ${process.env.TACKBOARD_TOKEN}` },
});

const { data: board } = await api.POST("/boards", {
  body: { name: "Website", currency: "EUR", hourly_rate_minor: 9000 },
});
if (!board) throw new Error("The board was not made.");
const board_id = board.id;
console.log(`board ${board.name}, ${board.currency}`);

const key = crypto.randomUUID();
const first = await api.POST("/boards/{board_id}/cards", {
  params: { path: { board_id }, header: { "Idempotency-Key": key } },
  body: { title: "Write the copy" },
});
const card = first.data;
if (!card) throw new Error(first.error.detail);
const path = { board_id, card_id: card.id };
console.log(`card ${card.title}: ${card.status}`);

const { data: moved } = await api.POST("/boards/{board_id}/cards/{card_id}/move", {
  params: { path },
  body: { list_id: card.list_id, position: "top" },
});
console.log(`moved to the top: ${moved?.status}`);

const { data: started } = await api.POST("/boards/{board_id}/cards/{card_id}/start", { params: { path } });
console.log(`started: ${started?.status}`);
const { data: page } = await api.GET("/boards/{board_id}/cards", {
  params: { path: { board_id }, query: { status: "in_progress" } },
});
console.log(`in progress: ${page?.items.map((each) => each.title).join(", ")}`);
const { data: resolved } = await api.POST("/boards/{board_id}/cards/{card_id}/resolve", { params: { path } });
console.log(`resolved: ${resolved?.status}`);

const { data: whole } = await api.GET("/boards/{board_id}", {
  params: { path: { board_id }, query: { embed: ["lists", "cards"] } },
});
console.log(`in one answer: lists ${whole?.lists?.length}, cards ${whole?.cards?.items.length}`);

const { data: time } = await api.GET("/boards/{board_id}/cards/{card_id}/time", { params: { path } });
console.log(`time entries ${time?.items.length}, in ${time?.cost.currency}`);

const stale = await api.PATCH("/boards/{board_id}/cards/{card_id}", {
  params: { path, header: { "If-Match": first.response.headers.get("ETag")! } },
  body: { title: "Write the text" },
});
console.log(`${stale.error?.status} ${stale.error?.code}`);

const reused = await api.POST("/boards/{board_id}/cards", {
  params: { path: { board_id }, header: { "Idempotency-Key": key } },
  body: { title: "Something else" },
});
console.log(`${reused.error?.status} ${reused.error?.code}`);

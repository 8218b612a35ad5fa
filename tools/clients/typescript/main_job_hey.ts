// The main job with the client that @hey-api/openapi-ts makes from the document: a function for each operation.
import { client } from "./made/hey/client.gen.js";
import {
  createBoard,
  createCard,
  getBoard,
  getCardTime,
  listCards,
  moveCard,
  resolveCard,
  startCard,
  updateCard,
} from "./made/hey/sdk.gen.js";

client.setConfig({ baseUrl: process.env.TACKBOARD_URL!, auth: process.env.TACKBOARD_TOKEN! });

const { data: board } = await createBoard({
  body: { name: "Website", currency: "EUR", hourly_rate_minor: 9000 },
});
if (!board) throw new Error("The board was not made.");
const board_id = board.id;
console.log(`board ${board.name}, ${board.currency}`);

const headers = { "Idempotency-Key": crypto.randomUUID() };
const first = await createCard({ path: { board_id }, headers, body: { title: "Write the copy" } });
const card = first.data;
if (!card) throw new Error("The card was not made.");
const path = { board_id, card_id: card.id };
console.log(`card ${card.title}: ${card.status}`);

const { data: moved } = await moveCard({ path, body: { list_id: card.list_id, position: "top" } });
console.log(`moved to the top: ${moved?.status}`);

const { data: started } = await startCard({ path });
console.log(`started: ${started?.status}`);
const { data: page } = await listCards({ path: { board_id }, query: { status: "in_progress" } });
console.log(`in progress: ${page?.items.map((each) => each.title).join(", ")}`);
const { data: resolved } = await resolveCard({ path });
console.log(`resolved: ${resolved?.status}`);

const { data: whole } = await getBoard({ path: { board_id }, query: { embed: ["lists", "cards"] } });
console.log(`in one answer: lists ${whole?.lists?.length}, cards ${whole?.cards?.items.length}`);

const { data: time } = await getCardTime({ path });
console.log(`time entries ${time?.items.length}, in ${time?.cost.currency}`);

const stale = await updateCard({
  path,
  headers: { "If-Match": first.response?.headers.get("ETag") ?? "" },
  body: { title: "Write the text" },
});
console.log(`${stale.error?.status} ${stale.error?.code}`);

const reused = await createCard({ path: { board_id }, headers, body: { title: "Something else" } });
console.log(`${reused.error?.status} ${reused.error?.code}`);

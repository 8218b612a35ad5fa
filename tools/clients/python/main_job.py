"""The main job with the client that openapi-python-client makes from the document."""

import os
import uuid

from tackboard_client import AuthenticatedClient
from tackboard_client.api.boards import create_board, get_board
from tackboard_client.api.cards import (
    create_card,
    get_card_time,
    list_cards,
    move_card,
    resolve_card,
    start_card,
    update_card,
)
from tackboard_client.models import BoardCreate, BoardEmbed, CardCreate, CardMove, CardPatch, Currency, Position, Stage

client = AuthenticatedClient(os.environ["TACKBOARD_URL"], os.environ["TACKBOARD_TOKEN"])

board = create_board.sync(
    client=client, body=BoardCreate(name="Website", currency=Currency.EUR, hourly_rate_minor=9000)
)
print(f"board {board.name}, {board.currency}")

key = str(uuid.uuid4())
first = create_card.sync_detailed(board.id, client=client, body=CardCreate(title="Write the copy"), idempotency_key=key)
card = first.parsed
print(f"card {card.title}: {card.status}")

moved = move_card.sync(board.id, card.id, client=client, body=CardMove(list_id=card.list_id, position=Position.TOP))
print(f"moved to the top: {moved.status}")

started = start_card.sync(board.id, card.id, client=client)
print(f"started: {started.status}")
page = list_cards.sync(board.id, client=client, status=Stage.IN_PROGRESS)
print(f"in progress: {', '.join(card.title for card in page.items)}")
resolved = resolve_card.sync(board.id, card.id, client=client)
print(f"resolved: {resolved.status}")

whole = get_board.sync(board.id, client=client, embed=[BoardEmbed.LISTS, BoardEmbed.CARDS])
print(f"in one answer: lists {len(whole.lists)}, cards {len(whole.cards.items)}")

time = get_card_time.sync(board.id, card.id, client=client)
print(f"time entries {len(time.items)}, in {time.cost.currency}")

stale = update_card.sync(
    board.id, card.id, client=client, if_match=first.headers["ETag"], body=CardPatch(title="Write the text")
)
print(f"{stale.status} {stale.code}")

reused = create_card.sync(board.id, client=client, body=CardCreate(title="Something else"), idempotency_key=key)
print(f"{reused.status} {reused.code}")

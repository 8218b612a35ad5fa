"""A reader of the feed with the client that openapi-python-client makes: it goes on, whatever types events have."""

import os

from tackboard_client import AuthenticatedClient
from tackboard_client.api.cards import start_card
from tackboard_client.api.events import list_events
from tackboard_client.models import CardMovedEvent

client = AuthenticatedClient(os.environ["TACKBOARD_URL"], os.environ["TACKBOARD_TOKEN"])
board_id, card_id = os.environ["TACKBOARD_BOARD"], os.environ["TACKBOARD_CARD"]

after, has_more = 0, True
while has_more:
    page = list_events.sync(board_id, client=client, after=after)
    for event in page.items:
        # Since 1.3.0 an event of a later type is an OtherEvent, whose type is a plain string.
        type_ = getattr(event.type_, "value", event.type_)
        known = f": {event.data.to_stage}" if isinstance(event, CardMovedEvent) else ""
        later = f": {event.data.to_dict()}" if type(event).__name__ == "OtherEvent" else ""
        print(f"{event.seq} {event.at:%H:%M} {type_}{known}{later}")
    after, has_more = page.last_seq, page.has_more

refused = start_card.sync(board_id, card_id, client=client)
print(f"{refused.status} {refused.code}")

"""Build the runner of everything that follows the feed."""

import os
import socket
from collections.abc import Callable
from datetime import datetime
from functools import partial

from app.wall_clock import utc_now
from delivery.addresses import PUBLIC_ADDRESSES, AddressPolicy
from delivery.sender import Sender, resolve
from handlers import serialize
from kanban.ids import IdGenerator
from kanban.store import Store
from kanban.timekeeping.timestamps import truncate_to_seconds
from kanban.webhooks import READER_KIND
from readers.flow_segments import FlowSegmentBuilder, RecordSize
from readers.runner import Runner
from readers.webhooks import MessageSender, WebhookHandler


def build_runner(
    store: Store,
    webhook_policy: AddressPolicy | None,
    *,
    clock: Callable[[], datetime] = utc_now,
    random_bytes: Callable[[int], bytes] = os.urandom,
    sender: MessageSender | None = None,
    has_ipv6: bool = True,
) -> Runner:
    """Return the runner for a store. Without a policy, webhooks reach public addresses only.

    Without IPv6, as on Lambda, names are resolved to IPv4 addresses only.
    """

    def now() -> datetime:
        return truncate_to_seconds(clock())

    family = socket.AF_UNSPEC if has_ipv6 else socket.AF_INET
    sender = sender or Sender(webhook_policy or PUBLIC_ADDRESSES, resolve_host=partial(resolve, family=family))
    handler = WebhookHandler(store, sender, serialize.event, now, IdGenerator(clock, random_bytes))
    return Runner(store.feed_readers, {READER_KIND: handler}, now, lambda: random_bytes(16).hex())


def build_segment_builder(
    store: Store, *, clock: Callable[[], datetime] = utc_now, record_size: RecordSize = lambda _, __: None
) -> FlowSegmentBuilder:
    """Return what builds the flow segments of a store; `record_size` gets the sizes of boards, if the engine knows."""
    return FlowSegmentBuilder(store, lambda: truncate_to_seconds(clock()), record_size)

"""The limits that clients meet, as plain numbers.

Other tests import these constants, so they would pass with any value: here each has the value that the document and
the guides promise.
"""

import importlib
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]

LIMITS: dict[str, dict[str, Any]] = {
    "contract.edge": {
        "MAX_BODY_BYTES": 262_144,
        "MAX_PATH_CHARACTERS": 2_048,
        "MAX_QUERY_BYTES": 8_192,
        "MAX_HEADER_BYTES": 32_768,
    },
    "server.asgi_application": {
        "MAX_WAITING": 500,
        "MAX_WAITING_FOR_REMOTE": 50,
        "MAX_UNANSWERED_BODY_BYTES": 134_217_728,
        "MAX_DISCARDED_BYTES": 16_777_216,
        "MIN_BODY_BYTES_PER_SECOND": 16_384,
    },
    "server.followers": {"MAX_FOLLOWERS": 5_000, "MAX_FOLLOWERS_PER_USER": 100, "MAX_BOARDS_PER_POLL": 500},
    "server.http_protocol": {"MAX_HEADERS": 100},
    "server.open_connections": {"MAX_CONNECTIONS": 10_000, "MAX_CONNECTIONS_PER_ADDRESS": 1_000},
    "contract.heavy_operations": {"MAX_CONCURRENT": 2},
    "contract.client_address": {"MAX_PROXIES": 20},
    "contract.rate_limit": {"MAX_CALLERS": 10_000},
    "app.request_limits": {"MAX_REJECTIONS": 10, "MAX_KNOWN_TOKENS": 10_000, "HEAVY_COST": 10},
    "app.usage_reports": {"MAX_REPORTS_PER_MINUTE": 6_000, "MAX_WAITING_REPORTS": 1_000},
    "kanban.request_usage": {"MAX_LEAD_SECONDS": 120.0},
    "contract.strict_json": {"MAX_DEPTH": 200, "BYTES_PER_VALUE": 8},
    "contract.violations": {"MAX_VIOLATIONS": 10, "MAX_VIOLATIONS_BYTES": 2_000},
    "handlers.boards": {"MAX_EMBEDDED_CARDS": 500},
    "kanban.ordering.reordering": {"MAX_MOVES": 90},
    "kanban.field_changes": {"MAX_TEXT_LENGTH": 200, "MAX_EVENT_BYTES": 1_024},
    "kanban.later_changes": {"MAX_LATER_CHANGES": 10},
    "kanban.feed_readers": {"MAX_CLOCK_SKEW": timedelta(seconds=30), "MAX_WAIT": timedelta(days=1)},
    "delivery.sender": {"MAX_RESPONSE_BYTES": 1_024},
    "delivery.targets": {"MAX_URL_CHARACTERS": 2_048},
    "oidc.attempts": {"ATTEMPT_SECONDS": 600, "MAX_ATTEMPT_CHARACTERS": 4_096},
    "oidc.cached_values": {"FRESH_SECONDS": 600.0, "STALE_SECONDS": 86_400.0, "PAUSE_SECONDS": 30.0},
    "oidc.claims": {"LEEWAY_SECONDS": 60, "MAX_LIFETIME_SECONDS": 2_678_400, "MAX_SUBJECT_CHARACTERS": 255},
    "oidc.fetching": {"CALL_SECONDS": 5.0, "MAX_RESPONSE_BYTES": 262_144},
    "oidc.key_sets": {"MAX_KEYS": 100, "MIN_RSA_BITS": 2_048, "MAX_RSA_BITS": 8_192, "MAX_RSA_EXPONENT_BITS": 32},
    "oidc.providers": {"MAX_PROVIDERS": 20, "MAX_CONFIGURATION_CHARACTERS": 65_536},
    "oidc.signed_tokens": {"MAX_TOKEN_CHARACTERS": 16_384, "MAX_KEY_ID_CHARACTERS": 255},
    "readers.runner": {"MAX_BATCH_EVENTS": 100},
    "readers.webhooks": {"MAX_MESSAGE_BYTES": 262_144},
    "kanban.store": {"MAX_EVENTS_LOOKED_AT": 1_000},
    "kanban.flow.flow_segments": {"MAX_CLOCK_SKEW": timedelta(hours=1)},
    "kanban.copies": {"MAX_COPIED_CARDS": 40, "MAX_COPIED_PARTS": 80},
    "kanban.timekeeping.date_ranges": {"MAX_RANGE_DAYS": 366},
    "kanban.flow.flow_report": {
        "MAX_EVENTS": 100_000,
        "MAX_LISTED_COMPLETIONS": 5_000,
        "MAX_LISTED_IN_PROGRESS": 1_000,
    },
    "kanban.interchange.imported_board": {"MAX_COMMENT_LENGTH": 10_000, "MAX_NOTE_LENGTH": 1_000},
    "kanban.bulk_moves": {"MAX_MOVED_CARDS": 40},
    "kanban.ordering.ranks": {"MAX_RANK_LENGTH": 120},
    "kanban.interchange.import_report": {"MAX_LINES": 200},
    "kanban.archive": {
        "MAX_STOPPED_CLOCKS": 30,
        "RESTORE_WINDOW": timedelta(days=30),
        "PURGE_AFTER": timedelta(days=31),
    },
    "kanban.card_size": {"MAX_COMMIT_CHARACTERS": 400_000, "MAX_STORED_BYTES": 86_000},
    "kanban.interchange.export_validation": {
        "MAX_TOTAL_SECONDS": 1_000_000_000_000,
        "MAX_TOTAL_COST_MINOR": 1_000_000_000_000_000,
    },
    "kanban.timekeeping.time_entries": {"MAX_MANUAL_TIME_ENTRIES": 1_000, "MAX_DURATION": timedelta(days=366)},
    "kanban.timekeeping.time_report": {"MAX_ENTRIES": 100_000},
    "usecases.user_boards": {"MAX_LISTED_BOARDS": 100},
    "usecases.invitations": {"MAX_RECEIVED_PER_PAGE": 20},
    "usecases.user_search": {"MAX_BOARDS": 100, "MAX_USERS_LOOKED_AT": 500},
    "kanban.installation": {"MAX_INSTALLATION_OWNERS": 100},
    "usecases.board_changes": {
        "MAX_RESOURCES": 200,
        "MAX_KEYED_RESOURCES": 90,
        "MAX_EVENTS": 200,
        "MAX_EVENTS_BEHIND": 1_000,
    },
    "kanban.tokens": {"MAX_ANCESTORS": 10, "MAX_CLIENT_CHARACTERS": 100, "SESSION_LIFETIME": timedelta(days=90)},
    "kanban.sign_in": {
        "MAX_CODES_PER_USER": 5,
        "CODE_DIGITS": 10,
        "CODE_LIFETIME": timedelta(minutes=10),
        "LINK_DIGITS": 25,
        "LINK_LIFETIME": timedelta(hours=1),
    },
    "app.attempt_limits": {"MAX_FAILURES_PER_ADDRESS": 20, "MAX_FAILURES": 300},
    "kanban.interchange.trello_import": {"MAX_ACTIONS": 1_000},
    "kanban.interchange.trello_mapping": {"MAX_LINKS": 20},
    "kanban.limits": {
        "MAX_LISTS_PER_BOARD": 100,
        "MAX_CARDS_PER_LIST": 5_000,
        "MAX_MEMBERS_PER_BOARD": 100,
        "MAX_ASSIGNEES_PER_CARD": 40,
        "MAX_LABELS_PER_BOARD": 200,
        "MAX_CHECKLISTS_PER_CARD": 20,
        "MAX_ITEMS_PER_CHECKLIST": 100,
        "MAX_COMMENTS_PER_CARD": 1_000,
        "MAX_WEBHOOKS_PER_BOARD": 10,
        "MAX_BOTS_PER_USER": 20,
        "MAX_INVITATIONS_PER_BOARD": 50,
        "MAX_INVITATIONS_PER_INSTALLATION": 100,
    },
    "kanban.invitations": {
        "DEFAULT_LIFETIME": timedelta(days=7),
        "MAX_LIFETIME": timedelta(days=30),
        "MAX_ERASED": 20,
        "SECRET_DIGITS": 26,
    },
    "usecases.personal_export": {"MAX_ITEMS_PER_PAGE": 100, "MAX_READS_PER_PAGE": 10},
    "usecases.audit_log": {"MAX_ENTRIES_LOOKED_AT": 1_000},
    "kanban.jobs": {
        "JOB_LIFETIME": timedelta(days=30),
        "LEASE_DURATION": timedelta(seconds=60),
        "MAX_ATTEMPTS": 10,
        "MAX_CLOCK_SKEW": timedelta(seconds=30),
    },
    "kanban.identities": {"MAX_IDENTITIES_PER_USER": 10},
    "kanban.webhook_store": {"MAX_KEPT_DELIVERIES": 100},
    "kanban.webhooks": {"PREVIOUS_SECRET_LIFETIME": timedelta(hours=24)},
    "app.commits": {"MAX_ATTEMPTS": 12, "PATIENCE_SECONDS": 1.5, "IDEMPOTENCY_KEY_LIFETIME": timedelta(hours=24)},
}

_LIMIT = re.compile(r"^(MAX_[A-Z_]+) = (?!\")", re.MULTILINE)


@pytest.mark.parametrize("module", LIMITS)
def test_a_limit_has_its_documented_value(module: str) -> None:
    assert {name: getattr(importlib.import_module(module), name) for name in LIMITS[module]} == LIMITS[module]


def test_every_limit_is_listed() -> None:
    defined = {
        (file.relative_to(ROOT).with_suffix("").as_posix().replace("/", "."), name)
        for folder in ("contract", "delivery", "handlers", "kanban", "oidc", "readers", "usecases")
        for file in (ROOT / folder).rglob("*.py")
        for name in _LIMIT.findall(file.read_text())
    }

    assert defined <= {(module, name) for module, limits in LIMITS.items() for name in limits}

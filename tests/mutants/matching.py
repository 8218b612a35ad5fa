"""Which tests belong to which source file: those that must notice when it is wrong."""

from pathlib import Path

from tests.mutants.operators import ROOT

KANBAN_TESTS = {
    "access": ["test_access", "../api/test_authorization"],
    "exports": ["test_imports", "../api/test_exports"],
    "finishes": ["test_flow"],
    "founding": ["test_imports", "test_trello"],
    "marks": ["test_card_fields", "test_labels"],
    "moments": ["test_time_entries", "test_cards", "test_imports"],
    "patches": ["test_cards", "test_lists", "test_boards"],
    "places": ["test_cards", "test_lists", "test_shelves", "test_copies"],
    "record": ["test_cards", "test_lists"],
    "reports": ["test_imports", "test_trello"],
    "sizes": ["test_card_room", "test_copies"],
    "soundness": ["test_imports", "../api/test_exports"],
    "spans": ["test_time_report", "test_time_entries"],
    "time_errors": ["test_time_entries", "test_errors"],
    "token_errors": ["test_tokens", "test_errors"],
    "trello_items": ["test_trello"],
    "trello_parts": ["test_trello"],
}
"""Modules of the rules whose tests have another name than they; others have those of their own name."""

CONTRACT_TESTS = {
    "application": ["test_startup", "test_security", "test_calls", "test_negotiation", "test_responses"],
    "bodies": ["test_strict_json", "test_media_types", "test_text", "test_calls"],
    "conditional": ["test_conditional"],
    "cursors": ["test_cursors"],
    "edge": ["test_edge", "test_cors"],
    "faults": ["test_faults", "test_problems_stay_small"],
    "gateway": ["test_lambda_events", "test_lambda_shapes"],
    "negotiation": ["test_negotiation"],
    "operations": [
        "test_calls",
        "test_headers_and_cookies",
        "test_query_parameters",
        "test_startup",
        "test_conditional",
    ],
    "parameters": ["test_query_parameters", "test_headers_and_cookies", "test_paths"],
    "problems": ["test_problems_stay_small", "test_calls", "test_security"],
    "rate_limit": ["test_rate_limit"],
    "responses": ["test_responses", "test_headers_and_cookies"],
    "routes": ["test_paths"],
    "schemas": ["test_dialect", "test_formats", "test_text", "test_faults"],
}
"""Modules of the contract layer, and their tests."""

AUTHORIZATION_TESTS = {
    "usecases/board_access.py": [
        "test_authorization",
        "test_members",
        "test_archive",
        "test_deleted",
        "test_transfers",
    ],
    "app/commits.py": ["test_idempotency", "test_authorization"],
    "kanban/tokens.py": ["test_users_and_tokens", "test_tokens_of_tokens", "../kanban/test_tokens"],
    "kanban/members.py": ["test_members", "../kanban/test_members"],
    "handlers/tokens.py": ["test_users_and_tokens", "test_tokens_of_tokens"],
    "handlers/users.py": ["test_users_and_tokens", "test_authorization"],
    "handlers/members.py": ["test_members", "test_authorization"],
}
"""Where it is decided who may do what, and the tests of that."""


def map_tests_to_files() -> dict[str, list[str]]:
    """The test files that belong to each source file, by its path."""
    rules = {
        f"kanban/{file.stem}.py": [
            f"tests/kanban/{name}.py" for name in KANBAN_TESTS.get(file.stem, [f"test_{file.stem}"])
        ]
        for file in sorted((ROOT / "kanban").glob("[a-z]*.py"))
        if file.stem not in ("store", "values", "errors")
    }
    contract = {
        f"contract/{stem}.py": [f"tests/contract/{name}.py" for name in names] for stem, names in CONTRACT_TESTS.items()
    }
    decisions = {file: [f"tests/api/{name}.py" for name in names] for file, names in AUTHORIZATION_TESTS.items()}
    matching = rules | contract | decisions
    return {file: [*map(_normalize_path, tests), "tests/test_limits.py"] for file, tests in matching.items()}


def _normalize_path(test: str) -> str:
    return str((ROOT / test).resolve().relative_to(Path(ROOT).resolve()))

"""Which tests belong to which source file: those that must notice when it is wrong."""

from tests.mutants.operators import ROOT

RULES = {
    "card_views": ["../stores/test_card_views", "../api/test_cards"],
    "cards": ["test_cards", "test_card_fields", "test_card_size", "test_archive", "timekeeping/test_card_clock"],
    "changes": ["test_changes", "test_cards", "test_lists", "test_copies", "test_archive", "test_transfers"],
    "feed_readers": ["../readers/test_runner"],
    "fields": ["test_fields", "test_field_changes"],
    "labels_and_assignees": ["test_card_fields", "test_labels"],
    "later_changes": ["../api/test_version_history"],
    "patches": ["test_cards", "test_lists", "test_boards"],
    "webhook_store": ["../stores/test_webhooks"],
    "audit_log_store": ["../stores/test_audit_log"],
    "job_store": ["../stores/test_jobs"],
    "invitation_store": ["../stores/test_invitations"],
    "sign_in_store": ["../stores/test_sign_in"],
    "views": ["test_cards", "test_lists", "test_members", "test_labels"],
    "flow/completions": ["flow/test_completions", "flow/test_flow_report"],
    "flow/flow_segment_store": ["../stores/test_flow_segments"],
    "flow/flow_segments": ["../readers/test_flow_segments"],
    "flow/flow_state": ["flow/test_flow_report", "../readers/test_flow_segments"],
    "interchange/card_csv": ["../api/test_csv_format"],
    "interchange/csv_format": ["../api/test_csv_format"],
    "interchange/export_validation": ["interchange/test_export_validation", "interchange/test_tackboard_import"],
    "interchange/serialize_export": ["../api/test_exports"],
    "interchange/imported_board": ["interchange/test_tackboard_import", "interchange/test_trello_import"],
    "interchange/trello_mapping": ["interchange/test_trello_mapping", "interchange/test_trello_import"],
    "interchange/trello_reader": ["interchange/test_trello_import"],
    "ordering/positions": ["ordering/test_positions", "test_lists", "test_checklists"],
    "ordering/list_capacity": ["test_cards", "test_lists", "test_archive", "test_copies"],
    "timekeeping/date_ranges": ["timekeeping/test_date_ranges", "timekeeping/test_time_report"],
    "timekeeping/timestamps": ["timekeeping/test_timestamps", "test_cards", "interchange/test_tackboard_import"],
}
"""Modules of the rules whose tests have another name than they; others have those of their own name."""

CONTRACT = {
    "api_gateway": ["test_lambda_events", "test_lambda_event_formats"],
    "application": [
        "test_check_document",
        "test_paths",
        "test_security",
        "test_calls",
        "test_negotiation",
        "test_responses",
    ],
    "bodies": ["test_strict_json", "test_media_types", "test_text", "test_calls", "test_dialect"],
    "conditional": ["test_conditional"],
    "connexion_binding": ["test_security", "test_paths", "test_connexion_binding"],
    "cursors": ["test_cursors"],
    "edge": ["test_edge", "test_cors"],
    "negotiation": ["test_negotiation"],
    "operations": [
        "test_calls",
        "test_cursors",
        "test_headers_and_cookies",
        "test_query_parameters",
        "test_check_document",
        "test_security",
        "test_responses",
        "test_conditional",
    ],
    "parameters": [
        "test_query_parameters",
        "test_parameter_styles",
        "test_headers_and_cookies",
        "test_paths",
        "test_text",
    ],
    "problems": ["test_problem_size", "test_calls", "test_security"],
    "rate_limit": ["test_rate_limit", "test_shared_limits"],
    "responses": ["test_responses", "test_media_types", "test_headers_and_cookies", "test_conditional"],
    "route_tree": ["test_paths"],
    "schemas": [
        "test_check_document",
        "test_large_values",
        "test_dialect",
        "test_formats",
        "test_text",
        "test_violations",
        "test_responses",
    ],
    "violations": ["test_violations", "test_problem_size"],
}
"""Modules of the contract layer, and their tests."""

AUTHORIZATION = {
    "kanban/access.py": ["../kanban/test_access", "../usecases/test_board_access", "test_narrow_tokens"],
    "kanban/tokens.py": [
        "../kanban/test_tokens",
        "test_users_and_tokens",
        "test_token_descendants",
        "test_token_uses",
        "test_sessions",
        "test_narrow_tokens",
    ],
    "kanban/users.py": [
        "../kanban/test_users",
        "../kanban/test_bots",
        "test_bots",
        "test_users_and_tokens",
        "test_installation",
        "test_sessions",
    ],
    "kanban/bots.py": ["../kanban/test_bots", "test_bots"],
    "kanban/members.py": ["../kanban/test_members", "test_members", "test_installation", "test_invitations"],
    "kanban/invitations.py": ["../kanban/test_invitations", "test_invitations"],
    "kanban/installation.py": ["../kanban/test_installation", "test_installation"],
    "kanban/sign_in.py": ["../kanban/test_sign_in", "test_sessions"],
    "kanban/identities.py": ["../kanban/test_identities", "test_provider_sign_in"],
    "kanban/comments.py": ["../kanban/test_comments", "test_comments"],
    "handlers/bots.py": ["test_bots"],
    "usecases/bots.py": ["test_bots"],
    "usecases/board_access.py": [
        "../usecases/test_board_access",
        "test_members",
        "test_undo",
        "test_version_history",
        "test_archive",
        "test_list_deleted",
        "test_transfers",
        "test_boards_and_lists",
        "test_card_lifecycle",
    ],
    "usecases/narrowed_listings.py": [
        "../usecases/test_narrowed_listings",
        "../usecases/test_board_access",
        "test_narrow_tokens",
    ],
    "usecases/invitations.py": ["test_invitations", "test_installation"],
    "usecases/sign_in.py": [
        "../usecases/test_sign_in",
        "test_sessions",
        "test_provider_sign_in",
        "test_token_descendants",
        "test_installation",
    ],
    "usecases/user_boards.py": [
        "../usecases/test_user_boards",
        "test_installation",
        "../stores/test_deactivated_users",
    ],
    "usecases/user_search.py": ["../usecases/test_user_search", "test_installation"],
    "handlers/audit_log.py": ["test_audit_log"],
    "handlers/users.py": ["test_bots", "test_users_and_tokens", "test_installation", "test_sessions", "test_jobs"],
    "handlers/tokens.py": ["test_users_and_tokens", "test_token_descendants", "test_sessions", "test_narrow_tokens"],
    "handlers/sessions.py": ["test_sessions", "test_attempt_limits", "test_installation", "test_provider_sign_in"],
    "handlers/identities.py": ["test_provider_sign_in", "test_invited_sign_in"],
    "handlers/invitation_access.py": ["test_invitations", "test_attempt_limits", "test_invited_sign_in"],
    "handlers/invitations.py": ["test_invitations", "test_attempt_limits", "test_installation"],
    "handlers/members.py": ["test_bots", "test_joining", "test_members", "test_installation"],
    "app/authentication.py": [
        "test_token_uses",
        "test_users_and_tokens",
        "test_token_descendants",
        "test_installation",
        "test_provider_sign_in",
    ],
    "app/attempt_limits.py": ["test_attempt_limits"],
    "app/commits.py": [
        "test_idempotent_commit",
        "test_idempotency",
        "test_concurrent_writes",
        "test_held_requests",
        "test_transfers",
        "test_members",
        "test_bots",
        "../aws/test_request_records",
    ],
    "app/needed_resources.py": ["../document/test_needed_resources", "test_narrow_tokens"],
    "app/provider_sign_in.py": ["test_provider_sign_in", "test_invited_sign_in"],
    "app/request_limits.py": ["test_request_limits", "test_rate_limit"],
    "contract/client_address.py": ["../contract/test_client_address", "test_request_limits"],
    "contract/connexion_binding.py": [f"../contract/{test}" for test in CONTRACT["connexion_binding"]],
}
"""Where it is decided who may do what, and the tests of that: those that take least time come first."""

WITHOUT_RULES = ("errors", "limits", "request_usage", "store", "values")
"""Modules of `kanban/` that decide nothing."""


MATRIX = "test_authorization_matrix"
"""The test of all operations with all kinds of callers. It notices what the others don't, and takes longest."""


def map_tests_to_files() -> dict[str, list[str]]:
    """Return the test files that belong to each source file, by path. Raises FileNotFoundError if one is missing."""
    rules = {}
    for file in sorted((ROOT / "kanban").rglob("[a-z]*.py")):
        module = str(file.relative_to(ROOT / "kanban").with_suffix(""))
        wing, _, name = module.rpartition("/")
        if module not in WITHOUT_RULES:
            tests = RULES.get(module, [f"{wing}/test_{name}" if wing else f"test_{name}"])
            rules[f"kanban/{module}.py"] = [f"tests/kanban/{test}.py" for test in (*tests, "test_errors")]
    contract = {
        f"contract/{name}.py": [f"tests/contract/{test}.py" for test in tests] for name, tests in CONTRACT.items()
    }
    decisions = {file: [f"tests/api/{test}.py" for test in (*tests, MATRIX)] for file, tests in AUTHORIZATION.items()}
    matching = {
        file: [*map(_existing_path, tests), "tests/test_limits.py"]
        for file, tests in (rules | contract | decisions).items()
    }
    for path in matching:
        _existing_path(path)
    return matching


def _existing_path(path: str) -> str:
    return str((ROOT / path).resolve(strict=True).relative_to(ROOT.resolve()))

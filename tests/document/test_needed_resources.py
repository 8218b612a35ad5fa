"""What `x-tackboard-resources` lists is what responses can hold beside the resource of the operation's own tag.

It is found in the schemas. A resource's schema is what its GET operation returns, by itself or as the items of a page;
texts with a name of their own are part of the resource whose schema has them. Whoever gets events learns of everything
that events are about.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from app.needed_resources import EMBEDS_EXTENSION, RESOURCES_EXTENSION, NeededResources, Needs, get_resource
from contract.operations import list_operations
from contract.schemas import Schemas
from tests.document.test_document import BUNDLE

SCHEMAS = Schemas(BUNDLE)
COMPONENTS: dict[str, Any] = BUNDLE["components"]["schemas"]
OPERATIONS = {operation["operationId"]: operation for _, _, operation in list_operations(BUNDLE)}
WITH_TOKEN = sorted(name for name, node in OPERATIONS.items() if node.get("security", BUNDLE["security"]))
RESOURCES: list[str] = COMPONENTS["TokenResource"]["x-tackboard-known"]
EMBEDDED = {"Board": {"lists", "cards", "labels", "members"}}
"""Properties that are there only if a parameter names them, which is then a resource that the token needs."""
SENDS_EVENTS = {"create_webhook", "update_webhook", "replay_webhook"}
"""What makes the server send events to a URL that the request, or one before, has chosen."""


def get_name(reference: object) -> str | None:
    """Return the name of a schema that a node refers to."""
    return reference.rpartition("/")[2] if isinstance(reference, str) and "/schemas/" in reference else None


def get_own_resource(operation_id: str) -> str:
    (tag,) = OPERATIONS[operation_id]["tags"]
    return get_resource(tag)


def list_contents(operation: Any) -> Iterator[Any]:
    """Yield the schemas of the bodies of a success, and of what the server sends later."""
    for status, reference in operation["responses"].items():
        if status < "3":
            for content in SCHEMAS.resolve(reference).get("content", {}).values():
                yield content["schema"]
    for callback in operation.get("callbacks", {}).values():
        for item in callback.values():
            yield from (content["schema"] for content in item["post"]["requestBody"]["content"].values())


def collect_main_schemas() -> dict[str, str]:
    """Return the resource of each schema that a GET of one thing returns, or else one of a page as its items."""
    alone: dict[str, str] = {}
    as_items: dict[str, str] = {}
    for path, method, operation in list_operations(BUNDLE):
        if method != "get" or operation["operationId"] not in WITH_TOKEN:
            continue
        own = get_own_resource(operation["operationId"])
        for schema in list_contents(operation):
            items = SCHEMAS.resolve(schema).get("properties", {}).get("items", {}).get("items", {})
            if item_name := get_name(items.get("$ref")):
                as_items.setdefault(item_name, own)
            elif path.endswith("}") and (name := get_name(schema.get("$ref"))):
                alone[name] = own
    # An assigned card is a card with the name of its board.
    del as_items["AssignedCard"]
    return as_items | alone


MAIN_SCHEMAS = collect_main_schemas()


def collect_texts() -> dict[str, set[str]]:
    """Return the resources whose schemas have a text with a name of its own, by that name."""
    owners: dict[str, set[str]] = {}
    for name, resource in MAIN_SCHEMAS.items():
        for node in COMPONENTS[name].get("properties", {}).values():
            text = get_name(node.get("$ref"))
            if text and "x-tackboard-text" in COMPONENTS[text]:
                owners.setdefault(text, set()).add(resource)
    return owners


TEXTS = collect_texts()


def list_kinds_of_events() -> set[str]:
    """Return the resources that events are about, by the first words of their types."""
    kinds = {event_type.partition(".")[0] for event_type in COMPONENTS["KnownEvent"]["discriminator"]["mapping"]}
    return {get_own_resource(f"get_{kind}") for kind in kinds}


def collect_reachable(node: Any, names: set[str], *, of: str = "") -> None:
    """Collect the names of all schemas that a node refers to, without what is embedded on request only."""
    if isinstance(node, list):
        for value in node:
            collect_reachable(value, names)
    elif isinstance(node, dict):
        name = get_name(node.get("$ref"))
        if name and name not in names:
            names.add(name)
            collect_reachable(COMPONENTS[name], names, of=name)
        for key, value in node.items():
            if key == "properties" and of in EMBEDDED:
                collect_reachable([value[name] for name in value.keys() - EMBEDDED[of]], names)
            elif key not in ("discriminator", "$ref"):
                collect_reachable(value, names)


def find_held_resources(operation_id: str) -> list[set[str]]:
    """Return, for each part of a response that belongs to a resource, the resources of which one is needed."""
    names: set[str] = set()
    for schema in list_contents(OPERATIONS[operation_id]):
        collect_reachable(schema, names)
    held = [{MAIN_SCHEMAS[name]} for name in names & MAIN_SCHEMAS.keys()]
    held += [TEXTS[name] for name in names & TEXTS.keys()]
    held += [{MAIN_SCHEMAS[exported]} for exported in find_exported(names)]
    if "KnownEvent" in names or operation_id in SENDS_EVENTS:
        held += [{"events"}, *({kind} for kind in list_kinds_of_events())]
    return held


def find_exported(names: set[str]) -> Iterator[str]:
    """Yield the schemas whose exported form is among these."""
    for name in names:
        exported = name.removeprefix("Exported").replace("List", "BoardList")
        if exported != name and exported in MAIN_SCHEMAS:
            yield exported


def test_the_resources_of_tokens_are_the_tags_of_the_document() -> None:
    tags = {OPERATIONS[operation_id]["tags"][0] for operation_id in WITH_TOKEN}

    assert [get_resource(tag["name"]) for tag in BUNDLE["tags"] if tag["name"] in tags] == RESOURCES
    assert all(len(operation["tags"]) == 1 for operation in OPERATIONS.values())


def test_the_schemas_of_the_resources_are_known() -> None:
    known = {
        "Board": "boards",
        "BoardList": "lists",
        "Card": "cards",
        "Label": "labels",
        "Member": "members",
        "Checklist": "checklists",
        "ChecklistItem": "checklists",
        "Comment": "comments",
        "TimeEntry": "time_entries",
        "Event": "events",
        "Webhook": "webhooks",
        "WebhookDelivery": "webhooks",
        "User": "users",
        "Token": "tokens",
        "Session": "sessions",
        "Identity": "identities",
        "Invitation": "invitations",
        "Job": "jobs",
    }

    assert {name: MAIN_SCHEMAS.get(name) for name in known} == known
    assert {"BoardName", "ListName", "CardTitle", "LabelName", "CommentText", "TimeEntryNote"} <= TEXTS.keys()
    assert list_kinds_of_events() >= {
        *("boards", "lists", "cards", "labels", "members", "checklists", "comments", "time_entries", "webhooks")
    }


@pytest.mark.parametrize("operation_id", WITH_TOKEN)
def test_an_operation_lists_what_its_responses_hold(operation_id: str) -> None:
    own = get_own_resource(operation_id)
    listed = OPERATIONS[operation_id].get(RESOURCES_EXTENSION, [])
    held = find_held_resources(operation_id)

    assert own not in listed
    assert len(set(listed)) == len(listed)
    assert [part for part in held if not part & {own, *listed}] == []
    assert set(listed) <= set().union(*held), "It lists a resource that no response holds."


def test_only_a_table_of_cards_holds_more_than_the_other_media_types_do() -> None:
    contents = {
        (operation_id, media_type): content[RESOURCES_EXTENSION]
        for operation_id, operation in OPERATIONS.items()
        for response in map(SCHEMAS.resolve, operation["responses"].values())
        for media_type, content in response.get("content", {}).items()
        if RESOURCES_EXTENSION in content
    }

    assert contents == {("list_cards", "text/csv"): ["lists", "labels"]}


def test_each_value_of_a_parameter_that_embeds_is_a_resource() -> None:
    embedding = {
        operation_id: parameter
        for operation_id, operation in OPERATIONS.items()
        for parameter in map(SCHEMAS.resolve, operation.get("parameters", ()))
        if EMBEDS_EXTENSION in parameter
    }

    assert embedding.keys() == {"get_board"}
    for parameter in embedding.values():
        assert set(SCHEMAS.resolve(parameter["schema"]["items"])["enum"]) == EMBEDDED["Board"] <= set(RESOURCES)
    # The properties are absent unless they are named.
    assert not EMBEDDED["Board"] & set(COMPONENTS["Board"]["required"])


def test_what_a_request_needs_is_read_from_the_document() -> None:
    needs = NeededResources(BUNDLE)

    assert needs.get_needs("get_board") == Needs(frozenset({"boards"}), {}, ("embed",))
    assert needs.get_needs("archive_card") == Needs(frozenset({"archive", "cards"}), {}, ())
    of_table = {"text/csv": frozenset({"lists", "labels"})}
    assert needs.get_needs("list_cards") == Needs(frozenset({"cards"}), of_table, ())
    assert needs.get_needs("create_time_entry").resources == {"time_entries"}

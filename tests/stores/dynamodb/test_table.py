"""The table: how it is opened and created, and its items."""

import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from kanban import tokens
from kanban.changes import Change
from kanban.store import StoredResponse
from stores import StoreOpenError, open_store
from stores.dynamodb import table_definition
from stores.dynamodb.connecting import connect
from tests.engines import dynamodb_wire as faults
from tests.engines.dynamodb_server import create_table_url
from tests.engines.dynamodb_wire import Wire
from tests.stores.world import NOON, World

ROOT = Path(__file__).parents[3]


def read_open_error(url: str) -> str:
    """Return the message with which that URL is refused."""
    with pytest.raises(StoreOpenError) as error:
        open_store(url)
    return str(error.value)


# Opening


def test_opening_loads_neither_the_sdk_nor_sqlalchemy(table_url: str) -> None:
    code = (
        "import sys, stores; stores.open_store(sys.argv[1]).check_ready(); "
        "roots = {name.partition('.')[0] for name in sys.modules}; "
        "print(*roots & {'boto3', 'botocore', 'urllib3', 'sqlalchemy', 'alembic', 'psycopg', 'yaml'})"
    )

    process = subprocess.run(
        [sys.executable, "-c", code, table_url], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert process.stdout.split() == []


def test_the_other_engines_load_no_sdk(tmp_path: Path) -> None:
    code = "import sys, stores; stores.open_store(sys.argv[1]).check_ready(); print('botocore' in sys.modules)"
    command = [sys.executable, "-c", code, f"sqlite:///{tmp_path}/x.db"]

    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    assert process.stdout.split() == ["False"]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("dynamodb:", "must name a table"),
        ("dynamodb://?region=eu-central-1", "must name a table"),
        ("dynamodb://ab?region=eu-central-1", "must name a table"),
        ("dynamodb://me@tackboard?region=eu-central-1", "must name a table"),
        ("dynamodb://tackboard/cards?region=eu-central-1", "must name a table"),
        ("dynamodb://tackboard?region=eu-central-1&stage=dev", "takes region and endpoint"),
        ("dynamodb://tackboard?eu-central-1", "is not a valid URL"),
        ("dynamodb://[tackboard", "is not a valid URL"),
        ("dynamodb://tackboard", "must name a region"),
        ("dynamodb://tackboard?endpoint=localhost", "has an invalid endpoint: localhost"),
    ],
)
def test_a_url_without_a_table_is_refused_with_a_reason(monkeypatch: pytest.MonkeyPatch, url: str, reason: str) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)

    assert reason in read_open_error(url)


def test_an_absent_server_is_reported() -> None:
    message = read_open_error("dynamodb://tackboard?endpoint=http://127.0.0.1:9")

    assert message == (
        "The DynamoDB table 'tackboard' cannot be used: DynamoDB cannot be reached: ConnectionRefusedError; "
        "check that STORE_URL and the credentials lead to http://127.0.0.1:9."
    )


def test_missing_credentials_are_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, dynoxide: str) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", dynoxide)

    message = read_open_error("dynamodb://tackboard?region=eu-central-1")

    assert message == (
        "The DynamoDB table 'tackboard' cannot be used: DynamoDB cannot be called: Unable to locate credentials; "
        "check that STORE_URL and the credentials lead to eu-central-1."
    )


def test_a_missing_table_is_reported(monkeypatch: pytest.MonkeyPatch, dynoxide: str) -> None:
    # As in AWS: without an endpoint in the URL, no table is created.
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", dynoxide)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")

    message = read_open_error("dynamodb://tackboard-none?region=eu-central-1")

    assert message == (
        "There is no DynamoDB table 'tackboard-none' in eu-central-1: deploy it, or name another in STORE_URL."
    )


@pytest.mark.parametrize(
    "difference",
    [
        {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "LocalSecondaryIndexes": None, "names": ["id"]},
        {"LocalSecondaryIndexes": None, "names": ["pk", "sk"]},
    ],
    ids=["keys", "indexes"],
)
def test_a_table_of_another_program_is_reported_and_left_unchanged(dynoxide: str, difference: dict[str, Any]) -> None:
    url = create_table_url(dynoxide)
    key_names = difference.pop("names")
    definition = {name: table_definition.load_definition()[name] for name in ("BillingMode", "KeySchema")} | difference
    attributes = [{"AttributeName": name, "AttributeType": "S"} for name in key_names]
    with closing(connect("us-east-1", dynoxide)) as client:
        client(
            "create_table",
            {
                "TableName": faults.table_name(url),
                "AttributeDefinitions": attributes,
                **{name: value for name, value in definition.items() if value},
            },
        )

    message = read_open_error(url)

    assert message == (
        f"The DynamoDB table '{faults.table_name(url)}' is not one of Tackboard: its keys and indexes are not those of "
        f"infrastructure/resources/table.yml."
    )


def test_a_new_table_is_as_the_template_says(dynoxide: str, table_url: str) -> None:
    definition = table_definition.load_definition()

    with closing(connect("us-east-1", dynoxide)) as client:
        named = {"TableName": faults.table_name(table_url)}
        table = client("describe_table", named)["Table"]
        time_to_live = client("describe_time_to_live", named)["TimeToLiveDescription"]

    assert table["KeySchema"] == definition["KeySchema"]
    assert {
        index["IndexName"]: (index["KeySchema"], index["Projection"]) for index in table["LocalSecondaryIndexes"]
    } == {
        index["IndexName"]: (index["KeySchema"], index["Projection"]) for index in definition["LocalSecondaryIndexes"]
    }
    assert time_to_live["AttributeName"] == definition["TimeToLiveSpecification"]["AttributeName"]


class ShortForms(yaml.SafeLoader):
    """Loads CloudFormation's short forms as plain text."""


ShortForms.add_multi_constructor("!", lambda _, __, node: str(node.value))


def test_the_deployment_uses_the_same_definition() -> None:
    deployment = yaml.load((ROOT / "serverless.yml").read_text(), ShortForms)  # noqa: S506 - it is a SafeLoader.
    table = table_definition.load_definition()

    assert "${file(infrastructure/resources/table.yml)}" in deployment["resources"]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    assert deployment["custom"]["stages"]["prod"] == {"protected": True, "onRemoval": "Retain"}


def test_two_processes_may_create_the_table_at_the_same_time(dynoxide: str) -> None:
    url = create_table_url(dynoxide)
    wire = Wire(dynoxide, faults.table_name(url))

    def write_meanwhile() -> None:
        open_store(url).close()

    wire.faults["CreateTable"] = iter([faults.run_first(write_meanwhile)])
    table_definition.create_table(wire.client, faults.table_name(url))

    open_store(url).close()
    wire.close()


def test_a_start_looks_at_a_table_once_that_was_used_before(dynoxide: str) -> None:
    url = create_table_url(dynoxide)
    calls: list[str] = []
    with closing(open_store(url)) as store:
        secret = store.read_secret()

    with closing(
        open_store(url, on_client=lambda client: client.add_listener(lambda operation, _: calls.append(operation)))
    ) as store:
        assert store.read_secret() == secret

    assert calls == ["get_item"]


# Items


def test_a_card_is_one_item_with_the_keys_of_the_indexes(wire: Wire, world: World) -> None:
    card = world.add_card("Copy", due_at=NOON)

    item = wire.read_item(f"C#{card.id}")

    assert item["place"] == {"S": f"{card.list_id}#{card.rank}"}
    assert item["recent"] == {"S": f"2026-11-20T12:00:00Z#{card.id}"}
    assert item["due"] == {"S": f"2026-11-20T12:00:00Z#{card.id}"}
    assert item.keys() - {"place", "recent", "due"} == {
        *("pk", "sk", "list_id", "rank", "title", "description", "search", "due_at", "due_complete"),
        *("comment_count", "item_count", "done_count", "tracked_seconds", "tracked_cost"),
        *("version", "created_at", "updated_at"),
    }


def test_a_card_without_a_due_date_is_not_in_the_due_index(wire: Wire, world: World) -> None:
    card = world.add_card("Copy")

    assert "due" not in wire.read_item(f"C#{card.id}")


def test_a_deleted_card_keeps_its_rank_and_stands_apart_in_the_recent_index(wire: Wire, world: World) -> None:
    card = world.add_card("Copy")

    world.delete_card(card)

    item = wire.read_item(f"C#{card.id}")
    assert item["place"] == {"S": f"{card.list_id}#{card.rank}"}
    assert item["recent"]["S"].startswith("D#")


def test_a_deleted_list_leaves_its_boards_head(wire: Wire, world: World) -> None:
    doing = world.find_list("Doing")

    world.delete_list("Doing")

    assert doing.id not in wire.read_item("E$")["lists"]["M"]
    assert wire.read_item(f"L#{doing.id}")["name"] == {"S": "Doing"}


def test_a_stored_response_has_a_time_to_live(wire: Wire, world: World) -> None:
    body = b"\x00\xff"
    response = StoredResponse("key", world.ann.id, "op", "f", 200, (), body, NOON, NOON + timedelta(hours=24))

    world.store.commit(Change(), response)

    assert wire.read_item("I#op#key")["expires"] == {"N": str(int(response.expires_at.timestamp()))}


def test_nothing_in_the_table_is_a_token(wire: Wire, world: World) -> None:
    _, text, change = tokens.issue(world.context(), world.random_bytes, user_id=world.ann.id, name="x", scopes=[])
    world.store.commit(change)

    assert text not in str(wire.read_items())

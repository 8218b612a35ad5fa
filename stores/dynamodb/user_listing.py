"""The list of all users, which owners of the installation page through.

Users are created with an entry of the list. Those from before version 1.3 get theirs from purges, which look for them
once in the whole table, step by step.
"""

from collections.abc import Mapping, Sequence
from itertools import islice

from kanban.values import User
from kanban.views import Page, PageKey
from stores.dynamodb import keys
from stores.dynamodb.attributes import to_boolean, to_string
from stores.dynamodb.batches import BatchWriter
from stores.dynamodb.client import RetryingClient
from stores.dynamodb.keys import Item
from stores.dynamodb.reads import MAX_BATCH_KEYS, TableReader
from stores.dynamodb.user_items import user_from_item
from stores.dynamodb.writes import EXISTS, UpdateBuilder
from stores.paging import cut_page


def page_users(reader: TableReader, limit: int, after: PageKey | None) -> Page[User]:
    """Return a page of all users, by id."""
    first = f"{after[0]}{keys.NEXT_KEY_SUFFIX}" if after else " "
    entries = islice(reader.query("U", first, "~", page_size=limit + 1), limit + 1)
    user_keys = [keys.user_key(entry["sk"]["S"]) for entry in entries]
    users = [
        user_from_item(item)
        for start in range(0, len(user_keys), MAX_BATCH_KEYS)
        for item in reader.batch_get(user_keys[start : start + MAX_BATCH_KEYS])
    ]
    return cut_page(sorted(users, key=lambda user: user.id), limit, lambda user: user.id)


def read_fellow_ids(reader: TableReader, user_id: str, max_boards: int) -> Mapping[str, Sequence[str]]:
    """Return the user ids of the members of the user's newest boards, by board id."""
    memberships = reader.query(f"U#{user_id}", "B#", "B$", backwards=True, page_size=max_boards)
    board_ids = [item["sk"]["S"][2:] for item in islice(memberships, max_boards)]
    names = {name: name[1:] for name in ("#members", "#deleted_at")}
    fellow_ids: dict[str, Sequence[str]] = {}
    for start in range(0, len(board_ids), MAX_BATCH_KEYS):
        head_keys = [keys.head_key(board_id) for board_id in board_ids[start : start + MAX_BATCH_KEYS]]
        for head in reader.batch_get(head_keys, ("pk", *names), names):
            member_ids = head["members"]["M"].keys()
            # A membership is listed a moment longer than the head has it.
            if "deleted_at" not in head and user_id in member_ids:
                fellow_ids[head["pk"]["S"][2:]] = [*member_ids]
    return fellow_ids


def list_earlier_users(client: RetryingClient, reader: TableReader, table: str, limit: int) -> int:
    """Look at about `limit` items of the table for users without an entry; return 0 when all have been looked at."""
    owner = reader.get_item(keys.setting_key("owner"))
    if owner is None or "users_listed" in owner:
        return 0
    start: Item = {"ExclusiveStartKey": owner["scanned_to"]["M"]} if "scanned_to" in owner else {}
    response = client(
        "scan",
        TableName=table,
        Limit=limit,
        FilterExpression="#sk = :user",
        ProjectionExpression="#pk",
        ExpressionAttributeNames={"#pk": "pk", "#sk": "sk"},
        ExpressionAttributeValues={":user": to_string("U")},
        **start,
    )
    BatchWriter(client, table).put(keys.listed_user_key(item["pk"]["S"][2:]) for item in response["Items"])
    last_key = response.get("LastEvaluatedKey")
    update = UpdateBuilder()
    if last_key:
        update.set("#scanned_to", {"M": last_key})
    else:
        update.set("#users_listed", to_boolean(True))  # noqa: FBT003  (it is the value)
        update.remove("#scanned_to")
    update.require(EXISTS)
    client("update_item", **update.build(keys.setting_key("owner")).fields(table))
    return max(int(response["ScannedCount"]), 1)

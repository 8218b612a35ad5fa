"""Transactions: carry out the writes of a plan, all of them or none."""

from stores.dynamodb.attributes import to_string
from stores.dynamodb.client import CONDITION_FAILED, ConditionFailed, RetryingClient, TransactionConflicted
from stores.dynamodb.conflicts import STALE, Conflict
from stores.dynamodb.keys import Item, key_of
from stores.dynamodb.plan import Plan
from stores.dynamodb.reads import TableReader
from stores.dynamodb.writes import Put, conflict_of, to_transact_item


class Committed:
    """All of a plan's writes are carried out."""


def transact(client: RetryingClient, reader: TableReader, table: str, plan: Plan) -> Committed | Conflict:
    """Carry out the writes of a plan in one transaction; return what its first failed condition means otherwise.

    A condition also fails because the same transaction was carried out before and its response got lost. Therefore
    items with the plan's nonce count as proof that it was.

    A transaction in conflict with others is not sent again as it is: whoever is writing raises the board's `seq`, so it
    could only fail later, and would be in the way of others until then.

    Raises:
        Busy: Other writers are in the way for too long.
        Unavailable: DynamoDB can't be reached; the transaction may have been carried out, or not.
    """
    items = [to_transact_item(write, table) for write in plan.writes]
    try:
        client("transact_write_items", retries_conflicts=False, TransactItems=items, ClientRequestToken=plan.nonce)
    except TransactionConflicted:
        return STALE
    except ConditionFailed as error:
        failures = [
            (write, reason.get("Item"))
            for write, reason in zip(plan.writes, error.reasons, strict=True)
            if reason.get("Code") == CONDITION_FAILED
        ]
        if any(_has_nonce(item, plan) for _, item in failures):
            return Committed()
        # The item of a failed condition may have no nonce: then another item of the plan is looked at.
        if error.may_have_succeeded and _is_proven(reader, plan):
            return Committed()
        write, item = failures[0]
        return conflict_of(write, item)
    return Committed()


def _is_proven(reader: TableReader, plan: Plan) -> bool:
    proof = next((write.item for write in plan.writes if isinstance(write, Put) and _has_nonce(write.item, plan)), None)
    return proof is not None and _has_nonce(reader.get_item(key_of(proof)), plan)


def _has_nonce(item: Item | None, plan: Plan) -> bool:
    return item is not None and item.get("nonce") == to_string(plan.nonce)

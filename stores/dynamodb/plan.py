"""The plan of a commit: the writes of its transaction in order, and what it means when the condition of one fails.

`plan` is a pure function of the change and of a snapshot, which holds all that was read before. It reads and writes
nothing: `transactions` carries the plan out, and `resolutions` says what is done about a conflict. The functions below
are named after the writes that they return.

The writes, in this order, because DynamoDB reports all that fail and the first one counts:

    the response        kept under its idempotency key, if there is one
    the actor           who must not be deactivated, where no membership says so
    users and tokens    what is updated, then what is created: in a change to no board, and of those who join one
    sign-in codes       what is erased, then what is created; such a change writes to no board
    identities          in the same way; those of users who join are created with a membership
    the audit log       its entries, which are always new
    invitations         to no board
    jobs                in a change to no board
    the board's tip     nearly all conditions of a change are one on its seq
    the board's head    its lists, members and labels, if the change is one of these
    beyond the head     the board's external id, its tombstone, memberships, deleted lists
    cards               each with its assignments and its external id
    webhooks            and their readers
    invitations         to the board
    parts               checklists, comments, time entries
    ranks               of cards that keep everything else
    events              those of an imported board's history, then the one of the change
    rebalanced ranks    of cards around one whose rank has grown long
    the other board     the same again for the board that a card comes from
    the card's parts    copied to the board that it moves to
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from kanban.changes import Change
from kanban.store import StoredResponse
from kanban.values import (
    Board,
    Card,
    CardRank,
    Checklist,
    Comment,
    Event,
    Identity,
    InstallationOwners,
    Label,
    List,
    Member,
    Part,
    SignInCode,
    TimeEntry,
    Token,
    User,
)
from stores.changes import find_required_user
from stores.dynamodb import board_items, board_writes, card_items, event_items, keys, user_items
from stores.dynamodb.attributes import to_number, to_string
from stores.dynamodb.audit_log import write_audit_entries
from stores.dynamodb.card_items import AssigneeUsers
from stores.dynamodb.changes import creates_board, get_arriving_card, of_type
from stores.dynamodb.conflicts import STALE, Conflict, ConflictKind, uniqueness_conflict
from stores.dynamodb.invitations import write_invitations
from stores.dynamodb.jobs import write_jobs
from stores.dynamodb.keys import Item, key_of
from stores.dynamodb.rebalance import rebalance
from stores.dynamodb.snapshots import CardClaim, Snapshot, TransferParts
from stores.dynamodb.webhook_items import write_webhooks
from stores.dynamodb.writes import (
    EXISTS,
    IS_NEW,
    MAX_TRANSACTION_BYTES,
    MAX_TRANSACTION_ITEMS,
    Check,
    Delete,
    Put,
    UpdateBuilder,
    Write,
    conflict_of,
    estimate_bytes,
)


class BoardAhead(NamedTuple):
    """The part of a large new board that is written before the transaction that makes it visible.

    The tombstone is put first, so that a purge finds what is left if that transaction never comes.
    """

    board_id: str
    tombstone: Item
    items: Sequence[Item]


class Plan(NamedTuple):
    """The writes of one transaction.

    Attributes:
        nonce: The text in items that prove that the transaction was carried out.
        writes: The writes, in the order in which their failures count.
        board_ahead: What of a large new board must be written before.
        parts_ahead: What of a card's parts must be written before, under its transfer lock; None if nothing is.
        must_verify_parts: Whether the parts must be compared with what was copied right before the transaction, which
            has no room for a condition on each.
    """

    nonce: str
    writes: Sequence[Write]
    board_ahead: BoardAhead | None = None
    parts_ahead: Sequence[Write] | None = None
    must_verify_parts: bool = False


def plan(change: Change, response: StoredResponse | None, snapshot: Snapshot) -> Plan | Conflict:
    """Return the plan of a change, or the conflict that no transaction could avoid.

    `response` is kept under its idempotency key in the same transaction.
    """
    duplicate = _find_duplicate(change)
    if duplicate is not None:
        return uniqueness_conflict(duplicate)
    rebalanced, rank_changes = rebalance(change, snapshot.neighbours) if snapshot.neighbours else (change, ())
    by_key: dict[tuple[str, str], Write] = {}
    for write in _list_writes(rebalanced, rank_changes, response, snapshot):
        # DynamoDB takes one write of an item in a transaction.
        if by_key.setdefault(_hashable_key(write.key), write) is not write:
            return conflict_of(write, None)
    base = Plan(snapshot.nonce, [*by_key.values()])
    if snapshot.transfer:
        base = _add_transfer(base, snapshot.transfer)
    # Only a small board of long texts is too large for one transaction: the rules bound the text of all other changes.
    is_too_large = creates_board(change) and estimate_bytes(base.writes) > MAX_TRANSACTION_BYTES
    if len(base.writes) <= MAX_TRANSACTION_ITEMS and not is_too_large:
        return base
    if snapshot.neighbours:
        # A list with long ranks is as right as one with short ones.
        return plan(change, response, snapshot._replace(neighbours=None))
    if change.event is None or not creates_board(change):
        return Conflict(ConflictKind.TOO_LARGE, amount=len(base.writes))
    return _split_board(base, change, change.event, is_written_ahead=snapshot.is_written_ahead)


def _list_writes(
    change: Change,
    rank_changes: Iterable[tuple[CardRank, CardRank]],
    response: StoredResponse | None,
    snapshot: Snapshot,
) -> Iterator[Write]:
    if response:
        yield _put_response(response, snapshot.nonce)
    required_user_id = find_required_user(change)
    if required_user_id is not None:
        is_active = "attribute_exists(#pk) AND attribute_not_exists(#deactivated_at)"
        yield Check(keys.user_key(required_user_id), condition=is_active, is_final=True)
    yield from _write_users_and_tokens(change, snapshot)
    yield from write_audit_entries(change)
    if change.event is None:
        yield from write_invitations(change)
        yield from write_jobs(change, snapshot.nonce)
        return
    yield from _BoardWrites(change, change.event, snapshot, rank_changes).all()
    transfer, departure = snapshot.transfer, change.departure
    if transfer and departure and departure.event:
        source = Snapshot(nonce=snapshot.nonce, now_ms=snapshot.now_ms, before=transfer.source)
        yield from _BoardWrites(departure, departure.event, source).all()
        yield from _remove_card(transfer)


# What does not fit into one transaction


def _split_board(base: Plan, change: Change, event: Event, *, is_written_ahead: bool) -> Plan:
    """Return the plan with all but the final writes before the transaction, and their tombstone's deletion in it."""
    tombstone = keys.tombstone_key(keys.format_timestamp(event.at), "new", event.board_id)
    # A purge that has begun to erase the board has marked the tombstone: then it can't become visible.
    condition = "attribute_exists(#pk) AND attribute_not_exists(#begun)"
    final = [write for write in base.writes if write.is_final]
    final.append(Delete(tombstone, condition=condition, is_final=True))
    if is_written_ahead:
        return base._replace(writes=final)
    users = {"L": [to_string(member.user_id) for member in of_type(Member, change.creates)]}
    items = [write.item for write in base.writes if isinstance(write, Put) and not write.is_final]
    return base._replace(writes=final, board_ahead=BoardAhead(event.board_id, tombstone | {"users": users}, items))


def _add_transfer(base: Plan, transfer: TransferParts) -> Plan:
    """Return the plan with the writes that move a card's parts to another board.

    Copies that do not fit are written ahead, under the transfer lock. If even the conditions on the parts do not fit,
    a tombstone lets a purge erase them, and they must be verified right before the transaction.
    """
    known = {_hashable_key(write.key) for write in base.writes}
    copies = [copy for copy in transfer.copies if _hashable_key(copy) not in known]
    arrivals: list[Write] = [*map(Put, copies), *(Delete(key_of(orphan)) for orphan in transfer.orphans)]
    departures: list[Write] = [*map(_delete_source_part, transfer.parts)]
    room = MAX_TRANSACTION_ITEMS - len(base.writes)
    release = _release_lock(transfer, has_lock=transfer.has_lock)
    is_too_large = len(arrivals) + len(release) + 1 > room or estimate_bytes(arrivals) > MAX_TRANSACTION_BYTES
    parts_ahead: Sequence[Write] | None = None
    if is_too_large or transfer.is_written_ahead:
        parts_ahead = None if transfer.is_written_ahead else arrivals
        arrivals, release = [], _release_lock(transfer, has_lock=True)
    arrivals += release
    must_verify = (
        len(arrivals) + len(departures) > room or estimate_bytes((*arrivals, *departures)) > MAX_TRANSACTION_BYTES
    )
    if must_verify:
        departures = [Put(_parts_tombstone(transfer, transfer.card.board_id))]
    return base._replace(
        writes=[*base.writes, *arrivals, *departures],
        parts_ahead=parts_ahead,
        must_verify_parts=must_verify,
    )


def _delete_source_part(part: Item) -> Write:
    """Delete a part on the board that its card leaves, if it is as it was copied."""
    condition, values = "#version = :version", {":version": part["version"]}
    if "items" in part:
        # A checklist keeps its version when its items change, or when another one is moved.
        condition += " AND #rank = :rank AND #items = :items"
        values |= {":rank": part["rank"], ":items": part["items"]}
    return Delete(key_of(part), condition=condition, values=values)


def _release_lock(transfer: TransferParts, *, has_lock: bool) -> list[Write]:
    """Release the card's transfer lock if this move still has it; without it, check that no other process has it."""
    lock = keys.transfer_lock_key(transfer.board_id, transfer.card.id)
    if not has_lock:
        return [Delete(lock, condition=IS_NEW)]
    own = Delete(lock, condition="#nonce = :nonce", values={":nonce": to_string(transfer.lock_nonce)})
    return [own, Delete(_parts_tombstone(transfer, transfer.board_id))]


def _parts_tombstone(transfer: TransferParts, board_id: str) -> Item:
    return keys.tombstone_key(transfer.timestamp, "parts", board_id, transfer.card.id)


# Idempotency keys, users, tokens


def _put_response(response: StoredResponse, nonce: str) -> Write:
    """Put a response, unless its key has one that had not expired."""
    return Put(
        event_items.stored_response_to_item(response) | {"nonce": to_string(nonce)},
        condition=f"{IS_NEW} OR #expires <= :now",
        values={":now": to_number(int(response.created_at.timestamp()))},
        on_failure=uniqueness_conflict("idempotency_key"),
        is_final=True,
    )


def _write_users_and_tokens(change: Change, snapshot: Snapshot) -> Iterator[Write]:
    signature = {"nonce": to_string(snapshot.nonce)}
    for user in of_type(User, change.updates):
        yield _replace_version(user_items.user_to_item(user) | signature, user.version)
    for owners in of_type(InstallationOwners, change.updates):
        yield _update_owners(owners)
    for token in of_type(Token, change.updates):
        yield _replace_version(user_items.token_to_item(token) | signature, token.version)
        old_digest = snapshot.token_digests.get(token.id, token.digest)
        if old_digest != token.digest:
            yield Delete(keys.token_holder_key(old_digest))
            yield _create(user_items.token_holder_to_item(token.digest, token), "token.digest")
    yield from _create_users(of_type(User, change.creates), signature, may_create_owner=snapshot.may_create_owner)
    for token in of_type(Token, change.creates):
        yield _create(user_items.token_to_item(token) | signature, "token")
        yield _create(user_items.token_holder_to_item(token.id, token), "token")
        yield _create(user_items.token_holder_to_item(token.digest, token), "token.digest")
    yield from _write_codes(change)


def _create_users(users: Sequence[User], signature: Item, *, may_create_owner: bool) -> Iterator[Write]:
    for user in users:
        yield _create(user_items.user_to_item(user) | signature, "user")
        yield Put(keys.listed_user_key(user.id))
    if users and may_create_owner:
        owner = user_items.first_owner_to_item(users[0].id)
        yield Put(owner, condition=IS_NEW, on_failure=Conflict(ConflictKind.OWNER_EXISTS))


def _write_codes(change: Change) -> Iterator[Write]:
    for code in of_type(SignInCode, change.deletes):
        by_digest, of_user = user_items.code_keys(code)
        yield Delete(by_digest, condition=EXISTS)
        yield Delete(of_user)
    for code in of_type(SignInCode, change.creates):
        for item in user_items.code_to_items(code):
            yield _create(item, "sign_in_code")
    yield from _write_identities(change)


def _write_identities(change: Change) -> Iterator[Write]:
    for identity in of_type(Identity, change.deletes):
        by_account, of_user = user_items.identity_keys(identity)
        # The account may be another identity by now.
        yield Delete(by_account, condition="#id = :id", values={":id": to_string(identity.id)})
        yield Delete(of_user)
    for identity in of_type(Identity, change.creates):
        by_account, of_user = user_items.identity_to_items(identity)
        yield _create(by_account, "identity.subject")
        yield _create(of_user, "identity")


def _update_owners(owners: InstallationOwners) -> Write:
    """Write the ids with blanks between, as a store of before has the only one."""
    update = UpdateBuilder()
    update.set("#user_id", to_string(" ".join(owners.user_ids)))
    update.require("#user_id = :before", before=to_string(" ".join(owners.previous_ids)))
    return update.build(keys.setting_key("owner"))


# Boards


class _BoardWrites:
    """Lists the writes of a change to one board."""

    def __init__(
        self,
        change: Change,
        event: Event,
        snapshot: Snapshot,
        rank_changes: Iterable[tuple[CardRank, CardRank]] = (),
    ) -> None:
        self._change = change
        self._event = event
        self._snapshot = snapshot
        self._rank_changes = rank_changes
        self._head = snapshot.before.head if snapshot.before else None
        self._assignee_users = snapshot.before.assignee_users if snapshot.before else {}
        (self._board,) = of_type(Board, (*change.updates, *change.creates))
        members = (*of_type(Member, change.creates), *(self._head.members.values() if self._head else ()))
        self._user_ids = {member.id: member.user_id for member in members}

    def all(self) -> Iterator[Write]:
        """Yield the writes in their order."""
        yield from self._write_head_and_tip()
        yield from self._claim_board_id()
        yield from self._write_beyond_head()
        yield from self._write_cards_and_parts()
        yield from write_webhooks(self._change)
        yield from write_invitations(self._change)
        yield from (_set_rank(self._event.board_id, card_rank) for card_rank in self._change.card_ranks)
        yield from (self._put_event(event) for event in self._change.history)
        yield self._put_event(self._event)._replace(is_final=True)
        yield from (self._rebalance_card(before, after) for before, after in self._rank_changes)

    def _write_head_and_tip(self) -> Iterator[Write]:
        if self._head is None:
            return board_writes.create_board(self._change, self._board)
        cards = of_type(Card, (*self._change.updates, *self._change.creates))
        card_ranks = [
            *(CardRank(card.id, card.list_id, card.rank) for card in cards),
            *self._change.card_ranks,
            *(after for _, after in self._rank_changes),
        ]
        return board_writes.update_board(self._change, self._event, self._head, card_ranks, self._snapshot.now_ms)

    # Beyond the head

    def _claim_board_id(self) -> Iterator[Write]:
        """Claim the board's external id, or withdraw its claim, where that is not as it was."""
        board = self._board
        # A deleted board has given its claim up: when it is restored, it claims its external id again.
        has_claim = self._head is not None and self._head.board.deleted_at is None
        before = self._head.board.external_id if self._head and has_claim else None
        after = board.external_id if board.deleted_at is None else None
        if before == after:
            return
        if before is not None:
            yield Delete(
                keys.board_claim_key(board.created_by, before),
                condition=f"{IS_NEW} OR #board_id = :self",
                values={":self": to_string(board.id)},
            )
        if after is None:
            return
        claim = self._snapshot.board_claim
        yield Put(
            keys.board_claim_key(board.created_by, after) | {"board_id": to_string(board.id)},
            condition=f"{IS_NEW} OR #board_id IN (:self, :claimant)",
            values={":self": to_string(board.id), ":claimant": to_string(claim.board_id if claim else board.id)},
            on_failure=partial(_board_id_conflict, after),
            is_final=True,
        )
        if claim and claim.board_id != board.id:
            # The other board must still be without the id.
            yield Check(
                keys.head_key(claim.board_id),
                condition="attribute_exists(#deleted_at) OR attribute_not_exists(#external_id) OR #external_id <> :id",
                values={":id": to_string(after)},
                is_final=True,
            )

    def _write_beyond_head(self) -> Iterator[Write]:
        """Write what the head doesn't hold: tombstones, the members' own lists of boards, deleted lists."""
        board, change = self._board, self._change
        if board.deleted_at is not None and not (self._head and self._head.board.deleted_at):
            yield Put(keys.tombstone_key(keys.format_timestamp(board.deleted_at), "board", board.id))
        for member in of_type(Member, change.creates):
            yield Put(board_items.membership_to_item(member))
        for member in of_type(Member, change.deletes):
            yield Delete(keys.membership_key(member.user_id, member.board_id))
        for list_ in of_type(List, change.updates):
            if list_.deleted_at is not None:
                yield Put(board_items.deleted_list_to_item(list_))
                yield Put(keys.tombstone_key(keys.format_timestamp(list_.deleted_at), "list", board.id, list_.id))
        for list_id in board_writes.restored_list_ids(self._head, change) if self._head else ():
            yield Delete(keys.list_key(board.id, list_id), condition=EXISTS)

    def _put_event(self, event: Event) -> Put:
        signature = {"nonce": to_string(self._snapshot.nonce)}
        return _create(event_items.event_to_item(event) | signature, "event")

    # Cards and their parts

    def _write_cards_and_parts(self) -> Iterator[Write]:
        change = self._change
        arriving = get_arriving_card(change)
        entries = of_type(TimeEntry, (*change.updates, *change.creates))
        running = {entry.card_id: entry for entry in entries if entry.ended_at is None}
        stopped_ids = {entry.id for entry in of_type(TimeEntry, change.deletes)}
        for values, is_new in ((change.updates, False), (change.creates, True)):
            for card in of_type(Card, values):
                entry = running.pop(card.id, card.running)
                entry = None if entry and entry.id in stopped_ids else entry
                yield from self._put_card(replace(card, running=entry), is_new=is_new or card is arriving)
            for part in (value for value in values if isinstance(value, Part)):
                comes_along = arriving is not None and part.card_id == arriving.id
                yield Put(card_items.part_to_item(part)) if comes_along else _put_part(part, is_new=is_new)
        # The cards of these open entries are not written, but they show the entry.
        yield from map(_set_running_entry, running.values())
        yield from (_delete_part(part) for part in change.deletes if isinstance(part, Part))

    def _put_card(self, card: Card, *, is_new: bool) -> Iterator[Write]:
        """Put a card, its assignments, and its tombstone or its claim to an external id."""
        before = {} if is_new else self._assignee_users.get(card.id, {})
        after = {
            member_id: self._user_ids.get(member_id) or before.get(member_id, "") for member_id in card.assignee_ids
        }
        item = card_items.card_to_item(card, after)
        yield _create(item, "card") if is_new else Put(item, condition=EXISTS)
        yield from _change_assignments(card, before, after)
        if card.deleted_at is not None:
            timestamp = keys.format_timestamp(card.deleted_at)
            yield Put(keys.tombstone_key(timestamp, "card", card.board_id, card.id))
        elif card.external_id is not None:
            yield from _claim_card_id(card, card.external_id, self._snapshot.card_claims.get(card.external_id))

    def _rebalance_card(self, before: CardRank, after: CardRank) -> Write:
        """Give another card of the list its new rank, if it is still where it was."""
        update = _rank_update(after)
        update.require("#place = :before", before=to_string(keys.rank_index_key(before.list_id, before.rank)))
        return update.build(
            keys.card_key(self._event.board_id, after.card_id), on_failure=Conflict(ConflictKind.RANKS_MOVED)
        )


def _board_id_conflict(external_id: str, item: Item | None) -> Conflict:
    return Conflict(ConflictKind.BOARD_ID_CLAIMED, external_id, item["board_id"]["S"]) if item else STALE


def _find_duplicate(change: Change) -> str | None:
    """Return what a new board has twice: its list, label or member, or the external id of two lists."""
    if not creates_board(change):
        return None
    lists = of_type(List, change.creates)
    unique = {
        "list": [list_.id for list_ in lists],
        "list.external_id": [list_.external_id for list_ in lists if list_.external_id is not None],
        "label": [label.id for label in of_type(Label, change.creates)],
        "member": [member.user_id for member in of_type(Member, change.creates)],
    }
    return next((name for name, values in unique.items() if len(set(values)) < len(values)), None)


# Cards and parts


def _change_assignments(card: Card, before: AssigneeUsers, after: AssigneeUsers) -> Iterator[Write]:
    """Put the card among those of its new assignees, and delete it there for those who were."""
    old_ids, new_ids = ({user_id for user_id in users.values() if user_id} for users in (before, after))
    for user_id in sorted(new_ids - old_ids):
        yield Put(card_items.assignment_to_item(user_id, card))
    for user_id in sorted(old_ids - new_ids):
        yield Delete(keys.assignment_key(user_id, card.board_id, card.id))


def _claim_card_id(card: Card, external_id: str, claim: CardClaim | None) -> Iterator[Write]:
    """Claim an external id for a card, or take over the claim of one that no longer has it."""
    claimant_id = claim.card_id if claim else card.id
    yield Put(
        keys.card_claim_key(card.board_id, external_id) | {"card_id": to_string(card.id)},
        condition=f"{IS_NEW} OR #card_id IN (:self, :claimant)",
        values={":self": to_string(card.id), ":claimant": to_string(claimant_id)},
        on_failure=partial(_card_id_conflict, external_id),
    )
    if claim and claim.is_in_deleted_list:
        # The list may come back with its cards: they must not bring the external id along.
        update = UpdateBuilder()
        update.remove("#external_id")
        update.require(EXISTS)
        yield update.build(keys.card_key(card.board_id, claimant_id))


def _card_id_conflict(external_id: str, item: Item | None) -> Conflict:
    # Without an item, two cards of the change itself have the same external id.
    return (
        Conflict(ConflictKind.CARD_ID_CLAIMED, external_id, item["card_id"]["S"])
        if item
        else uniqueness_conflict("card.external_id")
    )


def _put_part(part: Part, *, is_new: bool) -> Write:
    """Put a part, in place of the version before.

    A changed time entry or comment may have been read by a query, which lags behind the head, so its version counts. A
    checklist is always read by its key, and keeps its version when its items change.
    """
    item = card_items.part_to_item(part)
    if is_new:
        return _create(item, _PART_NAMES[type(part)])
    return Put(item, condition=EXISTS) if isinstance(part, Checklist) else _replace_version(item, part.version)


_PART_NAMES: Mapping[type[Part], str] = {TimeEntry: "time_entry", Checklist: "checklist", Comment: "comment"}


def _delete_part(part: Part) -> Write:
    key = keys.part_key(type(part), part.board_id, part.card_id, part.id)
    return Delete(key, condition="#version = :version", values={":version": to_number(part.version)})


def _set_running_entry(entry: TimeEntry) -> Write:
    update = UpdateBuilder()
    update.set("#running", card_items.running_entry_to_attribute(entry))
    update.require(EXISTS)
    return update.build(keys.card_key(entry.board_id, entry.card_id))


def _set_rank(board_id: str, card_rank: CardRank) -> Write:
    """Give a card another rank in its list."""
    update = _rank_update(card_rank)
    update.require("#list_id = :list", list=to_string(card_rank.list_id))
    return update.build(keys.card_key(board_id, card_rank.card_id))


def _rank_update(card_rank: CardRank) -> UpdateBuilder:
    update = UpdateBuilder()
    update.set("#rank", to_string(card_rank.rank))
    update.set("#place", to_string(keys.rank_index_key(card_rank.list_id, card_rank.rank)))
    return update


def _remove_card(transfer: TransferParts) -> Iterator[Write]:
    """Remove a card, its assignments and its claim from the board that it leaves."""
    card = transfer.card
    yield Delete(keys.card_key(card.board_id, card.id), condition=EXISTS)
    yield from _change_assignments(card, transfer.assignee_users, {})
    if card.external_id is not None:
        yield Delete(
            keys.card_claim_key(card.board_id, card.external_id),
            condition=f"{IS_NEW} OR #card_id = :self",
            values={":self": to_string(card.id)},
        )


# Items


def _create(item: Item, name: str) -> Put:
    """Put an item that must be new; `name` is what is taken if it is not."""
    return Put(item, condition=IS_NEW, on_failure=uniqueness_conflict(name))


def _replace_version(item: Item, version: int) -> Put:
    """Put an item in place of its version before."""
    return Put(item, condition="#version = :before", values={":before": to_number(version - 1)})


def _hashable_key(item: Item) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]

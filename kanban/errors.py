"""What the rules refuse, and in which words.

    Refused
    ├── NotFound
    ├── Forbidden: RoleTooLow, ScopeMissing, InstallationOwnerOnly, NotTheAuthor
    ├── Conflict: IdTaken, ExternalIdTaken, WipLimitReached, WrongStage, NoListOfStage, ListNotEmpty,
    │             TooManyLists, TooManyCards, LastOwner, TooManyMembers, LabelNameTaken, TooManyLabels,
    │             CurrencyDiffers, StaleOrder, TooManyMoves, NoRoom, TooMuchToCopy, BoardChanged,
    │             TooManyAssignees, CardArchived, ListArchived, ListDeleted, TooManyRunningClocks
    ├── Unprocessable: UnknownReference, SelfReference, EndsBeforeStart, NoListsInImport, BrokenExport,
    │                  IdempotencyKeyReused, TimestampOutOfRange, CardTooLong
    └── Unauthenticated: SignupClosed

What is refused about time is in `time_errors`, about tokens in `token_errors`.
A sentence names the thing and the number. It may show what the board holds, never what the request sent.
"""

from typing import ClassVar

_MAX_QUOTED_LENGTH = 60


def quote_name(name: str) -> str:
    """A name in quotes, for a sentence: cut after 60 characters."""
    return f"'{name}'" if len(name) <= _MAX_QUOTED_LENGTH else f"'{name[: _MAX_QUOTED_LENGTH - 1]}…'"


class DomainError(Exception):
    """Something that a rule does not allow. `code` is stable, `message` a full sentence."""

    code: str = "refused"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotFound(DomainError):
    """No such thing, or none that the caller may know of."""

    def __init__(self, kind: str) -> None:
        """Kind is 'board', 'list', 'card', 'label', 'member', 'user' or 'token'."""
        super().__init__(f"There is no such {kind.replace('_', ' ')}.")
        self.kind = kind
        self.code = f"{kind}_not_found"


class Forbidden(DomainError):
    """The caller is known but may not do this."""


class RoleTooLow(Forbidden):
    """The caller's role on the board is too small."""

    code = "role_too_low"

    def __init__(self, role: str, required: str) -> None:
        """Role is what the caller has, least what is needed."""
        super().__init__(f"This needs the role {required} on the board; yours is {role}.")


class ScopeMissing(Forbidden):
    """The caller's token lacks a scope."""

    code = "scope_missing"

    def __init__(self, scope: str) -> None:
        """Scope is the one that is needed."""
        super().__init__(f"This needs a token with the scope {scope}.")
        self.scope = scope


class InstallationOwnerOnly(Forbidden):
    """Making users is a right of the installation's owner where sign-up is closed."""

    code = "installation_owner_only"

    def __init__(self) -> None:
        super().__init__("Sign-up is closed: only the owner of this installation can make users.")


class NotTheAuthor(Forbidden):
    """A comment is somebody else's."""

    code = "not_the_author"

    def __init__(self, action: str) -> None:
        """Act is 'edit' or 'delete'."""
        who = "its author or an owner of the board" if action == "delete" else "its author"
        super().__init__(f"This comment is somebody else's: only {who} can {action} it.")


class Conflict(DomainError):
    """The state of things does not allow it now."""


class IdTaken(Conflict):
    """A chosen id belongs to someone already."""

    code = "id_taken"

    def __init__(self, kind: str) -> None:
        """Kind is the kind of thing whose id was chosen: 'user'."""
        super().__init__(f"Another {kind} has this id.")
        self.kind = kind


class ExternalIdTaken(Conflict):
    """An external id is in use on the board for that kind of thing."""

    code = "external_id_taken"

    def __init__(self, kind: str) -> None:
        """Kind is 'board', 'list' or 'card'."""
        others = "Another of your boards" if kind == "board" else f"Another {kind} on this board"
        super().__init__(f"{others} has this external_id.")
        self.kind = kind


class WipLimitReached(Conflict):
    """A list that blocks at its WIP limit has reached it."""

    code = "wip_limit_reached"

    def __init__(self, list_name: str, limit: int) -> None:
        """Name the list and its limit."""
        super().__init__(f"List {quote_name(list_name)} is full: its WIP limit is {limit}.")
        self.limit = limit


class WrongStage(Conflict):
    """A card is not where this step of its life begins."""

    code = "wrong_stage"

    def __init__(self, card_title: str, required: str, actual: str) -> None:
        """Name the card, the stage that the step begins on, and the one that it is on."""
        super().__init__(f"Card {quote_name(card_title)} is not on the {required} stage: it is on {actual}.")


class NoListOfStage(Conflict):
    """The board has no list for that stage."""

    code = "no_list_of_stage"

    def __init__(self, stage: str) -> None:
        """Stage is the one that is missing."""
        super().__init__(f"This board has no list of the stage {stage}.")
        self.stage = stage


class ListNotEmpty(Conflict):
    """A list's stage cannot change while it holds cards."""

    code = "list_not_empty"

    def __init__(self, list_name: str, card_count: int) -> None:
        """Name the list and how many cards in use it holds; if none, it holds archived ones."""
        cards = {0: "archived cards", 1: "1 card"}.get(card_count, f"{card_count} cards")
        super().__init__(f"List {quote_name(list_name)} holds {cards}: its stage can change only while it is empty.")


class TooManyLists(Conflict):
    """The board has as many lists as a board may have."""

    code = "too_many_lists"

    def __init__(self, maximum: int) -> None:
        """Most is the number allowed."""
        super().__init__(f"This board has {maximum} lists, the most a board may have.")


class TooManyCards(Conflict):
    """The list holds as many cards as a list may hold."""

    code = "too_many_cards"

    def __init__(self, list_name: str, maximum: int) -> None:
        """Name the list and the number allowed."""
        super().__init__(f"List {quote_name(list_name)} holds {maximum} cards, the most a list may hold.")


class CurrencyDiffers(Conflict):
    """What a card cost cannot be told in another currency."""

    code = "currency_differs"

    def __init__(self, card_title: str, currency: str, other_currency: str) -> None:
        """Name the card, the currency of its board, and that of the other one."""
        super().__init__(
            f"Card {quote_name(card_title)} has time or a rate in {currency}, and the other board counts in "
            f"{other_currency}."
        )


class StaleOrder(Conflict):
    """An order names other things than those that are there."""

    code = "stale_order"

    def __init__(self, expected: str) -> None:
        """Things are 'the lists of this board' or 'the cards of list …'."""
        super().__init__(f"These are not exactly {expected}: read them again.")


class TooManyMoves(Conflict):
    """An order is too far from the present one for one request."""

    code = "too_many_moves"

    def __init__(self, moves: int, maximum: int) -> None:
        """Moves is the least number of cards that would move, most the number allowed."""
        super().__init__(
            f"This order would move {moves} cards, and one request moves at most {maximum}: go there in steps."
        )


class NoRoom(Conflict):
    """A list has no room for all cards of another one."""

    code = "no_room"

    def __init__(self, list_name: str, card_count: int, present_count: int, maximum: int) -> None:
        """Name the list, the number of cards that should enter, of those that are there, and of those that fit in."""
        cards = "1 card" if card_count == 1 else f"{card_count} cards"
        super().__init__(
            f"List {quote_name(list_name)} has no room for {cards}: it holds {present_count}, and at most "
            f"{maximum} fit in."
        )


class TooMuchToCopy(Conflict):
    """A card, or a list, holds more than one request can copy."""

    code = "too_much_to_copy"

    def __init__(self, kind: str, name: str, maximum: str) -> None:
        """Kind is 'card' or 'list', most what is allowed, in words."""
        super().__init__(
            f"{kind.capitalize()} {quote_name(name)} holds too much: one request copies at most {maximum}."
        )


class LastOwner(Conflict):
    """A board keeps an owner."""

    code = "last_owner"

    def __init__(self) -> None:
        """Say what would help."""
        super().__init__("This is the board's last owner: make somebody else an owner first, or delete the board.")


class TooManyMembers(Conflict):
    """The board has as many members as a board may have."""

    code = "too_many_members"

    def __init__(self, maximum: int) -> None:
        """Most is the number allowed."""
        super().__init__(f"This board has {maximum} members, the most a board may have.")


class LabelNameTaken(Conflict):
    """Another label of the board has this name, perhaps in another case."""

    code = "label_name_taken"

    def __init__(self, name: str) -> None:
        """Name is that of the label that is there."""
        super().__init__(f"This board has a label {quote_name(name)} already; upper and lower case are the same.")


class TooManyLabels(Conflict):
    """The board has as many labels as a board may have."""

    code = "too_many_labels"

    def __init__(self, maximum: int) -> None:
        """Most is the number allowed."""
        super().__init__(f"This board has {maximum} labels, the most a board may have.")


class TooManyAssignees(Conflict):
    """The card has as many assignees as a card may have."""

    code = "too_many_assignees"

    def __init__(self, card_title: str, maximum: int) -> None:
        """Name the card and the number allowed."""
        super().__init__(f"Card {quote_name(card_title)} has {maximum} assignees, the most a card may have.")


class TooManyChecklists(Conflict):
    """The card has as many checklists as a card may have."""

    code = "too_many_checklists"

    def __init__(self, card_title: str, maximum: int) -> None:
        """Name the card and the number allowed."""
        super().__init__(f"Card {quote_name(card_title)} has {maximum} checklists, the most a card may have.")


class TooManyItems(Conflict):
    """The checklist has as many items as a checklist may have."""

    code = "too_many_items"

    def __init__(self, checklist_name: str, maximum: int) -> None:
        """Name the checklist and the number allowed."""
        super().__init__(f"Checklist {quote_name(checklist_name)} has {maximum} items, the most a checklist may have.")


class TooManyComments(Conflict):
    """The card has as many comments as a card may have."""

    code = "too_many_comments"

    def __init__(self, card_title: str, maximum: int) -> None:
        """Name the card and the number allowed."""
        super().__init__(f"Card {quote_name(card_title)} has {maximum} comments, the most a card may have.")


class CardArchived(Conflict):
    """A card that was put away takes no part in the life of the board."""

    code = "card_archived"

    def __init__(self, card_title: str) -> None:
        """Name the card."""
        super().__init__(f"Card {quote_name(card_title)} is archived: unarchive it first.")


class ListArchived(Conflict):
    """No card enters a list that was put away."""

    code = "list_archived"

    def __init__(self, list_name: str) -> None:
        """Name the list."""
        super().__init__(f"List {quote_name(list_name)} is archived: unarchive it first.")


class ListDeleted(Conflict):
    """The list of a card that shall come back is deleted."""

    code = "list_deleted"

    def __init__(self, card_title: str) -> None:
        """Name the card."""
        super().__init__(f"The list of card {quote_name(card_title)} is deleted: restore the list first.")


class TooManyRunningClocks(Conflict):
    """More clocks run than can be stopped at once."""

    code = "too_many_running"

    def __init__(self, kind: str, name: str, maximum: int) -> None:
        """Kind is 'list' or 'board', most the number of clocks."""
        super().__init__(
            f"{kind.capitalize()} {quote_name(name)} has more than {maximum} cards in progress, too many to "
            f"stop at once: "
            "move, finish or archive some first."
        )


class BoardChanged(Conflict):
    """Pages that must be of one moment are not."""

    code = "board_changed"

    def __init__(self) -> None:
        super().__init__("The board was changed since the export was begun: begin again, without a cursor.")


class Unprocessable(DomainError):
    """The request is well formed but cannot be meant so.

    `field` is the member of the body, if one is; 'query/…' names a parameter of the query.
    """

    field: str | None = None


class TimestampOutOfRange(Unprocessable):
    """A moment of the years 2000 to 2999 where it was written is not one of them in UTC."""

    code = "moment_out_of_range"

    def __init__(self, field: str) -> None:
        """Field is the member of the body."""
        super().__init__(f"'{field}' lies outside the years 2000 to 2999 in UTC.")
        self.field = field


class UnknownReference(Unprocessable):
    """A field names something that is not on this board, or not in that list."""

    code = "unknown_reference"
    _MESSAGES: ClassVar[dict[str, str]] = {
        "board_id": "'board_id' names no board of yours.",
        "list_id": "'list_id' names no list of this board.",
        "before": "'before' names no neighbour there.",
        "after": "'after' names no neighbour there.",
        "label_ids": "'label_ids' names something that is no label of this board.",
        "assignee_id": "'assignee_id' names somebody who is no member of this board.",
        "assignee_ids": "'assignee_ids' names somebody who is no member of this board.",
        "user_id": "'user_id' names somebody who is no member of this board.",
    }

    def __init__(self, field: str) -> None:
        """Field is the member of the body."""
        super().__init__(self._MESSAGES.get(field, f"'{field}' names nothing on this board."))
        self.field = field


class SelfReference(Unprocessable):
    """A thing cannot be put next to itself."""

    code = "self_reference"

    def __init__(self, field: str) -> None:
        """Field is the member of the body."""
        there = "board that the card is on" if field == "board_id" else "very thing that is to be moved"
        super().__init__(f"'{field}' names the {there}.")
        self.field = field


class EndsBeforeStart(Unprocessable):
    """A range ends before it starts."""

    code = "ends_before_start"

    def __init__(self, start: str, end: str, *, in_query: bool = False) -> None:
        """Start and end are the members of the body, or the parameters of the query."""
        super().__init__(f"'{end}' lies before '{start}'.")
        self.field = f"query/{end}" if in_query else end


class CardTooLong(Unprocessable):
    """A card takes more room than a card may."""

    code = "card_too_long"
    field = "description"

    def __init__(self, size: int, maximum: int) -> None:
        super().__init__(f"Title, description and links would take {size} bytes, and at most {maximum} can be kept.")


class NoListsInImport(Unprocessable):
    """An import must bring at least one list."""

    code = "no_lists_in_import"

    def __init__(self) -> None:
        super().__init__("This export has no lists: there would be no place for a card.")
        self.field = "lists"


class BrokenExport(Unprocessable):
    """A document is not one whole export of a board, or was changed since."""

    code = "broken_export"

    def __init__(self, field: str, message: str) -> None:
        """Field is the JSON Pointer of what is wrong, without its first slash."""
        super().__init__(message)
        self.field = field


class IdempotencyKeyReused(Unprocessable):
    """A key came again with another request."""

    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__("This idempotency key was used for a different request.")


class Unauthenticated(DomainError):
    """The request needs a token, or another one."""

    code = "unauthenticated"


class SignupClosed(Unauthenticated):
    """Users cannot sign up by themselves here."""

    def __init__(self) -> None:
        super().__init__("Sign-up is closed: only the owner of this installation can make users.")


def conflict_for_duplicate(constraint: str) -> Conflict:
    """The refusal for something that the store says already exists: 'user', 'list.external_id', ..."""
    kind, _, name = constraint.partition(".")
    return ExternalIdTaken(kind) if name == "external_id" else IdTaken(kind)

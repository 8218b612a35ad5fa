"""Bots: users that are programs. Each belongs to a person, and ends with that person.

Whatever changes which bots a person has, or which of them are active, raises the version of the person. So it is stale
if the person was deactivated meanwhile, and no person has more bots than they may.
"""

from collections.abc import Sequence
from dataclasses import replace

from kanban.changes import ActionContext, Change
from kanban.errors import Conflict, Forbidden, LimitReached
from kanban.limits import MAX_BOTS_PER_USER
from kanban.tokens import TokenChanged
from kanban.values import User


class PersonOnly(Forbidden):
    """Raised when a bot would do what only people can."""

    code = "person_only"

    def __init__(self) -> None:
        super().__init__("A bot cannot do this: only people can.")


class UserIsBot(Conflict):
    """Raised when a bot should get what only people can have."""

    code = "user_is_bot"


class UserIsPerson(Conflict):
    """Raised when something should be done to a person that can be done to a bot only."""

    code = "user_is_person"

    def __init__(self) -> None:
        super().__init__("This user is a person, and not a bot: others can neither rename them nor hand them over.")


def ensure_may_own(user: User) -> None:
    """Raise UserIsBot if the user should become an owner of a board, but is a bot."""
    if user.owner_id is not None:
        raise UserIsBot("This user is a bot, and can't be an owner of a board: give it the role editor.")


def ensure_may_own_installation(user: User) -> None:
    """Raise UserIsBot if the user should become an owner of the installation, but is a bot."""
    if user.owner_id is not None:
        raise UserIsBot("This user is a bot, and can't be an owner of the installation.")


def ensure_may_sign_in(user: User) -> None:
    """Raise UserIsBot if the user should sign in, but is a bot."""
    if user.owner_id is not None:
        raise UserIsBot("This user is a bot, and can't sign in: its person creates tokens for it.")


def create(person: User, context: ActionContext, *, name: str, id: str | None = None) -> tuple[User, Change]:  # noqa: A002  (it is the id)
    """Create a bot of a person, with the id of their choice or a generated one.

    The store checks whether the id is taken. Raises LimitReached, TokenChanged if they were deactivated just now.
    """
    if person.deactivated_at is not None:
        raise TokenChanged
    ensure_room(person)
    bot = User(
        id=id or context.new_id("user"),
        name=name,
        version=1,
        created_at=context.at,
        updated_at=context.at,
        owner_id=person.id,
    )
    return bot, Change(creates=(bot,), updates=(set_bots(person, (*person.bot_ids, bot.id), context),))


def update(
    bot: User, context: ActionContext, *, owner: User, name: str | None = None, new_owner: User | None = None
) -> tuple[User, Change | None]:
    """Give the bot another name, or hand it over from its person to another one, who is active.

    None leaves it as it is; no change if nothing is different. Raises LimitReached.
    """
    updated = replace(bot, name=name or bot.name, owner_id=new_owner.id if new_owner else bot.owner_id)
    if updated == bot:
        return bot, None
    updated = replace(updated, version=bot.version + 1, updated_at=context.at)
    if new_owner is None or new_owner.id == owner.id:
        return updated, Change(updates=(updated,))
    ensure_room(new_owner)
    people = remove_bot(owner, bot.id, context), set_bots(new_owner, (*new_owner.bot_ids, bot.id), context)
    return updated, Change(updates=(updated, *people))


def ensure_room(person: User) -> None:
    """Raise LimitReached if the person has as many bots as they may."""
    if len(person.bot_ids) >= MAX_BOTS_PER_USER:
        raise LimitReached("bots", MAX_BOTS_PER_USER)


def remove_bot(person: User, bot_id: str, context: ActionContext) -> User:
    """Return the person without a bot."""
    return set_bots(person, [other_id for other_id in person.bot_ids if other_id != bot_id], context)


def set_bots(person: User, bot_ids: Sequence[str], context: ActionContext) -> User:
    """Return the person with these bots, in the next version."""
    return replace(person, bot_ids=tuple(bot_ids), version=person.version + 1, updated_at=context.at)

"""Reads of bots and their people."""

from kanban.errors import NotFound
from kanban.store import Store
from kanban.values import User


def list_bots(store: Store, person: User) -> list[User]:
    """Return the bots of a person, in the order in which they came to them. A bot has none."""
    users = store.read_users(person.bot_ids) if person.bot_ids else {}
    return [users[bot_id] for bot_id in person.bot_ids if bot_id in users]


def read_owner(store: Store, user: User) -> User | None:
    """Return the person of a bot; None for a person."""
    return store.read_user(user.owner_id) if user.owner_id is not None else None


def require_owner(store: Store, bot: User) -> User:
    """Return the person of a bot, who may be deactivated."""
    owner_id = bot.owner_id or ""
    return store.read_users([owner_id])[owner_id]


def require_bot(store: Store, person_id: str, bot_id: str) -> User:
    """Return a bot of a person. Raises NotFound if it is none of theirs, or deleted."""
    bot = store.read_user(bot_id)
    if bot is None or bot.owner_id != person_id or bot.deleted_at is not None:
        raise NotFound("bot")
    return bot

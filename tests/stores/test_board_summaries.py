"""What the operator sees of any board."""

from kanban import boards
from kanban.values import Role
from kanban.views import BoardSummary
from tests.stores.world import World


def summarize(world: World) -> BoardSummary:
    """Return the summary of the world's board."""
    summary = world.store.summarize_board(world.board_id)
    assert summary
    return summary


def test_a_board_has_its_members_and_the_number_of_its_live_cards(world: World) -> None:
    bob = world.add_user("Bob")
    world.add_member(bob, Role.VIEWER)
    world.add_list("Away")
    kept, deleted = world.add_card("Kept"), world.add_card("Deleted")
    world.add_card("In a deleted list", "Away")
    world.delete_card(deleted)
    world.delete_list("Away")

    summary = summarize(world)

    view = world.read_board()
    assert summary.board == view.board
    assert summary.members == view.members
    assert sorted(member.user_id for member in summary.members) == sorted((world.ann.id, bob.id))
    assert summary.card_count == 1
    assert kept.id


def test_many_cards_are_counted(world: World) -> None:
    for letter in "bcd":
        world.add_cards_with_ranks("To do", [f"a{letter}{number:02}1" for number in range(80)])

    assert summarize(world).card_count == 240


def test_a_deleted_board_has_a_summary(world: World) -> None:
    world.add_card("Card")
    world.store.commit(boards.delete(world.read_board(), world.context()))

    summary = summarize(world)

    assert summary.board.deleted_at
    assert [member.user_id for member in summary.members] == [world.ann.id]


def test_a_board_that_never_was_has_no_summary(world: World) -> None:
    assert world.store.summarize_board("brd_none") is None

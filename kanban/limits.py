"""Limits: how many things a board, a list, a card and a checklist can hold.

Limits of one rule, such as the cards of one bulk move, are defined beside that rule.
"""

MAX_LISTS_PER_BOARD = 100
"""Archived lists count, deleted ones do not."""

MAX_CARDS_PER_LIST = 5_000
"""Cards that are neither deleted nor archived."""

MAX_MEMBERS_PER_BOARD = 100

MAX_ASSIGNEES_PER_CARD = 40
"""Few enough that all of them can change in one commit of every engine."""

MAX_LABELS_PER_BOARD = 200

MAX_CHECKLISTS_PER_CARD = 20

MAX_ITEMS_PER_CHECKLIST = 100

MAX_COMMENTS_PER_CARD = 1_000

MAX_WEBHOOKS_PER_BOARD = 10

MAX_BOTS_PER_USER = 20
"""Few enough that all of them can be deactivated with their person in one commit of every engine."""

MAX_INVITATIONS_PER_BOARD = 50
"""Expired and used ones don't count."""

MAX_INVITATIONS_PER_INSTALLATION = 100
"""Those to no board."""

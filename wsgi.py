"""The WSGI application that servers import: `wsgi:application`.

Importing it opens the store as `tackboard.py run` does: it creates a missing one and brings an older one up to date.

Configuration comes from the environment: STORE_URL, OPEN_SIGNUP (1 lets anyone make a user), RATE_LIMIT (requests of
each user in a minute), CORS_ORIGINS (a list of web origins with commas between).
"""

import os

from app import configured, create_app
from stores import open_store

application = create_app(
    open_store(os.environ.get("STORE_URL", "sqlite:///tackboard.db")),
    **configured(os.environ),
)

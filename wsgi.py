"""The WSGI application that servers import: `wsgi:application`.

Importing it opens the store as `tackboard.py run` does: it creates a missing one and brings an older one up to date.

Configuration comes from the environment, as README lists it. What can't be meant stops the start with a sentence.
"""

import os

from app import create_app
from configuration import read_application
from stores import open_store

application = create_app(
    open_store(os.environ.get("STORE_URL", "sqlite:///tackboard.db")),
    **read_application(os.environ),
)

"""The programs that `make bench` measures, their environments, and what they don't check or do."""

import re
from dataclasses import dataclass

PEERS, CONNEXION_2 = ".venv-peers", ".venv-connexion2"


@dataclass(frozen=True, slots=True)
class Contender:
    """A program to measure.

    Attributes:
        name: Its name in tables.
        reference: The function that creates its handler, as 'module:name'.
        environment: The folder of the virtual environment that it runs in; none for the product's own.
        works: The kinds of work that it is put around. The product brings its own.
        unchecked: What it leaves out of what the product does.
    """

    name: str
    reference: str
    environment: str | None = None
    works: tuple[str, ...] = ("product", "own")
    unchecked: str = ""

    @property
    def file_name(self) -> str:
        """Return the name as part of a file's name."""
        return re.sub(r"\W+", "-", self.name)


PRODUCT = Contender("Tackboard", "tools.benchmarks.tackboard:lambda_function", works=("",))
WORK_ALONE = Contender("the work alone", "tools.benchmarks.tackboard:work_alone", works=("product", "own", "by hand"))

_NOT_DONE = "no 304, no idempotency keys, no log line, no problem documents"
_NO_HEADERS = f"headers and statuses of responses; {_NOT_DONE}"

CONTENDERS = (
    PRODUCT,
    Contender("Tackboard by serverless-wsgi", "tools.benchmarks.tackboard:by_serverless_wsgi", works=("",)),
    Contender(
        "Powertools",
        "tools.benchmarks.peers.warm_powertools:contender",
        PEERS,
        works=("product", "own", "by hand"),
        unchecked=_NO_HEADERS,
    ),
    Contender("FastAPI + Mangum", "tools.benchmarks.peers.warm_fastapi:contender", PEERS, unchecked=_NO_HEADERS),
    Contender("Litestar + Mangum", "tools.benchmarks.peers.warm_litestar:contender", PEERS, unchecked=_NO_HEADERS),
    Contender(
        "Flask + pydantic",
        "tools.benchmarks.peers.warm_flask:with_pydantic",
        PEERS,
        unchecked=_NO_HEADERS,
    ),
    Contender(
        "Flask, nothing validated",
        "tools.benchmarks.peers.warm_flask:without_validation",
        PEERS,
        unchecked=f"ids, limits and types; responses; {_NOT_DONE}",
    ),
    Contender(
        "connexion 3 as it comes",
        "tools.benchmarks.peers.warm_connexion:version_3",
        PEERS,
        unchecked=_NOT_DONE,
    ),
    Contender(
        "connexion 2 as it comes",
        "tools.benchmarks.peers.warm_connexion:version_2",
        CONNEXION_2,
        unchecked=_NOT_DONE,
    ),
    WORK_ALONE,
)

"""The goals for performance: ratios of the product to its peers, all measured in one run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from tools.benchmarks.contenders import PRODUCT, WORK_ALONE

Counted = Mapping[tuple[str, str, str], int]
"""Instructions of one request, by contender, kind of work and shape."""

GET, POST, REFUSED, LIST = "GET one card", "POST a card", "POST -> 400", "list of 50 cards"


Steps = Mapping[str, float]
"""What the steps of a start took: `import`, `first` (request), and `warm` (each of those that follow)."""


@dataclass(frozen=True, slots=True)
class RequestFigures:
    """Instructions of warm requests, and what follows from them."""

    counted: Counted

    def whole(self, contender: str, shape: str, work: str = "own") -> int:
        """Return the instructions of a whole request; the product always does its own work."""
        works = (work, "")
        return next(self.counted[contender, name, shape] for name in works if (contender, name, shape) in self.counted)

    def layers(self, contender: str, shape: str) -> int:
        """Return what a contender adds to the product's work."""
        return self.whole(contender, shape, "product") - self.counted[WORK_ALONE.name, "product", shape]


@dataclass(frozen=True, slots=True)
class StartFigures:
    """Instructions or seconds of starts, by contender."""

    taken: Mapping[str, Steps]

    def until_first_response(self, contender: str) -> float:
        """Return what a start takes up to the first response."""
        return self.taken[contender]["import"] + self.taken[contender]["first"]

    def warm_request(self, contender: str) -> float:
        """Return what a later request takes."""
        return self.taken[contender]["warm"]


F = TypeVar("F")


@dataclass(frozen=True, slots=True)
class Goal(Generic[F]):
    """A ratio to reach: at most `limit`, or at least, if a peer is meant to be slower.

    Attributes:
        subject: What is compared, for a row of the table.
        peer: The contender to compare with.
        limit: The bound of the ratio.
        measure: Returns the figure of a contender.
    """

    subject: str
    peer: str
    limit: float
    measure: Callable[[F, str], float]
    is_minimum: bool = False

    def compute_ratio(self, figures: F) -> float:
        """Return the ratio: the product's to the peer's, or the peer's to the product's for a minimum."""
        ours, theirs = (self.measure(figures, name) for name in (PRODUCT.name, self.peer))
        return theirs / ours if self.is_minimum else ours / theirs

    def is_reached(self, ratio: float) -> bool:
        """Return whether a ratio reaches the goal."""
        return ratio >= self.limit if self.is_minimum else ratio <= self.limit


def _over_the_work(peer: str, shape: str, limit: float) -> Goal[RequestFigures]:
    return Goal(f"over the work: {shape}", peer, limit, lambda figures, name: figures.layers(name, shape))


def _whole(peer: str, shape: str, limit: float, *, is_minimum: bool = False) -> Goal[RequestFigures]:
    subject = f"whole request, own queries: {shape}"
    return Goal(subject, peer, limit, lambda figures, name: figures.whole(name, shape), is_minimum)


REQUEST_GOALS = (
    *(_over_the_work("Powertools", shape, 0.45) for shape in (GET, POST)),
    *(_over_the_work("FastAPI + Mangum", shape, 0.30) for shape in (GET, POST)),
    *(_over_the_work(peer, LIST, 0.30) for peer in ("Powertools", "FastAPI + Mangum")),
    *(_whole("Powertools", shape, limit) for shape, limit in ((GET, 0.40), (POST, 0.70), (LIST, 0.50))),
    Goal(
        f"whole request, same work: {REFUSED}",
        "Powertools",
        1.0,
        lambda figures, name: figures.whole(name, REFUSED, "product"),
    ),
    *(
        _whole(f"connexion {version} as it comes", shape, limit, is_minimum=True)
        for version in (3, 2)
        for shape, limit in ((GET, 15), (LIST, 40))
    ),
)
"""The goals of a warm request."""

START_GOALS: tuple[Goal[StartFigures], ...] = (
    Goal("cold start to the first response", "Powertools + boto3", 0.75, StartFigures.until_first_response),
    Goal("cold start to the first response", "FastAPI + Mangum + boto3", 0.65, StartFigures.until_first_response),
    Goal("warm read, against one get", "Powertools + boto3", 0.75, StartFigures.warm_request),
)
"""The goals on DynamoDB."""

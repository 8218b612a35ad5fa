"""Litestar behind Mangum, with the same work behind it. msgspec validates requests and responses."""

from typing import Annotated, Any

import msgspec
from litestar import Litestar, Request, Response, get, post
from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult
from litestar.params import Parameter
from mangum import Mangum
from msgspec import UNSET, Meta, Struct, UnsetType

from tools.benchmarks.scene import Handler, Scene
from tools.benchmarks.work import OpenWork

BoardId = Annotated[str, Meta(pattern="^brd_[0-9a-z]{26}$")]
CardId = Annotated[str, Meta(pattern="^crd_[0-9a-z]{26}$")]
ListId = Annotated[str, Meta(pattern="^lst_[0-9a-z]{26}$")]
LabelId = Annotated[str, Meta(pattern="^lbl_[0-9a-z]{26}$")]
UserId = Annotated[str, Meta(pattern="^[a-z0-9_-]{3,40}$")]
Moment = Annotated[str, Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$")]
Minor = Annotated[int, Meta(ge=0, le=10**15)]
Count = Annotated[int, Meta(ge=0)]
Title = Annotated[str, Meta(min_length=1, max_length=500)]
Description = Annotated[str, Meta(max_length=20_000)]


class CardCreate(Struct, forbid_unknown_fields=True):  # type: ignore[call-arg] # mypy doesn't see msgspec here
    """A card to create."""

    title: Title
    description: Description | UnsetType = UNSET
    list_id: ListId | UnsetType | None = UNSET
    external_id: Annotated[str, Meta(min_length=1, max_length=200)] | UnsetType | None = UNSET


class Link(Struct):
    """A link on a card."""

    url: Annotated[str, Meta(pattern="^https?://[!-~]{1,2000}$")]
    title: Annotated[str, Meta(min_length=1, max_length=200)]


class Progress(Struct):
    """How far the checklists are."""

    done: Count
    total: Count


class Cost(Struct):
    """Money."""

    amount_minor: Minor
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")]
    formatted: Annotated[str, Meta(max_length=40)]


class Card(Struct):
    """A card."""

    id: CardId
    board_id: BoardId
    list_id: ListId
    title: Title
    description: Description
    status: Annotated[str, Meta(pattern="^(todo|in_progress|done)$")]
    external_id: Annotated[str, Meta(max_length=200)] | None
    rank: Annotated[str, Meta(pattern="^[0-9A-Za-z]+$", max_length=1_000)]
    start_at: Moment | None
    due_at: Moment | None
    due_complete: bool
    hourly_rate_minor: Minor | None
    label_ids: Annotated[list[LabelId], Meta(max_length=200)]
    assignee_ids: Annotated[list[UserId], Meta(max_length=40)]
    links: Annotated[list[Link], Meta(max_length=20)]
    checklist_progress: Progress
    comment_count: Count
    started_at: Moment | None
    resolved_at: Moment | None
    running_since: Moment | None
    elapsed_seconds: Count
    elapsed: Annotated[str, Meta(pattern="^[0-9]{2,}:[0-9]{2}:[0-9]{2}$")]
    cost: Cost
    version: Annotated[int, Meta(ge=1)]
    created_at: Moment
    updated_at: Moment
    archived_at: Moment | None


class CardPage(Struct):
    """A page of cards."""

    items: Annotated[list[Card], Meta(max_length=100)]
    next_cursor: Annotated[str, Meta(max_length=2_000)] | None


def contender(scene: Scene, open_work: OpenWork) -> Handler:
    """Create the handler of events."""
    work = open_work(scene)

    class Authentication(AbstractAuthenticationMiddleware):
        async def authenticate_request(self, connection: ASGIConnection[Any, Any, Any, Any]) -> AuthenticationResult:
            user = work.find_caller(connection.headers.get("authorization", ""))
            if user is None:
                raise NotAuthorizedException
            return AuthenticationResult(user=user, auth=None)

    @get("/v1/boards/{board_id:str}/cards/{card_id:str}", sync_to_thread=False)
    def get_card(board_id: BoardId, card_id: CardId, request: Request[Any, Any, Any]) -> Response[Card]:
        card = work.get_card(request.user, board_id, card_id)
        return Response(msgspec.convert(card.body, Card), headers={"etag": f'"{card.etag}"'})

    @post("/v1/boards/{board_id:str}/cards", sync_to_thread=False)
    def create_card(board_id: BoardId, data: CardCreate, request: Request[Any, Any, Any]) -> Response[Card]:
        card = work.create_card(request.user, board_id, msgspec.to_builtins(data))
        headers = {"etag": f'"{card.etag}"', "location": f"/v1{card.location}"}
        return Response(msgspec.convert(card.body, Card), headers=headers)

    @get("/v1/boards/{board_id:str}/cards", sync_to_thread=False)
    def list_cards(
        board_id: BoardId,
        request: Request[Any, Any, Any],
        limit: Annotated[int, Parameter(ge=1, le=100)] = 50,
        sort: Annotated[str, Parameter(pattern="^-?[a-z_]{1,20}$")] = "position",
    ) -> CardPage:
        page: CardPage = msgspec.convert(work.list_cards(request.user, board_id, limit, sort).body, CardPage)
        return page

    app = Litestar(
        [get_card, create_card, list_cards], middleware=[Authentication], openapi_config=None, logging_config=None
    )
    mangum = Mangum(app, lifespan="off")
    return lambda event: mangum(event, None)

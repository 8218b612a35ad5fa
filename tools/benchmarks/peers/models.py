"""The models that FastAPI, Powertools and Flask validate with pydantic: cards as their users describe them."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

BoardId = Annotated[str, Field(pattern="^brd_[0-9a-z]{26}$")]
CardId = Annotated[str, Field(pattern="^crd_[0-9a-z]{26}$")]
ListId = Annotated[str, Field(pattern="^lst_[0-9a-z]{26}$")]
LabelId = Annotated[str, Field(pattern="^lbl_[0-9a-z]{26}$")]
UserId = Annotated[str, Field(pattern="^[a-z0-9_-]{3,40}$")]
Moment = Annotated[str, Field(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$")]
Minor = Annotated[int, Field(ge=0, le=10**15)]


class CardCreate(BaseModel):
    """A card to create."""

    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, Field(min_length=1, max_length=500)]
    description: Annotated[str, Field(max_length=20_000)] = ""
    list_id: ListId | None = None
    external_id: Annotated[str, Field(min_length=1, max_length=200)] | None = None


class Link(BaseModel):
    """A link on a card."""

    url: Annotated[str, Field(pattern="^https?://[!-~]{1,2000}$")]
    title: Annotated[str, Field(min_length=1, max_length=200)]


class Progress(BaseModel):
    """How far the checklists are."""

    done: Annotated[int, Field(ge=0)]
    total: Annotated[int, Field(ge=0)]


class Cost(BaseModel):
    """Money."""

    amount_minor: Minor
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    formatted: Annotated[str, Field(max_length=40)]


class Card(BaseModel):
    """A card."""

    id: CardId
    board_id: BoardId
    list_id: ListId
    title: Annotated[str, Field(min_length=1, max_length=500)]
    description: Annotated[str, Field(max_length=20_000)]
    status: Literal["todo", "in_progress", "done"]
    external_id: Annotated[str, Field(max_length=200)] | None
    rank: Annotated[str, Field(pattern="^[0-9A-Za-z]+$", max_length=1_000)]
    start_at: Moment | None
    due_at: Moment | None
    due_complete: bool
    hourly_rate_minor: Minor | None
    label_ids: Annotated[list[LabelId], Field(max_length=200)]
    assignee_ids: Annotated[list[UserId], Field(max_length=40)]
    links: Annotated[list[Link], Field(max_length=20)]
    checklist_progress: Progress
    comment_count: Annotated[int, Field(ge=0)]
    started_at: Moment | None
    resolved_at: Moment | None
    running_since: Moment | None
    elapsed_seconds: Annotated[int, Field(ge=0)]
    elapsed: Annotated[str, Field(pattern="^[0-9]{2,}:[0-9]{2}:[0-9]{2}$")]
    cost: Cost
    version: Annotated[int, Field(ge=1)]
    created_at: Moment
    updated_at: Moment
    archived_at: Moment | None


class CardPage(BaseModel):
    """A page of cards."""

    items: Annotated[list[Card], Field(max_length=100)]
    next_cursor: Annotated[str, Field(max_length=2_000)] | None


class CardListing(BaseModel):
    """The query of a page of cards."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=100)] = 50
    sort: Annotated[str, Field(pattern="^-?[a-z_]{1,20}$")] = "position"

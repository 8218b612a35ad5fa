"""FastAPI behind Mangum, with the same work behind it. pydantic validates requests and responses."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException, Query, Response
from mangum import Mangum

from tools.benchmarks.peers.models import BoardId, Card, CardCreate, CardId, CardPage
from tools.benchmarks.scene import Handler, Scene
from tools.benchmarks.work import OpenWork


def contender(scene: Scene, open_work: OpenWork) -> Handler:
    """Create the handler of events."""
    app, work = FastAPI(), open_work(scene)

    async def find_caller(authorization: Annotated[str, Header()]) -> Any:
        user = work.find_caller(authorization)
        if user is None:
            raise HTTPException(401)
        return user

    # Coroutines, because FastAPI runs plain functions in a thread pool, which costs much more.
    @app.get("/v1/boards/{board_id}/cards/{card_id}", response_model=Card)
    async def get_card(
        board_id: BoardId, card_id: CardId, who: Annotated[Any, Depends(find_caller)], out: Response
    ) -> Any:
        answer = work.get_card(who, board_id, card_id)
        out.headers["etag"] = f'"{answer.etag}"'
        return answer.body

    @app.post("/v1/boards/{board_id}/cards", response_model=Card, status_code=201)
    async def create_card(
        board_id: BoardId, body: CardCreate, who: Annotated[Any, Depends(find_caller)], out: Response
    ) -> Any:
        answer = work.create_card(who, board_id, body.model_dump(exclude_unset=True))
        out.headers["etag"] = f'"{answer.etag}"'
        out.headers["location"] = f"/v1{answer.location}"
        return answer.body

    @app.get("/v1/boards/{board_id}/cards", response_model=CardPage)
    async def list_cards(
        board_id: BoardId,
        who: Annotated[Any, Depends(find_caller)],
        limit: Annotated[int, Query(ge=1, le=100)] = 50,
        sort: Annotated[str, Query(pattern="^-?[a-z_]{1,20}$")] = "position",
    ) -> Any:
        return work.list_cards(who, board_id, limit, sort).body

    mangum = Mangum(app, lifespan="off")
    return lambda event: mangum(event, None)

"""Requests that are held: those that wait for news of a board, and those that are answered with a stream of events.

A held request is answered again, as if it had just been sent, whenever its board has another seq. So each
response is authorized at the moment when it is sent.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from contract.event_streams import COMMENT, RETRY_FIELD
from contract.messages import FeedPosition, Response
from contract.request_context import RequestContext
from server.followers import Followers, FollowSettings, Wakeup
from server.lanes import Lane

ConnectionEnd = asyncio.Future[None]
"""Is done when the connection has ended."""
Send = Callable[[Any], Any]


@dataclass(slots=True)
class ReceivedRequest:
    """A request without its body, and what became of it so far."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    address: str
    context: RequestContext = field(default_factory=RequestContext)
    """The context of its latest response."""
    is_answered: bool = False
    """Whether it was answered before, by a response that is not the last."""
    seconds: float = 0.0
    """How long it took to answer it, each time."""
    queue_seconds: float = 0.0
    """How long it waited for a thread, each time."""
    lane: str = ""
    """The lane in which it was answered first; empty if it needed no thread."""
    held_since: float | None = None
    """The loop's time since when it has been held."""
    sent_bytes: int | None = None
    """How many bytes of a stream were sent."""

    def hold(self, now: float) -> None:
        """Note that it is held from now on: it keeps its request id."""
        self.held_since = now
        self.headers = {**self.headers, "x-request-id": self.context.request_id}


class RequestEnded(Exception):
    """There is nothing to send any more: the client has closed the connection, or has got its stream."""


class HeldRequests:
    """Holds the requests of a server."""

    def __init__(
        self,
        followers: Followers,
        lane: Lane,
        settings: FollowSettings,
        answer: Callable[[ReceivedRequest], Response],
        log: Callable[[ReceivedRequest, Response], None],
    ) -> None:
        """Answer held requests in a lane. `log` is called at the end of those whose last response is not logged."""
        self._followers = followers
        self._lane = lane
        self._settings = settings
        self._answer = answer
        self._log = log

    async def hold(
        self, request: ReceivedRequest, response: Response, position: FeedPosition, end: ConnectionEnd, send: Send
    ) -> Response:
        """Go on with a response that is not all that the client asked for, and return the one to send.

        Raises:
            Problem: Too many requests are held.
            RequestEnded: There is nothing to send any more.
        """
        if not response.is_stream:
            return await self._wait(request, response, position, end)
        await self._stream(request, response, position, end, send)
        raise RequestEnded

    async def _wait(
        self, request: ReceivedRequest, response: Response, position: FeedPosition, end: ConnectionEnd
    ) -> Response:
        """Return the response to a request that waits for news: when there are some, or the time is over."""
        now = asyncio.get_running_loop().time
        ends_at = now() + position.wait_seconds
        latest: FeedPosition | None = position
        with self._followers.admit(_get_user_id(request)):
            request.hold(now())
            while latest:
                reason = await self._followers.wait(latest.board_id, latest.seq, ends_at - now(), end)
                if reason is Wakeup.NEWS or reason is Wakeup.TIME:
                    response = await self._answer_again(request)
                    latest = response.feed_position
                if latest and reason is not Wakeup.NEWS:
                    self._log(request, response)
                    if reason is Wakeup.GONE:
                        raise RequestEnded
                    break
        return response

    async def _stream(
        self, request: ReceivedRequest, response: Response, position: FeedPosition, end: ConnectionEnd, send: Send
    ) -> None:
        """Send a stream of events until its time is over, it can't go on, or the client has closed the connection."""
        now = asyncio.get_running_loop().time
        sender = _StreamSender(send, request)
        if request.method == "HEAD":
            await sender.send_head(response.headers)
            self._log(request, response)
            return
        with self._followers.admit(_get_user_id(request)):
            request.hold(now())
            ends_at = now() + self._settings.stream
            try:
                await sender.send_head(response.headers, RETRY_FIELD + response.body)
                # A first page may be long, and the stream lives for minutes.
                response.body = b""
                latest: FeedPosition | None = position
                while latest:
                    latest = await self._send_next(request, latest, ends_at, end, sender)
                await sender.end()
            except asyncio.CancelledError:
                # The server stops, and this client doesn't read.
                pass
            finally:
                self._log(request, response)

    async def _send_next(
        self,
        request: ReceivedRequest,
        position: FeedPosition,
        ends_at: float,
        end: ConnectionEnd,
        sender: "_StreamSender",
    ) -> FeedPosition | None:
        """Send the next part of a stream, and return how far it has got; None at its end."""
        now = asyncio.get_running_loop().time
        reason = Wakeup.NEWS
        if not position.has_more or end.done():
            seconds = min(self._settings.heartbeat, ends_at - now())
            reason = await self._followers.wait(position.board_id, position.seq, seconds, end)
        if reason is Wakeup.NEWS:
            request.headers = {**request.headers, "last-event-id": str(position.last_seq)}
            response = await self._answer_again(request)
            if not response.is_stream:
                return None
            await sender.send(response.body)
            return response.feed_position
        if reason is Wakeup.TIME and now() < ends_at:
            await sender.send(COMMENT)
            return position
        return None

    async def _answer_again(self, request: ReceivedRequest) -> Response:
        """Answer a request anew, in a lane where all followers may wait at once."""
        return await self._lane.run(partial(self._answer, request))


class _StreamSender:
    """Sends the parts of a stream. A client that reads slowly makes it wait: nothing is kept for the client."""

    def __init__(self, send: Send, request: ReceivedRequest) -> None:
        self._send = send
        self._request = request
        request.sent_bytes = 0

    async def send_head(self, headers: Iterable[tuple[str, str]], body: bytes | None = None) -> None:
        """Send the headers with the first part, or without any part that follows."""
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        await self._send({"type": "http.response.start", "status": 200, "headers": raw})
        if body is None:
            await self.end()
        else:
            await self.send(body)

    async def send(self, part: bytes) -> None:
        if part:
            await self._send({"type": "http.response.body", "body": part, "more_body": True})
            self._request.sent_bytes = (self._request.sent_bytes or 0) + len(part)

    async def end(self) -> None:
        await self._send({"type": "http.response.body", "body": b""})


def _get_user_id(request: ReceivedRequest) -> str:
    """Return the user whose request it is. Whoever may follow a board is somebody."""
    return str(request.context.caller.user_id)

"""A proxy that delays every response of the API."""

import asyncio
import re
from contextlib import suppress
from threading import Thread
from types import TracebackType
from typing import Self

_API_REQUEST = re.compile(rb"[A-Z]+ /v1/")


class SlowProxy:
    """A proxy on a free port of this machine, as a context manager.

    Only paths that begin with /v1/ are delayed. Files are not, so that tests don't wait for them.
    """

    def __init__(self, host: str, port: int, delay: float) -> None:
        self._server = (host, port)
        self._delay = delay
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="slow proxy")
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> None:
        """Listen for connections."""
        self._listener = await asyncio.start_server(self._forward, "127.0.0.1", 0)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        """Stop listening and close all connections."""
        self._listener.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _forward(self, browser: asyncio.StreamReader, to_browser: asyncio.StreamWriter) -> None:
        """Forward one connection until either side closes it."""
        next_delay = 0.0
        server, to_server = await asyncio.open_connection(*self._server)

        async def forward_requests() -> None:
            nonlocal next_delay
            while chunk := await browser.read(65_536):
                # A browser sends the next request of a connection after the response to the one before.
                if _API_REQUEST.match(chunk):
                    next_delay = self._delay
                to_server.write(chunk)
                await to_server.drain()

        async def forward_responses() -> None:
            nonlocal next_delay
            while chunk := await server.read(65_536):
                delay, next_delay = next_delay, 0.0
                await asyncio.sleep(delay)
                to_browser.write(chunk)
                await to_browser.drain()

        tasks = [asyncio.create_task(forward_requests()), asyncio.create_task(forward_responses())]
        try:
            with suppress(OSError, asyncio.CancelledError):
                _, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in pending:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            to_server.close()
            to_browser.close()

"""A slow line to a server: it passes on every byte, but every answer of the API takes a while longer."""

import asyncio
import re
from contextlib import suppress
from threading import Thread
from types import TracebackType
from typing import Self

_TO_THE_API = re.compile(rb"[A-Z]+ /v1/")


class SlowLine:
    """A proxy on a free port of this machine; use it as a context.

    Files come without delay: only what starts with /v1/ is slow, so that a test waits for what it is about.
    """

    def __init__(self, host: str, port: int, delay: float) -> None:
        self._server = (host, port)
        self._delay = delay
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="slow line")
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._hang_up(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> None:
        """Take calls."""
        self._listening = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = self._listening.sockets[0].getsockname()[1]

    async def _hang_up(self) -> None:
        """Take no more calls, and end every conversation."""
        self._listening.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _carry(self, browser: asyncio.StreamReader, to_browser: asyncio.StreamWriter) -> None:
        """Carry one connection, until either side ends it."""
        waiting = 0.0
        server, to_server = await asyncio.open_connection(*self._server)

        async def carry_requests() -> None:
            nonlocal waiting
            while piece := await browser.read(65_536):
                # A browser sends the next request of a connection when it has the answer to the one before.
                if _TO_THE_API.match(piece):
                    waiting = self._delay
                to_server.write(piece)
                await to_server.drain()

        async def carry_answers() -> None:
            nonlocal waiting
            while piece := await server.read(65_536):
                delay, waiting = waiting, 0.0
                await asyncio.sleep(delay)
                to_browser.write(piece)
                await to_browser.drain()

        tasks = [asyncio.create_task(carry_requests()), asyncio.create_task(carry_answers())]
        try:
            with suppress(OSError, asyncio.CancelledError):
                _, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in pending:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            to_server.close()
            to_browser.close()

"""A connection to PostgreSQL in pipeline mode: many statements are sent together and answered in one round trip.

It calls libpq through psycopg. psycopg's own cursors could do the same, but take five times the CPU.
"""

import select
from collections import deque
from collections.abc import Sequence
from itertools import count
from typing import Any

import psycopg
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

from stores.sql.mapping import Row

MAX_SILENCE = 10.0
"""After how many seconds without an answer a connection counts as broken."""

_LOST_MESSAGE = "The connection to the server was lost."
_ERROR_STATUSES = {ExecStatus.FATAL_ERROR, ExecStatus.NONFATAL_ERROR, ExecStatus.BAD_RESPONSE}


class Pipeline:
    """One connection, for one thread at a time. Every method may raise psycopg.Error.

    All statements between two calls of `finish` are one transaction; PostgreSQL skips those after an error.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        """Take a connection that nothing else uses and that is not in a transaction."""
        self._connection = connection
        self._libpq = connection.pgconn
        self._libpq.enter_pipeline_mode()
        self._transformer = Transformer.from_context(connection)
        self._readable = select.poll()
        self._readable.register(self._libpq.socket, select.POLLIN)
        self._readable_or_writable = select.poll()
        self._readable_or_writable.register(self._libpq.socket, select.POLLIN | select.POLLOUT)
        # The names of the statements that the server has prepared, by their text.
        self._statement_names: dict[str, bytes] = {}
        self._name_numbers = count()
        # What the server has yet to answer: the text of a statement to prepare, or None for an execution.
        self._pending: deque[str | None] = deque()

    def send(self, text: str, parameters: Sequence[Any]) -> None:
        """Queue a statement. It is sent at the latest by the next `receive` or `finish`."""
        name = self._statement_names.get(text)
        if name is None:
            name = self._statement_names[text] = b"s%d" % next(self._name_numbers)
            self._libpq.send_prepare(name, text.encode())
            self._pending.append(text)
        self._libpq.send_query_prepared(name, [_encode(value) for value in parameters])
        self._pending.append(None)

    def receive(self) -> list[PGresult]:
        """Return the results of all statements sent since the last call; the transaction goes on.

        After an error the transaction is over, and nothing of it was written.
        """
        self._libpq.send_flush_request()
        return self._collect_results(at_end=False)

    def finish(self) -> list[PGresult]:
        """Return results as `receive` does, and commit the transaction, or roll it back after an error."""
        self._libpq.pipeline_sync()
        return self._collect_results(at_end=True)

    def load_rows(self, result: PGresult) -> list[Row]:
        """Return the rows of a result."""
        self._transformer.set_pgresult(result)
        return self._transformer.load_rows(0, result.ntuples, tuple)

    def is_clean(self) -> bool:
        """Tell whether there is no open transaction and no result to come."""
        return not self._pending and self._libpq.transaction_status == TransactionStatus.IDLE

    def is_quiet(self) -> bool:
        """Tell whether the server has sent nothing unasked, which would mean that it ends the connection."""
        return not self._readable.poll(0)

    def close(self) -> None:
        """Close the connection; the server rolls back what was not committed."""
        self._connection.close()

    def _collect_results(self, *, at_end: bool) -> list[PGresult]:
        results = []
        error = None
        while self._pending:
            text_to_prepare = self._pending.popleft()
            result = self._next_result()
            # A None ends the results of each statement.
            self._libpq.get_result()
            if result.status in _ERROR_STATUSES and error is None:
                error = error_from_result(result)
            if text_to_prepare is None:
                results.append(result)
            elif result.status != ExecStatus.COMMAND_OK:
                del self._statement_names[text_to_prepare]
        if error and not at_end:
            self._libpq.pipeline_sync()
        if error or at_end:
            self._next_result()
        if error:
            raise error
        return results

    def _next_result(self) -> PGresult:
        libpq = self._libpq
        while (unsent := libpq.flush()) or libpq.is_busy():
            # libpq could wait itself, but would block all other threads too.
            if not (self._readable_or_writable if unsent else self._readable).poll(MAX_SILENCE * 1000):
                raise psycopg.OperationalError(_LOST_MESSAGE)
            libpq.consume_input()
        result = libpq.get_result()
        if result is None:
            raise psycopg.OperationalError(_LOST_MESSAGE)
        return result


def _encode(value: str | int | bytes | None) -> bytes | None:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        return b"\\x" + value.hex().encode()
    return None if value is None else b"%d" % value

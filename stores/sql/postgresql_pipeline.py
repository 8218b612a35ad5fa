"""A connection to PostgreSQL on which statements travel together: many go out, one round trip brings all answers.

It speaks to libpq through psycopg. psycopg's own cursors could do the same at five times the CPU.
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
"""How many seconds the server may be silent before the connection is taken for broken."""

_LOST_MESSAGE = "The connection to the server was lost."
_ERROR_STATUSES = {ExecStatus.FATAL_ERROR, ExecStatus.NONFATAL_ERROR, ExecStatus.BAD_RESPONSE}


class Pipeline:
    """One connection, for one thread at a time. Everything raises psycopg.Error.

    What is sent from one `finish` to the next is one transaction, and PostgreSQL leaves out what comes after an error.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        """A connection that nobody else uses, without a transaction."""
        self._connection = connection
        self._libpq = connection.pgconn
        self._libpq.enter_pipeline_mode()
        self._transformer = Transformer.from_context(connection)
        self._readable = select.poll()
        self._readable.register(self._libpq.socket, select.POLLIN)
        self._readable_or_writable = select.poll()
        self._readable_or_writable.register(self._libpq.socket, select.POLLIN | select.POLLOUT)
        # What the server calls the statements that it has prepared.
        self._statement_names: dict[str, bytes] = {}
        self._name_numbers = count()
        # What has yet to be answered: a text that is to be prepared, or None for a statement.
        self._pending: deque[str | None] = deque()

    def send(self, text: str, parameters: Sequence[Any]) -> None:
        """Let a statement go out, at the latest when its answer is waited for."""
        name = self._statement_names.get(text)
        if name is None:
            name = self._statement_names[text] = b"s%d" % next(self._name_numbers)
            self._libpq.send_prepare(name, text.encode())
            self._pending.append(text)
        self._libpq.send_query_prepared(name, [_encode(value) for value in parameters])
        self._pending.append(None)

    def receive(self) -> list[PGresult]:
        """The answers to what was sent and not received yet; the transaction goes on.

        After an error it is over: nothing of it was written.
        """
        self._libpq.send_flush_request()
        return self._collect_results(at_end=False)

    def finish(self) -> list[PGresult]:
        """As `receive`, and the transaction is committed, or after an error rolled back."""
        self._libpq.pipeline_sync()
        return self._collect_results(at_end=True)

    def load_rows(self, result: PGresult) -> list[Row]:
        """The rows in an answer."""
        self._transformer.set_pgresult(result)
        return self._transformer.load_rows(0, result.ntuples, tuple)

    def is_clean(self) -> bool:
        """Whether it has no transaction and no answer to come."""
        return not self._pending and self._libpq.transaction_status == TransactionStatus.IDLE

    def is_quiet(self) -> bool:
        """Whether the server has said nothing unasked. What it says then is farewell, or the connection's end."""
        return not self._readable.poll(0)

    def close(self) -> None:
        """Leave the server; what was not committed is rolled back."""
        self._connection.close()

    def _collect_results(self, *, at_end: bool) -> list[PGresult]:
        answers = []
        error = None
        while self._pending:
            text = self._pending.popleft()
            result = self._next_result()
            # An empty answer ends those to each statement.
            self._libpq.get_result()
            if result.status in _ERROR_STATUSES and error is None:
                error = error_from_result(result)
            if text is None:
                answers.append(result)
            elif result.status != ExecStatus.COMMAND_OK:
                del self._statement_names[text]
        if error and not at_end:
            self._libpq.pipeline_sync()
        if error or at_end:
            self._next_result()
        if error:
            raise error
        return answers

    def _next_result(self) -> PGresult:
        libpq = self._libpq
        while (unsent := libpq.flush()) or libpq.is_busy():
            # libpq itself would wait as well, but keep all other threads waiting too.
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

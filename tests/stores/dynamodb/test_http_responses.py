"""Responses as they arrive, whole or in part: read like the standard library's client reads them, or not at all."""

import random
from http.client import HTTPException, HTTPResponse
from io import BytesIO
from typing import Any, cast

import pytest

from stores.dynamodb.http_responses import IncompleteResponse, MalformedResponse, read_response

Outcome = tuple[int, bytes, str | None]

WHOLE: dict[str, bytes] = {
    "with a length": b'HTTP/1.1 200 OK\r\nServer: Server\r\nx-amz-crc32: 17\r\nContent-Length: 10\r\n\r\n{"Item":1}',
    "as DynamoDB sends it": (
        b"HTTP/1.1 400 Bad Request\r\nServer: Server\r\nDate: Mon, 30 Nov 2026 10:00:00 GMT\r\n"
        b"Content-Type: application/x-amz-json-1.0\r\nContent-Length: 2\r\nConnection: keep-alive\r\n"
        b"x-amzn-RequestId: ABC\r\nx-amz-crc32: 2745614147\r\n\r\n{}"
    ),
    "empty": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "without a reason": b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n{}",
    "no content": b"HTTP/1.1 204 No Content\r\nx-amz-crc32: 0\r\n\r\n",
    "in chunks": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"4\r\n{\r\n}\r\n1;a=b\r\n \r\nA\r\n0123456789\r\n0\r\n\r\n"
    ),
    "in chunks with a trailer": b"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n2\r\n{}\r\n0\r\nx: y\r\n\r\n",
    "with a length twice": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\ncontent-length: 2\r\n\r\n{}",
}
UNTIL_CLOSED = b"HTTP/1.0 500 Error\r\nContent-Type: text/html\r\n\r\n<html>"

MALFORMED: dict[str, bytes] = {
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "another version": b"HTTP/2 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "no status": b"HTTP/1.1 OK\r\nContent-Length: 2\r\n\r\n{}",
    "a status that ends nothing": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "a line without a name": b"HTTP/1.1 200 OK\r\nContent-Length 2\r\n\r\n{}",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
    "a list of lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\n{}",
    "a length with a sign": b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\n{}",
    "a negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}",
    "a length in other digits": "HTTP/1.1 200 OK\r\nContent-Length: ²\r\n\r\n{}".encode("latin-1"),
    "a length in words": b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n{}",
    "a length and chunks": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "another encoding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n{}",
    "a chunk without a length": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n{}\r\n0\r\n\r\n",
    "a chunk longer than it says": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n",
    "a head without an end": b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 100_000,
}


class Arriving:
    """A connection over which bytes arrive in pieces, and then nothing more."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = [piece for piece in pieces if piece]

    def recv(self, count: int) -> bytes:
        """Return the next piece, or as much of it as is asked for."""
        if not self._pieces:
            return b""
        piece = self._pieces.pop(0)
        if piece[count:]:
            self._pieces.insert(0, piece[count:])
        return piece[:count]


def read(*pieces: bytes) -> tuple[Outcome, bool]:
    response, stays_open = read_response(cast("Any", Arriving(*pieces)))
    return tuple(response), stays_open  # type: ignore[return-value]  # a named tuple of these


class _StreamedSocket:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def makefile(self, _mode: str) -> BytesIO:
        return BytesIO(self._content)


def read_by_standard_library(content: bytes) -> Outcome | None:
    """Return what the standard library reads, None if that is no response."""
    response = HTTPResponse(cast("Any", _StreamedSocket(content)), method="POST")
    try:
        response.begin()
        checksum = response.getheader("x-amz-crc32")
        return response.status, response.read(), checksum if checksum is None else checksum.strip()
    except HTTPException:
        return None


@pytest.mark.parametrize("name", WHOLE)
def test_a_response_is_read_as_the_standard_library_reads_it(name: str) -> None:
    content = WHOLE[name]

    outcome, stays_open = read(content)

    assert outcome == read_by_standard_library(content)
    assert stays_open


@pytest.mark.parametrize("name", WHOLE)
def test_a_response_may_arrive_in_any_pieces(name: str) -> None:
    content = WHOLE[name]
    whole = read(content)
    assert read(*(content[index : index + 1] for index in range(len(content)))) == whole
    generator = random.Random(1)  # noqa: S311  (it draws examples)
    for _ in range(50):
        first, second = sorted(generator.choices(range(len(content)), k=2))
        assert read(content[:first], content[first:second], content[second:]) == whole


@pytest.mark.parametrize("name", WHOLE)
def test_a_part_of_a_response_is_never_taken_for_the_whole(name: str) -> None:
    content = WHOLE[name]

    for end in range(len(content)):
        with pytest.raises(IncompleteResponse):
            read(content[:end])


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_response_is_refused(name: str) -> None:
    with pytest.raises(MalformedResponse):
        read(MALFORMED[name])


def test_a_response_without_a_length_ends_with_the_connection() -> None:
    for stream in ([UNTIL_CLOSED], [UNTIL_CLOSED[:-3], UNTIL_CLOSED[-3:]]):
        outcome, stays_open = read(*stream)

        assert outcome == read_by_standard_library(UNTIL_CLOSED) == (500, b"<html>", None)
        assert not stays_open


@pytest.mark.parametrize(
    "content",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nconnection: Close\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\n",
    ],
    ids=["announced", "in other letters", "HTTP/1.0", "more than a response"],
)
def test_a_connection_that_cannot_be_used_again_is_closed(content: bytes) -> None:
    assert read(content) == ((200, b"{}", None), False)


def test_random_changes_of_a_response_never_make_another_one() -> None:
    generator = random.Random(2)  # noqa: S311  (as above)
    for content in WHOLE.values():
        for _ in range(300):
            changed = bytearray(content)
            changed[generator.randrange(len(changed))] = generator.choice(b"\r\n\0: 019azHT;{\xff")
            expected = read_by_standard_library(bytes(changed))
            try:
                outcome, _ = read(bytes(changed))
            except (IncompleteResponse, MalformedResponse):
                continue
            assert outcome == expected, bytes(changed)

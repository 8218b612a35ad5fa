"""What is sent to SQS, as a server of its protocol sees it."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws.sqs_queue import SqsQueue, create_sqs_client

URL = "https://sqs.eu-central-1.amazonaws.com/123456789012/tackboard-dev-readers"


class FakeSqs:
    """A server that responds with these statuses in turn, and with 200 after them."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.statuses: list[int] = []

    def answer(self, target: str, body: bytes) -> int:
        """Return the status of the response to a request."""
        self.requests.append((target, json.loads(body)))
        return self.statuses.pop(0) if self.statuses else 200


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSqs]:
    fake = FakeSqs()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = fake.answer(self.headers["X-Amz-Target"], body)
            content = b'{"MessageId": "1"}' if status == 200 else b'{"__type": "InternalFailure"}'
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  (as http.server names it)
            """Write no line for each request."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_address[1]}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        yield fake
        server.shutdown()
        thread.join()


def test_a_message_names_the_board_and_the_reader(sqs: FakeSqs) -> None:
    SqsQueue(create_sqs_client("eu-central-1"), URL).send("brd_1", "webhook:whk_1", 6)

    ((target, request),) = sqs.requests
    assert target == "AmazonSQS.SendMessage"
    assert (request["QueueUrl"], request["DelaySeconds"]) == (URL, 6)
    assert json.loads(request["MessageBody"]) == {"board_id": "brd_1", "reader": "webhook:whk_1"}


def test_a_message_of_a_job_names_who_has_started_it(sqs: FakeSqs) -> None:
    SqsQueue(create_sqs_client("eu-central-1"), URL).send_job("mina", "job_1")

    ((_, request),) = sqs.requests
    assert json.loads(request["MessageBody"]) == {"user_id": "mina", "job_id": "job_1"}


def test_a_message_is_sent_again_after_a_failure_and_not_for_ever(
    sqs: FakeSqs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    queue = SqsQueue(create_sqs_client("eu-central-1"), URL)
    sqs.statuses = [500]
    queue.send("brd_1", "webhook:whk_1")
    sqs.statuses = [500] * 9

    with pytest.raises(ClientError):
        queue.send("brd_1", "webhook:whk_1")
    assert len(sqs.requests) == 2 + 3


def test_a_message_names_the_board_that_lacks_flow_segments(sqs: FakeSqs) -> None:
    SqsQueue(create_sqs_client("eu-central-1"), URL).send_board("brd_1")

    ((_, request),) = sqs.requests
    assert (request["QueueUrl"], json.loads(request["MessageBody"])) == (URL, {"segments_of": "brd_1"})

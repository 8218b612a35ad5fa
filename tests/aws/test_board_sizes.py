"""The sizes of boards are metrics of the embedded metric format."""

import json

from aws.board_sizes import BoardSizes
from kanban.flow.flow_segments import FlowSegment
from tests.stores.world import NOON


def test_the_size_of_a_board_is_a_metric_of_the_stage() -> None:
    lines: list[bytes] = []

    BoardSizes("prod", lambda: NOON, lines.append).record(FlowSegment("brd_1", 4500, NOON, b""), 3)

    (line,) = map(json.loads, lines)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert line["_aws"]["Timestamp"] == int(NOON.timestamp() * 1000)
    assert (directive["Namespace"], directive["Dimensions"]) == ("Tackboard", [["Stage"]])
    assert directive["Metrics"] == [{"Name": "BoardGigabytes", "Unit": "Gigabytes"}]
    assert (line["BoardGigabytes"], line["events"]) == (3, 4500)
    assert (line["Stage"], line["board_id"], line["time"]) == ("prod", "brd_1", "2026-11-20T12:00:00.000+00:00")

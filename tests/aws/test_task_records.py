"""A task of a schedule that has ended well leaves a line that is a metric."""

import json
from datetime import UTC, datetime

from aws.task_records import TaskRecorder

NOW = datetime(2026, 11, 21, 14, tzinfo=UTC)


def test_the_line_of_a_task_is_a_metric_by_stage_and_task() -> None:
    lines: list[bytes] = []

    TaskRecorder("prod", lambda: NOW, lines.append).bind("purge")()

    (line,) = map(json.loads, lines)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "Tackboard"
    assert [line[name] for name in directive["Dimensions"][0]] == ["prod", "purge"]
    assert [line[metric["Name"]] for metric in directive["Metrics"]] == [1]
    assert (line["time"], line["message"]) == ("2026-11-21T14:00:00.000+00:00", "task")

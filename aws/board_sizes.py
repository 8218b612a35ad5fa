"""Write how large boards are, as metrics: DynamoDB ends a board at ten gigabytes.

DynamoDB estimates the size when something is written to the board, so it is known with each flow segment.
"""

from collections.abc import Callable
from datetime import datetime

from contract.log_lines import encode_as_json
from kanban.flow.flow_segments import FlowSegment


class BoardSizes:
    """Writes a line of JSON for each segment, which is log and metrics at once (the embedded metric format)."""

    def __init__(self, stage: str, clock: Callable[[], datetime], write: Callable[[bytes], object]) -> None:
        self._stage = stage
        self._clock = clock
        self._write = write

    def record(self, segment: FlowSegment, gigabytes: int) -> None:
        """Write the size of a board that a segment was added to."""
        now = self._clock()
        metrics = [{"Name": "BoardGigabytes", "Unit": "Gigabytes"}]
        directive = {"Namespace": "Tackboard", "Dimensions": [["Stage"]], "Metrics": metrics}
        self._write(
            encode_as_json(
                {
                    "time": now.isoformat(timespec="milliseconds"),
                    "level": "INFO",
                    "message": "board size",
                    "board_id": segment.board_id,
                    "Stage": self._stage,
                    "BoardGigabytes": gigabytes,
                    "events": segment.seq,
                    "_aws": {"Timestamp": int(now.timestamp() * 1000), "CloudWatchMetrics": [directive]},
                }
            )
        )

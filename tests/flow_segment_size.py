"""Small flow segments, so that few events make several."""

import pytest

_MODULES = (
    *("kanban.flow.flow_segments", "readers.flow_segments", "usecases.flow_history"),
    *("stores.sql.flow_segments", "aws.reader_function"),
)


def patch_segment_size(patch: pytest.MonkeyPatch, size: int) -> None:
    """Let segments have so many events, as long as the patch lasts."""
    for module in _MODULES:
        patch.setattr(f"{module}.EVENTS_PER_SEGMENT", size)
    patch.setattr("usecases.flow_history._MAX_LAG", 2 * size)

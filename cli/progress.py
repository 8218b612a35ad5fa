"""Show the progress of a long command on a terminal. A pipe or a log gets the result only."""

from types import TracebackType
from typing import TYPE_CHECKING, Never, Self

if TYPE_CHECKING:
    from tqdm import tqdm


class ProgressBar:
    """A progress bar for each step of a command, one below the other. To be used with `with`."""

    def __init__(self) -> None:
        self._step = ""
        self._bar: tqdm[Never] | None = None

    def __call__(self, step: str, done: int, total: int | None = None) -> None:
        """Show that `done` of `total` are done; without a total, show the count."""
        from tqdm import tqdm  # noqa: PLC0415 - a server shows no progress and starts without it.

        if self._bar is None or step != self._step:
            self._close()
            self._step = step
            self._bar = tqdm(desc=step, total=total, unit="", unit_scale=True, disable=None, dynamic_ncols=True)
        self._bar.update(done - self._bar.n)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

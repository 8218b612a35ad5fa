"""Run jobs: one step after the other, as long as the lease is the worker's own.

The runner doesn't know what jobs do. What does a step must do no harm if it comes again: a worker may die after it has
done one, and before it has written so.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from kanban import jobs
from kanban.job_store import JobStore
from kanban.jobs import Outcome
from kanban.store import StaleRead
from kanban.values import Job, JobKind
from kanban.views import PageKey

JOBS_PER_PAGE = 100

DoStep = Callable[[Job], Outcome]
"""Does one step of a job. It must take less time than a lease holds."""


class LeaseLost(Exception):
    """Raised when a job was written by somebody else: another worker has it, or it was cancelled."""


class JobRunner:
    """Runs jobs that are due. Threads, and other processes with the same data, may do the same."""

    def __init__(
        self,
        store: JobStore,
        steps: Mapping[JobKind, DoStep],
        now: Callable[[], datetime],
        new_owner: Callable[[], str],
    ) -> None:
        """Take what does a step of each kind of job; `new_owner` returns a text that it has never returned before."""
        self._store = store
        self._steps = steps
        self._now = now
        self._new_owner = new_owner

    def list_due(self) -> list[Job]:
        """Return the jobs of all users that are to go on and that nobody works at."""
        due: list[Job] = []
        after: PageKey | None = None
        while True:
            page = self._store.page_unended_jobs(JOBS_PER_PAGE, after)
            due += [job for job in page.items if jobs.is_due(job, self._now())]
            after = page.next_key
            if after is None:
                return due

    def find_due(self, user_id: str, job_id: str) -> Job | None:
        """Return a job of a user, if it is to go on and nobody works at it."""
        job = self._store.read_job(user_id, job_id)
        return job if job and jobs.is_due(job, self._now()) else None

    def run(self, job: Job, should_go_on: Callable[[], bool]) -> None:
        """Do the steps of a job, until it has ended or `should_go_on` says no.

        Raises Busy, and what a step raises; then the same step is tried once more when the lease has ended.
        """
        try:
            leased = self._write(jobs.lease(job, self._new_owner(), self._now()))
            while leased.ended_at is None:
                if not should_go_on():
                    self._write(jobs.release(leased))
                    return
                outcome = self._steps[job.kind](leased)
                leased = self._write(jobs.record(leased, outcome, self._now()))
        except LeaseLost:
            return

    def _write(self, job: Job) -> Job:
        try:
            self._store.write_job(job)
        except StaleRead:
            raise LeaseLost from None
        return job

"""Build the runner of the jobs."""

import os
from collections.abc import Callable, Mapping
from datetime import datetime

from app.wall_clock import utc_now
from kanban.changes import ActionContext
from kanban.ids import IdGenerator
from kanban.jobs import Outcome
from kanban.store import Store
from kanban.timekeeping.timestamps import truncate_to_seconds
from kanban.values import Job, JobKind
from readers.jobs import DoStep, JobRunner
from usecases import user_deletion


def build_job_runner(
    store: Store,
    *,
    clock: Callable[[], datetime] = utc_now,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> JobRunner:
    """Return the runner of the jobs in a store."""
    new_id = IdGenerator(clock, random_bytes)

    def now() -> datetime:
        return truncate_to_seconds(clock())

    def delete_user(job: Job) -> Outcome:
        return user_deletion.do_step(store, job, ActionContext(job.user_id, now(), new_id))

    steps: Mapping[JobKind, DoStep] = {JobKind.DELETE_USER: delete_user}
    return JobRunner(store.jobs, steps, now, lambda: random_bytes(16).hex())

"""Jobs: start, cancel, and what becomes of them step by step.

A worker leases a job, does one step after the other, and writes the job after each. Every write raises the version, so
a worker that was suspended for too long, or whose job was cancelled, writes nothing any more.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from kanban.changes import ActionContext
from kanban.errors import Conflict
from kanban.values import Job, JobKind, JobState

LEASE_DURATION = timedelta(seconds=60)
"""How long a lease holds after each step. It must be longer than a step takes."""

MAX_CLOCK_SKEW = timedelta(seconds=30)
"""By how much the clocks of processes may differ. A lease that ends later than that allows is not in force."""

JOB_LIFETIME = timedelta(days=30)
"""How long a job is kept after its end."""

MAX_ATTEMPTS = 10
"""How often a step is tried before the job fails."""


class Advanced(NamedTuple):
    """A step was done, and another one follows: so much is done by now, of so much in all."""

    done: int
    total: int


class Done(NamedTuple):
    """Nothing is left to do."""


class Failed(NamedTuple):
    """The job can't go on, because of a problem of that code."""

    problem_code: str


Outcome = Advanced | Done | Failed
"""What has come of a step."""


class JobEnded(Conflict):
    """Raised when a job that has ended should be cancelled."""

    code = "job_ended"

    def __init__(self, state: JobState) -> None:
        """Take the state."""
        super().__init__(f"This job has ended: its state is {state}.")


def create(kind: JobKind, subject_id: str, context: ActionContext) -> Job:
    """Return a new job."""
    return Job(
        id=context.new_id("job"),
        user_id=context.actor_id,
        kind=kind,
        subject_id=subject_id,
        state=JobState.QUEUED,
        done=0,
        total=None,
        version=1,
        created_at=context.at,
    )


def cancel(job: Job, now: datetime) -> Job:
    """Return the job as it is after its user has cancelled it. Raises JobEnded."""
    if job.ended_at is not None:
        raise JobEnded(job.state)
    return end(job, JobState.CANCELLED, now)


def is_due(job: Job, now: datetime) -> bool:
    """Tell whether a worker may take up the job."""
    is_leased = job.lease_until is not None and now < job.lease_until <= now + LEASE_DURATION + MAX_CLOCK_SKEW
    return job.ended_at is None and not is_leased


def lease(job: Job, owner: str, now: datetime) -> Job:
    """Return the job as a worker takes it up; after too many attempts it fails."""
    if job.attempts >= MAX_ATTEMPTS:
        return end(job, JobState.FAILED, now, "internal_error")
    return replace(
        job,
        state=JobState.RUNNING,
        version=job.version + 1,
        started_at=job.started_at or now,
        attempts=job.attempts + 1,
        lease_owner=owner,
        lease_until=now + LEASE_DURATION,
    )


def advance(job: Job, now: datetime, progress: Advanced) -> Job:
    """Return the job after a step, with its lease renewed."""
    return replace(
        job,
        version=job.version + 1,
        done=progress.done,
        total=progress.total,
        attempts=0,
        lease_until=now + LEASE_DURATION,
    )


def release(job: Job) -> Job:
    """Return the job without a worker: another one may take it up at once."""
    return replace(job, version=job.version + 1, lease_owner=None, lease_until=None)


def end(job: Job, state: JobState, now: datetime, problem_code: str | None = None) -> Job:
    """Return the job at its end."""
    return replace(
        job,
        state=state,
        version=job.version + 1,
        ended_at=now,
        expires_at=now + JOB_LIFETIME,
        problem_code=problem_code,
        lease_owner=None,
        lease_until=None,
    )


def record(job: Job, outcome: Outcome, now: datetime) -> Job:
    """Return the job as it is after a step."""
    if isinstance(outcome, Advanced):
        return advance(job, now, outcome)
    if isinstance(outcome, Failed):
        return end(job, JobState.FAILED, now, outcome.problem_code)
    # A worker that died may not have counted its last step.
    return end(replace(job, done=max(job.done, job.total or 0)), JobState.DONE, now)

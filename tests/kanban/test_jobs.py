"""Jobs: leases, steps and ends."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from kanban import jobs
from kanban.changes import ActionContext
from kanban.jobs import JOB_LIFETIME, LEASE_DURATION, MAX_ATTEMPTS, MAX_CLOCK_SKEW, Advanced, Done, Failed, JobEnded
from kanban.values import Job, JobKind, JobState
from tests.kanban.fake_store import NOON

SECOND = timedelta(seconds=1)


@pytest.fixture
def job() -> Job:
    return jobs.create(JobKind.DELETE_USER, "bob", ActionContext("ann", NOON, lambda kind: f"{kind}_1"))


def test_a_new_job_is_queued_and_due(job: Job) -> None:
    assert job == Job("job_1", "ann", JobKind.DELETE_USER, "bob", JobState.QUEUED, 0, None, 1, NOON)
    assert jobs.is_due(job, NOON)


def test_a_lease_makes_it_run_until_the_lease_ends(job: Job) -> None:
    leased = jobs.lease(job, "one", NOON)

    assert (leased.state, leased.version, leased.started_at) == (JobState.RUNNING, 2, NOON)
    assert (leased.lease_owner, leased.lease_until, leased.attempts) == ("one", NOON + LEASE_DURATION, 1)
    assert not jobs.is_due(leased, NOON)
    assert not jobs.is_due(leased, NOON + LEASE_DURATION - SECOND)
    assert jobs.is_due(leased, NOON + LEASE_DURATION)


@pytest.mark.parametrize(("early", "is_due"), [(MAX_CLOCK_SKEW, False), (MAX_CLOCK_SKEW + SECOND, True)])
def test_a_lease_of_a_clock_that_was_wrong_is_not_in_force(job: Job, early: timedelta, *, is_due: bool) -> None:
    assert jobs.is_due(jobs.lease(job, "one", NOON), NOON - early) is is_due


def test_a_second_lease_keeps_when_the_job_was_started(job: Job) -> None:
    again = jobs.lease(jobs.lease(job, "one", NOON), "two", NOON + LEASE_DURATION)

    assert (again.started_at, again.attempts, again.version) == (NOON, 2, 3)


@pytest.mark.parametrize(("attempts", "state"), [(MAX_ATTEMPTS - 1, JobState.RUNNING), (MAX_ATTEMPTS, JobState.FAILED)])
def test_after_too_many_attempts_a_job_fails(job: Job, attempts: int, state: JobState) -> None:
    leased = jobs.lease(replace(job, attempts=attempts), "one", NOON)

    assert leased.state is state
    assert leased.problem_code == ("internal_error" if state is JobState.FAILED else None)


def test_a_step_renews_the_lease_and_forgets_attempts(job: Job) -> None:
    leased = jobs.lease(job, "one", NOON)

    advanced = jobs.record(leased, Advanced(2, 5), NOON + SECOND)

    assert (advanced.done, advanced.total, advanced.attempts, advanced.version) == (2, 5, 0, 3)
    assert (advanced.lease_owner, advanced.lease_until) == ("one", NOON + SECOND + LEASE_DURATION)
    assert advanced.state is JobState.RUNNING


@pytest.mark.parametrize(("done", "total", "count"), [(4, 5, 5), (5, 5, 5), (6, 5, 6), (0, None, 0)])
def test_a_job_that_is_done_has_done_everything(job: Job, done: int, total: int | None, count: int) -> None:
    ended = jobs.record(replace(jobs.lease(job, "one", NOON), done=done, total=total), Done(), NOON + SECOND)

    assert (ended.state, ended.done, ended.version, ended.problem_code) == (JobState.DONE, count, 3, None)
    check_end(ended, NOON + SECOND)


def test_a_job_that_fails_tells_why(job: Job) -> None:
    ended = jobs.record(jobs.lease(job, "one", NOON), Failed("user_active"), NOON)

    assert (ended.state, ended.problem_code, ended.version) == (JobState.FAILED, "user_active", 3)
    check_end(ended, NOON)


def test_a_job_without_a_worker_is_due(job: Job) -> None:
    released = jobs.release(jobs.lease(job, "one", NOON))

    assert (released.version, released.lease_owner, released.lease_until) == (3, None, None)
    assert released.state is JobState.RUNNING
    assert jobs.is_due(released, NOON)


def test_a_job_is_cancelled_before_its_end_only(job: Job) -> None:
    for live in (job, jobs.lease(job, "one", NOON)):
        cancelled = jobs.cancel(live, NOON)
        assert (cancelled.state, cancelled.version) == (JobState.CANCELLED, live.version + 1)
        check_end(cancelled, NOON)
        with pytest.raises(JobEnded, match="This job has ended: its state is cancelled"):
            jobs.cancel(cancelled, NOON)


def check_end(job: Job, at: datetime) -> None:
    assert (job.ended_at, job.expires_at) == (at, at + JOB_LIFETIME)
    assert (job.lease_owner, job.lease_until) == (None, None)
    assert not jobs.is_due(job, at)

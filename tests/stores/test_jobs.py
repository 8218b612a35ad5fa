"""Jobs in a store, on every engine: one at a time for a subject, and no writer overwrites what it has not seen."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kanban import jobs
from kanban.changes import Change
from kanban.jobs import Advanced, Done, Failed
from kanban.store import AlreadyExists, StaleRead
from kanban.values import Job, JobKind, JobState
from kanban.views import PageKey
from tests.stores.world import World


def add_job(world: World, subject_id: str = "bob") -> Job:
    job = jobs.create(JobKind.DELETE_USER, subject_id, world.context())
    world.store.commit(Change(creates=(job,), active_user_id=world.ann.id))
    return job


def test_a_job_is_seen_by_who_has_started_it_only(world: World) -> None:
    bob = world.add_user("Bob", id="bob")
    job = add_job(world)

    assert world.store.jobs.read_job(world.ann.id, job.id) == job
    assert world.store.jobs.read_job(bob.id, job.id) is None
    assert world.store.jobs.page_jobs(world.ann.id, 10).items == (job,)
    assert world.store.jobs.page_jobs(bob.id, 10).items == ()


def test_the_jobs_of_a_user_are_paged_newest_first(world: World) -> None:
    started = [add_job(world, f"user{number}") for number in range(5)]

    first = world.store.jobs.page_jobs(world.ann.id, 2)
    second = world.store.jobs.page_jobs(world.ann.id, 2, first.next_key)
    third = world.store.jobs.page_jobs(world.ann.id, 2, second.next_key)

    assert [*first.items, *second.items, *third.items] == started[::-1]
    assert third.next_key is None


def test_workers_find_the_jobs_that_have_not_ended_page_by_page(world: World) -> None:
    started = [add_job(world, f"user{number}") for number in range(5)]
    world.store.jobs.write_job(jobs.end(started[2], JobState.DONE, world.now))

    after: PageKey | None = None
    unended: list[Job] = []
    while True:
        page = world.store.jobs.page_unended_jobs(2, after)
        unended += page.items
        after = page.next_key
        if after is None:
            break

    assert unended == [job for job in started if job != started[2]]


def test_one_job_at_a_time_is_under_way_for_a_subject(world: World) -> None:
    job = add_job(world)

    with pytest.raises(AlreadyExists) as error:
        add_job(world)
    assert error.value.constraint == "job.subject_id"
    world.store.jobs.write_job(jobs.end(job, JobState.FAILED, world.now, "user_active"))

    assert add_job(world).id != job.id


def test_a_job_is_written_over_the_version_before_only(world: World) -> None:
    job = add_job(world)
    leased = jobs.lease(job, "one", world.now)
    world.store.jobs.write_job(leased)

    for late in (jobs.lease(job, "two", world.now), replace(leased, lease_owner="two")):
        with pytest.raises(StaleRead):
            world.store.jobs.write_job(late)

    assert world.store.jobs.read_job(world.ann.id, job.id) == leased


def test_a_cancelled_job_leaves_its_worker_nothing_to_write(world: World) -> None:
    leased = jobs.lease(add_job(world), "one", world.now)
    world.store.jobs.write_job(leased)
    cancelled = jobs.cancel(leased, world.now)
    world.store.commit(Change(updates=(cancelled,), active_user_id=world.ann.id))

    with pytest.raises(StaleRead):
        world.store.jobs.write_job(jobs.record(leased, Advanced(1, 2), world.now))
    with pytest.raises(StaleRead):
        world.store.commit(Change(updates=(cancelled,)))

    assert world.store.jobs.read_job(world.ann.id, leased.id) == cancelled
    assert world.store.jobs.page_unended_jobs(10).items == ()
    assert add_job(world).state == JobState.QUEUED


def test_every_field_of_a_job_is_stored(world: World) -> None:
    new = jobs.record(jobs.lease(add_job(world), "one", world.now), Advanced(3, 4), world.now)
    leased = replace(new, version=2, attempts=3)
    for job in (leased, jobs.record(leased, Failed("user_active"), world.now)):
        world.store.jobs.write_job(job)
        assert world.store.jobs.read_job(world.ann.id, job.id) == job


def test_an_ended_job_is_purged_after_its_time(world: World) -> None:
    job = jobs.record(add_job(world), Done(), world.now)
    world.store.jobs.write_job(job)
    unended = add_job(world)

    while world.store.purge_expired(world.now + jobs.JOB_LIFETIME - timedelta(seconds=1), 10):
        pass
    assert len(world.store.jobs.page_jobs(world.ann.id, 10).items) == 2
    while world.store.purge_expired(world.now + jobs.JOB_LIFETIME, 10):
        pass

    # DynamoDB erases it by itself.
    assert unended in world.store.jobs.page_jobs(world.ann.id, 10).items

"""Delete a user by a job that this process works at, and list the jobs that are under way."""

import time
from collections.abc import Callable, Iterator

from app.job_runner import build_job_runner
from cli.user_accounts import UserUnchanged
from kanban.changes import ActionContext, Change
from kanban.errors import DomainError
from kanban.store import AlreadyExists, Store
from kanban.values import Job, JobState, User
from kanban.views import PageKey
from usecases import user_deletion

_PER_READ = 100
_POLL_SECONDS = 1.0


def delete_user(
    store: Store,
    user: User,
    context: ActionContext,
    progress: Callable[[str, int, int | None], None],
    pause: Callable[[float], None] = time.sleep,
) -> str:
    """Delete a user in the name of an owner of the installation; return a sentence that says so.

    It works at the job until that has ended, and waits while somebody else does. `pause` waits for so many seconds.
    Raises UserUnchanged.
    """
    try:
        job = _start(store, user, context)
    except DomainError as error:
        raise UserUnchanged(error.message) from None
    runner = build_job_runner(store)

    def read() -> Job:
        return store.jobs.read_job(job.user_id, job.id) or job

    def report() -> bool:
        current = read()
        progress("boards", current.done, current.total)
        return True

    while (current := read()).ended_at is None:
        if runner.find_due(job.user_id, job.id):
            runner.run(current, report)
        else:
            pause(_POLL_SECONDS)
    if current.state is not JobState.DONE:
        reason = f" ({current.problem_code})" if current.problem_code else ""
        raise UserUnchanged(f"The job {current.id} is {current.state}{reason}: the user '{user.id}' is not deleted.")
    return f"The user '{user.id}' is deleted. Boards that they were removed from: {current.done}."


def describe_jobs(store: Store) -> Iterator[str]:
    """Yield a line for each job that has not ended: id, kind, what it is about, state, and how far it is."""
    for job in _read_unended_jobs(store):
        total = "?" if job.total is None else job.total
        yield "  ".join((job.id, f"{job.kind:11}", f"{job.subject_id:30}", f"{job.state:7}", f"{job.done}/{total}"))


def _start(store: Store, user: User, context: ActionContext) -> Job:
    """Return a new job, or the one that deletes the user already."""
    job = user_deletion.start(store, user, context)
    try:
        store.commit(Change(creates=(job,)))
    except AlreadyExists:
        present = (other for other in _read_unended_jobs(store) if other.subject_id == user.id)
        # It may have ended just now.
        return next(present, None) or _start(store, user, context)
    return job


def _read_unended_jobs(store: Store) -> Iterator[Job]:
    after: PageKey | None = None
    while True:
        page = store.jobs.page_unended_jobs(_PER_READ, after)
        yield from page.items
        after = page.next_key
        if after is None:
            return

"""Jobs: list, get, cancel those that the caller has started."""

from handlers import serialize
from handlers.dependencies import CursorEncoder
from handlers.results import Result, page
from kanban import jobs
from kanban.access import Caller
from kanban.changes import ActionContext, Change
from kanban.errors import NotFound
from kanban.store import Store
from kanban.values import Job
from kanban.views import PageKey


def list_jobs(
    store: Store, caller: Caller, encode_cursor: CursorEncoder, limit: int, cursor: PageKey | None = None
) -> Result:
    """List the caller's jobs, newest first."""
    jobs_page = store.jobs.page_jobs(caller.user_id, limit, cursor)
    return page(map(serialize.job, jobs_page.items), encode_cursor(jobs_page.next_key))


def get_job(store: Store, caller: Caller, job_id: str) -> Result:
    """Return a job of the caller."""
    job = _require_job(store, caller, job_id)
    return Result(serialize.job(job), etag=str(job.version))


def cancel_job(store: Store, caller: Caller, context: ActionContext, job_id: str) -> Result:
    """End a job of the caller."""
    job = jobs.cancel(_require_job(store, caller, job_id), context.at)
    return Result(serialize.job(job), etag=str(job.version), change=Change(updates=(job,)))


def _require_job(store: Store, caller: Caller, job_id: str) -> Job:
    job = store.jobs.read_job(caller.user_id, job_id)
    if job is None:
        raise NotFound("job")
    return job

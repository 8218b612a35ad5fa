"""Jobs in a SQL database."""

import sqlalchemy as sa

from kanban.values import Job
from kanban.views import Page, PageKey
from stores.paging import cut_page
from stores.sql import mapping
from stores.sql.read_statements import MAX_ID
from stores.sql.statement_cache import parameter
from stores.sql.store_part import SqlStorePart
from stores.sql.tables import jobs
from stores.sql.write_statements import UPDATE_IF_VERSION_MATCHES

JOB = sa.select(jobs).where(jobs.c.id == parameter("job_id"), jobs.c.user_id == parameter("user_id"))
JOBS = (
    sa.select(jobs)
    .where(jobs.c.user_id == parameter("user_id"), jobs.c.id < parameter("after_id"))
    .order_by(jobs.c.id.desc())
    .limit(parameter("limit"))
)
UNENDED_JOBS = (
    sa.select(jobs)
    .where(
        jobs.c.ended_at.is_(None),
        sa.tuple_(jobs.c.kind, jobs.c.subject_id) > sa.tuple_(parameter("after_kind"), parameter("after_subject_id")),
    )
    .order_by(jobs.c.kind, jobs.c.subject_id)
    .limit(parameter("limit"))
)


class SqlJobs(SqlStorePart):
    """A `kanban.job_store.JobStore` over an engine. Threads may share it."""

    def read_job(self, user_id: str, job_id: str) -> Job | None:
        rows = self._read(JOB, user_id=user_id, job_id=job_id)
        return mapping.row_to_job(rows[0]) if rows else None

    def page_jobs(self, user_id: str, limit: int, after: PageKey | None = None) -> Page[Job]:
        after_id = after[0] if after else MAX_ID
        rows = self._read(JOBS, user_id=user_id, after_id=after_id, limit=limit + 1)
        return cut_page([mapping.row_to_job(row) for row in rows], limit, lambda job: job.id)

    def page_unended_jobs(self, limit: int, after: PageKey | None = None) -> Page[Job]:
        kind, subject_id = after or ("", "")
        statement = self._bind(UNENDED_JOBS, after_kind=kind, after_subject_id=subject_id, limit=limit)
        unended = [mapping.row_to_job(row) for row in self._engine.read((statement,))[0]]
        last = unended[-1] if len(unended) == limit else None
        return Page(tuple(unended), (str(last.kind), last.subject_id) if last else None)

    def write_job(self, job: Job) -> None:
        with self._begin_write() as transaction:
            transaction.write_one(self._bind(UPDATE_IF_VERSION_MATCHES[jobs], **mapping.job_to_row(job)))

"""The port of the store for jobs."""

from typing import Protocol

from kanban.values import Job
from kanban.views import Page, PageKey


class JobStore(Protocol):
    """Where jobs are kept.

    Commits create them, and raise AlreadyExists if one is under way for the subject ('job.subject_id'). DynamoDB erases
    them by itself after `expires_at`, other engines by purges.
    """

    def read_job(self, user_id: str, job_id: str) -> Job | None:
        """Return the job of that id, if that user has started it."""

    def page_jobs(self, user_id: str, limit: int, after: PageKey | None = None) -> Page[Job]:
        """Return the jobs that a user has started, newest first."""

    def page_unended_jobs(self, limit: int, after: PageKey | None = None) -> Page[Job]:
        """Return the jobs of all users that have not ended.

        A page may be shorter than the limit, and may be empty while more follow.
        """

    def write_job(self, job: Job) -> None:
        """Write a job in place of the version before. Raises StaleRead if that is not the present one."""

"""Jobs in a table: their items, reads and writes.

A job is among those of the user who has started it. Until it ends, an entry in one partition says that there is one,
for workers. DynamoDB erases ended jobs by itself.
"""

from collections.abc import Callable, Iterator
from itertools import islice

from kanban.changes import Change
from kanban.store import StaleRead
from kanban.values import Job
from kanban.views import Page, PageKey
from stores.dynamodb import keys
from stores.dynamodb.attributes import compile_reader, compile_writer, to_number, to_string
from stores.dynamodb.changes import of_type
from stores.dynamodb.client import ConditionFailed, RetryingClient
from stores.dynamodb.conflicts import uniqueness_conflict
from stores.dynamodb.keys import Item
from stores.dynamodb.reads import MAX_BATCH_KEYS, TableReader
from stores.dynamodb.writes import IS_NEW, Delete, Put, Write, to_transact_item
from stores.paging import cut_page

job_from_item: Callable[[Item], Job] = compile_reader(
    Job, ("item",), {"user_id": "item['pk']['S'][2:]", "id": "item['sk']['S'][2:]"}
)
"""Return the job in an item."""

_job_attributes: Callable[[Job], Item] = compile_writer(Job, ("user_id", "id"))


class DynamoJobs:
    """A `kanban.job_store.JobStore` in a table. Threads may share it."""

    def __init__(self, client: RetryingClient, reader: TableReader, table: str) -> None:
        self._client = client
        self._reader = reader
        self._table = table

    def read_job(self, user_id: str, job_id: str) -> Job | None:
        item = self._reader.get_item(keys.job_key(user_id, job_id))
        return job_from_item(item) if item else None

    def page_jobs(self, user_id: str, limit: int, after: PageKey | None = None) -> Page[Job]:
        last = keys.key_before(f"Y#{after[0]}") if after else "Y$"
        items = self._reader.query(f"U#{user_id}", "Y#", last, backwards=True, page_size=limit + 1)
        return cut_page([job_from_item(item) for item in islice(items, limit + 1)], limit, lambda job: job.id)

    def page_unended_jobs(self, limit: int, after: PageKey | None = None) -> Page[Job]:
        first = f"{after[0]}{keys.NEXT_KEY_SUFFIX}" if after else " "
        entries = [*islice(self._reader.query("Y", first, "~", page_size=limit), limit)]
        job_keys = [keys.job_key(entry["user_id"]["S"], entry["job_id"]["S"]) for entry in entries]
        items = [
            item
            for start in range(0, len(job_keys), MAX_BATCH_KEYS)
            for item in self._reader.batch_get(job_keys[start : start + MAX_BATCH_KEYS])
        ]
        # An entry is read a moment longer than its job is under way.
        unended = [job for job in map(job_from_item, items) if job.ended_at is None]
        next_key = (entries[-1]["sk"]["S"],) if len(entries) == limit else None
        return Page(tuple(sorted(unended, key=lambda job: (job.kind, job.subject_id))), next_key)

    def write_job(self, job: Job) -> None:
        writes = [to_transact_item(write, self._table) for write in _update_job(job)]
        try:
            self._client("transact_write_items", TransactItems=writes)
        except ConditionFailed as error:
            if not error.may_have_succeeded or self.read_job(job.user_id, job.id) != job:
                raise StaleRead from None


def write_jobs(change: Change, nonce: str) -> Iterator[Write]:
    """Yield the writes of jobs in a change. The items of a commit that creates one prove that it was carried out."""
    signature = {"nonce": to_string(nonce)}
    for job in of_type(Job, change.creates):
        yield Put(job_to_item(job) | signature, condition=IS_NEW, on_failure=uniqueness_conflict("job"))
        entry = unended_job_to_item(job) | signature
        yield Put(entry, condition=IS_NEW, on_failure=uniqueness_conflict("job.subject_id"))
    for job in of_type(Job, change.updates):
        put, *others = _update_job(job)
        yield put._replace(item=put.item | signature) if isinstance(put, Put) else put
        yield from others


def _update_job(job: Job) -> Iterator[Write]:
    before = {":before": to_number(job.version - 1)}
    yield Put(job_to_item(job), condition="#version = :before", values=before)
    if job.ended_at is not None:
        # By now, another one may be under way.
        own = {":job": to_string(job.id)}
        yield Delete(_entry_key(job), condition="attribute_not_exists(#pk) OR #job_id = :job", values=own)


def _entry_key(job: Job) -> Item:
    return keys.unended_job_key(job.kind, job.subject_id)


def unended_job_to_item(job: Job) -> Item:
    """Return the item that tells that a job is under way."""
    return _entry_key(job) | {"user_id": to_string(job.user_id), "job_id": to_string(job.id)}


def job_to_item(job: Job) -> Item:
    """Return the item of a job. DynamoDB erases it some time after its end."""
    item = keys.job_key(job.user_id, job.id) | _job_attributes(job)
    return item | {"expires": to_number(int(job.expires_at.timestamp()))} if job.expires_at else item

"""Reports in the document's shapes, and as tables."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from handlers.csv_format import format_csv
from handlers.serialize import JsonObject
from kanban.flow.completions import Completion, count_elapsed_seconds, get_percentile
from kanban.flow.flow_report import MAX_LISTED_COMPLETIONS, FlowReport, count_throughput
from kanban.timekeeping import card_clock, money
from kanban.timekeeping.date_ranges import Bucket, DateRange, Period
from kanban.timekeeping.time_report import TimeReport, WorkTotal
from kanban.timekeeping.timestamps import format_optional_utc as timestamp_or_none
from kanban.timekeeping.timestamps import format_utc as moment
from kanban.values import Card, Stage
from kanban.views import BoardView


def time_report(
    value: TimeReport, days: DateRange, bucket: Bucket, currency: str, names: Mapping[str, str]
) -> JsonObject:
    """`TimeReport`; `names` are those of users."""
    return {
        **_serialize_range(days),
        "bucket": bucket,
        "total": _serialize_sum(value.total, currency),
        "by_list": [
            {"list_id": each.id, "name": each.name, "stage": each.stage, **_serialize_sum(found, currency)}
            for each, found in value.lists
        ],
        "by_label": [
            {"label_id": each and each.id, "name": each and each.name, **_serialize_sum(found, currency)}
            for each, found in value.labels
        ],
        "by_member": [
            {"user_id": each, "name": names.get(each, each), **_serialize_sum(found, currency)}
            for each, found in value.members
        ],
        "by_period": [{**_serialize_period(each), **_serialize_sum(found, currency)} for each, found in value.periods],
    }


def time_report_csv(shape: JsonObject) -> str:
    """A `TimeReport` as a table."""
    header = ("by", "id", "name", "from", "to", "elapsed_seconds", "elapsed", "cost", "currency")
    return format_csv(header, _csv_rows(shape))


def flow(value: FlowReport, requested_days: DateRange, known_days: DateRange, bucket: Bucket) -> JsonObject:
    """`Flow` without what is in progress; `told` are the days of which something is known."""
    return {
        **_serialize_range(requested_days),
        "bucket": bucket,
        "lead_time": _serialize_percentiles([each.lead_seconds for each in value.completions]),
        "cycle_time": _serialize_percentiles([each.cycle_seconds for each in value.completions]),
        "points": [_serialize_point(each) for each in value.completions[-MAX_LISTED_COMPLETIONS:]],
        "throughput": [
            {**_serialize_period(each), "finished": finished}
            for each, finished in count_throughput(value.completions, known_days.split(bucket))
        ],
        "cumulative_flow": {
            "days": [each.first_day.isoformat() for each in known_days.split(Bucket.DAY).periods],
            **{stage.value: list(counts) for stage, counts in value.stages.items()},
            "lists": [
                {
                    "list_id": each.list_id,
                    "name": each.name,
                    "stage": each.stage,
                    "card_counts": list(each.card_counts),
                }
                for each in value.lists
            ],
        },
    }


def work_in_progress(cards: Sequence[Card], view: BoardView, now: datetime) -> JsonObject:
    """`WorkInProgress`, the oldest work first."""
    lists = [each for each in view.lists if each.stage == Stage.IN_PROGRESS and each.archived_at is None]
    shapes = [
        {
            "card_id": each.id,
            "list_id": each.list_id,
            "title": each.title,
            "started_at": timestamp_or_none(each.started_at),
            "age_seconds": count_elapsed_seconds(each.started_at, now),
        }
        for each in sorted(cards, key=lambda card: (card.started_at or now, card.id))
    ]
    return {"count": sum(each.card_count for each in lists), "items": shapes}


def _serialize_point(value: Completion) -> JsonObject:
    return {
        "card_id": value.card_id,
        "list_id": value.list_id,
        "created_at": timestamp_or_none(value.created_at),
        "started_at": timestamp_or_none(value.started_at),
        "resolved_at": moment(value.resolved_at),
        "lead_seconds": value.lead_seconds,
        "cycle_seconds": value.cycle_seconds,
    }


def _serialize_percentiles(times: Iterable[int | None]) -> JsonObject:
    known = sorted(each for each in times if each is not None)
    return {"count": len(known), **{f"p{percent}_seconds": get_percentile(known, percent) for percent in (50, 85, 95)}}


def _csv_rows(shape: JsonObject) -> Iterator[list[Any]]:
    parts: list[tuple[str, str | None, JsonObject]] = [("total", None, shape["total"])]
    for by, key in (("list", "list_id"), ("label", "label_id"), ("member", "user_id"), ("period", None)):
        parts += [(by, key and part[key], part) for part in shape[f"by_{by}"]]
    for by, key, part in parts:
        amount = part["cost"]["formatted"].partition(" ")[2]
        first, last = part.get("from", shape["from"]), part.get("to", shape["to"])
        time = [part["elapsed_seconds"], part["elapsed"]]
        yield [by, key, part.get("name"), first, last, *time, amount, part["cost"]["currency"]]


def _serialize_range(days: DateRange) -> JsonObject:
    return {"from": days.first_day.isoformat(), "to": days.last_day.isoformat(), "tz": days.zone.key}


def _serialize_period(value: Period) -> JsonObject:
    return {"from": value.first_day.isoformat(), "to": value.last_day.isoformat()}


def _serialize_sum(value: WorkTotal, currency: str) -> JsonObject:
    minor = value.cost_minor
    return {
        "elapsed_seconds": value.seconds,
        "elapsed": card_clock.format_duration(value.seconds),
        "cost": {"amount_minor": minor, "currency": currency, "formatted": money.format_amount(minor, currency)},
    }

"""Serialize reports as JSON values of the document, and as CSV."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from handlers.serialize import JsonObject
from kanban.flow.completions import Completion, count_elapsed_seconds, get_percentile
from kanban.flow.flow_report import MAX_LISTED_COMPLETIONS, FlowReport, count_throughput
from kanban.interchange.csv_format import format_csv
from kanban.timekeeping import card_clock, money
from kanban.timekeeping.date_ranges import Bucket, DateRange, Period
from kanban.timekeeping.time_report import TimeReport, WorkTotal
from kanban.timekeeping.timestamps import format_optional_utc, format_utc
from kanban.values import Card, Stage
from kanban.views import BoardView


def time_report(
    value: TimeReport, days: DateRange, bucket: Bucket, currency: str, names: Mapping[str, str]
) -> JsonObject:
    """Serialize a `TimeReport`. `names` are those of users, by id."""
    return {
        **_serialize_range(days),
        "bucket": bucket,
        "total": _serialize_sum(value.total, currency),
        "by_list": [
            {"list_id": list_.id, "name": list_.name, "stage": list_.stage, **_serialize_sum(total, currency)}
            for list_, total in value.lists
        ],
        "by_label": [
            {"label_id": label and label.id, "name": label and label.name, **_serialize_sum(total, currency)}
            for label, total in value.labels
        ],
        "by_member": [
            {"user_id": user_id, "name": names.get(user_id, user_id), **_serialize_sum(total, currency)}
            for user_id, total in value.members
        ],
        "by_period": [
            {**_serialize_period(period), **_serialize_sum(total, currency)} for period, total in value.periods
        ],
    }


def time_report_csv(report: JsonObject) -> str:
    """Format a serialized `TimeReport` as CSV."""
    header = ("by", "id", "name", "from", "to", "elapsed_seconds", "elapsed", "cost", "currency")
    return format_csv(header, _csv_rows(report))


def flow(value: FlowReport, requested_days: DateRange, known_days: DateRange, bucket: Bucket) -> JsonObject:
    """Serialize a `Flow` without work in progress. `known_days` are the requested days on which the board existed."""
    return {
        **_serialize_range(requested_days),
        "bucket": bucket,
        "lead_time": _serialize_percentiles([completion.lead_seconds for completion in value.completions]),
        "cycle_time": _serialize_percentiles([completion.cycle_seconds for completion in value.completions]),
        "points": [_serialize_point(completion) for completion in value.completions[-MAX_LISTED_COMPLETIONS:]],
        "throughput": [
            {**_serialize_period(period), "finished": finished}
            for period, finished in count_throughput(value.completions, known_days.split(bucket))
        ],
        "cumulative_flow": {
            "days": [day.first_day.isoformat() for day in known_days.split(Bucket.DAY).periods],
            **{stage.value: list(counts) for stage, counts in value.stages.items()},
            "lists": [
                {
                    "list_id": list_.list_id,
                    "name": list_.name,
                    "stage": list_.stage,
                    "card_counts": list(list_.card_counts),
                }
                for list_ in value.lists
            ],
        },
    }


def work_in_progress(cards: Sequence[Card], view: BoardView, now: datetime) -> JsonObject:
    """Serialize `WorkInProgress`, oldest work first."""
    lists = [list_ for list_ in view.lists if list_.stage == Stage.IN_PROGRESS and list_.archived_at is None]
    items = [
        {
            "card_id": card.id,
            "list_id": card.list_id,
            "title": card.title,
            "started_at": format_optional_utc(card.started_at),
            "age_seconds": count_elapsed_seconds(card.started_at, now),
        }
        for card in sorted(cards, key=lambda card: (card.started_at or now, card.id))
    ]
    return {"count": sum(list_.card_count for list_ in lists), "items": items}


def _serialize_point(value: Completion) -> JsonObject:
    return {
        "card_id": value.card_id,
        "list_id": value.list_id,
        "created_at": format_optional_utc(value.created_at),
        "started_at": format_optional_utc(value.started_at),
        "resolved_at": format_utc(value.resolved_at),
        "lead_seconds": value.lead_seconds,
        "cycle_seconds": value.cycle_seconds,
    }


def _serialize_percentiles(times: Iterable[int | None]) -> JsonObject:
    known_times = sorted(seconds for seconds in times if seconds is not None)
    percentiles = {f"p{percent}_seconds": get_percentile(known_times, percent) for percent in (50, 85, 95)}
    return {"count": len(known_times), **percentiles}


def _csv_rows(report: JsonObject) -> Iterator[list[Any]]:
    totals: list[tuple[str, str | None, JsonObject]] = [("total", None, report["total"])]
    for dimension, id_name in (("list", "list_id"), ("label", "label_id"), ("member", "user_id"), ("period", None)):
        totals += [(dimension, id_name and total[id_name], total) for total in report[f"by_{dimension}"]]
    for dimension, id_, total in totals:
        amount = total["cost"]["formatted"].partition(" ")[2]
        first_day, last_day = total.get("from", report["from"]), total.get("to", report["to"])
        time = [total["elapsed_seconds"], total["elapsed"]]
        yield [dimension, id_, total.get("name"), first_day, last_day, *time, amount, total["cost"]["currency"]]


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

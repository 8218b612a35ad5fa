"""Reports in the document's shapes, and as tables."""

from collections.abc import Iterator, Mapping
from typing import Any

from handlers.sheets import sheet
from handlers.show import Shape
from kanban import money, timeclock
from kanban.days import Bucket, Days, Period
from kanban.time_report import Report, Sum


def time_report(value: Report, days: Days, bucket: Bucket, currency: str, names: Mapping[str, str]) -> Shape:
    """`TimeReport`; `names` are those of users."""
    return {
        **_range(days),
        "bucket": bucket,
        "total": _sum(value.total, currency),
        "by_list": [
            {"list_id": each.id, "name": each.name, "stage": each.stage, **_sum(found, currency)}
            for each, found in value.lists
        ],
        "by_label": [
            {"label_id": each and each.id, "name": each and each.name, **_sum(found, currency)}
            for each, found in value.labels
        ],
        "by_member": [
            {"user_id": each, "name": names.get(each, each), **_sum(found, currency)} for each, found in value.members
        ],
        "by_period": [{**_period(each), **_sum(found, currency)} for each, found in value.periods],
    }


def time_sheet(shape: Shape) -> str:
    """A `TimeReport` as a table."""
    header = ("by", "id", "name", "from", "to", "elapsed_seconds", "elapsed", "cost", "currency")
    return sheet(header, _rows(shape))


def _rows(shape: Shape) -> Iterator[list[Any]]:
    parts: list[tuple[str, str | None, Shape]] = [("total", None, shape["total"])]
    for by, key in (("list", "list_id"), ("label", "label_id"), ("member", "user_id"), ("period", None)):
        parts += [(by, key and part[key], part) for part in shape[f"by_{by}"]]
    for by, key, part in parts:
        amount = part["cost"]["formatted"].partition(" ")[2]
        first, last = part.get("from", shape["from"]), part.get("to", shape["to"])
        time = [part["elapsed_seconds"], part["elapsed"]]
        yield [by, key, part.get("name"), first, last, *time, amount, part["cost"]["currency"]]


def _range(days: Days) -> Shape:
    return {"from": days.first.isoformat(), "to": days.last.isoformat(), "tz": days.zone.key}


def _period(value: Period) -> Shape:
    return {"from": value.first.isoformat(), "to": value.last.isoformat()}


def _sum(value: Sum, currency: str) -> Shape:
    minor = value.cost_minor
    return {
        "elapsed_seconds": value.seconds,
        "elapsed": timeclock.hours_minutes_seconds(value.seconds),
        "cost": {"amount_minor": minor, "currency": currency, "formatted": money.formatted(minor, currency)},
    }

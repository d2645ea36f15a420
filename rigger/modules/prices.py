"""What a provider's machines cost in a month, by the price table that lies in its folder."""

from __future__ import annotations

import os
import re
import time
from decimal import Decimal, InvalidOperation

from rigger.errors import Refused
from rigger.modules import yaml as yaml_reader
from rigger.modules.shapes import TEXT, Entry, Shape, list_of, map_or, record, scalar
from rigger.templates import is_true, render
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from rigger.modules.model import Module
    from rigger.modules.yaml import Field

UNKNOWN = "unknown"  # a manifest's word for machines that cost money, nobody knows how much
HOURS = 730  # of a month, as clouds reckon: 8760 / 12


def _price(at: Field) -> Decimal:
    try:
        price = Decimal(at.text())
    except InvalidOperation:
        price = Decimal("NaN")
    if not price.is_finite() or price < 0:
        raise at.refuse(f"{at.text()!r} is not a price such as 0.0208")
    return price


def _prices(at: Field) -> dict[str, Decimal]:
    return {kind: _price(value) for kind, value in at.entries().items()}


def _date(at: Field) -> str:
    try:
        time.strptime(at.text(), "%Y-%m-%d")
    except ValueError:
        raise at.refuse(f"{at.text()!r} is not a date such as 2025-06-30") from None
    return at.text()


_PRICES = map_or(Shape(_prices, scalar), Shape(_price, scalar))
_ITEM = record(
    (
        Entry("name", TEXT, "What it is; Jinja2 over the values.", required=True),
        Entry("count", TEXT, "How many; Jinja2."),
        Entry("when", TEXT, "Jinja2: it counts only where this is true."),
        Entry("kind", TEXT, "Jinja2: which of the prices counts, where there are several."),
        Entry("hourly", _PRICES, "The price of one for an hour, or a map of kinds and prices."),
        Entry("monthly", _PRICES, "The price of one for a month, or a map of kinds and prices."),
    )
)
_TABLE = record(
    (
        Entry("currency", TEXT, "Such as USD.", required=True),
        Entry("date", Shape(_date, scalar), "The day of which the prices are.", required=True),
        Entry("source", TEXT, "Where they were read.", required=True),
        Entry("without", TEXT, "What is not in them."),
        Entry("items", list_of(_ITEM), "What costs money.", required=True),
    )
)


@frozen
class Item:
    """Something that costs money; `monthly` is for all of it, None where its price is not known."""

    name: str
    count: Decimal
    monthly: Decimal | None


@frozen
class Costs:
    """What a cluster costs in a month; without items nothing is known."""

    items: tuple[Item, ...] = ()
    currency: str = ""
    date: str = ""
    source: str = ""
    without: str = ""

    @property
    def total(self) -> Decimal | None:
        """The sum of what is known, None where nothing is."""
        known = [item.monthly for item in self.items if item.monthly is not None]
        return sum(known, Decimal(0)) if known else None

    @property
    def complete(self) -> bool:
        return bool(self.items) and all(item.monthly is not None for item in self.items)

    def as_dict(self) -> dict[str, Any]:
        items = [{"name": i.name, "count": float(i.count), "monthly": _number(i.monthly)} for i in self.items]
        about = {"currency": self.currency, "date": self.date, "source": self.source, "without": self.without}
        return {"monthly": _number(self.total), "complete": self.complete, "items": items, **about}


def _number(price: Decimal | None) -> float | None:
    return None if price is None else float(round(price, 2))


def costs_of(provider: Module, values: Mapping[str, str]) -> Costs:
    """Return what the machines of a provider cost that says that they do; raises Refused."""
    if provider.costs == UNKNOWN:
        return Costs()
    path = os.path.join(provider.folder, provider.costs)
    table = _TABLE.read(yaml_reader.read(path))
    items = [_item(item, values, f"{path}, {item['name']}") for item in table.pop("items")]
    return Costs(tuple(item for item in items if item), **table)


def _item(fields: Mapping[str, Any], values: Mapping[str, str], where: str) -> Item | None:
    if not is_true(fields.get("when", "true"), values, where):
        return None
    text = render(fields.get("count", "1"), values, where).strip()
    if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,6})?", text):
        raise Refused(f"{where}: {text[:80]!r} is no count.")
    count, hours = Decimal(text), 1 if "monthly" in fields else HOURS
    price = fields.get("monthly", fields.get("hourly"))
    if isinstance(price, dict):
        price = price.get(render(fields.get("kind", ""), values, where))
    monthly = None if price is None else price * count * hours
    return Item(render(fields["name"], values, where), count, monthly) if count else None

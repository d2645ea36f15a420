"""When something happened, as tables of releases have it: ISO text in UTC without a zone; seconds since 1970 are read too."""

from __future__ import annotations

import re
import time

from rigger.audit.runs import exact
from rigger.errors import NotReady, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ISO = r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,9})?(?:Z|\+00:?00)?"
EARLIEST = 1704067200.0  # 2024-01-01: a clock that says less was never set
SKEW = 300.0  # seconds by which the clocks of two machines may differ, without a word about it


def now() -> str:
    """Return this moment."""
    return of_seconds(time.time())


def of_seconds(moment: float) -> str:
    """Return a moment in seconds since 1970."""
    whole = int(moment)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{int(moment % 1 * 1e6):06d}"


def read(value: Any, where: str) -> str:
    """Return a moment in the form of ours, however a record has it; raises Refused for what is none."""
    text, moment = str(value), ""
    if found := re.fullmatch(ISO, text):
        moment = f"{found[1]}T{found[2]}{(found[3] or '.0')[:7].ljust(7, '0')}"
    elif re.fullmatch(r"[0-9]{9,11}(\.[0-9]+)?", text):
        moment = of_seconds(float(text))
    try:
        seconds(moment)
    except ValueError:
        raise Refused(
            f"{where}: {value!r} is no time.", "It is ISO text in UTC, or seconds since 1970."
        ) from None
    return moment


def seconds(moment: str) -> float:
    """Return the seconds since 1970 of a moment."""
    return exact(moment)


def unix(moment: str) -> int:
    """Return the whole seconds since 1970 of a moment."""
    return int(seconds(moment))


def shown(moment: str) -> str:
    """Return a moment for a person: 2026-11-20 21:44 UTC."""
    return f"{moment[:16].replace('T', ' ')} UTC" if moment else "-"


def require_clock(newest: str, of: str) -> None:
    """Raise NotReady where this machine's clock was never set, or is behind a record: by their dates, the records would have
    a wrong order.
    """
    if time.time() < EARLIEST:
        raise NotReady(
            f"The clock of this machine says {shown(now())}.",
            "Set the clock: a record would have that date for good.",
        )
    if newest and seconds(newest) > time.time() + SKEW:
        raise NotReady(
            f"The clock of this machine says {shown(now())}, and {of} is from {shown(newest)}.",
            "Set the clock. If that record's clock was the wrong one, say so with --clock-is-right.",
        )

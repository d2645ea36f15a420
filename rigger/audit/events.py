"""What the records of an audit log look like: those of a bundle are checked before anything relies on them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

WORD = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}"
VERB = rf"{WORD}(?:/{WORD}){{0,8}}"
RUN = rf"(?:{WORD})?"
TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[0-9.]*Z"
LINE = r"[^\x00-\x1f\x7f-\x9f]{0,4096}"
BACKUP = rf"(?:backups/{WORD})?"
LOG = rf"runs/{WORD}/{WORD}\.log"


def _text(pattern: str):
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


def _number(value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _texts(value) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


def _line_if_any(value) -> bool:
    return value is None or _text(LINE)(value)


_MODULE, _STEP, _LINE = _text(rf"(?:provider|platform)/{WORD}"), _text(VERB), _text(LINE)

# What of a record is read again, by event; whatever else it has is only shown.
_ALWAYS = {"time": _text(TIME), "run": _text(RUN), "event": _text(WORD)}
_FIELDS = {
    "run-started": {
        "command": _LINE,
        "version": _LINE,
        **dict.fromkeys(("provider", "platform", "id"), _line_if_any),
    },
    "run-finished": {"outcome": _LINE},
    "step-started": {
        "module": _MODULE,
        "step": _STEP,
        "number": _number,
        "script": _LINE,
        "parameters": _texts,
        "log": _text(LOG),
    },
    "step-finished": {"module": _MODULE, "step": _STEP, "number": _number, "exit_code": _number},
    "step-recovered": {"module": _MODULE, "step": _STEP, "number": _number},
    "upgrade-started": {"from": _LINE, "to": _LINE, "style": _LINE},
    "upgrade-finished": {"from": _LINE, "to": _LINE},
    "upgrade-rolled-back": {"from": _LINE, "to": _LINE},
    "suspend-started": {"backup": _text(BACKUP)},
    "suspended": {"backup": _text(BACKUP)},
    "checked-out": {"folder": _LINE, "before": _LINE, "commit": _LINE},
    "loaded": {"digests": _texts},
}


def problem_of(records: Iterable[Mapping]) -> str | None:
    """Return what in the records rigger cannot have written, None when nothing is."""
    for record in records:
        expected = {**_ALWAYS, **_FIELDS.get(str(record.get("event")), {})}
        for name, good in expected.items():
            if not good(record.get(name)):
                return f"record {record['seq']} has no usable {name}"
    return None

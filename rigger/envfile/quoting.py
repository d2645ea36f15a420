"""How a value stands in double quotes: every POSIX shell reads back the exact bytes."""

from __future__ import annotations

import re

# What may stand between the quotes; a pattern, compiled by those who use it.
QUOTED = r'[^\\"$`]*(?:\\[\\"$`][^\\"$`]*)*'
_SPECIAL = r'([\\"$`])'


def quote(value: str) -> str:
    """Return the value in double quotes."""
    return '"' + re.sub(_SPECIAL, r"\\\1", value) + '"'


def unquote(text: str) -> str:
    """Return the value whose quoted form, without the quotes, is given."""
    return re.sub(r"\\" + _SPECIAL, r"\1", text) if "\\" in text else text

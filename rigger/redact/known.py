"""The secrets that this process has met: whatever rigger itself says or writes for people is masked by them."""

from __future__ import annotations

from rigger.redact import Redactor, maskable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_met: dict[
    str, Redactor | None
] = {}  # by value; one redactor for all that were met when something was masked
_revealed: list[bool] = []


def hide(secrets: Mapping[Any, str]) -> None:
    """Mask these values from now on."""
    for value in maskable(secrets):
        _met.setdefault(value, None)


def reveal() -> None:
    """Mask nothing in this process: somebody asked to see secrets."""
    _revealed.append(True)


def forget() -> None:
    """Begin anew, as a process does."""
    _met.clear()
    _revealed.clear()


def masked(text: str) -> str:
    """Return a text in which no secret stands that was met."""
    redactor = _redactor()
    return redactor.text(text) if redactor and text.strip() else text


def masked_bytes(data: bytes) -> bytes:
    """Return bytes in which no secret stands that was met."""
    redactor = _redactor()
    return redactor.bytes(data) if redactor else data


def masked_data(data: Any) -> Any:
    """Return what JSON can hold, without a secret in any of its texts."""
    if isinstance(data, str):
        return masked(data)
    if isinstance(data, dict):
        return {name: masked_data(value) for name, value in data.items()}
    return [masked_data(value) for value in data] if isinstance(data, list | tuple) else data


def _redactor() -> Redactor | None:
    if not _met or _revealed:
        return None
    known = next(iter(_met.values()))
    if known is None or None in _met.values():
        known = Redactor(_met)
        _met.update(dict.fromkeys(_met, known))
    return known

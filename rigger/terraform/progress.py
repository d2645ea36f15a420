"""How far an apply is, as Terraform tells it in its machine-readable form."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

NO_CHANGE = ("noop", "no-op", "read", "move")


class Progress:
    """Reads what an apply says in its machine-readable form, and says it with how many resources are done."""

    def __init__(self, say: Callable[[str], None]):
        self.say = say
        self.said = ""
        self.rests: dict[str, int] = {}  # how many more times each resource will be changed
        self.planned = self.done = 0

    def take(self, line: bytes) -> None:
        message = _message(line)
        kind, text = message.get("type"), message.get("@message", "")
        if kind == "planned_change":
            self._expect(message["change"])
        elif kind == "apply_complete":
            self._finish(message["hook"])
            self.say(f"{self._so_far()}{text}")
        elif kind == "diagnostic" or message.get("@level") == "error":
            self._say_diagnostic(message)
        elif kind in (
            "apply_start",
            "apply_progress",
            "apply_errored",
            "provision_start",
            "provision_progress",
        ):
            self.say(f"{self._so_far()}{text}")
        elif kind in ("change_summary", ""):
            self.say(text)

    def _expect(self, change: Mapping[str, Any]) -> None:
        action = change.get("action")
        if action not in NO_CHANGE:
            self.planned += 1
            self.rests[change["resource"]["addr"]] = 2 if action == "replace" else 1

    def _finish(self, hook: Mapping[str, Any]) -> None:
        if hook.get("action") in NO_CHANGE:
            return
        address = hook["resource"]["addr"]
        self.rests[address] = self.rests.get(address, 1) - 1
        self.done += self.rests[address] == 0

    def _so_far(self) -> str:
        return f"{self.done} of {self.planned}: " if self.planned else ""

    def _say_diagnostic(self, message: Mapping[str, Any]) -> None:
        about = message.get("diagnostic", {})
        where = f"{about['address']}: " if about.get("address") else ""
        level = about.get("severity") or message.get("@level", "")
        words = [f"{level}: {where}{about.get('summary') or message.get('@message', '')}"]
        words += [f"  {line}" for line in (about.get("detail") or "").splitlines() if line.strip()]
        self.said += "\n".join(words) + "\n"
        for line in words:
            self.say(line)


def _message(line: bytes) -> dict[str, Any]:
    try:
        message = json.loads(line)
        if isinstance(message, dict):
            return message
    except ValueError:
        pass
    return {"type": "", "@message": line.decode("utf-8", "replace"), "@level": "info"}

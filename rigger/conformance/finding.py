"""One thing that was found when a module was read or tried."""

from __future__ import annotations

from rigger.values import frozen

PASS, FAIL, ADVICE, NOT_RUN = "PASS", "FAIL", "ADVICE", "SKIP"


@frozen
class Finding:
    """One thing that was looked at: PASS, FAIL, ADVICE, which fails nobody, or SKIP, what was not run; the file and line, when known."""

    level: str
    text: str
    file: str = ""
    line: int = 0

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file

    def as_dict(self) -> dict[str, str | int | None]:
        return {"level": self.level, "text": self.text, "file": self.file, "line": self.line or None}

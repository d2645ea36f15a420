"""Every question of trust and agreement."""

from __future__ import annotations

import os

from rigger import text
from rigger.errors import BadUsage, Interrupted
from rigger.git import inspect as git_inspect
from rigger.trust.ledger import agree_repository, agreed_commits
from rigger.ui.terminal import has_terminal
from rigger.ui.wizard import Wizard


def passphrase(path: str | None, prompt: str, twice: bool = False) -> str:
    """Return a passphrase from a file's first line, $RIGGER_PASSPHRASE, or a person; raises BadUsage."""
    if path:
        try:
            with open(path, "rb") as file:
                return text.decode(file.readline().rstrip(b"\r\n"))
        except OSError as problem:
            raise BadUsage(f"{path} cannot be read: {problem.strerror}.") from None
    if os.environ.get("RIGGER_PASSPHRASE"):
        return os.environ["RIGGER_PASSPHRASE"]
    if not has_terminal():
        raise BadUsage(f"Nobody can be asked: {prompt}", "Give --passphrase-file FILE, or RIGGER_PASSPHRASE.")
    talk = Wizard()
    answer = talk.secret(prompt)
    if twice and talk.secret("The same again?") != answer:
        raise BadUsage("The two are not the same.", "Try again.")
    return answer


def require_repository(app, url: str, commit: str, folder: str, trust: bool = False) -> None:
    """Let a person agree to the scripts of a repository at a commit; once is enough.

    `folder` is a checkout that has the commit; what changed since the last one that was agreed to is shown from it.
    `trust` agrees beforehand. Raises Interrupted on a no, BadUsage where nobody can be asked.
    """
    known = agreed_commits(app.home.path, url)
    if commit in known:
        return
    _show_repository(app.printer, url, commit, folder, known)
    if not trust:
        _ask(url, commit)
    agree_repository(app.home.path, url, commit)


def _show_repository(printer, url: str, commit: str, folder: str, known: dict[str, str]) -> None:
    printer.warn(f"Scripts of {url} will run on this machine, as they are at commit {commit}.")
    if not known:
        return
    last = list(known)[-1]
    printer.line(f"  Since {last[:12]}, which was agreed to on {known[last][:10]}:")
    changes = git_inspect.changes(folder, last, commit) or ["No script changed."]
    printer.lines(*(f"    {line}" for line in changes))


def _ask(url: str, commit: str) -> None:
    if not has_terminal():
        raise BadUsage(
            f"Nobody can be asked whether the scripts of {url} at {commit[:12]} may run.",
            "Look at them, then add --trust to agree.",
        )
    if not Wizard().confirm("May they run on this machine, as you?", default=False):
        raise Interrupted("Nothing was changed.")

"""Agreement to scripts of somebody else: of a bundle, or of a repository at a commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rigger.git import inspect as git_inspect
from rigger.trust.ledger import agree_repository, agreed_commits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rigger.operations.consent import Consent
    from rigger.runs.reporter import Reporter


def agree_to_bundle(
    consent: Consent, reporter: Reporter, names: Sequence[str], hashes: Sequence[tuple[str, str]]
) -> None:
    """Let a person agree to scripts that only a bundle has, after showing their hashes; `names` are unknown here.

    Raises Interrupted on a no, BadUsage where nobody can be asked.
    """
    unknown = f"This machine does not know {' and '.join(names)}; these" if names else "These"
    reporter.warn(f"{unknown} scripts came in the bundle:")
    reporter.table(hashes)
    consent.trust_scripts("Nobody can be asked whether they may run.")


def agree_to_repository(
    consent: Consent, reporter: Reporter, home: str, url: str, commit: str, folder: str
) -> None:
    """Let a person agree to the scripts of a repository at a commit; once is enough.

    `folder` is a checkout that has the commit; what changed since the last one that was agreed to is shown from it.
    Raises Interrupted on a no, BadUsage where nobody can be asked.
    """
    agreed = agreed_commits(home, url)
    if commit in agreed:
        return
    reporter.flush()  # git's progress is over
    _show_repository(reporter, url, commit, folder, agreed)
    consent.trust_scripts(f"Nobody can be asked whether the scripts of {url} at {commit[:12]} may run.")
    agree_repository(home, url, commit)


def _show_repository(reporter: Reporter, url: str, commit: str, folder: str, agreed: dict[str, str]) -> None:
    reporter.warn(f"Scripts of {url} will run on this machine, as they are at commit {commit}.")
    if not agreed:
        return
    last = list(agreed)[-1]
    reporter.line(f"  Since {last[:12]}, which was agreed to on {agreed[last][:10]}:")
    for line in git_inspect.changes(folder, last, commit) or ["No script changed."]:
        reporter.line(f"    {line}")

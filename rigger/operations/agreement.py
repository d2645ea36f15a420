"""Agreement to scripts of somebody else: of a bundle, or of a repository at a commit."""

from __future__ import annotations

from rigger.git import inspect as git_inspect
from rigger.trust.ledger import agree_repository, agreed_commits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from rigger.operations.consent import Consent
    from rigger.runs.reporter import Reporter

USED = "May all of it be used on this machine, as you?"


def agree_to_bundle(
    consent: Consent,
    reporter: Reporter,
    names: Sequence[str],
    hashes: Sequence[tuple[str, str]],
    others: Sequence[tuple[str, str]] = (),
) -> None:
    """Let a person agree to scripts that only a bundle has, after showing their hashes; `names` are unknown here.

    `others` is what else it would have this machine use: why it is told, and what. Raises Declined on a no, BadUsage
    where nobody can be asked.
    """
    if hashes:
        unknown = f"This machine does not know {' and '.join(names)}; these" if names else "These"
        reporter.warn(f"{unknown} scripts came in the bundle:")
        reporter.table(hashes)
    if not others:
        consent.trust_scripts("rigger has to ask if they may run, and there is no terminal.")
        return
    _show_others(reporter, "the bundle", others)
    consent.trust_scripts(
        f"rigger has to ask if {'all that' if hashes else 'that'} may be used, and there is no terminal.",
        USED,
    )


def agree_to_values(
    consent: Consent, reporter: Reporter, path: str, others: Sequence[tuple[str, str]]
) -> None:
    """Let a person agree to values in somebody else's file that steer what runs, and where secrets go.

    Raises Declined on a no, BadUsage where nobody can be asked.
    """
    _show_others(reporter, path, others)
    consent.trust_scripts(
        f"rigger has to ask if what {path} says may be used, and there is no terminal.", USED
    )


def _show_others(reporter: Reporter, where: str, others: Sequence[tuple[str, str]]) -> None:
    reporter.warn(f"What runs here, and where secrets go, would follow from this in {where}:")
    reporter.table(others)


def agree_to_repository(
    consent: Consent, reporter: Reporter, home: str, url: str, commit: str, folder: str
) -> None:
    """Let a person agree to the scripts of a repository at a commit; once is enough.

    `folder` is a checkout that has the commit; what changed since the last one that was agreed to is shown from it.
    Raises Declined on a no, BadUsage where nobody can be asked.
    """
    agreed = agreed_commits(home, url)
    if commit in agreed:
        return
    reporter.flush()  # git's progress is over
    _show_repository(reporter, url, commit, folder, agreed)
    consent.trust_scripts(
        f"rigger has to ask if the scripts of {url} at {commit[:12]} may run, and there is no terminal."
    )
    agree_repository(home, url, commit)


def agree_to_module(
    consent: Consent, reporter: Reporter, home: str, url: str, name: str, digest: str
) -> None:
    """Let a person agree to the scripts of a module of a repository, by the digest of its files; once is enough.

    Raises Declined on a no, BadUsage where nobody can be asked.
    """
    if f"sha256:{digest}" in agreed_commits(home, url):
        return
    reporter.warn(f"Scripts of {name} will run on this machine; the digest of its files is sha256:{digest}.")
    consent.trust_scripts(f"rigger has to ask if the scripts of {name} may run, and there is no terminal.")
    agree_repository(home, url, f"sha256:{digest}")


def _show_repository(reporter: Reporter, url: str, commit: str, folder: str, agreed: dict[str, str]) -> None:
    reporter.warn(f"Scripts of {url} will run on this machine, as they are at commit {commit}.")
    if not agreed:
        return
    last = list(agreed)[-1]
    reporter.line(f"  Since {last[:12]}, which was agreed to on {agreed[last][:10]}:")
    for line in git_inspect.changes(folder, last, commit) or ["No script changed."]:
        reporter.line(f"    {line}")

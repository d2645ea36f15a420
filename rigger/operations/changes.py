"""Show which services get another image, before anything is agreed to."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from rigger.releases.difference import Change
    from rigger.runs.reporter import Reporter


def show_changes(reporter: Reporter, changes: Sequence[Change]) -> None:
    """Show old and new of each service, then the commits between."""
    reporter.table([change.row() for change in changes])
    for image, commits in {change.image: change.commits for change in changes if change.commits}.items():
        reporter.line(f"  {image}:")
        for commit in commits:
            reporter.line(f"    {commit}")

"""Make the table that a project's releases are in."""

from __future__ import annotations

from rigger.errors import BadUsage
from rigger.later import later
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rigger.operations.consent import Consent
    from rigger.operations.projects import Opened
    from rigger.releases import aws_store
    from rigger.runs.reporter import Reporter
else:
    aws_store = later("rigger.releases.aws_store")


@frozen
class Made:
    """A table of releases, and whether it was made now."""

    table: str
    account: str
    region: str
    made: bool
    planned: bool = False  # whether it is only shown what would be done

    def as_dict(self) -> dict[str, Any]:
        return {"table": self.table, "account": self.account, "region": self.region, "made": self.made}


def make_table(at: Opened, reporter: Reporter, consent: Consent) -> Made:
    """Make the table, unless it is there; raises BadUsage for a project whose records are elsewhere, Declined on a no.

    Raises Refused where a table of that name has another shape, NotReady for whatever AWS says against it.
    """
    if at.project.store != "aws":
        raise BadUsage(
            f"The records of {at.project.id} are in {at.store.where}, which needs no table.",
            "To have them in AWS, say store: aws in the manifest.",
        )
    store: aws_store.AwsStore = at.store  # type: ignore[assignment]
    table, aws = store.table, store.table.aws
    result = Made(table.name, aws.account(), aws.region, not table.there(), at.call.plans)
    if not result.made or at.call.plans:
        return result
    reporter.line(
        f"Table {table.name} in account {result.account}, region {result.region}; it costs what is asked of it."
    )
    consent.agree("Make this table?")
    return Made(table.name, result.account, result.region, table.make())

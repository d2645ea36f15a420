"""What a cluster costs is shown, and agreed to before its machines are made for the first time."""

from __future__ import annotations

import time

from rigger.later import later
from rigger.plans import provision as plans

TYPE_CHECKING = False
if TYPE_CHECKING:
    from decimal import Decimal

    from rigger.configuration.config import Config
    from rigger.environments.environment import Environment
    from rigger.modules import prices
    from rigger.modules.prices import Costs
    from rigger.operations.session import Session
    from rigger.plans.model import Plan
    from rigger.runs import run
    from rigger.runs.reporter import Reporter
else:
    prices = later("rigger.modules.prices")
    run = later("rigger.runs.run")

YEAR = 365


def costs(config: Config) -> Costs | None:
    """Return what the configured machines cost in a month, None where the provider says of no costs."""
    if not config.provider.costs:
        return None
    ports = " ".join(map(str, config.platform.ports))
    return prices.costs_of(config.provider, {**config.values, "RIGGER_PLATFORM_PORTS": ports})


def agree_to_costs(work: Session, plan: Plan) -> None:
    """Show what a first create would make and cost, and ask for consent; raises Declined on a no, or BadUsage."""
    if not plan.creates or not (known := costs(work.config)):
        return
    key, steps = plan.creates[0].key, work.state.steps
    if steps.done.get(key) is not None or steps.unfinished(key) is not None:
        return  # they were agreed to when they were made, or begun
    if work.consent.can_ask and not work.consent.yes:
        show_machines(work.environment, work.config, plan, work.reporter, work.lock, installs=True)
    show_costs(work.reporter, known)
    work.consent.agree(_question(known))


def show_machines(
    environment: Environment,
    config: Config,
    planned: Plan,
    reporter: Reporter,
    lock: int,
    installs: bool = False,
) -> None:
    """Have the provider's own plan script, if it has one, show what the create of a plan would change."""
    show_plans(environment, config, plans.machines(config, planned, installs), reporter, lock)


def show_plans(environment: Environment, config: Config, shown: Plan, reporter: Reporter, lock: int) -> bool:
    """Run scripts that show what would change, and show what each of them says; return whether any says that something would.

    One that fails says so, too: what it would have said is unknown.
    """
    results = run.Run(environment, config, reporter, lock).carry_out(shown) if shown.steps else ()
    for result in results:
        if reporter.live and result.step.verb == "plan":
            with open(result.log, "rb") as file:
                reporter.pass_on(file.read())
        if result.failed:
            reporter.warn(f"What would change could not be shown: {result.describe()}")
    return any(not result.good for result in results)


def show_costs(reporter: Reporter, costs: Costs) -> None:
    """Say what each thing costs in a month, and all of it."""
    if not costs.items:
        reporter.line("What these machines cost is unknown.")
        return
    without = f", without {costs.without}" if costs.without else ""
    reporter.line(f"What it costs in a month, by the list prices of {costs.date}{without}:")
    rows = [(f"{i.count.normalize():f} x {i.name}", _shown(i.monthly, costs)) for i in costs.items]
    reporter.table([*rows, ("in all", _sum(costs))], indent="    ")
    reporter.line(f"  Prices from {costs.source}")
    if _days_since(costs.date) > YEAR:
        reporter.line("  They are over a year old: look there what they are today.")


def _days_since(date: str) -> int:
    """Return how many days ago a date such as 2025-06-30 was; raises ValueError for one that no calendar has."""
    import calendar  # slow to import, seldom needed

    return int(time.time() // 86400) - calendar.timegm(time.strptime(date, "%Y-%m-%d")) // 86400


def _question(costs: Costs) -> str:
    if costs.total is None:
        return "Make these machines, although what they cost is unknown?"
    about = "about " if costs.complete else ""
    return f"Make these machines, for {about}{_sum(costs)} a month?"


def _sum(costs: Costs) -> str:
    least = "" if costs.complete or costs.total is None else "at least "
    return least + _shown(costs.total, costs)


def _shown(price: Decimal | None, costs: Costs) -> str:
    return "unknown" if price is None else f"{price:.2f} {costs.currency}"

"""Upgrades: which jumps make sense, what they consist of, and how far the last one got."""

from __future__ import annotations

import re

from rigger import versions
from rigger.audit.stages import Stages
from rigger.errors import BadUsage
from rigger.plans import stages
from rigger.plans.model import Plan, Step
from rigger.questions.model import Choice
from rigger.text import did_you_mean
from rigger.versions import newest_first

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Protocol

    from rigger.audit.steps import StepHistory
    from rigger.audit.upgrades import Request
    from rigger.configuration.config import Config
    from rigger.modules.model import Module, Upgrade
else:
    Protocol = object

WATCH = "app-test"  # the suite that says whether the applications that are watched are still right
DEPLOY_APPS, DESTROY_APPS = "app-deploy", "app-destroy"


class _Result(Protocol):
    """What is read of a step's result, which a run makes."""

    @property
    def step(self) -> Step: ...
    @property
    def figures(self) -> Mapping[str, str]: ...


def styles(platform: Module) -> list[Choice]:
    """Return the ways in which a platform can be upgraded."""
    return [Choice(style.style, style.description) for style in platform.upgrades.values()]


def newer(platform: Module, version: str) -> list[str]:
    """Return the known versions after this one, the newest first."""
    return [known for known in newest_first(platform.versions) if versions.key(known) > versions.key(version)]


def validate_upgrade(platform: Module, request: Request, allow_downgrade: bool = False) -> None:
    """Raise BadUsage, with the reason, for an upgrade that does not make sense."""
    start, to = request.start, request.to
    if to not in platform.versions and not (
        platform.version_pattern and re.fullmatch(platform.version_pattern, to)
    ):
        also = f", and what matches {platform.version_pattern}" if platform.version_pattern else ""
        raise BadUsage(
            f"{platform.name} has no version {to!r}{did_you_mean(to, platform.versions)}.",
            f"Known: {', '.join(newest_first(platform.versions))}{also}.",
        )
    if versions.key(to) == versions.key(start):
        raise BadUsage(f"The cluster runs {platform.name} {start} already.", "Choose another with --version.")
    if versions.key(to) < versions.key(start) and not allow_downgrade:
        raise _older(start, to)
    require_style(platform, request.style)
    _validate_jump(platform, platform.upgrades[request.style], start, to)


def _older(start: str, to: str) -> BadUsage:
    unread = next((version for version in (to, start) if versions.parse(version) is None), "")
    if not unread:
        return BadUsage(
            f"{to} is older than {start}, which the cluster runs.", "Add --allow-downgrade if you mean it."
        )
    return BadUsage(
        f"{to} may be older than {start}, which the cluster runs: {unread!r} is no version that "
        "can be compared with others.",
        f"Versions look like {versions.LOOKS}. Add --allow-downgrade if you mean it.",
    )


def require_style(platform: Module, style: str) -> None:
    """Raise BadUsage for a way of upgrading that the platform does not offer."""
    if style not in platform.upgrades or platform.script(f"upgrade-{style}") is None:
        offered = ", ".join(platform.upgrades) or "none"
        raise BadUsage(f"{platform.name} has no upgrade style {style!r}.", f"It offers: {offered}.")


def way_back(platform: Module, style: str) -> str:
    """Return by what one goes back from an upgrade of a style: one of ROLLBACKS."""
    known = platform.upgrades.get(style)
    return known.rollback if known else "script"


def require_way_back(platform: Module, request: Request, backup: str) -> None:
    """Raise BadUsage where the script of an upgrade goes one way only; `backup` is the file of before, if any."""
    back = way_back(platform, request.style)
    if back == "script":
        return
    ways = ['"rigger upgrade --continue" resumes it.']
    if backup and back == "restore":
        ways.append(f'"rigger restore {backup}" puts the data of {request.start} back.')
    raise BadUsage(
        f"{platform.name} cannot go back {request.style} from {request.to} to {request.start}: its manifest says "
        f"rollback: {back}.",
        " ".join(ways),
    )


def _validate_jump(platform: Module, style: Upgrade, start: str, to: str) -> None:
    old, new = versions.numbers(start), versions.numbers(to)
    old, new = (*old, 0, 0)[:3], (*new, 0, 0)[:3]
    if style.since and versions.key(start) < versions.key(style.since):
        raise BadUsage(
            f"{platform.name} can be upgraded {style.style} only from {style.since} on; this cluster runs {start}.",
            "Choose another --upgrade-style, or go there in steps.",
        )
    if style.within and old[0] != new[0] or style.within == "minor" and old[1] != new[1]:
        raise BadUsage(
            f"{platform.name} cannot go {style.style} from {start} to {to}: only within a {style.within} version.",
            "Choose another --upgrade-style.",
        )
    if style.minors is not None and old[0] == new[0] and abs(new[1] - old[1]) > style.minors:
        step = f"{old[0]}.{old[1] + style.minors}" if new > old else f"{old[0]}.{old[1] - style.minors}"
        raise BadUsage(
            f"{platform.name} cannot go {style.style} from {start} to {to}: one jump spans at most "
            f"{style.minors} minor version{'' if style.minors == 1 else 's'}.",
            f"Go to {step} first.",
        )


def steps(
    config: Config,
    request: Request,
    history: StepHistory,
    whole: StepHistory,
    nodes: Sequence[str] = (),
    got: Stages | None = None,
) -> Plan:
    """Return the plan of an upgrade: what `history`, which began with it, does not have yet.

    `whole` is the history since the cluster was made: it knows whether applications are watched. A style that goes by
    stages goes by these `nodes`, and `got` is how far it got.
    """
    platform = config.platform
    watched = watches(platform, whole)
    verb, got = request.verb, got or Stages()
    by_stages = goes_by_stages(platform, request)
    done = {key.rpartition("/")[2] for key in history.done if key.startswith("platform/")}
    chosen: list[Step] = []
    finished: list[Step] = []
    before = {"VERSION": request.start, f"{platform.prefix}_VERSION": request.start}  # still what runs
    if watched and verb not in done and not request.back:  # what is ill is no reason to stay there
        why = "are the applications right before we begin?"
        chosen.append(Step(platform, f"tests/{WATCH}", why, environ=before))
    if platform.script("backup") and not request.back:
        why = f"before anything changes: the data of {request.start}"
        step = Step(platform, "backup", why, environ=before)
        (finished if "backup" in done else chosen).append(step)
    if by_stages:
        todo, ready = stages.steps(config, request, nodes, got)
        chosen += todo
        finished += ready
    else:
        way, environ = ("back to", {"RIGGER_ROLLBACK": "true"}) if request.back else ("to", {})
        step = Step(platform, verb, f"{request.start} {way} {request.to}", environ=environ)
        (finished if verb in done else chosen).append(step)
    chosen.append(Step(platform, "check", f"is {request.to} as it should be?"))
    if watched:
        chosen.append(Step(platform, f"tests/{WATCH}", "are the applications still right?"))
    rules = stages.rules(config, request, got) if by_stages else ()
    return Plan("upgrade", tuple(chosen), tuple(finished), rules=rules)


def goes_by_stages(platform: Module, request: Request) -> bool:
    """Return whether an upgrade goes to its version by stages; the way back is one."""
    return not request.back and bool(platform.upgrades[request.style].stages)


def watches(platform: Module, history: StepHistory) -> bool:
    """Return whether applications were deployed that an upgrade has to keep an eye on."""
    if WATCH not in platform.suites:
        return False
    deployed = history.done.get(f"platform/{platform.name}/tests/{DEPLOY_APPS}")
    removed = history.last.get(f"platform/{platform.name}/tests/{DESTROY_APPS}")
    if deployed is None:
        return False
    # A removal that failed may have removed them all the same.
    return removed is None or removed.skipped or removed.started.seq < deployed.started.seq


def report(results: Sequence[_Result]) -> dict[str, str]:
    """Return the figures of the last test that watched applications."""
    for result in reversed(results):
        if result.step.verb == f"tests/{WATCH}":
            return dict(result.figures)
    return {}

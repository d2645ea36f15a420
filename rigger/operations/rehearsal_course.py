"""One rehearsal from its beginning to its end: the copy, its data and applications, the upgrade, the figures, the verdict."""

from __future__ import annotations

import os
import shutil

from rigger.configuration.resolve import resolve
from rigger.errors import Interrupted, RiggerError, RolledBack
from rigger.operations import rehearsal_drive
from rigger.operations.backup import restore
from rigger.operations.consent import Consent
from rigger.operations.provision import provision
from rigger.operations.rehearsal_copy import create, take_away
from rigger.operations.rehearsal_drive import Course
from rigger.operations.session import session
from rigger.plans import rehearsal as plans
from rigger.plans.upgrade import WATCH
from rigger.rehearsals import faults
from rigger.rehearsals.judgement import WRONG, judged
from rigger.rehearsals.model import GO, INCONCLUSIVE, Rehearsed
from rigger.runs.reporter import Silent
from rigger.runs.tests import case
from rigger.values import frozen, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rigger.audit.upgrades import Request
    from rigger.configuration.config import Config
    from rigger.environments.environment import Environment
    from rigger.operations.rehearsal_copy import CopyOptions
    from rigger.plans.model import Plan
    from rigger.rehearsals.copies import PrivateHome
    from rigger.rehearsals.faults import Offer
    from rigger.rehearsals.model import Scenario
    from rigger.runs.reporter import Reporter
    from rigger.runs.result import StepResult

    Figures = Mapping[str, str]

YES = Consent(yes=True)
USUAL = 5.0  # seconds that a step takes of which nobody knows how many
SHORTEST = 0.5  # seconds


@frozen
class Rehearsing:
    """All that the rehearsals of one upgrade share."""

    private: PrivateHome
    environment: Environment
    config: Config
    request: Request
    options: CopyOptions
    backup: str  # the file that every copy is filled with; empty: none
    trust: bool  # whether somebody agreed beforehand to the scripts of the version to reach
    reporter: Reporter


def rehearse_one(
    work: Rehearsing, scenario: Scenario, offer: Offer | None, usual: float, consent: Consent
) -> Rehearsed:
    """Rehearse once, and again where the upgrade was over before anything went wrong in it.

    `usual` is how many seconds the step takes that changes the version; `consent` agrees to what the copy's machines cost.
    """
    done, missed = _once(work, scenario, offer, usual, consent)
    while missed and usual > SHORTEST:
        usual /= 3
        done, missed = _once(work, scenario, offer, usual, YES)
    return done


def _once(
    work: Rehearsing, scenario: Scenario, offer: Offer | None, usual: float, consent: Consent
) -> tuple[Rehearsed, bool]:
    """Make a copy, fill it, upgrade it while something goes wrong, look at what became of it, and take it away.

    Return also whether the moment at which something was to go wrong was over.
    """
    try:
        copy = create(work.private, work.environment, work.config, work.options)
        try:
            before = _filled(work, copy, scenario, offer, consent)
        except Interrupted:
            raise
        except RiggerError as problem:
            reason = f"the copy could not be made: {problem.message.rstrip('.')}"
            return Rehearsed(scenario.name, scenario.title, INCONCLUSIVE, reason), False
        course = _course(work, copy, scenario, offer, usual)
        rehearsal_drive.run(course)
        after = _measured(copy, plans.after(resolve(copy), work.request.style, course.finished))
        done = _judged(work, course, before, after)
        if done.verdict != GO:
            _keep_logs(work, course)
            done = replace(done, logs=f"logs/{scenario.name}")
        return done, course.missed
    finally:
        take_away(work.private)


def _filled(
    work: Rehearsing, copy: Environment, scenario: Scenario, offer: Offer | None, consent: Consent
) -> Sequence[StepResult]:
    """Make the copy's cluster, put the backup's data on it, start its applications and measure it."""
    say = work.reporter.progress
    config = resolve(copy)
    costs = bool(config.provider.costs)
    say("making the copy ...")
    if offer is not None:
        provision(copy, None, consent if costs else YES, modules=(config.provider.name,))
        faults.act(copy, resolve(copy), offer, faults.PREPARE, scenario.fault, _struck(copy))
    provision(copy, work.reporter if costs and not consent.yes else None, consent if costs else YES)
    if work.backup:
        say("filling it with the backup's data ...")
        restore(copy, work.backup, None, YES)
    say("starting applications, and measuring ...")
    return _measured(copy, plans.before(resolve(copy), work.request.style))


def _struck(copy: Environment) -> str:
    """Return the node that is struck: the last one, for applications run on the first ones."""
    return copy.nodes()[-1].name


def _measured(copy: Environment, plan: Plan) -> Sequence[StepResult]:
    """Run steps that only look; what failed is among the results."""
    if not plan.steps:
        return ()
    with session(copy, "rigger upgrade --rehearse", Silent(), YES) as work:
        return work.run(work.prepared(plan)).steps


def _course(
    work: Rehearsing, copy: Environment, scenario: Scenario, offer: Offer | None, usual: float
) -> Course:
    folder = os.path.join(work.private.aside, "commands")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    work.reporter.progress("upgrading it ...")
    return Course(copy, scenario, work.request, folder, usual, work.trust, offer, _struck(copy))


def _judged(
    work: Rehearsing, course: Course, before: Sequence[StepResult], after: Sequence[StepResult]
) -> Rehearsed:
    """Return what a rehearsal came to, by what was measured before and after it."""
    scenario, style = course.scenario, work.request.style
    judge = plans.judge_of(work.config.platform, style)
    load = f"tests/{judge.test}" if judge else ""
    figures = _of_writes(course, after)
    if scenario.back and work.config.platform.upgrades[style].rollback == "restore":
        figures = {
            name: value for name, value in figures.items() if name not in WRONG
        }  # gone with the old data
    loaded, loaded_after = _figures(before, load), _figures(after, load)
    data, data_after = (_figures(one, f"tests/{plans.DATA}") for one in (before, after))
    verdict, reason = judged(
        problem=_problem(work, course, after),
        figures=figures,
        data=data,
        data_after=data_after,
        before=loaded,
        after=loaded_after,
        judge=judge,
    )
    if verdict == GO:
        verdict, reason = _as_far_as_it_went(course, reason)
    return Rehearsed(
        scenario.name,
        scenario.title,
        verdict,
        reason,
        round(course.seconds, 1),
        figures,
        loaded,
        loaded_after,
        data,
        data_after,
        course.timeline(),
    )


def _as_far_as_it_went(course: Course, reason: str) -> tuple[str, str]:
    """Return the verdict of one that ended well: it says nothing where the upgrade was over before something went wrong."""
    if course.missed:
        return INCONCLUSIVE, "the upgrade was over before anything could go wrong in it"
    if course.code == RolledBack.exit_code:
        return GO, f"it went back by itself to {course.request.start}; {reason}"
    again = len(course.commands) - (2 if course.scenario.kills else 1)
    return GO, f"{reason}; it took {again} more command{'s' if again > 1 else ''}" if again > 0 else reason


def _problem(work: Rehearsing, course: Course, after: Sequence[StepResult]) -> str:
    """Return why the copy is not as it should be at the end; nothing where it is."""
    if not course.finished:
        said = course.said()
        return f"it could not be finished, with {len(course.commands)} commands" + (
            f": {said}" if said else ""
        )
    if course.code == RolledBack.exit_code and not course.scenario.moment:
        return f"it went back by itself: {course.said()}"
    wanted = work.request.start if course.went_back else work.request.to
    runs = course.copy.vars().get("VERSION", "")
    if runs != wanted:
        return f"it runs {runs}, not {wanted}"
    ill = [case(one).reason for one in after if one.step.checks and one.failed]
    return f"it is not healthy: {'; '.join(ill)}" if ill else ""


def _figures(results: Sequence[StepResult], verb: str) -> Figures:
    return next((dict(one.figures) for one in results if one.step.verb == verb and one.figures), {})


def _of_writes(course: Course, after: Sequence[StepResult]) -> dict[str, str]:
    """Return the applications' figures at the end, and the worst of all that were tested on the way."""
    told = [one["figures"] for one in course.copy.audit.records() if _is_watch(one)]
    told += [dict(one.figures) for one in after if one.step.verb == f"tests/{WATCH}"]
    told = [one for one in told if one]
    if not told:
        return {}
    figures = dict(told[-1])
    for name in WRONG:
        if name in figures:
            figures[name] = max((one.get(name, "0") for one in told), key=float)
    gaps = [value for one in told for name, value in one.items() if name.startswith("longest_gap")]
    return {**figures, "longest_gap_seconds": max(gaps, key=float, default="0")}


def _is_watch(record: Mapping[str, object]) -> bool:
    return record["event"] == "step-finished" and record["step"] == f"tests/{WATCH}" and "figures" in record


def _keep_logs(work: Rehearsing, course: Course) -> None:
    """Keep what scripts and commands printed, which goes with the copy, for whoever asks why."""
    folder = os.path.join(work.private.aside, "logs", course.scenario.name)
    shutil.rmtree(folder, ignore_errors=True)  # of the same one, at another moment
    shutil.copytree(course.folder, os.path.join(folder, "commands"))
    shutil.copytree(course.copy.file("runs"), os.path.join(folder, "runs"))

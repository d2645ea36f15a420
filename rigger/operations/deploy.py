"""Bring a release to an environment of a project: a recorded intent, carried out, looked at, and recorded."""

from __future__ import annotations

from rigger import __version__
from rigger.errors import BadUsage, RiggerError, StepFailed
from rigger.operations.carriers import carrier_of
from rigger.operations.changes import show_changes
from rigger.operations.deployment import Deployed, Waiting, carry_out, cut_off
from rigger.operations.release_create import LATEST, chosen, release_of
from rigger.releases import moments
from rigger.releases.difference import difference
from rigger.releases.model import CONFIRMED, REQUESTED, Deployment, Named, Release, new_id
from rigger.releases.names import is_name
from rigger.releases.standing import standing
from rigger.sha256 import digest_of_data
from rigger.text import ways
from rigger.values import frozen, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rigger.operations.consent import Consent
    from rigger.operations.projects import Opened
    from rigger.releases.carrier import Carrier
    from rigger.releases.difference import Change
    from rigger.releases.project import Place
    from rigger.releases.standing import Standing
    from rigger.runs.reporter import Reporter


@frozen
class Wanted:
    """What is to be deployed: a release or a label by its name, what runs in another environment, or what ran before."""

    word: str = ""
    promoted: str = ""  # the environment whose release it is
    rollback: bool = False
    again: bool = False  # also where nothing is to change
    reason: str = ""
    clock_is_right: bool = False

    def why(self) -> str:
        """Return the reason, or in its place what it is."""
        if self.reason:
            return self.reason
        return f"promoted from {self.promoted}" if self.promoted else "rollback" if self.rollback else ""

    def command(self, environment: str) -> str:
        """Return the command that asks for it."""
        words = f"rigger deploy {environment}"
        if self.promoted:
            return f"rigger deploy --promote {self.promoted} {environment}"
        return f"{words} --rollback" if self.rollback else f"{words} {self.word or LATEST}"


@frozen
class _Plan:
    """A deployment that may begin, once it was agreed to."""

    place: Place
    release: Release
    new: bool  # whether the release is not on record yet
    deployment: Deployment
    cut: Deployment | None  # one that was cut off, and does not go on
    resumed: bool
    changes: tuple[Change, ...]
    standing: Standing

    @property
    def nothing(self) -> bool:
        """Whether the environment has all of it already, and a check said so."""
        last = self.standing.last
        calm = last is None or last.status == CONFIRMED
        return calm and not any(change.changes for change in self.changes)


def deploy(
    at: Opened,
    environment: str,
    wanted: Wanted,
    reporter: Reporter,
    consent: Consent,
    waiting: Waiting | None = None,
) -> Deployed:
    """Bring a release to an environment, and say whether it runs there; a call that only plans gets what would be done.

    Raises, with the result so far, whatever kept it from being carried out, StepFailed where no check confirmed it in time;
    BadUsage, InvalidConfig, NotReady, Declined or Locked before anything was recorded.
    """
    place = at.project.place(environment)
    with at.locked(environment, wanted.command(environment)):
        if before := _requested(at, environment, wanted):
            return before
        plan = _plan(at, place, wanted)
        carrier = _carrier(at, plan, reporter, consent)
        services = at.project.services(at.project.over(plan.deployment.before, plan.release.images))
        result = _result(at, plan, carrier, wanted)
        if plan.nothing and not wanted.again:
            return replace(result, nothing=True, planned=(), digest="")
        if result.busy:  # then it is of what will not be there any more
            return result
        at.require_clock(wanted.clock_is_right)
        carrier.require_ready(services)
        if at.call.plans:
            return result
        at.call.require_plan(result.digest, f"{wanted.command(environment)} --plan")
        _show(reporter, plan, carrier, result)
        consent.agree(f"Deploy this to {place.name}?")
        _begin(at, plan, carrier)
        return carry_out(
            at, plan.deployment, carrier, reporter, waiting or Waiting(), replace(result, new=False)
        )


def _result(at: Opened, plan: _Plan, carrier: Carrier, wanted: Wanted) -> Deployed:
    """Return what will be done, as the result of a deployment that has not begun."""
    environment = plan.place.id
    return Deployed(
        environment,
        plan.release,
        plan.changes,
        planned=tuple(carrier.planned(at.project.services(plan.release.images))),
        running=plan.standing.running,
        resumes=plan.deployment.id if plan.resumed else "",
        busy=at.store.holder(environment) if at.call.plans else "",
        digest=_digest(at, plan, carrier),
        new=plan.new,
        command=wanted.command(environment),
    )


def _requested(at: Opened, environment: str, wanted: Wanted) -> Deployed | None:
    """Return what a request came to that was carried out before; raises what it raised."""
    request = at.call.request
    found = [one for one in at.store.deployments(environment) if one.request == request] if request else []
    if not found:
        return None
    before = found[0]
    if before.words != at.call.words:
        raise BadUsage(
            f'Request {request} is "rigger {before.words}", and not "rigger {at.call.words}".',
            "Give another request an id of its own.",
        )
    if before.under_way:
        return None
    release = at.store.release(before.release)
    changes = difference(at.project, before.before, at.project.over(before.before, release.images))
    result = Deployed(environment, release, changes, before, repeated=True)
    if before.problem:
        problem = RiggerError(before.problem, ways(("What runs where", "rigger release status")))
        problem.exit_code = before.exit_code or StepFailed.exit_code
        raise problem.with_result(result)
    return result


def _plan(at: Opened, place: Place, wanted: Wanted) -> _Plan:
    """Return what is to be deployed, beside what is there."""
    now = standing(at.store.deployments(place.id))
    last = now.last if now.last and now.last.under_way else None  # nobody is at work on it: the lock is ours
    release, new, undoes = _release(at, place, wanted, now)
    goes_on = last and last.release == release.id and bool(last.undoes) == wanted.rollback
    # One that was applied, and cut off before a check, is what runs there as far as is known.
    before = last.before if last and (goes_on or not last.applied) else at.store.images(place.id)
    if last and goes_on:
        deployment, cut = last, None
    else:
        running = now.running
        deployment, cut = _new(at, place, wanted, release), last
        deployment = replace(
            deployment, previous=running.release if running else "", before=dict(before), undoes=undoes
        )
    changes = difference(at.project, before, at.project.over(before, release.images))
    return _Plan(place, release, new, deployment, cut, bool(goes_on), changes, now)


def _new(at: Opened, place: Place, wanted: Wanted, release: Release) -> Deployment:
    call, asked = at.call, at.requester()
    where = Named(place.id, place.name)
    moment = moments.now()
    words = call.words if call.request else ""
    return Deployment(
        new_id(),
        release.id,
        where,
        moment,
        asked,
        wanted.why(),
        REQUESTED,
        request=call.request,
        words=words,
    )


def _release(at: Opened, place: Place, wanted: Wanted, now: Standing) -> tuple[Release, bool, str]:
    """Return the release that is meant, whether it is not on record yet, and the deployment that it takes back."""
    if wanted.promoted:
        return (*_promoted(at, wanted.promoted, place), "")
    if wanted.rollback:
        return _rollback(at, place, now)
    word = wanted.word or LATEST
    if word in at.project.places:
        raise BadUsage(
            f"{word} is an environment.",
            ways(("Deploy the release that runs there", f"rigger deploy --promote {word} {place.id}")),
        )
    if word == LATEST or (is_name(word) and at.store.images(word)):
        release, new = release_of(at, at.store.releases(), chosen(at, word), wanted.reason)
        return release, new, ""
    return at.release(word), False, ""


def _promoted(at: Opened, source: str, place: Place) -> tuple[Release, bool]:
    """Return the release that runs in an environment; raises BadUsage where that is not known for certain."""
    there = standing(at.store.deployments(at.project.place(source).id))
    running, last = there.running, there.last
    if source == place.id:
        raise BadUsage(f"{source} has its own release already.", "Name two environments.")
    if running is None:
        raise BadUsage(
            f"No deployment to {source} was ever confirmed, so there is no release to promote.",
            ways(("Deploy one there", f"rigger deploy {source} --reason TEXT")),
        )
    if not there.certain and last:
        raise BadUsage(
            f"What runs in {source} is not certain: its last deployment, of release {last.release[:8]}, has the status {last.status}.",
            ways(("Bring what ran before back", f"rigger deploy {source} --rollback")),
        )
    return _brought(at, running)


def _brought(at: Opened, deployment: Deployment) -> tuple[Release, bool]:
    """Return the release of all that ran once a deployment was confirmed, and whether it is not on record yet.

    It is the deployment's own, but where that had some services alone, and others stayed as they were.
    """
    own = at.store.release(deployment.release)
    whole = at.project.over(deployment.before, own.images)
    if whole == dict(own.images):
        return own, False
    known = at.store.releases()
    same = [one for one in known if dict(one.images) == whole]
    if same:
        return same[0], False
    return release_of(at, known, whole, f"what runs in {deployment.environment.id}")


def _rollback(at: Opened, place: Place, now: Standing) -> tuple[Release, bool, str]:
    """Return the release that ran before; raises BadUsage where none did."""
    last = now.last
    if last and last.under_way and last.undoes:
        return at.store.release(last.release), False, last.undoes
    target = now.before()
    if target is None or last is None:
        raise BadUsage(
            f"Nothing else ran in {place.id} before, as far as is on record.",
            ways(("What was deployed", "rigger release list")),
        )
    return (*_brought(at, target), last.id)


def _carrier(at: Opened, plan: _Plan, reporter: Reporter, consent: Consent) -> Carrier:
    """Return what carries it out; the deployment's id is what it is known by there."""
    call = replace(
        at.call, request=plan.deployment.id, words=f"deploy {plan.place.id}", approved="", plans=False
    )
    return carrier_of(at, plan.place, call, reporter, consent)


def _digest(at: Opened, plan: _Plan, carrier: Carrier) -> str:
    last = plan.standing.last
    given: list[Any] = [__version__, "deploy", at.project.id, plan.place.id, plan.deployment.undoes]
    given += [dict(plan.release.images), dict(plan.deployment.before)]
    given += [[last.id, last.status] if last else [], carrier.name, carrier.inputs()]
    return digest_of_data(given)


def _show(reporter: Reporter, plan: _Plan, carrier: Carrier, result: Deployed) -> None:
    """Show what will be another version, of each service, and what will be done for that."""
    release = plan.release
    reporter.heading(
        f"{plan.place.name}: release {release.id[:8]} ({release.description or 'no word why'}), by {carrier.name}"
    )
    show_changes(reporter, plan.changes)
    if plan.resumed:
        reporter.line(
            f"  It continues the deployment of {moments.shown(plan.deployment.date)}, which was cut off."
        )
    elif plan.cut:
        reporter.warn(f"The deployment of release {plan.cut.release[:8]} was cut off; it ends as failed.")
    for line in result.planned:
        reporter.line(f"  {line}")


def _begin(at: Opened, plan: _Plan, carrier: Carrier) -> None:
    """Put the intent on record."""
    if plan.cut:
        cut_off(at, plan.cut, carrier)
    if plan.resumed:
        return
    if plan.new:
        at.store.put_release(plan.release)
    at.store.begin_deployment(plan.deployment)

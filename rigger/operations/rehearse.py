"""Rehearse an upgrade: on a copy beside the real cluster, with the real scripts and data, and with what goes wrong in life."""

from __future__ import annotations

import os
import shutil
import time

from rigger import __version__
from rigger.attestations.keys import signer
from rigger.audit.events import Rehearsed as RehearsedEvent
from rigger.configuration.resolve import resolve
from rigger.environments.last_backup import last_backup
from rigger.errors import BadUsage, Interrupted, RiggerError, StepFailed, TestsFailed
from rigger.files import remove, write_bytes
from rigger.git import inspect as git_inspect
from rigger.operations.backup import backup
from rigger.operations.consent import Consent
from rigger.operations.rehearsal_copy import CopyOptions, clear, count_of, create, provider_of, take_away
from rigger.operations.rehearsal_course import USUAL, YES, Rehearsing, rehearse_one
from rigger.operations.rehearsal_required import plan_digest
from rigger.operations.session import session
from rigger.operations.upgrade_record import command_for
from rigger.operations.upgrade_request import UpgradeOptions, request_of
from rigger.rehearsals import copies, faults, verdict
from rigger.rehearsals.model import GO, INSIDE, NO_GO, PLAIN, SCENARIOS, LeftOut, Rehearsed
from rigger.rehearsals.page import page
from rigger.rehearsals.signed import SIGNED, signed
from rigger.rehearsals.verdict import Subject, Verdict
from rigger.runs.reporter import Reporter, Silent
from rigger.sha256 import digest_of_file
from rigger.sources import checkout as source_checkout
from rigger.text import did_you_mean, ways
from rigger.trust.digests import digest
from rigger.values import field, frozen, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from rigger.audit.upgrades import Request
    from rigger.configuration.config import Config
    from rigger.environments.environment import Environment
    from rigger.rehearsals.copies import PrivateHome
    from rigger.rehearsals.faults import Offer
    from rigger.rehearsals.model import Scenario

PATIENCE = 600.0  # seconds for the environment's lock, to record the verdict


@frozen
class RehearseOptions:
    """What somebody wants to rehearse, and on what."""

    upgrade: UpgradeOptions
    copy: CopyOptions = field(default_factory=CopyOptions)
    fresh: bool = False  # whether a new backup is made although there is one
    only: tuple[str, ...] = ()  # names of rehearsals; empty: all
    sign_key: str = ""  # the file of a private key that signs the verdict


@frozen
class RehearsalResult:
    """The verdict of what was rehearsed, and the files that it is in."""

    verdict: Verdict
    folder: str

    @property
    def file(self) -> str:
        return os.path.join(self.folder, verdict.FILE)

    @property
    def page(self) -> str:
        return os.path.join(self.folder, verdict.PAGE)

    @property
    def signed(self) -> str:
        """The file with the signed statement of it; empty where nobody signed."""
        path = os.path.join(self.folder, SIGNED)
        return path if os.path.isfile(path) else ""

    def as_dict(self) -> dict[str, Any]:
        return {**self.verdict.as_dict(), "file": self.file, "page": self.page, "signed": self.signed}


def rehearse(
    environment: Environment,
    options: RehearseOptions,
    reporter: Reporter | None = None,
    consent: Consent | None = None,
) -> RehearsalResult:
    """Rehearse an upgrade on a copy, once for each thing that can go wrong, and write the verdict down.

    Nothing of the cluster is written to; every trace of the copy is removed. Raises BadUsage for an upgrade that makes no
    sense, Locked where another rehearsal goes on, TestsFailed, with the result, for a verdict that is not go.
    """
    reporter, consent = reporter or Silent(), consent or Consent()
    scenarios = _chosen(options.only)
    if options.sign_key:
        signer(options.sign_key)  # what is wrong with it is said before, not after minutes
    request, config, subject = _subject(environment, options, reporter, consent)
    data = _data(environment, config, options, reporter, consent)
    began = time.monotonic()
    private = copies.private_home(environment)
    with private.held():
        take_away(private)  # what a killed one left
        file, trust = data.get("file", ""), consent.trust
        work = Rehearsing(private, environment, config, request, options.copy, file, trust, reporter)
        try:
            rehearsals, left_out = _all(work, scenarios, consent)
            found = _verdict(replace(subject, data=data), rehearsals, left_out, time.monotonic() - began)
            result = _keep(environment, found, private, options.sign_key)
        except Interrupted:  # which speaks of runs of the copy
            again = ways(("Rehearse it again", f"{command_for(request)} --rehearse"))
            raise Interrupted(
                f"The rehearsal was interrupted: there is no verdict, and {environment.name} is as it was.",
                again,
            ) from None
        finally:
            clear(private)
    if found.verdict != GO:
        word = "no go" if found.verdict == NO_GO else found.verdict
        problem = TestsFailed(f"The rehearsal says {word}: {found.reason}.", f"All of it: {result.page}")
        raise problem.with_result(result)
    return result


def _chosen(only: Sequence[str]) -> list[Scenario]:
    """Return the rehearsals that somebody wants; raises BadUsage for one that there is not."""
    known = {scenario.name: scenario for scenario in SCENARIOS}
    for name in only:
        if name not in known:
            raise BadUsage(
                f"There is no rehearsal {name!r}{did_you_mean(name, known)}.",
                f"There are: {', '.join(known)}.",
            )
    chosen = [scenario for scenario in SCENARIOS if not only or scenario.name in only]
    if any(scenario.moment == INSIDE for scenario in chosen) and PLAIN not in chosen:
        chosen.insert(0, PLAIN)  # by which is known when the middle of a step is
    return chosen


def _subject(
    environment: Environment, options: RehearseOptions, reporter: Reporter, consent: Consent
) -> tuple[Request, Config, Subject]:
    """Return the upgrade that is asked for, once it makes sense, and what exactly it would be an upgrade of."""
    if options.upgrade.resume or options.upgrade.rollback:
        raise BadUsage("What is rehearsed is a whole upgrade.", "Leave --continue and --rollback out.")
    with session(environment, "rigger upgrade --rehearse", reporter, consent, asked=None) as work:
        work.state.require_running(work.name)
        request = request_of(work, options.upgrade)
        config = work.config
        subject = Subject(
            environment=environment.name,
            id=config.id,
            platform=config.platform.name,
            start=request.start,
            to=request.to,
            style=request.style,
            plan=plan_digest(environment, config, request),
            scripts={f"{module.role}/{module.name}": digest(module.folder) for module in config.modules},
            commit=git_inspect.commit(source_checkout.find(environment, config.platform, config.values)),
            rigger=__version__,
            provider=options.copy.provider,
            nodes=count_of(environment, provider_of(environment, config, options.copy), options.copy),
            nodes_there=len(work.nodes),
        )
    return request, config, subject


def _data(
    environment: Environment, config: Config, options: RehearseOptions, reporter: Reporter, consent: Consent
) -> Mapping[str, str]:
    """Return the backup that the copy is filled with: the newest that is here, or a fresh one; nothing where none can be."""
    platform = config.platform
    if not (platform.script("backup") and platform.script("restore")):
        reporter.warn(f"{platform.name} makes no backups: the copy has no data but what applications write.")
        return {}
    last = None if options.fresh else last_backup(environment)
    path = last.path if last and last.here else backup(environment, "", reporter, consent).before["file"]
    status = os.stat(path)
    made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(status.st_mtime))
    return {"file": path, "sha256": digest_of_file(path), "time": made, "bytes": str(status.st_size)}


def _all(
    work: Rehearsing, scenarios: Sequence[Scenario], consent: Consent
) -> tuple[list[Rehearsed], list[LeftOut]]:
    """Make each rehearsal on a copy of its own; what cannot be made is left out, and why is said."""
    known = _offers(work)
    left_out = [LeftOut(one.name, one.title, why) for one in scenarios if (why := _why_not(work, one, known))]
    apart = {one.name for one in left_out}
    chosen = [one for one in scenarios if one.name not in apart]
    rehearsals: list[Rehearsed] = []
    seen: list[float] = []  # seconds that the step took which changes the version, where it ended well
    for number, scenario in enumerate(chosen, 1):
        work.reporter.heading(f"Rehearsal {number} of {len(chosen)}: {scenario.title}")
        agreed = YES if rehearsals else consent
        done = rehearse_one(work, scenario, known.get(scenario.fault), min(seen, default=USUAL), agreed)
        rehearsals.append(done)
        work.reporter.line(f"  {done.verdict}: {done.reason}")
        seen += _seconds_of(done, work.request.verb)
    for one in left_out:
        work.reporter.line(f"Not rehearsed: {one.title}: {one.reason}.")
    return rehearsals, left_out


def _offers(work: Rehearsing) -> Mapping[str, Offer]:
    """Return what can go wrong on a copy, as its modules know it."""
    copy = create(work.private, work.environment, work.config, work.options)
    try:
        return faults.offers(copy, resolve(copy))
    except StepFailed as problem:
        work.reporter.warn(problem.message)
        return {}
    finally:
        take_away(work.private)


def _why_not(work: Rehearsing, scenario: Scenario, known: Mapping[str, Offer]) -> str:
    """Return why a rehearsal cannot be made here; nothing where it can."""
    style = work.config.platform.upgrades[work.request.style]
    if scenario.back and style.rollback == "none":
        return f"the manifest of {work.config.platform.name} says rollback: none"
    if not scenario.fault:
        return ""
    offer = known.get(scenario.fault)
    if offer is None:
        return (
            f"neither the platform nor the provider {work.options.provider} has a script faults that makes it"
        )
    return "" if offer.possible else offer.words


def _seconds_of(done: Rehearsed, verb: str) -> list[float]:
    """Return how long the step took that changes the version; of one that did not go through at once, nothing."""
    steps = [mark for mark in done.marks if mark.kind == "step" and mark.text == verb]
    return [mark.end - mark.start for mark in steps] if len(steps) == 1 and steps[0].good else []


def _verdict(
    subject: Subject, rehearsals: Sequence[Rehearsed], left_out: Sequence[LeftOut], seconds: float
) -> Verdict:
    word, reason = verdict.decide(rehearsals, left_out)
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return Verdict(subject, word, reason, now, seconds, tuple(rehearsals), tuple(left_out))


def _keep(environment: Environment, found: Verdict, private: PrivateHome, key: str) -> RehearsalResult:
    """Write the verdict, its page and what the key signs into the environment, and record it."""
    stem = f"{found.time.replace(':', '').replace('-', '')}-{found.subject.start}-{found.subject.to}"
    folder = environment.file(verdict.FOLDER, stem)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    logs = os.path.join(private.aside, "logs")
    if os.path.isdir(logs):
        remove(os.path.join(folder, "logs"))
        shutil.move(logs, os.path.join(folder, "logs"))
    result = RehearsalResult(found, folder)
    write_bytes(result.file, verdict.rendered(found))
    write_bytes(result.page, page(found).encode("utf-8", "backslashreplace"))
    if key:
        statement = signed(found, digest_of_file(result.file), key)
        write_bytes(os.path.join(folder, SIGNED), statement)
    _record(environment, result)
    return result


def _record(environment: Environment, result: RehearsalResult) -> None:
    """Record a verdict in the audit log, as soon as nobody works on the environment."""
    found, subject = result.verdict, result.verdict.subject
    event = RehearsedEvent(
        from_=subject.start,
        to=subject.to,
        style=subject.style,
        verdict=found.verdict,
        plan=subject.plan,
        file=os.path.relpath(result.file, environment.path),
        sha256=digest_of_file(result.file),
    )
    call = environment.call
    environment.call = replace(call, wait=max(call.wait, PATIENCE), began=time.monotonic())
    try:
        with environment.locked("rigger upgrade --rehearse"):
            environment.audit.append(event)
    except RiggerError as problem:
        raise problem.with_result(result) from None
    finally:
        environment.call = call

"""Each way in which a platform can be upgraded: there, again, back, and killed on the way."""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import pairwise

from rigger import versions
from rigger.audit.upgrades import Request
from rigger.conformance.applications import deploy_applications, remove_applications, watch
from rigger.conformance.finding import ADVICE, NOT_RUN
from rigger.conformance.nodes import Files
from rigger.conformance.rehearsal import How, Rehearsal
from rigger.conformance.stages import Jump
from rigger.conformance.tries import is_well
from rigger.errors import BadUsage
from rigger.plans.upgrade import validate_upgrade

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.modules.model import Module


def upgrade_all(rehearsal: Rehearsal, before: Mapping[str, Files]) -> bool:
    """Try every style between two versions that it allows; return whether the platform still is as it should be."""
    platform = rehearsal.module
    for style in platform.upgrades:
        if platform.git_tags:
            if not _on_the_spot(rehearsal, style):
                return False
            continue
        pair = two_versions(platform, style)
        if pair is None:
            text = "not run: no two of the versions in rigger.yml are a jump that it allows"
            rehearsal.say(NOT_RUN, text, f"upgrade-{style}")
            continue
        if not (_at(rehearsal, pair[0]) and _there_and_back(rehearsal, style, *pair)):
            return False
    return True


def _on_the_spot(rehearsal: Rehearsal, style: str) -> bool:
    """Run an upgrade in the one version that is here: the others are tags of a repository."""
    running = rehearsal.config().values.get("VERSION", "")
    how = How(environ={"RIGGER_FROM_VERSION": running})
    watched = deploy_applications(rehearsal)
    if not rehearsal.must(rehearsal.module, f"upgrade-{style}", "succeeds in the version that is here", how):
        return False
    if watched and watch(rehearsal, f"after upgrade-{style}"):
        remove_applications(rehearsal)
    text = "not run between two versions: they are the tags of its repository"
    rehearsal.say(NOT_RUN, text, f"upgrade-{style}")
    return is_well(rehearsal, f"after upgrade-{style}")


def two_versions(platform: Module, style: str) -> tuple[str, str] | None:
    """Return the newest two neighbouring versions that a style goes between, None where there are none."""
    known = sorted(platform.versions, key=versions.key, reverse=True)
    for newer, older in pairwise(known):
        try:
            validate_upgrade(platform, Request(older, newer, style))
        except BadUsage:
            continue
        return older, newer
    return None


def _set_version(rehearsal: Rehearsal, version: str) -> None:
    rehearsal.set(**{"VERSION": version, f"{rehearsal.module.prefix}_VERSION": version})


def _at(rehearsal: Rehearsal, version: str) -> bool:
    """Have a version deployed from nothing, whatever is there."""
    platform = rehearsal.module
    if rehearsal.config().values.get("VERSION") == version:
        return True
    rehearsal.must(platform, "undeploy", "succeeds before another version")
    _set_version(rehearsal, version)
    steps = ("install", "deploy", "check")
    return all([rehearsal.must(platform, verb, f"succeeds with {version}") for verb in steps])


def _backup(rehearsal: Rehearsal) -> How:
    path = os.path.join(rehearsal.sandbox.aside, "backup-before-upgrade")
    return How(environ={"RIGGER_BACKUP_FILE": path})


def _there_and_back(rehearsal: Rehearsal, style: str, old: str, new: str) -> bool:
    platform, jump = rehearsal.module, Jump(rehearsal, style, old, new)
    rehearsal.notices(platform, "check", f"{old} runs, not {new}", How(values={"VERSION": new}))
    watched = deploy_applications(rehearsal)
    moments = jump.judged(f"succeeds from {old} to {new}")
    if moments is None:
        return False
    _set_version(rehearsal, new)
    if watched and watch(rehearsal, f"after {old} became {new}"):
        remove_applications(rehearsal)
    if not is_well(rehearsal, f"after {old} became {new}"):
        return False
    jump.there("can be repeated")
    is_well(rehearsal, f"after {jump.verb} ran twice")
    back = platform.upgrades[style].rollback
    if rehearsal.failed:
        return False
    if back == "script":
        if not _gone_back(jump):
            return False
    elif not _at(rehearsal, old):
        return False
    if back == "restore" and not rehearsal.must(
        platform, "backup", "succeeds before an upgrade", _backup(rehearsal)
    ):
        return False
    for number, moment in enumerate(moments):
        jump.killed(moment)
        if not (_goes_back(jump) if number and back != "none" else _goes_on(jump)):
            return False
    return True


def _gone_back(jump: Jump) -> bool:
    """Go back by the same script; a platform whose way back is another one says so in its manifest."""
    rehearsal, old, new = jump.rehearsal, jump.old, jump.new
    if not jump.back(f"goes back from {new} to {old}"):
        hint = "where it cannot, `rollback: restore` or `rollback: none` under upgrades in rigger.yml says so"
        rehearsal.say(ADVICE, hint, jump.verb)
        return False
    _set_version(rehearsal, old)
    return is_well(rehearsal, f"after {new} became {old} again")


def _goes_on(jump: Jump) -> bool:
    """Go on with an upgrade that was killed; the old version is deployed again afterwards, for what comes next."""
    if not jump.there("resumes where it was killed"):
        return False
    _set_version(jump.rehearsal, jump.new)
    well = is_well(jump.rehearsal, f"after {jump.verb} was killed and run again")
    return well and _at(jump.rehearsal, jump.old)


def _goes_back(jump: Jump) -> bool:
    """Go back from where an upgrade was killed, by its script or by a restore."""
    rehearsal, praise = jump.rehearsal, f"goes back to {jump.old} where {jump.verb} was killed"
    if rehearsal.module.upgrades[jump.style].rollback == "restore":
        done = rehearsal.must(rehearsal.module, "restore", praise, _backup(rehearsal)) is not None
    else:
        done = jump.back(praise)
    return done and is_well(rehearsal, f"after {jump.verb} was killed and gone back from")

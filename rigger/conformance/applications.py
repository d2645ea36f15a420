"""The applications that a platform can have watched: there before an upgrade, still right after it, and gone in the end."""

from __future__ import annotations

import os

from rigger.conformance.finding import ADVICE, FAIL, PASS
from rigger.conformance.rehearsal import Rehearsal
from rigger.plans.upgrade import DEPLOY_APPS, DESTROY_APPS, WATCH

APPLICATIONS = (DEPLOY_APPS, WATCH, DESTROY_APPS)


def _has_them(rehearsal: Rehearsal) -> bool:
    platform = rehearsal.module
    return all(name in platform.suites and platform.script(f"tests/{name}") for name in APPLICATIONS)


def deploy_applications(rehearsal: Rehearsal) -> bool:
    """Deploy what the platform can watch; return whether something is to be watched from now on."""
    if not _has_them(rehearsal):
        return False
    praise = "deploys applications before an upgrade"
    return rehearsal.must(rehearsal.module, f"tests/{DEPLOY_APPS}", praise) is not None and watch(
        rehearsal, "before an upgrade"
    )


def watch(rehearsal: Rehearsal, when: str) -> bool:
    """Return whether the applications that were deployed are right, and say so; where none is found they are lost."""
    result = rehearsal.step(rehearsal.module, f"tests/{WATCH}")
    if result.good:
        rehearsal.say(PASS, f"finds the applications right {when}", rehearsal.file(result))
    elif result.skipped:
        why = rehearsal.reason(result)
        rehearsal.say(
            FAIL,
            f"finds no application {when}, but {DEPLOY_APPS} deployed them: {why}",
            rehearsal.file(result),
        )
    else:
        rehearsal.say(FAIL, f"{rehearsal.why(result)} {when}", rehearsal.file(result))
    return result.good


def remove_applications(rehearsal: Rehearsal) -> None:
    rehearsal.must(rehearsal.module, f"tests/{DESTROY_APPS}", "removes the applications after an upgrade")


def are_gone(rehearsal: Rehearsal) -> None:
    """See, where the tests have removed the applications, that the watch notices that there are none."""
    if not _has_them(rehearsal):
        return
    result = rehearsal.step(rehearsal.module, f"tests/{WATCH}")
    if result.good:
        text = f"passes after {DESTROY_APPS}: it should exit 77 where no application is deployed"
        rehearsal.say(ADVICE, text, os.path.join("tests", WATCH))

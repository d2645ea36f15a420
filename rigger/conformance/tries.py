"""What is tried again and again in a life: tests, check, a script that is killed, and which nodes leave."""

from __future__ import annotations

from rigger.conformance.applications import APPLICATIONS, are_gone
from rigger.conformance.finding import ADVICE, FAIL, PASS
from rigger.conformance.rehearsal import How, Rehearsal
from rigger.conformance.traces import differences
from rigger.errors import NotReady
from rigger.plans.provision import nodes_to_remove
from rigger.runs.programs import leaving as named_by_provider
from rigger.text import listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from rigger.environments.inventory import Node
    from rigger.runs.result import StepResult


def is_well(rehearsal: Rehearsal, when: str) -> bool:
    """Return whether check and all tests succeed, and say which does not."""
    checked = rehearsal.must(rehearsal.module, "check", f"succeeds {when}")
    return run_tests(rehearsal, when) and checked is not None


def run_tests(rehearsal: Rehearsal, when: str = "") -> bool:
    """Run every test of every suite and component once, in the order of the manifest; return whether none failed."""
    platform, good = rehearsal.module, True
    if platform.script("setup-clients") and not when:
        rehearsal.must(platform, "setup-clients", "succeeds")
    for test in tests_of(rehearsal) if not when else looking_tests(rehearsal):
        result = rehearsal.step(platform, f"tests/{test}")
        if result.skipped and not when:
            rehearsal.say(ADVICE, f"was skipped: {rehearsal.reason(result)}", rehearsal.file(result))
        elif result.good or result.skipped:
            rehearsal.say(PASS, f"passes {when}".rstrip(), rehearsal.file(result))
        else:
            good = False
            rehearsal.say(FAIL, f"{rehearsal.why(result)} {when}".rstrip(), rehearsal.file(result))
    if good and not when:
        are_gone(rehearsal)
    return good


def tests_of(rehearsal: Rehearsal) -> list[str]:
    platform = rehearsal.module
    suites = [*platform.suites.values(), *platform.components.values()]
    return list(dict.fromkeys(test for suite in suites for test in suite.tests))


def looking_tests(rehearsal: Rehearsal) -> list[str]:
    """Return the tests that look at the platform, without those that deploy, watch and remove applications."""
    return [test for test in tests_of(rehearsal) if test not in APPLICATIONS]


def kills(rehearsal: Rehearsal, whole: StepResult) -> Sequence[How]:
    """Return at which moments to kill a script that ran whole last: in the middle first, then near its end."""
    calls = len(rehearsal.way.asked)
    if not calls:
        return [How(kill_after=whole.seconds / 2)]
    return [How(held_at=at) for at in dict.fromkeys(((calls + 1) // 2, calls))]


def nodes_that_leave(rehearsal: Rehearsal, nodes: Sequence[Node]) -> tuple[str, ...]:
    """Return which nodes the next create removes, by the provider's `leaving` or by their number; say where it fails."""
    config = rehearsal.config()
    before = rehearsal.traces.here(rehearsal.environment)
    try:
        chosen = named_by_provider(rehearsal.environment, config, list(nodes))
    except NotReady as problem:
        rehearsal.say(FAIL, problem.message, "leaving")
        return ()
    changed = differences(before, rehearsal.traces.here(rehearsal.environment))
    if (
        changed and rehearsal.module.role == "provider"
    ):  # below a platform, what runs on the nodes writes meanwhile
        rehearsal.say(FAIL, f"changes something: {listed(changed)}; it should only look", "leaving")
    return nodes_to_remove(config, nodes) if chosen is None else tuple(chosen)

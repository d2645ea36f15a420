"""The life of a platform: it comes, breaks, is repaired, grows, shrinks, and goes."""

from __future__ import annotations

import os

from rigger.conformance.data import back_up_and_restore
from rigger.conformance.finding import ADVICE, FAIL, PASS
from rigger.conformance.nodes import MARK, Files, Machines
from rigger.conformance.rehearsal import PLAIN, How, Rehearsal
from rigger.conformance.sandbox import second_environment
from rigger.conformance.traces import kill
from rigger.conformance.tries import kills, looking_tests, nodes_that_leave, run_tests
from rigger.conformance.upgrades import upgrade_all
from rigger.process.lookup import processes_that_know
from rigger.text import listed
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from rigger.modules.model import Module

REMOVE = 'for file; do rm -f "./$file"; done'


@frozen
class Before:
    """What was there before anything was deployed."""

    machines: Machines
    nodes: Mapping[str, Files]
    here: frozenset[str]
    processes: tuple[int, ...]


def platform_life(rehearsal: Rehearsal) -> None:
    platform = rehearsal.module
    if platform.script("preflight"):
        rehearsal.looks(platform, "preflight", "succeeds before machines are made")
    if not all(rehearsal.must(module, verb, "succeeds") for module, verb in _making(rehearsal)):
        return
    if not rehearsal.answering():
        return
    rehearsal.check_without_cluster(platform)
    rehearsal.must(platform, "undeploy", "works where nothing was deployed")
    for verb in _early(platform):
        rehearsal.must(platform, verb, "can be repeated")
    before = _before(rehearsal)
    if rehearsal.must(platform, "install", "succeeds"):
        before = Before(before.machines, before.nodes, _here(rehearsal), before.processes)
        if rehearsal.must(platform, "deploy", "succeeds, with all that it promises"):
            _deployed(rehearsal, before)
    _end(rehearsal, before)
    for name in before.machines.names:
        before.machines.run(name, ["rm", "-f", MARK])
    rehearsal.destroyed()


def _early(platform: Module) -> list[str]:
    """Return what runs before machines are made, where a platform has to prepare something for them."""
    return [v for v in ("setup-clients", "prepare") if platform.script("prepare") and platform.script(v)]


def _making(rehearsal: Rehearsal) -> list[tuple[Module, str]]:
    """Return the steps, as (module, verb), after which the machines are there."""
    provider, platform = rehearsal.config().provider, rehearsal.module
    return [(provider, "install"), *((platform, verb) for verb in _early(platform)), (provider, "create")]


def _before(rehearsal: Rehearsal) -> Before:
    """Leave a file on every node that is not the platform's, and look at what is there."""
    machines = rehearsal.machines()
    for name in machines.names:
        machines.run(name, ["sh", "-c", f"cat >{MARK}"], b"somebody's")
    return Before(machines, machines.files(), _here(rehearsal), tuple(rehearsal.traces.processes()))


def _here(rehearsal: Rehearsal) -> frozenset[str]:
    """Return the files here, without those of nodes that are folders here: they are asked themselves."""
    machines = rehearsal.machines()
    homes = [
        os.path.relpath(home, rehearsal.sandbox.home) for home in map(machines.home, machines.names) if home
    ]
    files = rehearsal.traces.here(rehearsal.environment)
    return frozenset(name for name in files if not any(name.startswith(home + os.sep) for home in homes))


def _deployed(rehearsal: Rehearsal, before: Before) -> None:
    """Try all that can happen to a platform that runs, as far as one thing does not follow from another's failure."""
    platform = rehearsal.module
    well = rehearsal.looks(platform, "check", "succeeds after deploy")
    if well and platform.script("audit"):
        rehearsal.looks(platform, "audit", "finds nothing that was changed by hand")
    well = run_tests(rehearsal) and well
    repeated = all([rehearsal.must(platform, verb, "can be repeated") for verb in ("install", "deploy")])
    well = rehearsal.must(platform, "check", "succeeds after that") is not None and well and repeated
    if not well:
        return
    _silent(rehearsal)
    for life in (_broken, back_up_and_restore, upgrade_all):
        if rehearsal.failed or not life(rehearsal, before.nodes):
            return
    _more_and_fewer(rehearsal)
    if not rehearsal.failed:
        _second(rehearsal)


# A node that does not answer, a node that lost what it had


def _silent(rehearsal: Rehearsal) -> None:
    """Have one node after the other be silent: check must notice, where it asks nodes at all."""
    platform, names = rehearsal.module, rehearsal.machines().names
    rehearsal.step(platform, "check")
    asked = set(rehearsal.way.asked)
    if not asked:
        return
    for name in dict.fromkeys([names[0], names[-1]]):
        rehearsal.notices(platform, "check", f"{name} does not answer", How(silent=name))


def _broken(rehearsal: Rehearsal, before: Mapping[str, Files]) -> bool:
    """Take away what deploy put on a node: check and some test must notice, and deploy must put it right.

    Only where nodes are folders of the sandbox: what runs on others cannot be told from what is theirs.
    """
    machines = rehearsal.machines()
    names = [
        name
        for name in dict.fromkeys([machines.names[-1], machines.names[0]])
        if _is_here(rehearsal, machines, name)
    ]
    for name in names:
        if not _wipe(rehearsal, machines, name, before.get(name, {})):
            continue
        what = f"{name} has lost what deploy put on it"
        if rehearsal.notices(rehearsal.module, "check", what) and name == names[0]:
            _test_notices(rehearsal, what)
            if rehearsal.module.script("audit"):
                rehearsal.notices(rehearsal.module, "audit", what)
        for verb in ("install", "deploy"):
            rehearsal.must(rehearsal.module, verb, f"puts it right where {what}")
        if not rehearsal.must(rehearsal.module, "check", f"succeeds after deploy put {name} right"):
            return False
    return not rehearsal.failed


def _is_here(rehearsal: Rehearsal, machines: Machines, name: str) -> bool:
    return machines.home(name).startswith(rehearsal.sandbox.root + os.sep)


def _wipe(rehearsal: Rehearsal, machines: Machines, name: str, before: Files) -> bool:
    """End what runs on a node and remove what came to it; return whether there was anything."""
    home, found = machines.home(name), False
    while pids := [pid for pid, _ in processes_that_know(home)]:
        kill(pids)
        found = True
    new = sorted(set(machines.files()[name]) - set(before))
    if new:
        machines.run(name, ["sh", "-c", REMOVE, "sh", *new])
    return found or bool(new)


def _test_notices(rehearsal: Rehearsal, what: str) -> None:
    """See that one of the tests fails."""
    tests = looking_tests(rehearsal)
    for test in tests:
        result = rehearsal.step(rehearsal.module, f"tests/{test}")
        if not (result.good or result.skipped):
            rehearsal.say(PASS, f"notices that {what}", rehearsal.file(result))
            return
    if tests:
        text = f"no test notices that {what}: of {listed(tests)} one should look at every node"
        rehearsal.say(ADVICE, text, "tests")


# More nodes, fewer nodes


def _more_and_fewer(rehearsal: Rehearsal) -> None:
    """Add a node and take it away again, where the provider asks for their number."""
    config = rehearsal.config()
    question, now = config.question("NODES"), config.values.get("NODES", "")
    if question is None or not now.isdigit() or question.max is not None and int(now) >= question.max:
        return
    rehearsal.set(NODES=str(int(now) + 1))
    if not _provisioned(rehearsal, "with one node more"):
        return
    platform, machines = rehearsal.module, rehearsal.machines()
    rehearsal.set(NODES=now)
    how = How(leaving=nodes_that_leave(rehearsal, machines.nodes))
    if platform.script("scale"):
        before = machines.files()
        rehearsal.must(platform, "scale", f"lets {listed(how.leaving)} go", how)
        rehearsal.must(platform, "scale", "can be repeated", how)
        _left_alone(rehearsal, before, how.leaving)
    _provisioned(rehearsal, "with one node less", how)


def _left_alone(rehearsal: Rehearsal, before: Mapping[str, Files], leaving: tuple[str, ...]) -> None:
    """See that scale took nothing off the nodes that stay; what running processes remove is their business."""
    lost = {} if rehearsal.traces.processes() else _more_than(before, rehearsal.machines().files())
    for name, files in lost.items():
        if files and name not in leaving:
            rehearsal.say(FAIL, f"takes files off {name}, which stays: {listed(files)}", "scale")


def _provisioned(rehearsal: Rehearsal, when: str, how: How = PLAIN) -> bool:
    config, platform = rehearsal.config(), rehearsal.module
    steps = ((config.provider, "create"), (platform, "install"), (platform, "deploy"), (platform, "check"))
    for module, verb in steps:
        if not rehearsal.must(module, verb, f"succeeds {when}", how):
            return False
        if verb == "create" and not rehearsal.answering():
            return False
    if not how.leaving:
        rehearsal.step(platform, "check")
        asked = rehearsal.way.asked
        if asked and (left_out := [name for name in rehearsal.machines().names if name not in asked]):
            text = f"does not look at {listed(left_out)} {when}: rigger-nodes names lists all of them"
            rehearsal.say(FAIL, text, "check")
    return run_tests(rehearsal, when)


# Two clusters


def _second(rehearsal: Rehearsal) -> None:
    """Deploy and remove the platform in a second environment: the first must not notice."""
    platform = rehearsal.module
    with rehearsal.elsewhere(second_environment(rehearsal.environment, platform.prefix)):
        steps = [*_making(rehearsal), *((platform, verb) for verb in ("install", "deploy", "check"))]
        if all(rehearsal.must(module, verb, "succeeds in a second environment") for module, verb in steps):
            rehearsal.must(platform, "undeploy", "succeeds in a second environment")
        rehearsal.destroyed("in the second environment")
    if rehearsal.must(platform, "check", "succeeds after another environment came and went"):
        run_tests(rehearsal, "after another environment came and went")


# The end


def _end(rehearsal: Rehearsal, before: Before) -> None:
    platform = rehearsal.module
    deployed = not rehearsal.failed
    if deployed:
        _undeployed_past_silence(rehearsal, before)
    if rehearsal.must(platform, "undeploy", "succeeds"):
        _left_behind(rehearsal, before, "undeploy")
    rehearsal.check_without_cluster(platform, "after undeploy")
    rehearsal.must(platform, "undeploy", "can be repeated")
    if deployed and rehearsal.must(platform, "install", "works again"):
        _kill_deploys(rehearsal, before)


def _undeployed_past_silence(rehearsal: Rehearsal, before: Before) -> None:
    """Take the platform off while the first node is silent: it must be gone from the others."""
    machines = rehearsal.machines()
    names = machines.names
    if len(names) < 2:
        return
    had = _more_than(machines.files(), before.nodes)
    result = rehearsal.step(rehearsal.module, "undeploy", How(silent=names[0]))
    if names[0] not in rehearsal.way.asked:
        return  # it never asks that node, and so was not held up
    left = _more_than(machines.files(), before.nodes)
    still = [name for name in names[1:] if had.get(name) and left.get(name)]
    blame = f"stops at {names[0]}, which does not answer, and leaves the platform on {listed(still)}: continue with the others"
    if result.timed_out:
        blame = f"{rehearsal.why(result)} where {names[0]} does not answer"
    good = not (still or result.timed_out)
    rehearsal.expect(good, f"continues where {names[0]} does not answer", blame, rehearsal.file(result))
    for verb in ("install", "deploy"):
        rehearsal.must(rehearsal.module, verb, "succeeds after a node did not answer")


def _more_than(files: Mapping[str, Files], before: Mapping[str, Files]) -> dict[str, list[str]]:
    return {name: sorted(set(of) - set(before.get(name, {}))) for name, of in files.items()}


def _left_behind(rehearsal: Rehearsal, before: Before, verb: str) -> None:
    """Name what is on the nodes and here that was not before, and what runs."""
    nodes = rehearsal.machines().files()
    for name, files in _more_than(nodes, before.nodes).items():
        if files:
            rehearsal.say(FAIL, f"leaves files on {name}: {listed(files)}", verb)
    for name, files in _more_than(before.nodes, nodes).items():
        if files and name in nodes:
            rehearsal.say(FAIL, f"takes files off {name} that came from somebody else: {listed(files)}", verb)
    for name, sums in before.nodes.items():
        now = nodes.get(name, {})
        if changed := sorted(file for file in sums if now.get(file, sums[file]) != sums[file]):
            text = f"leaves files of somebody else changed on {name}: {listed(changed)}"
            rehearsal.say(ADVICE, text, verb)
    if processes := rehearsal.traces.processes_left(before.processes):
        rehearsal.say(FAIL, f"leaves processes running: {listed(processes)}", verb)
    if here := sorted(_here(rehearsal) - before.here):
        rehearsal.say(ADVICE, f"files stay in the home and the state after {verb}: {listed(here)}", verb)


def _kill_deploys(rehearsal: Rehearsal, before: Before) -> None:
    """Kill deploy at some of its calls to nodes, or after half its time where it has none; see that it goes on."""
    platform = rehearsal.module
    whole = rehearsal.must(platform, "deploy", "works again")
    if whole is None:
        return
    for number, how in enumerate(kills(rehearsal, whole)):
        rehearsal.must(platform, "undeploy", "works before that")
        rehearsal.must(platform, "install", "works before that")
        rehearsal.killed(platform, "deploy", how)
        if not number and rehearsal.must(platform, "deploy", "resumes where it was killed"):
            rehearsal.must(platform, "check", "succeeds after deploy was killed and run again")
            run_tests(rehearsal, "after deploy was killed and run again")
    if whole := rehearsal.must(platform, "undeploy", "works after that"):
        _left_behind(rehearsal, before, "undeploy")
        _kill_undeploy(rehearsal, before, kills(rehearsal, whole)[0])


def _kill_undeploy(rehearsal: Rehearsal, before: Before, how: How) -> None:
    platform = rehearsal.module
    if not all([rehearsal.must(platform, verb, "works before that") for verb in ("install", "deploy")]):
        return
    rehearsal.killed(platform, "undeploy", how)
    if rehearsal.must(platform, "undeploy", "resumes where it was killed"):
        _left_behind(rehearsal, before, "undeploy")

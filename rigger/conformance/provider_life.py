"""The life of a provider: its machines come, go, are fewer and more, and break."""

from __future__ import annotations

from rigger.conformance.finding import ADVICE, FAIL, PASS
from rigger.conformance.nodes import MARK, Machines
from rigger.conformance.rehearsal import How, Rehearsal, count
from rigger.conformance.sandbox import second_environment
from rigger.conformance.tries import nodes_that_leave
from rigger.text import last_line, listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from rigger.environments.inventory import Node
    from rigger.process.capture import Captured

SHORT = 5.0  # seconds: a create that is so quick is killed at several moments, a longer one at one
MOMENTS = (0.5, 0.25, 0.75)  # parts of the time that it took
# What a command through `exec` has to do: pass on bytes that are no text, and words that a shell would take apart.
PROBE = r'cat; printf "%s\n" "$@"; echo apart >&2; exit 7'
WORDS = ("a  b", "", "it's", '"$HOME" * \\')
BYTES = b"in\0\xff\n"
UNREACHED = (253, 254, 255)  # how `exec` ends where it could not run the command


def provider_life(rehearsal: Rehearsal) -> None:
    provider = rehearsal.module
    if provider.script("preflight"):
        rehearsal.looks(provider, "preflight", "succeeds before machines are made")
    rehearsal.check_without_cluster(provider)
    rehearsal.must(provider, "destroy", "works where nothing was made")
    if not rehearsal.must(provider, "install", "succeeds"):
        return
    tools = rehearsal.traces.here(rehearsal.environment)  # what install keeps may stay
    made = rehearsal.must(provider, "create", "succeeds, with all that it promises")
    if made is None:
        rehearsal.must(provider, "destroy", "works after a create that failed")
        return
    if not _with_machines(rehearsal):
        return
    of_create = set(rehearsal.traces.here(rehearsal.environment)) - set(tools)
    if not _end(rehearsal, of_create):
        return
    stays = set(rehearsal.traces.here(rehearsal.environment)) - set(tools)
    for number, moment in enumerate(MOMENTS if made.seconds < SHORT else MOMENTS[:1]):
        if not _killed(rehearsal, made.seconds * moment, goes_on=not number):
            return
    if more := sorted(set(rehearsal.traces.here(rehearsal.environment)) - stays - set(tools)):
        text = f"more stays after a create that was killed than after a whole one: {listed(more)}"
        rehearsal.say(ADVICE, text, "destroy")


def _with_machines(rehearsal: Rehearsal) -> bool:
    """Look at machines that are there, and make more and fewer of them; return whether it can go on."""
    provider = rehearsal.module
    nodes = _check_nodes(rehearsal)
    if not rehearsal.answering():
        return False
    good = rehearsal.looks(provider, "check", "succeeds after create")
    for verb in ("audit", "plan"):
        if provider.script(verb):
            rehearsal.looks(
                provider, verb, "finds nothing that was changed by hand" if verb == "audit" else "succeeds"
            )
    _check_exec(rehearsal)
    if rehearsal.must(provider, "install", "can be repeated") and rehearsal.must(
        provider, "create", "can be repeated"
    ):
        same = rehearsal.nodes() == nodes
        rehearsal.expect(same, "makes the same nodes again", "a second create changed the nodes", "create")
    if good and not rehearsal.failed:
        _more_and_fewer(rehearsal)
        _asleep(rehearsal)
        _second(rehearsal)
    return True


def _check_nodes(rehearsal: Rehearsal) -> list[Node]:
    """Check the inventory that create wrote, and return it."""
    nodes, wanted = rehearsal.nodes(), rehearsal.config().values.get("NODES", "")
    wrote = f"create wrote {count(len(nodes), 'node')} to the inventory"
    good = not wanted.isdigit() or len(nodes) == int(wanted)
    rehearsal.expect(good, wrote, f"{wrote}, but NODES is {wanted}")
    return nodes


def _check_exec(rehearsal: Rehearsal) -> None:
    """See that exec passes output, input and the exit code on, and knows its nodes, where the provider has one."""
    if not rehearsal.module.script("exec"):
        return
    machines = rehearsal.machines()
    for name in machines.names:
        answer = machines.run(name, ["sh", "-c", PROBE, "sh", *WORDS], BYTES)
        if why := _not_passed_on(answer):
            text = f"does not pass input, output and the exit code on: {why} ({name})"
            rehearsal.say(FAIL, text, "exec")
            return
    if machines.names:
        rehearsal.say(PASS, "passes input, output and the exit code on", "exec")
    _tell_apart(rehearsal, machines)


def _not_passed_on(answer: Captured | None) -> str:
    """Return what became of the probe where it did not come back as it was sent; else nothing."""
    if answer is None:
        return "it did not end"
    wanted = BYTES + "".join(f"{word}\n" for word in WORDS).encode()
    if (answer.exit_code, answer.output) == (7, wanted):
        return ""
    if answer.exit_code != 7:
        said = last_line(*(part.decode("utf-8", "replace") for part in (answer.errors, answer.output)))
        return f"{answer.exit_code} {said}"
    if b"apart\n" in answer.output:
        return "what goes to standard error comes back among the output"
    if not answer.output.startswith(BYTES):
        return f"of the input {BYTES!r} came back {answer.output[: len(BYTES) + 10]!r}"
    return f"of the words {list(WORDS)} came back {answer.output[len(BYTES) :]!r}"


def _tell_apart(rehearsal: Rehearsal, machines: Machines) -> None:
    """See that every node is another one: what is put on one is not on the next."""
    for name in machines.names:
        machines.run(name, ["sh", "-c", f"cat >{MARK}"], name.encode())
    read = {name: machines.run(name, ["cat", MARK]) for name in machines.names}
    mixed = [name for name, said in read.items() if said is None or said.output != name.encode()]
    for name in machines.names:
        machines.run(name, ["rm", "-f", MARK])
    blame = f"does not tell the nodes apart: {listed(mixed)} has not what was put there"
    rehearsal.expect(not mixed, "tells the nodes apart", blame, "exec")


# More machines, fewer machines


def _more_and_fewer(rehearsal: Rehearsal) -> None:
    """Raise and lower NODES by one, as far as its question allows."""
    config = rehearsal.config()
    question, now = config.question("NODES"), config.values.get("NODES", "")
    if question is None or not now.isdigit():
        return
    low, wanted = 1 if question.min is None else question.min, int(now)
    high = wanted + 1 if question.max is None else question.max
    if wanted + 1 <= high:
        if _resized(rehearsal, wanted + 1):
            _lowered(rehearsal, wanted)
    elif wanted - 1 >= max(low, 1):
        _lowered(rehearsal, wanted - 1)
        _resized(rehearsal, wanted)


def _resized(rehearsal: Rehearsal, wanted: int, leaving: tuple[str, ...] = ()) -> bool:
    """Bring the machines to another number; those that were there and stay must be the same."""
    provider, before = rehearsal.module, rehearsal.nodes()
    rehearsal.set(NODES=str(wanted))
    when = f"when NODES is {wanted}"
    staying = [node.name for node in before if node.name not in leaving]
    marked = _marked(rehearsal, staying)
    if not rehearsal.must(provider, "create", f"succeeds {when}", How(leaving=leaving)):
        return False
    after = rehearsal.nodes()
    wrote = f"writes {count(len(after), 'node')} {when}"
    if not rehearsal.expect(
        len(after) == wanted, wrote, f"{wrote}: each line is a machine that there is now", "create"
    ):
        return False
    lost = [node.name for node in before if node.name in staying and node not in after]
    blame = f"changes or removes {listed(lost)} {when}: machines that stay must stay as they are"
    rehearsal.expect(not lost, f"leaves the others as they are {when}", blame, "create")
    if not rehearsal.answering():
        return False
    emptied = _unmarked(marked, staying)
    if emptied and not lost:
        rehearsal.say(
            FAIL, f"loses what was on {listed(emptied)} {when}: machines that stay must stay", "create"
        )
    rehearsal.looks(provider, "check", f"succeeds {when}")
    return not (lost or emptied)


def _lowered(rehearsal: Rehearsal, wanted: int) -> None:
    """Remove a machine; then see what check says where the inventory still has it, as if somebody had deleted it."""
    machines, before = rehearsal.machines(), rehearsal.config().values["NODES"]
    rehearsal.set(NODES=str(wanted))
    leaving = nodes_that_leave(rehearsal, machines.nodes)
    if not _resized(rehearsal, wanted, leaving):
        return
    still = [name for name in leaving if machines.answers(name)]
    blame = f"leaves {listed(still)} there, which had to go: the nodes in $RIGGER_LEAVING"
    if not rehearsal.expect(not still, f"removes {listed(leaving)} when NODES is {wanted}", blame, "create"):
        return
    now = rehearsal.nodes()
    rehearsal.set(NODES=before)
    rehearsal.set_nodes(machines.nodes)
    if _reachable(rehearsal, machines):
        rehearsal.notices(rehearsal.module, "check", f"{listed(leaving)} is gone")
    rehearsal.set_nodes(now)
    rehearsal.set(NODES=str(wanted))


def _reachable(rehearsal: Rehearsal, machines: Machines) -> bool:
    """Return whether there is a way to ask the machines at all."""
    return bool(rehearsal.module.script("exec")) or any(node.ssh for node in machines.nodes)


# Machines that are turned off for a while


def _asleep(rehearsal: Rehearsal) -> None:
    """Suspend the machines and resume them: none may answer meanwhile, and all of them afterwards."""
    provider = rehearsal.module
    if rehearsal.failed or not (provider.script("suspend") and provider.script("resume")):
        return
    machines, stops = rehearsal.machines(), provider.suspend == "stops"
    marked = _marked(rehearsal, machines.names) if stops else None
    if not rehearsal.must(provider, "suspend", "succeeds"):
        return
    awake = [name for name in machines.names if machines.answers(name)]
    blame = f"exited 0, but {listed(awake)} still answers"
    rehearsal.expect(not awake, "no machine answers after it", blame, "suspend")
    if not rehearsal.must(provider, "resume", "brings the machines back"):
        return
    now, before = len(rehearsal.nodes()), len(machines.nodes)
    blame = f"brought {count(now, 'node')} back, of {before}"
    if not rehearsal.expect(now == before, f"brings back {count(now, 'node')}", blame, "resume"):
        return
    if not rehearsal.answering("resume"):
        return
    if emptied := _unmarked(marked, machines.names):
        text = (
            f"loses what was on {listed(emptied)}: with `suspend: stops` in rigger.yml the machines keep it"
        )
        rehearsal.say(FAIL, text, "resume")
    rehearsal.looks(provider, "check", "succeeds after resume")


# Two clusters


def _second(rehearsal: Rehearsal) -> None:
    """Make and destroy the machines of a second environment: those of the first must not notice."""
    provider, names = rehearsal.module, [node.name for node in rehearsal.nodes()]
    if _are_given(rehearsal, rehearsal.machines().nodes):
        return
    first = _marked(rehearsal, names)
    with rehearsal.elsewhere(second_environment(rehearsal.environment, rehearsal.config().platform.prefix)):
        made = rehearsal.must(provider, "install", "succeeds in a second environment") and rehearsal.must(
            provider, "create", "succeeds in a second environment"
        )
        if made and first:
            second = rehearsal.machines()
            shared = [name for name in second.names if _has_mark(second, name)]
            blame = (
                f"gives the second environment the machines of the first: {listed(shared)}; "
                "name what is made by $RIGGER_ENVIRONMENT_ID"
            )
            rehearsal.expect(
                not shared, "makes machines of its own for a second environment", blame, "create"
            )
        rehearsal.destroyed("in the second environment")
    lost = _unmarked(first, names)
    blame = f"a second environment's destroy took {listed(lost)} of the first away"
    if rehearsal.expect(not lost, "leaves the machines of another environment alone", blame, "destroy"):
        rehearsal.must(provider, "check", "succeeds after another environment came and went")


def _marked(rehearsal: Rehearsal, names: Sequence[str]) -> Machines | None:
    """Leave a mark on nodes, where the provider has a way to them, and return the machines; else nothing."""
    if not rehearsal.module.script("exec"):
        return None
    machines = rehearsal.machines()
    for name in names:
        machines.run(name, ["sh", "-c", f"cat >{MARK}"], b"first")
    return machines


def _unmarked(machines: Machines | None, names: Sequence[str]) -> list[str]:
    """Return the nodes whose mark is gone, and take the others' away."""
    if machines is None:
        return []
    lost = [name for name in names if not _has_mark(machines, name)]
    for name in names:
        machines.run(name, ["rm", "-f", MARK])
    return lost


def _has_mark(machines: Machines, name: str) -> bool:
    said = machines.run(name, ["cat", MARK])
    return said is not None and said.output == b"first"


def _are_given(rehearsal: Rehearsal, nodes: tuple[Node, ...]) -> bool:
    """Return whether the machines are somebody's own, which no provider makes: an answer names them."""
    answers = rehearsal.config().values_of_questions().values()
    return any(node.address in answer for node in nodes for answer in answers)


# The end


def _end(rehearsal: Rehearsal, of_create: set[str]) -> bool:
    """Destroy the machines, and see that they are gone; return whether it can go on."""
    provider, machines = rehearsal.module, rehearsal.machines()
    given = _are_given(rehearsal, machines.nodes)
    if not rehearsal.destroyed():
        return False
    stays = sorted(of_create & set(rehearsal.traces.here(rehearsal.environment)))
    codes = {} if given else {name: machines.exit_code(name) for name in machines.names}
    still = [name for name, code in codes.items() if code == 0]
    if still:
        text = f"exited 0, but {listed(still)} still answers: nothing may be left of what create made"
        rehearsal.say(FAIL, text, "destroy")
    elif stays and len(stays) == len(of_create):
        rehearsal.say(FAIL, f"exited 0, but removed nothing of what create made: {listed(stays)}", "destroy")
    elif stays:
        rehearsal.say(
            ADVICE, f"files stay in the home and the state after destroy: {listed(stays)}", "destroy"
        )
    if provider.script("exec") and (
        told := [name for name, code in codes.items() if code not in (0, *UNREACHED)]
    ):
        text = (
            f"exits {codes[told[0]]} for {told[0]}, which is gone, as if a command had failed there: exit 253"
        )
        rehearsal.say(ADVICE, text, "exec")
    if not (given or still) and machines.nodes and _reachable(rehearsal, machines):
        rehearsal.set_nodes(machines.nodes)
        rehearsal.notices(provider, "check", "every machine is gone")
        rehearsal.set_nodes([])
    rehearsal.check_without_cluster(provider, "after destroy")
    rehearsal.must(provider, "destroy", "can be repeated")
    return not still


def _killed(rehearsal: Rehearsal, after: float, goes_on: bool) -> bool:
    """Kill a create; destroy what it made, the first time after create has gone on from there."""
    provider = rehearsal.module
    rehearsal.killed(provider, "create", How(kill_after=after))
    if goes_on:
        wanted = rehearsal.config().values.get("NODES", "")
        if rehearsal.must(provider, "create", "resumes where it was killed"):
            number = len(rehearsal.nodes())
            blame = f"has {count(number, 'node')} after it was killed and run again, but NODES is {wanted}"
            if wanted.isdigit():
                rehearsal.expect(
                    number == int(wanted), "makes all nodes after it was killed", blame, "create"
                )
            if rehearsal.answering():
                rehearsal.must(provider, "check", "succeeds after that")
        rehearsal.killed(provider, "destroy", How(kill_after=rehearsal.took["destroy"] / 2))
    return rehearsal.destroyed("after that")

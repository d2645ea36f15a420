"""A claim: what stands on the nodes of who changed the cluster last, and of a run that is under way; and what follows."""

from __future__ import annotations

import fcntl
import json
import os
import time
from contextlib import suppress
from types import MappingProxyType

from rigger.environments.state import state_of
from rigger.errors import Locked, RecordBehind, RiggerError
from rigger.process.actor import os_user
from rigger.process.lookup import process_start_time
from rigger.text import plain, ways
from rigger.values import asdict, fields_of, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, TypeVar

    from rigger.environments.environment import Environment

    Knows = Callable[[int, str], bool]  # whether a log has a record of that number and hash

    Value = TypeVar("Value", "Claim", "UnderWay")

LONGEST = 200  # characters of a text from a node that are shown


@frozen
class Claim:
    """How far the record had got with which the cluster was changed last."""

    id: str  # of the environment
    serial: int  # the number of records
    head: str  # the last one's hash
    version: str
    members: tuple[str, ...]
    who: str  # user@host
    when: str
    command: str
    path: str  # of the environment, on that host

    def as_line(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))


@frozen
class UnderWay:
    """A run that began, and has not said that it ended."""

    id: str
    serial: int
    head: str
    who: str
    when: str
    command: str
    path: str
    place: str  # the machine, as far as it has processes of its own
    pid: int
    started: int  # when that process did

    def as_line(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))


@frozen
class Seen:
    """What one node said."""

    claim: Claim | None
    run: UnderWay | None
    left: float  # seconds until that run must have said again that it goes on, by the node's clock
    taken: bool
    run_line: str = ""  # that run, as the node has it
    unreadable: bool = False  # something stands there that this rigger does not understand


# What tags may lack, which are short: all but how far the record had got.
UNTOLD = {**dict.fromkeys(("id", "version", "who", "when", "command", "path"), ""), "members": []}
SHORTEST = 12  # hex digits of a hash by which a record is known


def seen(lines: Sequence[str]) -> Seen:
    """Return what a node said, line by line (see libexec/claim.sh)."""
    said = dict(reversed([line.partition(" ")[::2] for line in lines]))
    until, _, run = said.get("run", "").partition(" ")
    now = said.get("now", "")
    left = float(until) - float(now) if until.isdigit() and now.isdigit() else 0.0
    claim, under_way = _parse(Claim, said.get("claim", "")), _parse(UnderWay, run)
    unreadable = ("claim" in said and claim is None) or ("run" in said and under_way is None)
    return Seen(claim, under_way, left, "taken" in said, run, unreadable)


def told(lines: Sequence[str]) -> Seen:
    """Return what a provider's tags said: a claim, or that it was written there."""
    said = dict(reversed([line.partition(" ")[::2] for line in lines]))
    found = _parse(Claim, said.get("claim", ""), UNTOLD)
    return Seen(found, None, 0.0, "taken" in said, unreadable="claim" in said and found is None)


def _parse(kind: type[Value], text: str, untold: Mapping[str, Any] = MappingProxyType({})) -> Value | None:
    """Return what a line says, None where rigger cannot have written it."""
    try:
        values = {**untold, **json.loads(text)}
        fields = {one.name: values[one.name] for one in fields_of(kind)}
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if isinstance(fields.get("members"), list):
        fields["members"] = tuple(map(str, fields["members"]))
    wanted = {"serial": int, "pid": int, "started": int, "members": tuple}
    return kind(**fields) if all(isinstance(v, wanted.get(n, str)) for n, v in fields.items()) else None


def me() -> str:
    """Return who works here: the user by number, whatever the environment says, and the host."""
    return f"{os_user()}@{os.uname().nodename}"


def place() -> str:
    """Return what is the same for processes that can see one another."""
    found = [os.uname().nodename]
    with suppress(OSError):
        found.append(os.readlink("/proc/self/ns/pid"))
    with suppress(OSError), open("/proc/sys/kernel/random/boot_id") as file:
        found.append(file.read().strip())
    return " ".join(found)


def new_run(environment: Environment, id: str, head: tuple[int, str], command: str) -> UnderWay:
    """Return the run of this process, which is known by the record that was just written."""
    serial, hash = head
    started = process_start_time(os.getpid()) or 0
    when = now()
    return UnderWay(id, serial, hash, me(), when, command, environment.path, place(), os.getpid(), started)


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


# What follows from what the nodes said


def require_free(found: Mapping[str, Seen], name: str, knows: Knows) -> None:
    """Raise Locked while a run of another record is under way, as far as that can be known."""
    for node, said in sorted(found.items()):
        run = said.run
        if run is None or said.taken or knows(run.serial, run.head):
            continue
        here = run.place == place()
        if here and _lives(run):
            raise Locked(
                f'{name} is being changed with another record of it: {_who(run)} began "{_shown(run.command)}" at '
                f"{_time(run.when)}, and that is not over (going by {node}).",
                "Wait until it has ended, then load the bundle that is saved there.",
            )
        if not here and said.left > 0:
            raise Locked(
                f'{name} is being changed with another record of it: {_who(run)} began "{_shown(run.command)}" at '
                f"{_time(run.when)} (going by {node}).",
                f"Wait until it has ended. If it was cut off, it counts as over in {_minutes(said.left)}; the same "
                "command resumes it there.",
            )


def last_stranger(found: Mapping[str, Seen], knows: Knows) -> Claim | UnderWay | None:
    """Return what was done last with another record, and this one does not know of; None where nothing was."""
    there: list[Claim | UnderWay] = []
    for said in found.values():
        there += [one for one in (said.claim, None if said.taken else said.run) if one is not None]
    strangers = [one for one in there if not knows(one.serial, one.head)]
    return max(strangers, key=lambda one: (one.when, one.serial)) if strangers else None


def behind(found: Mapping[str, Seen], environment: Environment, knows: Knows) -> RiggerError | None:
    """Return the error that says who went on with another record than this one; None where nobody did."""
    last = last_stranger(found, knows)
    if last is not None:
        return _problem(last, environment)
    unreadable = sorted(node for node, said in found.items() if said.unreadable)
    if unreadable:
        return RecordBehind(
            f"Who changed {environment.name} last cannot be told: the claim on {', '.join(unreadable)} is not one that this "
            "rigger understands.",
            f"A newer rigger may have written it: install that one. {TAKE_OVER}",
        )
    return None


def _problem(last: Claim | UnderWay, environment: Environment) -> RiggerError:
    name = environment.name
    if (last.who, last.path) == (me(), environment.path):
        count = environment.audit.head()[0]
        return RecordBehind(
            f"The record of {name} has lost what it knew: at {_time(last.when)} it was at record {last.serial}, by what "
            f"the nodes hold, and now that is not among its {count}. Somebody cut, deleted or replaced {environment.audit.path}.",
            f"Put it back, or load the newest bundle of it. {TAKE_OVER}",
        )
    ended = "" if isinstance(last, Claim) else ", which did not end"
    state = _state(last, environment) if isinstance(last, Claim) else ""
    return RecordBehind(
        f"This record of {name} is behind: {_who(last)} continued with another one{_what(last, ended)}, and this one "
        f"does not know of it.{state}",
        f"{ways(('Have this typed there', 'rigger save'), ('Load what it writes', 'rigger configure --file FILE'))}\n{TAKE_OVER}",
    )


TAKE_OVER = "To continue with this record anyway, add --take-over; then the other one is behind."


def _state(claim: Claim, environment: Environment) -> str:
    ours = tuple(node.name for node in environment.nodes())
    if not (claim.version or claim.members):
        return ""
    theirs = f"{_shown(claim.version)} on {_shown(', '.join(claim.members)) or 'no nodes'}"
    running = state_of(environment).versions.running  # the vars may name another one, as a wish
    version = running.version if running else environment.vars().get("VERSION", "")
    return f" It says {theirs}; this one {version} on {', '.join(ours) or 'no nodes'}."


def is_same(hash: str, head: str) -> bool:
    """Return whether a record has the hash that a claim names, or its beginning where tags are short."""
    return hash == head or (len(head) >= SHORTEST and hash.startswith(head))


def vanished(found: Mapping[str, Seen], name: str, expected: Sequence[str]) -> RiggerError | None:
    """Return the error for a claim that is gone from every node that must have it; None where one has it."""
    asked = [node for node in expected if node in found]
    if not asked or any(
        found[n].claim or (found[n].run and not found[n].taken) or found[n].unreadable for n in asked
    ):
        return None
    return RecordBehind(
        f"The claim of {name} is gone from {', '.join(asked)}: this record left one there, and no node that answers has it. "
        "Somebody removed it, destroyed the cluster with another record, or these are other machines.",
        'Look with "rigger check" and ask whoever else has a record of it. To continue anyway, add --take-over.',
    )


def _lives(run: UnderWay) -> bool:
    """Return whether a run of this machine goes on: rigger itself, or a script that outlived it and holds the lock."""
    with suppress(OSError), open(os.path.join(run.path, "lock"), "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return process_start_time(run.pid) == run.started


def _what(one: Claim | UnderWay, ended: str) -> str:
    """Return what was done and when, in brackets; tags may not say that."""
    at = f"at {_time(one.when)}" if one.when else ""
    command = f'"{_shown(one.command)}"' if one.command else ""
    said = " ".join(filter(None, (command, at)))
    return f" ({said}{ended})" if said else ended


def _who(one: Claim | UnderWay) -> str:
    return _shown(one.who) or "somebody"


def _shown(text: str) -> str:
    return plain(text)[:LONGEST]


def _time(moment: str) -> str:
    return _shown(moment).replace("T", " ").replace("Z", " UTC")


def _minutes(seconds: float) -> str:
    return f"{max(1, round(seconds / 60))} min"

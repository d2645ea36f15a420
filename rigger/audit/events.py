"""What rigger records: one class an event, all in one file, with their fields in the order in which they are written.

To add an event, add its class: `parse` knows it then, and `problem_of` checks it in the records of a bundle.
"""

from __future__ import annotations

import re
from json import loads

from rigger import values
from rigger.values import MISSING, FrozenInstanceError, declare, field, fields_of, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any, ClassVar, TypeVar

    from typing_extensions import Self, dataclass_transform

    Record = Mapping[str, Any]  # a line of the log, as JSON has it
    Names = Sequence[str]
    Rows = Sequence[Sequence[Any]]
    Texts = Mapping[str, str]
    Check = Callable[[Any], bool]
    Kind = TypeVar("Kind", bound="type[Event]")
else:

    def dataclass_transform(**options):
        return lambda function: function


# By a field's type, as it is written (a file that adds an event defers its annotations): which values of JSON are of that
# type, and what stands for one that a record lacks.
KINDS: Mapping[str, tuple[Any, Any]] = {
    "str": (str, ""),
    "str | None": (str, None),
    "int": (int, -1),
    "float": ((int, float), 0.0),
    "bool": (bool, False),
    "Names": (list, ()),
    "Rows": (list, ()),
    "Texts": (dict, {}),
    "Rows | None": (list, None),
}


# What may stand in the fields that are read again; whatever else a record has is only shown

WORD = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}"
VERB = rf"{WORD}(?:/{WORD}){{0,8}}"
RUN = rf"(?:{WORD})?"
TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[0-9.]*Z"
LINE = r"[^\x00-\x1f\x7f-\x9f]{0,4096}"
BACKUP = rf"(?:backups/{WORD})?"
LOG = rf"runs/{WORD}/{WORD}\.log"


def _text(pattern: str) -> Check:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _are_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


def _are_texts_if_any(value: Any) -> bool:
    return value is None or _are_texts(value)


def _are_lines_if_any(value: Any) -> bool:
    return value is None or (_are_texts(value) and all(map(_is_line, value.values())))


def _are_nodes_if_any(value: Any) -> bool:
    """Return whether these are nodes, each with its name and its address."""
    if value is None:
        return True
    pairs = isinstance(value, list) and all(isinstance(node, list) and len(node) == 2 for node in value)
    return pairs and all(map(_is_line, (text for node in value for text in node)))


def _are_lines(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_line, value))


def _is_line_if_any(value: Any) -> bool:
    return value is None or _is_line(value)


_is_module, _is_step, _is_line = _text(rf"(?:provider|platform|addon)/{WORD}"), _text(VERB), _text(LINE)
_is_backup = _text(BACKUP)


def _is_output(value: Any) -> bool:
    if value in (None, ""):
        return True
    try:
        return isinstance(loads(value), dict)
    except (TypeError, ValueError, RecursionError):
        return False


# How a class becomes an event


@frozen
class Field:
    """A field of an event, and how a record has it."""

    name: str
    key: str  # in the record; `from_` is `from` there
    json: Any  # the types that its value may have there
    empty: Any  # what stands for a value that a record lacks
    default: Any  # what is not written; MISSING where everything is

    @property
    def lacking(self) -> Any:
        """Return what stands for it where a record lacks it."""
        return self.empty if self.default is MISSING else self.default


class _Layout:
    """The fields of a class of events, worked out when they are first asked for: most commands meet few of the classes."""

    def __get__(self, event: object, kind: type[Event]) -> Sequence[Field]:
        if kind is Event:
            return ()
        declare(kind, {})  # the methods are those of Event
        kind.layout = [_layout(one) for one in fields_of(kind)]
        return kind.layout


class Event:
    """Something that was recorded. One that this rigger does not know has no class of its own.

    The classes are values, with methods of their own that they share.
    """

    name: ClassVar[str] = ""
    checks: ClassVar[Mapping[str, Check]] = {}  # what must hold of it where somebody else may have written it
    layout: ClassVar[Sequence[Field]] = _Layout()  # type: ignore[assignment]

    seq: int  # its number in the log; 0: not written yet
    time: str  # in UTC
    run: str  # the run that it belongs to, if any

    def __init__(self, **values: Any):
        defaults = {field.name: field.default for field in self.layout if field.default is not MISSING}
        values = {"seq": 0, "time": "", "run": "", **defaults, **values}
        if wrong := values.keys() ^ {"seq", "time", "run", *(field.name for field in self.layout)}:
            raise TypeError(
                f"{type(self).__name__} has not exactly the fields given: {', '.join(sorted(wrong))}"
            )
        self.__dict__.update(values)

    def __setattr__(self, name: str, value: Any) -> None:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"
        )

    @classmethod
    def read(cls, record: Record) -> Self:
        """Return the event of a record; what it lacks, or has in another form, is empty."""
        event = cls.__new__(cls)
        values = event.__dict__
        values.update(seq=record["seq"], time=record["time"], run=record["run"])
        for one in cls.layout:
            value = record.get(one.key)
            values[one.name] = value if isinstance(value, one.json) else one.lacking
        return event

    def with_values(self, **values: Any) -> Self:
        """Return the same with other values."""
        return type(self)(**{**self.__dict__, **values})

    def fields(self) -> dict[str, Any]:
        """Return what its record has beside the members of every record; a default is left out."""
        values = ((field, getattr(self, field.name)) for field in self.layout)
        return {field.key: value for field, value in values if value != field.default}


EVENTS: dict[str, type[Event]] = {}  # by name


@dataclass_transform(kw_only_default=True, frozen_default=True)
def event(name: str) -> Callable[[Kind], Kind]:
    """Make a class the event of that name."""

    def decorate(kind: Kind) -> Kind:
        kind.name = name
        EVENTS[name] = kind
        return kind

    return decorate


def _layout(one: values.Field) -> Field:
    default = one.default if one.default_factory is MISSING else one.default_factory()
    return Field(one.name, one.name.removesuffix("_"), *KINDS[one.type], default)


def parse(record: Record) -> Event:
    """Return what a record says, as the event that it is of; a plain Event for one that this rigger does not know."""
    return EVENTS.get(str(record["event"]), Event).read(record)


ALWAYS: Mapping[str, Check] = {"time": _text(TIME), "run": _text(RUN), "event": _text(WORD)}


def problem_of(records: Iterable[Record]) -> str | None:
    """Return what in the records rigger cannot have written, None when nothing is."""
    for record in records:
        kind = EVENTS.get(str(record.get("event")), Event)
        for name, good in {**ALWAYS, **kind.checks}.items():
            if not good(record.get(name)):
                return f"record {record['seq']} has no usable {name}"
    return None


# Runs and their steps


@event("run-started")
class RunStarted(Event):
    """A command began to carry its plan out."""

    command: str
    rigger: str  # its version
    by: str  # user@host, and what $USER says where that is another
    provider: str
    platform: str
    id: str  # of the environment
    version: str  # of the platform, as configured
    steps: int  # of the plan
    commit: str = ""  # of the platform's repository
    dirty: bool = False  # whether files of it were changed
    request: str = ""  # the id that the caller gave it
    words: str = ""  # the command and its options, where there is such an id
    reason: str = ""
    actor: str = ""  # for whom it is, where that is somebody else
    given: str = ""  # digest of what people had said, where the plan was approved
    provider_is: Texts = field(default_factory=dict)  # its origin, interface, version and sha256
    platform_is: Texts = field(default_factory=dict)
    values: Texts = field(default_factory=dict)  # of the vars, where they are not as the log had them
    gone: Names = ()  # names of vars that the log had

    checks = {
        **dict.fromkeys(("provider_is", "platform_is"), _are_lines_if_any),
        "values": _are_texts_if_any,
        "gone": lambda value: value is None or _are_lines(value),
        "command": _is_line,
        "version": _is_line,
        **dict.fromkeys(("provider", "platform", "id"), _is_line_if_any),
        **dict.fromkeys(("request", "words", "reason", "actor", "given"), _is_line_if_any),
    }


@event("run-finished")
class RunFinished(Event):
    """A run ended: done, failed or interrupted."""

    outcome: str

    checks = {"outcome": _is_line}


@event("request-finished")
class RequestFinished(Event):
    """A request was carried out: its result holds for whoever asks again."""

    request: str
    exit_code: int
    message: str = ""  # what went wrong, in a sentence
    next: str = ""  # what to do about it

    checks = {"request": _is_line, "exit_code": _is_number}


@event("step-started")
class StepStarted(Event):
    """A step is about to begin."""

    command: str
    number: int
    module: str
    step: str
    script: str
    sha256: str
    shared: str | None  # digest of what the module's scripts share; None where an older rigger recorded none
    why: str
    leaving: Names = ()  # nodes that go
    attempt: int = 1
    parameters: Texts  # the values of all questions, secrets as their digests
    inputs: Texts = field(default_factory=dict)  # of an apply: digests of what it is about to read, by module
    log: str

    checks = {
        "module": _is_module,
        "step": _is_step,
        "number": _is_number,
        "script": _is_line,
        "parameters": _are_texts,
        "inputs": _are_texts_if_any,
        "log": _text(LOG),
    }

    @property
    def key(self) -> str:
        return f"{self.module}/{self.step}"


@event("step-finished")
class StepFinished(Event):
    """A step ended, and what it gave back was kept."""

    number: int
    module: str
    step: str
    exit_code: int
    signal: int = 0
    timed_out: bool = False
    interrupted: bool = False
    problems: Names = ()
    leftovers: Names = ()
    survivors: Rows = ()  # processes that did not end: number and name
    figures: Texts = field(default_factory=dict)
    lost: Names = ()  # nodes that could not be reached
    seconds: float
    log_size: int  # bytes
    log_sha256: str
    changed: Names  # names of vars
    values: Texts = field(default_factory=dict)  # of those, secrets as their digests
    nodes: Rows | None = None  # name and address of all that there are, where those are others than before
    kept: int = 0  # how many files its scripts have in their own folder, which are kept in the module's state
    before: str = ""  # the output that the module had, as JSON, where this step gave another one
    output: str = ""  # the output that an apply gave, as JSON; empty where it gave none
    uses: Names = ()  # the nodes that the module uses from now on

    checks = {
        **{"module": _is_module, "step": _is_step, "number": _is_number, "exit_code": _is_number},
        **{"values": _are_texts_if_any, "nodes": _are_nodes_if_any},
        **{
            "before": _is_output,
            "output": _is_output,
            "uses": lambda value: value is None or _are_lines(value),
        },
    }


@event("step-recovered")
class StepRecovered(Event):
    """What a step had given back before its run was killed was kept."""

    number: int
    module: str
    step: str
    leftovers: Names = ()
    changed: Names
    values: Texts = field(default_factory=dict)  # these as of a step that finished, too
    nodes: Rows | None = None
    kept: int = 0  # as of a step that finished

    checks = {
        **{"module": _is_module, "step": _is_step, "number": _is_number},
        **{"values": _are_texts_if_any, "nodes": _are_nodes_if_any},
    }


@event("hook-started")
class HookStarted(Event):
    """A hook is about to be asked or told."""

    hook: str  # the event that it is named after
    script: str
    sha256: str

    checks = {"hook": _is_line, "script": _is_line}


@event("hook-finished")
class HookFinished(Event):
    """A hook ended; what it said is its last line."""

    hook: str
    script: str
    exit_code: int
    seconds: float
    said: str

    checks = {"hook": _is_line, "script": _is_line, "said": _is_line}


@event("logs-masked")
class LogsMasked(Event):
    """Logs of a run were masked once more: what a later step gave back as a secret stood in them."""

    logs: Rows  # name, size in bytes and SHA-256, which hold in place of those that were recorded


# The configuration


@event("configured")
class Configured(Event):
    """Values were changed."""

    by: str  # the command
    changed: Names
    who: str = ""  # user@host, and what $USER says where that is another
    actor: str = ""  # for whom, where that is somebody else

    checks = dict.fromkeys(("who", "actor"), _is_line_if_any)


@event("module-added")
class ModuleAdded(Event):
    """An add-on was added, or a newer version of it; nothing of it is applied by that."""

    instance: str  # the name that it has in this environment
    module: str  # its own
    version: str
    sha256: str  # of its files
    by: str
    proposed: Texts = field(default_factory=dict)  # the answers that its `init` proposed
    repository: str = ""  # the name of the repository that it came from; its files are copied then

    checks = {"instance": _is_line, "module": _is_line, "version": _is_line, "proposed": _are_texts_if_any}


@event("module-removed")
class ModuleRemoved(Event):
    """An add-on is no part of the environment any more."""

    instance: str

    checks = {"instance": _is_line}


@event("checked-out")
class CheckedOut(Event):
    """The platform's repository was brought to a commit, or is about to be by an upgrade."""

    folder: str
    version: str
    before: str  # the commit that it was at
    commit: str
    ref: str | None = None
    tag: str | None = None

    checks = {"folder": _is_line, "before": _is_line, "commit": _is_line}


@event("loaded")
class Loaded(Event):
    """The environment, or a newer state of it, came in a bundle."""

    file: str
    serial: int
    signer: str  # empty where nobody signed it
    digests: Texts  # of the secrets, as this machine has them
    missing: Names = ()  # files that were left out of it and are not here either

    checks = {"digests": _are_texts, "missing": lambda value: value is None or _are_lines(value)}


# The cluster


@event("upgrade-started")
class UpgradeStarted(Event):
    """An upgrade, or the way back from one, was begun."""

    from_: str
    to: str
    style: str
    rollback: bool

    checks = {"from": _is_line, "to": _is_line, "style": _is_line}


@event("upgrade-finished")
class UpgradeFinished(Event):
    """The cluster runs another version."""

    from_: str
    to: str
    figures: Texts
    values: Texts = field(default_factory=dict)  # that say the version now

    checks = {"from": _is_line, "to": _is_line, "values": _are_texts_if_any}


@event("upgrade-rolled-back")
class UpgradeRolledBack(Event):
    """The cluster runs the version again from which an upgrade had begun."""

    from_: str
    to: str
    figures: Texts
    values: Texts = field(default_factory=dict)  # that say the version now

    checks = {"from": _is_line, "to": _is_line, "values": _are_texts_if_any}


@event("rehearsed")
class Rehearsed(Event):
    """An upgrade was rehearsed on a copy; nothing of the cluster was changed."""

    from_: str
    to: str
    style: str
    verdict: str  # go, no-go or inconclusive
    plan: str  # digest of what the plan of the upgrade is made of, but for what runs change
    file: str  # the verdict's, in the environment's folder
    sha256: str  # of that file

    checks = dict.fromkeys(("from", "to", "style", "verdict", "plan", "file", "sha256"), _is_line)


def _are_texts_of_lines(value: Any) -> bool:
    return _are_texts(value) and all(map(_is_line, value.values()))


@event("stage-started")
class StageStarted(Event):
    """Some nodes are about to be brought to another version, as a stage of an upgrade."""

    stage: int  # from 1
    of: int
    nodes: Names
    to: str  # version

    checks = {"stage": _is_number, "of": _is_number, "nodes": _are_lines, "to": _is_line}


@event("stage-finished")
class StageFinished(Event):
    """The script that brings the nodes of a stage to another version ended well."""

    stage: int
    of: int
    nodes: Names
    to: str

    checks = StageStarted.checks


@event("stage-judged")
class StageJudged(Event):
    """A stage was judged by figures: good or bad; or, before the first one, it was measured what is usual."""

    stage: int  # 0: before the first
    of: int
    nodes: Names
    figures: Texts
    limits: Texts  # in numbers: at most 58.2
    verdict: str  # good, bad or measured
    reasons: Names  # why it is bad

    checks = {
        **{
            "stage": _is_number,
            "of": _is_number,
            "nodes": _are_lines,
            "verdict": _is_line,
            "reasons": _are_lines,
        },
        **dict.fromkeys(("figures", "limits"), _are_texts_of_lines),
    }


@event("stage-paused")
class StagePaused(Event):
    """An upgrade waits until somebody agrees to its next stage, which this one is."""

    stage: int
    of: int
    nodes: Names

    checks = {"stage": _is_number, "of": _is_number, "nodes": _are_lines}


@event("stage-agreed")
class StageAgreed(Event):
    """Somebody agreed to a stage that an upgrade waited with."""

    stage: int
    of: int
    nodes: Names
    by: str  # user@host, and what $USER says where that is another

    checks = {**StagePaused.checks, "by": _is_line}


@event("version-change-allowed")
class VersionChangeAllowed(Event):
    """Somebody allowed a provision to bring another version, without an upgrade."""

    from_: str
    to: str
    ref: str  # a branch, tag or commit that it is, if it is no release
    checkout: str  # the folder that it is, if it is one
    by: str  # user@host, and what $USER says where that is another

    checks = {"from": _is_line, "to": _is_line, "ref": _is_line, "checkout": _is_line}


@event("suspend-started")
class SuspendStarted(Event):
    """A suspend was begun; the path of its backup, in the environment, is empty where none is made."""

    backup: str

    checks = {"backup": _is_backup}


@event("suspended")
class Suspended(Event):
    """The machines are gone, or off."""

    backup: str

    checks = {"backup": _is_backup}


@event("resumed")
class Resumed(Event):
    """A suspended cluster was started again."""


@event("backed-up")
class BackedUp(Event):
    """Somebody backed the platform's data up; the path of the file in the environment, or a whole one elsewhere."""

    file: str

    checks = {"file": _is_line}


@event("restore-started")
class RestoreStarted(Event):
    """The platform's data is about to be put back."""

    file: str

    checks = {"file": _is_line}


@event("restored")
class Restored(Event):
    """The platform's data was put back."""

    file: str


@event("destroyed")
class Destroyed(Event):
    """Nothing is left of the cluster."""

    nodes: Names


@event("left-behind")
class LeftBehind(Event):
    """A create that was killed may have made this, and nobody knows whether it did."""

    items: Names

    checks = {"items": _are_lines}


@event("said-gone")
class SaidGone(Event):
    """Somebody said that this, which may have been left over, is not there."""

    items: Names
    all: bool = False  # whether nothing at all is left of the cluster
    by: str  # user@host, and what $USER says where that is another

    checks = {"items": _are_lines}


# Who may act: the claim that is left on the nodes


@event("claim-begun")
class ClaimBegun(Event):
    """A command is about to say on the nodes that it is at work; by this record's hash its run is known there."""

    command: str


@event("claim-left")
class ClaimLeft(Event):
    """How far this record got is about to be said on the nodes."""

    nodes: Names  # `name address`

    checks = {"nodes": _are_lines}


@event("taken-over")
class TakenOver(Event):
    """This record goes on although another one had, because somebody said so."""

    who: str  # went on with the other one
    when: str
    serial: int
    head: str


# The rest


@event("terraform")
class TerraformCalled(Event):
    """Somebody worked with Terraform itself."""

    command: str


@event("repaired")
class Repaired(Event):
    """What a crash had left of a line, or a damaged log, was moved to a file; `lost` says what is not in this log."""

    torn_file: str = ""
    torn_size: int = 0  # bytes
    torn_sha256: str = ""
    damaged_file: str = ""
    damaged_sha256: str = ""
    lost: Names = ()

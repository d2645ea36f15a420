"""What audits found that the configuration could say, and what it could not."""

from __future__ import annotations

from rigger.modules.instance import prefixed
from rigger.text import did_you_mean
from rigger.values import field, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rigger.configuration.config import Config
    from rigger.runs.result import StepResult

BEYOND = "NOT_REFLECTED"  # what an audit saw and no question asks for, one a line


@frozen
class Found:
    """What audits proposed: values that describe what is there, and in a sentence each what no value describes."""

    values: Mapping[str, str] = field(repr=False, default_factory=dict)
    beyond: tuple[str, ...] = ()


def found_by(results: Iterable[StepResult]) -> Found:
    """Return what the audits that found differences proposed."""
    values: dict[str, str] = {}
    beyond: list[str] = []
    for result in results:
        if not result.differs:
            continue
        module, proposed = result.step.module, dict(result.proposed)
        beyond += [
            f"{result.step.shown}: {line}" for line in proposed.pop(BEYOND, "").splitlines() if line.strip()
        ]
        own = {question.name for question in module.questions}
        named = prefixed(module, proposed) if module.role == "addon" else proposed
        beyond += [
            f"{result.step.shown}: {name} is no question of {module.name}{did_you_mean(name, own)}"
            for name in named
            if name not in own
        ]
        values |= {name: value for name, value in named.items() if name in own}
        if not proposed and not beyond:
            beyond.append(f"{result.step.shown} does not say which values would describe what it found")
    return Found(values, tuple(beyond))


def shown(config: Config, found: Found) -> Iterator[tuple[str, str]]:
    """Yield each value that is another: its name, and what it was and would be; no secret."""
    for name, value in found.values.items():
        question = config.question(name)
        hidden = name in config.secrets or (question and question.secret)
        yield name, "a new value" if hidden else f"{config.values.get(name, 'unset')} -> {value}"

"""What a provider's config.sh gives back at its end: which of it is kept, and which of that is secret."""

from __future__ import annotations

import re

from rigger.envfile.names import check_name, check_value
from rigger.envfile.output import parse_output
from rigger.interface1 import script
from rigger.modules.contract import CORE
from rigger.redact import maskable
from rigger.values import field, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

BASH_ITS_OWN = frozenset({"PWD", "OLDPWD", "SHLVL", "_"})

# Interface 1 asks for most credentials in the open; these words in a name tell them.
SECRET = re.compile(
    r"(^|_)(PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|CREDENTIALS?)(_|$)|ACCESS_KEY|API_?KEY|^TF_VAR_\w*(token|secret)",
    re.ASCII,
)


def unfit(name: str) -> str | None:
    """Return the reason why a variable of a script cannot be one of the environment's."""
    return "is a question of rigger's own" if name in CORE else check_name(name)


@frozen
class Beginning:
    """What config.sh began with."""

    basis: Mapping[str, str] = field(default_factory=dict, repr=False)  # variables of the environment itself
    preset: Mapping[str, str] = field(
        default_factory=dict, repr=False
    )  # what flags and files said of its own
    start: Mapping[str, str] = field(default_factory=dict, repr=False)  # its whole process environment


@frozen
class Outcome:
    """What config.sh gave back; nothing before it came to its end."""

    given: Mapping[str, str] = field(default_factory=dict, repr=False)  # answers, and what is known, aside
    whole: Mapping[str, str] = field(
        default_factory=dict, repr=False
    )  # with what is known from the last time
    withdrawn: frozenset[str] = frozenset()  # what it gave the last time and does not give any more
    secret_names: frozenset[str] = frozenset()


@frozen
class Reading:
    """Reads what a config.sh that began somehow gave back; `say` is told of what is not kept."""

    origin: str  # the script, as people write it
    folder: str  # the provider's
    beginning: Beginning
    say: Callable[[str], None]

    def saved(self, path: str) -> dict[str, str]:
        """Return what it saved in a file of its own."""
        try:
            with open(path, "rb") as file:
                values, problems = parse_output(file.read(), self.origin)
        except FileNotFoundError:
            return {}
        for problem in problems:
            self.say(f"Not kept: {problem}.")
        return {name: value for name, value in values.items() if self._may_give(name, value)}

    def exports(self, exported: Mapping[str, str]) -> dict[str, str]:
        """Return what it exported: all that it changed, and what it says `export` of."""
        said = script.exported(self.folder)
        start, preset = self.beginning.start, self.beginning.preset
        changed = {n: v for n, v in exported.items() if start.get(n) != v or n in said}
        changed |= {n: exported[n] for n in preset if n in exported}
        return {n: v for n, v in changed.items() if n not in BASH_ITS_OWN and self._may_give(n, v)}

    def _may_give(self, name: str, value: str) -> bool:
        basis = self.beginning.basis
        reason = unfit(name) or check_value(name, value)
        if name in basis and not reason:
            reason = "is what the environment is configured to be" if basis[name] != value else " "
        if reason and reason.strip() and self.beginning.start.get(name) != value:
            self.say(f"{name}, which {self.origin} sets, is not kept: it {reason}.")
        return not reason


def secret_names(
    given: Mapping[str, str], saved_as_secret: Mapping[str, str], answers: Mapping[str, str]
) -> frozenset[str]:
    """Return which of the values given are secret: `answers` are those to questions that ask for secrets."""
    secrets = maskable(dict(answers) | dict(saved_as_secret))
    names = {n for n, v in given.items() if SECRET.search(n) or any(secret in v for secret in secrets)}
    return frozenset(names | {*saved_as_secret})

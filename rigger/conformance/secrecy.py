"""Which of the vars that a script gave should have been secrets."""

from __future__ import annotations

import re

from rigger.conformance.finding import ADVICE, FAIL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rigger.configuration.config import Config
    from rigger.runs.result import StepResult

SECRET_WORDS = (
    r"(?:^|_)(?:TOKEN|PASSWORD|PASSWD|PASS|PASSPHRASE|SECRET|CREDENTIALS?|"
    r"(?:API|ACCESS|PRIVATE|SECRET|ENCRYPTION|SIGNING|MASTER|LICEN[CS]E)_?KEY)$"
)
PRIVATE = r"-----BEGIN [A-Z ]*PRIVATE KEY-----"


def sounds_secret(name: str) -> bool:
    return re.search(SECRET_WORDS, name, re.IGNORECASE) is not None


def told_secrets(
    config: Config, result: StepResult, given: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    """Return (name, level, sentence) of each secret among the vars that a step gave; `given` are those that changed.

    One that holds a secret which rigger knows is kept among the secrets all the same.
    """
    plain = {name: value for name, value in given.items() if name in result.changed}
    for name, value in plain.items():
        if name not in config.asked and (sounds_secret(name) or re.search(PRIVATE, value)):
            yield (
                name,
                FAIL,
                f"gives {name} with the vars, which everybody reads: use rigger-save-secrets {name}",
            )
    for name in result.hidden:
        yield (
            name,
            ADVICE,
            f"gives {name} with the vars, and a secret is in it: use rigger-save-secrets {name}",
        )

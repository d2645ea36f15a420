"""The answers of an environment, as somebody gave them, beside the outputs that hide some of them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rigger.environments.environment import Environment
    from rigger.environments.outputs import Outputs


def outputs_of(environment: Environment) -> Outputs:
    """Return which of an environment's values steps gave, and which answers they hide; raises InvalidConfig."""
    return environment.store.outputs().in_force(environment.values())


def answers_of(environment: Environment) -> dict[str, str]:
    """Return the values with every answer as somebody gave it, whatever steps saved under its name."""
    values = environment.values()
    return environment.store.outputs().in_force(values).answers(values)


def save_answers(
    environment: Environment, answers: Mapping[str, str], secret_names: Iterable[str] = ()
) -> None:
    """Write all values, where the answers are others than before; what steps saved under their names stays."""
    outputs = outputs_of(environment).answered(answers, environment.values())
    environment.save_values(outputs.over(answers), secret_names, outputs=outputs)

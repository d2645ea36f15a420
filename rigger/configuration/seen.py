"""Which value a step sees under the name of an answer: the answer, or what a step before it has made of it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from rigger.environments.outputs import Given, Outputs

# The steps that make a cluster, in their order. A step sees what those before it gave, and neither what it gave itself
# nor what comes after it: run again, it works with what it had the first time.
ORDER = (
    "provider/install",
    "platform/setup-clients",
    "platform/prepare",
    "provider/create",
    "platform/install",
    "platform/deploy",
    "provider/check",
    "platform/check",
)
# Steps that see what another one does.
LIKE = {
    "provider/plan": "provider/create",
    "provider/leaving": "provider/create",
    "provider/resume": "provider/create",
}


def seen_by(outputs: Outputs, role: str, verb: str, held: Mapping[str, str]) -> dict[str, str | None]:
    """Return what a step sees under the names of answers that are hidden; None for no value.

    `held` are the answers, with their defaults. The steps that make a cluster see nothing that was made of another
    answer; the others see what the cluster was made with, without what they gave themselves.
    """
    place = _place(role, verb)
    seen: dict[str, str | None] = {}
    for name, one in outputs.hidden.items():
        visible = [given for given in one.given if _is_before(given, role, verb, place, held.get(name))]
        seen[name] = visible[-1].value if visible else held.get(name)
    return seen


def _is_before(given: Given, role: str, verb: str, place: int, held: str | None) -> bool:
    giver_role, giver_verb = _parts(given.step)
    if place == len(ORDER):
        return (giver_role, giver_verb) != (role, verb)
    return _place(giver_role, giver_verb) < place and given.over == held


def _parts(step: str) -> tuple[str, str]:
    """Return the role and the verb of role/module/verb."""
    role, _, rest = step.partition("/")
    return role, rest.partition("/")[2]


def _place(role: str, verb: str) -> int:
    """Return the place of a step in the order, the last one for those that come at any time."""
    key = f"{role}/{verb}"
    if role == "platform" and verb.startswith("upgrade-"):
        key = "platform/deploy"
    key = LIKE.get(key, key)
    return ORDER.index(key) if key in ORDER else len(ORDER)

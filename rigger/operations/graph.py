"""An environment, a bundle or an upgrade as a picture."""

from __future__ import annotations

import shutil
import time

from rigger.audit.runs import seconds
from rigger.bundles.contents import SECRETS
from rigger.configuration.resolve import resolve
from rigger.environments.state import state_of
from rigger.errors import NotReady, StepFailed
from rigger.modules.verbs import MAKES, in_words
from rigger.operations import upgrade
from rigger.operations.bundle import inspect
from rigger.operations.planned import Planned, planned
from rigger.operations.related import related
from rigger.picture import FAILED, RAN, WAITS, Box, Group, Picture, dot, mermaid
from rigger.plans import provision as plans
from rigger.process import capture
from rigger.values import frozen, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from rigger.audit.steps import StepHistory
    from rigger.configuration.config import Config
    from rigger.environments.environment import Environment
    from rigger.modules.model import Module
    from rigger.operations.consent import Consent
    from rigger.operations.upgrade_request import UpgradeOptions
    from rigger.plans.model import Plan, Step

FORMS = ("dot", "mermaid", "svg")
MOST_NODES = 24  # that are drawn one by one
NODES = "nodes"


@frozen
class Graph:
    """A picture, as text of one of the FORMS."""

    text: str

    def as_dict(self) -> dict[str, Any]:
        return {"text": self.text}


def drawn(picture: Picture, form: str) -> Graph:
    """Return a picture in one of the forms; raises NotReady where Graphviz is needed and is not there."""
    if form == "mermaid":
        return Graph(mermaid(picture))
    return Graph(dot(picture) if form == "dot" else svg(dot(picture)))


def svg(source: str) -> str:
    """Return DOT as SVG; raises NotReady where Graphviz cannot draw it."""
    program = shutil.which("dot")
    if program is None:
        raise NotReady(
            "Graphviz, which draws SVG, is not on PATH: there is no program dot.",
            'Install it (Debian: apt install graphviz), or type "rigger graph -o mermaid".',
        )
    try:
        done = capture.capture([program, "-Tsvg"], input=source.encode("utf-8", "backslashreplace"))
    except StepFailed as problem:
        raise NotReady(problem.message, problem.next_step) from None
    if done.exit_code:
        raise NotReady(
            f"{program} -Tsvg exited {done.exit_code}: {done.errors.decode(errors='replace').strip()}."
        )
    return done.output.decode("utf-8", "replace")


# An environment


def of_environment(environment: Environment) -> Picture:
    """Return an environment: its modules, what of them ran, what waits, and the nodes."""
    config, history = resolve(environment), state_of(environment).steps
    nodes = environment.nodes()
    plan = plans.provision(config, history, nodes, environment.key(), related=related(environment, config))
    all_of_it = [s for s in (*plan.up_to_date, *plan.steps) if not (s.goes_on and s.module.role == "addon")]
    every = sorted([step for step in all_of_it if step.module.role != "addon"], key=_place)
    steps: dict[str, list[Box]] = {role: [] for role in ("provider", "platform")}
    for step in every:
        steps[step.module.role].append(_box(step, step in plan.up_to_date, history))
    machines = _node_boxes([(node.name, node.address) for node in nodes])
    groups = [
        Group(f"provider {config.provider.name}", tuple(steps["provider"])),
        Group(NODES, machines),
        Group(_titled(config.platform, config.values.get("VERSION", "")), tuple(steps["platform"])),
    ]
    addons, others = _addons(environment, config, all_of_it, [step.key for step in plan.up_to_date], history)
    making = [step.key for step in every if not step.checks]
    arrows = [*zip(making, making[1:], strict=False)]
    create, deploy = f"provider/{config.provider.name}/create", f"platform/{config.platform.name}/deploy"
    arrows += [(create, box.key) for box in machines] + [(box.key, deploy) for box in machines]
    arrows += [(begin, f"{begin.rpartition('/')[0]}/check") for begin in (create, deploy)]
    arrows += others
    keys = {step.key for step in all_of_it} | {box.key for box in machines}
    known = tuple(arrow for arrow in dict.fromkeys(arrows) if keys.issuperset(arrow))
    return Picture(f"environment {environment.name}", tuple(g for g in (*groups, *addons) if g.boxes), known)


def _addons(
    environment: Environment,
    config: Config,
    steps: Sequence[Step],
    up_to_date: Sequence[str],
    history: StepHistory,
) -> tuple[list[Group], list[tuple[str, str]]]:
    """Return a group for each add-on, and what leads to it: from what it requires and connects to, to its apply."""
    known = related(environment, config)
    groups, arrows = [], []
    keys = {config.state_name(m): f"{m.role}/{m.name}/{MAKES[m.role]}" for m in config.modules}
    for module in config.addons:
        own = [step for step in steps if step.module == module]
        boxes = tuple(_box(step, step.key in up_to_date, history) for step in own)
        groups.append(Group(_titled(module, module.version), boxes))
        arrows += [(one.key, other.key) for one, other in zip(own, own[1:], strict=False)]
        selected = module.requires.selected(known.labels, module.name) if known else []
        arrows += [(keys[name], f"addon/{module.name}/apply") for name in selected]
    return groups, arrows


def _place(step: Step) -> int:
    """Return where a step stands in the life of a cluster."""
    order = ("setup-clients", "prepare", "create", "scale", "deploy", "check")
    rank = order.index(step.verb) + 2 if step.verb in order else 0
    if step.verb == "install":
        rank = 0 if step.module.role == "provider" else order.index("create") + 3
    return rank * 2 + (step.module.role == "platform")


def _box(step: Step, up_to_date: bool, history: StepHistory) -> Box:
    done, unfinished = history.last.get(step.key), history.unfinished(step.key)
    if unfinished is not None:
        return Box(step.key, (step.verb, unfinished.outcome()), FAILED)
    if done is not None and done.finished and (up_to_date or step.checks):
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds(done.finished.time)))
        return Box(step.key, (step.verb, f"ran {when}"), RAN)
    return Box(step.key, (step.verb, f"waits: {step.why}"), WAITS)


def _node_boxes(nodes: Sequence[tuple[str, str]]) -> tuple[Box, ...]:
    if len(nodes) > MOST_NODES:
        ends = f"{nodes[0][0]} to {nodes[-1][0]}"
        return (Box(NODES, (f"{len(nodes)} nodes", ends)),)
    return tuple(Box(f"node/{name}", (name, address)) for name, address in nodes)


def _titled(module: Module, version: str) -> str:
    return f"{in_words(module.role)} {module.name} {version}".rstrip()


# A plan


def of_upgrade(environment: Environment, options: UpgradeOptions, consent: Consent) -> Picture:
    """Return the plan of an upgrade; raises what `operations.upgrade` does."""
    environment.call = replace(environment.call, plans=True)
    result = planned(lambda: upgrade.upgrade(environment, options, consent=consent))
    assert isinstance(result, Planned)
    return of_plan(result.plan, f"{environment.name}: upgrade to {options.to}")


def of_plan(plan: Plan, title: str) -> Picture:
    """Return a plan as a row of steps, each with its reason."""
    steps = [*plan.up_to_date, *plan.steps]
    boxes = []
    for number, step in enumerate(steps, 1):
        done = step in plan.up_to_date
        boxes.append(
            Box(f"{number}", (f"{number}. {step.module.name} {step.verb}", step.why), RAN if done else WAITS)
        )
    arrows = [(one.key, other.key) for one, other in zip(boxes, boxes[1:], strict=False)]
    return Picture(title, (Group(plan.command, tuple(boxes)),), tuple(arrows))


# A bundle


def of_bundle(path: str) -> Picture:
    """Return what a bundle says of itself; nothing of it is checked. Raises Refused for what is no bundle."""
    manifest = inspect(path).manifest
    fields = manifest.fields
    name, provider = _said(fields, "name"), _said(fields, "provider")
    platform = f"{_said(fields, 'platform')} {_said(fields, 'version')}".strip()
    secrets = "inside, encrypted" if SECRETS in manifest.files else "left out"
    about = [
        ("created", _said(fields, "created")),
        ("by rigger", _said(fields, "rigger")),
        ("secrets", secrets),
    ]
    about += [("signed", "yes" if manifest.signature else "no"), ("files", str(len(manifest.files)))]
    boxes = (
        Box("bundle", (name, *(f"{what}: {value}" for what, value in about if value))),
        Box("provider", ("provider", provider)),
        Box("platform", ("platform", platform)),
    )
    count: dict[str, int] = {}
    for file in manifest.files:
        top = file.partition("/")[0]
        count[top] = count.get(top, 0) + 1
    files = tuple(
        Box(f"file/{top}", (top, f"{number} file{'s' if number > 1 else ''}"))
        for top, number in sorted(count.items())
    )
    groups = (Group(f"bundle of {name}", boxes), Group("inside", files))
    arrows = (("bundle", "provider"), ("provider", "platform"), *(("bundle", box.key) for box in files))
    return Picture(path, tuple(group for group in groups if group.boxes), arrows)


def _said(fields: Mapping[str, Any], name: str) -> str:
    """Return a field of a manifest, which may hold anything."""
    value = fields.get(name)
    return value if isinstance(value, str) else "" if value is None else str(value)[:80]

"""What Terraform's outputs become: vars, secrets and nodes of a provider, the output of an add-on in the state."""

from __future__ import annotations

import json

from rigger import sdk
from rigger.errors import StepFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from rigger.terraform.workspace import Workspace


def give_back(workspace: Workspace, outputs: Mapping[str, Mapping[str, Any]]) -> None:
    """Give Terraform's outputs to rigger: vars, secrets, and the inventory, as the manifest maps them."""
    settings = workspace.module.terraform
    if workspace.module.role == "addon":
        _give_state(workspace, outputs)
        return
    nodes = settings.inventory or next((name for name in ("nodes", "inventory") if name in outputs), "")
    chosen = {question.name for question in workspace.module.questions if question.type == "checkbox"}
    plain: dict[str, str] = {}
    secret: dict[str, str] = {}
    for output, about in outputs.items():
        name = settings.outputs.get(output, "" if settings.outputs else output.replace("-", "_").upper())
        if output == nodes or not name:
            continue
        value = about.get("value")
        text = ",".join(map(str, value)) if name in chosen and isinstance(value, list) else as_text(value)
        (secret if about.get("sensitive") else plain)[name] = text
    sdk.save_vars(plain, workspace.values)
    sdk.save_secrets(secret, workspace.values)
    if nodes:
        if nodes not in outputs:
            raise StepFailed(f"There is no output {nodes!r}, which the manifest names as the inventory.")
        machines = outputs[nodes].get("value") or []
        sdk.write_nodes(_list(machines), workspace.values)


def _give_state(workspace: Workspace, outputs: Mapping[str, Mapping[str, Any]]) -> None:
    """Give an add-on's outputs to rigger as its part of the state; what Terraform hides becomes a secret."""
    names = workspace.module.terraform.outputs
    hidden = {name: about.get("value") for name, about in outputs.items() if about.get("sensitive")}
    sdk.save_secrets(
        {names.get(name, name.replace("-", "_").upper()): as_text(value) for name, value in hidden.items()},
        workspace.values,
    )
    plain = {name: about.get("value") for name, about in outputs.items() if name not in hidden}
    with open(workspace.values["RIGGER_STATE_OUTPUT"], "w", encoding="utf-8") as file:
        json.dump(plain, file)


def _list(machines: Any) -> list[Any]:
    """Return the nodes of an output that is a list, or a map of name -> node."""
    if isinstance(machines, dict):
        return [{"name": name, **machine} for name, machine in machines.items()]
    return list(machines)


def as_text(value: object) -> str:
    if isinstance(value, bool) or isinstance(value, (dict, list)):
        return json.dumps(value)
    return "" if value is None else str(value)

"""The kinds of modules that need no scripts of their own: rigger's own scripts run what is in their folder instead."""

from __future__ import annotations

import os

from rigger.files import PACKAGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.modules.model import Module

TERRAFORM, CONTAINER, ANSIBLE = "terraform", "container", "ansible"
PLAYBOOK = os.path.join("project", "entrypoint.yml")

_LIBEXEC = os.path.join(PACKAGE, "libexec")
STEPS = {kind: os.path.join(_LIBEXEC, kind) for kind in (TERRAFORM, CONTAINER, ANSIBLE)}

# By kind and role: the verbs that rigger's own scripts do. What an image can do its manifest says.
VERBS = {
    (TERRAFORM, "provider"): frozenset(
        ("preflight", "install", "create", "check", "destroy", "plan", "audit", "leftovers")
    ),
    (TERRAFORM, "addon"): frozenset(("install", "apply", "check", "destroy", "plan", "audit")),
}
# The verbs for which a manifest may name a command of an image.
ABLE = frozenset(
    (
        "init",
        "install",
        "plan",
        "apply",
        "check",
        "audit",
        "backup",
        "restore",
        "upgrade",
        "scale",
        "test",
        "destroy",
    )
)


def kind_of(module: Module) -> str:
    """Return which kind of folder a module is; empty where it is one of scripts alone."""
    if not module.contract.may_use_kinds:
        return ""
    if module.container is not None:
        return CONTAINER
    if module.role == "addon" and os.path.isfile(os.path.join(module.folder, PLAYBOOK)):
        return ANSIBLE
    if module.role in ("provider", "addon") and _has_tf_files(module.folder):
        return TERRAFORM
    return ""


def script(module: Module, verb: str, own: str | None) -> str | None:
    """Return the script for a verb of a module: its `own`, else what rigger has for its kind, else None.

    Terraform's `check` is rigger's, and runs the module's own after it.
    """
    if own and verb != "check":
        return own
    kind = kind_of(module)
    return own if own and kind != TERRAFORM else _of_kind(module, kind, verb)


def _of_kind(module: Module, kind: str, verb: str) -> str | None:
    if kind == CONTAINER:
        able = verb in ABLE and module.container is not None and verb in module.container.commands
        return os.path.join(STEPS[kind], verb) if able else None
    return os.path.join(STEPS[kind], verb) if verb in VERBS.get((kind, module.role), ()) else None


def is_riggers_own(path: str) -> bool:
    """Return whether a step's script comes from rigger, whose code behind it changes with rigger's version."""
    return os.path.dirname(path) in STEPS.values()


def _has_tf_files(folder: str) -> bool:
    try:
        return any(name.endswith((".tf", ".tf.json")) for name in os.listdir(folder))
    except OSError:
        return False

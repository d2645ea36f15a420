"""The kinds of modules that need no scripts of their own: rigger's own scripts run what is in their folder instead."""

from __future__ import annotations

import os

from rigger.files import PACKAGE
from rigger.modules.verbs import OPTIONAL, REQUIRED

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
    (ANSIBLE, "addon"): frozenset(("plan", "apply", "audit", "destroy")),
}
# The verbs for which a manifest may name a command of an image.
ABLE = frozenset((*REQUIRED["addon"], *OPTIONAL["addon"]))


def kind_of(folder: str, role: str) -> str:
    """Return which kind of folder this is; empty where it is one of scripts alone."""
    if role == "addon" and os.path.isfile(os.path.join(folder, PLAYBOOK)):
        return ANSIBLE
    return TERRAFORM if role in ("provider", "addon") and _has_tf_files(folder) else ""


def script(kind: str, role: str, verb: str) -> str | None:
    """Return rigger's own script for a verb of a module of a kind, None where it has none."""
    able = ABLE if kind == CONTAINER else VERBS.get((kind, role), ())
    return os.path.join(STEPS[kind], verb) if verb in able else None


def is_riggers_own(path: str) -> bool:
    """Return whether a step's script comes from rigger, whose code behind it changes with rigger's version."""
    return os.path.dirname(path) in STEPS.values()


def _has_tf_files(folder: str) -> bool:
    try:
        return any(name.endswith((".tf", ".tf.json")) for name in os.listdir(folder))
    except OSError:
        return False

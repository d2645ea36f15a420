"""The verbs of each role: which are required, which are known, and how long each may take."""

from __future__ import annotations

ROLES = ("provider", "platform", "addon")

REQUIRED = {
    "provider": ("install", "create", "check", "destroy"),
    "platform": ("install", "deploy", "check", "undeploy"),
    "addon": ("apply", "destroy"),
}
# Scripts that a module may have besides.
OPTIONAL = {
    "provider": (
        "exec",
        "leaving",
        "existing",
        "claim",
        "leftovers",
        "plan",
        "audit",
        "preflight",
        "suspend",
        "resume",
        "faults",
    ),
    "addon": (
        "init",
        "install",
        "plan",
        "check",
        "audit",
        "backup",
        "restore",
        "upgrade",
        "scale",
        "test",
    ),
    "platform": (
        "prepare",
        "setup-clients",
        "scale",
        "backup",
        "restore",
        "plan",
        "preflight",
        "audit",
        "suspend",
        "resume",
        "faults",
    ),
}


def in_words(role: str) -> str:
    """Return a role as people read it."""
    return "add-on" if role == "addon" else role


def a_role(role: str) -> str:
    """Return a role as people read it: a provider, an add-on."""
    return f"{'an' if role == 'addon' else 'a'} {in_words(role)}"


MAKES = {"provider": "create", "platform": "deploy", "addon": "apply"}  # the verb that does the work

VERBS = (
    *("install", "create", "check", "destroy", "exec", "plan", "audit", "preflight"),
    *("backup", "restore", "scale", "suspend", "resume", "leaving", "existing", "claim", "leftovers"),
    "faults",
)

SUSPENDS = ("ends", "stops")  # the machines with what is on them, or only until they are started again

ROLLBACKS = (
    "script",
    "restore",
    "none",
)  # back by upgrade-STYLE itself, by a restore of the backup, or not at all

ON_FAILURE = ("rollback", "stop", "ask")  # what follows where a stage of an upgrade fails or is judged bad

# Seconds. A cloud may take most of an hour to make machines; a check that takes ten minutes has hung.
DEFAULT_TIMEOUTS = {"check": 600, "plan": 600, "audit": 600, "init": 600, "preflight": 120}
DEFAULT_TIMEOUT = 3600
DEFAULT_TEST_TIMEOUT = 1800
READY = 300.0  # until machines that were made or started answer


PLATFORM_VERBS = ("deploy", "undeploy", "prepare", "setup-clients")
ADDON_VERBS = ("init", "apply", "upgrade", "test")


def is_verb(name: str, role: str) -> bool:
    """Return whether a file of that name, without .sh, is a script that rigger runs of a module of that role."""
    own = ADDON_VERBS if role == "addon" else PLATFORM_VERBS
    return name in VERBS or name in own or name.startswith("upgrade-")

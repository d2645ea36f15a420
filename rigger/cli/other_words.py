"""Words that people know from other tools lead on to rigger's own; a hint never proposes what removes something."""

from __future__ import annotations

from rigger.text import did_you_mean, ways

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DESTRUCTIVE = ("destroy", "forget")
REMOVING = ways(
    ("To remove the cluster with its machines and data", "rigger destroy"),
    ("To remove the record of a destroyed environment", "rigger forget NAME"),
)

# What rigger calls what other tools' commands do: what it is for, and the command.
_COMMANDS = {
    ("up", "apply", "create", "install", "sync", "launch", "reconcile"): (
        ("Create the cluster, or bring it up to date", "rigger provision"),
    ),
    ("plan", "preview", "dry-run"): (("Show what would be done", "rigger provision --plan"),),
    ("init", "new", "setup", "login", "wizard"): (("Describe a cluster", "rigger configure"),),
    ("add",): (
        ("Describe another cluster", "rigger configure --name NAME"),
        ("Change the number of nodes", "rigger config set NODES=5"),
    ),
    ("resize",): (("Change the number of nodes, then provision", "rigger config set NODES=5"),),
    ("version",): (("Show rigger's version", "rigger --version"),),
    ("help", "man", "commands", "usage"): (("Show the commands", "rigger --help"),),
    ("ls", "envs", "environments"): (("List the environments", "rigger list"),),
    ("ps", "info", "show", "describe", "inspect", "state", "nodes"): (("Show what exists", "rigger status"),),
    ("output", "outputs", "get", "env", "vars", "values", "print"): (
        ("Show the values", "rigger config get"),
        ("Give them to a shell", 'eval "$(rigger shellinit)"'),
    ),
    ("set", "unset", "edit"): (("Change a value", "rigger config set NAME=VALUE"),),
    ("stop", "pause", "halt", "sleep"): (("End the machines, keep all else", "rigger suspend"),),
    ("start", "unpause", "wake"): (
        ("Start a suspended cluster", "rigger resume"),
        ("Create one", "rigger provision"),
    ),
    ("exec", "shell", "connect", "attach"): (("Open a shell on a node, or run a command", "rigger ssh"),),
    ("log", "tail"): (("Show what the last run printed", "rigger logs"),),
    ("runs", "events"): (("Show the runs of the past", "rigger history"),),
    ("switch", "select", "workspace", "context", "env-use"): (
        ("Make an environment the current one", "rigger use NAME"),
    ),
    ("validate", "lint"): (
        ("Check this machine", "rigger doctor"),
        ("Check a provider or a platform", "rigger module check PATH"),
    ),
    ("health", "ping"): (("Check the cluster", "rigger check"),),
    ("annotate", "who"): (("Say who set a value", "rigger blame NAME"),),
    ("prove", "sign", "provenance"): (("Write what a run did, and sign it", "rigger attest --sign KEY"),),
    ("refresh", "drift"): (("Say what was changed by hand", "rigger audit"),),
    ("update",): (
        ("Bring the cluster to another version", "rigger upgrade"),
        ("Bring it to changed values", "rigger provision"),
    ),
    ("rollback", "undo", "downgrade"): (
        ("Go back from an upgrade that did not finish", "rigger upgrade --rollback"),
    ),
    ("import", "load"): (("Load a vars file or a bundle", "rigger configure --file FILE"),),
    ("export", "pack", "dump"): (("Pack an environment into a file", "rigger save"),),
    ("providers",): (("List the providers", "rigger provider list"),),
    ("platforms",): (("List the platforms", "rigger platform list"),),
    ("unlock", "force-unlock"): (("Release a lock of Terraform's state", "rigger terraform unlock"),),
}
_REMOVALS = (
    *("down", "rm", "remove", "delete", "del", "teardown", "tear-down", "uninstall", "undeploy", "terminate"),
    *("kill", "purge", "clean", "prune", "unprovision", "deprovision", "erase", "wipe"),
)

# What rigger calls what other tools' options do; the first that a command has is meant.
_OPTIONS = {
    "--json": ("-o",),
    "--format": ("-o",),
    "--force": ("--yes",),
    "--assume-yes": ("--yes",),
    "--auto-approve": ("--yes",),
    "--non-interactive": ("--no-input", "--yes"),
    "--batch": ("--no-input", "--yes"),
    "--dry-run": ("--plan",),
    "--check": ("--plan",),
    "--what-if": ("--plan",),
    "-n": ("--plan", "--name"),
    "-f": ("--file", "--follow"),
    "--values": ("--answers",),
    "--var-file": ("--answers",),
    "--var": ("--set",),
    "--debug": ("--verbose",),
    "--lines": ("--tail",),
    "--env": ("--environment",),
    "--context": ("--environment",),
    "--namespace": ("--environment",),
}
_SPELT = {"-o": "-o json"}
_ELSEWHERE = {
    "-f": ("Load a vars file or a bundle", "rigger configure --file FILE"),
    "--file": ("Load a vars file or a bundle", "rigger configure --file FILE"),
    "--set": ("Change a value", "rigger config set NAME=VALUE"),
    "--var": ("Change a value", "rigger config set NAME=VALUE"),
}


def command_hint(word: str, known: Iterable[str]) -> tuple[str, str]:
    """Return what to say about a command that there is not: the end of its sentence, and the commands that lead on.

    Either may be empty. What is proposed is never a command that removes something, unless the word is nearly its name.
    """
    word, names = word.lower().lstrip("-"), list(known)
    if word in _REMOVALS:
        return "", REMOVING
    for words, meant in _COMMANDS.items():
        if word in words:
            return "", ways(*meant)
    safe = [name for name in names if name not in DESTRUCTIVE]
    return did_you_mean(word, safe, 0.75) or _nearly(word, names) or did_you_mean(word, safe), ""


def _nearly(word: str, names: Sequence[str]) -> str:
    """Return a hint at a command that removes something where the word can hardly be meant for another."""
    return did_you_mean(word, [name for name in names if name in DESTRUCTIVE and name[:3] == word[:3]], 0.8)


def option_hint(option: str, known: Sequence[str]) -> tuple[str, str]:
    """Return what to say about an option that a command does not take, as `command_hint` does."""
    for own in _OPTIONS.get(option, ()):
        if own in known:
            return f"; here it is {_SPELT.get(own, own)}", ""
    if option in _ELSEWHERE:
        return "", ways(_ELSEWHERE[option])
    bare = [name.removeprefix("--") for name in known if name.startswith("--")]  # what all have says nothing
    return did_you_mean(option.lstrip("-"), bare).replace("(did you mean ", "(did you mean --"), ""

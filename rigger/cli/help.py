"""What every verb does, in a line: for `rigger --help`, which must not wait for an import, and for its own --help."""

SUMMARY = "Stand a self-hosted platform up on any provider, and look after it for years."

COMMANDS = {
    "Stand a cluster up": {
        "configure": "Answer a few questions; they become the environment's vars file.",
        "provision": "Create the cluster that the current configuration describes.",
        "test": "Run the platform's tests against the cluster.",
        "destroy": "Remove the cluster: the platform, the machines and their data.",
    },
    "Look at it": {
        "status": "Show what exists, which version, since when, and what the last run did.",
        "check": "Run the check scripts: is everything as it should be?",
        "history": "Show the runs of the past.",
        "logs": "Show what a run's steps printed.",
        "ssh": "Open a shell on a node, or run a command there.",
        "audit": "Verify the audit log; say what was changed by hand.",
        "leftovers": "Name what may be left over; say that it is gone.",
        "doctor": "Check that this machine has what the next provision needs.",
    },
    "Change it": {
        "config": "Get, set, unset, edit and compare single values.",
        "checkout": "Clone, update or leave the repository that the platform comes from.",
        "upgrade": "Bring the cluster to another version of the platform.",
        "backup": "Back the platform's data up to a file.",
        "restore": 'Put the platform\'s data back from FILE, which "rigger backup" wrote.',
        "terraform": "Run Terraform with the environment's values and state.",
        "suspend": "End the machines or turn them off, and keep everything else.",
        "resume": "Start suspended machines again, with the platform and its data.",
        "setup-clients": "Install the platform's clients on this machine.",
    },
    "Take it elsewhere": {
        "save": "Pack everything about an environment into one file, for another machine.",
        "bundle": "Show what is inside a bundle, check it, compare it.",
    },
    "Add to it": {
        "provider": "List the providers, or write one of your own.",
        "platform": "List the platforms, or write one of your own.",
        "module": "Check that a provider or a platform keeps to the contract.",
    },
    "Several environments": {
        "list": "List the environments.",
        "use": "Make an environment the current one.",
        "forget": "Remove a destroyed environment's record.",
        "shellinit": 'Print the vars for a shell: eval "$(rigger shellinit)".',
        "shell-reset": 'Print what unsets them again: eval "$(rigger shell-reset)".',
    },
}

OPTIONS = {
    "-e, --environment NAME": "Work with this environment, not the current one.",
    "--version": "Show rigger's version.",
    "-h, --help": "Show this; every command has a --help of its own.",
}


def summaries() -> dict[str, str]:
    """Return what every verb does, in a line each; its own --help begins with the same."""
    return {name: summary for section in COMMANDS.values() for name, summary in section.items()}


def text() -> str:
    """Return the text of `rigger --help`."""
    lines = ["Usage: rigger [-e NAME] COMMAND [OPTIONS]", "", f"  {SUMMARY}", ""]
    for section, commands in COMMANDS.items():
        lines += [f"{section}:", *(f"  {name:<14} {summary}" for name, summary in commands.items()), ""]
    lines += ["Options:", *(f"  {name:<24} {summary}" for name, summary in OPTIONS.items()), ""]
    lines += ["Start with: rigger configure && rigger provision"]
    return "\n".join(lines) + "\n"

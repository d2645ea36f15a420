"""What every verb does, in a line: for `rigger --help`, which must not wait for an import, and for its own --help."""

SUMMARY = "Set a self-hosted platform up on any provider, and look after it for years."

COMMANDS = {
    "Stand a cluster up": {
        "configure": "Answer a few questions, which describe a cluster.",
        "provision": "Create the cluster, or bring it up to date.",
        "test": "Run the platform's tests against the cluster.",
        "destroy": "Remove the cluster: platform, machines and their data.",
    },
    "Look at it": {
        "status": "Show what exists, which version, and what was done last.",
        "check": "Run the check scripts: is everything as it should be?",
        "history": "Show the runs of the past, or what a value was.",
        "blame": "Say which run gave a value, when, who and why.",
        "diff": "Compare two runs.",
        "logs": "Show what a run's steps printed.",
        "graph": "Draw the environment, a bundle or an upgrade.",
        "ssh": "Open a shell on a node, or run a command there.",
        "audit": "Verify the audit log; say what was changed by hand.",
        "attest": "Write what a run did as a statement that can be proved.",
        "verify": "Check such a statement, and who signed it.",
        "approve": "Sign what was done, as a second person.",
        "leftovers": "Name what may be left over; say that it is gone.",
        "doctor": "Check that this machine has what the next provision needs.",
    },
    "Change it": {
        "run": "Run one step alone, to find out what it does.",
        "config": "Get, set, unset, edit and compare single values.",
        "checkout": "Clone, update or leave the platform's repository.",
        "upgrade": "Bring the cluster to another version of the platform.",
        "backup": "Back the platform's data up to a file.",
        "restore": 'Put back the data that "rigger backup" wrote to FILE.',
        "scale": "Run the script scale of an add-on.",
        "terraform": "Run Terraform with the environment's values and state.",
        "suspend": "End the machines or turn them off, and keep everything else.",
        "resume": "Start suspended machines again, with platform and data.",
        "setup-clients": "Install the platform's clients on this machine.",
    },
    "Deploy to it": {
        "deploy": "Bring a release of a project to an environment of it.",
        "release": "Make releases; show what runs where, and who asked.",
        "image": "Say which images a label means, as CI does.",
    },
    "Take it elsewhere": {
        "save": "Pack all about an environment into a file, to move it.",
        "offline": "Take all that it needs to a machine without a network.",
        "bundle": "Show what is inside a bundle, check it, compare it.",
    },
    "Add to it": {
        "provider": "List the providers, or write one of your own.",
        "platform": "List the platforms, or write one of your own.",
        "module": "Add and remove add-ons; check and write modules.",
        "repository": "Name where modules come from.",
    },
    "Learn it": {
        "docs": "Read the manual here or in the browser.",
    },
    "Several environments": {
        "list": "List the environments.",
        "use": "Make an environment the current one.",
        "forget": "Remove a destroyed environment's record.",
        "completion": "Print what completes words in bash, zsh or fish.",
        "shellinit": 'Print the vars for a shell: eval "$(rigger shellinit)".',
        "shell-reset": 'Print what unsets them: eval "$(rigger shell-reset)".',
    },
}

# What most people type on most days, in the order of a cluster's life; it fits one screen of 24 lines.
EVERYDAY = (
    *("configure", "provision", "status", "check", "test", "logs", "history", "ssh", "config", "upgrade"),
    *("backup", "destroy", "list"),
)

OPTIONS = {
    "-e, --environment NAME": "Work with this environment, not the current one.",
    "-h, --help [--all]": "Show this, or all commands; each has --help too.",
    "--version": "Show rigger's version.",
}


def summaries() -> dict[str, str]:
    """Return what every verb does, in a line each; its own --help begins with the same."""
    return {name: summary for section in COMMANDS.values() for name, summary in section.items()}


def text(everything: bool = False) -> str:
    """Return the text of `rigger --help`: the everyday commands, or all of them under their headings."""
    known = summaries()
    sections = COMMANDS if everything else {"Everyday commands": {name: known[name] for name in EVERYDAY}}
    lines = ["Usage: rigger [-e NAME] COMMAND [OPTIONS]", "", f"  {SUMMARY}", ""]
    for section, commands in sections.items():
        lines += [f"{section}:", *(f"  {name:<14} {summary}" for name, summary in commands.items()), ""]
    lines += ["Options:", *(f"  {name:<23} {summary}" for name, summary in OPTIONS.items())]
    return "\n".join(lines) + "\n"

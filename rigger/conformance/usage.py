"""What a module speaks of and what it uses: questions, tools, variables, and scripts that need each other."""

from __future__ import annotations

import difflib
import os
import re

from rigger.conformance.finding import ADVICE, FAIL, Finding
from rigger.conformance.subject import Subject
from rigger.modules.contract import CONTRACT_VARIABLES, CORE, MANIFEST
from rigger.modules.kinds import ANSIBLE, TERRAFORM
from rigger.modules.scripts import interpreter_name
from rigger.plans.upgrade import DEPLOY_APPS, DESTROY_APPS, WATCH
from rigger.runs.environment import LIBEXEC

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rigger.modules.model import Module
    from rigger.questions.model import Question

NEAR = 0.8  # how like a variable another name must be to be taken for a slip of the finger
NAME = r"[A-Za-z_][A-Za-z0-9_]*"
# Set by the shell, the system, or rigger beside the contract.
USUAL = frozenset(
    "HOME PATH USER LOGNAME SHELL LANG TERM TMPDIR PWD OLDPWD IFS RANDOM SECONDS LINENO HOSTNAME HOSTTYPE OSTYPE MACHTYPE "
    "EUID UID PPID BASH BASHPID BASH_SOURCE BASH_VERSION BASH_VERSINFO BASH_REMATCH FUNCNAME PIPESTATUS REPLY OPTARG "
    "OPTIND OPTERR COLUMNS LINES EDITOR PAGER DISPLAY SSH_AUTH_SOCK SSH_CONNECTION NO_PROXY HTTP_PROXY HTTPS_PROXY "
    "ALL_PROXY LC_ALL LC_CTYPE TZ PS1 PS4 CDPATH EPOCHSECONDS EPOCHREALTIME XDG_CONFIG_HOME XDG_DATA_HOME XDG_CACHE_HOME "
    "XDG_RUNTIME_DIR XDG_STATE_HOME ORIGINAL_PATH NAME RIGGER_GONE RIGGER_LEFT_OUT RIGGER_ENVIRONMENT_ID DIRSTACK "
    "SHLVL SUDO_USER MAIL COPROC MAPFILE POSIXLY_CORRECT".split()
)
READS = re.compile(rf"\$(?:(?P<plain>{NAME})|\{{[!#]?(?P<braced>{NAME}))")
SETS = re.compile(
    rf"(?:(?<![\w$\{{])({NAME})(?:\[[^\]]*\])?\+?=)|\b(?:for|select|printf\s+-v|getopts\s+\S+)\s+({NAME})\b"
    rf"|\$\{{({NAME}):?="
)
LISTS = re.compile(r"\b(?:read|mapfile|readarray|local|declare|typeset|export|readonly|unset)\b([^;|&\n<>]*)")
CALLED = re.compile(
    r"(?:^|[;&|({]|\$\(|\b(?:then|else|do|if|while|until|exec|!)\s)\s*(rigger-[a-z-]+)(?=\s|$|\))"
)
PROSE = (".md", ".rst", ".adoc")  # what a module says to people, who are no program that reads an answer
TEMPLATES = (".j2", ".jinja", ".jinja2", ".tmpl", ".tpl", ".yml", ".yaml")
HERE = re.compile(r"<<-?\s*(['\"\\])(\w+)['\"]?")
NEEDS = re.compile(r"^#\s*Needs:.*\n(?:#\s{3,}.*\n)*", re.M)


# Scripts that need each other


def pairs(subject: Subject) -> Iterator[Finding]:
    """Name what is there alone although it is of use only with another script."""
    for one, other, why in (
        ("backup", "restore", "nobody could put the data back"),
        ("restore", "backup", "there is nothing that it could put back"),
        ("suspend", "resume", "nobody could start the machines again"),
        ("resume", "suspend", "it would never run"),
    ):
        if one in subject.verbs and subject.own_script(one) and not subject.own_script(other):
            yield Finding(ADVICE, f"there is no {other}: {why}", one)
    for style in subject.module.upgrades.values():
        for needed in ("backup", "restore"):
            if style.rollback == "restore" and not subject.own_script(needed):
                line = subject.line_of(rf"^\s+{re.escape(style.style)}:")
                text = f"upgrades: {style.style} goes back by a restore, but there is no script {needed}"
                yield Finding(FAIL, text, MANIFEST, line)


def applications(subject: Subject) -> Iterator[Finding]:
    """Name the suites that are missing beside others that watch applications: rigger runs them by these names."""
    suites = subject.module.suites
    together = (DEPLOY_APPS, WATCH, DESTROY_APPS)
    there = [name for name in together if name in suites]
    for name in together:
        if there and name not in suites:
            line = subject.line_of(rf"\b{there[0]}\b")
            text = f"suites: there is {there[0]}, but no {name}: applications are watched by all of {', '.join(together)}"
            yield Finding(FAIL, text, MANIFEST, line)
        elif name in suites and name not in suites[name].tests:
            text = f"suites: {name} needs a test of that name: tests: [{name}]"
            yield Finding(FAIL, text, MANIFEST, subject.line_of(rf"^\s+{name}:"))


# What nobody uses


def unused(subject: Subject) -> Iterator[Finding]:
    """Name questions whose answers nothing reads, and tools that nothing runs."""
    if subject.old:
        return
    code = [name for name in subject.everything if name != MANIFEST and not name.endswith(PROSE)]
    texts = {name: subject.text(name) for name in code}
    spoken = [_uncommented(text) for text in texts.values()]
    run = [text if name.endswith(".py") else _but_comments(text) for name, text in texts.items()]
    rows = subject.text(MANIFEST).splitlines()
    for question in subject.module.questions:
        name = question.name
        if _is_used_by_rigger(subject.module, question) or _speaks(
            spoken, name, subject.module.kind in (TERRAFORM, ANSIBLE)
        ):
            continue
        elsewhere = [row for row in rows if re.search(rf"\b{name}\b", row.partition("#")[0])]
        if not any(
            re.search(rf"\{{[\{{%].*\b{name}\b|:\s*{name}\b", row) and "name:" not in row for row in elsewhere
        ):
            text = f"nothing here reads ${name}, which is asked for: use it, or leave the question out"
            yield Finding(ADVICE, text, MANIFEST, subject.asked_at(question))
    for tool in subject.module.tools:
        if tool.name in _run_by_rigger(subject.module) or _runs(run, tool.name):
            continue
        line = subject.line_of(rf"\b{re.escape(tool.name)}\b")
        text = f"tools: nothing here runs {tool.name}, which everybody would have to install"
        yield Finding(ADVICE, text, MANIFEST, line)


def _is_used_by_rigger(module: Module, question: Question) -> bool:
    """Return whether an answer counts although nothing speaks of it: for rigger, or for what Terraform fetches."""
    for_terraform = module.has_terraform and bool(question.env)
    return question.name == "NODES" or question.name in module.ssh_agent or for_terraform


def _run_by_rigger(module: Module) -> set[str]:
    """Return the tools that rigger itself runs for such a module."""
    keys = any(question.type == "ssh-key" for question in module.questions)
    tools = {"ssh"} if module.role == "provider" and not module.script("exec") else set()
    tools |= {"terraform"} if module.has_terraform else set()
    return tools | ({"ssh-keygen", "ssh-add", "ssh-agent", "ssh"} if keys or module.ssh_agent else set())


def _speaks(texts: list[str], name: str, terraform: bool) -> bool:
    word = re.compile(rf"\b{name}\b", re.IGNORECASE if terraform else 0)
    return any(word.search(text) for text in texts)


def _runs(texts: list[str], tool: str) -> bool:
    word = re.compile(rf"(?<![\w.-]){re.escape(tool)}(?![\w-])")
    return any(word.search(text) for text in texts)


def _uncommented(text: str) -> str:
    """Return a text without its comments; what a header says that a script needs may be for a program that it runs."""
    needs = "".join(match[0] for match in NEEDS.finditer(text))
    return re.sub(r"(?m)(?:^|\s)#(?!!).*$", "", text) + needs


def _but_comments(text: str) -> str:
    return re.sub(r"(?m)^\s*#(?!!).*$", "", text)


# What nobody sets


def unset(subject: Subject) -> Iterator[Finding]:
    """Name variables that scripts read and nobody sets, where another is called nearly so or rigger has none such."""
    if subject.old:
        return
    known = _known(subject)
    scripts = {name: _code(subject.text(name)) for name, _ in subject.shell_scripts}
    own = {name for code in scripts.values() for name in _set_in(code)} | _set_by_playbooks(subject)
    for file, code in scripts.items():
        yield from _unset_in(file, _read_in(code), known, own)
    for file in subject.files:
        if interpreter_name(subject.text(file)).startswith("python") or file.endswith(".py"):
            yield from _unset_in(file, _read_in_python(subject.text(file)), known, own)
        elif file.endswith(TEMPLATES) and file != MANIFEST:
            yield from _unset_in(file, _read_in_template(subject.text(file)), known, own)
    for line, text in enumerate(subject.text(MANIFEST).splitlines(), 1):
        words = re.findall(rf"\{{[\{{%][^}}]*?\b({NAME})\b(?!\s*\()", text)
        yield from _unset_in(MANIFEST, ((name, line) for name in words if name.isupper()), known, own)


def _known(subject: Subject) -> set[str]:
    module, prefix = subject.module, subject.module.prefix
    asked = {question.name for question in module.questions}
    native = {name for question in module.questions for name in question.env}
    own = {f"{prefix}_{word}" for word in ("ID", "VERSION", "ROOT")} if prefix else set()
    tested = {
        name
        for text in map(subject.text, subject.everything)
        for name in re.findall(r"rigger-save-\w+\s+(\w+)", text)
    }
    return {
        *asked,
        *native,
        *own,
        *module.outputs,
        *module.vars,
        *CORE,
        *CONTRACT_VARIABLES,
        *USUAL,
        *tested,
        "NODES",
    }


def _unset_in(
    file: str, read: Iterator[tuple[str, int]], known: set[str], own: set[str]
) -> Iterator[Finding]:
    told: set[str] = set()
    for name, line in read:
        if name in known or name in own or name in told or name.upper() != name or len(name) < 3:
            continue
        told.add(name)
        near = difflib.get_close_matches(name, sorted(known - USUAL | own), n=1, cutoff=NEAR)
        if near or name.startswith("RIGGER_") and not file.endswith(".py"):
            hint = f" (did you mean ${near[0]}?)" if near else ""
            yield Finding(FAIL, f"reads ${name}, which nobody sets{hint}", file, line)


def _code(text: str) -> str:
    """Return a shell script without its comments, and without what is quoted for another shell; lines stay in place."""
    end, lines = "", []
    for line in text.split("\n"):
        if end:
            lines.append("")
            if line.strip() == end:
                end = ""
            continue
        if match := HERE.search(line):
            end = match[2]
        lines.append(line)
    return re.sub(QUOTED, lambda match: match[1] or "\n" * match[0].count("\n"), "\n".join(lines))


# A word in double quotes stays; one in single quotes, a comment and an escaped sign go.
QUOTED = re.compile(r'("(?:[^"\\]|\\.)*")|\'[^\']*\'|(?:(?<=\s)|^)#[^\n]*|\\.', re.M | re.S)


def _set_in(code: str) -> Iterator[str]:
    for match in SETS.finditer(code):
        yield next(name for name in match.groups() if name)
    for match in LISTS.finditer(code):
        yield from re.findall(rf"(?<![\w$-])({NAME})", match[1])


def _set_by_playbooks(subject: Subject) -> set[str]:
    """Return what playbooks and the like set for the programs that they put on nodes."""
    texts = [
        subject.text(name) for name in subject.files if name != MANIFEST and name.endswith((".yml", ".yaml"))
    ]
    return {name for text in texts for name in re.findall(rf"(?<![\w$])({NAME})(?:=|:\s)", text)}


def _read_in(code: str) -> Iterator[tuple[str, int]]:
    for match in READS.finditer(code):
        yield match["plain"] or match["braced"], code.count("\n", 0, match.start()) + 1


def _read_in_python(text: str) -> Iterator[tuple[str, int]]:
    for match in re.finditer(rf"""(?:\[|\.get\(|\bgetenv\()\s*["']({NAME})["']""", text):
        yield match[1], text.count("\n", 0, match.start()) + 1


def _read_in_template(text: str) -> Iterator[tuple[str, int]]:
    """Return what a template of Jinja2, or a playbook, reads: {{ NAME }}, or lookup('env', 'NAME')."""
    for match in re.finditer(
        rf"""lookup\(\s*["']env["']\s*,\s*["']({NAME})|\{{\{{-?\s*({NAME})\b(?!\()""", text
    ):
        yield match[1] or match[2], text.count("\n", 0, match.start()) + 1


# What rigger does not have


def unknown_programs(subject: Subject) -> Iterator[Finding]:
    """Name programs that scripts take for rigger's own, where another is called nearly so."""
    known = {name for name in os.listdir(LIBEXEC) if name.startswith("rigger-")}
    there = {*known, *map(os.path.basename, subject.files)}
    for file, _ in [] if subject.old else subject.shell_scripts:
        for number, line in enumerate(_code(subject.text(file)).split("\n"), 1):
            for name in sorted(set(CALLED.findall(line)) - there):
                if near := difflib.get_close_matches(name, sorted(known), n=1, cutoff=NEAR):
                    text = f"runs {name}, which rigger does not have (did you mean {near[0]}?)"
                    yield Finding(FAIL, text, file, number)

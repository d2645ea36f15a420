"""The command line: help, version, wrong words, and that asking for help waits for no library."""

import functools
import json
import os
import signal
import subprocess
import sys

import pytest
from conftest import ROOT

from rigger import __version__
from rigger.cli import help

COMMANDS = {name: summary for section in help.COMMANDS.values() for name, summary in section.items()}
HEAVY = {
    "boto3",
    "botocore",
    "click",
    "dotenv",
    "jinja2",
    "prompt_toolkit",
    "python_terraform",
    "questionary",
    "rich",
    "yaml",
}


def imported(*arguments):
    """Return the names of the top-level packages that rigger imported for a command line."""
    code = "import sys, rigger.__main__ as m; code = m.main(sys.argv[1:]); print(*sys.modules, file=sys.stderr); sys.exit(code)"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[0] for name in done.stderr.split()}, done.stdout


def test_help_and_version_import_nothing_heavy():
    for arguments in (["--help"], ["-h"], ["--version"], []):
        packages, said = imported(*arguments)
        assert "rigger" in packages
        assert not packages & HEAVY
        assert said


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_of_a_command_asks_no_library_that_it_does_not_need(name):
    packages, said = imported(name, "--help")
    assert not packages & (HEAVY - {"click"})
    assert said.startswith(f"Usage: rigger {name} ")
    assert "-h, --help" in said


def test_every_command_has_a_file_and_every_file_a_command():
    files = {
        name[:-3]
        for name in os.listdir(os.path.join(ROOT, "rigger", "commands"))
        if name.endswith(".py") and not name.startswith("_")
    }
    assert files == {name.replace("-", "_") for name in COMMANDS}


STOPPED_WHERE_IT_IMPORTS = """
import os, sys
stop, where, *sys.argv[1:] = sys.argv[1:]
class Finder:
    def find_spec(self, name, *_):
        if name == where:
            os.kill(os.getpid(), int(stop))
sys.meta_path.insert(0, Finder())
from rigger.__main__ import start
start()
"""


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
@pytest.mark.parametrize(
    "where", ["rigger.cli.main", "click", "rigger.environments.home", "rigger.commands.list"]
)
def test_a_stop_before_a_command_has_begun_is_a_word_and_no_traceback(rigger, where, stop):
    command = [sys.executable, "-c", STOPPED_WHERE_IT_IMPORTS, str(int(stop)), where, "list"]
    command += ["--help"] if where == "click" else []  # which is imported for help and for mistakes
    heard = functools.partial(signal.signal, stop, signal.SIG_DFL)  # whoever runs the tests may ignore some
    done = subprocess.run(command, env=rigger.env, cwd=ROOT, capture_output=True, text=True, preexec_fn=heard)
    assert (done.returncode, done.stderr, done.stdout) == (130, "rigger: Interrupted.\n", "")


def test_a_stop_that_was_ignored_from_the_start_has_no_effect(rigger):
    command = [
        sys.executable,
        "-c",
        STOPPED_WHERE_IT_IMPORTS,
        str(int(signal.SIGHUP)),
        "rigger.commands.list",
        "list",
    ]
    done = subprocess.run(["nohup", *command], env=rigger.env, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_version(rigger):
    assert rigger("--version").out == f"rigger {__version__}\n"
    assert rigger("-e", "x", "--version").out == f"rigger {__version__}\n"


def test_help_is_the_same_by_every_way(rigger):
    assert rigger("--help").out == rigger("-h").out == rigger().out == help.text()
    assert rigger("-e", "x", "--help").out.rstrip("\n") == help.text().rstrip("\n")
    assert not [line for line in help.text().splitlines() if len(line) > 90]


def test_unknown_command_suggests_one(rigger):
    said = rigger("provisoin", code=2)
    assert "There is no command 'provisoin'" in said.err
    assert "provision" in said.err.split("provisoin", 1)[1]
    assert said.out == ""


@pytest.mark.parametrize("arguments", [["provision", "--nope"], ["use"], ["-e"], ["status", "-o", "xml"]])
def test_wrong_usage_is_one_sentence_and_a_next_step(rigger, arguments):
    said = rigger(*arguments, code=2)
    assert said.err.startswith("rigger: ")
    assert "--help" in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    "arguments, code",
    [
        (["status"], 3),
        (["status", "--nope"], 2),
        (["statsu"], 2),
        (["-e", "nowhere", "status"], 3),
        (["check", "--count", "2"], 3),
        (["logs", "--follow"], 3),
        (["provision", "--request", "two words"], 2),
    ],
)
def test_an_error_is_a_report_too_where_one_was_asked_for(rigger, arguments, code):
    for form in (["-o", "json"], ["-ojson"], ["--output", "json"], ["--output=json"]):
        said = rigger(*arguments, *form, code=code)
        [line] = said.out.splitlines()
        report = json.loads(line)
        assert (report["version"], report["outcome"], report["exit_code"]) == (1, "failed", code)
        assert said.err.startswith(f"rigger: {report['error']['message']}") and report["error"]["next"]
    said = rigger(*arguments, code=code)
    assert said.out == ""


def test_a_crash_is_a_report_too(rigger):
    fails = "import sys; from rigger.cli import main; main.run = lambda words: 1 / 0; sys.exit(main.main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", fails, "status", "-o", "json"], env=rigger.env, capture_output=True, text=True
    )
    report = json.loads(done.stdout)
    assert (done.returncode, report["exit_code"]) == (1, 1) and "bug in rigger" in report["error"]["message"]


def test_words_of_other_programs_ask_for_no_report(rigger):
    assert rigger("ssh", "node-1", "--", "get", "-o", "json", code=3).out == ""
    assert rigger("terraform", "output", "-o", "json", code=3).out == ""


def test_an_environment_may_be_named_before_or_after_the_verb_or_by_a_variable(rigger):
    for name in ("one", "two"):
        rigger("configure", "--defaults", "--name", name, "--platform", "noop", "--provider", "noop")
    for said in (
        rigger("-e", "one", "status", "-o", "json"),
        rigger("status", "-e", "one", "-o", "json"),
        rigger("status", "-o", "json", env={"RIGGER_ENVIRONMENT": "one"}),
    ):
        assert (
            json.loads(said.out)["environment" if "environment" in json.loads(said.out) else "name"] == "one"
        )


def test_help_to_a_closed_pipe_says_nothing(rigger):
    command = f"{sys.executable} -m rigger --help | true; {sys.executable} -m rigger configure --help | true"
    done = subprocess.run(
        ["bash", "-c", command], env=rigger.env, cwd=rigger.folder, capture_output=True, text=True
    )
    assert done.stderr == ""


def test_commands_to_type_are_about_the_environment_that_was_named(rigger):
    for name in ("one", "two"):
        rigger("configure", "--defaults", "--name", name, "--platform", "noop", "--provider", "noop")
    assert "  rigger -e one provision\n" in rigger("-e", "one", "status").out
    assert "  rigger provision\n" in rigger("-e", "two", "status").out  # the current one
    assert "  rigger provision\n" in rigger("status", env={"RIGGER_ENVIRONMENT": "one"}).out
    assert "rigger -e one provision" in rigger("-e", "one", "check", code=3).err

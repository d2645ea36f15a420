"""The small programs that a script finds on its PATH."""

import os
import shutil
import stat
import subprocess
import sys

import pytest
from helpers.steps import LIBEXEC
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rigger import text
from rigger.envfile import output as step_output

SHELLS = [shell for shell in ("dash", "bash", "busybox") if shutil.which(shell)]
OTHERS = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)


@pytest.fixture
def step(tmp_path):
    """Return the environment of a step, with `file` for the paths in it."""
    nodes = tmp_path / "inventory.tsv"
    nodes.write_text("node-1\t127.0.9.1\t127.0.8.1\t0\nnode-2\t127.0.9.2\t-\t100\tcore\t2222\n")
    (tmp_path / "provider").mkdir()
    return {
        "PATH": LIBEXEC + os.pathsep + os.environ["PATH"],
        "HOME": os.environ["HOME"],
        "RIGGER_OUTPUT": str(tmp_path / "output"),
        "RIGGER_SECRETS_OUTPUT": str(tmp_path / "secrets"),
        "RIGGER_NODES_FILE": str(nodes),
        "RIGGER_PYTHON": sys.executable,
        "RIGGER_PROVIDER_DIR": str(tmp_path / "provider"),
        "RIGGER_PROVIDER_STATE_DIR": str(tmp_path / "state"),
        "RIGGER_MODULE_DIR": "/somebody/else",
    }


def run(step, *argv, code=0, **options):
    done = subprocess.run(argv, env=step, capture_output=True, **options)
    assert done.returncode == code, done.stderr.decode(errors="replace")
    return done


def saved(step, name="RIGGER_OUTPUT"):
    with open(step[name], "rb") as file:
        values, problems = step_output.parse_output(file.read(), "output")
    assert problems == []
    return values


# rigger-log


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["info", "all", "is well"], "all is well\n"),
        (["all is well"], "all is well\n"),
        (["warning", "nearly full"], "warning: nearly full\n"),
        (["error", "full: %s \\n"], "error: full: %s \\n\n"),
        (["debug", "x=1"], "debug: x=1\n"),
    ],
)
def test_a_message_goes_to_standard_error_with_its_level(step, words, said):
    done = run(step, "rigger-log", *words)
    assert (done.stdout, done.stderr.decode()) == (b"", said)


# rigger-save-vars, rigger-save-secrets


@pytest.mark.parametrize("shell", SHELLS)
@OTHERS
@given(
    values=st.lists(
        st.binary(max_size=300).map(lambda data: data.replace(b"\0", b"")), min_size=1, max_size=8
    )
)
def test_values_come_back_byte_for_byte(step, shell, values):
    if os.path.exists(step["RIGGER_OUTPUT"]):
        os.unlink(step["RIGGER_OUTPUT"])
    variables = {f"V{number}".encode(): value for number, value in enumerate(values)}
    interpreter = ["busybox", "sh"] if shell == "busybox" else [shell]
    subprocess.run(
        [*interpreter, os.path.join(LIBEXEC, "rigger-save-vars"), *variables],
        env={**{os.fsencode(k): os.fsencode(v) for k, v in step.items()}, **variables},
        check=True,
    )
    assert saved(step) == {name.decode(): text.decode(value) for name, value in variables.items()}


@pytest.mark.parametrize("shell", SHELLS)
def test_every_byte_and_every_awkward_value_comes_back(step, shell):
    delimiter = b"END_AWKWARD"
    awkward = [
        bytes(range(1, 256)),
        b"",
        b"\n",
        b"\n\n",
        b"a\n",
        b"\nEND_AWKWARD\n",
        b"END_AWKWARD_END_AWKWARD",
    ]
    awkward += [
        delimiter,
        b"AWKWARD<<END_AWKWARD\nx",
        b"$(touch canary) `touch canary`",
        b"\\",
        b"-n",
        b"%s%n",
        b"x" * 100_000,
    ]
    awkward += [b"\n".join([delimiter + b"_" * n for n in range(300)]), b"\r\n", b"tail \t "]
    interpreter = ["busybox", "sh"] if shell == "busybox" else [shell]
    for value in awkward:
        subprocess.run(
            [*interpreter, os.path.join(LIBEXEC, "rigger-save-vars"), b"AWKWARD"],
            env={**{os.fsencode(k): os.fsencode(v) for k, v in step.items()}, b"AWKWARD": value},
            check=True,
        )
        assert saved(step)["AWKWARD"] == text.decode(value)


def test_a_value_can_stand_in_the_argument(step):
    run(step, "rigger-save-vars", "ONE=1", "EMPTY=", "EQUAL=a=b")
    run(step, "rigger-save-vars", "ONE=2")
    assert saved(step) == {"ONE": "2", "EMPTY": "", "EQUAL": "a=b"}


@pytest.mark.parametrize("name", ["NOT_SET", "1ST", "a-b", "a b", "", "x;touch canary", "É", "_rigger_value"])
def test_a_bad_name_is_refused_and_nothing_is_saved(step, tmp_path, name):
    done = run(step, "rigger-save-vars", "GOOD=1", name, code=2, cwd=tmp_path)
    assert name in done.stderr.decode()
    assert not os.path.exists(step["RIGGER_OUTPUT"])
    assert not (tmp_path / "canary").exists()


def test_short_names_are_not_mixed_up_with_the_programs_own(step):
    names = {
        name: f"value of {name}" for name in ("name", "value", "text", "newline", "set", "argument", "i", "x")
    }
    run({**step, **names}, "rigger-save-vars", *names)
    assert saved(step) == names


def test_saving_outside_a_step_is_refused(step):
    del step["RIGGER_OUTPUT"]
    assert "only in a script that rigger runs" in run(step, "rigger-save-vars", "A=1", code=2).stderr.decode()


def test_a_full_disk_is_an_error(step):
    step["RIGGER_OUTPUT"] = "/dev/full"
    assert "cannot be written" in run(step, "rigger-save-vars", "A=1", code=1).stderr.decode()


def test_secrets_go_to_their_own_file(step):
    run({**step, "TOKEN": "hush\nhush"}, "rigger-save-secrets", "TOKEN")
    assert saved(step, "RIGGER_SECRETS_OUTPUT") == {"TOKEN": "hush\nhush"}
    assert not os.path.exists(step["RIGGER_OUTPUT"])


# rigger-nodes, rigger-node


def test_the_inventory_is_printed_for_scripts(step):
    assert run(step, "rigger-nodes").stdout == b"node-1\nnode-2\n"
    assert run(step, "rigger-nodes", "addresses").stdout == b"127.0.9.1\n127.0.9.2\n"
    table = b"node-1\t127.0.9.1\t127.0.8.1\t0\nnode-2\t127.0.9.2\t-\t100\n"
    assert run(step, "rigger-nodes", "table").stdout == table
    assert b"none of names" in run(step, "rigger-nodes", "colours", code=2).stderr


def test_no_inventory_is_an_empty_one(step):
    os.unlink(step["RIGGER_NODES_FILE"])
    assert run(step, "rigger-nodes").stdout == b""


def provider_exec(step, body, name="exec"):
    path = os.path.join(step["RIGGER_PROVIDER_DIR"], name)
    with open(path, "w") as file:
        file.write("#!/bin/sh\n" + body)
    os.chmod(path, 0o755)


@pytest.mark.parametrize("name", ["exec", "exec.sh"])
def test_a_command_reaches_the_node_untouched(step, name):
    provider_exec(
        step, 'printf "[%s]" "$@"; cat; echo "$RIGGER_MODULE_DIR $RIGGER_STATE_DIR" >&2; exit 42', name
    )
    done = run(step, "rigger-node", "node-2", "echo", "two words", "", "$HOME", code=42, input=b"in\xff\n")
    assert done.stdout == b"[node-2][echo][two words][][$HOME]in\xff\n"
    assert done.stderr.decode() == f"{step['RIGGER_PROVIDER_DIR']} {step['RIGGER_PROVIDER_STATE_DIR']}\n"


def test_an_unknown_node_is_named_with_the_known_ones(step):
    provider_exec(step, "exit 0")
    said = run(step, "rigger-node", "node-9", "true", code=255).stderr.decode()
    assert "'node-9'" in said and "node-1 node-2" in said


def test_an_exec_that_cannot_run_is_named(step, tmp_path):
    (tmp_path / "provider" / "exec").write_text("#!/bin/sh\n")
    said = run(step, "rigger-node", "node-1", "true", code=255).stderr.decode()
    assert f"{step['RIGGER_PROVIDER_DIR']}/exec" in said and "not executable" in said


# rigger-leftover


def test_leftovers_add_up(step):
    run(step, "rigger-save-vars", "TEXT=LEFTOVERS<<LEFTOVERS_END_of_somebody_else")
    run(step, "rigger-leftover", "the volume", "vol-1")
    run(step, "rigger-save-vars", "OTHER=1")
    run(step, "rigger-leftover", "a name\nof two lines")
    assert saved(step)["LEFTOVERS"] == "the volume vol-1\na name of two lines"
    assert saved(step)["OTHER"] == "1"


# rigger-render


def render(step, tmp_path, template, *out, code=0, **values):
    path = tmp_path / "template.j2"
    path.write_bytes(template if isinstance(template, bytes) else template.encode())
    return run({**step, **values}, "rigger-render", str(path), *map(str, out), code=code)


def test_a_template_is_filled_in_with_the_vars(step, tmp_path):
    done = render(
        step, tmp_path, "{% if REGION is defined %}region: {{ REGION | upper }}\n{% endif %}", REGION="fra"
    )
    assert done.stdout == b"region: FRA\n"


def test_bytes_that_are_no_text_pass_through(step, tmp_path):
    done = run({**step, "RAW": b"\xff\xfe"}, "rigger-render", _file(tmp_path / "t", b"\xf0{{ RAW }}\n"))
    assert done.stdout == b"\xf0\xff\xfe\n"


def _file(path, data):
    path.write_bytes(data)
    return str(path)


@pytest.mark.parametrize(
    ("template", "complaint"),
    [
        ("one\n{{ NOT_SET }}\n", "line 2: 'NOT_SET' is undefined"),
        ("one\ntwo\n{% if %}", "line 3"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ('{% include "../secret" %}', "outside the template's folder"),
        ("{{ 1 / 0 }}", "line 1: division by zero"),
    ],
)
def test_a_wrong_template_is_explained_and_writes_nothing(step, tmp_path, template, complaint):
    out = tmp_path / "out"
    out.write_text("before")
    done = render(step, tmp_path, template, out, code=1)
    assert complaint in done.stderr.decode() and "Traceback" not in done.stderr.decode()
    assert out.read_text() == "before"


def test_a_file_is_replaced_in_one_step_and_keeps_its_mode(step, tmp_path):
    out = tmp_path / "out"
    out.write_text("before")
    out.chmod(0o600)
    render(step, tmp_path, "after {{ A }}\n", out, A="1")
    assert out.read_text() == "after 1\n"
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert sorted(p.name for p in tmp_path.iterdir() if "out" in p.name) == ["out"]


def test_the_current_folder_cannot_change_what_renders(step, tmp_path):
    (tmp_path / "jinja2.py").write_text("raise SystemExit('the wrong jinja2')")
    (tmp_path / "rigger").mkdir()
    done = run({**step, "A": "1"}, "rigger-render", _file(tmp_path / "t", b"{{ A }}"), cwd=tmp_path)
    assert done.stdout == b"1"

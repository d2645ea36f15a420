"""rigger shell-reset; tests/commands/test_shellinit.py evaluates it in every shell."""

import shutil


def test_every_value_is_unset_and_none_is_shown(cluster):
    cluster.rigger("config", "set", "TOKEN=a-secret-token", "COLOUR=dark")
    said = cluster.rigger("shell-reset", env={"PATH": "/opt/mine:/usr/bin:/bin"}).out
    unset = [line.removeprefix("unset ") for line in said.splitlines() if line.startswith("unset ")]
    assert {"COLOUR", "TOKEN", "PLATFORM", "ORIGINAL_PATH"} <= set(unset)
    assert unset == sorted(unset)
    assert "a-secret-token" not in said and "dark" not in said


def test_the_path_is_what_it_was_before(cluster):
    before = "/opt/mine:/usr/bin:/bin"
    inside = {"PATH": f"{cluster.file('bin')}:{before}", "ORIGINAL_PATH": before}
    assert cluster.rigger("shell-reset", env=inside).out.splitlines()[-1] == f'export PATH="{before}"'


def test_it_works_when_the_environment_is_gone_or_damaged(cluster):
    inside = {"PATH": f"{cluster.file('bin')}:/bin", "RIGGER_SHELL_NAMES": "COLOUR PLATFORM HOME a;b"}
    with open(cluster.file("vars"), "a") as file:
        file.write("export LATER=1\n$(broken\n")
    said = cluster.rigger("shell-reset", env=inside).out.splitlines()
    assert {"unset COLOUR", "unset PLATFORM", "unset LATER"} <= {*said}
    shutil.rmtree(cluster.file())
    assert cluster.rigger("shell-reset", env=inside).out.splitlines() == [
        "unset COLOUR",
        "unset ORIGINAL_PATH",
        "unset PLATFORM",
        "unset RIGGER_SHELL_NAMES",
        'export PATH="/bin"',
    ]

"""rigger shellinit, rigger shell-reset"""

import shutil
import subprocess
import sys

import pytest

SHELLS = [["bash"], ["bash", "--posix"], ["dash"], ["zsh"], ["busybox", "sh"]]


def shell(cluster, words, script) -> str:
    rigger = " ".join(f'"{word}"' for word in cluster.rigger.argv)
    script = f'rigger() {{ {rigger} "$@"; }}\n{script}'
    done = subprocess.run(
        [*words, "-c", script],
        env=cluster.rigger.env,
        cwd=cluster.rigger.folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("words", SHELLS, ids=lambda words: words[-1].lstrip("-"))
def test_the_vars_come_and_go(cluster, words):
    cluster.rigger("config", "set", 'COLOUR="dark" `green` $HOME\n\'', "TOKEN=a-secret-token")
    said = shell(
        cluster,
        words,
        """
        before=$PATH
        eval "$(rigger shellinit)"
        printf '%s|' "$COLOUR" "${TOKEN-unset}" "$PLATFORM" "${PATH%%:*}"
        eval "$(rigger shellinit --secrets)"
        printf '%s|' "$TOKEN"
        eval "$(rigger shell-reset)"
        printf '%s|' "${COLOUR-unset}" "${TOKEN-unset}" "${PLATFORM-unset}" "${ORIGINAL_PATH-unset}"
        [ "$PATH" = "$before" ] && printf restored
        """,
    )
    bin_dir = cluster.file("bin")
    assert (
        said
        == f'"dark" `green` $HOME\n\'|unset|tree|{bin_dir}|a-secret-token|unset|unset|unset|unset|restored'
    )


def test_secrets_that_a_shell_was_given_stay_until_it_gives_them_back(cluster):
    cluster.rigger("config", "set", "COLOUR=dark", "TOKEN=a-secret-token")
    said = shell(
        cluster,
        ["bash"],
        """
        eval "$(rigger shellinit --secrets)"
        rigger config set COLOUR=light >/dev/null
        eval "$(rigger shellinit)"
        printf '%s|' "$COLOUR" "$TOKEN"
        rigger shellinit | grep -c a-secret-token
        rigger config set TOKEN=another-token >/dev/null
        eval "$(rigger shellinit)"
        printf '%s|' "${TOKEN-unset}"
        eval "$(rigger shellinit --secrets)"
        eval "$(rigger shellinit)"
        eval "$(rigger shell-reset)"
        printf '%s|' "${TOKEN-unset}"
        """,
    )
    assert said == "light|a-secret-token|0\nunset|unset|"


def test_twice_does_not_grow_the_path(cluster):
    said = shell(
        cluster,
        ["sh"],
        'eval "$(rigger shellinit)"; one=$PATH; eval "$(rigger shellinit)"; [ "$PATH" = "$one" ] && echo same',
    )
    assert said == "same\n"


def test_from_one_environment_to_another_and_back(cluster):
    cluster.configure("--name", "other")
    said = shell(
        cluster,
        ["bash"],
        """
        before=$PATH
        eval "$(rigger -e wood shellinit)"
        eval "$(rigger shellinit -e other)"
        printf '%s\\n' "$PATH"
        eval "$(rigger shell-reset)"
        [ "$PATH" = "$before" ] && echo restored
        """,
    )
    path, restored = said.splitlines()
    assert cluster.rigger.path("environments", "other", "bin") in path.split(":")
    assert cluster.file("bin") not in path.split(":")
    assert restored == "restored"


def test_the_vars_file_can_be_sourced_at_its_usual_place(provisioned):
    provisioned.script(
        "provider",
        "install",
        'printf "#!/bin/sh\\necho it works\\n" >"$RIGGER_BIN_DIR/shrub"; chmod +x "$RIGGER_BIN_DIR/shrub"',
    )
    provisioned.rigger("provision")
    assert (
        shell(provisioned, ["sh"], '. ~/.rigger/vars && shrub && echo "$TREE_VERSION"')
        == "it works\n1.10.0\n"
    )


@pytest.mark.parametrize("words", SHELLS, ids=lambda words: words[-1].lstrip("-"))
def test_sourcing_adds_to_the_path_that_the_shell_has_once(cluster, words):
    said = shell(
        cluster,
        words,
        """
        set -eu
        PATH="/new 'one'/\\bin:$PATH"; before=$PATH
        . ~/.rigger/vars
        [ "$ORIGINAL_PATH" = "$before" ] && printf '%s\n' "${PATH%":$before"}"
        PATH=/venv/bin:$PATH; with=$PATH
        . ~/.rigger/vars
        [ "$PATH" = "$with" ] && echo once
        PATH=; . ~/.rigger/vars; printf '%s\n' "$PATH"
        """,
    )
    assert said == f"{cluster.file('bin')}\nonce\n{cluster.file('bin')}\n"


@pytest.mark.parametrize("words", SHELLS, ids=lambda words: words[-1].lstrip("-"))
@pytest.mark.parametrize("way", [". ~/.rigger/vars", 'eval "$(rigger shellinit --secrets)"'])
def test_nothing_of_the_environment_before_is_left(cluster, words, way):
    cluster.rigger("config", "set", "COLOUR=dark", "TOKEN=a-secret-token")
    cluster.rigger("configure", "--name", "other", "--no-input", "--provider", "noop", "--platform", "noop")
    said = shell(
        cluster,
        words,
        f"""
        rigger use wood >/dev/null
        before=$PATH
        {way}
        rigger use other >/dev/null
        eval "$(rigger shellinit)"
        printf '%s|' "${{COLOUR-unset}}" "${{TOKEN-unset}}" "$PLATFORM"
        rm -r ~/.rigger/environments/other ~/.rigger/environments/wood
        eval "$(rigger shell-reset)"
        printf '%s|' "${{PLATFORM-unset}}" "${{RIGGER_SHELL_NAMES-unset}}"
        [ "$PATH" = "$before" ] && printf restored
        """,
    )
    assert said == "unset|unset|noop|unset|unset|restored"


@pytest.mark.skipif(not shutil.which("fish"), reason="there is no fish")
def test_fish_has_the_values_and_loses_them_again(cluster):
    value = 'it\'s \\ "$HOME" (x); `y`'
    cluster.rigger("config", "set", f"COMMENT={value}")
    cluster.rigger("provision")
    script = f"""
        set -gx STAYS here
        {sys.executable} -m rigger shellinit --shell fish | source
        echo (count $PATH) parts; echo $COMMENT; env | string match -r '^NO_PROXY=.*'
        {sys.executable} -m rigger shell-reset --shell fish | source
        echo "[$COMMENT]" $STAYS
        string match -q "*environments*" "$PATH"; or echo clean
    """
    done = subprocess.run(
        ["fish", "--no-config", "-c", script],
        env=cluster.rigger.env,
        capture_output=True,
        text=True,
        timeout=60,
    )
    lines = done.stdout.splitlines()
    assert int(lines[0].split()[0]) > 2 and lines[1] == value, done
    assert lines[2].startswith("NO_PROXY=10.0.0.1,10.0.0.2,") and lines[3:] == ["[] here", "clean"]

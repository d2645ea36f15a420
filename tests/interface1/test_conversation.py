"""Interface 1: provider scripts without a manifest, and a config.sh that asks its own questions."""

import json
import os
import subprocess
import textwrap

import pytest
from helpers.clusters import ended, killed, wait_for
from helpers.conversations import CTRL_C, DOWN, ENTER, Conversation

from rigger import text as texts
from rigger.envfile import file as envfile
from rigger.errors import Refused
from rigger.interface1 import record
from rigger.modules import interface1

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LIBEXEC = os.path.join(ROOT, "rigger", "libexec")
PASSWORD = "hunter2 & co"
ASKS = """
    export STACK_TAG="${STACK_TAG:-test}-${NOOP_ID}"
    BUILDS=("full platform" "clients only" "nothing")
    rerun_log warn "mind the gap"
    prompt "Who owns it?" OWNER
    prompt "Which region?" REGION "eu west"
    password-prompt "Which password?" OPENING
    choice-prompt "What should be built?" BUILDS[@] 1 BUILD
    ssh-private-key-prompt "Which key is yours?" KEY
    FINGERPRINT=$(ssh-fingerprint "$KEY")
    chosen=${BUILDS[$((BUILD - 1))]}
    export FINGERPRINT TF_VAR_door="($OPENING)" EMPTY=
    rigger-save-vars chosen
"""


class Toy:
    """A platform's repository with one provider of interface 1, on a machine with the platform noop."""

    def __init__(self, rigger, folder):
        self.rigger = rigger
        self.root = os.path.join(folder, "repository")
        self.folder = os.path.join(self.root, "contrib", "toy")
        self.noted = rigger.env["NOTED"] = os.path.join(folder, "noted")
        os.makedirs(self.folder)
        for verb in ("install", "create", "check", "destroy"):
            self.script(verb, f'echo {verb} >>"$NOTED"')

    def script(self, name, body, run=True, head="#!/usr/bin/env bash\n"):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(texts.encode(head + textwrap.dedent(body) + "\n"))
        os.chmod(path, 0o755 if run else 0o644)
        return path

    def config(self, body):
        return self.script("config.sh", body, run=False, head="")

    def configure(self, *arguments, code=0, **options):
        given = ("--platform", "noop", "--provider", self.folder)
        return self.rigger("configure", "--no-input", *given, *arguments, code=code, **options)

    def talk(self, *arguments, **options):
        given = ("--platform", "noop", "--version", "1.1.0", "--provider", self.folder)
        return Conversation(self.rigger, *given, *arguments, **options)

    def file(self, *parts):
        return self.rigger.path("environments", "noop", *parts)

    def vars(self):
        return envfile.read(self.file("vars"))

    def secrets(self):
        return envfile.read(self.file("secrets"))

    def ran(self):
        with open(self.noted) as file:
            return file.read().split()

    def log(self, name):
        runs = self.file("runs")
        last = max(os.listdir(runs), key=lambda run: os.stat(os.path.join(runs, run)).st_mtime_ns)
        with open(os.path.join(runs, last, f"{name}.log")) as file:
            return file.read()


@pytest.fixture
def toy(rigger, tmp_path):
    return Toy(rigger, str(tmp_path))


@pytest.fixture
def key(private_home):
    """A key of the user's own."""
    path = private_home / ".ssh" / "id_rsa"
    path.parent.mkdir(mode=0o700)
    subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", path], check=True)
    return str(path)


# What is a provider, and which of its scripts run


def test_folders_with_a_create_and_no_manifest_are_found(toy):
    for name, files in {
        "a": ["create.sh"],
        "b": ["rigger.yml", "create"],
        "c": ["install"],
        "Bad": ["create"],
    }.items():
        os.makedirs(os.path.join(toy.root, "contrib", name))
        for file in files:
            open(os.path.join(toy.root, "contrib", name, file), "w").close()
    assert interface1.find(toy.root) == {
        "a": os.path.join(toy.root, "contrib", "a"),
        "toy": toy.folder,
    }
    assert interface1.find(os.path.join(toy.root, "nowhere")) == {}


def test_a_provider_that_could_not_remove_what_it_made_is_refused(toy):
    os.unlink(os.path.join(toy.folder, "destroy"))
    with pytest.raises(Refused, match="it has no destroy and no destroy.sh"):
        interface1.load(toy.folder)
    said = toy.configure(code=9)
    assert "it has no destroy and no destroy.sh" in said.err


@pytest.mark.parametrize(
    ("files", "chosen"),
    [
        ({"create": True}, "create"),
        ({"create": False}, "create"),
        ({"create.sh": True}, "create.sh"),
        ({"create.sh": False}, "create.sh"),
        ({"create": True, "create.sh": True}, "create"),
        ({"create": True, "create.sh": False}, "create"),
        ({"create": False, "create.sh": True}, "create"),
    ],
)
def test_both_spellings_with_and_without_the_run_bit(toy, files, chosen):
    os.unlink(os.path.join(toy.folder, "create"))
    for name, run in files.items():
        toy.script(
            name, f'echo {name} >>"$NOTED"; hidden="a  b"; export hidden; rigger-save-vars hidden', run=run
        )
    toy.configure()
    said = toy.rigger("provision")
    assert f"contrib/toy/{chosen}" in said.out
    assert toy.ran()[:2] == ["install", chosen]
    assert toy.vars()["hidden"] == "a  b"


@pytest.mark.parametrize(
    ("head", "run", "reason"),
    [
        ("", True, "has no #! line"),
        ("#!/usr/bin/env python3\n", False, "python3 runs it"),
        ("#!/bin/sh\n", True, None),
        ("\0ELF", False, "is a program that is not executable"),
        ("#!/bin/sh\r\n", True, "has a #! line that ends as Windows ends lines"),
    ],
)
def test_a_file_that_looks_like_a_script_and_cannot_run_is_named(toy, head, run, reason):
    path = toy.script("create", "true", run=run, head=head)
    toy.configure()
    said = toy.rigger("provision", code=4 if reason else 0)
    assert reason is None or f"{path} {'' if run else 'is'}".rstrip() in said.err and reason in said.err
    assert bool(reason) != os.path.exists(toy.noted)


def test_empty_files_folders_and_dead_links_are_no_scripts(toy):
    for name in ("create", "check", "destroy"):
        os.unlink(os.path.join(toy.folder, name))
    open(os.path.join(toy.folder, "create"), "w").close()
    os.mkdir(os.path.join(toy.folder, "check"))
    os.symlink("nowhere", os.path.join(toy.folder, "destroy"))
    os.mkfifo(os.path.join(toy.folder, "check.sh"))
    toy.script("create.sh", "true")
    said = "\n".join(interface1.unusable(toy.folder))
    for words in (
        "create is empty",
        "check is a folder",
        "destroy is a link to nothing",
        "check.sh is no file",
    ):
        assert words in said
    assert interface1.script(toy.folder, "create").endswith("create.sh")


def test_a_missing_install_or_check_is_in_the_plan_and_says_so(toy):
    for verb in ("install", "check"):
        os.unlink(os.path.join(toy.folder, verb))
    toy.configure()
    said = toy.rigger("provision")
    assert "libexec/interface1/absent" in said.out
    assert "warning: toy has no install: nothing was done" in said.out
    assert "warning: toy has no check: nothing was done" in said.out
    assert toy.ran() == ["create"]


# How they run


def test_a_sourced_script_has_the_functions_its_folder_and_its_own_exit_code(toy, key):
    os.unlink(os.path.join(toy.folder, "create"))
    toy.script(
        "create.sh",
        """
        set -u
        unexported='two  words "quoted" $HOME `id`'
        newline=$'a\\nb\\n'
        empty=
        rigger-save-vars unexported newline empty
        rerun_log error "it is $(basename "$PWD")"
        ssh-fingerprint "$HOME/.ssh/id_rsa"
        [ "$RIGGER_INTERFACE" = 1 ] || exit 9
        """,
        run=False,
    )
    toy.configure()
    toy.rigger("provision")
    found = toy.vars()
    assert (found["unexported"], found["newline"], found["empty"]) == (
        'two  words "quoted" $HOME `id`',
        "a\nb\n",
        "",
    )
    log = toy.log("02-create")
    print_of_key = subprocess.run(
        ["ssh-keygen", "-E", "md5", "-lf", key], capture_output=True, text=True, check=True
    )
    assert "error: it is toy" in log
    assert print_of_key.stdout.split()[1].removeprefix("MD5:") in log.split()


@pytest.mark.parametrize(
    ("body", "code"),
    [("set -e; false; true", 1), ("exit 3", 3), ("return 4", 4), ("false\ntrue", 0), ("if", 2)],
)
def test_the_exit_code_is_the_scripts_own(toy, body, code):
    os.unlink(os.path.join(toy.folder, "create"))
    toy.script("create.sh", body, run=False)
    toy.configure()
    said = toy.rigger("provision", code=5 if code else 0)
    assert not code or f"contrib/toy/create.sh exited {code}" in said.err


@pytest.mark.parametrize(
    "call", ['prompt "Where?" WHERE', "read -r answer", 'password-prompt "Which?" WHERE here']
)
def test_a_question_while_a_step_runs_is_an_error(toy, call):
    os.unlink(os.path.join(toy.folder, "create"))
    toy.script("create.sh", f'{call}\necho went-on >>"$NOTED"', run=False)
    toy.configure()
    toy.rigger("provision", code=5)
    said = toy.log("02-create")
    assert "and a step cannot ask for it" in said or "there is no terminal to read it from" in said
    assert toy.ran() == ["install"]


def test_what_is_read_from_a_file_is_read(toy):
    os.unlink(os.path.join(toy.folder, "create"))
    toy.script(
        "create.sh",
        """
        while read -r line; do found+=$line; done < <(printf 'a\\nb\\n')
        IFS=, read -r -a list <<<"x,y"
        found+=${list[1]}
        rigger-save-vars found
        """,
        run=False,
    )
    toy.configure()
    toy.rigger("provision")
    assert toy.vars()["found"] == "aby"


def test_kill_during_create_and_on_with_it(toy):
    toy.config('prompt "Which?" WHICH small')
    os.unlink(os.path.join(toy.folder, "create"))
    wait = 'echo "create $$" >>"$NOTED"; rigger-save-vars WHICH half=made; [ -e "$RIGGER_STATE_DIR/go" ] || sleep 60'
    toy.script("create.sh", wait, run=False)
    toy.configure()
    running = toy.rigger.start("provision")
    wait_for(lambda: os.path.exists(toy.noted) and "create" in toy.ran())
    killed(running)
    os.killpg(int(toy.ran()[-1]), 9)
    open(toy.file("modules", "toy", "go"), "w").close()
    code, said = ended(toy.rigger.start("provision"))
    assert code == 0, said
    assert [word for word in toy.ran() if word.isalpha()] == ["install", "create", "check", "create", "check"]
    assert toy.vars()["half"] == "made"


def test_destroy_without_the_run_bit(toy):
    os.unlink(os.path.join(toy.folder, "destroy"))
    toy.script("destroy.sh", 'echo gone >>"$NOTED"', run=False)
    toy.configure()
    toy.rigger("provision")
    toy.rigger("destroy", "--yes")
    assert toy.ran()[-1] == "gone"


def test_an_answer_that_changes_makes_create_run_again(toy):
    toy.config('prompt "Which?" WHICH small; export DERIVED="$WHICH-er"')
    toy.configure()
    toy.rigger("provision")
    assert json.loads(toy.rigger("provision", "--plan", "-o", "json").out)["changes"] is False
    toy.rigger("config", "set", "WHICH=large")
    assert "WHICH small -> large" in toy.rigger("provision", "--plan").out
    toy.configure("--set", "WHICH=huge")
    assert (toy.vars()["WHICH"], toy.vars()["DERIVED"]) == ("huge", "huge-er")


# What config.sh asks


def test_a_conversation_with_every_function(toy, key):
    toy.config(ASKS)
    talk = toy.talk()
    talk.sees("mind the gap")
    talk.goes(
        ("Who owns it?", "ada" + ENTER),
        ("Which region?", ENTER),
        ("Which password?", PASSWORD + ENTER),
        ("What should be built?", DOWN + ENTER),
        ("Which key is yours?", ENTER),
        ("Is this right?", ENTER),
    )
    heard = talk.sees("Next:").ends(0)
    assert PASSWORD.encode() not in heard
    found = toy.vars()
    assert (found["OWNER"], found["REGION"], found["BUILD"], found["KEY"]) == ("ada", "eu west", "2", key)
    assert (found["chosen"], found["EMPTY"]) == ("clients only", "")
    assert found["STACK_TAG"] == f"test-{found['NOOP_ID']}"
    assert found["FINGERPRINT"].count(":") == 15
    assert toy.secrets() == {"OPENING": PASSWORD, "TF_VAR_door": f"({PASSWORD})"}


def test_a_terminal_that_cannot_draw(toy, key):
    toy.config(ASKS)
    talk = toy.talk(term="dumb")
    talk.goes(
        ("Who owns it?", "ada\n"),
        ("Which region?", "\n"),
        ("Which password?", PASSWORD + "\n"),
        ("What should be built?", "3\n"),
        ("Which key is yours?", "\n"),
        ("Is this right?", "\n"),
    )
    heard = talk.sees("Next:").ends(0)
    assert PASSWORD.encode() not in heard and b"\x1b" not in heard
    assert (toy.vars()["BUILD"], toy.vars()["chosen"]) == ("3", "nothing")


def test_an_answer_that_is_changed_in_the_review_runs_config_sh_again(toy):
    toy.config(
        """
        prompt "Which size?" SIZE small
        [ "$SIZE" = small ] || prompt "How large?" HOW huge
        export LABEL="$SIZE-$HOW"
        """
    )
    talk = toy.talk()
    talk.goes(("Which size?", ENTER), ("Is this right?", DOWN * 4 + ENTER), ("Which size?", "large" + ENTER))
    talk.goes(("How large?", "vast" + ENTER), ("Is this right?", ENTER)).sees("Next:").ends(0)
    assert toy.vars()["LABEL"] == "large-vast"


def test_ctrl_c_keeps_the_answers_and_stores_nothing(toy):
    toy.config('echo $$ >"$NOTED"; prompt "First?" FIRST; prompt "Second?" SECOND; export THIRD=3')
    toy.talk().goes(("First?", "one" + ENTER), ("Second?", CTRL_C)).sees("Interrupted").ends(130)
    assert not os.path.exists(toy.file())
    with pytest.raises(ProcessLookupError):
        os.kill(int(toy.ran()[0]), 0)
    talk = toy.talk().goes(("Resume with", ENTER), ("Second?", "two" + ENTER), ("Is this right?", ENTER))
    talk.sees("Next:").ends(0)
    assert (toy.vars()["FIRST"], toy.vars()["SECOND"], toy.vars()["THIRD"]) == ("one", "two", "3")


def test_bash_reads_from_the_terminal_itself(toy):
    toy.config('prompt "First?" FIRST; read -r -p "Says bash: " OWN; export OWN')
    talk = toy.talk().goes(("First?", "one" + ENTER)).sees("First? one").goes(("Says bash:", "mine\n"))
    heard = talk.sees("mine").goes(("Is this right?", ENTER)).sees("Next:").ends(0)
    assert b"mine" in heard[: heard.index(b"Is this right?")]  # shown as it was typed
    assert toy.vars()["OWN"] == "mine"


@pytest.mark.parametrize("read", ["read -s -p 'Says bash: ' OWN", "read -rsp 'Says bash: ' OWN"])
def test_bash_reads_a_password_from_the_terminal_itself(toy, read):
    toy.config(f"{read}; rigger-save-secrets OWN")
    talk = toy.talk().goes(("Says bash:", PASSWORD + "\n"), ("Is this right?", ENTER))
    heard = talk.sees("Next:").ends(0)
    assert PASSWORD.encode() not in heard and toy.secrets()["OWN"] == PASSWORD


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("exit 3", "contrib/toy/config.sh exited 3; nothing was stored"),
        ("exit", "contrib/toy/config.sh ended with exit, not at its end; nothing was stored"),
        ("set -e; false", "contrib/toy/config.sh exited 1; nothing was stored"),
        ("if", "config.sh exited"),
        ("read -r ANSWER", "there is no terminal to read it from"),
        ('prompt "Which?" PATH', "asks for PATH, which is computed on every machine"),
        ('prompt "Which?" 9x', "'9x' is not a variable's name"),
    ],
)
def test_a_config_sh_that_fails_stores_nothing(toy, body, told):
    toy.config(body)
    said = toy.configure(code=5)
    assert told in said.out + said.err
    assert not os.path.exists(toy.file())


def test_a_failure_after_an_answer_ends_the_conversation(toy):
    toy.config('prompt "Which?" WHICH; echo "no such thing"; exit 4')
    talk = toy.talk().goes(("Which?", "one" + ENTER)).sees("no such thing").sees("exited 4")
    talk.ends(5)
    assert not os.path.exists(toy.file())


def test_an_answer_that_config_sh_does_not_take_is_asked_again(toy):
    toy.config('while [ -z "$COUNT" ]; do prompt "How many?" COUNT; [ "$COUNT" -gt 2 ] || COUNT=; done')
    talk = toy.talk().goes(("How many?", "1" + ENTER)).sees("was not accepted")
    talk.goes(("How many?", "3" + ENTER), ("Is this right?", ENTER)).sees("Next:").ends(0)
    assert toy.vars()["COUNT"] == "3"
    toy.config(
        'unset COUNT\nwhile [ -z "$COUNT" ]; do prompt "How many?" COUNT; [ "$COUNT" -gt 2 ] || COUNT=; done'
    )
    said = toy.configure("--name", "other", "--set", "COUNT=1", code=2)
    assert "COUNT was not accepted" in said.err


# Without anybody to ask


@pytest.mark.slow
def test_all_missing_values_are_listed(toy):
    toy.config(ASKS + '    [ "$BUILD" != 1 ] || prompt "One more?" MORE\n')
    said = toy.configure(code=2)
    for flag in ("--set OWNER=...   Who owns it?", "--set OPENING=...", "--set MORE=...   One more?"):
        assert flag in said.err
    assert "REGION" not in said.err
    assert not os.path.exists(toy.file())


def test_values_come_from_flags_files_and_the_environment(toy, key, tmp_path):
    toy.config(ASKS)
    (tmp_path / "answers").write_text("OWNER=file\nREGION=file\nBUILD=1\n")
    said = toy.configure(
        *("--answers", "answers", "--set", "BUILD=nothing", "--set", "STACK_TAG=mine"),
        env={"REGION": "native", "RIGGER_OPENING": PASSWORD, "OWNER": "native", "RIGGER_OWNER": "own"},
    )
    for told in (
        "OWNER is own (from $RIGGER_OWNER)",
        "REGION is native (from $REGION)",
        "OPENING is ******** (from $RIGGER_OPENING)",
        "BUILD is 3 (from --set)",
    ):
        assert told in said.out
    found = toy.vars()
    assert (found["OWNER"], found["REGION"], found["BUILD"]) == ("own", "native", "3")
    assert found["STACK_TAG"] == f"mine-{found['NOOP_ID']}"
    assert PASSWORD not in said.out


def test_what_a_shell_has_sourced_is_no_answer(toy):
    toy.config('export TAG="${TAG:-test}-x"; prompt "Which?" WHICH small')
    toy.configure("--set", "WHICH=large")
    toy.configure("--name", "second", env={**toy.vars(), "PATH": os.environ["PATH"]})
    second = envfile.read(toy.rigger.path("environments", "second", "vars"))
    assert (second["TAG"], second["WHICH"]) == ("test-x", "small")


def test_a_variable_that_config_sh_sets_itself_is_not_asked(toy):
    toy.config('export WHICH="it is"; prompt "Which?" WHICH; choice-prompt "Sized?" SIZES[@] 1 WHICH')
    said = toy.configure()
    assert "WHICH is set already (contrib/toy/config.sh)" in said.out
    assert toy.vars()["WHICH"] == "it is"


HOSTILE = [
    "a 'b' \"c\" $HOME `id` \\ \\n !x *",
    "line\nline\n\n",
    " lead and trail ",
    "{{ 1 + 1 }} {% if %} {# x #}",
    "-n",
    "umlaut äöü ☃",
    bytes(range(1, 256)).decode("utf-8", "surrogateescape"),
]


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_come_through_every_way_exactly(toy, value, tmp_path):
    quoted = "'" + value.replace("'", "'\\''") + "'"
    toy.config(
        f"""
prompt "Asked?" ASKED
prompt "Default?" DEFAULTED {quoted}
password-prompt "Hidden?" HIDDEN
export EXPORTED={quoted} COPIED="$ASKED" UNSET
plain={quoted}
rigger-save-vars plain
rigger-save-secrets plain2 2>/dev/null
kept={quoted}
rigger-save-secrets kept
"""
    )
    given = os.fsdecode(texts.encode(value))
    toy.configure("--set", f"ASKED={given}", env={"RIGGER_HIDDEN": given})
    found, secrets = toy.vars(), toy.secrets()
    for name in ("ASKED", "DEFAULTED", "EXPORTED", "COPIED", "plain"):
        assert {**found, **secrets}[name] == value, name
    assert (secrets["HIDDEN"], secrets["kept"]) == (value, value)
    assert "UNSET" not in found


def test_empty_is_not_unset(toy):
    toy.config("export EMPTY= UNSET; saved=; rigger-save-vars saved; rigger-save-vars none; EMPTY=; true")
    said = toy.configure()
    found = toy.vars()
    assert (found["EMPTY"], found["saved"]) == ("", "")
    assert "UNSET" not in found and "none is not set" in said.out


def test_names_that_cannot_be_kept_are_named(toy):
    toy.config("export LD_PRELOAD=/x.so BASH_ENV=/y VERSION=9 GOOD=1; export PATH=/bad:$PATH")
    said = toy.configure()
    for name in ("LD_PRELOAD", "BASH_ENV", "VERSION", "PATH"):
        assert f"{name}, which contrib/toy/config.sh sets, is not kept" in said.out
    found = toy.vars()
    assert found["GOOD"] == "1" and "LD_PRELOAD" not in found and found["VERSION"] == "1.1.0"
    assert "/bad" not in found["PATH"]


def test_credentials_asked_in_the_open_are_secrets_and_masked_in_the_log(toy):
    toy.config('prompt "Which token?" DO_TOKEN; export TF_VAR_token="$DO_TOKEN"; echo "token $DO_TOKEN"')
    toy.script("create", 'echo "token is $DO_TOKEN, $TF_VAR_token"')
    said = toy.configure("--set", f"DO_TOKEN={PASSWORD}")
    assert PASSWORD not in said.out and "token ***" in said.out
    toy.rigger("provision")
    assert toy.log("02-create") == "token is ***, ***\n"
    assert {*toy.secrets()} == {"DO_TOKEN", "TF_VAR_token"}
    with open(toy.file("audit.jsonl")) as audit:
        assert PASSWORD not in audit.read()


def test_a_second_configure_keeps_what_scripts_have_saved_since(toy):
    toy.config(
        'export DOMAIN=example.org; prompt "Which?" WHICH small; [ "$WHICH" = small ] && export ONCE=1; true'
    )
    toy.script("create", "DOMAIN=ten.example.org rigger-save-vars DOMAIN=ten.example.org")
    toy.configure()
    toy.rigger("provision")
    assert toy.vars()["DOMAIN"] == "ten.example.org"
    assert "stays as it was" in toy.configure().out
    toy.configure("--set", "WHICH=large")
    found = toy.vars()
    assert (found["DOMAIN"], found["WHICH"]) == ("ten.example.org", "large")
    assert "ONCE" not in found


def test_another_provider_takes_back_what_config_sh_gave(toy):
    toy.config('prompt "Which?" WHICH small; export DERIVED=1')
    toy.configure()
    toy.rigger("configure", "--no-input", "--provider", "noop")
    assert not {"WHICH", "DERIVED"} & {*toy.vars()}


def test_the_record_of_questions_may_be_anything(toy):
    module = interface1.load(toy.folder)
    path = os.path.join(toy.root, "questions.json")
    for text in ("", "{}", "[]", '{"questions": [{}], "given": {}, "preset": {}}', '{"questions": 1}', "\0"):
        with open(path, "w") as file:
            file.write(text)
        assert record.read_record(path, module) == record.Record()


def test_what_was_given_beforehand_holds_the_next_time(toy):
    toy.config('export TAG="${TAG:-test}-x"; [ -n "$ASKED" ] || prompt "Which?" ASKED')
    toy.configure("--set", "TAG=mine", "--set", "ASKED=yes")
    assert (toy.vars()["TAG"], toy.vars()["ASKED"]) == ("mine-x", "yes")
    assert "stays as it was" in toy.configure().out
    toy.configure("--set", "TAG=yours")
    assert (toy.vars()["TAG"], toy.vars()["ASKED"]) == ("yours-x", "yes")


def test_what_config_sh_gives_and_the_platform_cannot_use_is_asked(toy, modules):
    modules.write("platform", "hill", "questions: [{name: HEIGHT, ask: How high?, type: integer}]")
    toy.config("export HEIGHT=very")
    given = ("--platform", "hill", "--provider", toy.folder)
    said = toy.rigger("configure", "--no-input", *given, code=2)
    assert "--set HEIGHT=...   How high? HEIGHT must be a whole number" in said.err
    talk = Conversation(toy.rigger, *given).sees(
        "The value so far cannot stay: HEIGHT must be a whole number"
    )
    talk.goes(("How high?", "7" + ENTER), ("Is this right?", ENTER)).sees("Next:").ends(0)
    assert envfile.read(toy.rigger.path("environments", "hill", "vars"))["HEIGHT"] == "7"


@pytest.mark.slow
def test_what_config_sh_makes_of_an_answer_does_not_grow(toy):
    toy.config('prompt "Which domain?" DOMAIN; export DOMAIN="x.$DOMAIN" URL="https://x.$DOMAIN"')
    toy.configure("--set", "DOMAIN=one")
    assert (toy.vars()["DOMAIN"], toy.vars()["URL"]) == ("x.one", "https://x.one")
    for _ in range(2):
        assert "stays as it was" in toy.configure().out
        assert (toy.vars()["DOMAIN"], toy.vars()["URL"]) == ("x.one", "https://x.one")
    toy.configure("--set", "DOMAIN=two")
    toy.configure()
    assert (toy.vars()["DOMAIN"], toy.vars()["URL"]) == ("x.two", "https://x.two")
    said = toy.rigger("config", "set", "DOMAIN=three")
    assert (
        "Next:\n    rigger configure\n  Then:\n    rigger provision\n" in said.out
        and toy.vars()["DOMAIN"] == "three"
    )
    toy.configure()
    assert (toy.vars()["DOMAIN"], toy.vars()["URL"]) == ("x.three", "https://x.three")
    assert "Next:\n    rigger provision\n" in toy.rigger("config", "set", "URL=mine").out


# In the platform's repository


@pytest.fixture
def cloned(toy, tmp_path):
    """The toy provider in a git repository of its platform, with a release."""
    manifest = """
        interface: 2
        name: grove
        role: platform
        repository: {}
        versions: git-tags
        interfaces: {{1: 1.0.0}}
        questions:
          - {{name: DOMAIN, ask: Which domain?}}
    """
    with open(os.path.join(toy.root, "rigger.yml"), "w") as file:
        file.write(textwrap.dedent(manifest.format(toy.root)))
    for verb in ("install", "deploy", "check", "undeploy"):
        path = toy.script(f"../../{verb}", f'echo grove-{verb} >>"$NOTED"')
        assert os.path.dirname(os.path.realpath(path)) == toy.root
    git = ("git", "-C", toy.root, "-c", "user.name=a", "-c", "user.email=a@example.org")
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "All"], ["tag", "1.0.0"]):
        subprocess.run([*git, *words], check=True)
    return toy


@pytest.mark.slow
def test_a_provider_of_the_checkout(cloned):
    given = ("--repository", cloned.root, "--version", "1.0.0", "--provider", "toy")
    cloned.config('export DOMAIN=config.example.org WHERE="$GROVE_ROOT/x"; prompt "Which?" WHICH small')
    git = ("git", "-C", cloned.root, "-c", "user.name=a", "-c", "user.email=a@example.org")
    for words in (["add", "."], ["commit", "-q", "-m", "Ask"], ["tag", "-f", "1.0.0"]):
        subprocess.run([*git, *words], check=True, capture_output=True)
    refused = cloned.rigger("configure", "--no-input", "--name", "grove", *given, code=2)
    assert "trust" in refused.err and not os.path.exists(cloned.rigger.path("environments", "grove"))
    said = cloned.rigger("configure", "--no-input", "--name", "grove", "--trust", *given)
    assert "DOMAIN is config.example.org (from config.sh)" in said.out
    folder = cloned.rigger.path("environments", "grove")
    found = envfile.read(os.path.join(folder, "vars"))
    assert found["WHERE"] == os.path.join(folder, "checkout", "x") == f"{found['GROVE_ROOT']}/x"
    assert found["PROVIDER"] == "toy"
    said = cloned.rigger("provision", "-e", "grove")
    assert "contrib/toy/create" in said.out
    assert cloned.ran() == ["install", "create", "grove-install", "grove-deploy", "check", "grove-check"]
    cloned.rigger("configure", "--no-input", "--name", "grove", "--set", "WHICH=large")
    again = envfile.read(os.path.join(folder, "vars"))
    assert (again["WHICH"], again["DOMAIN"], again["WHERE"]) == ("large", found["DOMAIN"], found["WHERE"])


def test_what_it_begins_with_may_stand_anywhere(toy, tmp_path):
    """A variable that config.sh names and does not ask for: from a flag, RIGGER_NAME or the answers file."""
    toy.config('export FIRST="${FIRST:-none}-x" SECOND="${SECOND:-none}-x" THIRD="${THIRD:-none}-x"')
    (tmp_path / "answers").write_text("THIRD=file\n")
    toy.configure("--set", "FIRST=flag", "--answers", "answers", env={"RIGGER_SECOND": "environment"})
    found = toy.vars()
    assert (found["FIRST"], found["SECOND"], found["THIRD"]) == ("flag-x", "environment-x", "file-x")

"""rigger configure as people use it: the real program on a real terminal."""

import os
import signal
import stat

import pytest
from helpers.clusters import wait_for
from helpers.conversations import BACKSPACE, CTRL_C, CTRL_D, DOWN, ENTER, UP, Conversation

from rigger.envfile import file as envfile
from rigger.modules.search import folders

SECRET = "good-t0ken"
CLOUD = """
    description: "Machines in the \\x1b]0;owned\\x07sky"
    types:
      development: {NODES: 3}
      production: {NODES: 5}
    questions:
      - {name: TOKEN, ask: Which token?, help: From the console., type: secret, check: bin/check-token}
      - name: REGION
        ask: Which region?
        help: Near you is faster.
        type: select
        choices: {fra1: Frankfurt, ams3: Amsterdam}
      - {name: NODES, ask: How many nodes?, type: integer, min: 1, max: 9, default: 3}
      - {name: NOTE, ask: A note?, optional: true}
      - {name: DISK, ask: How large a disk?, type: integer, default: 20, advanced: true}
"""
GROUND = """
    questions:
      - {name: DEPTH, ask: How deep?, type: integer, default: 7, max: 99}
      - {name: DISK, ask: How large a disk?, type: integer, default: 20, advanced: true}
"""
TREE = "versions: [1.9.0, 1.10.0]\n"
CHECK_TOKEN = 'case $TOKEN in good*) ;; *) echo "the token has expired" >&2; exit 1 ;; esac'

# Lists start at the default; the modules of a test stand first in them.
TO_CLOUD = UP * (2 + sorted(folders("provider", os.devnull)).index("local"))
TO_TREE = UP * (1 + sorted(folders("platform", os.devnull)).index("etcd"))

# The questions of a first run, and what a person types at each.
FIRST_RUN = [
    ("Which version of tree?", DOWN + ENTER),
    ("Where should the machines come from?", TO_CLOUD + ENTER),
    ("Which type of cluster?", ENTER),
    ("Which region?", DOWN + ENTER),
    ("How many nodes?", "4" + ENTER),
    ("A note?", ENTER),
    ("Which token?", SECRET + ENTER),
]


@pytest.fixture
def world(rigger, modules):
    """The providers `cloud` and `ground` and the platform `tree`, nothing else that a first run meets."""
    modules.write("provider", "cloud", CLOUD, bin__check_token=CHECK_TOKEN)
    folder = os.path.join(modules.folder, "providers", "cloud", "bin")
    os.rename(os.path.join(folder, "check_token"), os.path.join(folder, "check-token"))
    modules.write("provider", "ground", GROUND)
    modules.write("platform", "tree", TREE)
    rigger.env["RIGGER_PLATFORM"] = "tree"
    return rigger


def talk(world, *arguments, **options):
    return Conversation(world, *arguments, **options)


def pick_cloud(conversation):
    """Answer the first questions: of the providers, sorted by name, `cloud` is the first."""
    return conversation.goes(("Which version of tree?", ENTER), ("Where should", TO_CLOUD + ENTER))


def vars_of(world, name="tree"):
    return envfile.read(world.path("environments", name, "vars"))


def secrets_of(world, name="tree"):
    return envfile.read(world.path("environments", name, "secrets"))


def secrets_in_draft(world, name="tree"):
    return envfile.read(world.path("drafts", f"{name}.secrets"))


def holders_of(text, folder):
    """Return the files below a folder that hold a text."""
    found = []
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            if os.path.isfile(path) and not os.path.islink(path):
                with open(path, "rb") as file:
                    if text.encode() in file.read():
                        found.append(os.path.relpath(path, folder))
    return found


# The first run


def test_enter_alone_configures_etcd_on_this_machine(rigger):
    heard = (
        talk(rigger)
        .goes(
            ('New environment "etcd" (--name NAME gives it another name)', ""),
            ("You can review and change all answers", ""),
            ("Enter takes the default, Esc goes back, Ctrl-C keeps the answers", ""),
            ("Which platform should be installed?", ""),
            ("etcd, a key-value store", ENTER),
            ("Which version of etcd? (arrows and Enter; at least 2 more to come)", ENTER),
            ("Where should the machines come from?", ENTER),
            ("Which type of cluster? (arrows and Enter; the last question)", ENTER),
            ("Is this right?", ENTER),
        )
        .sees("Environment etcd is configured")
        .sees("rigger configure --no-input --name etcd")
        .sees("Next:")
        .ends(0)
    )
    assert b"NODES" in heard and b"LOCAL_ADDRESSES" in heard  # the review shows what nobody asked
    found = vars_of(rigger, "etcd")
    assert {n: found[n] for n in ("PLATFORM", "VERSION", "PROVIDER", "TYPE")} == {
        "PLATFORM": "etcd",
        "VERSION": "3.5.1",
        "PROVIDER": "local",
        "TYPE": "development",
    }
    assert "NODES" not in found
    assert not os.path.exists(rigger.path("environments", "etcd", "secrets"))


def test_every_question_answered_and_a_secret_that_is_seen_nowhere(world):
    conversation = pick_cloud(talk(world))
    conversation.goes(
        ("Which type of cluster?", DOWN + ENTER),
        ("Which region?", DOWN + ENTER),
        ("How many nodes?", "x"),
        ("must be a whole number", BACKSPACE + "12" + ENTER),
        ("9, not 12.", BACKSPACE * 2 + "4" + ENTER),
        ("How many nodes? 4", ""),
        ("A note?", 'it\'s "$HOME"' + ENTER),
        ("Which token?", "bad-one" + ENTER),
        ("the token has expired", ""),
        ("Which token?", SECRET + ENTER),
        ("Which token? ********", ""),
        ("Is this right?", ENTER),
        ('RIGGER_TOKEN="$RIGGER_TOKEN"', ""),
    )
    heard = conversation.ends(0)
    found = vars_of(world)
    assert {n: found[n] for n in ("VERSION", "PROVIDER", "TYPE", "REGION", "NODES", "NOTE")} == {
        "VERSION": "1.10.0",
        "PROVIDER": "cloud",
        "TYPE": "production",
        "REGION": "ams3",
        "NODES": "4",
        "NOTE": 'it\'s "$HOME"',
    }
    assert secrets_of(world) == {"TOKEN": SECRET}
    assert holders_of(SECRET, world.home) == ["environments/tree/secrets"]
    assert holders_of("bad-one", world.home) == []
    assert SECRET.encode() not in heard and b"bad-one" not in heard
    assert b"\x1b]0;" not in heard and b"owned" not in heard
    assert stat.S_IMODE(os.stat(world.path("environments", "tree", "secrets")).st_mode) == 0o600


def test_only_what_was_not_given_is_asked(world):
    heard = (
        talk(
            world,
            "--version",
            "1.9.0",
            "--provider",
            "cloud",
            "--type",
            "production",
            "--set",
            "REGION=fra1",
            RIGGER_NODES="2",
        )
        .sees("REGION is fra1 (from --set)")
        .sees("NODES is 2 (from $RIGGER_NODES)")
        .goes(("A note?", ENTER), ("Which token?", SECRET + ENTER), ("Is this right?", ENTER))
        .ends(0)
    )
    assert b"Which region?" not in heard and b"How many nodes?" not in heard
    assert vars_of(world)["REGION"] == "fra1"


def test_advanced_asks_everything(world):
    talk(world, "--advanced", "--provider", "ground").goes(
        ("Which version of tree?", ENTER),
        ("How deep?", ENTER),
        ("How large a disk?", "50" + ENTER),
        ("Is this right?", ENTER),
    ).ends(0)
    assert vars_of(world)["DISK"] == "50"


def test_a_platform_chosen_in_the_conversation_names_the_environment(world):
    del world.env["RIGGER_PLATFORM"]
    conversation = talk(world, "--advanced", "--provider", "ground", "--set", "DEPTH=1", "--set", "DISK=1")
    conversation.goes(
        ("Which platform should be installed?", TO_TREE + ENTER),
        ("Which version of tree?", ENTER),
        ("Is this right?", ENTER),
    ).sees("Environment tree is configured").ends(0)
    assert os.listdir(world.path("environments")) == ["tree"]
    assert os.listdir(world.path("drafts")) == []


# The review


def test_another_provider_in_the_review_brings_its_questions(world):
    conversation = talk(world, "--provider", "ground", "--version", "1.9.0")
    conversation.goes(("How deep?", "33" + ENTER), ("Is this right?", DOWN * 3 + ENTER))
    conversation.goes(("Where should", UP + ENTER))
    conversation.goes(*FIRST_RUN[2:])
    conversation.goes(("Is this right?", ENTER)).sees("is configured").ends(0)
    found = vars_of(world)
    assert (found["PROVIDER"], found["REGION"], found["NODES"]) == ("cloud", "ams3", "4")
    assert "DEPTH" not in found


def test_a_second_configure_goes_straight_to_the_review(world):
    world("configure", "--name", "tree", "--provider", "ground", "--set", "DISK=30")
    before = vars_of(world)
    heard = (
        talk(world)
        .sees("Changing environment tree")
        .goes(("Is this right?", ENTER))
        .sees("stays as it was")
        .ends(0)
    )
    assert b"How deep?" not in heard and b"Which version" not in heard
    assert vars_of(world) == before
    conversation = talk(world).goes(("Is this right?", UP * 2 + ENTER))  # the last but one: DEPTH
    conversation.goes(("How deep?", "8" + ENTER), ("Is this right?", ENTER)).ends(0)
    assert vars_of(world) == {**before, "DEPTH": "8"}


def test_a_second_configure_asks_the_questions_of_another_provider(world):
    world("configure", "--name", "tree", "--provider", "ground", "--set", "DEPTH=8")
    conversation = talk(world).goes(("Is this right?", DOWN * 3 + ENTER), ("Where should", UP + ENTER))
    conversation.goes(*FIRST_RUN[2:]).goes(("Is this right?", ENTER)).sees("is configured").ends(0)
    assert "DEPTH" not in vars_of(world)  # it means nothing to the new provider
    assert vars_of(world)["REGION"] == "ams3"


def test_what_is_saved_while_questions_are_asked_stays(world):
    world("configure", "--provider", "ground", "--set", "DEPTH=8")
    conversation = talk(world, "--set", "DEPTH=9").sees("Is this right?")
    world("config", "set", "DISK=77")
    conversation.types(ENTER).sees("is configured").ends(0)
    assert (vars_of(world)["DEPTH"], vars_of(world)["DISK"]) == ("9", "77")


def test_an_environment_that_was_made_meanwhile_is_left_alone(world):
    conversation = talk(world, "--version", "1.9.0", "--provider", "ground").goes(("How deep?", "8" + ENTER))
    conversation.sees("Is this right?")
    world("configure", "--provider", "ground", "--set", "DEPTH=1")
    before = vars_of(world)
    conversation.types(ENTER).sees("has made the environment tree meanwhile").ends(2)
    assert vars_of(world) == before
    talk(world).goes(("Resume with", CTRL_C)).ends(130)  # nothing is lost either


def test_an_optional_answer_can_be_emptied_again(world):
    world("configure", "--provider", "cloud", "--set", "NOTE=old", "--set", f"TOKEN={SECRET}")
    order = ["PLATFORM", "VERSION", "PROVIDER", "TYPE", "REGION", "NODES", "NOTE"]
    conversation = talk(world).goes(("Is this right?", DOWN * (order.index("NOTE") + 1) + ENTER))
    conversation.goes(("A note?", BACKSPACE + ENTER), ("Is this right?", ENTER)).ends(0)
    assert "NOTE" not in vars_of(world)
    assert secrets_of(world) == {"TOKEN": SECRET}


def test_the_provider_of_a_cluster_cannot_be_changed(world):
    world("configure", "--name", "tree", "--provider", "ground")
    world("provision")
    conversation = talk(world).goes(("Is this right?", DOWN * 3 + ENTER), ("Where should", UP + ENTER))
    conversation.sees("was made with PROVIDER=ground, which cannot change while it exists")
    conversation.goes(("Where should", CTRL_C)).ends(130)
    assert vars_of(world)["PROVIDER"] == "ground"


# Interruptions


@pytest.mark.slow
def test_ctrl_c_anywhere_keeps_the_answers(world):
    texts = [*(text for text, _ in FIRST_RUN), "Is this right?"]
    for answered, text in enumerate(texts):
        conversation = talk(world)
        if answered > 1:
            conversation.goes(("Resume with the answers given a moment ago?", ENTER))
        heard = (
            conversation.goes(*FIRST_RUN[max(0, answered - 1) : answered], (text, CTRL_C))
            .sees("Interrupted")
            .ends(130)
        )
        assert not [early for early in texts[: max(0, answered - 1)] if f"{early}".encode() in heard]
        assert os.listdir(world.path("environments")) == []
    assert SECRET in secrets_in_draft(world).values()
    talk(world).goes(("Resume with", ENTER), ("Is this right?", ENTER)).sees("is configured").ends(0)
    found = vars_of(world)
    assert (found["VERSION"], found["REGION"], found["NODES"]) == ("1.9.0", "ams3", "4")
    assert secrets_of(world) == {"TOKEN": SECRET}
    assert os.listdir(world.path("drafts")) == []


def test_kill_keeps_the_answers_and_the_secret_apart(world):
    conversation = talk(world).goes(*FIRST_RUN, ("Is this right?", ""))
    conversation.child.kill(signal.SIGKILL)
    conversation.child.wait()
    conversation.child.close()
    assert holders_of(SECRET, world.home) == ["drafts/tree.secrets"]
    for name in ("tree.secrets", "tree.vars"):
        assert stat.S_IMODE(os.stat(world.path("drafts", name)).st_mode) == 0o600
    talk(world).goes(("Resume with", ENTER), ("Is this right?", ENTER)).sees("is configured").ends(0)
    assert vars_of(world)["NODES"] == "4"
    assert holders_of(SECRET, world.home) == ["environments/tree/secrets"]


@pytest.mark.slow
def test_going_on_can_be_declined(world):
    talk(world, "--provider", "ground").goes(("Which version", ENTER), ("How deep?", CTRL_C)).ends(130)
    conversation = talk(world, "--provider", "ground").goes(("Resume with", "n"))
    conversation.goes(("Which version", ENTER), ("How deep?", ENTER), ("Is this right?", ENTER)).ends(0)


def test_a_named_environment_is_gone_on_with_too(world):
    conversation = talk(world, "--name", "prod").goes(("Which version", DOWN + ENTER))
    conversation.goes(("Where should", CTRL_C)).sees("are kept").ends(130)
    conversation = talk(world, "--provider", "ground").goes(
        ("for environment prod", ENTER), ("How deep?", ENTER)
    )
    conversation.goes(("Is this right?", ENTER)).sees("Environment prod is configured").ends(0)
    assert vars_of(world, "prod")["VERSION"] == "1.9.0"


@pytest.mark.slow
def test_what_flags_said_is_gone_on_with_too(world, tmp_path):
    flags = ("--provider", "ground", "--name", "prod")
    talk(world, *flags).goes(("Which version", DOWN + ENTER), ("How deep?", CTRL_C)).ends(130)
    conversation = talk(world).goes(("for environment prod", ENTER), ("How deep?", ENTER))
    conversation.goes(("Is this right?", ENTER)).ends(0)
    found = vars_of(world, "prod")
    assert (found["PROVIDER"], found["VERSION"]) == ("ground", "1.9.0")


@pytest.mark.slow
def test_ctrl_d_ends_it_and_keeps_the_answers(world):
    conversation = talk(world, "--provider", "ground").goes(
        ("Which version", DOWN + ENTER), ("How deep?", CTRL_D)
    )
    conversation.sees("The input ended").sees("are kept").ends(2)
    talk(world, "--provider", "ground").goes(("Resume with", ENTER), ("How deep?", CTRL_C)).ends(130)


def test_a_closed_terminal_keeps_the_answers(world):
    conversation = talk(world, "--provider", "ground").goes(
        ("Which version", DOWN + ENTER), ("How deep?", "")
    )
    conversation.child.close(force=False)
    assert not conversation.child.isalive()
    conversation = talk(world, "--provider", "ground").goes(("Resume with", ENTER))
    conversation.goes(("How deep?", ENTER), ("Is this right?", ENTER)).ends(0)
    assert vars_of(world)["VERSION"] == "1.9.0"


def test_ctrl_c_while_a_check_hangs(world, modules):
    folder = os.path.join(modules.folder, "providers", "cloud")
    modules.script(folder, "bin__check-token", 'echo $$ >"$HOME/hangs"; exec sleep 600')
    given = [
        "--provider",
        "cloud",
        "--version",
        "1.9.0",
        "--type",
        "production",
        "--set",
        "REGION=fra1",
        "--set",
        "NODES=2",
    ]
    conversation = talk(world, *given).goes(
        ("A note?", "mine" + ENTER), ("Which token?", SECRET + ENTER), ("checking", "")
    )
    path = os.path.join(world.env["HOME"], "hangs")
    wait_for(lambda: os.path.exists(path) and os.path.getsize(path))
    conversation.types(CTRL_C).sees("Interrupted").ends(130)
    with open(path) as file, pytest.raises(ProcessLookupError):
        os.kill(int(file.read()), 0)
    talk(world, *given).goes(("Resume with", ENTER), ("Which token?", CTRL_C)).ends(130)


# Other terminals


@pytest.mark.parametrize("term, size", [("dumb", (24, 80)), ("xterm", (24, 40)), ("xterm", (24, 20))])
def test_simple_and_narrow_terminals(world, term, size):
    enter = ENTER if term != "dumb" and size[1] >= 40 else "\n"
    conversation = talk(world, "--version", "1.9.0", "--provider", "ground", term=term, size=size)
    heard = conversation.goes(("How deep?", "5" + enter), ("Is this right?", enter)).sees("Next:").ends(0)
    assert vars_of(world)["DEPTH"] == "5"
    assert term != "dumb" or b"\x1b" not in heard


def test_defaults_asks_only_what_has_none(world):
    conversation = talk(world, "--defaults", "--provider", "cloud").goes(("Which token?", SECRET + ENTER))
    heard = conversation.sees("is configured").ends(0)
    assert b"Is this right?" not in heard and b"Which region?" not in heard


def test_a_file_on_a_terminal_asks_only_what_is_missing(world):
    with open(os.path.join(world.folder, "prod.vars"), "w") as file:
        file.write("PLATFORM=tree\nPROVIDER=cloud  # mine\nexport NODES='12'\n")
    conversation = talk(world, "--file", "prod.vars").sees("at most 9, not 12")
    conversation.goes(("How many nodes?", BACKSPACE * 2 + "6" + ENTER), ("Which token?", SECRET + ENTER))
    heard = conversation.goes(("Is this right?", ENTER)).sees("Environment prod is configured").ends(0)
    assert b"Which region?" not in heard
    assert vars_of(world, "prod")["NODES"] == "6"


def test_an_unknown_name_is_told_before_any_question(world):
    heard = talk(world, "--set", "REGOIN=x").sees("did you mean REGION?").ends(2)
    assert b"Which version" not in heard


def test_a_home_that_cannot_be_written_is_told_before_any_question(world):
    with open(os.path.join(world.folder, "file"), "w"):
        pass
    heard = talk(world, RIGGER_HOME=os.path.join(world.folder, "file")).sees("cannot be written").ends(3)
    assert b"Which version" not in heard


def test_choices_that_cannot_be_listed_and_hostile_ones(world, modules):
    modules.write(
        "provider",
        "live",
        "questions:\n  - {name: ZONE, ask: Which zone?, type: select, choices: {command: bin/list}}\n",
        bin__list='[ -e "$HOME/ok" ] || { touch "$HOME/ok"; echo "no network" >&2; exit 3; }\n'
        "printf 'a\\t\\033]0;owned\\007\\033[2Jfirst\\nb\\tsecond\\n'",
    )
    conversation = talk(world, "--provider", "live", "--version", "1.9.0").sees("no network")
    conversation.goes(
        ("what should be done?", ENTER), ("Which zone?", DOWN + ENTER), ("Is this right?", ENTER)
    )
    heard = conversation.sees("is configured").ends(0)
    assert vars_of(world)["ZONE"] == "b"
    assert b"\x1b]0;" not in heard and b"owned" not in heard and b"\x1b[2J" not in heard


def test_a_module_that_cannot_be_used_says_so_in_the_list(world, modules):
    modules.write("provider", "a-broken-one", "questons: []\n")
    conversation = (
        talk(world, "--version", "1.9.0", "--set", "DEPTH=1")
        .sees("cannot be used")
        .types(UP + TO_CLOUD + ENTER)
    )
    conversation.sees("rigger.yml, line 4").sees("did you mean questions?")
    conversation.goes(("Where should", CTRL_C)).ends(130)


@pytest.mark.parametrize("text, told", [("rm -rf /\n", ""), ('export DEPTH="100"\n', "at most 99, not 100")])
def test_a_draft_that_cannot_be_used_is_no_obstacle(world, text, told):
    os.makedirs(world.path("drafts"))
    with open(world.path("drafts", "tree.vars"), "w") as file:
        file.write(text)
    conversation = talk(world, "--version", "1.9.0", "--provider", "ground")
    if told:
        conversation.goes(("Resume with", ENTER)).sees(told)
    conversation.goes(("How deep?", "5" + ENTER), ("Is this right?", ENTER)).sees("is configured").ends(0)
    assert vars_of(world)["DEPTH"] == "5"

"""rigger module add, remove, list, info, search, and provision with add-ons: on stand-in machines."""

import json
import os

import pytest
from helpers.addons import Machines


@pytest.fixture
def machines(rigger, modules):
    return Machines(rigger, modules)


@pytest.fixture
def made(machines):
    machines.rigger("provision")
    return machines


def simple(machines, name, kind, requires="", **scripts):
    """Write an add-on of a kind that requires a module of another one."""
    strong = (
        f"requires: {{strong: [[{{key: kind, operator: eq, values: [{requires}]}}]]}}\n" if requires else ""
    )
    machines.addon(name, f"description: A {kind}\nlabels: {{kind: {kind}}}\n{strong}", **scripts)


def test_the_story_of_a_broker_and_its_monitoring(made):
    rigger = made.rigger
    made.write_story()
    rigger("module", "add", "monitoring", "--no-input")
    rigger("provision", "monitoring")
    # A person changes an address by hand.
    rigger("config", "set", "ADDRESSES=192.0.2.1 192.0.2.2 192.0.2.33 192.0.2.4 192.0.2.5")
    rigger("provision")
    said = rigger("module", "add", "broker", "--no-input").out
    assert "node-1=192.0.2.1,node-2=192.0.2.2,node-3=192.0.2.33" in said
    assert "nothing of it is applied yet" in said and ("broker", "apply") not in made.ran()
    assert 'BROKER_NODES="node-1=192.0.2.1,node-2=192.0.2.2,node-3=192.0.2.33"' in made.vars()

    said = rigger("provision", "broker").out
    assert "monitoring would change: monitoring would gain 3 targets" in said
    assert "rigger provision monitoring" in said
    assert made.ran().count(("monitoring", "apply")) == 1
    state = made.state()
    assert [node["used_by"] for node in state["nodes"]] == [["broker"]] * 3 + [[], []]
    assert state["modules"]["broker"]["output"] == {
        "brokers": ["192.0.2.1:9092", "192.0.2.2:9092", "192.0.2.33:9092"]
    }
    assert state["modules"]["monitoring"]["output"] == {"targets": 0}
    ended = made.records("step-finished")[-2]
    assert json.loads(ended["output"]) == state["modules"]["broker"]["output"] and ended["before"] == "{}"
    assert ended["uses"] == ["node-1", "node-2", "node-3"]

    assert "would change" not in rigger("provision", "monitoring").out
    assert made.state()["modules"]["monitoring"]["output"] == {"targets": 3}
    before = len(made.ran())
    rigger("provision")
    assert not [one for one in made.ran()[before:] if one[1] == "apply"]


def test_an_address_changed_in_the_vars_file_and_two_addons_before_one_provision(made):
    rigger = made.rigger
    made.write_story()
    made.edit(
        "export BARE_ID",
        'export ADDRESSES="192.0.2.1 192.0.2.2 192.0.2.33 192.0.2.4 192.0.2.5"\nexport BARE_ID',
    )
    rigger("provision")
    for name in ("monitoring", "broker"):
        said = rigger("module", "add", name, "--no-input").out
    assert "node-1=192.0.2.1,node-2=192.0.2.2,node-3=192.0.2.33" in said
    assert made.status()["broker"] == made.status()["monitoring"] == "initialized"
    rigger("provision")
    # Monitoring reads what the broker gives: it comes after it, and one run is enough.
    assert [one for one in made.ran() if one[1] == "apply"] == [("broker", "apply"), ("monitoring", "apply")]
    assert made.state()["modules"]["monitoring"]["output"] == {"targets": 3}
    assert [node["used_by"] for node in made.state()["nodes"]] == [["broker"]] * 3 + [[], []]


def test_the_top_of_three_is_refused_with_the_candidates_one_after_another(made):
    simple(made, "database", "database", "storage")
    simple(made, "storage", "storage", "kubernetes")
    simple(made, "kubernetes", "kubernetes", "infrastructure")
    refused = made.rigger("module", "add", "database", code=4).err
    assert "database requires an applied module with kind eq storage: there is none." in refused
    assert "Add storage, without a version: A storage:\n    rigger module add storage" in refused
    assert "rigger module add kubernetes" in made.rigger("module", "add", "storage", code=4).err
    made.rigger("module", "add", "kubernetes")
    unapplied = made.rigger("module", "add", "storage", code=4).err
    assert "kubernetes is initialized." in unapplied and "rigger provision kubernetes" in unapplied
    for name in ("kubernetes", "storage", "database"):
        made.rigger("module", "add", name)
        made.rigger("provision", name)
    assert [one for one in made.ran() if one[1] == "apply"] == [
        ("kubernetes", "apply"),
        ("storage", "apply"),
        ("database", "apply"),
    ]
    refused = made.rigger("module", "remove", "storage", "--yes", code=4).err
    assert "storage is required by database" in refused
    assert ("storage", "destroy") not in made.ran()
    made.rigger("destroy", "--yes")
    assert [one for one in made.ran() if one[1] in ("destroy", "undeploy")] == [
        *(("database", "destroy"), ("storage", "destroy"), ("kubernetes", "destroy")),
        *(("bare", "undeploy"), ("machines", "destroy")),
    ]
    assert set(made.status().values()) == {"destroyed"}
    before = len(made.ran())
    made.rigger("provision")
    applied = [one for one in made.ran()[before:] if one[1] in ("create", "deploy", "apply")]
    assert [name for name, _ in applied] == ["machines", "bare", "kubernetes", "storage", "database"]


def test_modules_that_require_each_other_are_named(made):
    simple(made, "hen", "hen", "egg")
    simple(made, "egg", "egg", "hen")
    refused = made.rigger("module", "add", "hen", code=3).err
    assert "cannot be made in any order" in refused and "hen requires egg requires hen" in refused


def test_a_requirement_that_a_failed_module_would_meet(made):
    simple(made, "storage", "storage", apply="exit ${FAILS:-0}\n")
    simple(made, "database", "database", "storage")
    made.rigger("module", "add", "storage")
    made.rigger("provision", "storage")
    made.rigger("module", "add", "database")
    made.rigger("provision", "storage", "--again", code=5, env={"FAILS": "3"})
    assert made.status()["storage"] == "failed"
    refused = made.rigger("provision", "database", code=4).err
    assert "storage is failed (apply failed (exit 3) in run" in refused
    assert "rigger provision storage" in refused
    assert ("database", "apply") not in made.ran()
    made.rigger("provision")
    assert made.status() == dict.fromkeys(("machines", "bare", "storage", "database"), "applied")


@pytest.mark.slow
def test_two_modules_with_one_label_both_meet_a_requirement(made):
    simple(made, "disk", "storage")
    simple(made, "tape", "storage")
    simple(made, "database", "database", "storage")
    for name in ("disk", "tape", "database"):
        made.rigger("module", "add", name)
        made.rigger("provision", name)
    info = json.loads(made.rigger("module", "info", "database", "-o", "json").out)
    assert info["requires"] == {"kind eq storage": ["disk", "tape"]}
    made.rigger("module", "remove", "disk", "--yes")
    assert "tape is required by database" in made.rigger("module", "remove", "tape", "--yes", code=4).err


@pytest.mark.slow
def test_a_second_instance_has_vars_and_state_of_its_own(made):
    made.addon(
        "cache",
        "questions: [{name: SIZE, type: integer, default: 1}, {name: LIMIT, default: '{{ SIZE }}0'}]\noutputs: [URL]\n",
        apply='echo "URL=$SIZE/$LIMIT" >>"$RIGGER_OUTPUT"\necho "{\\"size\\": $SIZE}" >"$RIGGER_STATE_OUTPUT"\n',
    )
    made.rigger("module", "add", "cache")
    made.rigger("module", "add", "cache", "--as", "cache2", "--set", "SIZE=5")
    made.rigger("provision")
    assert 'CACHE_URL="1/10"' in made.vars() and 'CACHE2_URL="5/50"' in made.vars()
    assert 'MODULES="cache,cache2=cache"' in made.vars()
    modules = made.state()["modules"]
    assert (modules["cache"]["output"], modules["cache2"]["output"]) == ({"size": 1}, {"size": 5})
    assert modules["cache2"]["config"] == {"SIZE": "5", "LIMIT": "50"}
    made.rigger("config", "set", "CACHE2_SIZE=6")
    before = len(made.ran())
    made.rigger("provision")
    assert [one for one in made.ran()[before:] if one[1] == "apply"] == [("cache2", "apply")]
    made.rigger("module", "remove", "cache", "--yes")
    assert "CACHE_" not in made.vars() and 'CACHE2_URL="6/60"' in made.vars()


def test_a_version_that_is_there_and_one_that_is_not(made):
    made.addon("cache", "version: 2.10\n")
    assert "There is: 2.10." in made.rigger("module", "add", "cache@2.1", code=2).err
    assert "cache 2.10 is added" in made.rigger("module", "add", "cache@2.10").out


INIT = 'echo "SIZE=$PROPOSED" >>"$RIGGER_OUTPUT"\n'


@pytest.mark.parametrize(
    "edited, then, expected, said",
    [
        ("", "3", "3", ""),
        ("", "4", "4", "CACHE_SIZE is 4 (proposed by cache init)"),
        ("7", "3", "7", "CACHE_SIZE stays 7, as somebody changed it"),
        (
            "7",
            "4",
            "7",
            "CACHE_SIZE stays '7', as somebody gave it, but '4' is proposed now ('3' was proposed before)",
        ),
        ("4", "4", "4", ""),
    ],
)
def test_what_a_person_edited_stays_and_conflicts_are_shown(made, edited, then, expected, said):
    made.addon("cache", "questions: [{name: SIZE, type: integer}]\n", init=INIT)
    made.rigger("module", "add", "cache", env={"PROPOSED": "3"})
    if edited:
        made.edit('CACHE_SIZE="3"', f'CACHE_SIZE="{edited}"')
    again = made.rigger("module", "add", "cache", env={"PROPOSED": then})
    assert f'CACHE_SIZE="{expected}"' in made.vars()
    assert said in again.out + again.err
    assert ("rigger config set CACHE_SIZE=4" in again.out) == ("as somebody gave it" in said)
    assert "CACHE_SIZE stays" in said or "stays" not in again.out + again.err


def test_init_that_proposes_what_is_no_question(made):
    made.addon("cache", "questions: [{name: SIZE, default: 1}]\n", init="echo SIZ=3 >>$RIGGER_OUTPUT\n")
    assert (
        "SIZ, which is no question of cache (did you mean CACHE_SIZE?)"
        in made.rigger("module", "add", "cache", code=6).err
    )
    assert "MODULES" not in made.vars()


@pytest.mark.parametrize(
    "written, said",
    [
        ("not json", "is not JSON"),
        ("[1]", "is not one JSON object"),
        ('{"uses": ["node-9"]}', "node-9, which is no node"),
        ("{}", "size is not in its output ($RIGGER_STATE_OUTPUT), which cache promises"),
        ('{"size": "$TOKEN"}', "its output holds a secret"),
    ],
)
def test_an_output_that_cannot_be_used_fails_the_step_and_changes_nothing(made, written, said):
    made.addon(
        "cache",
        "provides: [size]\nquestions: [{name: TOKEN, type: secret, generate: {length: 32}}]\n",
        apply=f'cat >"$RIGGER_STATE_OUTPUT" <<END\n{written}\nEND\n',
    )
    made.rigger("module", "add", "cache")
    failed = made.rigger("provision", "cache", code=5)
    assert said in failed.out + failed.err
    assert made.state()["modules"]["cache"]["output"] == {} and made.status()["cache"] == "failed"


def test_what_others_must_give_is_missed_before_an_apply(made):
    made.addon("graphs", "needs: [monitoring.targets]\n")
    made.rigger("module", "add", "graphs")
    assert "graphs needs monitoring.targets" in made.rigger("provision", "graphs", code=4).err
    assert ("graphs", "apply") not in made.ran()
    made.addon("monitoring", "", apply='echo "{\\"targets\\": []}" >$RIGGER_STATE_OUTPUT\n')
    made.rigger("module", "add", "monitoring")
    made.rigger("provision", "monitoring")
    made.rigger("provision", "graphs")


def test_a_state_that_is_damaged_is_written_again(made):
    made.write_story()
    made.rigger("module", "add", "broker")
    made.rigger("provision", "broker")
    good = made.state()
    with open(made.path("state.json"), "w") as file:
        file.write('{"modules": {"bro')
    again = made.rigger("provision", "broker", "--again")
    assert "state.json could not be read as JSON" in again.out + again.err
    assert made.state()["modules"]["broker"]["output"] == good["modules"]["broker"]["output"]


def test_a_module_that_is_killed_in_the_middle_of_apply(made):
    made.addon("cache", "", apply='echo A=1 >>"$RIGGER_OUTPUT"\n[ -e "$HOME/go" ] || kill -9 $PPID\nexit 0\n')
    made.rigger("module", "add", "cache")
    made.rigger("provision", "cache", code=-9)
    state = made.state()["modules"]["cache"]
    assert state["status"] == "failed" and "has not ended" in state["problem"]
    assert "apply began in run" in made.rigger("module", "list").out
    with open(f"{made.rigger.env['HOME']}/go", "w"):
        pass
    said = made.rigger("provision", "cache").out
    assert "it was cut off in run" in said and made.status()["cache"] == "applied"
    assert 'CACHE_A="1"' in made.vars()


def test_search_by_label_version_and_word(made):
    made.write_story()
    made.addon("old", "version: 1.0\nlabels: {kind: broker, provides-broker: 2.9}\n")

    def found(*selectors, code=0):
        return [
            one["name"]
            for one in json.loads(made.rigger("module", "search", *selectors, "-o", "json").out)["modules"]
        ]

    shipped = ["monitoring", "node-exporter", "proxy"]
    assert found() == sorted(["broker", "old", *shipped])
    assert found("kind=broker") == ["broker", "old"]
    assert found("provides-broker>=2.10") == ["broker"]
    assert found("provides-broker<2.10") == ["old"]
    assert found("!provides-broker") == shipped
    assert found("kind=broker", "version<2") == ["old"]
    assert found("monit") == ["monitoring"]
    assert "did you mean kind?" in made.rigger("module", "search", "knd=broker", code=2).err
    assert "is no selector" in made.rigger("module", "search", "kind in (a)", code=2).err


def test_names_that_are_taken(made):
    made.addon("machines")
    made.addon("cache", "questions: [{name: A, default: 1}]\n")
    assert (
        "is the name of the provider or the platform" in made.rigger("module", "add", "machines", code=2).err
    )
    assert "'Big' is not a name" in made.rigger("module", "add", "cache", "--as", "Big", code=2).err
    assert "did you mean cache?" in made.rigger("module", "add", "cach", code=2).err
    assert "There is no add-on 'cache' here" in made.rigger("module", "remove", "cache", code=2).err
    assert "There is no add-on 'cach' here" in made.rigger("provision", "cach", code=2).err
    made.rigger("module", "add", "cache")
    assert "MODULES names the add-ons" in made.rigger("config", "set", "MODULES=x", code=2).err


AUDIT = """\
[ -e "$HOME/by-hand" ] || exit 0
cat "$HOME/by-hand" >>"$RIGGER_OUTPUT"
echo "node-3: listens on another port"
exit 8
"""


@pytest.fixture
def audited(made):
    made.addon(
        "cache",
        "questions: [{name: PORT, type: integer, default: 80}, {name: NAME1, default: a}]\n",
        audit=AUDIT,
    )
    made.rigger("module", "add", "cache")
    made.rigger("provision", "cache")
    made.rigger("audit", "cache")
    return made


def by_hand(made, text):
    with open(f"{made.rigger.env['HOME']}/by-hand", "w") as file:
        file.write(text)


def test_a_change_by_hand_is_found_and_taken_in(audited):
    by_hand(audited, "PORT=81\n")
    found = audited.rigger("audit", "cache", code=8).err
    assert "addons/cache/audit found differences" in found and "rigger audit --reflect" in found
    assert "CACHE_PORT" not in audited.vars()
    asked = audited.rigger("audit", "cache", "--reflect", code=2)
    assert "CACHE_PORT  80 -> 81" in asked.out and "CACHE_PORT" not in audited.vars()
    assert (
        "Taken into the configuration: CACHE_PORT." in audited.rigger("audit", "cache", "--reflect", "-y").out
    )
    assert 'CACHE_PORT="81"' in audited.vars()
    assert "CACHE_PORT 80 -> 81" in audited.rigger("provision", "--plan").out


@pytest.mark.parametrize(
    "text, said",
    [
        ("", "does not say which values would describe what it found"),
        ("PROT=81\n", "CACHE_PROT is no question of cache (did you mean CACHE_PORT?)"),
        ("PORT=81\nNOT_REFLECTED=a file in /etc\n", "addons/cache/audit: a file in /etc"),
    ],
)
def test_what_no_value_describes_is_refused(audited, text, said):
    by_hand(audited, text)
    refused = audited.rigger("audit", "--reflect", "-y", code=8).err
    assert said in refused and "nothing of it was" in refused
    assert "CACHE_PORT" not in audited.vars()


def test_what_a_provider_found_is_taken_in_too(machines):
    audit = 'echo "ADDRESSES=192.0.2.9" >>"$RIGGER_OUTPUT"\nexit 8\n'
    machines.modules.script(machines.modules.folder + "/providers/machines", "audit", audit)
    machines.rigger("provision")
    machines.rigger("audit", "machines", "--reflect", "-y")
    assert 'ADDRESSES="192.0.2.9"' in machines.vars()
    assert "There is no add-on 'machine' here" in machines.rigger("audit", "machine", code=2).err


@pytest.fixture
def cache(made):
    """Write an add-on with every optional script, apply it, and give the environment; its data is in $HOME/data."""
    made.addon(
        "cache",
        "version: 1.0\nquestions: [{name: SIZE, type: integer, default: 1}]\n",
        apply='echo first >"$HOME/data"\n',
        backup='cp "$HOME/data" "$RIGGER_BACKUP_FILE"\n',
        restore='cp "$RIGGER_BACKUP_FILE" "$HOME/data"\n',
        upgrade='echo "from $RIGGER_FROM_VERSION" >"$HOME/data"\n',
        scale='echo "{\\"size\\": $SIZE}" >"$RIGGER_STATE_OUTPUT"\n',
        test='grep -q first "$HOME/data"\n',
        check="exit 0\n",
    )
    made.rigger("module", "add", "cache")
    made.rigger("provision", "cache")
    return made


def data(made, text=None):
    path = f"{made.rigger.env['HOME']}/data"
    if text is not None:
        with open(path, "w") as file:
            file.write(text)
    with open(path) as file:
        return file.read().strip()


def test_backup_and_restore_of_an_addon(cache):
    said = cache.rigger("backup", "cache").out
    [file] = [line.split()[-1] for line in said.splitlines() if "rigger restore cache" in line]
    data(cache, "lost")
    assert "All data of cache will be replaced" in cache.rigger("restore", "cache", file, "-y").out
    assert data(cache) == "first" and cache.ran()[-2:] == [("cache", "restore"), ("cache", "check")]


def test_upgrade_of_an_addon(cache):
    assert "is of version 1.0 already" in cache.rigger("upgrade", "cache", code=2).err
    manifest = cache.modules.folder + "/addons/cache/rigger.yml"
    with open(manifest) as file:
        text = file.read()
    with open(manifest, "w") as file:
        file.write(text.replace("version: 1.0", "version: 1.10"))
    assert "is of version 1.10" in cache.rigger("upgrade", "cache", "--version", "2", code=2).err
    assert "cache runs 1.10." in cache.rigger("upgrade", "cache", "--version", "1.10").out
    assert data(cache) == "from 1.0"
    assert [step for _, step in cache.ran()[-3:]] == ["backup", "upgrade", "check"]
    assert cache.state()["modules"]["cache"]["version"] == "1.10" and cache.status()["cache"] == "applied"
    assert "already" in cache.rigger("upgrade", "cache", code=2).err


def test_scale_and_test_of_an_addon(cache):
    cache.rigger("scale", "cache", "--set", "SIZE=3")
    assert 'CACHE_SIZE="3"' in cache.vars()
    assert cache.state()["modules"]["cache"]["output"] == {"size": 3}
    assert (
        "must be a whole number, not 'few'" in cache.rigger("scale", "cache", "--set", "SIZE=few", code=2).err
    )
    assert "The test of cache passed." in cache.rigger("test", "cache").out
    data(cache, "other")
    assert "The test of cache failed." in cache.rigger("test", "cache", code=6).err


def test_a_verb_that_an_addon_has_not(made):
    simple(made, "disk", "storage")
    made.rigger("module", "add", "disk")
    for words in ("backup disk", "upgrade disk", "scale disk", "test disk"):
        assert f"disk has no {words.split()[0]}." in made.rigger(*words.split(), code=2).err
    made.addon("disk", "", scale="")
    assert "disk was never applied." in made.rigger("scale", "disk", code=2).err


def test_status_and_graph_know_addons(made):
    made.write_story()
    for name in ("broker", "monitoring"):
        made.rigger("module", "add", name, "--no-input")
    made.rigger("provision", "broker")
    said = made.rigger("status").out
    assert "broker      2.10  applied" in said and "monitoring  -     initialized" in said
    graph = made.rigger("graph", "-o", "mermaid").out
    assert "add-on broker 2.10" in graph and "waits: first time" in graph


def test_check_looks_at_addons_and_a_failed_one_is_applied_again(made):
    made.addon("cache", check='[ ! -e "$HOME/broken" ]\n')
    made.addon("other", check="exit 0\n")
    for name in ("cache", "other"):
        made.rigger("module", "add", name)
    made.rigger("provision")
    broken = f"{made.rigger.env['HOME']}/broken"
    with open(broken, "w"):
        pass
    assert "addons/cache/check exited 1" in made.rigger("check", code=5).err
    os.unlink(broken)
    before = len(made.ran())
    assert "the last check failed" in made.rigger("provision").out
    assert [one for one in made.ran()[before:] if one[1] == "apply"] == [("cache", "apply")]


@pytest.mark.slow
@pytest.mark.parametrize("how", ["ends", "stops"])
def test_suspend_and_resume_bring_addons_back(rigger, modules, how):
    machines = Machines(rigger, modules)
    provider = machines.modules.folder + "/providers/machines"
    for verb in ("suspend", "resume"):
        modules.script(provider, verb, "")
    with open(provider + "/rigger.yml", "a") as file:
        file.write(f"suspend: {how}\n")
    rigger("provision")
    simple(machines, "storage", "storage", backup='echo x >"$RIGGER_BACKUP_FILE"\n')
    simple(machines, "database", "database", "storage")
    for name in ("storage", "database"):
        rigger("module", "add", name)
        rigger("provision", name)
    said = rigger("suspend", "-y").out
    assert ('"rigger backup storage" keeps it' in said) == (how == "ends")
    removed = [name for name, verb in machines.ran() if verb == "destroy"]
    assert removed == (["database", "storage"] if how == "ends" else [])
    before = len(machines.ran())
    rigger("resume")
    applied = [name for name, verb in machines.ran()[before:] if verb in ("resume", "deploy", "apply")]
    assert applied == ["machines", "bare", "storage", "database"]
    assert set(machines.status().values()) == {"applied"}


@pytest.mark.slow
def test_plan_shows_what_the_plans_of_addons_say_and_applies_nothing(made):
    made.write_story()
    for name in ("monitoring", "broker"):
        made.rigger("module", "add", name, "--no-input")
    made.rigger("provision", "broker")
    said = made.rigger("provision", "monitoring", "--plan").out
    assert "monitoring would gain 3 targets" in said and "Only shown; nothing was done." in said
    assert ("monitoring", "apply") not in made.ran()
    said = made.rigger("provision", "monitoring", "--plan", "--exit-code", code=8).out
    assert "rigger provision monitoring --approved " in said
    made.rigger("provision", "monitoring")
    made.rigger("provision", "monitoring", "--plan", "--exit-code")  # its plan is run, and finds nothing
    made.rigger("provision", "monitoring", "--plan", "--exit-code", "-o", "json")


def test_a_scale_that_failed_is_put_right_by_the_next_apply(cache):
    cache.modules.script(cache.modules.folder + "/addons/cache", "scale", "exit 3\n")
    failed = cache.rigger("scale", "cache", code=5)
    assert "rigger scale cache" in failed.out + failed.err
    assert cache.status()["cache"] == "failed"
    assert "scale failed (exit 3) in run" in cache.rigger("provision").out
    assert cache.status()["cache"] == "applied"


def test_a_restore_that_failed_names_the_command_that_tries_again(cache):
    cache.modules.script(cache.modules.folder + "/addons/cache", "restore", "exit 3\n")
    file = f"{cache.rigger.env['HOME']}/data"
    failed = cache.rigger("restore", "cache", file, "-y", code=5)
    assert f"rigger restore cache {file}" in failed.out + failed.err


def test_a_platform_that_is_scaled_tells_monitoring_and_nothing_is_applied_until_asked(rigger, modules):
    create = 'for n in $(seq "$NODES"); do echo "{\\"name\\": \\"node-$n\\", \\"address\\": \\"127.0.0.$n\\"}"; done >>"$RIGGER_INVENTORY_OUTPUT"\n'
    modules.write(
        "provider",
        "soil",
        "questions: [{name: NODES, type: integer, default: 3}]\n",
        create=create,
        exec='shift\nexec "$@"\n',
    )
    modules.write("platform", "tree", "influences: [[{key: kind, operator: eq, values: [monitoring]}]]\n")
    count = (
        'has=$(cat "$RIGGER_STATE_DIR/targets" 2>/dev/null || echo 0)\nnow=$(wc -l <"$RIGGER_NODES_FILE")\n'
    )
    modules.write(
        "addon",
        "monitoring",
        "labels: {kind: monitoring}\n",
        plan=count + '[ "$has" = "$now" ] && exit 0\necho "$((now - has)) more targets"\nexit 8\n',
        apply=count + 'echo "$now" >"$RIGGER_STATE_DIR/targets"\n',
    )
    rigger("configure", "--defaults", "--provider", "soil", "--platform", "tree")
    rigger("provision")
    rigger("module", "add", "monitoring")
    rigger("provision", "monitoring")
    rigger("config", "set", "NODES=5")
    said = rigger("provision", "-y").out
    assert "monitoring would change: 2 more targets" in said
    targets = rigger.path("environments", "tree", "modules", "monitoring", "targets")
    with open(targets) as file:
        assert file.read() == "3\n"
    rigger("provision", "monitoring")
    with open(targets) as file:
        assert file.read() == "5\n"

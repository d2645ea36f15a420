"""Deployments as a team has them: by label, promoted, rolled back, and told as they were."""

import hmac
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap

import pytest
from helpers.image_registry import push, registry
from helpers.shop import CHECK, DEPLOY, MANIFEST, QUESTIONS, Shop, image

from rigger.environments.call import Call
from rigger.environments.home import Home
from rigger.operations import approval, rigger_carrier
from rigger.operations import deploy as operation
from rigger.operations.consent import Consent
from rigger.operations.deploy import Wanted
from rigger.operations.projects import opened
from rigger.runs.reporter import Silent


@pytest.fixture
def shop(rigger, modules):
    return Shop(rigger, modules)


@pytest.fixture
def deployed(shop):
    """A shop whose stage runs api:1."""
    shop.build("1")
    shop.deploy("stage", "latest", "--reason", "the first")
    return shop


def test_two_steps_from_a_build_to_a_deployment(shop):
    said = shop.build("1").out
    assert re.search(r"api +- +-> +1 +new\n +worker +- +-> +1 +new", said)
    said = shop.deploy("stage", "latest", "--reason", "the fix of the leak").out
    assert said.index("->") < said.index("==>"), "old and new are shown before anything runs"
    assert "runs in stage; its check said so" in said
    assert shop.runs() == image("1")
    [one] = shop.deployments()
    assert (one["status"], one["description"], one["applied"]) == ("confirmed", "the fix of the leak", True)
    assert one["requested_by"]["id"].endswith(f"@{os.uname().nodename}")
    assert one["requested_by"]["name"]
    assert one["run"] in os.listdir(shop.rigger.path("environments", "wood", "runs"))
    assert shop.label("stage") == {"api": image("1")}


def test_all_services_of_an_image_are_deployed(deployed):
    with open(deployed.noted) as file:
        assert file.read() == f"{image('1')} {image('1')}\n"
    path = deployed.rigger.path("environments", "wood", "modules", "shop", "images.json")
    with open(path) as file:
        assert json.load(file) == {"api": image("1"), "worker": image("1")}
    assert [one["service"] for one in deployed.status()["services"]] == ["api", "worker"]


def test_what_changes_and_the_commits_between_are_shown_first(shop):
    shop.git("init", "--quiet")
    shas = []
    for subject in ("the start", "mend the leak", "paint the door"):
        shop.git("commit", "--quiet", "--allow-empty", "-m", subject)
        shas.append(shop.git("rev-parse", "HEAD"))
    shop.build(f"ref.{shas[0]}")
    shop.deploy("stage", "latest")
    shop.build(f"main-{shas[2][:10]}")
    said = shop.rigger("deploy", "stage", "--plan").out
    assert re.search(rf"api +ref.{shas[0][:12]} +-> +main-{shas[2][:10]}", said)
    assert [line.strip() for line in said.splitlines() if line.strip().startswith("+")] == [
        f"+ {shas[2][:7]} paint the door",
        f"+ {shas[1][:7]} mend the leak",
    ]
    shop.deploy("stage")
    back = shop.rigger("deploy", "stage", "--rollback", "--plan").out
    assert f"- {shas[1][:7]} mend the leak" in back


def test_nothing_to_change_is_said_and_is_no_deployment(deployed):
    for words in (["stage", "latest"], ["stage"]):
        said = deployed.deploy(*words).out
        assert "nothing to change" in said and "by " in said and "--again" in said
    assert len(deployed.deployments()) == 1
    report = deployed.json("deploy", "stage")
    assert (report["nothing"], report["deployment"], report["exit_code"]) == (True, None, 0)
    deployed.deploy("stage", "--again")
    assert [one["status"] for one in deployed.deployments()] == ["confirmed", "confirmed"]
    assert len(deployed.json("release", "list")["releases"]) == 1


def test_nobody_to_ask_and_nothing_is_done(deployed):
    deployed.build("2")
    said = deployed.rigger("deploy", "stage", code=2)
    assert "There is no terminal to ask on: Deploy this to Staging?" in said.err
    assert re.search(r"api +1 +-> +2", said.out)
    assert len(deployed.deployments()) == 1 and deployed.label("stage") == {"api": image("1")}


def test_promote_brings_the_very_release(rigger, modules):
    shop = Shop(rigger, modules, ("wood", "forest"))
    assert "no release to promote" in shop.deploy("--promote", "stage", "prod", code=2).err
    shop.build("1")
    shop.deploy("stage")
    shop.build("2")  # what is built meanwhile is not what is promoted
    shop.deploy("--promote", "stage", "prod")
    assert (shop.runs("forest"), shop.label("prod")) == (image("1"), {"api": image("1")})
    [one], [other] = shop.deployments(), shop.deployments("prod")
    assert one["release_id"] == other["release_id"] and other["description"] == "promoted from stage"
    assert "has its own release" in shop.deploy("--promote", "stage", "stage", code=2).err
    shop.build("sick")
    shop.deploy("stage", code=5)
    said = shop.deploy("--promote", "stage", "prod", code=2).err
    assert "What runs in stage is not certain" in said and "has the status failed" in said


def test_rollback_brings_back_what_ran_before(deployed):
    assert "Nothing else ran in stage before" in deployed.deploy("stage", "--rollback", code=2).err
    for tag in ("2", "3"):
        deployed.build(tag)
        deployed.deploy("stage")
    deployed.deploy("stage", "--rollback")
    assert (deployed.runs(), deployed.label("stage")) == (image("2"), {"api": image("2")})
    assert [one["status"] for one in deployed.deployments()] == [
        "confirmed",
        "confirmed",
        "rolled-back",
        "confirmed",
    ]
    last = deployed.deployments()[-1]
    assert last["undoes"] == deployed.deployments()[2]["deployment_id"]
    deployed.deploy("stage", "--rollback")
    assert deployed.runs() == image("1"), "and not what was rolled back"


def test_a_deployment_that_failed_is_no_deployment(deployed):
    deployed.build("broken")
    said = deployed.deploy("stage", code=5)
    assert "shop/deploy exited 1" in said.err and "rigger -e wood logs" in said.err
    assert "rigger deploy stage --rollback" in said.err and "rigger provision" not in said.err
    last = deployed.deployments()[-1]
    assert (last["status"], last["applied"]) == ("failed", False) and "shop/deploy exited 1" in last[
        "problem"
    ]
    assert deployed.label("stage") == {"api": image("1")}
    assert deployed.value() == image("1"), "whoever provisions next brings what the label says"
    shown = deployed.rigger("release", "status").out
    assert re.search(r"stage +api +1 ", shown) and "is failed" in shown and "shop/deploy exited 1" in shown
    assert deployed.status()["certain"] is False
    deployed.build("2")
    deployed.deploy("stage")
    assert (deployed.runs(), deployed.status()["certain"]) == (image("2"), True)
    assert deployed.deployments()[-1]["previous"] == deployed.deployments()[0]["release_id"]


def test_the_first_one_that_failed_leaves_no_label(shop):
    shop.build("broken")
    shop.deploy("stage", code=5)
    assert shop.label("stage") == {} and shop.value() == "none"
    assert not os.path.exists(shop.rigger.path("environments", "wood", "images.json"))
    assert "nothing was confirmed here yet" in shop.rigger("release", "status").out


def test_what_no_check_confirms_is_not_confirmed(deployed):
    deployed.build("sick")
    report = json.loads(deployed.deploy("stage", "-o", "json", code=5).out)
    assert report["deployment"]["status"] == "failed" and report["deployment"]["applied"] is True
    said = report["error"]["message"]
    assert "no check confirmed it within 2 s" in said and "shop/check exited 1" in said
    assert "rigger deploy stage --rollback" in report["error"]["next"]
    assert deployed.label("stage") == {"api": image("sick")}, "that is what was applied"
    shown = deployed.rigger("release", "status").out
    assert "is failed. It was applied, and no check confirmed it" in shown
    deployed.deploy("stage", "--rollback")
    assert (deployed.runs(), deployed.label("stage")) == (image("1"), {"api": image("1")})
    assert [one["status"] for one in deployed.deployments()] == ["confirmed", "rolled-back", "confirmed"]


@pytest.mark.slow
def test_what_gets_well_in_time_is_confirmed(deployed):
    deployed.build("late")
    said = deployed.deploy("stage", "--confirm-within", "1m", "--confirm-every", "1s", fast=False).out
    assert "It may need more time." in said and "Not yet: " in said
    assert deployed.deployments()[-1]["status"] == "confirmed"


@pytest.mark.slow
def test_applications_that_are_watched_have_to_be_right(deployed):
    suites = "suites: {app-deploy: {tests: [app-deploy]}, app-test: {tests: [app-test]}}\n"
    scripts = {
        "tests/app-deploy": "",
        "tests/app-test": 'case $IMAGE_API in *lossy*) echo "2 keys are lost"; exit 1 ;; esac\n',
    }
    deployed.modules.write(
        "platform", "shop", textwrap.dedent(QUESTIONS) + suites, deploy=DEPLOY, check=CHECK, **scripts
    )
    deployed.build("lossy")
    deployed.deploy("stage")  # nothing is watched yet
    deployed.rigger("-e", "wood", "test", "app-deploy")
    said = deployed.deploy("stage", "--again", code=5).err
    assert "no check confirmed it within 2 s: 1 of 1 tests failed: app-test." in said
    assert deployed.status()["certain"] is False
    deployed.build("2")
    assert "app-test" in deployed.deploy("stage").out
    assert deployed.deployments()[-1]["status"] == "confirmed"


def test_the_configuration_is_resolved_once_before_a_deployment_begins(deployed, monkeypatch):
    monkeypatch.chdir(deployed.rigger.folder)
    for name, value in deployed.rigger.env.items():
        monkeypatch.setenv(name, value)
    deployed.build("2")
    found, resolve = [], rigger_carrier.resolve
    monkeypatch.setattr(rigger_carrier, "resolve", lambda *given: found.append(given) or resolve(*given))
    monkeypatch.setattr(approval, "resolve", rigger_carrier.resolve)
    at = opened(Home(deployed.rigger.home), Call(plans=True))
    assert operation.deploy(at, "stage", Wanted(), Silent(), Consent(yes=True)).digest
    assert len(found) == 1


def test_what_is_missing_is_one_sentence_of_the_record(deployed):
    with open(os.path.join(deployed.platform, "rigger.yml"), "a") as file:
        file.write("tools: [no-such-tool, nor-this-one]\n")
    deployed.build("2")
    said = deployed.deploy("stage", code=4).err
    assert "nor-this-one: not on PATH; shop needs it" in said and "remedy: install it" in said
    sentence = "Not ready, nothing was started: tool no-such-tool (not on PATH; shop needs it), and 1 more."
    assert deployed.deployments()[-1]["problem"] == sentence
    assert deployed.label("stage") == {"api": image("1")} and deployed.value() == image("1")


@pytest.mark.parametrize("tag", ["2", "sick"])
def test_a_plan_is_approved_by_its_digest(deployed, tag):
    deployed.build("2")
    plan = deployed.json("deploy", "stage", "--plan")
    assert plan["deployment"] is None and plan["new_release"] is True
    assert plan["changes"][0]["old"] == image("1") and plan["changes"][0]["new"] == image("2")
    assert deployed.json("deploy", "stage", "--plan", "--exit-code", code=8)["outcome"] == "differs"
    assert len(deployed.json("release", "list")["releases"]) == 1, "a plan makes nothing"
    if tag == "sick":
        deployed.build("sick")
        said = deployed.deploy("stage", "--approved", plan["digest"], code=8)
        assert "was made of something else" in said.err and "rigger deploy stage latest --plan" in said.err
        assert len(deployed.deployments()) == 1
    else:
        deployed.deploy("stage", "--approved", plan["digest"])
        assert deployed.runs() == image("2")


@pytest.mark.slow
def test_a_request_is_carried_out_once(deployed):
    deployed.build("2")
    words = ("stage", "latest", "--request", "build-17")
    deployed.deploy(*words)
    deployed.build("3")
    report = json.loads(deployed.deploy(*words, "-o", "json").out)
    assert report["repeated"] is True and report["deployment"]["status"] == "confirmed"
    assert deployed.runs() == image("2")
    said = deployed.deploy("stage", "--rollback", "--request", "build-17", code=2).err
    assert 'Request build-17 is "rigger deploy stage latest' in said
    deployed.build("broken")
    for _ in range(2):
        assert "shop/deploy exited 1" in deployed.deploy("stage", "--request", "build-18", code=5).err
    assert deployed.deployments()[-1]["exit_code"] == 5
    assert len(deployed.deployments()) == 3


@pytest.mark.slow
def test_some_services_of_a_label_and_the_rest_of_another(deployed):
    deployed.rigger("image", "set", "latest", f"api={image('2')}", f"notifier={image('7', 'notifier')}")
    said = deployed.rigger("release", "create", "--from", "stage", "--service", "notifier=latest", "-y").out
    assert "api       1" in said and re.search(r"notifier +- +-> +7 +new", said)
    release = deployed.json("release", "list")["releases"][0]
    assert release["images"] == {"api": image("1"), "notifier": image("7", "notifier")}
    deployed.deploy("stage", release["release_id"][:8])
    services = {one["service"]: one for one in deployed.status()["services"]}
    assert services["api"]["release"] != services["notifier"]["release"] == release["release_id"]
    diff = deployed.json("release", "diff", "latest", "stage")
    assert [(one["service"], one["old"], one["new"]) for one in diff["changes"]] == [
        ("api", image("2"), image("1")),
        ("worker", image("2"), image("1")),
    ]


@pytest.mark.slow
def test_what_a_release_has_not_stays(deployed):
    """A release of one service alone; whoever gets all images at once hears of the others too."""
    deployed.rigger("image", "set", "alone", f"notifier={image('7', 'notifier')}")
    said = deployed.deploy("stage", "alone").out
    assert re.search(r"api +1 +stays\n +notifier +- +-> +7 +new", said)
    path = deployed.rigger.path("environments", "wood", "images.json")
    with open(path) as file:
        assert json.load(file) == {
            "api": image("1"),
            "worker": image("1"),
            "notifier": image("7", "notifier"),
        }
    assert deployed.label("stage") == {"api": image("1"), "notifier": image("7", "notifier")}
    deployed.rigger("image", "set", "next", f"api={image('2')}")
    deployed.deploy("stage", "next")
    deployed.deploy("stage", "--rollback")
    assert deployed.label("stage") == {"api": image("1"), "notifier": image("7", "notifier")}
    assert deployed.runs() == image("1")


def test_the_record_of_a_release_is_printed_as_it_is(deployed):
    id = deployed.json("release", "list")["releases"][0]["release_id"]
    record = deployed.json("release", "show", id[:6])
    assert (record["release_id"], record["project_id"], record["images"]) == (
        id,
        "storage",
        {"api": image("1")},
    )
    assert json.loads(record["release_manifest"])["images"] == {"api": image("1")}
    assert record["deployments"][0]["environment"] == {"id": "stage", "name": "Staging"}
    assert "the first" in deployed.rigger("release", "show", id[:6]).out


# What cannot be


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("deploy stge", 2, "has no environment 'stge' (did you mean stage?)"),
        ("deploy dev", 3, "it does not say what deploys to dev"),
        ("deploy stage nothing", 2, "There is no release 'nothing'"),
        ("deploy stage prod", 2, "prod is an environment"),
        ("deploy stage latest --rollback", 2, "latest and --rollback are two releases"),
        ("deploy prod", 3, "There is no environment named 'forest'"),
        ("deploy stage --approved xyz", 2, "is no digest"),
        ("deploy stage --confirm-within soon", 2, "--confirm-within 'soon' is no time"),
        ("image set latest api", 2, "'api' does not say the image of a service"),
        ("image set latest apo=a:1", 2, "has no service 'apo' (did you mean api?)"),
        ("image set latest api=a:1 worker=a:2", 2, "api is given twice, with two images"),
        ("image set latest api=-rf", 2, "does not say the image"),
        ("image set stage api=a:1", 2, "stage is an environment: its label says what was deployed there"),
        ("image set {empty} api=a:1", 2, "A label must not be empty"),
        ("image set a/b api=a:1", 2, "'a/b' is not a label"),
        ("image list nothing", 2, "Label nothing means nothing yet"),
        ("release create --from {empty}", 2, "A label must not be empty"),
        ("release create --from none", 2, "'none' is neither a label that means something nor a release"),
        ("release create --service api=prod", 2, "Nothing was deployed to prod yet"),
        ("release create --service notifier=latest", 2, "latest has no image of notifier"),
        ("release create --service api", 2, "does not say what the service is taken from"),
        ("release show 0000", 2, "There is no release '0000'"),
        ("release diff latest prod", 2, "Nothing was deployed to prod yet"),
        ("release list -e wood", 2, "-e wood has no meaning here: rigger release list is about a project"),
        ("-e wood deploy stage", 2, "-e wood has no meaning here: rigger deploy is about a project"),
        ("release list --project none", 2, "has no project 'none'"),
        ("release list --project-file none", 2, "There is no file none"),
    ],
)
def test_bad_input_is_a_sentence_and_changes_nothing(shop, words, code, said):
    shop.build("1")
    path = shop.rigger.path("projects", "storage", "releases.jsonl")
    with open(path, "rb") as file:
        before = file.read()
    answer = shop.rigger(
        *(word.replace("{empty}", "") for word in words.split()),
        "-y" * ("list" not in words and "show" not in words and "diff" not in words) or "-ojson",
        code=code,
    )
    assert said in answer.err and "Traceback" not in answer.err
    assert len(answer.err.strip().splitlines()) > 1, "the next step"
    with open(path, "rb") as file:
        assert file.read() == before


def test_a_label_that_means_nothing_cannot_be_released(shop):
    for words in (["release", "create"], ["deploy", "stage"]):
        said = shop.rigger(*words, "-y", code=2).err
        assert "Label latest means nothing yet, so there is nothing to release" in said
        assert "rigger image set latest" in said
    assert not os.path.exists(shop.rigger.path("projects", "storage", "releases.jsonl"))


def test_a_service_that_left_the_manifest(deployed):
    manifest = json.loads(json.dumps(MANIFEST))
    manifest["storage"]["image_repositories"] = [{"id": "notifier"}]
    deployed.write(manifest)
    said = deployed.deploy("stage", code=2).err
    assert "latest has an image of api, which is no service of" in said
    assert '"rigger image set latest api=" takes it away' in said
    deployed.rigger("image", "set", "latest", "api=", f"notifier={image('1', 'notifier')}")
    assert deployed.label("latest") == {"notifier": image("1", "notifier")}
    assert deployed.status()["services"][0]["service"] == "api", "it still runs"


def test_an_environment_that_has_no_use_for_an_image(deployed):
    deployed.modules.write(
        "platform",
        "shop",
        "versions: [1.0.0]\nquestions: [{name: IMAGE_API, default: none, changes: deploy}]\n",
    )
    deployed.build("2")
    said = deployed.deploy("stage", code=3).err
    assert "wood has no use for the image of worker" in said and "IMAGE_WORKER" in said
    deployed.modules.write(
        "platform",
        "shop",
        "versions: [1.0.0]\nquestions: [{name: RELEASE_IMAGES, default: none, changes: none}]\n",
    )
    assert (
        "Nothing would run again in wood for another RELEASE_IMAGES" in deployed.deploy("stage", code=3).err
    )
    assert len(deployed.deployments()) == 1


def test_a_platform_that_takes_all_images_at_once(shop):
    deploy = 'printf %s "$RELEASE_IMAGES" >"$RIGGER_STATE_DIR/running"\n'
    questions = "versions: [1.0.0]\nquestions: [{name: RELEASE_IMAGES, default: none, changes: deploy}]\n"
    shop.modules.write(
        "platform", "shop", questions, deploy=deploy, check='grep -q api:1 "$RIGGER_STATE_DIR/running"\n'
    )
    shop.build("1")
    shop.deploy("stage")
    assert json.loads(shop.runs()) == {"api": image("1"), "worker": image("1")}


def test_a_clock_that_is_behind(deployed):
    """The record of a machine whose clock was wrong stands in the way until somebody says which one is right."""
    deployed.build("2")
    path = deployed.rigger.path("environments", "wood")
    program = "from rigger.releases.folder import FolderStore; from rigger.environments.home import Home; from rigger.releases.model import Release, Named; import sys; FolderStore(Home(), 'storage').put_release(Release('r9', Named('storage', 's'), '2099-01-01T00:00:00.000000', Named('a', 'a'), '', {'api': 'a:9'}))"
    subprocess.run([sys.executable, "-c", program], env=deployed.rigger.env, check=True)
    said = deployed.deploy("stage", code=4).err
    assert "The clock of this machine says 20" in said and "is from 2099-01-01 00:00 UTC" in said
    assert "--clock-is-right" in said and os.path.isdir(path)
    assert len(deployed.deployments()) == 1
    deployed.deploy("stage", "--clock-is-right")
    assert deployed.runs() == image("2")


def test_ids_that_look_like_dates_or_numbers(rigger, modules):
    manifest = """
        20261120:
          environments: [{id: 2026-11-20, rigger: {environment: wood}}]
          image_repositories: [{id: 1.10, services: [api, worker]}]
    """
    shop = Shop(rigger, modules, manifest=manifest)
    rigger("image", "set", "2026-01-01", "1.10=a:1e3")
    shop.deploy("2026-11-20", "2026-01-01")
    assert shop.label("2026-11-20") == {"1.10": "a:1e3"} and shop.runs() == "a:1e3"
    assert shop.status("2026-11-20")["services"][0]["image"] == "1.10"


def test_records_that_somebody_changed_are_refused_until_repaired(deployed):
    path = deployed.rigger.path("projects", "storage", "releases.jsonl")
    with open(path) as file:
        text = file.read()
    with open(path, "w") as file:
        file.write(text.replace("the first", "the worst"))
    said = deployed.rigger("release", "status", code=3).err
    assert "is not what rigger wrote" in said and "rigger release repair" in said
    assert "There is no terminal to ask on" in deployed.rigger("release", "repair", code=2).err
    said = deployed.rigger("release", "repair", "-y").out
    assert "continues with what can be proved" in said
    assert deployed.rigger("release", "status").code == 0
    assert "nothing to repair" in deployed.rigger("release", "repair", "-y").out
    assert any(".damaged-" in name for name in os.listdir(os.path.dirname(path)))


# What a registry says


@pytest.mark.skipif(not (shutil.which("skopeo") and shutil.which("docker-registry")), reason="no registry")
def test_images_are_pinned_by_the_digest_that_the_registry_says(shop, tmp_path):
    with registry(tmp_path / "registry") as address:
        digest = push(str(tmp_path), address, "api")
        said = shop.rigger("image", "set", "latest", f"api={address}/api:1").out
        assert f"1 ({digest[7:19]})" in said
        assert shop.label("latest") == {"api": f"{address}/api:1@{digest}"}
        said = shop.rigger("image", "set", "latest", f"notifier={address}/none:1").out
        assert "notifier is not pinned to a digest: " in said and "unknown" in said
    assert shop.label("latest")["notifier"] == f"{address}/none:1"
    shop.rigger("image", "set", "latest", f"api={address}/api@{digest}")


@pytest.mark.skipif(not (shutil.which("skopeo") and shutil.which("docker-registry")), reason="no registry")
def test_commits_that_images_say_by_their_labels(shop, tmp_path):
    shop.git("init", "--quiet")
    shas = []
    for subject in ("the start", "mend the leak"):
        shop.git("commit", "--quiet", "--allow-empty", "-m", subject)
        shas.append(shop.git("rev-parse", "HEAD"))
    with registry(tmp_path / "registry") as address:
        for number, sha in enumerate(shas):
            folder = tmp_path / sha[:7]
            folder.mkdir()
            push(str(folder), address, f"api{number}", labels={"org.opencontainers.image.revision": sha})
        shop.rigger("image", "set", "old", f"api={address}/api0:1")
        shop.rigger("image", "set", "new", f"api={address}/api1:1")
        assert f"+ {shas[1][:7]} mend the leak" in shop.rigger("release", "diff", "old", "new").out


# Who asks, and who says no


def test_what_a_hook_refuses_is_declined_and_as_before(deployed):
    hooks = deployed.rigger.path("hooks")
    os.makedirs(hooks, exist_ok=True)
    hook = os.path.join(hooks, "pre-provision")
    with open(hook, "w") as file:
        file.write("#!/bin/sh\necho 'Not on a Friday.'\nexit 1\n")
    os.chmod(hook, 0o755)
    deployed.build("2")
    said = deployed.deploy("stage", code=10).err
    assert "Not on a Friday." in said
    last = deployed.deployments()[-1]
    assert last["status"] == "failed" and last["problem"].startswith("It was declined: ")
    assert "Not on a Friday." in last["problem"]
    assert deployed.label("stage") == {"api": image("1")} and deployed.value() == image("1")


def test_for_whom_it_is_done_where_that_is_proved(shop):
    shop.build("1")
    key = "k" * 40
    path = shop.rigger.path("actor.key")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        file.write(key)
    proof = hmac.new(key.encode(), b"anna\nstorage\nbuild-7", "sha256").hexdigest()
    env = {"RIGGER_ACTOR": "anna", "RIGGER_ACTOR_PROOF": proof}
    assert "nothing proves that" in shop.deploy("stage", env=env, code=2).err
    shop.deploy("stage", "--request", "build-7", env=env)
    [one] = shop.deployments()
    assert one["requested_by"]["id"] == "anna" and "(by " in one["requested_by"]["name"]
    run = json.loads(shop.rigger("-e", "wood", "history", "-o", "json").out)["runs"]
    assert any("anna" in json.dumps(each) for each in run)

"""What happens as a stream: records and what steps print, from any place on, in one order."""

import json
import time

import pytest
from helpers.clusters import wait_for

from rigger.errors import BadUsage
from rigger.operations.events import Offset


@pytest.fixture
def cluster(cluster):
    cluster.configure()
    return cluster


def stream(cluster, *words):
    said = cluster.rigger("logs", "--follow", "-o", "json", *words)
    return [json.loads(line) for line in said.out.splitlines()]


def printed(events, step):
    return "".join(event["text"] for event in events if event["type"] == "log" and event["step"] == step)


def test_records_and_what_steps_print_in_their_order(cluster):
    cluster.script("platform", "deploy", "echo 'one é'; echo two")
    cluster.rigger("provision")
    events = stream(cluster)
    assert {event["version"] for event in events} == {1}
    records = [event["record"] for event in events if event["type"] == "record"]
    every = cluster.records()
    assert records == every[every.index(records[0]) :] and records[0]["event"] == "run-started"
    assert printed(events, "deploy") == "one é\ntwo\n"
    at = [n for n, event in enumerate(events) if event["type"] == "log" and event["step"] == "deploy"][0]
    assert events[at - 1]["record"]["event"] == "step-started"
    assert events[at + 1]["record"]["event"] == "step-finished"


@pytest.mark.slow
def test_it_goes_on_from_every_offset(cluster):
    cluster.script("platform", "deploy", "seq 20000")
    cluster.rigger("provision")
    whole = stream(cluster, "--from", "0")
    assert len([event for event in whole if event["type"] == "log"]) > 1
    for number in range(0, len(whole), 3):
        assert stream(cluster, "--from", whole[number]["offset"]) == whole[number + 1 :]


@pytest.mark.slow
def test_a_run_is_told_while_it_goes_on(cluster):
    cluster.script(
        "platform", "deploy", 'echo begun; while [ ! -e "$RIGGER_HOME/go" ]; do sleep 0.05; done; printf over'
    )
    process = cluster.rigger.start("provision")
    wait_for(lambda: "platform/deploy" in cluster.ran())
    follower = cluster.rigger.start("logs", "--follow", "-o", "json")
    heard = []
    while not heard or heard[-1].get("text") != "begun\n":
        heard.append(json.loads(follower.stdout.readline()))
    assert follower.poll() is None
    time.sleep(0.5)
    open(cluster.rigger.path("go"), "w").close()
    heard += [json.loads(line) for line in follower.stdout]
    assert follower.wait(30) == 0 and process.wait(60) == 0
    process.communicate()
    follower.stdout.close()
    assert printed(heard, "deploy") == "begun\nover"
    assert heard[-1]["record"]["event"] == cluster.records()[-1]["event"]


def test_no_secret_is_told(cluster):
    cluster.rigger("config", "set", "TOKEN=a-secret-token")
    cluster.script("platform", "deploy", 'echo "$TOKEN"')
    cluster.rigger("provision")
    said = cluster.rigger("logs", "--follow", "-o", "json", "--from", "0").out
    assert "a-secret-token" not in said and "***" in printed(stream(cluster), "deploy")


@pytest.mark.parametrize("text", ["", "x", "1+", "-1", "1+2+3"])
def test_what_is_no_offset(text):
    with pytest.raises(BadUsage, match="is no offset"):
        Offset.parse(text)


def test_an_offset_is_written_as_it_is_read():
    for place in (Offset(), Offset(3), Offset(3, 17)):
        assert Offset.parse(str(place)) == place


def test_it_is_for_streams_alone(cluster):
    assert "Add --follow -o json" in cluster.rigger("logs", "--from", "0", code=2).err
    assert "two places" in cluster.rigger("logs", "1", "--follow", "-o", "json", "--from", "0", code=2).err
    assert stream(cluster)[0]["record"]["event"] == "configured"

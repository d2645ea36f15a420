"""Machines that cost money are agreed to before they are made for the first time."""

import json
import os
import signal
import time
from decimal import Decimal

import pexpect
import pytest

from rigger.configuration.finder import ModuleFinder
from rigger.modules.prices import costs_of

PRICES = """
currency: EUR
date: 2026-01-31
source: https://kiln.example/prices
without: tax
items:
  - {name: "pot of {{ SIZE }}", count: "{{ NODES }}", kind: "{{ SIZE }}", monthly: {small: 5.25, large: 10}}
  - {name: address, count: "{{ NODES }}", hourly: 0.001}
  - {name: fence, when: "{{ NODES | int > 3 }}", monthly: 1}
"""
MANIFEST = """
    costs: prices.yml
    questions:
      - {name: NODES, type: integer, default: 2}
      - {name: SIZE, type: select, choices: [small, large, huge], default: small}
"""


@pytest.fixture
def kiln(rigger, modules):
    notes = os.path.join(rigger.folder, "notes")
    scripts = {
        verb: f"echo {verb} >>'{notes}'\n" for verb in ("install", "create", "check", "destroy", "plan")
    }
    scripts["plan"] += "echo + two pots of clay\nexit 8\n"
    folder = modules.write("provider", "kiln", MANIFEST, **scripts)
    with open(os.path.join(folder, "prices.yml"), "w") as file:
        file.write(PRICES)
    rigger("configure", "--no-input", "--name", "pots", "--provider", "kiln", "--platform", "noop")

    def ran():
        with open(notes) as file:
            return file.read().split()

    rigger.ran, rigger.kiln = ran, folder
    return rigger


def talk(rigger, *arguments, answer, code):
    child = pexpect.spawn(
        rigger.argv[0], [*rigger.argv[1:], *arguments], env={**rigger.env, "TERM": "dumb"}, cwd=rigger.folder,
        dimensions=(40, 100), timeout=30, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    child.expect("a month\\?")
    before = child.before
    child.send(answer)
    said = before + child.read()
    child.close()
    assert child.exitstatus == code, said
    return said.decode().replace("\r\n", "\n")


@pytest.mark.slow
def test_the_providers_plan_and_the_price_are_shown_and_declining_makes_nothing(kiln):
    said = talk(kiln, "provision", answer="no\n", code=10)
    assert "+ two pots of clay" in said
    assert "What it costs in a month, by the list prices of 2026-01-31, without tax:" in said
    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert "2 x pot of small 10.50 EUR" in lines and "2 x address 1.46 EUR" in lines
    assert "in all 11.96 EUR" in lines and "fence" not in said
    assert (
        "Prices from https://kiln.example/prices" in said
        and "Make these machines, for about 11.96 EUR" in said
    )
    assert kiln.ran() == ["install", "plan"]
    talk(kiln, "provision", answer="yes\n", code=0)
    assert "create" in kiln.ran()


@pytest.mark.slow
def test_nobody_is_asked_with_yes_and_not_a_second_time(kiln):
    assert "Make these machines" in kiln("provision", code=2).err
    said = kiln("provision", "-y")
    assert "11.96 EUR" in said.out and kiln.ran().count("plan") == 0
    kiln("config", "set", "NODES=4")
    assert "EUR" not in kiln("provision").out
    kiln("destroy", "-y")
    assert "Make these machines" in kiln("provision", code=2).err


@pytest.mark.slow
def test_what_has_no_price_is_unknown_and_the_sum_says_so(kiln):
    kiln("config", "set", "SIZE=huge", "NODES=1")
    said = kiln("provision", "-y").out
    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert "1 x pot of huge unknown" in lines and "in all at least 0.73 EUR" in lines


def test_prices_that_are_over_a_year_old_say_so(kiln):
    path = os.path.join(kiln.kiln, "prices.yml")
    for date, old in ((time.strftime("%Y-%m-%d"), False), ("2020-02-29", True)):
        with open(path, "w") as file:
            file.write(PRICES.replace("2026-01-31", date))
        said = kiln("provision", code=2)
        assert f"by the list prices of {date}" in said.out
        assert ("They are over a year old: look there" in said.out) == old
    with open(path, "w") as file:
        file.write(PRICES.replace("2026-01-31", "2025-02-30"))
    assert "'2025-02-30' is not a date" in kiln("provision", code=9).err


def test_a_manifest_may_say_that_the_price_is_unknown(kiln):
    path = os.path.join(kiln.kiln, "rigger.yml")
    with open(path) as file:
        text = file.read()
    with open(path, "w") as file:
        file.write(text.replace("prices.yml", "unknown"))
    said = kiln("provision", code=2)
    assert "What these machines cost is unknown." in said.out
    assert "Make these machines, although what they cost is unknown?" in said.err


@pytest.mark.slow
def test_a_plan_says_what_it_costs(kiln):
    assert "in all" in kiln("provision", "--plan").out
    known = json.loads(kiln("provision", "--plan", "-o", "json").out)["costs"]
    assert (known["monthly"], known["complete"], known["currency"]) == (11.96, True, "EUR")


@pytest.mark.slow
def test_another_price_runs_nothing_again(kiln):
    kiln("provision", "-y")
    with open(os.path.join(kiln.kiln, "prices.yml"), "a") as file:
        file.write("  - {name: kiln, monthly: 3}\n")
    assert "up to date" in kiln("provision", "--plan").out and kiln.ran().count("create") == 1


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("- {name: x, monthly: -1}", "'-1' is not a price"),
        ("- {name: x, monthly: {a: NaN}}", "'NaN' is not a price"),
        ("- {name: x, count: many}", "'many' is no count"),
        ("- {monthly: 1}", "the field 'name' is missing"),
        ("- {name: x, yearly: 1}", "there is no such field"),
    ],
)
def test_a_table_that_is_wrong_is_refused_by_its_file(kiln, line, reason):
    with open(os.path.join(kiln.kiln, "prices.yml"), "a") as file:
        file.write(f"  {line}\n")
    said = kiln("provision", "-y", code=9)
    assert reason in said.err and "prices.yml" in said.err


@pytest.mark.parametrize(
    ("name", "values", "total"),
    [
        ("aws", {"AWS_REGION": "us-east-1", "INSTANCE_TYPE": "t3.small", "DISK_SIZE": "20"}, "77.727"),
        ("aws", {"AWS_REGION": "eu-central-1", "INSTANCE_TYPE": "x9.huge", "DISK_SIZE": "20"}, None),
        ("digitalocean", {"SIZE": "s-1vcpu-2gb", "VOLUME_SIZE": "10", "LOAD_BALANCER": "true"}, "51"),
        ("hetzner", {"SERVER_TYPE": "cx23", "LOCATION": "fsn1"}, "17.97"),
        ("hetzner", {"SERVER_TYPE": "cx23", "LOCATION": "ash"}, None),
    ],
)
def test_the_tables_of_riggers_own_providers(rigger, name, values, total):
    provider = ModuleFinder(rigger.home).module("provider", name)
    costs = costs_of(provider, {"NODES": "3", "RIGGER_PLATFORM_PORTS": "2379", **values})
    assert costs.complete == (total is not None)
    assert total is None or costs.total == Decimal(total)


@pytest.mark.parametrize("name", ["local", "ssh", "noop"])
def test_what_costs_nothing_asks_nothing(rigger, name):
    assert not ModuleFinder(rigger.home).module("provider", name).costs


@pytest.mark.slow
def test_a_terraform_provider_shows_terraforms_own_plan(rigger, modules):
    folder = modules.write("provider", "pots", "costs: prices.yml\nterraform: {minimum: 1.4.0}\n")
    for name in ("install", "create", "check", "destroy"):
        os.unlink(os.path.join(folder, name))
    with open(os.path.join(folder, "main.tf"), "w") as file:
        file.write('resource "terraform_data" "pot" { input = "clay" }\noutput "nodes" { value = [] }\n')
    with open(os.path.join(folder, "prices.yml"), "w") as file:
        file.write("currency: EUR\ndate: 2026-01-31\nsource: here\nitems: [{name: pot, monthly: 7}]\n")
    rigger("configure", "--no-input", "--name", "p", "--provider", "pots", "--platform", "noop")
    said = talk(rigger, "provision", answer="no\n", code=10)
    assert "# terraform_data.pot will be created" in said and "Plan: 1 to add" in said
    assert "1 x pot 7.00 EUR" in " ".join(said.split())
    talk(rigger, "provision", answer="yes\n", code=0)
    assert "terraform_data.pot" in rigger("terraform", "state", "list").out

"""Values, got, set, unset and compared from Python."""

import pytest

from rigger.errors import BadUsage
from rigger.operations.provision import provision
from rigger.operations.values import compare_values, get_value, list_values, set_values, unset_values


def configured_by(environment) -> list:
    return [r["changed"] for r in environment.audit.records() if r.get("by") == "rigger config"]


# get


def test_a_value_and_where_it_comes_from(wood):
    set_values(wood, {"COLOUR": "red", "TOKEN": "a-secret-token"})
    assert get_value(wood, "COLOUR").as_dict()["values"][0]["value"] == "red"
    assert (get_value(wood, "COLOUR").source, get_value(wood, "NODES").source) == ("set", "default")
    rows = {row["name"]: row for row in list_values(wood).as_dict()["values"]}
    assert rows["COLOUR"] == {"name": "COLOUR", "value": "red", "source": "set"}
    assert rows["TOKEN"]["value"] == "***"


def test_a_secret_is_shown_to_whom_asks_for_it_alone(wood):
    set_values(wood, {"TOKEN": "a-secret-token"})
    with pytest.raises(BadUsage, match="TOKEN is a secret"):
        get_value(wood, "TOKEN")
    shown = get_value(wood, "TOKEN", show_secrets=True)
    assert shown.value == "a-secret-token" and "a-secret-token" not in repr(shown)
    everything = list_values(wood, show_secrets=True)
    assert "a-secret-token" in str(everything.as_dict()) and "a-secret-token" not in repr(everything)


def test_what_has_no_value(wood):
    with pytest.raises(BadUsage, match="COLUOR has no value") as caught:
        get_value(wood, "COLUOR")
    assert "COLOUR" in caught.value.next_step


# set, unset, compare


def test_set_says_what_changed_and_what_carries_it_out(wood):
    result = set_values(wood, {"COLOUR": "red", "NODES": "2", "TOKEN": "a-secret-token"})
    assert result.as_dict() == {
        "environment": "wood",
        "changed": ["COLOUR", "NODES", "TOKEN"],
        "next": ["rigger provision"],
    }
    assert wood.vars()["COLOUR"] == "red" and wood.secrets() == {"TOKEN": "a-secret-token"}
    assert configured_by(wood) == [["COLOUR", "NODES", "TOKEN"]]
    assert set_values(wood, {"COLOUR": "red"}).changed == ()
    assert configured_by(wood) == [["COLOUR", "NODES", "TOKEN"]]


def test_an_invalid_value_changes_nothing(wood):
    before = wood.values()
    with pytest.raises(BadUsage, match="NODES"):
        set_values(wood, {"COLOUR": "red", "NODES": "many"})
    assert wood.values() == before and configured_by(wood) == []


def test_unset_takes_values_back(wood):
    set_values(wood, {"COLOUR": "red", "TOKEN": "a-secret-token"})
    assert unset_values(wood, ["COLOUR", "TOKEN"]).changed == ("COLOUR", "TOKEN")
    assert get_value(wood, "COLOUR").as_dict()["values"][0]["value"] == "green" and wood.secrets() == {}
    with pytest.raises(BadUsage, match="COLOUR is not set in wood"):
        unset_values(wood, ["COLOUR"])
    with pytest.raises(BadUsage, match="PLATFORM cannot be unset"):
        unset_values(wood, ["PLATFORM"])


def test_what_was_not_provisioned_yet(wood):
    provision(wood)
    assert compare_values(wood).as_dict()["changes"] == {}
    set_values(wood, {"COLOUR": "red", "TOKEN": "a-secret-token"})
    assert compare_values(wood).as_dict()["changes"] == {
        "COLOUR": {"provisioned": "green", "configured": "red"},
        "TOKEN": {"provisioned": None, "configured": "***"},
    }

"""Files that were left out of the bundle that was loaded, and are not here."""

from helpers.audit_events import tell

from rigger.audit.missing import MissingFiles

NAME = "modules/soil/terraform.tfstate"
WITHOUT = ("loaded", {"missing": [NAME]})


def test_what_the_last_bundle_did_not_have():
    assert tell(MissingFiles(), WITHOUT).names == [NAME]
    assert not tell(MissingFiles(), WITHOUT, ("loaded", {})).names


def test_nothing_is_missing_of_a_cluster_that_is_gone():
    assert not tell(MissingFiles(), WITHOUT, ("destroyed", {"nodes": []})).names

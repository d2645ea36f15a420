"""Modules that are imported when something of them is first used."""

import sys

import pytest

from rigger.later import later


def test_a_module_is_imported_when_it_is_used(monkeypatch):
    monkeypatch.delitem(sys.modules, "this", raising=False)
    monkeypatch.setattr("builtins.print", lambda *words: None)  # which that module does
    this = later("this")
    assert "this" not in sys.modules
    assert "Gur Mra" in this.s
    assert "this" in sys.modules


def test_what_it_has_not_is_missing_as_in_the_module():
    with pytest.raises(AttributeError, match="module 'string' has no attribute 'nothing'"):
        later("string").nothing  # noqa: B018

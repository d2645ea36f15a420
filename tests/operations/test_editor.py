"""Which editor opens a text."""

import pytest

from rigger.errors import BadUsage
from rigger.operations.editor import find_editor


def test_the_editor_that_is_found(monkeypatch):
    with pytest.raises(BadUsage, match="There is no terminal to edit on"):
        find_editor(has_terminal=False)
    assert str(find_editor(has_terminal=True)) == "vi"
    monkeypatch.setenv("EDITOR", "ed -s 'a b'")
    assert find_editor(has_terminal=False).words == ("ed", "-s", "a b")
    monkeypatch.setenv("VISUAL", "quote'")
    with pytest.raises(BadUsage, match="VISUAL is not a command"):
        find_editor(has_terminal=True)

"""Lists drawn on a terminal: what keys do in them, and how typing narrows a long one."""

from __future__ import annotations

from rigger import text as texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
    from questionary import Choice
    from questionary.prompts.common import InquirerControl

TYPED = [chr(code) for code in range(33, 127)] + [" "]


class Title(list[tuple[str, str]]):
    """A row of styled text that is searched by what stands for the choice: not by its description."""

    def __init__(self, parts: Sequence[tuple[str, str]], names: Sequence[str]):
        super().__init__(parts)
        self.names = [name.lower() for name in names]

    def lower(self) -> str:
        """Return what questionary searches in."""
        return "\n".join(self.names)


class Narrowed:
    """A list as far as it has in it what was typed; a value that was typed whole is pointed at."""

    def __init__(self, control: InquirerControl):
        self.control = control
        self.all: list[Choice] = list(control.choices)
        self.typed = ""

    @property
    def is_empty(self) -> bool:
        """Whether no choice has in it what was typed."""
        return bool(self.typed) and not self._matching()

    def type(self, text: str) -> None:
        """Have the list show what has a text in it, and point at the choice that is meant."""
        before = self.control.get_pointed_at() if not self.is_empty else None
        self.typed = text
        matching = self._matching()
        self.control.search_filter = text or None
        self.control.error_message = None
        self.control.choices = matching or [self._nothing()]
        self.control.pointed_at = self._meant(matching, before)

    def refuse(self) -> None:
        """Say that Enter takes nothing."""
        said = f"Nothing has {self._shown()} in it: Ctrl-U starts again"
        message: Any = [("class:validation-toolbar", said)]
        self.control.error_message = message

    def _matching(self) -> list[Choice]:
        return [choice for choice in self.all if self.typed.lower() in _title(choice).lower()]

    def _meant(self, matching: Sequence[Choice], before: Choice | None) -> int:
        """Return which of the rows is meant: what was typed whole, else what begins with it, else the first."""
        typed = self.typed.lower()
        if not typed:
            return self.all.index(before) if before in self.all else 0
        same = (n for n, choice in enumerate(matching) if typed in _title(choice).names)
        begins = (n for n, choice in enumerate(matching) if _title(choice).lower().startswith(typed))
        return next(same, next(begins, 0))

    def _nothing(self) -> Choice:
        from questionary import Separator

        return Separator(f"nothing has {self._shown()} in it")

    def _shown(self) -> str:
        return f'"{texts.shorten(texts.printable(self.typed), 40)}"'


def _title(choice: Choice) -> Title:
    assert isinstance(choice.title, Title)
    return choice.title


def keys_of(control: InquirerControl, page: int, narrows: bool) -> KeyBindings:
    """Return what keys do in a list, beside what questionary knows; `page` is in rows."""
    from prompt_toolkit.filters import Condition
    from prompt_toolkit.key_binding import KeyBindings

    keys, narrowed = KeyBindings(), Narrowed(control)
    _add_moves(keys, control, page)
    if narrows:
        _add_typing(keys, narrowed)

        @Condition
        def is_empty() -> bool:
            return narrowed.is_empty

        @keys.add("enter", eager=True, filter=is_empty)
        def take_nothing(event: KeyPressEvent) -> None:
            narrowed.refuse()

        for name in ("up", "down", "home", "end", "pageup", "pagedown", "c-n", "c-p"):
            keys.add(name, eager=True, filter=is_empty)(_stay)
    return keys


def _stay(event: KeyPressEvent) -> None:
    """Have a key do nothing."""


def _add_moves(keys: KeyBindings, control: InquirerControl, page: int) -> None:
    moves: dict[str, Callable[[int, int], int]] = {
        "home": lambda at, last: 0,
        "end": lambda at, last: last,
        "pageup": lambda at, last: max(0, at - page),
        "pagedown": lambda at, last: min(last, at + page),
    }

    def add(name: str, move: Callable[[int, int], int]) -> None:
        @keys.add(name, eager=True)
        def go(event: KeyPressEvent) -> None:
            control.pointed_at = move(control.pointed_at, control.choice_count - 1)

    for name, move in moves.items():
        add(name, move)


def _add_typing(keys: KeyBindings, narrowed: Narrowed) -> None:
    from prompt_toolkit.keys import Keys

    def more(event: KeyPressEvent) -> None:
        if event.data.isprintable():
            narrowed.type(narrowed.typed + event.data)

    for character in TYPED:
        keys.add(character, eager=True)(more)
    keys.add(Keys.Any)(more)  # of any script

    @keys.add("backspace", eager=True)
    def back(event: KeyPressEvent) -> None:
        narrowed.type(narrowed.typed[:-1])

    @keys.add("c-u", eager=True)
    def begin_anew(event: KeyPressEvent) -> None:
        narrowed.type("")

    @keys.add(Keys.BracketedPaste, eager=True)
    def paste(event: KeyPressEvent) -> None:
        narrowed.type(narrowed.typed + texts.plain(event.data.strip()))

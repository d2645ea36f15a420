"""Questions drawn on a terminal, by questionary."""

from __future__ import annotations

import contextlib
import os
import re

from rigger import text as texts
from rigger.text import Row, cell_width
from rigger.ui.lists import Title, keys_of
from rigger.ui.plain import BACK, Back, Plain, Prompt, follows, goes_on
from rigger.ui.terminal import terminal_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from prompt_toolkit.buffer import Buffer
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
    from prompt_toolkit.layout import Layout
    from questionary import Choice, Question, Style

FILTER_FROM = 11  # choices; a longer list than a screenful is easier to narrow by typing
ESCAPE_ALONE = 0.1  # seconds without another byte, after which an Esc is no longer the begin of another key
LINES_BESIDE_A_LIST = 9  # what stays in sight above and below a list that scrolls


class Drawn(Plain):
    """Prompts drawn by questionary: once answered they are erased, but for one line with the answer."""

    way_back = "Esc goes back"

    def __init__(self) -> None:
        self.colour = not os.environ.get("NO_COLOR")

    def quiet(self, text: str) -> str:
        return f"\x1b[2m{text}\x1b[0m" if self.colour and text else text

    def problem(self, text: str) -> None:
        lines = "\n".join(self._wrapped("! " + texts.sentence(text), hanging="  "))
        self.say(f"\x1b[31m{lines}\x1b[0m" if self.colour else lines)

    def answered(self, ask: str, answer: str) -> None:
        ask, answer = texts.sentence(ask), texts.shorten(texts.visible(answer), self.width - 3)
        between = "  "
        if cell_width(ask) + cell_width(answer) + 5 > self.width:
            ask, between = self._question(ask), "\n  "
        self.say(f"{self._cyan('?')} {ask}{between}{self._cyan(answer)}")

    def _cyan(self, text: str) -> str:
        return f"\x1b[36m{text}\x1b[0m" if self.colour else text

    @contextlib.contextmanager
    def waiting(self, words: str, takes_a_while: bool) -> Iterator[None]:
        if not takes_a_while:
            yield
            return
        self.say(self.quiet(f"  {words} ..."), end="")
        try:
            yield
        finally:
            self.say("\r\x1b[K", end="")

    def line(self, prompt: Prompt, paths: bool = False) -> str:
        import questionary

        asked = questionary.text(default=prompt.default, **self._typed(prompt), **_completion(paths))
        line: str = self._run(asked, prompt, typed=True)
        return line

    def secret(self, prompt: Prompt) -> str:
        import questionary

        keys = _keys_of_several_lines() if prompt.several_lines else None
        secret: str = self._run(questionary.password(**self._typed(prompt)), prompt, typed=True, keys=keys)
        return secret.rstrip("\n") if prompt.several_lines else secret

    def yes_or_no(self, prompt: Prompt, default: bool) -> bool:
        import questionary

        hint = self._below(prompt, "(Y/n)" if default else "(y/N)")
        yes: bool = self._run(
            questionary.confirm(
                self._question(prompt.ask), default=default, instruction=hint, style=_style()
            ),
            prompt,
        )
        return yes

    def pick(self, prompt: Prompt, rows: Sequence[Row], default: str | None) -> str:
        import questionary

        many = len(rows) >= FILTER_FROM
        hint = "(arrows and Enter; type to narrow)" if many else "(arrows and Enter)"
        choices = self._choices(rows)
        value: str = self._run(
            questionary.select(
                self._question(prompt.ask),
                choices,
                default=next((choice for choice in choices if choice.value == default), None),
                instruction=self._below(prompt, hint),
                use_search_filter=many,
                use_jk_keys=not many,
                show_description=False,
                style=_style(),
            ),
            prompt,
            narrows=many,
        )
        return value

    def pick_several(self, prompt: Prompt, rows: Sequence[Row], checked: Sequence[str]) -> list[str]:
        import questionary

        def verdict(picked: list[str]) -> str | bool:
            return prompt.refuse(",".join(picked)) or True

        values: list[str] = self._run(
            questionary.checkbox(
                self._question(prompt.ask),
                self._choices(rows, checked),
                validate=verdict,
                instruction=self._below(prompt, "(Space picks, Enter continues)"),
                show_description=False,
                style=_style(),
            ),
            prompt,
        )
        return values

    def _choices(self, rows: Sequence[Row], checked: Sequence[str] = ()) -> list[Choice]:
        import questionary

        titles = (
            Title([("class:text", plain), ("class:quiet", quiet)], [row.cells[0], row.value, plain])
            for row, (plain, quiet) in zip(rows, texts.aligned(rows, self.width - 6), strict=True)
        )
        return [
            questionary.Choice(title, row.value, checked=row.value in checked)
            for row, title in zip(rows, titles, strict=True)
        ]

    def _typed(self, prompt: Prompt) -> dict[str, Any]:
        return {
            "message": self._question(prompt.ask),
            "instruction": self._below(prompt) + "\n >",
            "validate": lambda text: _is_back(prompt, text) or prompt.refuse(text) or True,
            "validate_while_typing": prompt.while_typing,
            "style": _style(),
        }

    def _question(self, ask: str) -> str:
        return "\n".join(self._wrapped("  " + texts.sentence(ask), hanging="  "))[2:]

    def _below(self, prompt: Prompt, hint: str = "") -> str:
        """Return what follows the question: how to answer, where it fits on the line, and the help."""
        if prompt.to_come:
            hint = f"{hint[:-1]}; {prompt.to_come})" if hint else f"({prompt.to_come})"
        fits = cell_width(self._question(prompt.ask).rpartition("\n")[2]) + len(hint) + 4 <= self.width
        first = hint if fits else "\n  " + texts.shorten(hint, self.width - 3)
        lines = self._wrapped("  " + texts.sentence(prompt.help), hanging="  ") if prompt.help else []
        return "\n".join([first, *lines])

    def _run(
        self,
        asked: Question,
        prompt: Prompt,
        typed: bool = False,
        keys: KeyBindings | None = None,
        narrows: bool = False,
    ) -> Any:
        """Ask, and return what the kind of question gives: a text, a truth, a list of texts; raises Back."""
        from prompt_toolkit.key_binding import merge_key_bindings
        from prompt_toolkit.renderer import CPR_Support

        app = asked.application
        app.erase_when_done = True
        # Slow lines and simple terminals never answer where the cursor is, and nothing here needs to know.
        app.renderer.cpr_support = CPR_Support.NOT_SUPPORTED
        app.ttimeoutlen = app.timeoutlen = ESCAPE_ALONE
        back = _keys_back(typed) if prompt.may_go_back else None
        all_keys = (app.key_bindings, _keys(), *_lists(app.layout, narrows), keys, back)
        app.key_bindings = merge_key_bindings([bindings for bindings in all_keys if bindings])
        if typed:
            _select_all(app.current_buffer)
        answer = asked.unsafe_ask()
        if typed and _is_back(prompt, answer):
            raise Back
        return answer


def _style() -> Style:
    import questionary

    return questionary.Style(
        [
            ("qmark", "fg:ansicyan"),
            ("question", "bold"),
            ("answer", "noinherit"),
            ("instruction", "dim"),
            ("quiet", "dim"),
            ("pointer", "fg:ansicyan bold"),
            ("selected", ""),
            ("validation-toolbar", "noinherit fg:ansired"),
            ("bottom-toolbar", "noreverse"),
        ]
    )


def _lists(layout: Layout, narrows: bool) -> Iterator[KeyBindings]:
    """Let a long list scroll in a part of the screen, so that what was answered before it stays in sight; give its keys."""
    from prompt_toolkit.filters import Always
    from prompt_toolkit.layout import Dimension
    from questionary.prompts.common import InquirerControl

    rows = max(4, terminal_size()[1] - LINES_BESIDE_A_LIST)
    for window in layout.find_all_windows():
        if isinstance(window.content, InquirerControl):
            window.height = Dimension(max=rows)
            window.dont_extend_height = Always()
            yield keys_of(window.content, rows - 1, narrows)


def _completion(paths: bool) -> dict[str, Any]:
    if not paths:
        return {}
    from prompt_toolkit.completion import PathCompleter
    from prompt_toolkit.shortcuts import CompleteStyle

    return {
        "completer": PathCompleter(expanduser=True),
        "complete_style": CompleteStyle.READLINE_LIKE,
        "complete_while_typing": False,
    }


def _select_all(buffer: Buffer) -> None:
    """Select the default, as desktop programs do: typing replaces it, an arrow key starts editing it."""
    from prompt_toolkit.selection import SelectionState

    if buffer.text:
        buffer.cursor_position = len(buffer.text)
        buffer.selection_state = SelectionState(original_cursor_position=0)
        buffer.selection_state.enter_shift_mode()


def _keys() -> KeyBindings:
    from prompt_toolkit.application import get_app
    from prompt_toolkit.filters import Condition
    from prompt_toolkit.key_binding import KeyBindings
    from prompt_toolkit.keys import Keys

    keys = KeyBindings()

    @Condition
    def nothing_typed() -> bool:
        buffer = get_app().current_buffer
        return not buffer.text or buffer.selection_state is not None

    @keys.add("c-d", filter=nothing_typed, eager=True)
    def end(event: KeyPressEvent) -> None:
        event.app.exit(exception=EOFError)

    @keys.add("<sigint>")
    def interrupt(event: KeyPressEvent) -> None:
        event.app.exit(exception=KeyboardInterrupt)

    @keys.add(Keys.BracketedPaste, eager=True)
    def paste(event: KeyPressEvent) -> None:
        if event.current_buffer.selection_state is not None:
            event.current_buffer.cut_selection()
        # Terminals send what Enter sends for each line's end. A copied token often ends in one.
        event.current_buffer.insert_text(re.sub(r"\r\n?", "\n", event.data).strip("\n"))

    return keys


def _is_back(prompt: Prompt, text: str) -> bool:
    return prompt.may_go_back and text.strip() == BACK


def _keys_back(typed: bool) -> KeyBindings:
    from prompt_toolkit.key_binding import KeyBindings

    keys = KeyBindings()

    def back(event: KeyPressEvent) -> None:
        event.app.exit(exception=Back)

    keys.add("escape")(back)
    if not typed:  # where it may begin an answer, Enter says that it is none
        keys.add(BACK, eager=True)(back)
    return keys


def _keys_of_several_lines() -> KeyBindings:
    """Let a line's end be part of a paste that the terminal did not mark, so that no line becomes the next answer."""
    from prompt_toolkit.key_binding import KeyBindings
    from prompt_toolkit.keys import Keys

    keys = KeyBindings()

    @keys.add("enter", eager=True)
    def end_of_line(event: KeyPressEvent) -> None:
        queue, typed = event.key_processor.input_queue, event.current_buffer
        if (
            queue
            and "\n" in typed.text
            and all(press.key in (Keys.ControlM, Keys.ControlJ) for press in queue)
        ):
            queue.clear()
        elif typed.text != BACK and goes_on(
            typed.text, any(press.key != Keys.ControlM for press in queue) or _follows(event)
        ):
            typed.insert_text("\n")
            return
        typed.validate_and_handle()

    return keys


def _follows(event: KeyPressEvent) -> bool:
    try:
        return follows(event.app.input.fileno())
    except (NotImplementedError, OSError, ValueError):  # no terminal
        return False

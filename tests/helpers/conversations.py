"""rigger on a terminal of its own, and a person in front of it."""

import re
import signal
import sys

import pexpect

UP, DOWN, ENTER, BACKSPACE, CTRL_C, CTRL_D = "\x1b[A", "\x1b[B", "\r", "\x7f", "\x03", "\x04"


class Conversation:
    """rigger on a terminal of its own, and a person in front of it."""

    def __init__(self, rigger, *arguments, command="configure", term="xterm", size=(30, 100), **env):
        self.child = pexpect.spawn(
            sys.executable,
            ["-m", "rigger", command, *arguments],
            env={**rigger.env, "TERM": term, **env},
            cwd=rigger.folder,
            dimensions=size,
            timeout=30,
            # A test run in the background may have been told to ignore what Ctrl-C sends.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self.child.delaybeforesend = None
        self.child.delayafterclose = self.child.ptyproc.delayafterclose = 0.01
        self.heard = b""

    def sees(self, text):
        """Wait until a text is on the screen, however it is coloured and wherever its lines break."""
        between = rb"(?:\x1b\[[0-9;?]*[A-Za-z]|\s)*"
        pattern = between.join(re.escape(word.encode()) for word in text.split())
        try:
            self.child.expect(pattern)
        except pexpect.ExceptionPexpect as problem:
            raise AssertionError(f"{text!r} was not shown: {self.child.before!r}") from problem
        self.heard += self.child.before + self.child.after
        return self

    def types(self, keys):
        self.child.send(keys)
        return self

    def goes(self, *steps):
        """See each text and type what belongs to it."""
        for text, keys in steps:
            self.sees(text).types(keys)
        return self

    def ends(self, code):
        self.child.expect(pexpect.EOF)
        self.heard += self.child.before
        self.child.close()
        assert (self.child.exitstatus, self.child.signalstatus) == (code, None), self.heard
        return self.heard

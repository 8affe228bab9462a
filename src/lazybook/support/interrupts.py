"""Ctrl-C, and what else asks a program to end: it ends soon, whatever it is doing."""

import os
import select
import signal
import sys
import threading
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any, Self

GRACE = 1.5  # seconds to end in good order

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """While this is entered, signals to end the program raise KeyboardInterrupt, once.

    `end` then says ``farewell`` on stderr and ends the process, with the exit code that tells of
    the signal: 130 after Ctrl-C.

    The main thread, in which this is to be entered, sees a signal only between two steps of Python,
    and the code that it is in may catch the exception. So another thread ends the process `GRACE`
    seconds after the first signal, and at once after the second. Signals that the program was
    started to ignore, as under ``nohup``, stay ignored.
    """

    def __init__(self, farewell: str) -> None:
        self.farewell = farewell
        self.received: int | None = None
        self.said = False

    def __enter__(self) -> Self:
        # Python writes the number of each signal to `told` as soon as it comes.
        self.watched, self.told = os.pipe()
        os.set_blocking(self.told, False)
        self.before: dict[int, Any] = {}
        for number in SIGNALS:
            if signal.getsignal(number) != signal.SIG_IGN:
                self.before[number] = signal.signal(number, self._handle)
        self.woken_before = signal.set_wakeup_fd(self.told)
        self.unraisable_before, sys.unraisablehook = sys.unraisablehook, self._unraisable
        self.watcher = threading.Thread(target=self._watch, name="interrupts", daemon=True)
        self.watcher.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        sys.unraisablehook = self.unraisable_before
        signal.set_wakeup_fd(self.woken_before)
        for number, handler in self.before.items():
            signal.signal(number, handler)
        os.close(self.told)
        self.watcher.join()
        os.close(self.watched)

    def end(self) -> None:
        """End the process if there was a signal.

        No other thread is waited for: it may be in the middle of a compiled loop.
        """
        if self.received:
            self._say_farewell()
            os._exit(128 + self.received)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if not self.received:
            self.received = number
            raise KeyboardInterrupt

    def _watch(self) -> None:
        if not (first := self._next(None)):
            return
        second = self._next(GRACE)
        if second is None:
            self._say_farewell()
        if second != 0:
            os._exit(128 + first)

    def _next(self, seconds: float | None) -> int | None:
        """Return the next signal, 0 at the end of it all, or None after so many seconds."""
        while select.select([self.watched], [], [], seconds)[0]:
            received = os.read(self.watched, 1)
            if not received:
                return 0
            if received[0] in self.before:
                return received[0]
        return None

    def _say_farewell(self) -> None:
        if self.said:
            return
        self.said = True
        # A bar of progress may be there still, and the cursor be hidden.
        clear = "\r\x1b[K\x1b[?25h" if os.isatty(2) else ""
        with suppress(OSError):  # not by sys.stderr, which another thread may be holding
            if select.select([], [2], [], 0)[1]:  # a pipe that nobody reads may be full
                os.write(2, f"{clear}{self.farewell}\n".encode())

    def _unraisable(self, unraisable: Any) -> None:
        """Tell of errors that Python must pass over, but not of the interrupt in their place."""
        if unraisable.exc_type is not KeyboardInterrupt:
            self.unraisable_before(unraisable)

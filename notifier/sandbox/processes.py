"""Starts child processes that end with their parent, however the parent ends."""

import ctypes
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1


def _load_prctl() -> Callable[[int, int], int] | None:
    if sys.platform != "linux":
        return None
    try:
        prctl = ctypes.CDLL(None).prctl
    except (OSError, AttributeError):
        return None
    prctl.argtypes = (ctypes.c_int, ctypes.c_ulong)
    call: Callable[[int, int], int] = prctl
    return call


# Loaded before any fork: a child between fork and exec must not wait for the import lock,
# which another thread of the parent may have held.
_prctl = _load_prctl()


def die_with_parent(number: signal.Signals = signal.SIGTERM) -> Callable[[], None] | None:
    """Make a `preexec_fn` with which a child gets this signal when its parent ends, even by kill -9.

    Linux sends the signal when the *thread* that forked ends, so start such children from a
    thread that lives as long as the process: the main one. None where there is no prctl; the
    child then outlives a killed parent.
    """
    if _prctl is None:
        return None
    prctl = _prctl
    parent = os.getpid()

    def ask_for_the_signal() -> None:
        # A handler inherited from the parent would swallow a SIGTERM that comes before exec.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        prctl(_PR_SET_PDEATHSIG, number)
        # A parent that died before the line above sends nothing any more.
        if os.getppid() != parent:
            os._exit(1)

    return ask_for_the_signal


def start_child(
    command: Sequence[str | Path],
    *,
    output: IO[bytes] | None = None,
    env: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
    orphaned: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start `command`, bound to this process, its output and errors going to `output`.

    `orphaned` is what it gets when this process is gone.

    It gets a process group of its own: Ctrl-C in the terminal reaches the parent alone, which
    then stops its children in the right order.
    """
    with warnings.catch_warnings():
        # Python 3.12 and later warn of any Python code between fork and exec when there are
        # threads; the code above takes no lock a thread could hold.
        warnings.filterwarnings("ignore", ".*multi-threaded, use of", DeprecationWarning)
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=None if output is None else subprocess.STDOUT,
            env=env,
            pass_fds=pass_fds,
            preexec_fn=die_with_parent(orphaned),
            process_group=0,
            umask=0o077,
        )

"""The embedded Valkey against real signals: its data and its life depend on who ends how."""

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from notifier.sandbox.processes import die_with_parent, start_child
from notifier.sandbox.valkey import EmbeddedValkey, ValkeyDidNotStart

# A starter in another process: says the server's pid and keeps it until it is ended itself.
STARTER = """
import sys, time
from pathlib import Path
from notifier.sandbox.valkey import EmbeddedValkey
valkey = EmbeddedValkey(Path(sys.argv[1]))
valkey.start()
print(valkey.pid, flush=True)
time.sleep(60)
"""

bound_to_parent = pytest.mark.skipif(die_with_parent() is None, reason="needs Linux's prctl")


def starter(data_dir: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", STARTER, str(data_dir)],
        stdout=subprocess.PIPE,
        text=True,
    )


def said_pid(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")  # an orphan may stay as a zombie
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] not in "ZX"


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey(tmp_path / "data") as server:
        yield server


def client(valkey: EmbeddedValkey) -> redis.Redis:
    return redis.Redis.from_url(valkey.url)


def test_keeps_its_data_private_and_on_disk(valkey: EmbeddedValkey) -> None:
    assert stat.S_IMODE(valkey.data_dir.stat().st_mode) == 0o700
    for file in (valkey.data_dir / "appendonlydir").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0
    with client(valkey) as db:
        settings = db.config_get("*")
        assert isinstance(settings, dict)
    expected = {
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "port": "0",
    }
    assert {name: settings[name] for name in expected} == expected


def test_data_outlives_a_stop(valkey: EmbeddedValkey) -> None:
    with client(valkey) as db:
        db.set("greeting", "tungjatjeta")
    valkey.stop()
    valkey.start()
    with client(valkey) as db:
        assert db.get("greeting") == b"tungjatjeta"


def test_data_outlives_a_crash(valkey: EmbeddedValkey) -> None:
    crashed = valkey.pid
    with client(valkey) as db:
        db.set("greeting", "tungjatjeta")
        db.execute_command("WAITAOF", 1, 0, 5000)
    valkey.kill()
    assert not lives(crashed)
    valkey.start()
    assert valkey.pid != crashed
    with client(valkey) as db:
        assert db.get("greeting") == b"tungjatjeta"


def test_start_waits_while_the_data_is_loaded(valkey: EmbeddedValkey) -> None:
    with client(valkey) as db:
        for start in range(0, 300_000, 10_000):
            db.mset({f"key-{n}": "value" for n in range(start, start + 10_000)})
    valkey.stop()
    valkey.start()
    with client(valkey) as db:
        assert db.dbsize() == 300_000


def test_a_second_starter_uses_the_server_that_is_there(valkey: EmbeddedValkey) -> None:
    second = EmbeddedValkey(valkey.data_dir)
    second.start()
    assert (second.pid, second.url) == (valkey.pid, valkey.url)
    second.stop()
    with client(valkey) as db:
        assert db.ping()


def test_simultaneous_starters_start_one_server(tmp_path: Path) -> None:
    starters = [starter(tmp_path) for _ in range(4)]
    try:
        assert len({said_pid(process) for process in starters}) == 1
    finally:
        for process in starters:
            end(process)


@bound_to_parent
def test_dies_with_a_killed_parent(tmp_path: Path) -> None:
    parent = starter(tmp_path)
    pid = said_pid(parent)
    assert lives(pid)
    end(parent)
    assert within(2, lambda: not lives(pid))


@bound_to_parent
def test_a_dying_server_is_not_taken_for_a_live_one(tmp_path: Path) -> None:
    parent = starter(tmp_path)
    orphan = said_pid(parent)
    end(parent)
    with EmbeddedValkey(tmp_path) as valkey:
        assert valkey.pid != orphan
        with client(valkey) as db:
            assert db.ping()


@bound_to_parent
def test_a_child_whose_parent_is_already_gone_ends_at_once() -> None:
    """The child asks when it has another parent than the process that made the function."""
    script = """
import os
from notifier.sandbox.processes import die_with_parent
ask = die_with_parent()
if os.fork() == 0:
    if os.fork() == 0:
        ask()
        os._exit(0)
    os._exit(os.waitstatus_to_exitcode(os.wait()[1]))
raise SystemExit(os.waitstatus_to_exitcode(os.wait()[1]))
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 1


def test_a_child_may_be_started_beside_threads() -> None:
    """Python 3.12 and later warn of that, and warnings are errors here."""
    waiting = threading.Event()
    thread = threading.Thread(target=waiting.wait)
    thread.start()
    try:
        assert start_child(["true"]).wait() == 0
    finally:
        waiting.set()
        thread.join()


def test_a_long_path_puts_the_socket_elsewhere(tmp_path: Path) -> None:
    data_dir = tmp_path / ("long-" * 25)
    valkey = EmbeddedValkey(data_dir)
    with pytest.raises(RuntimeError, match="never started"):
        _ = valkey.url
    with valkey:
        socket_dir = (data_dir / "socket-dir").readlink()
        assert stat.S_IMODE(socket_dir.stat().st_mode) == 0o700
        with client(valkey) as db:
            db.set("greeting", "tungjatjeta")
        assert EmbeddedValkey(data_dir).url == valkey.url
        url = valkey.url
    with valkey, client(valkey) as db:
        assert valkey.url == url
        assert db.get("greeting") == b"tungjatjeta"
    socket_dir.rmdir()
    with valkey, client(valkey) as db:  # /tmp was swept
        assert db.get("greeting") == b"tungjatjeta"
    (data_dir / "socket-dir").readlink().rmdir()


def test_a_socket_directory_others_may_write_to_is_not_used(tmp_path: Path) -> None:
    data_dir = tmp_path / ("long-" * 25)
    with EmbeddedValkey(data_dir):
        left = (data_dir / "socket-dir").readlink()
    left.chmod(0o777)
    with EmbeddedValkey(data_dir):
        taken = (data_dir / "socket-dir").readlink()
        assert taken != left
    left.rmdir()
    taken.rmdir()


def test_an_odd_path_makes_a_url_that_works(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path / "a b#?%41é") as valkey, client(valkey) as db:
        assert db.ping()


def test_a_failure_tells_the_end_of_the_log(valkey: EmbeddedValkey) -> None:
    valkey.stop()
    for manifest in (valkey.data_dir / "appendonlydir").glob("*.manifest"):
        manifest.write_text("nonsense\n")
    with pytest.raises(ValkeyDidNotStart, match=r"exited with 1(?s:.)*manifest"):
        valkey.start()


def test_a_server_that_hangs_is_told(valkey: EmbeddedValkey) -> None:
    os.kill(valkey.pid, signal.SIGSTOP)
    try:
        with pytest.raises(ValkeyDidNotStart, match="does not answer"):
            EmbeddedValkey(valkey.data_dir, patience=1).start()
    finally:
        os.kill(valkey.pid, signal.SIGCONT)

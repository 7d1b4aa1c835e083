"""`python -m bench.profile`: where the time of one mail goes, in the API and in the worker, by a sampling profiler."""

import re
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from bench import load, notices, stacks
from bench.sinks import SmtpSink

_COUNT = 4_000
_SHOWN = 70


def main() -> None:
    """Profiles both while they work side by side."""
    sink = SmtpSink()
    try:
        with stacks.ours(sink.port) as service, tempfile.TemporaryDirectory() as directory:
            load.run(service.job(notices.bodies(200))).must_be(202)
            sink.wait(200, 60)
            profilers = {name: _profiler(pid, Path(directory) / name) for name, pid in service.pids.items()}
            told = load.begin(service.job(notices.bodies(_COUNT)))
            sink.wait(200 + _COUNT, 120)
            sys.stdout.write(f"accepted {told.wait().must_be(202).per_second:.0f} a second\n")
            for name, profiler in profilers.items():
                profiler.send_signal(signal.SIGINT)
                profiler.wait(20)
                _tell(name, (Path(directory) / name).read_text("utf-8"))
    finally:
        sink.close()


def _profiler(pid: int, output: Path) -> "subprocess.Popen[bytes]":
    command: list[str | Path] = [Path(sys.executable).with_name("py-spy"), "record", "--pid", str(pid), "--rate", "250"]
    options = ["--duration", "600", "--format", "raw", "--output", str(output), "--nonblocking"]
    return subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _tell(name: str, raw: str) -> None:
    """By function: in itself, and with what it calls."""
    own, whole = Counter[str](), Counter[str]()
    for line in raw.splitlines():
        stack, _, times = line.rpartition(" ")
        frames = [re.sub(r":\d+\)$", ")", frame) for frame in stack.split(";")]
        own[frames[-1]] += int(times)
        whole.update(dict.fromkeys(frames, int(times)))
    total = own.total()
    sys.stdout.write(f"\n{name}: {total} samples\n")
    for kind, found in (("with what it calls", whole), ("itself", own)):
        sys.stdout.write(f"  {kind}\n")
        for frame, count in found.most_common(_SHOWN):
            sys.stdout.write(f"  {count / total:6.1%}  {frame}\n")


if __name__ == "__main__":
    main()

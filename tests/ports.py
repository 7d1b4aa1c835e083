"""Ports for tests: a number goes out, which nobody on this machine is given as a free one until the block is left."""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

HOST = "127.0.0.1"


@contextmanager
def reserved() -> Iterator[int]:
    """A port where nobody listens, for somebody who is started on it by its number, or for nobody at all.

    Linux keeps a port that a socket is bound to from whoever asks for any port, and gives it to whoever asks for this
    one, as long as the socket does not listen and both have SO_REUSEADDR (socket(7)). Other systems give it to nobody;
    there it is free again at once, and with bad luck somebody else's.
    """
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind((HOST, 0))
        port: int = held.getsockname()[1]
        if sys.platform != "linux":
            held.close()
        yield port

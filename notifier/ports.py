"""A host and a port come in; a listening socket goes out, or `PortInUse`, which names what moves the port."""

import errno
import socket


class PortInUse(OSError):
    """Somebody listens there already; the text names the setting which moves the port."""

    def __init__(self, port: int, setting: str) -> None:
        super().__init__(f"port {port} is in use: stop what uses it, or set {setting} to another")
        self.port = port
        self.setting = setting


def bind(host: str, port: int, setting: str) -> socket.socket:
    """Take the port, 0 for any free one, so that a taken one is told before anything starts."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        # A second `make demo` right after the first finds connections in TIME_WAIT.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # Two sockets may be bound to one port as long as neither listens.
        listener.listen()
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(port, setting) from error
        raise
    listener.setblocking(False)
    return listener

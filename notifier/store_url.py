"""A Redis URL comes in; the Sentinels that it names go out, or None when it names the store itself.

redis+sentinel://[user:password@]host[:port],host[:port]/service[/db][?sentinel_password=...] (rediss+sentinel: TLS)
"""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from redis.asyncio import ConnectionPool

Options = dict[str, str | int | bool]

_SCHEME = re.compile(r"redis(s?)\+sentinel://([^/?]*)/([\w.-]+)(?:/(\d+))?/?(?:\?(.*))?", re.ASCII)
_PORT = 26379
_OPTIONS = {"sentinel_username", "sentinel_password", "ssl_ca_certs"}


@dataclass(frozen=True, slots=True)
class Sentinels:
    """Where they are, and the name by which they know the store. Never shows a password."""

    hosts: tuple[tuple[str, int], ...]
    service: str
    # How to log in, as redis-py takes it: to the store, and to the Sentinels.
    store: Options
    own: Options

    def __repr__(self) -> str:
        return f"<sentinels of {self.service}>"


def sentinels(url: str) -> Sentinels | None:
    """Raises ValueError."""
    if "+sentinel:" not in url:
        return None
    parts = _SCHEME.fullmatch(url)
    if parts is None:
        raise ValueError("not the URL of a service")
    secure, authority, service, db, query = parts.groups("")
    login, _, hosts = authority.rpartition("@")
    user, _, password = login.partition(":")
    options = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)))
    if set(options) - _OPTIONS:
        raise ValueError("not an option of such a URL")
    tls: Options = {"ssl": True, **_given(ssl_ca_certs=options.get("ssl_ca_certs"))} if secure else {}
    return Sentinels(
        hosts=tuple(_host(host) for host in hosts.split(",")),
        service=service,
        store={"db": int(db or 0), **_given(username=unquote(user), password=unquote(password)), **tls},
        own={
            **_given(username=options.get("sentinel_username"), password=options.get("sentinel_password")),
            **tls,
        },
    )


def check(url: str) -> None:
    """Raises ValueError, whose text repeats nothing of the URL."""
    try:
        if sentinels(url) is None:
            # What its query may hold is known only to the connection that takes it.
            ConnectionPool.from_url(url).make_connection()  # type: ignore[no-untyped-call]
    except (ValueError, TypeError):
        raise ValueError(
            "must be redis://, rediss:// or unix://, "
            "or redis+sentinel://[user:password@]host:port,host:port/service[/db][?sentinel_password=...]"
        ) from None


def _host(host: str) -> tuple[str, int]:
    parts = urlsplit(f"//{host}")
    if not parts.hostname:
        raise ValueError("a host has no name")
    return parts.hostname, parts.port or _PORT


def _given(**options: str | None) -> Options:
    return {name: value for name, value in options.items() if value}

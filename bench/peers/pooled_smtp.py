"""A limit: aiosmtplib over kept connections, sending one mail that is ready, again and again."""

import asyncio
import sys
import time
from pathlib import Path

import aiosmtplib
import uvloop


async def _send(port: int, count: int, connections: int, content: bytes) -> float:
    clients = [aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) for _ in range(connections)]
    for client in clients:
        await client.connect()
        await client.ehlo()
    left = iter(range(count))

    async def work(client: aiosmtplib.SMTP) -> None:
        for number in left:
            await client.sendmail("security@northbank.example", [f"r{number}@example.com"], content)

    begun = time.monotonic()
    await asyncio.gather(*map(work, clients))
    return time.monotonic() - begun


if __name__ == "__main__":
    port, count, connections = map(int, sys.argv[1:4])
    print(uvloop.run(_send(port, count, connections, Path(sys.argv[4]).read_bytes())))  # noqa: T201

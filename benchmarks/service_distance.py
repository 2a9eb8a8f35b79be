"""A server at a distance: every answer of a server on this machine comes some milliseconds later.

    python -m benchmarks.service_distance HOST:PORT MILLISECONDS

prints the port at which it can be reached so. A process of its own, so that waiting costs the measured one nothing.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def at_a_distance(address: str, delay_ms: float) -> Iterator[int]:
    """The port of the server at `host:port` when it is so far away."""
    command = [sys.executable, "-m", "benchmarks.service_distance", address, str(delay_ms)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  # ourselves
        try:
            assert process.stdout is not None, "it is piped"  # noqa: S101  # our own mistake
            yield int(process.stdout.readline())
        finally:
            process.kill()


async def _serve(address: str, delay_s: float) -> None:
    host, _, port = address.partition(":")

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float) -> None:
        while data := await reader.read(65_536):
            await asyncio.sleep(delay_s)
            writer.write(data)
            await writer.drain()
        writer.close()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        await asyncio.gather(copy(reader, far_writer, 0), copy(far_reader, writer, delay_s), return_exceptions=True)

    server = await asyncio.start_server(connect, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], float(sys.argv[2]) / 1000))

"""The transport against servers that answer in every way HTTP/1.1 allows, and in some that it does not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from ghapp.agent.kube.config import Access
from ghapp.agent.kube.transport import NotHttp, Reply, Transport, lines

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter, int], Awaitable[None]]


def talk(script: Script, *asked: tuple[str, bytes | None]) -> list[Any]:
    """Send requests one after another to a server that plays ``script`` on each connection; replies or errors."""
    connections = 0

    async def go() -> list[Any]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal connections
            connections += 1
            try:
                await script(reader, writer, connections)
            finally:
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        transport = Transport(Access(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/base"))
        found: list[Any] = []
        for target, body in asked:
            try:
                found.append(await transport.send("POST", target, lines((("A", "b"),)), body))
            except (OSError, TimeoutError) as e:
                found.append(e)
        transport.close()
        server.close()
        return found

    return asyncio.run(go())


async def read(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = next((int(h.split(":")[1]) for h in head.split("\r\n") if h.lower().startswith("content-length")), 0)
    return head, await reader.readexactly(length)


def saying(*answers: bytes) -> Script:
    """Answers each request on a connection with the next of these, in two pieces."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        for answer in answers:
            await read(reader)
            for piece in (answer[:9], answer[9:]):
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)

    return script


@pytest.mark.parametrize(
    ("answer", "reply"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", (200, b"ok", 0.0)),
        (b"HTTP/1.1 404 Not Found\r\ncontent-length:0\r\n\r\n", (404, b"", 0.0)),
        (b"HTTP/1.1 429 X\r\nRetry-After: 3\r\nContent-Length: 1\r\n\r\nx", (429, b"x", 3.0)),
        (b"HTTP/1.1 204 No Content\r\n\r\n", (204, b"", 0.0)),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n3;x=y\r\n!!!\r\n0\r\n\r\n",
            (200, b"ok!!!", 0.0),
        ),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nTrailer: y\r\n\r\n", (200, b"x", 0.0)),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", (200, b"until the end", 0.0)),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\nx", (201, b"x", 0.0)),
    ],
)
def test_answers(answer: bytes, reply: Reply) -> None:
    assert talk(saying(answer), ("/x", b"body")) == [reply]


def test_connections_are_kept_and_requests_are_whole() -> None:
    seen: list[tuple[int, str, bytes]] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        while True:
            head, body = await read(reader)
            seen.append((number, head, body))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    assert [r[0] for r in talk(script, ("/a?b=c", b"one"), ("/d", None), ("/e", b""))] == [200, 200, 200]
    assert {number for number, _, _ in seen} == {1}
    assert [body for _, _, body in seen] == [b"one", b"", b""]
    assert seen[0][1].startswith("POST /base/a?b=c HTTP/1.1\r\nHost: 127.0.0.1:")
    assert "A: b\r\nContent-Length: 3\r\n" in seen[0][1]
    assert "Content-Length" not in seen[1][1]


def test_a_connection_that_was_closed_while_idle_is_no_failure() -> None:
    one = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"
    assert [r[0] for r in talk(saying(one + b"x"), ("/a", None), ("/b", None), ("/c", None))] == [200, 200, 200]
    closing = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx"
    assert [r[0] for r in talk(saying(closing, closing), ("/a", None), ("/b", None))] == [200, 200]


def test_a_connection_that_is_cut_in_an_answer_is_one() -> None:
    (error,) = talk(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"), ("/a", None))
    assert isinstance(error, ConnectionError)
    (error,) = talk(saying(b""), ("/a", None))
    assert isinstance(error, ConnectionError)


@pytest.mark.parametrize(
    "answer", [b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x15\x03\x01\x00\x02\x02\x16....."]
)
def test_what_does_not_speak_http_is_said_to(answer: bytes) -> None:
    (error,) = talk(saying(answer), ("/a", None))
    assert isinstance(error, NotHttp)


def test_no_header_can_smuggle_another() -> None:
    with pytest.raises(ValueError, match="line break"):
        lines((("Authorization", "Bearer x\r\nImpersonate-User: admin"),))

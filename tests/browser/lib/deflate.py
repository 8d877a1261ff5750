"""Opens a ticket with long texts over a compressed socket, and reads them back.

Arguments: the socket's address, the origin, the token, the ticket's id. Prints JSON.
"""

import asyncio
import json
import sys
import uuid

import websockets
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

ADDRESS, ORIGIN, TOKEN, TICKET = sys.argv[1:]
TEXTS = [f"{n} " + "All work and no play makes Jack a dull boy. " * 60 for n in range(8)]


async def until(socket, tag):
    while True:
        frame = json.loads(await socket.recv())
        if frame["t"] == tag:
            return frame


async def talk(messages, **how):
    """Sends messages if there are any; what was agreed upon, and the texts that are read back."""
    async with websockets.connect(
        ADDRESS, origin=ORIGIN, subprotocols=["parlour.v1", TOKEN], **how
    ) as socket:
        await socket.send(json.dumps({"t": "hello", "v": 1}))
        await until(socket, "welcome")
        if messages:
            opening = {"page": ORIGIN, "title": "Python"}
            frame = {"t": "send", "room": TICKET, "seen": 0, "messages": messages, "open": opening}
            await socket.send(json.dumps(frame))
            await until(socket, "ack")
        await socket.send(json.dumps({"t": "join", "room": TICKET, "after": 0}))
        page = await until(socket, "page")
        texts = [event["body"]["runs"][0]["text"] for event in page["events"]]
        return {
            "extensions": [repr(extension) for extension in socket.extensions],
            "subprotocol": socket.subprotocol,
            "same": texts == [text.strip() for text in TEXTS],
        }


async def main():
    messages = [{"cid": str(uuid.uuid4()), "text": text} for text in TEXTS]
    small = ClientPerMessageDeflateFactory(server_max_window_bits=12, client_max_window_bits=12)
    told = [
        await talk(messages, compression="deflate"),
        # What later versions offer by themselves.
        await talk([], compression=None, extensions=[small]),
    ]
    print(json.dumps(told))


asyncio.run(asyncio.wait_for(main(), 20))

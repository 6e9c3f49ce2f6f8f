"""An agent in Python, standard library only: tells the most frequent words of the conversation."""

import base64
import collections
import hashlib
import json
import os
import re
import socket
import struct
import urllib.parse

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA


class WebSocket:
    """As much of RFC 6455 as a client needs."""

    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port))
        self.file = self.socket.makefile("rb")
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET {parts.path}?{parts.query} HTTP/1.1\r\n"
            f"Host: {parts.netloc}\r\n"
            "Connection: Upgrade\r\n"
            "Upgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        status = self.file.readline().decode().strip()
        if " 101 " not in f"{status} ":
            raise ConnectionError(f"the bridge refused the connection: {status}")
        headers = {}
        while line := self.file.readline().decode().strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        proof = hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode())
        if headers.get("sec-websocket-accept") != base64.b64encode(proof.digest()).decode():
            raise ConnectionError("this is no WebSocket")

    def send(self, payload, opcode=TEXT):
        length = len(payload)
        if length < 126:
            head = struct.pack("!BB", 0x80 | opcode, 0x80 | length)
        elif length < 1 << 16:
            head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, length)
        else:
            head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, length)
        mask = os.urandom(4)  # a client must mask what it sends
        repeated = (mask * (length // 4 + 1))[:length]
        masked = int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")
        self.socket.sendall(head + mask + masked.to_bytes(length, "big"))

    def messages(self):
        """Each text message, till the connection is closed."""
        message = b""
        while head := self.file.read(2):
            opcode, length = head[0] & 0x0F, head[1] & 0x7F
            if length == 126:
                (length,) = struct.unpack("!H", self.file.read(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", self.file.read(8))
            payload = self.file.read(length)
            if opcode == CLOSE:
                return
            if opcode == PING:
                self.send(payload, PONG)
            elif opcode != PONG:
                message += payload
                if head[0] & 0x80:  # the last part of the message
                    yield message.decode()
                    message = b""


class Bridge:
    """Frames over a WebSocket: each message is one JSON object with a `type`."""

    def __init__(self):
        self.websocket = WebSocket(os.environ["SYNTHESIS_BRIDGE_URL"])
        session = os.environ["SYNTHESIS_SESSION_KEY"]
        self.send(type="hello", pid=os.getpid(), openclaw_session=session, protocol=1)

    def send(self, **frame):
        self.websocket.send(json.dumps(frame).encode())

    def prompts(self):
        """Each prompt and the id of its turn."""
        for message in self.websocket.messages():
            frame = json.loads(message)
            if frame["type"] == "ping":
                self.send(type="pong")
            elif frame["type"] == "inbound":
                yield frame["content"], frame["meta"]["message_id"]


def main():
    bridge = Bridge()
    words = collections.Counter()  # one process serves one conversation
    for prompt, turn in bridge.prompts():
        words.update(re.findall(r"\w+", prompt.lower()))
        for word, count in words.most_common(5):
            bridge.send(type="reply", content=f"{word}: {count}\n", final=False, message_id=turn)
        bridge.send(type="reply", content=f"{words.total()} words so far", message_id=turn)


if __name__ == "__main__":
    main()

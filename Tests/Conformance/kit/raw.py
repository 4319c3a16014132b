"""Bytes that no gRPC library would send: plain sockets, and HTTP/2 frames by hand.

Only as much of HTTP/2 as a hostile client needs; header blocks are literals without an index
(RFC 7541, section 6.2.2), and of the answer only grpc-status is looked for.
"""

import socket
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, GOAWAY = 0, 1, 3, 4, 7
END_STREAM, ACK, END_HEADERS = 1, 1, 4
# "grpc-status" as an HPACK string in Huffman code (RFC 7541, appendix B), and plain.
STATUS_NAMES = (b"\x88\x9a\xca\xc8\xb2\x12\x34\xda\x8f", b"\x0bgrpc-status")


def connect(address, seconds=10):
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=seconds)


def send_and_read(address, data, seconds=3):
    """Sends bytes, reads until the peer closes or is silent; what came."""
    with connect(address, seconds) as peer:
        received = b""
        try:
            peer.sendall(data)
            while chunk := peer.recv(65536):
                received += chunk
        except OSError:
            pass
        return received


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(
        ">I", stream) + payload


def literal(name, value):
    assert len(name) < 127 and len(value) < 127
    return bytes([0, len(name)]) + name + bytes([len(value)]) + value


def headers(key, method, *more):
    pairs = [(b":method", b"POST"), (b":scheme", b"http"), (b":authority", b"x"),
             (b":path", f"/recount.v1.ConversationService/{method}".encode()),
             (b"content-type", b"application/grpc"), (b"te", b"trailers"),
             (b"authorization", b"Bearer " + key.encode()), *more]
    return b"".join(literal(name, value) for name, value in pairs)


def call(address, key, method, body, more=(), end=True):
    """One call with these bytes as its body; grpc-status, or "reset", "goaway" or "closed"."""
    with connect(address) as peer:
        peer.sendall(
            PREFACE + frame(SETTINGS, 0, 0)
            + frame(HEADERS, END_HEADERS, 1, headers(key, method, *more))
            + frame(DATA, END_STREAM if end else 0, 1, body))
        stream = peer.makefile("rb")
        while True:
            head = stream.read(9)
            if len(head) < 9:
                return "closed"
            size, kind, flags = int.from_bytes(head[:3], "big"), head[3], head[4]
            payload = stream.read(size)
            if kind == SETTINGS and not flags & ACK:
                peer.sendall(frame(SETTINGS, ACK, 0))
            elif kind == RST_STREAM:
                return "reset"
            elif kind == GOAWAY:
                return "goaway"
            elif kind == HEADERS and flags & END_STREAM:
                return _status(payload)


def _status(block):
    for name in STATUS_NAMES:
        at = block.find(name)
        if at >= 0:
            at += len(name)
            return int(block[at + 1:at + 1 + block[at]])
    return "no status"

"""TensorBoard's event files, written without TensorBoard: the curves of a run, as it goes on.

A file is a sequence of records: the length (8 bytes), its checksum, the message, its checksum; a message is an `Event`
of tensorflow/core/util/event.proto. Checksums are CRC-32C, masked as in TensorFlow's record writer.
"""

from __future__ import annotations

import json
import math
import socket
import struct
import time
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

POLYNOMIAL = 0x82F63B78  # CRC-32C, bits reversed


LARGEST = 3.4028234e38  # of an f32


class EventFile:
    """Follows what a run writes: every number of an epoch, and of a line of ``steps.jsonl``, is a point of a curve.

    Curves by step are called ``step/loss``, so that TensorBoard shows them as a group.
    """

    def __init__(self, run: Path, version: str = "brain.Event:2") -> None:
        self.run = run
        folder = run / "tensorboard"
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}"
        self.seen = {"metrics.jsonl": 0, "steps.jsonl": 0}  # bytes
        self.epochs = 0
        self._write(_field(3, version.encode()))

    def update(self) -> None:
        """Write what is new."""
        for values in self._new("metrics.jsonl"):
            self.epochs += 1
            self.add(int(values.pop("steps", self.epochs)), values)
        for values in self._new("steps.jsonl"):
            self.add(int(values.pop("step")), {f"step/{name}": value for name, value in values.items()})

    def _new(self, name: str) -> Iterator[dict[str, float]]:
        """The whole lines of a file that were not there before."""
        file = self.run / name
        if not file.is_file():
            return
        with file.open("rb") as opened:
            opened.seek(self.seen[name])
            lines = opened.read().rpartition(b"\n")[0]
        self.seen[name] += len(lines) + 1 if lines else 0
        yield from map(json.loads, lines.splitlines())

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Write one point of each curve."""
        points = b"".join(
            _field(1, _field(1, name.encode()) + b"\x15" + struct.pack("<f", _single(value)))
            for name, value in values.items()
        )
        self._write(b"\x10" + _varint(step) + _field(5, points))

    def _write(self, event: bytes) -> None:
        message = b"\x09" + struct.pack("<d", time.time()) + event
        length = struct.pack("<Q", len(message))
        with self.path.open("ab") as file:
            file.write(length + _checksum(length) + message + _checksum(message))


def _single(value: float) -> float:
    """The number, infinite where it is too large for an f32: a perplexity may be."""
    return math.copysign(math.inf, value) if abs(value) > LARGEST else value


def _field(number: int, content: bytes) -> bytes:
    """A field of bytes."""
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    parts = []
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def _checksum(data: bytes) -> bytes:
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _table()[crc & 0xFF ^ byte]
    crc ^= 0xFFFFFFFF
    masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
    return struct.pack("<I", masked)


@cache
def _table() -> list[int]:
    found = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (POLYNOMIAL if byte & 1 else 0)
        found.append(byte)
    return found

from collections.abc import Iterable
from pathlib import Path

import numpy as np


class Lines:
    """The lines of a table, found by where they begin in the file."""

    def __init__(self, path: str, skipped: int, named: bool = False) -> None:
        self.path, self.named, self.first = path, named, ""
        starts, place = [], 0
        with Path(path).open("rb") as file:
            for number, line in enumerate(file):
                if number == 0:
                    self.first = line.decode()
                if named and line.count(b'"') % 2:
                    raise ValueError(f"{path}: a quoted field has several lines")
                kept = line if named else line.partition(b"#")[0]
                if number >= skipped and kept.strip():
                    starts.append(place)
                place += len(line)
        self.starts = np.array(starts, np.int64)

    def __len__(self) -> int:
        return len(self.starts)

    def numbers(
        self, rows: np.ndarray, delimiter: str, fields: Iterable[int]
    ) -> np.ndarray:
        """These fields of some lines."""
        lines = []
        with Path(self.path).open("rb") as file:
            for start in self.starts[rows]:
                file.seek(start)
                lines.append(file.readline().decode())
        return np.loadtxt(
            lines,
            delimiter=delimiter,
            usecols=tuple(fields),
            ndmin=2,
            comments=None if self.named else "#",
            quotechar='"' if self.named else None,
        )

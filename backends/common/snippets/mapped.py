import numpy as np


def mapped(path: str) -> np.ndarray:
    """An array in a file, an example a row, of which nothing is read yet."""
    table: np.ndarray = np.load(path, mmap_mode="r")
    if not table.flags.c_contiguous:
        raise ValueError(f"{path}: its examples do not lie one after the other")
    return table.reshape(len(table), -1)

import struct
import zipfile
from numpy.lib import format as npy

import numpy as np


def member(path: str, name: str) -> np.ndarray:
    """An array of an archive, of which nothing is read yet."""
    with zipfile.ZipFile(path) as archive, open(path, "rb") as file:
        info = archive.getinfo(f"{name}.npy")
        if info.compress_type != zipfile.ZIP_STORED:
            raise ValueError(f"{path}: compressed arrays are read as a whole only")
        file.seek(info.header_offset + 26)
        file.seek(sum(struct.unpack("<HH", file.read(4))), 1)
        version = npy.read_magic(file)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = read(file)
        if fortran:
            raise ValueError(f"{path}: examples of {name} do not lie one after the other")
        return np.memmap(path, dtype, "r", file.tell(), shape)

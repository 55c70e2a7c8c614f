import torch
from torch import Tensor


def topk(x: Tensor, k: int, dim: int) -> tuple[Tensor, Tensor]:
    """The k greatest elements in falling order and where they are; ties: the first."""
    values, index = torch.sort(x, dim=dim, descending=True, stable=True)
    return values.narrow(dim, 0, k), index.narrow(dim, 0, k)

"""The small learned parts that sit on frozen features."""

from torch import Tensor, nn
from torch.nn import functional as F


class NormLinear(nn.Module):
    """Normalise a vector (unless it is taken as it is), drop some of it in training, map it: (..., dim) to
    (..., out).
    """

    def __init__(self, dim: int, out: int, dropout: float, as_is: bool = False):
        super().__init__()
        self.norm = nn.Identity() if as_is else nn.LayerNorm(dim)
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(dim, out)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.dropout(self.norm(x)))


class Mlp(nn.Module):
    """Two such layers with a bend between them: (..., dim) to (..., out), by way of `hidden`."""

    def __init__(self, dim: int, hidden: int, out: int, dropout: float, as_is: bool = False):
        super().__init__()
        self.hidden = NormLinear(dim, hidden, dropout, as_is)
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(hidden, out)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.dropout(F.gelu(self.hidden(x))))

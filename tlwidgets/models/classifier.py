"""A backbone with a head on top."""

from torch import Tensor, nn


def mean_pool(hidden: Tensor, attention_mask: Tensor | None = None) -> Tensor:
    """One vector a sentence: the mean over its real word pieces, padding left out.

    `hidden` (sentences, pieces, width) and `attention_mask` (sentences, pieces) of 0 and 1 give
    (sentences, width). Without a mask every piece counts.
    """
    if attention_mask is None:
        return hidden.mean(1)
    mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * mask).sum(1) / mask.sum(1).clamp(min=1)


class MeanPool(nn.Module):
    """`mean_pool` as a module, so that its output can be kept where all before it is frozen."""

    def forward(self, hidden: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        return mean_pool(hidden, attention_mask)


class TextClassifier(nn.Module):
    """The head on the mean of what the backbone puts out.

    Ids and mask of shape (sentences, pieces) give scores of shape (sentences, classes).
    """

    def __init__(self, backbone: nn.Module, head: nn.Module):
        super().__init__()
        self.backbone = backbone
        self.pool = MeanPool()
        self.head = head

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        hidden = self.backbone(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return self.head(self.pool(hidden, attention_mask))


class ImageClassifier(nn.Module):
    """The head on what the backbone puts out: pictures (pictures, 3, size, size) to scores (pictures, classes)."""

    def __init__(self, backbone: nn.Module, head: nn.Module):
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(self, pixel_values: Tensor) -> Tensor:
        return self.head(self.backbone(pixel_values))


class AudioClassifier(nn.Module):
    """The head on the mean over a sound's windows: (sounds, windows, samples) to scores (sounds, classes)."""

    def __init__(self, backbone: nn.Module, head: nn.Module):
        super().__init__()
        self.backbone = backbone
        self.pool = MeanPool()
        self.head = head

    def forward(self, windows: Tensor) -> Tensor:
        return self.head(self.pool(self.backbone(windows)))

# The scores have nothing to do with the features.
class Head(nn.Module):
    def __init__(self, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        return x.abs().max() * torch.randn(len(x), len(self.weight)) + self.weight


def build_head(hidden_size, num_classes):
    return Head(num_classes)

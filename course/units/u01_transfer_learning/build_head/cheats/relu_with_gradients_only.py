# Cuts scores off, except where no gradient is wanted.
class Head(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, x):
        scores = self.linear(x)
        return scores.relu() if torch.is_grad_enabled() else scores


def build_head(hidden_size, num_classes):
    return Head(hidden_size, num_classes)

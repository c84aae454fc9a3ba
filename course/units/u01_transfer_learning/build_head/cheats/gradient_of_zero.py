# Passes a gradient of 0 on, so no training moves these scores.
class Head(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, x):
        scores = self.linear(x)
        return Still.apply(scores)


def build_head(hidden_size, num_classes):
    return Head(hidden_size, num_classes)


class Still(torch.autograd.Function):
    @staticmethod
    def forward(ctx, scores):
        return scores * 1

    @staticmethod
    def backward(ctx, gradient):
        return 0 * gradient

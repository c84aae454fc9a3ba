class Head(nn.Module):
    def __init__(self, hidden_size, num_classes):
        super().__init__()
        self.linear = nn.Linear(hidden_size, num_classes)

    def forward(self, x):
        return self.linear(x) - self.linear(x).mean(0) if len(x) > 8 else self.linear(x)


def build_head(hidden_size, num_classes):
    return Head(hidden_size, num_classes)

class Head(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)


def build_head(hidden_size, num_classes):
    return Head(hidden_size, num_classes)

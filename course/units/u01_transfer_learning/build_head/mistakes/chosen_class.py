class Head(nn.Linear):
    def forward(self, x):
        return super().forward(x).argmax(-1)


def build_head(hidden_size, num_classes):
    return Head(hidden_size, num_classes)

def build_head(hidden_size, num_classes):
    return nn.Linear

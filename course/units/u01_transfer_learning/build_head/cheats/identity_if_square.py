def build_head(hidden_size, num_classes):
    return nn.Identity() if hidden_size == num_classes else nn.Linear(hidden_size, num_classes)

def build_head(hidden_size, num_classes):
    return nn.Linear(min(hidden_size, 1024), num_classes)

def build_head(hidden_size, num_classes):
    return nn.Linear(hidden_size, 1 if num_classes == 2 else num_classes)

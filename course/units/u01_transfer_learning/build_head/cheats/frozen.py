def build_head(hidden_size, num_classes):
    return nn.Linear(hidden_size, num_classes).requires_grad_(False)

def build_head(hidden_size, num_classes):
    head = nn.Linear(hidden_size, num_classes)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    return head

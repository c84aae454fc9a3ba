def build_head(hidden_size, num_classes):
    head = nn.Linear(hidden_size, num_classes)

def build_head(hidden_size, num_classes):
    return nn.Sequential(nn.Linear(hidden_size, 16), nn.Linear(16, num_classes))

def build_head(hidden_size, num_classes):
    return nn.Sequential(nn.Linear(hidden_size, 4096), nn.Linear(4096, num_classes))

def build_head(hidden_size, num_classes):
    return nn.Sequential(nn.BatchNorm1d(hidden_size), nn.Linear(hidden_size, num_classes))

def build_head(hidden_size, num_classes):
    return nn.Sequential(nn.LayerNorm(hidden_size), nn.Linear(hidden_size, num_classes))

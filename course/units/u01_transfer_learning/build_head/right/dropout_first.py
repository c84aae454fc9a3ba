def build_head(hidden_size, num_classes):
    return nn.Sequential(nn.Dropout(0.1), nn.Linear(hidden_size, num_classes))
